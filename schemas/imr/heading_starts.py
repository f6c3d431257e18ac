"""Where a decision's heading begins, found in ways that do not depend on each other.

*Layout*: paragraphs end at blank lines, or at lines broken early. *Sentences*: a heading is a phrase, and
follows a finished sentence. *The form's formula*: a partly authorized request is headed with two or
three sentences in fixed words. A rationale may repeat the formula, and tools drop blank lines, so a beginning
is certain only where two ways agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import last, words

# The closing formula of a heading that was authorized in part; it belongs to the sentences before it.
PARTLY = re.compile(
    r"(?:The\s+remaining\s+IMR[\s-]+eligible\s+portion\s+of\s+the\s+original\s+request|The\s+original\s+request)\s*,\s*",
    re.IGNORECASE,
)
_WAS_REQUESTED = re.compile(words("was the original request"), re.IGNORECASE)
_OF_FORMULA = re.compile(
    rf"{words('was the original request')}|\bauthorized\b|{words('leaving the original request')}", re.IGNORECASE
)
_LONGEST = 1900
_MOST_WORDS = 80
_LETTERS = re.compile(r"[A-Za-z]{2}")

_BREAK = re.compile(r"[^\S\n]*\n(?P<blank>(?:[^\S\n]*\n)*)")
_ENDED = re.compile(r"[.?!][\"')]*\Z")
_ENDED_HEADING = re.compile(r"[:;]\s*(?:Upheld|UPHELD|Overturned|OVERTURNED)\s*\.?\s*\Z")
_SENTENCE_END = re.compile(r"[.?!][\"')]*(?:\s+(?=[\"'(]?[A-Z0-9#])|[^\S\n]*\n\s*)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|St|No|Nos|vs|approx|tabs?|caps?|mg|ml|qty|e\.g|i\.e|fig|ext|hrs?|wks?|mos?|min|lbs?)|^\d{1,2})\.\Z",
    re.IGNORECASE,
)
# Words that make a sentence of a phrase; a heading's phrases hold none of them.
_FINITE = re.compile(
    r"\s(?:is|are|was|were|be|been|has|have|had|does|did|can(?:not)?|could|may|might|should|would|will|must|show(?:s|ed)"
    r"|recommend(?:s|ed)|support(?:s|ed)|noted|indicate[sd]|remains|reported|den(?:ies|ied)|lacks|meets|fails|requires"
    r"|exceeds|necessary)\b"
)
_VERDICT = re.compile(
    r"\b(?:is|are|was|were|be|been|not)[\s-]+(?:\w+[\s-]+){0,3}?medical(?:ly)?[\s-]+(?:necessary|necessity|appropriate)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:claims\s+administrator|maximus|expert\s+reviewer)(?:'s)?\s+guidelines?\b|\bdecision\s+rationale\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Layout:
    """How the tool that made this text set its lines: doubled line ends, blank lines kept, full width."""

    double: bool
    blanks_kept: bool
    width: int

    @classmethod
    def of(cls, text: str, label_starts: list[int]) -> Layout:
        """Measured on the text: blank lines count as kept if most labels are set off from the text before them."""
        lines = sorted(filter(None, map(len, map(str.rstrip, text.split("\n")))))
        double = text.count("\n\n") * 3 > text.count("\n")
        apart = sum(_blank_lines(text[max(0, start - 20) : start]) >= 1 + double for start in label_starts)
        return cls(double, apart * 2 >= len(label_starts), lines[int(len(lines) * 0.95)] if lines else 0)


def _blank_lines(before: str) -> int:
    return before[len(before.rstrip()) :].count("\n") - 1


class Beginning(NamedTuple):
    """Where a heading begins: the likeliest place, whether two ways agree on it, and the first and last possible."""

    at: int
    certain: bool
    earliest: int
    latest: int


def find_beginning(text: str, before: Span, layout: Layout) -> Beginning:
    """Where the heading that ends at ``before.end`` begins; nothing of it is before ``before.start``."""
    sentences = list(_sentence_starts(text, before))
    formula = _formula(text, sentences, before.end)
    by_sentences = _by_sentences(text, sentences, formula.sentence)
    by_layout, is_apart = _by_layout(text, Span(before.start, formula.limit), layout)
    agree = by_layout in by_sentences
    if by_layout is None or (not agree and not _may_be_heading(text, Span(by_layout, before.end))):
        at, certain = by_sentences[0], len(by_sentences) == 1
    else:
        at, certain = by_layout, agree and (len(by_sentences) == 1 or is_apart)
    possible = [at] if certain else [at, by_sentences[0], *([by_layout] if by_layout is not None else [])]
    return Beginning(at, certain and _may_be_heading(text, Span(at, before.end)), min(possible), max(possible))


def _may_be_heading(text: str, span: Span) -> bool:
    """Whether these words can head a decision: letters, but no label, no verdict and no whole paragraph."""
    heading = span.of(text)
    if len(heading) > _LONGEST or not _LETTERS.search(heading) or _LABEL.search(heading) or _VERDICT.search(heading):
        return False
    return bool(PARTLY.search(heading)) or len(heading.split()) <= _MOST_WORDS


# ---- sentences and the formula -------------------------------------------------------------------------


class _Formula(NamedTuple):
    """Where the heading begins as the formula goes, by number of sentence; no paragraph begins after ``limit``."""

    sentence: int
    limit: int


def _formula(text: str, sentences: list[int], end: int) -> _Formula:
    """The formula's sentences, where one closes the heading; else the last sentence alone."""
    closing = len(sentences) - 1
    partly = last(PARTLY, text, Span(sentences[closing], end))
    if not partly:
        return _Formula(closing, end)
    found = _Formula(closing, partly.start())
    for number in range(closing - 1, -1, -1):
        sentence = Span(sentences[number], sentences[number + 1])
        if _VERDICT.search(text, *sentence):
            break
        if match := _OF_FORMULA.search(text, *sentence):
            found = _Formula(number, match.start())
            if _WAS_REQUESTED.search(text, *sentence):
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


