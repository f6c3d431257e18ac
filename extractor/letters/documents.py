"""What any kind of file becomes before it is a letter: text, its pages, and where each word is on them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from extractor.letters.spans import Span

# A page break of a text whose every line end is doubled: one more doubled line end.
_FOUR = re.compile(r"(?<!\n)(?:\r?\n){4}(?!\r?\n)")
# The code of the note on files attached to a PDF.
ATTACHED = "attached"
_NEWLINES = re.compile(r"(?:\r?\n)+")


class Box(NamedTuple):
    """A rectangle on an upright page, as shares of its width and height; the origin is the top left corner."""

    left: float
    top: float
    right: float
    bottom: float


class Size(NamedTuple):
    """Width and height of an upright page in points (1/72 inch); ``turned``: by how many clockwise quarters it is
    turned in its file.
    """

    width: float
    height: float
    turned: int = 0


class Word(NamedTuple):
    """One word of a document's text: its span, its 0-based page, its box, and how sure the OCR was (0 to 100).

    ``confidence`` is ``None`` for words that did not come from OCR.
    """

    span: Span
    page: int
    box: Box
    confidence: float | None = None


class Note(NamedTuple):
    """A remark on how the text was produced that a person may need: a stable code, a message, and where.

    ``words`` are words of the source that are not part of the text, such as hidden ones; they are
    shown to a person who reviews the letter and never appear in messages or findings. An ``error``
    sends the letter to a person.
    """

    code: str
    message: str
    span: Span | None = None
    words: str = ""
    severity: Literal["error", "warning", "info"] = "warning"


@dataclass(frozen=True)
class Document:
    """The text of one document and what is known about it.

    ``text`` is canonical: evidence points into it and it is never edited. Pages are joined by form
    feeds; ``pages`` are their spans, empty where the source has no pages. ``words`` is empty where
    nothing is known about places. ``origin`` is how it was read: ``text``, ``pdf``, ``ocr``,
    ``docx``, ``html`` or ``mail``. ``sizes`` are those of the pages, if known. ``first_page``
    is the 0-based page of its file or files with which the document begins.
    """

    text: str
    origin: str
    pages: tuple[Span, ...] = ()
    words: tuple[Word, ...] = ()
    notes: tuple[Note, ...] = ()
    sizes: tuple[Size, ...] = ()
    first_page: int = field(default=0, compare=False)


def pages_of(text: str) -> tuple[Span, ...]:
    """Pages as separated by form feeds; blank pages count, except those after the last words."""
    if "\f" not in text:
        return ()
    end = len(text.rstrip())
    cuts = [match.end() for match in re.finditer("\f", text) if match.start() < end]
    if not cuts:
        return ()
    return tuple(Span(*ends) for ends in pairwise([0, *cuts, len(text)]))


def inferred_pages(text: str) -> tuple[Span, ...]:
    """Likely pages of a text without form feeds; usually none.

    Some tools double every line end and give a page break two more. Such a text has runs of two
    line ends nearly everywhere and of exactly four at the breaks; a text spaced in another way has
    no such pages. What is on the first page may have begun on an earlier one.
    """
    if "\f" in text:
        return ()
    runs = [match[0].count("\n") for match in _NEWLINES.finditer(text.strip("\r\n"))]
    if len(runs) < 8 or any(run % 2 for run in runs) or runs.count(2) < 0.8 * len(runs):
        return ()
    end = len(text.rstrip())
    cuts = [match.end() for match in _FOUR.finditer(text) if match.end() < end]
    return tuple(Span(*ends) for ends in pairwise([0, *cuts, len(text)])) if cuts else ()


def cut(document: Document, piece: Span) -> Document:
    """The part of a document that ``piece`` covers, with the pages, words and notes inside it.

    Pages are renumbered: where the part begins is its first page. Notes on the whole stay.
    """
    words = document.words[_first_at(document.words, piece.start) : _first_at(document.words, piece.end)]
    kept = [number for number, page in enumerate(document.pages) if page.start < piece.end and page.end > piece.start]
    first = kept[0] if kept else 0
    return Document(
        document.text[piece.start : piece.end],
        document.origin,
        tuple(_moved(_overlap(document.pages[number], piece), -piece.start) for number in kept),
        tuple(
            word._replace(span=_moved(word.span, -piece.start), page=word.page - first)
            for word in words
            if piece.covers(word.span)
        ),
        tuple(
            note._replace(span=_moved(note.span, -piece.start)) if note.span else note
            for note in document.notes
            if note.span is None or piece.covers(note.span)
        ),
        tuple(document.sizes[number] for number in kept if number < len(document.sizes)),
        document.first_page + first,
    )


def joined(documents: Sequence[Document]) -> Document:
    """One document made from several that hold its pages, in order, separated by form feeds."""
    texts: list[str] = []
    pages: list[Span] = []
    words: list[Word] = []
    notes: list[Note] = []
    sizes: list[Size] = []
    at = 0
    for number, document in enumerate(documents):
        spans = document.pages or (Span(0, len(document.text)),)
        last = number + 1 == len(documents)
        text = document.text if last or document.text.endswith("\f") else document.text + "\f"
        words += (word._replace(span=_moved(word.span, at), page=word.page + len(pages)) for word in document.words)
        notes += (note._replace(span=_moved(note.span, at)) if note.span else note for note in document.notes)
        pages += (_moved(Span(page.start, len(text) if page is spans[-1] else page.end), at) for page in spans)
        sizes += document.sizes
        texts.append(text)
        at += len(text)
    sized = tuple(sizes) if len(sizes) == len(pages) else ()
    return Document("".join(texts), documents[0].origin, tuple(pages), tuple(words), tuple(notes), sized)


def _first_at(words: Sequence[Word], place: int) -> int:
    """The number of the first word that begins at or after ``place``; words are in text order."""
    return bisect_left(words, place, key=lambda word: word.span.start)


def _overlap(one: Span, other: Span) -> Span:
    return Span(max(one.start, other.start), min(one.end, other.end))


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
