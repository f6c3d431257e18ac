"""Letters on disk: which files they are, what they are called, and that no character changes."""

from __future__ import annotations

import hashlib
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LetterError, UsageError
from extractor.letters.documents import Box, Note, Word
from extractor.letters.letter import (
    Letter,
    LetterFile,
    find_letters,
    letter_from_text,
    letter_in,
    letters_in,
    source_of,
)
from extractor.letters.places import contents
from extractor.letters.places.sources import MemberStep
from extractor.letters.spans import Span
from tests.support.toy import put

TEXT = "Dear Zoë,\r\n\r\n  “25 mg” – not\tnecessary.\n"


def read(tmp_path: Path, data: bytes) -> Letter:
    return letter_in(LetterFile("a", put(tmp_path / "a.txt", data)))


# ---- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (TEXT.encode(), TEXT),
        (b"\xef\xbb\xbf" + TEXT.encode(), TEXT),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), TEXT),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT),
        (TEXT.encode("cp1252"), TEXT),
        (b"caf\xe9", "café"),
        (b"a\r\nb\rc\n\n", "a\r\nb\rc\n\n"),
        ("a\u2028b\x85c\x0bd\x1ce".encode(), "a\u2028b\x85c\x0bd\x1ce"),
        (b"  \n a \n ", "  \n a \n "),
        ("e\u0301 ﬁ \u00a0x\u200b".encode(), "e\u0301 ﬁ \u00a0x\u200b"),
        ("\ufeff\ufeffa".encode(), "\ufeffa"),
        ("𝒳 \U0001f600".encode("utf-16"), "𝒳 \U0001f600"),
        (TEXT.encode("utf-16-le"), TEXT),
        (b"\x81\x8d words", "\x81\x8d words"),
    ],
)
def test_text_is_what_the_file_says(tmp_path: Path, data: bytes, text: str) -> None:
    letter = read(tmp_path, data)
    assert letter.text == text
    assert letter.sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \r\n\t\f ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        ("\u00a0\u2003\n".encode(), "empty"),
        (bytes(range(256)) * 4, "binary"),
        (b"%PDF-1.4\n" + bytes(1000), "damaged"),
        (b"\xff\xfe" + "a".encode("utf-16-le") * 40 + b"\x00\xd8", "encoding"),
        (b"PK\x03\x04" + b"\x01\x02\x03\x05\x06\x07\x08" * 20, "damaged"),
    ],
)
def test_files_that_are_no_letters(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(LetterError) as raised:
        read(tmp_path, data)
    assert raised.value.code == code
    assert "a.txt" in raised.value.message
    assert raised.value.hint


def test_a_few_control_characters_do_no_harm(tmp_path: Path) -> None:
    assert read(tmp_path, b"OK \x07 then \x1b[0m").text == "OK \x07 then \x1b[0m"


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_BYTES", 10)
    assert read(tmp_path, b"0123456789").text == "0123456789"
    with pytest.raises(LetterError, match="larger than 10 bytes") as raised:
        read(tmp_path, b"0123456789a")
    assert raised.value.code == "too_large"


def test_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.txt"):
        with pytest.raises(LetterError, match="cannot read") as raised:
            letter_in(LetterFile("a", path))
        assert raised.value.code == "unreadable"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_forbidden(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", "words")
    path.chmod(0)
    with pytest.raises(LetterError, match="Permission denied"):
        letter_in(LetterFile("a", path))


def test_the_text_is_not_told_in_errors(tmp_path: Path) -> None:
    with pytest.raises(LetterError) as raised:
        read(tmp_path, b"John Q. Public " + bytes(200))
    assert "Public" not in str(raised.value)


def test_a_defect_of_a_letter_type_is_an_error_of_the_letter(tmp_path: Path) -> None:
    def defect(text: str) -> list[int]:
        raise KeyError(text)

    [(file, error)] = letters_in(LetterFile("a", put(tmp_path / "a.txt", "John Q. Public")), defect)
    assert isinstance(error, LetterError)
    assert (file.id, error.code) == ("a", "internal")
    assert "Public" not in str(error)


# ---- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("one", []),
        ("one\f", []),
        ("one\n\f\r\n\f ", []),
        ("one\ftwo", ["one\f", "two"]),
        ("one\r\n\ftwo\f", ["one\r\n\f", "two\f"]),
        ("one\ftwo\n\fthree\n", ["one\f", "two\n\f", "three\n"]),
    ],
)
def test_pages(text: str, pages: list[str]) -> None:
    letter = letter_from_text(text, letter_id="a")
    assert [span.of(text) for span in letter.pages] == pages


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 2), (8, 3), (12, 3), (13, 3)])
def test_page_of(offset: int, page: int) -> None:
    assert letter_from_text("one\ftwo\fthree", letter_id="a").page_of(offset) == page


def test_no_page_where_the_text_marks_none() -> None:
    assert letter_from_text("one\n\n\n\ntwo", letter_id="a").page_of(5) is None


