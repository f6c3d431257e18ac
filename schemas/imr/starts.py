"""Where letters begin in a text that holds several, such as a merged PDF of many determinations."""

from __future__ import annotations

import re

from .anatomy import CASE_SUMMARY, HOW_MADE, ISSUES
from .forms import LABELED, NUMBERED

_FEWEST_LABELS = 3
# The header's table is short and comes right before the first heading.
_APART = 400
_LETTERHEAD = re.compile(
    r"(?:MAXIMUS FEDERAL SERVICES\b.*|.*\bIndependent Medical Review\b.*|IMR\b.*|P\.?\s?O\.? Box.*"
    r"|(?:Sacramento|Folsom), CA.*|.*\(\d{3}\) ?\d{3}-\d{4}.*|.*\bFinal Determination Letter\b.*)?",
    re.IGNORECASE,
)
_HEAD_LINES = 12


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
            starts.append(_start(text, before, heading.start()))
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
        top = _top_of_table(text, before, determined.start())
        if top is not None or not starts:
            starts.append(_with_letterhead(text, before, determined.start() if top is None else top))
        before = determined.end()
    return starts


def _top_of_table(text: str, floor: int, below: int) -> int | None:
    """Where the header's table that ends right above ``below`` begins; ``None`` without one."""
    top, found = below, 0
    for label in reversed(list(NUMBERED.header.finditer(text, floor, below))):
        if top - label.end() > _APART:
            break
        top, found = label.start(), found + 1
    return top if found >= _FEWEST_LABELS else None


def _start(text: str, floor: int, heading: int) -> int:
    """The beginning of the line where the header above ``heading`` begins, its letterhead included."""
    start = heading
    for label in reversed(list(LABELED.header.finditer(text, floor, heading))):
        if start - label.end() > _APART:
            break
        start = label.start()
        if label["first"]:
            break
    return _with_letterhead(text, floor, start)


def _with_letterhead(text: str, floor: int, start: int) -> int:
    """The beginning of the line of ``start``, or of the letterhead that is right above it."""
    start = max(floor, _line_start(text, start))
    for _ in range(_HEAD_LINES):
        above = _line_start(text, start - 1)
        if start == 0 or above < floor or text[start - 1] == "\f":
            break
        if not _LETTERHEAD.fullmatch(text[above : start - 1].strip()):
            break
        start = above
    return start


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, max(0, at)), text.rfind("\f", 0, max(0, at))) + 1
