"""Picture files, such as a scanner, a fax or a telephone makes, as gray pages of square pixels."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.pages.layout import document_of
from extractor.letters.pages.scans import despeckled, read_scan, with_unsure_digits
from extractor.letters.pages.tesseract import INSTALL, is_installed

MAX_PAGES = 200
MAX_PIXELS = 60_000_000
_FORMATS = ("TIFF", "PNG", "JPEG")
# What a page may measure, in inches; a picture whose stated resolution gives another size states a wrong one.
_PAGE = (4.0, 18.0)
_LETTER_WIDTH = 8.5
# Dots an inch: more than this adds nothing, less than this is enlarged.
_FINEST, _TARGET, _COARSEST = 320, 300, 110
_FAX_WIDTH, _FAX_STANDARD = 1728, (204.0, 98.0)


class PageImage(NamedTuple):
    """One gray picture and its dots an inch."""

    image: Image.Image
    dpi: int


def read(data: bytes, name: str, alive: Callable[[], None]) -> Document:
    """A picture file as a document. Raises ``LetterError`` like ``read_image``."""
    if not data:
        raise LetterError(f"{name} is empty", code="empty", hint="remove it, or export it again")
    sheets = []
    for page in _pages(data, name):
        if not is_installed():
            raise LetterError(f"{name} is a picture, and OCR is not installed", code="ocr_missing", hint=INSTALL)
        sheets.append(read_scan(page.image, page.dpi, alive))
    document = document_of(sheets)
    if not document.words:
        hint = "check that it shows a page of a letter; scan it again if it does"
        raise LetterError(f"{name} shows no words", code="no_text", hint=hint)
    return with_unsure_digits(document)


def _pages(data: bytes, name: str) -> Iterator[PageImage]:
    with opened(data, name) as (image, count):
        for number in range(count):
            yield page_at(image, number, name)


@contextmanager
def opened(data: bytes, name: str) -> Iterator[tuple[Image.Image, int]]:
    """A picture file, open, and how many pages it has. Raises ``LetterError``, also for what goes wrong within."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            count = getattr(image, "n_frames", 1)
            if count > MAX_PAGES:
                raise LetterError(
                    f"{name} has {count:,} pages; {MAX_PAGES} scanned ones are read",
                    code="too_many_pages",
                    hint="split it",
                )
            yield image, count
    except UnidentifiedImageError as error:
        raise _damaged(name) from error
    except Image.DecompressionBombError as error:
        raise LetterError(
            f"{name} has too many pixels", code="too_large", hint="scan it at 200 dots an inch"
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow raises for a broken file
        raise _damaged(name) from error


def page_at(image: Image.Image, number: int, name: str) -> PageImage:
    """One page of an open file. Raises ``LetterError`` if it is too large."""
    image.seek(number)
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.width:,} by {image.height:,} pixels"
        hint = "scan it at 200 to 300 dots an inch"
        raise LetterError(f"{name} has a page of {size}", code="too_large", hint=hint)
    return prepared(image)


def _damaged(name: str) -> LetterError:
    return LetterError(f"{name} is not a readable TIFF, PNG or JPEG", code="damaged", hint="export or scan it again")


def prepared(opened: Image.Image) -> PageImage:
    """A picture upright as its camera held it, gray on white, its pixels square, neither coarse nor needlessly fine."""
    across, down = _resolution(opened)
    image = _grey(opened)
    if opened.mode == "1":  # before a fax's rows are doubled, and its specks with them
        image = despeckled(image)
    if ImageOps.exif_transpose(image) is not image and opened.getexif().get(0x0112, 1) >= 5:
        across, down = down, across
    image = ImageOps.exif_transpose(image)
    finest = max(across, down)
    wanted = _TARGET if finest > _FINEST else 2 * finest if finest < _COARSEST else finest
    size = round(image.width * wanted / across), round(image.height * wanted / down)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS if wanted < finest else Image.Resampling.BICUBIC)
    return PageImage(image, round(wanted))


def _grey(opened: Image.Image) -> Image.Image:
    if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info:
        shown = opened.convert("RGBA")
        paper = Image.new("RGBA", shown.size, "white")
        return Image.alpha_composite(paper, shown).convert("L")
    if opened.mode.startswith(("I", "F")):  # sixteen bits and more
        return opened.convert("I").point(lambda value: value / 257).convert("L")
    return opened.convert("L")


def _resolution(opened: Image.Image) -> tuple[float, float]:
    """Dots an inch across and down, as the file states if that is plausible, else from the width of a letter."""
    across, down = (float(value) for value in opened.info.get("dpi", (0, 0)))
    least, most = _PAGE
    if across > 0 and down > 0 and least <= opened.width / across <= most and least <= opened.height / down <= most:
        return across, down
    if opened.mode == "1" and opened.width == _FAX_WIDTH and opened.height < opened.width:
        return _FAX_STANDARD
    guess = min(opened.size) / _LETTER_WIDTH
    return guess, guess
