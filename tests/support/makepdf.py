"""Letters typeset to PDF, and the same as scanners, copiers and faxes give them. All damage is seeded."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pypdfium2
from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import letter as LETTER
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

MARGIN, SIZE, LEADING = 72, 11, 13.2


# ---- typesetting -------------------------------------------------------------------------------


def typeset(text: str, footer: str = "", font: str = "Times-Roman") -> bytes:
    """A letter as a PDF, line by line as its text has them; form feeds begin pages. ``{n}`` in the footer counts them."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LETTER, invariant=1)
    width, height = LETTER
    number = 0
    for page in single_spaced(text).split("\f"):
        lines = [piece for line in page.split("\n") for piece in _wrapped(line, font, width - 2 * MARGIN)]
        room = int((height - 2 * MARGIN) / LEADING)
        for start in range(0, max(1, len(lines)), room):
            number += 1
            canvas.setFont(font, SIZE)
            for row, line in enumerate(lines[start : start + room]):
                canvas.drawString(MARGIN, height - MARGIN - row * LEADING, line)
            if footer:
                canvas.drawString(MARGIN, MARGIN / 2, footer.format(n=number))
            canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _wrapped(line: str, font: str, width: float) -> list[str]:
    return simpleSplit(line, font, SIZE, width) or [""]


def single_spaced(text: str) -> str:
    """The text of a letter with one line end a line, as its page showed it."""
    text = text.replace("\r\n", "\n").strip("\n ")
    if text.count("\n\n") > text.count("\n") / 3:
        text = text.replace("\n\n", "\n")
    return re.sub(r"[^\S\n\f]+(?=\n|$)", "", text)


def drawn(*draw: Callable[[Canvas], Any], size: tuple[float, float] = LETTER) -> bytes:
    """A PDF of one page for each function, which draws on it in Times 11."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, invariant=1)
    for page in draw:
        canvas.setFont("Times-Roman", SIZE)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


# ---- scanning ----------------------------------------------------------------------------------


def pictures(pdf: bytes, dpi: int = 200) -> list[Image.Image]:
    """The pages of a PDF in grey."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dpi / 72, grayscale=True).to_pil().convert("L") for page in document]


def skewed(image: Image.Image, degrees: float = 2.0) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


def speckled(image: Image.Image, share: float = 0.004, seed: int = 1) -> Image.Image:
    """Single black dots on the paper and white ones in the ink."""
    chance = random.Random(seed)
    image = image.copy()
    pixels = image.load()
    for _ in range(int(image.width * image.height * share)):
        x, y = chance.randrange(image.width), chance.randrange(image.height)
        pixels[x, y] = 0 if pixels[x, y] > 127 else 255
    return image


def noisy(image: Image.Image, strength: float = 0.35, seed: int = 1) -> Image.Image:
    """Grey grain all over, as from a bad sensor; contrast is stretched back as scanners do."""
    grain = Image.frombytes("L", image.size, random.Random(seed).randbytes(image.width * image.height))
    mixed = Image.blend(image, grain, strength)
    low, high = 255 * strength / 2, 255 - 255 * strength / 2
    return mixed.point(lambda value: max(0, min(255, int((value - low) * 255 / (high - low)))))


def faxed(image: Image.Image, dpi: int = 200, *, fine: bool = True) -> Image.Image:
    """Black and white as a fax sends it, at 204 by 196 or, not ``fine``, by 98 dots an inch, with a few specks."""
    across, down = 1728, round(image.height * (196 if fine else 98) / dpi)
    width = round(image.width * 204 / dpi)
    page = image.resize((width, down), Image.Resampling.BILINEAR)
    sent = Image.new("L", (across, down), 255)
    sent.paste(page, ((across - width) // 2, 0))
    return speckled(sent, 0.001).point(lambda value: 255 * (value > 150)).convert("1", dither=Image.Dither.NONE)


def copied(image: Image.Image) -> Image.Image:
    """A copy of a copy: blurred, then too much contrast."""
    return image.filter(ImageFilter.GaussianBlur(1.1)).point(lambda value: max(0, min(255, int((value - 90) * 2.2))))


def faded(image: Image.Image) -> Image.Image:
    return image.point(lambda value: 150 + value * 90 // 255)


# ---- files -------------------------------------------------------------------------------------


def scan_pdf(images: Sequence[Image.Image], dpi: int = 200) -> bytes:
    """A PDF of nothing but pictures."""
    return _saved(images, "PDF", resolution=dpi)


def tiff(images: Sequence[Image.Image], dpi: tuple[float, float] = (200, 200), compression: str = "tiff_lzw") -> bytes:
    return _saved(images, "TIFF", dpi=dpi, compression=compression)


def fax_tiff(pdf: bytes, *, fine: bool = True) -> bytes:
    """Group 4 TIFF with pixels that are not square, as fax machines store what they receive."""
    pages = [faxed(image, fine=fine) for image in pictures(pdf)]
    return tiff(pages, (204, 196 if fine else 98), "group4")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """One picture as PNG or JPEG."""
    return _saved([image], kind, **options)


def _saved(images: Iterable[Image.Image], kind: str, **options: Any) -> bytes:
    first, *rest = images
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": rest} if rest else {}
    first.save(buffer, kind, **more, **options)
    return buffer.getvalue()
