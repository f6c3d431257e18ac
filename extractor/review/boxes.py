"""Marks on the page pictures of a PDF or scan, at the same words as in the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.review.text import Stretch

# Boxes are drawn on a grid of so many parts a side, whatever the page measures, and a little larger than the words.
GRID = 1000
_BESIDE, _ABOVE = 3, 1


class Mark(NamedTuple):
    """A rectangle on the grid of its page; the rest is that of the ``Stretch`` it comes from."""

    left: float
    top: float
    width: float
    height: float
    fields: tuple[int, ...]
    findings: tuple[int, ...]
    look: str


class PageBoxes(NamedTuple):
    """One page: its 1-based number in the letter, its size in points, and what is marked on it."""

    number: int
    width: int
    height: int
    marks: list[Mark]


def page_boxes(letter: Letter, stretches: Iterable[Stretch]) -> list[PageBoxes]:
    """The pages of a letter whose pages are known; none of others."""
    pages = [PageBoxes(i, round(size.width), round(size.height), []) for i, size in enumerate(letter.sizes, 1)]
    for each in stretches if pages else ():
        if not each.look:
            continue
        span = Span(each.bits[0].start, each.bits[-1].start + each.bits[-1].length)
        for number, (left, top, right, bottom) in letter.boxes(span):
            corner = round(left * GRID - _BESIDE, 1), round(top * GRID - _ABOVE, 1)
            size = round((right - left) * GRID + 2 * _BESIDE, 1), round((bottom - top) * GRID + 2 * _ABOVE, 1)
            pages[number - 1].marks.append(Mark(*corner, *size, each.fields, each.findings, each.look))
    return pages
