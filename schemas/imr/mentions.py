"""Guideline pages named in the running text of a rationale, as distinct from pages of the worker's records."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.injection import is_instruction
from extractor.lettertypes.reading import Fact, ListBounds

from .model import OUTCOMES
from .pages import PAGE_LABEL, PageList, read_pages
from .verdict import sentences

_GUIDELINE = re.compile(
    r"\b(?:MTU[S5]|AC[O0]EM|[O0]DG|guide\s?lines?|official\s+disability|chapters?|tables?|figures?|labels?|manuals?|"
    r"formulary|treatment\s+utilization\s+schedule|editions?|textbooks?|algorithms?|sections?)\b",
    re.IGNORECASE,
)
_RECORD_WORD = (
    r"(?:notes?|reports?|records?|letters?|forms?|RFA|PR-?2|questionnaires?|requests?\s+for\s+authorization|charts?|"
    r"evaluations?|fax(?:es)?|exhibits?|depositions?|summary)\b(?!\s+that\b)"
)
_RECORD = re.compile(rf"\b{_RECORD_WORD}", re.IGNORECASE)
# After the page, "notes" and "reports" may be verbs.
_OF_A_RECORD = re.compile(rf"\bof\s+(?:[\w'-]+\s+){{0,5}}?{_RECORD_WORD}", re.IGNORECASE)


# Characters around a mention in which its source is looked for: a rationale without full stops is one sentence.
_CLOSE = 300
# What may have been torn off the number before: "30 1".
_TORN_OFF = re.compile(r"[^\S\n]\d{1,2}\b")


class Mentions(NamedTuple):
    """``pages``: each page once, in order of first mention; ``repaired``: where a number was repaired."""

    pages: Fact
    repaired: Span | None


def read_page_mentions(text: str, rationale: Span) -> Mentions:
    """Pages of guidelines that a rationale names ("page 214", "pages 89-90").

    In a sentence that names a record and no guideline, the page is the record's and is left out. Where the
    sentence names neither, the page is a guideline's if the rationale so far names a guideline and no record.
    Otherwise, and where a record is nearer by than the guideline, the list is not certain; its bounds are.
    A sentence that addresses machines is not a reviewer's, and names nothing.
    """
    found: dict[tuple[int, int], Span] = {}
    sure: set[tuple[int, int]] = set()
    unreadable: list[Span] = []
    certain, repaired = True, None
    lists = list(_lists(text, rationale))
    parts = list(sentences(text, rationale)) if lists else []
    for label, pages in lists:
        at = bisect_right(parts, label.start, key=lambda part: part.start) - 1
        sentence = parts[max(0, at)]
        of_guideline = _is_of_a_guideline(text, sentence, label)
        if of_guideline is False or is_instruction(sentence.of(text), OUTCOMES):
            continue
        if of_guideline is None:
            of_guideline = _names_guidelines_only(text, Span(rationale.start, sentence.end))
        certain &= of_guideline and pages.certain
        if not pages.certain:
            rest = _TORN_OFF.match(text, pages.end, rationale.end)
            unreadable.append(Span(label.start, rest.end() if rest else pages.end))
        if (pages.repaired or not pages.certain) and repaired is None:
            repaired = Span(label.start, pages.end)
        for page in pages.pages:
            found.setdefault((page.first, page.last), page.span)
            if of_guideline and pages.certain:
                sure.add((page.first, page.last))
    bounds = ListBounds(_ranges(page for page in found if page in sure), _ranges(found), tuple(unreadable))
    return Mentions(Fact(list(bounds.most), tuple(found.values()), certain, bounds), repaired)


def _ranges(pages: Iterable[tuple[int, int]]) -> tuple[dict[str, int], ...]:
    return tuple({"first": first, "last": last} for first, last in pages)


def _names_guidelines_only(text: str, within: Span) -> bool:
    return _GUIDELINE.search(text, *within) is not None and _RECORD.search(text, *within) is None


def _lists(text: str, rationale: Span) -> Iterator[tuple[Span, PageList]]:
    for label in PAGE_LABEL.finditer(text, rationale.start, rationale.end):
        pages = read_pages(text, Span(label.end(), rationale.end), prose=True)
        if pages.pages:
            yield Span(*label.span()), pages


def _is_of_a_guideline(text: str, sentence: Span, mention: Span) -> bool | None:
    """Whether a page is a guideline's; ``None`` if its sentence leaves that open."""
    sentence = Span(max(sentence.start, mention.start - _CLOSE), min(sentence.end, mention.end + _CLOSE))
    guideline = _nearest(text, sentence, mention, _GUIDELINE, _GUIDELINE)
    record = _nearest(text, sentence, mention, _RECORD, _OF_A_RECORD)
    if record is None:
        return True if guideline is not None else None
    if guideline is None:
        return False
    return True if guideline <= record else None


def _nearest(text: str, sentence: Span, mention: Span, before: re.Pattern[str], behind: re.Pattern[str]) -> int | None:
    """Distance in characters from the mention to the nearest such word of its sentence."""
    gaps = [mention.start - match.end() for match in before.finditer(text, sentence.start, mention.start)]
    gaps += [match.start() - mention.end for match in behind.finditer(text, mention.end, sentence.end)]
    return min(gaps, default=None)
