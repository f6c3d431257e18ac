"""Bytes into text: which encoding a file is in, found by rules that can be stated, not by statistics.

A byte order mark is believed. Else: many NUL bytes are UTF-16, valid UTF-8 is UTF-8, and the rest
is what American offices wrote: Windows-1252, or Latin-1 where that has no such characters. No
character is changed: no line ends are translated, nothing is normalised.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from extractor.errors import LetterError
from extractor.letters.documents import Document, Note, pages_of
from extractor.letters.spans import Span

# The marks of UTF-32 begin like those of UTF-16, so they are looked at first.
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LOOKED_AT = 4000
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
# UTF-8 read as Windows-1252 and saved again: quotes, dashes and accented letters in two or three characters.
_MOJIBAKE = re.compile(
    "\u00e2[\u20ac\u0080][\u0080-\u00ff\u0152-\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|\u00c3[\u0080-\u00bf]|\u00c2[\u00a0-\u00bf]"
)
# What a page or mail may call its own encoding. Browsers read Latin-1 as Windows-1252, and so do people.
_NAMED = re.compile(
    r"utf-?(?:8|16|16le|16be)|(?:windows-|cp)125\d|iso-8859-\d{1,2}|koi8-[ru]|mac(?:intosh|-?roman)", re.IGNORECASE
)
_LATIN = {"iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}


class Decoded(NamedTuple):
    """A text, the encoding it was in, and whether that was only guessed."""

    text: str
    encoding: str
    guessed: bool = False


def decode(data: bytes, name: str, declared: str | None = None) -> Decoded:
    """``data`` as text; ``declared`` is the encoding that the file itself names, if any.

    Raises ``LetterError`` with code ``encoding`` if the bytes do not match their byte order mark.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data, encoding, name)
    if declared and (text := _as_declared(data, declared)) is not None:
        return Decoded(text, declared.lower())
    if (wide := _wide(data)) and (text := _strict(data, wide)) is not None:
        return Decoded(text, wide, guessed=True)
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8")
    if (text := _strict(data, "cp1252")) is not None:
        return Decoded(text, "cp1252", guessed=True)
    return Decoded(data.decode("latin-1"), "latin-1", guessed=True)


def read_text(data: bytes, name: str) -> Document:
    """A text file as a document; form feeds end its pages. Raises ``LetterError`` as ``decode`` does."""
    decoded = decode(data, name)
    return Document(decoded.text, "text", pages_of(decoded.text), notes=notes_on(decoded))


def notes_on(decoded: Decoded) -> tuple[Note, ...]:
    """What a person should know about how a text was decoded; usually nothing."""
    if not decoded.guessed and decoded.text.isascii():
        return ()
    notes = []
    if decoded.guessed:
        message = f"the file does not declare its encoding; it was read as {decoded.encoding}"
        notes.append(Note("decoded_by_guess", message, severity="warning" if decoded.encoding == "latin-1" else "info"))
    if found := _MOJIBAKE.search(decoded.text):
        message = (
            "quotes, dashes or accents were once saved in a wrong encoding and appear here as two or three characters"
        )
        notes.append(Note("mojibake", message, Span(*found.span())))
    return tuple(notes)


def is_binary(text: str) -> bool:
    """Whether ``text`` has too many control characters to be text."""
    return len(_CONTROL.findall(text)) > 8 + len(text) // 100


def _marked(data: bytes, encoding: str, name: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        label = encoding.removesuffix("-sig").upper()
        raise LetterError(
            f"{name} begins with the mark of {label} but is not {label} at byte {error.start}",
            code="encoding",
            hint="it may be cut off; export it again, as UTF-8",
        ) from error


def _as_declared(data: bytes, declared: str) -> str | None:
    """``None`` if the file does not match its declaration, or declares something unusual."""
    name = _LATIN.get(declared.lower(), declared)
    return _strict(data, name) if _NAMED.fullmatch(name) else None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain words is NUL."""
    start = data[:_LOOKED_AT]
    high, low = start[::2].count(0), start[1::2].count(0)
    if high + low <= len(start) // 5 or min(high, low) > max(high, low) // 10:
        return None
    return "utf-16-be" if high > low else "utf-16-le"
