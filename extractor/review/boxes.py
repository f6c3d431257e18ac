"""Marks on the page pictures of a PDF or scan, at the same words as in the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.review.fields import RecordView
from extractor.review.text import Stretch

# Marks are drawn on a grid of so many parts a side, whatever the page measures, and a little larger than the words.
GRID = 1000
_BESIDE, _ABOVE = 3, 1
# Lines that are farther apart, in heights of a line, do not belong to one paragraph.
_APART = 1.5


class Mark(NamedTuple):
    """A shape on the grid of its page, as the ``d`` of an SVG path; the rest is that of the ``Stretch`` it comes from.

    ``look`` is ``outline`` for the shape around a whole value or finding, drawn once it is chosen.
    """

    shape: str
    fields: tuple[int, ...]
    findings: tuple[int, ...]
    look: str


class PageBoxes(NamedTuple):
    """One page: its 1-based number in the letter, its size in points, and what is marked on it."""

    number: int
    width: int
    height: int
    marks: list[Mark]


Box = tuple[float, float, float, float]


def page_boxes(letter: Letter, stretches: Iterable[Stretch], view: RecordView) -> list[PageBoxes]:
    """The pages of a letter whose pages are known; none of others."""
    pages = [PageBoxes(i, round(size.width), round(size.height), []) for i, size in enumerate(letter.sizes, 1)]
    if not pages:
        return []
    for each in stretches:
        if each.look:
            span = Span(each.bits[0].start, each.bits[-1].start + each.bits[-1].length)
            _draw(pages, letter, span, each.fields, each.findings, each.look)
    for field in view.fields:
        for place in field.places:
            _draw(pages, letter, Span(place.start, place.end), (field.number,), (), "outline")
    for finding in view.all_findings:
        if finding.place and finding.severity != "info":
            _draw(pages, letter, Span(finding.place.start, finding.place.end), (), (finding.number,), "outline")
    return pages


def _draw(
    pages: Sequence[PageBoxes],
    letter: Letter,
    span: Span,
    fields: tuple[int, ...],
    findings: tuple[int, ...],
    look: str,
) -> None:
    by_page: dict[int, list[Box]] = {}
    for number, (left, top, right, bottom) in letter.boxes(span):
        box = (left * GRID - _BESIDE, top * GRID - _ABOVE, right * GRID + _BESIDE, bottom * GRID + _ABOVE)
        by_page.setdefault(number, []).append(box)
    for number, boxes in by_page.items():
        pages[number - 1].marks.append(Mark(outline(boxes), fields, findings, look))


def outline(boxes: Sequence[Box]) -> str:
    """The SVG path around boxes of lines (left, top, right, bottom): one shape for lines that follow each other."""
    paragraphs: list[list[Box]] = []
    for box in boxes:
        if paragraphs and _follows(paragraphs[-1][-1], box):
            paragraphs[-1].append(box)
        else:
            paragraphs.append([box])
    return " ".join(map(_around, paragraphs))


def _follows(before: Box, box: Box) -> bool:
    height = max(before[3] - before[1], box[3] - box[1])
    below = before[1] < box[1] and box[1] - before[3] < _APART * height
    return below and box[0] < before[2] and before[0] < box[2]


def _around(lines: Sequence[Box]) -> str:
    """The right edges down, the left edges up; two lines meet halfway."""
    meets = [(above[3] + below[1]) / 2 for above, below in pairwise(lines)]
    tops, bottoms = [lines[0][1], *meets], [*meets, lines[-1][3]]
    down = [(line[2], y) for line, top, bottom in zip(lines, tops, bottoms, strict=True) for y in (top, bottom)]
    up = [(line[0], y) for line, top, bottom in zip(lines, tops, bottoms, strict=True) for y in (top, bottom)]
    points = " ".join(f"{x:.1f} {y:.1f}" for x, y in [*down, *reversed(up)])
    return f"M{points}Z"
