"""Files with a difficulty of their own, each read as a person would read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.letter import letter_in
from extractor.letters.places.contents import documents_in
from extractor.letters.places.sources import find_files
from tests.support.imr import ROOT

CASES = ROOT / "tests" / "cases"


def read(path: Path) -> Iterator[tuple[str, Document | LetterError]]:
    for file in find_files([path]):
        for inner, document in documents_in(file):
            yield inner.id, document


def document(name: str) -> Document:
    [(_, found)] = read(CASES / name)
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pdf/form-no-appearance.pdf", ["Upheld", "Overturned"]),
        (
            "pdf/header-in-fields-no-appearance.pdf",
            ["Case Number: CM16-9041873", "Priority: Standard", "Date of Injury: 02/19/2016"],
        ),
        ("pdf/header-in-fields-with-appearance.pdf", ["Case Number: CM16-9041873", "Priority: Standard"]),
        ("pdf/note-no-appearance.pdf", ["CORRECTED 06/30/2014"]),
        ("docx/dropdown-priority.docx", ["Priority:  Standard"]),
        ("docx/checkbox-outcome.docx", ["\u2610 Upheld  \u2612 Overturned"]),
        ("docx/strict.docx", ["Priority:  Standard"]),
    ],
)
def test_what_a_viewer_shows_is_read(name: str, words: list[str]) -> None:
    text = (
        " ".join(document(name).text.replace("   ", " ").split("\n")) if name.startswith("pdf") else document(name).text
    )
    for each in words:
        assert each in text


def test_columns_are_read_one_after_the_other() -> None:
    words = document("pdf/two-columns.pdf").text.split()
    assert words == document("pdf/control.pdf").text.split()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("pdf/popup-note.pdf", "comment", "VOID - superseded by determination of 07/15/2014"),
        ("pdf/note-no-appearance.pdf", "comment", "CORRECTED 06/30/2014: the outcome of item 1 is Overturned"),
        ("pdf/note-with-appearance.pdf", "comment", "CORRECTED 06/30/2014: the outcome of item 1 is Overturned"),
    ],
)
def test_what_was_added_on_top_of_a_page_sends_it_to_a_person(name: str, code: str, words: str) -> None:
    notes = [(note.code, note.severity, note.words) for note in document(name).notes]
    assert (code, "error", words) in notes


def test_files_attached_to_a_pdf_are_letters_and_the_sheet_around_them_is_none() -> None:
    [(name, attached)] = read(CASES / "pdf/portfolio.pdf")
    assert name == "portfolio/determination"
    assert isinstance(attached, Document)
    assert attached.text == document("pdf/popup-note.pdf").text


def test_a_pdf_with_an_attached_file_is_a_letter_too(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes((CASES / "pdf/portfolio.pdf").read_bytes().replace(b"PDF portfolio", b"long letter  "))
    [file] = find_files([path])
    [own, inner] = [each for each, _ in documents_in(file)]
    assert [own.id, inner.id] == ["a", "a/determination"]
    assert letter_in(own).text.startswith("For the best experience")
    assert letter_in(inner).text.startswith("HOW THE IMR")


def test_a_mailbox_is_many_mails() -> None:
    assert [name for name, _ in read(CASES / "mail" / "inbox.mbox")] == ["inbox/mail-1", "inbox/mail-2", "inbox/mail-3"]
    attached = [name for name, _ in read(CASES / "mail" / "inbox-attached.mbox")]
    assert attached == [f"inbox-attached/mail-{n}/letter" for n in (1, 2, 3)]
    assert [name for name, _ in read(CASES / "mail" / "Inbox")] == [f"Inbox/mail-{n}/letter" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("pictures/IMG_0001.jpg", "unsupported_type", "is a HEIC picture"),
        ("pictures/IMG_0002.heic", "unsupported_type", "is a HEIC picture"),
        ("mail/msg-inside.eml", "unsupported_type", "is an Outlook message"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, code: str, message: str) -> None:
    [(_, error)] = read(CASES / name)
    assert isinstance(error, LetterError)
    assert error.code == code
    assert message in error.message


def test_outlook_wrapped_attachments_are_named() -> None:
    found = dict(read(CASES / "mail" / "winmail.eml"))
    error = found["winmail/winmail.dat"]
    assert isinstance(error, LetterError)
    assert "winmail.dat" in error.message
