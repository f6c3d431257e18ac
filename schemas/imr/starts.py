"""Where letters begin in a text that holds several, such as a merged PDF of many determinations."""

from __future__ import annotations

import re

from extractor.lettertypes.reading import scanned

from .anatomy import CASE_SUMMARY, HOW_MADE, ISSUES

_LATER = ("Date Assigned", "Date of Injury", "Decision Date", "UR Denial Date", "Priority", "Application Received")
_LABEL = re.compile(
    rf"\b(?:(?P<first>{scanned('Case Number')})|{'|'.join(scanned(label) for label in _LATER)})\s*:", re.IGNORECASE
)
# The header's table is short and stands right above the first heading.
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
    for issues in ISSUES.finditer(text):
        heading = HOW_MADE.search(text, before, issues.start()) or CASE_SUMMARY.search(text, before, issues.start())
        if heading:
            starts.append(_start(text, before, heading.start()))
            before = issues.end()
    return starts


def _start(text: str, floor: int, heading: int) -> int:
    """The beginning of the line where the header that stands above ``heading`` begins, its letterhead included."""
    start = heading
    for label in reversed(list(_LABEL.finditer(text, floor, heading))):
        if start - label.end() > _APART:
            break
        start = label.start()
        if label["first"]:
            break
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
