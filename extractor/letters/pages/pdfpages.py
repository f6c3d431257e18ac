"""PDF files page by page: what they carry as words, and what must be read from their pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import Any

import pypdfium2.raw as pdfium

from extractor.errors import LetterError
from extractor.letters.documents import Document, Note, Size
from extractor.letters.pages import legible
from extractor.letters.pages.annotations import attached_files, attachments_of, flattened, refuse_dynamic_form
from extractor.letters.pages.glyphs import Layer, read_layer
from extractor.letters.pages.ink import Picture, picture_of
from extractor.letters.pages.layout import Sheet, document_of
from extractor.letters.pages.tesseract import INSTALL, is_installed

MAX_PAGES = 1000
MAX_SCANNED_PAGES = 200
# Points; a page of a letter is 792 high.
MAX_SIDE = 5000
MAX_PIXELS = 60_000_000
# Dots an inch at which pages are drawn for OCR: as their picture has them within these bounds, else this.
SCAN_DPI = 200.0
_COARSEST, _FINEST = 140.0, 300.0
# A page with fewer words than this, under which most ink is not words, is a picture with a stamp on it.
_STAMP_WORDS = 40


class Kind(Enum):
    """What a page is."""

    TEXT = "text"
    BLANK = "blank"
    PICTURE = "picture"
    GARBAGE = "garbage"
    UNDER_SCAN = "under scan"


class _Reader:
    """Reads the pages of one file; knows what was found so far."""

    def __init__(self, name: str, alive: Callable[[], None]) -> None:
        self.name = name
        self.alive = alive
        self.can_scan = is_installed()
        self.kinds: list[Kind] = []
        self.scanned = 0

    def sheet(self, page: Any) -> Sheet:
        """One page, from its words or from its picture, whichever is true to the page."""
        size = size_of(page, self.name)
        layer = read_layer(page, size, drawn := picture_of(page, size.width, size.height))
        kind = kind_of(layer, drawn)
        self.kinds.append(kind)
        own = Sheet(layer.size, layer.runs, tuple(_notes(kind)))
        if kind in (Kind.TEXT, Kind.BLANK) or not self.can_scan:
            return own
        scan = self._scan(page, size, layer.dpi)
        if not _has_more_text(scan, layer, kind):
            return own
        self.kinds[-1] = Kind.TEXT if scan.runs else Kind.PICTURE
        return scan

    def _scan(self, page: Any, size: Size, dpi: float) -> Sheet:
        from PIL import Image

        from extractor.letters.pages.scans import read_scan

        self.scanned += 1
        if self.scanned > MAX_SCANNED_PAGES:
            message = f"{self.name} has more than {MAX_SCANNED_PAGES} scanned pages"
            raise LetterError(message, code="too_many_pages", hint="split it into letters")
        # A picture is best drawn dot for dot: its specks stay as small as they are.
        dpi = min(dpi, _FINEST) if dpi >= _COARSEST else SCAN_DPI
        dpi = min(dpi, 72 * (MAX_PIXELS / (size.width * size.height)) ** 0.5)
        drawn = picture_of(page, size.width, size.height, dpi)
        image = Image.frombytes("L", (drawn.across, drawn.down), drawn.gray, "raw", "L", drawn.stride)
        return read_scan(image, round(dpi), self.alive)


def read(data: bytes, name: str, alive: Callable[[], None]) -> Document:
    """A PDF file as a document. Raises ``LetterError`` like ``read_pdf``."""
    reader = _Reader(name, alive)
    sheets = []
    with opened(data, name) as file:
        notes = attached_files(file)
        for number in range(count_of(file, name)):
            with page_at(file, number, name) as (page, comments):
                sheets.append(reader.sheet(page))
            notes += comments
            alive()
    document = document_of(sheets)
    document = replace(document, notes=(*document.notes, *notes))
    _refuse_unread(reader, document)
    if any(sheet.is_scan for sheet in sheets):
        from extractor.letters.pages.scans import with_unsure_digits

        return with_unsure_digits(document)
    return document


def attached(data: bytes, name: str) -> list[tuple[str, bytes]]:
    """The files attached to a PDF, by name. Raises ``LetterError`` like ``read_pdf``."""
    with opened(data, name) as file:
        return attachments_of(file, name)


# ---- opening -------------------------------------------------------------------------------------


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Any]:
    """A PDF file, open. Raises ``LetterError`` if it is none, damaged or encrypted."""
    if not data:
        raise LetterError(f"{name} is empty", code="empty", hint="remove it, or export it again")
    file = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if not file:
        code = pdfium.FPDF_GetLastError()
        if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            hint = "open it with its password and print it to a new PDF"
            raise LetterError(f"{name} is encrypted", code="encrypted", hint=hint)
        message = "is not a PDF" if b"%PDF-" not in data[:4096] else "is a damaged PDF"
        raise LetterError(f"{name} {message}", code="damaged", hint="export it again")
    try:
        refuse_dynamic_form(file, name)
        yield file
    finally:
        pdfium.FPDF_CloseDocument(file)


def count_of(file: Any, name: str) -> int:
    """How many pages a file has. Raises ``LetterError`` for none, and for too many."""
    count: int = pdfium.FPDF_GetPageCount(file)
    if count < 1:
        raise LetterError(f"{name} has no pages", code="damaged", hint="export it again")
    if count > MAX_PAGES:
        message = f"{name} has {count:,} pages; {MAX_PAGES:,} are read"
        raise LetterError(message, code="too_many_pages", hint="split it into letters")
    return count


@contextmanager
def page_at(file: Any, number: int, name: str) -> Iterator[tuple[Any, list[Note]]]:
    """One page, and notes on its comments; form fields and text boxes are made part of the page, as they show."""
    page = pdfium.FPDF_LoadPage(file, number)
    notes: list[Note] = []
    if page and pdfium.FPDFPage_GetAnnotCount(page) > 0:
        pdfium.FPDF_ClosePage(page)
        notes = flattened(file, number)
        page = pdfium.FPDF_LoadPage(file, number)
    if not page:
        raise LetterError(f"page {number + 1} of {name} is damaged", code="damaged", hint="export it again")
    try:
        yield page, notes
    finally:
        pdfium.FPDF_ClosePage(page)


def size_of(page: Any, name: str) -> Size:
    """A page's displayed size. Raises ``LetterError`` if no page of a letter is so large."""
    width, height = pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page)
    if not 0 < min(width, height) <= max(width, height) <= MAX_SIDE:
        message = f"{width:,.0f} by {height:,.0f} points"
        hint = "print it to letter or A4 pages"
        raise LetterError(f"{name} has a page of {message}", code="too_large", hint=hint)
    return Size(width, height)


