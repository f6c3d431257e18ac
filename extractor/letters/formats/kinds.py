"""What a file is, by its content and not by its name, and the one place that reads each kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from posixpath import splitext
from typing import Literal

from extractor.errors import LetterError
from extractor.letters.documents import Document, Note
from extractor.letters.formats.archive import Archive
from extractor.letters.formats.decode import is_binary, read_text
from extractor.letters.formats.docx import read_docx
from extractor.letters.formats.html import read_html

Kind = Literal["text", "docx", "html", "pdf", "image", "mail", "zip"]

# Suffixes that letters have, and what each should hold. Formats in which the same letter may be present
# come in the order in which they are preferred: what is text already is not read from its picture.
BY_SUFFIX: dict[str, Kind] = {
    ".txt": "text",
    ".text": "text",
    ".docx": "docx",
    ".docm": "docx",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".tif": "image",
    ".tiff": "image",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".jfif": "image",
    ".eml": "mail",
    ".mbox": "mail",
    ".zip": "zip",
}
# These hold letters too, but nothing here reads them: each is reported as a letter that failed.
UNREAD = (
    ".doc",
    ".rtf",
    ".odt",
    ".msg",
    ".bmp",
    ".gif",
    ".heic",
    ".heif",
    ".webp",
    ".tnef",
    ".7z",
    ".rar",
    ".gz",
    ".tgz",
)

MAX_TEXT = 20_000_000
_AS_PDF = "save it as PDF, .docx or text"
_UNPACK = "unpack it, or make a .zip of it"
_AS_PNG = "save it as PNG"
_NO_LETTER = "leave it out"
_IMAGES = (b"II*\x00", b"MM\x00*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_OTHERS = (
    (b"{\\rtf", "a rich text file", _AS_PDF),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"\xfd7zXZ", "an xz archive", _UNPACK),
    (b"\x7fELF", "a program", _NO_LETTER),
    (b"\x78\x9f\x3e\x22", "an Outlook attachment (winmail.dat)", "have the mail sent again as plain text or HTML"),
)
# Behind four bytes of length: ISO/IEC 23008-12, the brands of pictures as phones take them.
_HEIF = tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"))
# Words may begin like these; files of these kinds have NUL bytes soon.
_OTHERS_WITH_NUL = (
    (b"Rar!", "a rar archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"GIF8", "a GIF picture", _AS_PNG),
    (b"RIFF", "a WebP picture, or sound", _AS_PNG),
    (b"BM", "a BMP picture", _AS_PNG),
    (b"SQLite", "a database", _NO_LETTER),
    (b"MZ", "a program", _NO_LETTER),
)
_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(rb"(?:From [^\n]*\n)?[A-Za-z][A-Za-z-]*:[ \t]*[^\n]*\n")
_OF_MAIL = re.compile(rb"^(?:MIME-Version|Message-ID|Received|Return-Path):", re.IGNORECASE | re.MULTILINE)


def suffix_of(name: str) -> str:
    """The suffix of a file's name, in small letters."""
    return splitext(name)[1].lower()


def may_be_letter(head: bytes) -> bool:
    """Whether a file whose name gives no kind begins like a letter: as PDF, scan, Word file, mail or mailbox."""
    if head.startswith((b"%PDF-", b"{\\rtf", b"\x78\x9f\x3e\x22", *_IMAGES)):
        return True
    if head.startswith(b"PK\x03\x04"):
        return b"word/" in head
    return _HEADER.match(head) is not None and _OF_MAIL.search(_headers(head)) is not None


def kind_of(data: bytes, name: str) -> Kind:
    """What ``data`` is.

    Raises ``LetterError``: ``empty``, ``unsupported_type``, ``encrypted``, and what ``Archive`` raises.
    """
    if not data:
        raise LetterError(f"{name} is empty", code="empty", hint="remove it, or export it again")
    head = data[:1024]
    if head.lstrip()[:5] == b"%PDF-" or (b"%PDF-" in head and suffix_of(name) == ".pdf"):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(data, name)
    if data.startswith(_IMAGES):
        return "image"
    if data[4:12] in _HEIF:
        raise LetterError(f"{name} is a HEIC picture", code="unsupported_type", hint=_AS_PNG)
    if data.startswith(_OFFICE):
        raise _office(data, name)
    for mark, what, hint in (*_OTHERS, *(_OTHERS_WITH_NUL if 0 in data[:4000] else ())):
        if data.startswith(mark):
            raise LetterError(f"{name} is {what}", code="unsupported_type", hint=hint)
    return _of_text(data, name)


