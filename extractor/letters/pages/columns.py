"""Prose set in columns: where on a page it is, so that it is read column by column.

A table of labels and values has gaps above each other too, and is read row by row. What tells columns of prose
apart are many lines in a row, with several words on both sides, that fill their columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from extractor.letters.pages.layout import TextRun

    Row = Sequence[TextRun]

# Shares of a line's height: the least gap between two columns.
_GUTTER = 0.8
# Shares of the page's text in width: where a gap between columns may be.
_MIDDLE = (0.25, 0.75)
_LEAST_LINES = 6
# Medians of a column's lines: words, and the share of its width that they fill.
_LEAST_WORDS = 4
_LEAST_FILLED = 0.6
_MOST_GAPS = 4


class Columns(NamedTuple):
    """Rows ``start`` to ``end`` of a page (half-open) are two columns, parted at ``middle``."""

    start: int
    end: int
    middle: float


class _Gap(NamedTuple):
    left: float
    right: float

    def cut(self, other: _Gap) -> _Gap:
        return _Gap(max(self.left, other.left), min(self.right, other.right))


def columns_in(rows: Sequence[Row]) -> list[Columns]:
    """The parts of a page that are columns, from top to bottom; usually none. Each row is sorted from left to right."""
    if len(rows) < _LEAST_LINES:
        return []
    left, right = min(row[0].left for row in rows), max(run.right for row in rows for run in row)
    allowed = _Gap(*(left + share * (right - left) for share in _MIDDLE))
    gaps = [_gaps(row, allowed, left, right) for row in rows]
    if sum(map(bool, gaps)) < _LEAST_LINES:
        return []
    return [found for found in _bands(rows, gaps) if _is_prose(rows[found.start : found.end], found.middle)]


def _gaps(row: Row, allowed: _Gap, left: float, right: float) -> list[_Gap]:
    """The gaps of a row that may part two columns; one that is only in one column leaves all of the other free."""
    least = _least_gap(row)
    found = [_Gap(one.right, other.left) for one, other in pairwise(row) if other.left - one.right >= least]
    end = max(run.right for run in row)
    if end < allowed.right:
        found.append(_Gap(end, right))
    if row[0].left > allowed.left:
        found.append(_Gap(left, row[0].left))
    return [gap for gap in found if _width(gap.cut(allowed)) >= least]


def _width(gap: _Gap) -> float:
    return gap.right - gap.left


def _bands(rows: Sequence[Row], gaps: Sequence[list[_Gap]]) -> Iterator[Columns]:
    """Rows after each other whose gaps have a part in common."""
    start = 0
    # Gaps that all rows of the band share a part of.
    common: list[_Gap] = []
    for number, row in enumerate(rows):
        least = _least_gap(row)
        still = [cut for one in common for other in gaps[number] if _width(cut := one.cut(other)) >= least]
        if common and not still:
            yield _band(start, number, common)
        if not still:
            start, still = number, gaps[number]
        common = sorted(set(still), key=_width, reverse=True)[:_MOST_GAPS]
    if common:
        yield _band(start, len(rows), common)


def _band(start: int, end: int, common: Sequence[_Gap]) -> Columns:
    widest = max(common, key=_width)
    return Columns(start, end, (widest.left + widest.right) / 2)


def _least_gap(row: Row) -> float:
    return _GUTTER * median(run.bottom - run.top for run in row)


def _is_prose(rows: Sequence[Row], middle: float) -> bool:
    return all(
        _is_column([side for row in rows if (side := [run for run in row if (run.left > middle) == is_right])])
        for is_right in (False, True)
    )


def _is_column(lines: Sequence[Row]) -> bool:
    if len(lines) < _LEAST_LINES or median(map(len, lines)) < _LEAST_WORDS:
        return False
    widths = [line[-1].right - line[0].left for line in lines]
    width = max(line[-1].right for line in lines) - min(line[0].left for line in lines)
    return median(widths) >= _LEAST_FILLED * width
