"""Where a heading begins that is known by its end, found in ways that do not depend on each other.

*Layout*: paragraphs end at blank lines, or at lines broken early. *Sentences*: a heading is a phrase, and
follows a finished sentence. *A formula*: some headings are two or three sentences in fixed words. The text before may
repeat the formula, and tools drop blank lines, so a beginning is certain only where two ways agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.layout import Layout, sentence_starts
from extractor.lettertypes.reading import last

_LONGEST = 1900
_MOST_WORDS = 80
_LETTERS = re.compile(r"[A-Za-z]{2}")
# Words that make a sentence of a phrase; a heading's phrases hold none of them.
_FINITE = re.compile(
    r"\s(?:is|are|was|were|be|been|has|have|had|does|did|can(?:not)?|could|may|might|should|would|will|must|show(?:s|ed)"
    r"|recommend(?:s|ed)|support(?:s|ed)|noted|indicate[sd]|remains|reported|den(?:ies|ied)|lacks|meets|fails|requires"
    r"|exceeds|necessary)\b"
)


class Beginning(NamedTuple):
    """Where a heading begins: the likeliest place, whether two ways agree on it, and the first and last possible."""

    at: int
    certain: bool
    earliest: int
    latest: int


class _FormulaStart(NamedTuple):
    """Where the heading begins as the formula goes, by number of sentence; no paragraph begins after ``limit``."""

    sentence: int
    limit: int


@dataclass(frozen=True)
class Headings:
    """What headings of one kind are like.

    ``ended``: what ends a paragraph beside a full stop. ``never``: words that no heading has. ``verdict``: words that
    only the text before has, so that a formula does not go on across them. ``closing`` is how the last sentence of a
    formula begins, ``inside`` what its other sentences have, ``opening`` what its first one has.
    """

    ended: re.Pattern[str]
    never: re.Pattern[str]
    verdict: re.Pattern[str]
    closing: re.Pattern[str]
    inside: re.Pattern[str]
    opening: re.Pattern[str]

    def beginning(self, text: str, before: Span, layout: Layout) -> Beginning:
        """Where the heading that ends at ``before.end`` begins; nothing of it is before ``before.start``."""
        sentences = list(sentence_starts(text, before))
        formula = self._formula(text, sentences, before.end)
        by_sentences = _by_sentences(text, sentences, formula.sentence)
        by_layout, is_apart = layout.last_paragraph(text, Span(before.start, formula.limit), self.ended)
        agree = by_layout in by_sentences
        if by_layout is None or (not agree and not self._may_be_heading(text, Span(by_layout, before.end))):
            at, certain = by_sentences[0], len(by_sentences) == 1
        else:
            at, certain = by_layout, agree and (len(by_sentences) == 1 or is_apart)
        possible = [at] if certain else [at, by_sentences[0], *([by_layout] if by_layout is not None else [])]
        certain = certain and self._may_be_heading(text, Span(at, before.end))
        return Beginning(at, certain, min(possible), max(possible))

    def _may_be_heading(self, text: str, span: Span) -> bool:
        """Whether these words can be a heading: letters, but no words that it never has, and no whole paragraph."""
        heading = span.of(text)
        if len(heading) > _LONGEST or not _LETTERS.search(heading):
            return False
        if self.never.search(heading) or self.verdict.search(heading):
            return False
        return bool(self.closing.search(heading)) or len(heading.split()) <= _MOST_WORDS

    def _formula(self, text: str, sentences: list[int], end: int) -> _FormulaStart:
        """The formula's sentences, where one closes the heading; else the last sentence alone."""
        closing = len(sentences) - 1
        closes = last(self.closing, text, Span(sentences[closing], end))
        if not closes:
            return _FormulaStart(closing, end)
        found = _FormulaStart(closing, closes.start())
        for number in range(closing - 1, -1, -1):
            sentence = Span(sentences[number], sentences[number + 1])
            if self.verdict.search(text, *sentence):
                break
            if match := self.inside.search(text, *sentence):
                found = _FormulaStart(number, match.start())
                if self.opening.search(text, *sentence):
                    break
            elif _FINITE.search(text, *sentence):
                break
        return found


def _by_sentences(text: str, sentences: list[int], first: int) -> list[int]:
    """Where the heading may begin as sentences go, the likeliest first: phrases right before may belong to it."""
    found = [sentences[first]]
    while first > 0 and not _FINITE.search(text, sentences[first - 1], sentences[first]):
        first -= 1
        found.append(sentences[first])
    return found