def _packed(data: bytes, name: str) -> Kind:
    archive = Archive(data, name)
    if archive.find("word/document.xml") is not None:
        return "docx"
    if archive.find("[Content_Types].xml") is None:
        if archive.find("mimetype") is None:
            return "zip"
        raise LetterError(f"{name} is an OpenDocument or e-book file", code="unsupported_type", hint=_AS_PDF)
    if any(member.name.lower().startswith("word/document") for member in archive.members()):
        return "docx"
    raise LetterError(f"{name} is an Office file but no Word document", code="unsupported_type", hint=_AS_PDF)


def _office(data: bytes, name: str) -> LetterError:
    if _ENCRYPTED in data:
        return LetterError(
            f"{name} is encrypted", code="encrypted", hint="open it with its password and save it without"
        )
    if suffix_of(name) == ".msg":
        return LetterError(f"{name} is an Outlook message", code="unsupported_type", hint="save the mail as .eml")
    return LetterError(f"{name} is a file of an old Office program", code="unsupported_type", hint=_AS_PDF)


def _of_text(data: bytes, name: str) -> Kind:
    suffix = suffix_of(name)
    # Wide characters would hide the tags.
    head = (
        data[:4096]
        .replace(b"\0", b"")
        .removeprefix(b"\xef\xbb\xbf")
        .removeprefix(b"\xff\xfe")
        .removeprefix(b"\xfe\xff")
    )
    if _PAGE.match(head) or (BY_SUFFIX.get(suffix) == "html" and b"<" in head):
        return "html"
    if suffix in (".eml", ".mbox") or (_HEADER.match(head) and _OF_MAIL.search(_headers(head))):
        return "mail"
    return "text"


def _headers(head: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]


def read_document(data: bytes, name: str, kind: Kind) -> Document:
    """One file of a known kind, not a container, as a document.

    ``name`` is what errors and notes call it. Raises ``LetterError``; its codes besides those of the
    readers: ``empty``, ``binary``, ``damaged``, ``too_large``.
    """
    document = _READERS[kind](data, name)
    named = BY_SUFFIX.get(suffix_of(name), kind)
    check_text(document.text, name, named)
    if named == kind:
        return document
    note = Note("misnamed", f"the file's name ends in {suffix_of(name)}, but its content is {kind}", severity="info")
    return replace(document, notes=(note, *document.notes))


def check_text(text: str, name: str, named: Kind = "text") -> None:
    """Raise ``LetterError`` for a text without words, binary or far too long; ``named``: the kind its name suggests."""
    if not text.strip():
        raise LetterError(f"{name} is empty", code="empty", hint="remove it, or export it again")
    if len(text) > MAX_TEXT:
        raise LetterError(
            f"{name} holds more than {MAX_TEXT:,} characters", code="too_large", hint="split it into letters"
        )
    if is_binary(text):
        if named == "text":
            raise LetterError(f"{name} is not text", code="binary", hint="export the letter as text (.txt, UTF-8)")
        raise LetterError(
            f"{name} is not of the kind its name suggests", code="damaged", hint="it may be cut off; export it again"
        )


def _text(data: bytes, name: str) -> Document:
    if len(data) > 4 * MAX_TEXT:
        raise LetterError(
            f"{name} is larger than {4 * MAX_TEXT:,} bytes", code="too_large", hint="split it into letters"
        )
    return read_text(data, name)


def _html(data: bytes, name: str) -> Document:
    if len(data) > MAX_TEXT:
        raise LetterError(f"{name} is larger than {MAX_TEXT:,} bytes", code="too_large", hint="split it into letters")
    return read_html(data, name)


# What PDFs and scans need is imported when the first of them comes.


def _pdf(data: bytes, name: str) -> Document:
    from extractor.letters.workers.page_readers import read_pages

    return read_pages("pdf", data, name)


def _image(data: bytes, name: str) -> Document:
    from extractor.letters.workers.page_readers import read_pages

    return read_pages("image", data, name)


_READERS: dict[Kind, Callable[[bytes, str], Document]] = {
    "text": _text,
    "docx": read_docx,
    "html": _html,
    "pdf": _pdf,
    "image": _image,
}
