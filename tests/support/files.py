"""Files as people have them, built for tests (archives, Word documents, mails), and read."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

from extractor.letters.documents import Document
from extractor.letters.places.contents import documents_in
from extractor.letters.places.sources import find_files
from tests.support.toy import put

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{}"/></Relationships>'
)


def zipped(members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive with these members, whatever their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method
            archive.writestr(info, data)
    return out.getvalue()


def lying(data: bytes, size: int) -> bytes:
    """A zip archive of one member whose headers state that it unpacks to ``size`` bytes."""
    changed = bytearray(data)
    struct.pack_into("<L", changed, data.index(b"PK\x03\x04") + 22, size)
    struct.pack_into("<L", changed, data.index(b"PK\x01\x02") + 24, size)
    return bytes(changed)


def encrypted(data: bytes) -> bytes:
    """A zip archive whose members are marked as encrypted."""
    changed = bytearray(data)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            changed[at + flags] |= 1
            at = data.find(mark, at + 1)
    return bytes(changed)


def docx(body: str, *, main: str = "word/document.xml", **parts: str) -> bytes:
    """A Word document with this XML in its body. ``parts``: further parts by name, e.g. ``footnotes``."""
    folder = main.rpartition("/")[0]
    members = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": _RELS.format(main),
        main: part("document", part("body", body)),
    }
    members |= {f"{folder}/{name}.xml": xml for name, xml in parts.items()}
    return zipped(members)


def part(tag: str, inner: str) -> str:
    """A ``w:`` element that declares the namespaces its inner elements may use."""
    return f"<w:{tag} {_W} {_MC} {_R}>{inner}</w:{tag}>"


def paragraph(*runs: str) -> str:
    """A Word paragraph; a run is its text, or XML if it begins with a bracket."""
    return f"<w:p>{''.join(each if each.startswith('<') else run(each) for each in runs)}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def word_of(text: str) -> bytes:
    """A plain text as a Word document, a paragraph a line."""
    lines = (line.replace("&", "&amp;").replace("<", "&lt;") for line in text.split("\n"))
    return docx("".join(paragraph(line) if line else "<w:p/>" for line in lines))


def mail(text: str | None = None, html: str | None = None, **attachments: bytes) -> EmailMessage:
    """A mail; attachments by name, ``letter_pdf`` for ``letter.pdf``."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Determination"
    message["Message-ID"] = "<1@example.org>"
    if text is not None:
        message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html") if text is not None else message.set_content(html, subtype="html")
    for name, data in attachments.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name.replace("_", "."))
    return message


def written(folder: Path, **named: str | bytes) -> Path:
    """``folder`` with these files in it, by their names."""
    for name, data in named.items():
        put(folder / name, data)
    return folder


def found_in(*paths: Path) -> tuple[list[str], list[str]]:
    """The ids of the letters that are found, and the notes given on the way."""
    notes: list[str] = []
    return [file.id for file in find_files(paths, notes.append)], notes


def read_all(*paths: Path) -> dict[str, str]:
    """Each letter's text, or the code of what is wrong with it; no two letters may have one id."""
    held = [each for file in find_files(paths) for each in documents_in(file)]
    texts = {file.id: document.text if isinstance(document, Document) else document.code for file, document in held}
    assert len(texts) == len(held)
    return texts
