"""What goes through a worker's pipes: frames of bytes, and documents as plain JSON."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import IO, Any

from extractor.letters.documents import Box, Document, Note, Size, Word
from extractor.letters.spans import Span

_LENGTH = struct.Struct("<Q")
# A longer answer is refused: a worker that was taken over must not fill this process's memory.
LONGEST = 1 << 29


def write_frame(pipe: IO[bytes], data: bytes) -> None:
    """One frame: its length, then its bytes."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes:
    """The next frame. Raises ``EOFError`` where the pipe ends before the frame does."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    if length > LONGEST:
        raise EOFError
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def packed(document: Document) -> dict[str, Any]:
    """A document as JSON takes it."""
    return {
        "text": document.text,
        "origin": document.origin,
        "pages": document.pages,
        "words": [[*word.span, word.page, *word.box, word.confidence] for word in document.words],
        "notes": document.notes,
        "sizes": document.sizes,
    }


def unpacked(data: Mapping[str, Any]) -> Document:
    """The document that ``packed`` was given."""
    return Document(
        data["text"],
        data["origin"],
        tuple(Span(*page) for page in data["pages"]),
        tuple(Word(Span(s, e), page, Box(*box), sure) for s, e, page, *box, sure in data["words"]),
        tuple(Note(code, message, span and Span(*span), *rest) for code, message, span, *rest in data["notes"]),
        tuple(Size(*size) for size in data["sizes"]),
    )