@pytest.mark.parametrize("text", ["one\f\fthree", "one\f \n\fthree"])
def test_a_blank_page_counts(text: str) -> None:
    assert letter_from_text(text, letter_id="a").page_of(text.index("three")) == 3


@pytest.mark.parametrize("text", ["\fone\ftwo", " \n\f\fone"])
def test_there_is_no_page_0(text: str) -> None:
    assert letter_from_text(text, letter_id="a").page_of(0) == 1


@given(st.text(alphabet="ab \n\r\f", max_size=30))
def test_pages_cover_every_word_once(text: str) -> None:
    if not text.strip():
        return
    pages = letter_from_text(text, letter_id="a").pages
    if pages:
        assert "".join(page.of(text).strip() for page in pages) == "".join(
            part.strip() for part in text.split("\f") if part.strip()
        )
        assert all(first.end <= second.start for first, second in pairwise(pages))


# ---- places on the page --------------------------------------------------------------------------


def placed(*words: tuple[str, int, Box]) -> Letter:
    """A letter of these words, each with its page and box, and a blank between them."""
    text, found = "", []
    for word, page, box in words:
        found.append(Word(Span(len(text), len(text) + len(word)), page, box))
        text += f"{word} "
    return Letter("a", text, (Span(0, len(text)),), words=tuple(found))


LINES = placed(
    ("Page(s):", 0, Box(0.1, 0.10, 0.3, 0.12)),
    ("301,", 0, Box(0.4, 0.101, 0.5, 0.121)),
    ("340.", 0, Box(0.1, 0.13, 0.2, 0.15)),
    ("Next", 1, Box(0.1, 0.13, 0.3, 0.15)),
)


@pytest.mark.parametrize(
    ("words", "boxes"),
    [
        ("Page(s):", [(1, Box(0.1, 0.10, 0.3, 0.12))]),
        ("Page(s): 301,", [(1, Box(0.1, 0.10, 0.5, 0.121))]),
        ("301, 340.", [(1, Box(0.4, 0.101, 0.5, 0.121)), (1, Box(0.1, 0.13, 0.2, 0.15))]),
        ("340. Next", [(1, Box(0.1, 0.13, 0.2, 0.15)), (2, Box(0.1, 0.13, 0.3, 0.15))]),
        ("301", [(1, Box(0.4, 0.101, 0.475, 0.121))]),
        ("ext", [(2, Box(0.15, 0.13, 0.3, 0.15))]),
        ("40", [(1, Box(0.125, 0.13, 0.175, 0.15))]),
        ("", []),
        (" ", []),
    ],
)
def test_boxes(words: str, boxes: list[tuple[int, Box]]) -> None:
    start = LINES.text.index(words)
    found = LINES.boxes(Span(start, start + len(words)))
    assert [(page, Box(*(round(side, 6) for side in box))) for page, box in found] == boxes


@pytest.mark.parametrize(
    ("words", "sure"),
    [("One", 96.0), ("One two", 71.5), ("wo", 71.5), ("three", None), ("One two three", 71.5), ("", None)],
)
def test_confidence(words: str, sure: float | None) -> None:
    box = Box(0, 0, 1, 1)
    spans = (Span(0, 3), Span(4, 7), Span(8, 13))
    known = tuple(Word(span, 0, box, each) for span, each in zip(spans, (96.0, 71.5, None), strict=True))
    letter = Letter("a", "One two three", words=known)
    start = letter.text.index(words)
    assert letter.confidence(Span(start, start + len(words))) == sure
    assert letter.was_guessed
    assert not Letter("a", letter.text, words=known[2:]).was_guessed


def test_no_boxes_where_nothing_is_known() -> None:
    assert letter_from_text("words", letter_id="a").boxes(Span(0, 5)) == []


@given(st.integers(0, 30), st.integers(0, 30))
def test_boxes_stay_on_the_page(one: int, other: int) -> None:
    for page, box in LINES.boxes(Span(min(one, other), max(one, other))):
        assert page in (1, 2)
        assert 0 <= box.left <= box.right + 1e-9 <= 1 + 1e-9
        assert 0 <= box.top <= box.bottom <= 1


# ---- finding ---------------------------------------------------------------------------------

