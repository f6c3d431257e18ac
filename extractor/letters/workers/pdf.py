"""Reading PDF files."""

from __future__ import annotations

from extractor.letters.documents import Document
from extractor.letters.workers.workers import read_apart


def read_pdf(data: bytes, name: str) -> Document:
    """A PDF as a document: the words that its pages show, row by row, with their places.

    Pages without usable text are read by OCR where that is installed. ``name`` is what errors call
    the file. Raises ``LetterError`` with code ``empty``, ``damaged``, ``encrypted``,
    ``too_many_pages``, ``too_large``, ``no_text``, ``garbage_text``, ``timeout`` or ``worker_crashed``.
    """
    return read_apart("pdf", data, name)
