"""Where letters lie and what they are called: folders, pages in several files, several forms of one letter."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from extractor.letters.documents import Document
from extractor.letters.formats.kinds import BY_SUFFIX, UNREAD
from extractor.letters.places.contents import documents_in
from extractor.letters.places.sources import find_files
from extractor.lettertypes.findings import CODES
from tests.support.files import found_in, read_all, written, zipped
from tests.support.imr import ROOT
from tests.support.toy import put

PDF = b"%PDF-1.4\n%fake"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
HTML = b"<!DOCTYPE html><p>a page"


# ---- finding ------------------------------------------------------------------------------------


def test_a_folder_of_all_kinds(tmp_path: Path) -> None:
    for name in (
        "a.txt",
        "b.PDF",
        "c.docx",
        "d.html",
        "e.eml",
        "f.tiff",
        "g/h.jpeg",
        "i.doc",
        "j.json",
        "k",
        ".l.txt",
        "m.JSON",
    ):
        put(tmp_path / name, "words")
    ids, notes = found_in(tmp_path)
    assert ids == ["a", "b", "c", "d", "e", "f", "g/h", "i"]
    assert notes == ["3 files are skipped (unsupported format): j.json, k, m.JSON"]


def test_many_skipped_files_are_counted_by_suffix(tmp_path: Path) -> None:
    for name in ("a.txt", "b.json", *(f"c{n}.log" for n in range(5))):
        put(tmp_path / name, "words")
    assert found_in(tmp_path)[1] == [
        "6 files are skipped (unsupported format): .log (5), .json (1); the first is b.json"
    ]


def test_one_form_of_each_letter_is_read(tmp_path: Path) -> None:
    for name in ("a.txt", "a.pdf", "a.json", "b.pdf", "b.png", "c.docx", "c.pdf", "d.pdf", "d.doc", "e.eml", "e.txt", "f/a.pdf",
                 "g.png", "g.jpg"):  # fmt: skip
        put(tmp_path / name, "words")
    files_found = find_files([tmp_path])
    assert {file.id: file.path.name for file in files_found if file.id[0] in "abcdf"} == {
        "a": "a.txt", "b": "b.pdf", "c": "c.docx", "d": "d.pdf", "f/a": "a.pdf",
    }  # fmt: skip
    assert sum(file.path.stem == "e" for file in files_found) == 2
    assert sum(file.path.stem == "g" for file in files_found) == 2
    assert sum(file.path.stem == "h" for file in files_found) == len(
        {"h.txt", "h.TXT"} & {p.name for p in tmp_path.iterdir()}
    )
    assert found_in(tmp_path)[1][1] == (
        "4 files are skipped, because a file of the same name that is easier to read is in the same folder: "
        "a.pdf, b.png, c.pdf, d.doc"
    )


def test_a_file_named_directly_is_read_whatever_lies_beside(tmp_path: Path) -> None:
    written(tmp_path, **{"a.txt": "text", "a.html": HTML, "b.log": "log"})
    assert read_all(tmp_path / "a.html") == {"a": "a page\n"}
    assert read_all(tmp_path / "b.log") == {"b": "log"}


@pytest.mark.parametrize(
    ("names", "letters"),
    [
        (["x_p1.txt", "x_p2.txt"], {"x": 2}),
        (["x_p2.txt", "x_p1.txt", "x_p10.txt", *(f"x_p{n}.txt" for n in range(3, 10))], {"x": 10}),
        (["x (1 of 2).txt", "x (2 of 2).txt"], {"x": 2}),
        (["x 1 of 2.txt", "x 2 of 2.txt"], {"x": 2}),
        (["x-page-1.txt", "x-page-2.txt"], {"x": 2}),
        (["x Page 01.txt", "x Page 02.txt"], {"x": 2}),
        (["x_page_1_of_2.txt", "x_page_2_of_2.txt"], {"x": 2}),
        (["x.pg1.txt", "x.pg2.txt"], {"x": 2}),
        (["x_part1.txt", "x_part2.txt"], {"x": 2}),
        (["f/x_p1.txt", "g/x_p2.txt"], {"f/x_p1": 1, "g/x_p2": 1}),
        (["x_p1.txt", "y_p2.txt"], {"x_p1": 1, "y_p2": 1}),
        (["x_p1.txt", "x_p2.html"], {"x_p1": 1, "x_p2": 1}),
        (["x_p2.txt", "x_p3.txt"], {"x_p2": 1, "x_p3": 1}),
        (["x_p1.txt"], {"x_p1": 1}),
        (["x_p1.txt", "x-p1.txt", "x_p2.txt"], {"x_p1": 1, "x-p1": 1, "x_p2": 1}),
        (["x (1 of 2).txt", "x (2 of 3).txt"], {"x (1 of 2)": 1, "x (2 of 3)": 1}),
        (["x (3 of 2).txt", "x (1 of 2).txt"], {"x (3 of 2)": 1, "x (1 of 2)": 1}),
        (["_p1.txt", "_p2.txt"], {"_p1": 1, "_p2": 1}),
        (["exp1.txt", "exp2.txt", "CM16-0001.txt", "CM16-0002.txt", "x(1).txt", "x(2).txt"],
         {"exp1": 1, "exp2": 1, "CM16-0001": 1, "CM16-0002": 1, "x(1)": 1, "x(2)": 1}),
    ],
)  # fmt: skip
def test_a_letter_spread_over_files_stays_one(tmp_path: Path, names: list[str], letters: dict[str, int]) -> None:
    for name in names:
        put(tmp_path / name, f"page of {name}")
    assert {file.id: 1 + len(file.rest) for file in find_files([tmp_path])} == letters
    for text in read_all(tmp_path).values():
        parts = text.split("\f")
        assert parts == sorted(parts, key=lambda each: (len(each), each))


def test_pages_are_told_and_so_are_missing_ones(tmp_path: Path) -> None:
    written(tmp_path, **{"x_p1.txt": "one", "x_p2.txt": "two", "y (1 of 4).txt": "one", "y (3 of 4).txt": "three"})
    both = {file.id: document for each in find_files([tmp_path]) for file, document in documents_in(each)}
    assert isinstance(both["x"], Document)
    assert isinstance(both["y"], Document)
    assert [(note.code, note.severity) for note in both["x"].notes] == [("joined", "info")]
    assert [page.of("one\ftwo") for page in both["x"].pages] == ["one\f", "two"]
    assert [(note.code, note.severity) for note in both["y"].notes] == [("page_missing", "error")]
    assert "pages 2, 4 of" in both["y"].notes[0].message


def test_one_bad_page_fails_the_letter(tmp_path: Path) -> None:
    written(tmp_path, **{"x_p1.txt": "one", "x_p2.txt": "", "y.txt": "fine"})
    assert read_all(tmp_path) == {"x": "empty", "y": "fine"}


def test_pages_give_way_to_the_whole_as_text(tmp_path: Path) -> None:
    written(tmp_path, **{"x.txt": "whole", "x_p1.png": PNG, "x_p2.png": PNG})
    assert read_all(tmp_path) == {"x": "whole"}
    assert found_in(tmp_path)[1] == [
        "2 files are skipped, because a file of the same name that is easier to read is in the same folder: x_p1.png, x_p2.png"
    ]


def test_a_listed_letter_can_be_sent_to_another_process(tmp_path: Path) -> None:
    written(tmp_path, **{"a.zip": zipped({"b.txt": "words"}), "c_p1.txt": "1", "c_p2.txt": "2"})
    listed = find_files([tmp_path])
    assert pickle.loads(pickle.dumps(listed)) == listed


# ---- the documents -----------------------------------------------------------------------

_SOURCES = {path.name: path.read_text("utf-8") for path in (ROOT / "extractor" / "letters").rglob("*.py")}


def test_every_note_has_its_line() -> None:
    page = (ROOT / "docs" / "files.md").read_text("utf-8")
    notes = {code for text in _SOURCES.values() for code in re.findall(r'Note\(\s*"(\w+)"', text)}
    assert len(notes) > 12
    assert {code for code in notes if f"`{code}`" not in page} == set()
    assert notes - set(CODES) == set()


def test_every_error_has_its_line() -> None:
    page = (ROOT / "docs" / "files.md").read_text("utf-8")
    errors = {code for text in _SOURCES.values() for code in re.findall(r'code="(\w+)"', text)}
    assert len(errors) > 15
    assert {code for code in errors if f"`{code}`" not in page} == set()


@pytest.mark.parametrize("suffix", [*BY_SUFFIX, *UNREAD])
def test_every_suffix_has_its_line(suffix: str) -> None:
    assert f"`{suffix}`" in (ROOT / "docs" / "files.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "head", "is_letter"),
    [
        ("Inbox", b"From a@b.c Mon Jan  1 00:00:00 2024\nReceived: x\nSubject: y\n\nwords", True),
        ("letter", b"%PDF-1.7\n", True),
        ("scan.0042", b"II*\x00", True),
        ("report.final", b"PK\x03\x04....word/document.xml", True),
        ("note", b"{\\rtf1 words}", True),
        ("README", b"Words: and more words\n\nwords", False),
        ("table.xlsb", b"PK\x03\x04....xl/workbook.bin", False),
        ("empty", b"", False),
    ],
)
def test_a_file_whose_name_gives_no_kind_is_a_letter_if_it_begins_like_one(
    tmp_path: Path, name: str, head: bytes, is_letter: bool
) -> None:
    put(tmp_path / "a.txt", "a letter")
    put(tmp_path / name, head)
    assert [file.id for file in find_files([tmp_path])] == (sorted(["a", name]) if is_letter else ["a"])
