"""Word documents (.docx), read with the standard library: every word that Word shows, and none that it does not.

Tracked insertions are part of the text, deletions are not; hidden words are left out; both are reported.
Text boxes follow the paragraph they are anchored to, table rows are lines with tabs between cells,
footnotes come at the end, page headers and footers separately. Page breaks are form feeds, where the
author set them and where Word last put them.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from extractor.errors import LetterError
from extractor.letters.documents import Document, Note, pages_of
from extractor.letters.formats.archive import Archive
from extractor.letters.formats.wordfields import is_off
from extractor.letters.formats.wordpart import Part, WordStyle, WordStyles

# One part of a document may unpack to this many bytes; a long letter takes a hundredth.
MAX_PART = 32 << 20
_MAIN = "word/document.xml"


def read_docx(data: bytes, name: str) -> Document:
    """A Word document as text.

    Raises ``LetterError``: ``damaged``, ``too_large``, ``unsafe_xml`` for a part that declares a document
    type, which Word never writes and attacks need, and ``no_text`` for a document of pictures alone.
    """
    archive = Archive(data, name)
    main = _main_part(archive)
    folder = main[: main.rfind("/") + 1]
    styles = _styles(archive, f"{folder}styles.xml")
    body = _part(archive, main, styles)
    if body is None:
        raise LetterError(f"{name} is not a Word document", code="damaged", hint="save it again as .docx")
    notes = [_part(archive, f"{folder}{part}.xml", styles) for part in ("footnotes", "endnotes")]
    text = body.text + "".join(part.text for part in notes if part and part.text.strip())
    if not text.strip() and body.counts["pictures"]:
        raise LetterError(
            f"{name} holds pictures and no words", code="no_text", hint="save it as PDF, so that its pictures are read"
        )
    return Document(text, "docx", pages_of(text), notes=(*_notes(body), *_running(archive, folder, styles)))


# ---- parts -------------------------------------------------------------------------------------


def _part(archive: Archive, name: str, styles: WordStyles) -> Part | None:
    """``None`` if the document has no such part."""
    number = archive.find(name)
    if number is None:
        return None
    part = Part(styles)
    parser = _parser(archive.name)
    parser.StartElementHandler, parser.EndElementHandler = part.start, part.end
    parser.CharacterDataHandler = part.characters
    _parse(parser, archive, number)
    return part


def _main_part(archive: Archive) -> str:
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if attributes.get("Type", "").endswith("/officeDocument"):
            found.append(attributes.get("Target", "").lstrip("/"))

    if (number := archive.find("_rels/.rels")) is not None:
        parser = _parser(archive.name)
        parser.StartElementHandler = start
        _parse(parser, archive, number)
    return next((name for name in found if archive.find(name) is not None), _MAIN)


def _styles(archive: Archive, name: str) -> WordStyles:
    """The document's styles that hide words, by id."""
    found: dict[str, WordStyle] = {}
    path: list[str] = []
    style = WordStyle()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal style
        local = name.rpartition(" ")[2]
        attributes = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        path.append(local)
        if local == "style":
            style = found.setdefault(attributes.get("styleId", ""), WordStyle())
        elif path[-3:] == ["style", "rPr", "vanish"]:
            style.hidden = not is_off(attributes.get("val", ""))
        elif path[-2:] == ["style", "basedOn"]:
            style.based_on = attributes.get("val", "")

    def end(name: str) -> None:
        path.pop()

    if (number := archive.find(name)) is not None:
        parser = _parser(archive.name)
        parser.StartElementHandler, parser.EndElementHandler = start, end
        _parse(parser, archive, number)
    return found


def _parser(name: str) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def doctype(*_: object) -> None:
        raise LetterError(
            f"{name} declares a document type, which no Word document does",
            code="unsafe_xml",
            hint="ask who made it; if you trust it, open it in Word and save it again",
        )

    parser.StartDoctypeDeclHandler = doctype
    return parser


def _parse(parser: expat.XMLParserType, archive: Archive, number: int) -> None:
    data = archive.read(number, limit=MAX_PART)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise LetterError(f"{archive.name} is damaged", code="damaged", hint="open it in Word and save it") from error


# ---- what a person should know -----------------------------------------------------------------


def _notes(part: Part) -> list[Note]:
    counts, notes = part.counts, []
    if hidden := "".join(part.hidden).strip():
        message = f"{_words(hidden)} hidden in the document and left out of the text"
        notes.append(Note("hidden_text", message, words=hidden))
    if pale := "".join(part.pale).strip():
        message = f"{_words(pale)} white or tiny in the document, and part of the text"
        notes.append(Note("pale_text", message, words=pale))
    kept, gone = counts["ins"] + counts["moveTo"], counts["del"] + counts["moveFrom"]
    if kept or gone:
        message = (
            f"the document holds tracked changes: {kept} insertions, part of the text, and {gone} deletions, left out"
        )
        notes.append(Note("tracked_changes", message, words="".join(part.deleted).strip()))
    if counts["chunks"]:
        message = f"{counts['chunks']} parts in another format are left out of the document"
        notes.append(Note("left_out", message, severity="error"))
    return notes


def _running(archive: Archive, folder: str, styles: WordStyles) -> list[Note]:
    """The page headers and footers: each once, in the order of their names."""
    running = re.compile(rf"{re.escape(folder)}(?:header|footer)\d*\.xml", re.IGNORECASE)
    names = sorted(member.name for member in archive.members() if running.fullmatch(member.name))
    texts = [part.text.strip() for name in names if (part := _part(archive, name, styles))]
    attributes = "\n".join(dict.fromkeys(filter(None, texts)))
    message = "page headers and footers are kept separate from the text"
    return [Note("running_lines", message, words=attributes, severity="info")] if attributes else []


def _words(text: str) -> str:
    count = len(text.split())
    return "1 word is" if count == 1 else f"{count} words are"
