"""Drawing one page of a file for a person to look at, in gray and upright. Runs in a worker process."""

from __future__ import annotations

import ctypes
import struct
import zlib
from typing import Any

import pypdfium2.raw as pdfium

from extractor.letters.documents import Size
from extractor.letters.pages import pdfpages
from extractor.letters.pages.ink import WHITE

# A page is drawn at so many pixels across (a letter page at 150 dots an inch), and of so many in all.
ACROSS = 1275
MOST_PIXELS = 4_000_000


def draw_pdf(data: bytes, name: str, page: int, turned: int) -> tuple[bytes, int]:
    """A page of a PDF file as PNG, and how many pages there are. Raises ``LetterError`` like ``read_pdf``."""
    with pdfpages.opened(data, name) as file:
        count = pdfpages.count_of(file, name)
        if page >= count:
            return b"", count
        with pdfpages.page_at(file, page, name) as (found, _):
            return _png(*_drawn(found, pdfpages.size_of(found, name), turned)), count


def draw_image(data: bytes, name: str, page: int, turned: int) -> tuple[bytes, int]:
    """A page of a picture file as PNG, and how many pages there are. Raises ``LetterError`` like ``read_image``."""
    from PIL import Image

    from extractor.letters.pages import images

    with images.opened(data, name) as (file, count):
        if page >= count:
            return b"", count
        image = images.page_at(file, page, name).image
        # Made small first: to turn a large one costs its size again.
        scaled = image.resize(_fitting(image.width, image.height, turned), Image.Resampling.BOX)
        back = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turned % 4]
        upright = scaled.transpose(back) if back is not None else scaled
        return _png(upright.tobytes(), upright.width, upright.height, upright.width), count


def _fitting(width: float, height: float, turned: int) -> tuple[int, int]:
    """The pixel size at which a page is rendered, before it is turned."""
    scale = min(ACROSS / (height if turned % 2 else width), (MOST_PIXELS / (width * height)) ** 0.5)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _drawn(page: Any, size: Size, turned: int) -> tuple[bytes, int, int, int]:
    """Rows of gray pixels, how many across and down, and the bytes of a row."""
    across, down = _fitting(size.width, size.height, turned)
    if turned % 2:
        across, down = down, across
    bitmap = pdfium.FPDFBitmap_CreateEx(across, down, pdfium.FPDFBitmap_Gray, None, 0)
    if not bitmap:
        raise MemoryError
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, across, down, WHITE)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, across, down, -turned % 4, pdfium.FPDF_ANNOT)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        gray = ctypes.string_at(pdfium.FPDFBitmap_GetBuffer(bitmap), stride * down)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return gray, across, down, stride


def _png(gray: bytes, across: int, down: int, stride: int) -> bytes:
    """Grey pixels as a PNG file (https://www.w3.org/TR/png-3/): Pillow is not in every installation."""
    rows = b"".join(b"\0" + gray[y * stride : y * stride + across] for y in range(down))
    header = struct.pack(">IIBBBBB", across, down, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
