"""Where letters begin in a text that holds several, such as a merged PDF of many determinations."""

from __future__ import annotations

import re

from extractor.letters.spans import Span
from extractor.lettertypes.tops import LetterTop

from .anatomy import CASE_SUMMARY, HOW_MADE, ISSUES
from .forms import LABELED, NUMBERED

_LETTERHEAD = re.compile(
    r"(?:MAXIMUS FEDERAL SERVICES\b.*|.*\bIndependent Medical Review\b.*|IMR\b.*|P\.?\s?O\.? Box.*"
    r"|(?:Sacramento|Folsom), CA.*|.*\(\d{3}\) ?\d{3}-\d{4}.*|.*\bFinal Determination Letter\b.*)?",
    re.IGNORECASE,
)
_LABELED_TOP = LetterTop(LABELED.header, _LETTERHEAD)
_NUMBERED_TOP = LetterTop(NUMBERED.header, _LETTERHEAD, fewest=3)


def starts_of(text: str) -> list[int]:
    """The first character of each determination; one place, or none, where the text holds a single one.

    A determination is known by its section of issues and decisions with a first heading of its own
    above it: a heading that comes twice in one letter begins no second one. It starts at its
    header's table, or at that first heading where the header was cut off.
    """
    starts: list[int] = []
    before = 0
    for issues in ISSUES[0].finditer(text):
        heading = HOW_MADE[0].search(text, before, issues.start()) or CASE_SUMMARY[0].search(
            text, before, issues.start()
        )
        if heading:
            starts.append(_LABELED_TOP.above(text, Span(before, heading.start())) or 0)
            before = issues.end()
    return sorted({*starts, *_numbered_starts(text)})


def _numbered_starts(text: str) -> list[int]:
    """Where letters of the numbered form of 2013 begin: at a header's table right above a list of determinations.

    The list is printed twice in a letter; above its second printing there is no such table.
    """
    starts: list[int] = []
    if "determined" not in text and "DETERMINED" not in text:
        return starts
    before = 0
    for determined in NUMBERED.outcome.finditer(text):
        above = Span(before, determined.start())
        top = _NUMBERED_TOP.above(text, above)
        if top is not None or not starts:
            starts.append(_NUMBERED_TOP.with_letterhead(text, above) if top is None else top)
        before = determined.end()
    return starts
