"""Bytes into text: every encoding that letters come in, and no character changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LetterError
from extractor.letters.documents import Box, Document, Note, Size, Word, cut, inferred_pages, joined, pages_of
from extractor.letters.formats.decode import decode, read_text
from extractor.letters.spans import Span
from tests.support.imr import LETTERS

PLAIN = "Page(s): 301, 340.\r\nDecision rationale: not necessary.\n\f\n"
SMART = "The worker’s “brace” – 25 mg — is not necessary…\n"
SIGNS = "8 C.C.R. §9792, 98.6°, 4½ µg · José\n"


@pytest.mark.parametrize(
    ("text", "encoding", "detected", "guessed"),
    [
        (PLAIN, "utf-8", "utf-8", False),
        (SMART, "utf-8", "utf-8", False),
        (SMART, "utf-8-sig", "utf-8-sig", False),
        (SMART, "utf-16", "utf-16", False),
        (SMART, "utf-32", "utf-32", False),
        (SMART, "utf-16-le", "utf-16-le", True),
        (SMART, "utf-16-be", "utf-16-be", True),
        (PLAIN, "utf-16-be", "utf-16-be", True),
        (SMART, "cp1252", "cp1252", True),
        (SIGNS, "cp1252", "cp1252", True),
        (SIGNS, "latin-1", "cp1252", True),
        ("\x81 \x8d é", "latin-1", "latin-1", True),
        ("", "utf-8", "utf-8", False),
    ],
)
def test_encodings(text: str, encoding: str, detected: str, guessed: bool) -> None:
    assert decode(text.encode(encoding), "a.txt") == (text, detected, guessed)


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("wide", ["utf-16", "utf-32"])
def test_byte_order_marks_of_either_order(wide: str, order: str) -> None:
    marked = ("\ufeff" + SMART).encode(f"{wide}-{order}")
    assert decode(marked, "a.txt") == (SMART, wide, False)


def test_every_bundled_letter_comes_back_in_every_encoding() -> None:
    for path in sorted(LETTERS.glob("*.txt")):
        text = path.read_bytes().decode()
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
            assert decode(text.encode(encoding), path.name).text == text, (path.name, encoding)


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("да".encode("koi8-r"), "koi8-r", "да"),
        (SMART.encode("cp1252"), "ISO-8859-1", SMART),
        (SMART.encode("cp1252"), "us-ascii", SMART),
        (SMART.encode(), "utf-8", SMART),
        (SIGNS.encode("cp1252"), "utf-8", SIGNS),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"+AEE-", "utf-7", "+AEE-"),
        (b"xn--a", "idna", "xn--a"),
        (b"abc", "no such encoding", "abc"),
        (b"\xef\xbb\xbf" + SMART.encode(), "windows-1252", SMART),
    ],
)
def test_a_declared_encoding(data: bytes, declared: str, text: str) -> None:
    assert decode(data, "a.html", declared).text == text


@pytest.mark.parametrize(
    "data", [b"\xff\xfea", b"\xff\xfe\x00\xd8a\x00", b"\xef\xbb\xbfcaf\xe9", b"\xff\xfe\x00\x00\x00\x00\x11\x00"]
)
def test_what_is_not_what_its_mark_says(data: bytes) -> None:
    with pytest.raises(LetterError, match=r"a\.txt begins with the mark of UTF-\d+ but is not") as raised:
        decode(data, "a.txt")
    assert raised.value.code == "encoding"


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        (PLAIN.encode(), []),
        (SMART.encode(), []),
        (SMART.encode("cp1252"), [("decoded_by_guess", "info")]),
        (SMART.encode("utf-16-le"), [("decoded_by_guess", "info")]),
        (b"\x81\x8d caf\xe9", [("decoded_by_guess", "warning")]),
        (SMART.encode().decode("cp1252", "ignore").encode(), [("mojibake", "warning")]),
        ("CafÃ© Ã la carte".encode(), [("mojibake", "warning")]),
        ("25 mg Â§ 3".encode(), [("mojibake", "warning")]),
        ("Ça va â, Ã, Â".encode(), []),
        (SMART.encode() + b"\xff", [("decoded_by_guess", "warning"), ("mojibake", "warning")]),
    ],
)  # fmt: skip
def test_guesses_and_broken_signs_are_told(data: bytes, notes: list[tuple[str, str]]) -> None:
    document = read_text(data, "a.txt")
    assert [(note.code, note.severity) for note in document.notes] == notes
    assert all(note.span.of(document.text) for note in document.notes if note.span)


@given(st.text())
def test_utf_8_is_never_changed(text: str) -> None:
    data = text.encode("utf-8", "ignore")
    if not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and b"\0" not in data:
        assert decode(data, "a.txt") == (data.decode(), "utf-8", False)


@given(st.binary(max_size=200))
def test_no_byte_is_lost(data: bytes) -> None:
    if not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        decoded = decode(data, "a.txt")
        assert decoded.text.encode(decoded.encoding) == data


# ---- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter_id", "pages"),
    [("dwc-2014-000", 2), ("dwc-2014-001", 2), ("dwc-2014-002", 2), ("dwc-2014-003", 3), ("dwc-2014-004", 2)],
)
def test_the_bundled_letters_still_hold_their_page_breaks(letter_id: str, pages: int) -> None:
    text = (LETTERS / f"{letter_id}.txt").read_bytes().decode()
    found = inferred_pages(text)
    assert len(found) == pages
    assert "".join(page.of(text) for page in found) == text
    assert pages_of(text) == ()
    assert len(inferred_pages(text.replace("\n", "\r\n"))) == pages


_DOUBLED = "one\n\ntwo\n\n \n\nthree\n\nfour\n\nfive\n\nsix\n\nseven\n\neight\n\nnine{}ten\n\neleven\n"


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        (_DOUBLED.format("\n\n\n\n"), 2),
        (_DOUBLED.format("\n\n"), 0),
        (_DOUBLED.format("\n\n\n"), 0),
        (_DOUBLED.format("\n\n\n\n\n\n"), 0),
        (_DOUBLED.format("\n\n\n\n") + "\f", 0),
        (_DOUBLED.format("\n\n\n\n").replace("\n\n", "\n"), 0),
        ("a paragraph\n\n\n\nanother one", 0),
        ("\n\n\n\n", 0),
        ("", 0),
    ],
)
def test_inferred_pages(text: str, pages: int) -> None:
    assert len(inferred_pages(text)) == pages


# ---- parts of documents and documents of parts -----------------------------------------------------


def paged() -> Document:
    """Two pages with a word each."""
    text = "one a\ftwo bc"
    words = (Word(Span(0, 3), 0, Box(0, 0, 1, 1)), Word(Span(6, 9), 1, Box(0, 0, 1, 1), 88.0))
    notes = (Note("whole", "of all"), Note("here", "of a word", Span(6, 9)))
    return Document(text, "pdf", (Span(0, 6), Span(6, 12)), words, notes, (Size(612, 792), Size(792, 612)))


def test_a_part_of_a_document_keeps_what_lies_in_it() -> None:
    assert cut(paged(), Span(6, 12)) == Document(
        "two bc", "pdf", (Span(0, 6),), (Word(Span(0, 3), 0, Box(0, 0, 1, 1), 88.0),),
        (Note("whole", "of all"), Note("here", "of a word", Span(0, 3))), (Size(792, 612),),
    )  # fmt: skip
    assert cut(paged(), Span(0, 6)).notes == (Note("whole", "of all"),)
    assert cut(paged(), Span(4, 10)) == Document(
        "a\ftwo ", "pdf", (Span(0, 2), Span(2, 6)), (Word(Span(2, 5), 1, Box(0, 0, 1, 1), 88.0),),
        (Note("whole", "of all"), Note("here", "of a word", Span(2, 5))), (Size(612, 792), Size(792, 612)),
    )  # fmt: skip


def test_documents_of_pages_are_joined() -> None:
    whole = joined([cut(paged(), Span(0, 5)), cut(paged(), Span(6, 12))])
    assert whole == Document(
        "one a\ftwo bc", "pdf", (Span(0, 6), Span(6, 12)), paged().words,
        (Note("whole", "of all"), Note("whole", "of all"), Note("here", "of a word", Span(6, 9))), paged().sizes,
    )  # fmt: skip


def test_a_file_without_pages_is_one_page() -> None:
    whole = joined([Document("first", "text"), Document("second\f", "text"), Document("third", "text")])
    assert whole.text == "first\fsecond\fthird"
    assert [page.of(whole.text) for page in whole.pages] == ["first\f", "second\f", "third"]


@given(st.lists(st.text("ab \n\f", min_size=1, max_size=8), min_size=1, max_size=5))
def test_joining_loses_nothing(texts: list[str]) -> None:
    whole = joined([Document(text, "text", pages_of(text)) for text in texts])
    assert whole.text.replace("\f", "") == "".join(texts).replace("\f", "")
    assert "".join(page.of(whole.text) for page in whole.pages) == whole.text
