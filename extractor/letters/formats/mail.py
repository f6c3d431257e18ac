"""Mails (.eml): their own text and their attachments, each a separate document.

Parsed by the standard library's older policy, which takes headers as they are: it does not fail on
broken ones. Nothing is written to disk, and a name given by a mail is never a path.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import NamedTuple

from extractor.errors import LetterError
from extractor.letters.documents import Document, Note, pages_of
from extractor.letters.formats.decode import decode, notes_on
from extractor.letters.formats.html import read_html

MAX_BYTES = 50_000_000
# Every level of nesting costs time on every line, and every part some: mails that go too far are not parsed at all.
MAX_NESTED = 20
MAX_PARTS = 5_000
_MULTIPART = re.compile(rb"multipart/|message/rfc822", re.IGNORECASE)
_PART = re.compile(rb"^--", re.MULTILINE)
# The library's look at such a header is quadratic.
_ENDLESS = re.compile(rb"^content-(?:type|disposition):(?:[^\n]|\n[ \t]){10000}", re.IGNORECASE | re.MULTILINE)
_SEPARATOR = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\n]{1,300}\n(?=[A-Za-z][A-Za-z-]*:)")
_QUOTED_FROM = re.compile(rb"^>(>*)From ", re.MULTILINE)
_CID = re.compile(rb"cid:([^\"'\s>)]+)", re.IGNORECASE)
_LONGEST = 150
_LONGEST_HEADER = 1000
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
# Outlook's own wrapping of attachments, usually named winmail.dat.
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
# For attachments without a name.
_SUFFIXES = {
    "text/plain": ".txt",
    "text/html": ".html",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/msword": ".doc",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
}
_BROKEN = (ValueError, LookupError, RecursionError, AttributeError, TypeError, HeaderParseError)


class Attachment(NamedTuple):
    """One attached file: its name, without any folder, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A parsed mail. ``body`` is its own text, ``None`` if it has none."""

    body: Document | None
    attachments: tuple[Attachment, ...]


def read_mail(data: bytes, name: str) -> Mail:
    """Parse a mail.

    Pictures that its own text shows in place (``cid:``), signatures and the headers are left out.
    Raises ``LetterError`` with code ``too_large``, ``too_many_members`` or ``damaged``.
    """
    if messages := messages_of(data):
        return Mail(None, tuple(Attachment(f"mail-{number}.eml", one) for number, one in enumerate(messages, 1)))
    if len(data) > MAX_BYTES:
        raise LetterError(
            f"{name} is larger than {MAX_BYTES:,} bytes", code="too_large", hint="save its attachments by hand"
        )
    if len(_MULTIPART.findall(data)) > MAX_NESTED or len(_PART.findall(data)) > MAX_PARTS or _ENDLESS.search(data):
        raise LetterError(
            f"{name} has too many parts, or headers without end",
            code="too_many_members",
            hint="save its attachments by hand",
        )
    try:
        parts = list(_parts(message_from_bytes(data)))
        body = _body(parts, name)
        pages = (_bytes(part) for part in parts if part.get_content_type() == "text/html")
        embedded = {cid.decode("latin-1") for page in pages for cid in _CID.findall(page)}
        attached = [_attachment(part, number) for number, part in enumerate(parts, 1) if _is_attached(part, embedded)]
    except _BROKEN as error:
        raise LetterError(f"{name} is damaged", code="damaged", hint="save the mail again as .eml") from error
    return Mail(body, tuple(attached))


def messages_of(data: bytes) -> list[bytes]:
    """The mails of a mailbox file in mbox form (RFC 4155), or nothing if the file is a single mail.

    A mail begins at a line ``From ADDRESS DATE`` at the start or after an empty line, followed by a header.
    """
    starts = [match.start() for match in _SEPARATOR.finditer(data)]
    if len(starts) < 2 or starts[0] != 0:
        return []
    ends = [*starts[1:], len(data)]
    return [_unquoted(data[start:end].split(b"\n", 1)[1]) for start, end in zip(starts, ends, strict=True)]


def _unquoted(message: bytes) -> bytes:
    """A mail of a mailbox without the character that keeps its own lines from looking like separators."""
    return _QUOTED_FROM.sub(rb"\1From ", message)


def _parts(message: Message) -> Iterator[Message]:
    """The parts that hold something, in order; an attached mail is one part."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            waiting += reversed(part.get_payload())  # type: ignore[arg-type]
        else:
            yield part


def _is_attached(part: Message, embedded: set[str]) -> bool:
    kind = part.get_content_type()
    if kind in _SIGNATURES or str(part.get("Content-ID", "")).strip("<> ") in embedded:
        return False
    if part.get_content_disposition() == "attachment" or part.get_filename() or kind == "message/rfc822":
        return True
    return part.get_content_maintype() not in ("text", "multipart", "message")


def _body(parts: list[Message], name: str) -> Document | None:
    """The plain text if there is one with words, else the page."""
    for kind, read in (("text/plain", _plain), ("text/html", _page)):
        own = [read(part, name) for part in parts if part.get_content_type() == kind and not _is_attached(part, set())]
        if documents := [document for document in own if document.text.strip()]:
            text = "\n".join(document.text for document in documents)
            notes = documents[0].notes if len(documents) == 1 else _placeless(documents)
            return Document(text, "mail", pages_of(text), notes=notes)
    return None


def _placeless(documents: list[Document]) -> tuple[Note, ...]:
    return tuple(note._replace(span=None) for document in documents for note in document.notes)


def _plain(part: Message, name: str) -> Document:
    decoded = decode(_bytes(part), name, part.get_content_charset())
    return Document(decoded.text, "mail", notes=notes_on(decoded))


def _page(part: Message, name: str) -> Document:
    return read_html(_bytes(part), name, part.get_content_charset())


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _attachment(part: Message, number: int) -> Attachment:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        return Attachment(_file_name(part) or f"mail-{number}.eml", _inner(part))
    name = _file_name(part) or f"attachment-{number}"
    if part.get_content_type() in _TNEF and not name.lower().endswith(".tnef"):
        return Attachment(f"{name}.tnef", _bytes(part))
    suffix = "" if "." in name else _SUFFIXES.get(part.get_content_type(), "")
    return Attachment(name + suffix, _bytes(part))


def _inner(part: Message) -> bytes:
    inner = part.get_payload(0)
    return inner.as_bytes() if isinstance(inner, Message) else b""


def _file_name(part: Message) -> str:
    """The name a mail gives an attachment: what follows its last slash, without unprintable characters."""
    name = (part.get_filename() or "")[:_LONGEST_HEADER]
    if "=?" in name:
        with contextlib.suppress(LookupError, ValueError, HeaderParseError):
            chunks = ((chunk, charset or "ascii") for chunk, charset in decode_header(name))
            name = "".join(
                text if isinstance(text, str) else text.decode(charset, "replace") for text, charset in chunks
            )
    last = re.split(r"[\\/:]", name)[-1]
    return "".join(character for character in last if character.isprintable()).strip(" .")[-_LONGEST:]