# ---- judging -------------------------------------------------------------------------------------


def kind_of(layer: Layer, drawn: Picture) -> Kind:
    """What a page is, from the words it carries and its look."""
    if layer.under_scan:
        return Kind.UNDER_SCAN
    # Only words are counted, so their order does not matter.
    text = " ".join(run.text for run in layer.runs if run.text)
    if len(text.split()) < _STAMP_WORDS:
        words, bare = _inked_rows(layer, drawn)
        if bare > max(3 * words, drawn.scale * 8):
            return Kind.PICTURE
        if not text:
            return Kind.BLANK
    return Kind.GARBAGE if legible.is_doubtful(text) else Kind.TEXT


def _inked_rows(layer: Layer, drawn: Picture) -> tuple[int, int]:
    """How many rows of pixels have ink, where there are words and where there are none."""
    inked = drawn.inked()
    if layer.turned:
        return sum(inked), 0
    of_words = [False] * len(inked)
    for run in layer.runs:
        start, end = max(0, int(run.top * drawn.scale)), min(len(inked), int(run.bottom * drawn.scale) + 1)
        of_words[start:end] = [True] * max(0, end - start)
    covered = sum(ink and word for ink, word in zip(inked, of_words, strict=True))
    return covered, sum(inked) - covered


def _notes(kind: Kind) -> Iterator[Note]:
    if kind is Kind.PICTURE:
        message = "this page is a picture, or most of it is, and was not read: OCR is not installed"
        yield Note("unread_page", message, severity="error")
    if kind is Kind.UNDER_SCAN:
        message = "this page is a scan; its words are what other software made of it and were not verified"
        yield Note("scanned_layer", message)
    if kind is Kind.GARBAGE:
        yield Note(
            "doubtful_text", "the words of this page do not look like prose; it may show other ones than it carries"
        )


def _has_more_text(scan: Sheet, layer: Layer, kind: Kind) -> bool:
    """Whether the picture of a page, read, is to be believed before the words that the page carries."""
    if kind is Kind.PICTURE:
        return True
    recognized, carried = _share(scan.runs), _share(layer.runs)
    if kind is Kind.GARBAGE:  # it may be a table, or another language: then both are alike
        return recognized > max(2 * carried, legible.DOUBTFUL)
    return recognized >= min(carried, legible.DOUBTFUL)


def _refuse_unread(reader: _Reader, document: Document) -> None:
    """Raise where nothing of the file could be read."""
    found = set(reader.kinds)
    if found <= {Kind.PICTURE, Kind.BLANK}:
        if Kind.PICTURE in found and not reader.can_scan:
            message = f"{reader.name} holds pictures of pages and no text, and OCR is not installed"
            raise LetterError(message, code="no_text", hint=INSTALL)
        message = f"{reader.name} shows no words"
        raise LetterError(message, code="no_text", hint="check that it shows a letter; scan it again if it does")
    if (
        Kind.GARBAGE in found
        and found <= {Kind.GARBAGE, Kind.BLANK, Kind.PICTURE}
        and legible.is_garbage(document.text)
    ):
        hint = "print it to a new PDF as an image" if reader.can_scan else INSTALL
        message = f"the text stored in {reader.name} is not what its pages show: its fonts map characters wrongly"
        raise LetterError(message, code="garbage_text", hint=hint)


def _share(runs: Any) -> float:
    return legible.common_share(" ".join(run.text for run in runs))
