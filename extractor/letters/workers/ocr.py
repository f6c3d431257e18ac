"""Reading pictures of letters: scans, faxes, photographs."""

from __future__ import annotations

from extractor.letters.documents import Document
from extractor.letters.workers.workers import read_apart


def read_image(data: bytes, name: str) -> Document:
    """A TIFF (of any number of pages), PNG or JPEG file as a document, by OCR.

    ``name`` is what errors call the file. Raises ``LetterError`` with code ``ocr_missing`` where the
    extra ``ocr`` or the program tesseract is not installed, ``empty``, ``damaged``,
    ``too_many_pages``, ``too_large``, ``no_text``, ``timeout`` or ``worker_crashed``.
    """
    return read_apart("image", data, name)
