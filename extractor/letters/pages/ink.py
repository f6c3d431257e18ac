"""What is visible on a page: its picture in gray, and whether there is ink where a character should be."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pypdfium2.raw as pdfium

DPI = 100
# The least difference between ink and paper (0 to 255) that counts as visible: a gray of #DDD on white is 34.
_CONTRAST = 30
_DARK = 110
# Pixels that differ by at least that much from any of the others.
_IS_DARK = bytes(value <= 210 - _CONTRAST for value in range(256))
_IS_LIGHT = bytes(value >= 210 for value in range(256))
# Where in a character's line, from the top, a pen always passes: the middle of the small letters first.
_LEVELS = (0.6, 0.5, 0.7)
WHITE = 0xFFFFFFFF
# The library rounds outwards: a scan that fills its page would be drawn on one row of pixels too many, and blurred.
_JUST_INSIDE = 1 - 1e-4

# left, top, right, bottom
Place = tuple[float, float, float, float]


@dataclass(frozen=True)
class Picture:
    """A page in gray, one byte per pixel, ``across`` by ``down`` pixels, ``stride`` bytes per row.

    ``scale`` is pixels a point; all boxes are in points.
    """

    gray: bytes
    across: int
    down: int
    stride: int
    scale: float
    _known_sums: dict[int, tuple[list[int], list[int]]] = field(default_factory=dict, repr=False, compare=False)

    def visible(self, places: Sequence[Place]) -> list[bool]:
        """For each character of one upright word, whether there is ink where it should be."""
        top, bottom = places[0][1], places[0][3]
        levels = [int((top + level * (bottom - top)) * self.scale) for level in _LEVELS]
        dark, light = self._sums(levels[0])
        scale, last = self.scale, len(dark) - 1
        found = []
        rows: list[bytes] | None = None
        for left, _, right, _ in places:
            start, end = max(0, int(left * scale)), min(last, int(right * scale + 1.5))
            # Nearly all characters have black and white on the first row that is looked at.
            if start < end and dark[end] > dark[start] and light[end] > light[start]:
                found.append(True)
                continue
            if rows is None:
                rows = [row for y in levels if (row := self._row(y))]
            found.append(self._is_inked(rows, left, right))
        return found

    def _sums(self, y: int) -> tuple[list[int], list[int]]:
        """How many pixels of a row before each one are surely dark, and how many surely light."""
        if y not in self._known_sums:
            row = self._row(y)
            self._known_sums[y] = (
                list(accumulate(row.translate(_IS_DARK), initial=0)),
                list(accumulate(row.translate(_IS_LIGHT), initial=0)),
            )
        return self._known_sums[y]

    def _is_inked(self, rows: Sequence[bytes], left: float, right: float) -> bool:
        start, end = max(0, int(left * self.scale)), int(right * self.scale + 1.5)
        for row in rows:
            across = row[start:end]
            if across and max(across) - min(across) >= _CONTRAST:
                return True
        return False

    def differs(self, place: Place) -> bool:
        """Whether anything at all differs in color within a box."""
        rows = self.part(place)
        return bool(rows) and max(map(max, rows)) - min(map(min, rows)) >= _CONTRAST

    def part(self, place: Place) -> list[bytes]:
        """The pixels of a box, row by row."""
        left, top, right, bottom = (edge * self.scale for edge in place)
        start, end = max(0, int(left)), max(int(left) + 2, int(right + 1.5))
        rows = (self._row(y)[start:end] for y in range(max(0, int(top)), int(bottom + 1.5)))
        return [row for row in rows if row]

    def is_dark(self, place: Place) -> bool:
        """Whether most of a box is dark."""
        rows = self.part(place)
        return bool(rows) and sum(map(sum, rows)) < _DARK * sum(map(len, rows))

    def inked(self) -> list[bool]:
        """For each row of pixels, whether it holds any ink."""
        return [min(self._row(y)) < 255 - 3 * _CONTRAST for y in range(self.down)]

    def _row(self, y: float) -> bytes:
        start = int(y) * self.stride
        return self.gray[start : start + self.across] if 0 <= y < self.down else b""


def picture_of(page: Any, width: float, height: float, dpi: float = DPI) -> Picture:
    """The page, ``width`` by ``height`` points as displayed, drawn in gray on white.

    Raises ``MemoryError`` if the picture does not fit.
    """
    scale = dpi / 72
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = pdfium.FPDFBitmap_CreateEx(across, down, pdfium.FPDFBitmap_Gray, None, 0)
    if not bitmap:
        raise MemoryError
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, across, down, WHITE)
        edges = pdfium.FS_RECTF(0, 0, across, down)
        size = pdfium.FS_MATRIX(scale * _JUST_INSIDE, 0, 0, scale * _JUST_INSIDE, 0, 0)
        pdfium.FPDF_RenderPageBitmapWithMatrix(bitmap, page, size, edges, pdfium.FPDF_ANNOT)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        gray = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * down)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return Picture(gray, across, down, stride, scale)