FILES = (
    "in/a.txt",
    "in/b.TXT",
    "in/deep/a.txt",
    "in/deep/er/c.txt",
    "in/notes.md",
    "in/.hidden.txt",
    "in/.git/d.txt",
    "in/x.y.txt",
    "other/a.txt",
    "other/z.txt",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        put(tmp_path / name, name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        (["in"], {"a": "in/a.txt", "b": "in/b.TXT", "deep/a": "in/deep/a.txt", "deep/er/c": "in/deep/er/c.txt",
                  "x.y": "in/x.y.txt"}),
        (["in/"], {"a": "in/a.txt", "b": "in/b.TXT", "deep/a": "in/deep/a.txt", "deep/er/c": "in/deep/er/c.txt",
                   "x.y": "in/x.y.txt"}),
        (["in/deep"], {"a": "in/deep/a.txt", "er/c": "in/deep/er/c.txt"}),
        (["in/a.txt"], {"a": "in/a.txt"}),
        (["in/notes.md"], {"notes": "in/notes.md"}),
        (["in/.hidden.txt"], {".hidden": "in/.hidden.txt"}),
        (["in/.git"], {"d": "in/.git/d.txt"}),
        (["other", "in/b.TXT"], {"a": "other/a.txt", "b": "in/b.TXT", "z": "other/z.txt"}),
        (["in/a.txt", "other/a.txt"], {"in/a": "in/a.txt", "other/a": "other/a.txt"}),
        (["other", "in/a.txt"], {"in/a": "in/a.txt", "other/a": "other/a.txt", "z": "other/z.txt"}),
        (["in/a.txt", "in/a.txt", "./in/../in/a.txt"], {"a": "in/a.txt"}),
        (["in/deep", "in/deep/a.txt"], {"a": "in/deep/a.txt", "er/c": "in/deep/er/c.txt"}),
    ],
)  # fmt: skip
def test_ids(folder: Path, named: list[str], ids: dict[str, str]) -> None:
    found = find_letters(map(Path, named))
    assert {file.id: file.path.read_text() for file in found} == ids
    assert len(found) == len(ids)
    assert list(found) == sorted(found)


def test_same_stem_in_folders_of_the_same_name(tmp_path: Path) -> None:
    for year in ("2014", "2016"):
        put(tmp_path / year / "letters" / "a.txt", year)
    found = find_letters([tmp_path / "2014" / "letters", tmp_path / "2016" / "letters"])
    assert [(file.id, file.path.read_text()) for file in found] == [
        ("2014/letters/a", "2014"),
        ("2016/letters/a", "2016"),
    ]


def test_suffixes_in_other_capitals_are_told_apart(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "one")
    put(tmp_path / "a.TXT", "two")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not distinguish capitals")
    assert len({file.id for file in find_letters([tmp_path])}) == 2


def test_a_name_given_to_tell_letters_apart_is_free(tmp_path: Path) -> None:
    for name in ("in/p/a.txt", "x/p/a.txt", "y/q/a.txt"):
        put(tmp_path / name, name)
    found = find_letters([tmp_path / "in", tmp_path / "x/p/a.txt", tmp_path / "y/q/a.txt"])
    assert len({file.id for file in found}) == 3


def test_linked_twice_is_one_letter(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "words")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    assert [file.id for file in find_letters([tmp_path])] == ["a"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["gone"], "no such file or folder: gone"),
        (["in", "gone.txt"], r"no such file or folder: gone\.txt"),
        (["in/deep/er/none"], "no such file or folder"),
        ([], r"no path is given"),
    ],
)
def test_nothing_there(folder: Path, named: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        find_letters(map(Path, named))
    assert raised.value.hint


def test_no_letters(tmp_path: Path) -> None:
    put(tmp_path / "a.xls", "words")
    put(tmp_path / ".b.txt", "words")
    (tmp_path / "c.txt").mkdir()
    with pytest.raises(UsageError, match="no letters in") as raised:
        find_letters([tmp_path])
    assert raised.value.hint.startswith("letters end in .txt, ")
    assert raised.value.hint.endswith("1 file is skipped (unsupported format): a.xls")


@pytest.mark.parametrize(
    ("notes", "words", "certain"),
    [
        ((), (), True),
        ((), (Word(Span(0, 3), 0, Box(0, 0, 1, 1)),), True),
        ((), (Word(Span(0, 3), 0, Box(0, 0, 1, 1), 61.0),), False),
        ((Note("unsure_digits", "doubtful", Span(0, 3)),), (), False),
    ],
    ids=["plain text", "a PDF", "a scan", "a note"],
)
def test_the_same_text_from_another_source_may_be_less_certain(
    notes: tuple[Note, ...], words: tuple[Word, ...], certain: bool
) -> None:
    assert (Letter("a", "301", notes=notes, words=words).reading_sha256 == "") is certain


@pytest.mark.parametrize(
    ("letter_id", "path", "inside", "source"),
    [
        ("a", "letters/a.txt", [], "a.txt"),
        ("a", "/srv/letters/a.txt", [], "a.txt"),
        ("2016/may/a", "/srv/letters/2016/may/a.pdf", [], "2016/may/a.pdf"),
        ("a#2", "letters/a.txt", [], "a.txt"),
        ("box/a", "letters/box.zip", ["a.txt"], "box.zip/a.txt"),
        ("2016/box/in/a", "letters/2016/box.zip", ["in/a.txt"], "2016/box.zip/in/a.txt"),
        ("box/mail/scan", "box.zip", ["mail.eml", "scan.pdf"], "box.zip/mail.eml/scan.pdf"),
        ("a", "letters/a\n.txt", [], "a\\x0a.txt"),
    ],
)
def test_the_source_of_a_letter_is_its_file_below_the_named_folder(
    letter_id: str, path: str, inside: list[str], source: str
) -> None:
    steps = tuple(MemberStep(number, name) for number, name in enumerate(inside))
    assert source_of(LetterFile(letter_id, Path(path), steps)) == source