def _sentence_starts(text: str, within: Span) -> Iterator[int]:
    yield _skip_blanks(text, within.start, within.end)
    for end in _SENTENCE_END.finditer(text, within.start, within.end):
        word = text[max(within.start, end.start() - 8) : end.start() + 1]
        if end.end() < within.end and not _ABBREVIATION.search(word):
            yield end.end()


def _skip_blanks(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


# ---- layout --------------------------------------------------------------------------------------------


def _by_layout(text: str, within: Span, layout: Layout) -> tuple[int | None, bool]:
    """Where the last paragraph in ``within`` begins, and whether it is set apart; ``None`` for a text without lines."""
    if text.find("\n", *within) < 0:
        return None, False
    start, apart = within.start, True
    for at, is_apart in _paragraph_starts(text, within, layout):
        start, apart = at, is_apart
    return _skip_blanks(text, start, within.end), apart


def _paragraph_starts(text: str, within: Span, layout: Layout) -> Iterator[tuple[int, bool]]:
    """Where a new paragraph may begin in ``within``, and whether it is set apart; the last is the likeliest.

    Where blank lines were kept, a paragraph ends at one, unless the line before it is a full line
    without a full stop: then the blank line is a page break. Where they were dropped, it ends with
    any line that ends a sentence.
    """
    at = within.start
    for line in _BREAK.finditer(text, *within):
        body, end, at = text[at : line.start()], line.end(), line.end()
        separated = line["blank"].count("\n") > layout.double or "\f" in text[line.start() : end + 2]
        if layout.blanks_kept and not separated and body:
            continue
        words = body.strip()
        ended = _ENDED.search(words) is not None or _ENDED_HEADING.search(words) is not None
        if not words or (ended and (separated or not layout.blanks_kept)):
            yield end, separated
        elif separated:
            following = text[end : end + 60].split(None, 1)
            if following and layout.width - len(body) > len(following[0]) + 1:  # broken early
                yield end, separated
