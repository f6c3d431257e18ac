"""What goes in: folders, files of many kinds, archives and mails; what each letter is called; what bad files cost."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import pytest

from extractor.errors import LetterError, UsageError
from extractor.ingest.contents import documents_in
from extractor.ingest.documents import Document
from extractor.ingest.kinds import kind_of
from extractor.ingest.sources import LetterFile, find_files
from tests.files import docx, encrypted, mail, paragraph, part, word_of, zipped
from tests.toy import put

PDF = b"%PDF-1.4\n%fake"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
HTML = b"<!DOCTYPE html><p>a page"


def files(folder: Path, **named: str | bytes) -> Path:
    for name, data in named.items():
        put(folder / name, data)
    return folder


def found(*paths: Path) -> tuple[list[str], list[str]]:
    """Ids, and what was told."""
    told: list[str] = []
    return [file.id for file in find_files(paths, told.append)], told


def read(*paths: Path) -> dict[str, str]:
    """Each letter's text, or the code of what is wrong with it."""
    held = [each for file in find_files(paths) for each in documents_in(file)]
    texts = {file.id: document.text if isinstance(document, Document) else document.code for file, document in held}
    assert len(texts) == len(held), "two letters of one id"
    return texts


# ---- what a file is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.txt", b"words", "text"),
        ("a", b"words", "text"),
        ("a.pdf", b"words", "text"),
        ("a.txt", PDF, "pdf"),
        ("a.doc", PDF, "pdf"),
        ("a.pdf", b"HTTP/1.1 200 OK\r\n\r\n" + PDF, "pdf"),
        ("a.txt", b"It begins with %PDF- somewhere", "text"),
        ("a.txt", PNG, "image"),
        ("a.pdf", b"II*\x00" + bytes(9), "image"),
        ("a.pdf", b"\xff\xd8\xff\xe0", "image"),
        ("a.txt", word_of("words"), "docx"),
        ("a.zip", word_of("words"), "docx"),
        ("a.zip", zipped({"[Content_Types].xml": "", "word/document2.xml": ""}), "docx"),
        ("a.pdf", zipped({"a.txt": "words"}), "zip"),
        ("a.zip", zipped({}), "zip"),
        ("a.doc", HTML, "html"),
        ("a.txt", b"\xef\xbb\xbf \n<html>\n", "html"),
        ("a.txt", "<html>".encode("utf-16"), "html"),
        ("a.txt", b"<?xml version='1.0'?><!-- x --><html >", "html"),
        ("a.html", b"<p>words", "html"),
        ("a.txt", b"<p>words", "text"),
        ("a.html", b"words", "text"),
        ("a.eml", b"words", "mail"),
        ("a.txt", bytes(mail("words")), "mail"),
        ("a.txt", b"From: a\nTo: b\nDate: today\nSubject: memo\n\nwords", "text"),
        ("a.txt", b"Received: 11/28/2016\nCase Number: CM16\n\nwords", "mail"),
        ("a.txt", b"Case Number: CM16\n\nMessage-ID: no\n", "text"),
        ("a.txt", b"BMI is 31. MZ. GIF8", "text"),
    ],
)  # fmt: skip
def test_the_content_says_what_a_file_is(name: str, data: bytes, kind: str) -> None:
    assert kind_of(data, name) == kind


@pytest.mark.parametrize(
    ("name", "data", "code", "told"),
    [
        ("a.txt", b"", "empty", "is empty"),
        ("a.doc", OFFICE, "unsupported_type", "old Office"),
        ("a.docx", OFFICE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "is encrypted"),
        ("a.msg", OFFICE, "unsupported_type", "Outlook"),
        ("a.txt", b"{\\rtf1 words}", "unsupported_type", "rich text"),
        ("a.zip", b"\x1f\x8b" + bytes(9), "unsupported_type", "gzip"),
        ("a.zip", b"Rar!\x1a\x07\x00", "unsupported_type", "rar"),
        ("a.zip", b"7z\xbc\xaf\x27\x1c", "unsupported_type", "7z"),
        ("a.gif", b"GIF89a" + bytes(9), "unsupported_type", "GIF"),
        ("a.xlsx", zipped({"[Content_Types].xml": "", "xl/workbook.xml": ""}), "unsupported_type", "no Word document"),
        ("a.odt", zipped({"mimetype": "x", "content.xml": ""}), "unsupported_type", "OpenDocument"),
        ("a.exe", b"MZ" + bytes(99), "unsupported_type", "program"),
        ("a.zip", b"PK\x03\x04" + bytes(99), "damaged", "not a zip"),
    ],
)  # fmt: skip
def test_files_that_nothing_reads(name: str, data: bytes, code: str, told: str) -> None:
    with pytest.raises(LetterError, match=told) as raised:
        kind_of(data, name)
    assert raised.value.code == code
    assert raised.value.hint


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
    ids, told = found(tmp_path)
    assert ids == ["a", "b", "c", "d", "e", "f", "g/h", "i"]
    assert told == ["3 files are passed over, of kinds that are no letters: .json (2), no suffix (1)"]


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
    assert found(tmp_path)[1][1] == (
        "4 files are passed over, because a file of the same name that is easier to read lies beside: "
        ".pdf (2), .png (1), .doc (1)"
    )


def test_a_file_named_directly_is_read_whatever_lies_beside(tmp_path: Path) -> None:
    files(tmp_path, **{"a.txt": "text", "a.html": HTML, "b.log": "log"})
    assert read(tmp_path / "a.html") == {"a": "a page\n"}
    assert read(tmp_path / "b.log") == {"b": "log"}


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
    for text in read(tmp_path).values():
        parts = text.split("\f")
        assert parts == sorted(parts, key=lambda each: (len(each), each))


def test_pages_are_told_and_so_are_missing_ones(tmp_path: Path) -> None:
    files(tmp_path, **{"x_p1.txt": "one", "x_p2.txt": "two", "y (1 of 4).txt": "one", "y (3 of 4).txt": "three"})
    both = {file.id: document for each in find_files([tmp_path]) for file, document in documents_in(each)}
    assert isinstance(both["x"], Document)
    assert isinstance(both["y"], Document)
    assert [(note.code, note.severity) for note in both["x"].notes] == [("joined", "info")]
    assert [page.of("one\ftwo") for page in both["x"].pages] == ["one\f", "two"]
    assert [(note.code, note.severity) for note in both["y"].notes] == [("page_missing", "error")]
    assert "pages 2, 4 of" in both["y"].notes[0].message


def test_one_bad_page_fails_the_letter(tmp_path: Path) -> None:
    files(tmp_path, **{"x_p1.txt": "one", "x_p2.txt": "", "y.txt": "fine"})
    assert read(tmp_path) == {"x": "empty", "y": "fine"}


def test_pages_give_way_to_the_whole_as_text(tmp_path: Path) -> None:
    files(tmp_path, **{"x.txt": "whole", "x_p1.png": PNG, "x_p2.png": PNG})
    assert read(tmp_path) == {"x": "whole"}
    assert found(tmp_path)[1] == [
        "2 files are passed over, because a file of the same name that is easier to read lies beside: .png (2)"
    ]


def test_a_listed_letter_can_be_sent_to_another_process(tmp_path: Path) -> None:
    files(tmp_path, **{"a.zip": zipped({"b.txt": "words"}), "c_p1.txt": "1", "c_p2.txt": "2"})
    listed = find_files([tmp_path])
    assert pickle.loads(pickle.dumps(listed)) == listed


# ---- archives -----------------------------------------------------------------------------------


def test_an_archive_is_a_folder(tmp_path: Path) -> None:
    inner = {"b.txt": "two", "deep/c.docx": word_of("three"), "deep/c.pdf": PDF, "d.html": HTML, "x_p1.txt": "1", "x_p2.txt": "2",
             "e.json": "{}", "deep\\f.txt": "six"}  # fmt: skip
    files(tmp_path, **{"a.zip": zipped(inner), "z.txt": "last"})
    assert read(tmp_path) == {
        "a/b": "two", "a/deep/c": "three\n", "a/d": "a page\n", "a/x": "1\f2", "a/deep/f": "six", "z": "last",
    }  # fmt: skip
    assert read(tmp_path / "a.zip") == {key: text for key, text in read(tmp_path).items() if key != "z"}
    assert found(tmp_path)[1] == [
        "1 file is passed over, of kinds that are no letters: .json (1)",
        "1 file is passed over, because a file of the same name that is easier to read lies beside: .pdf (1)",
    ]


def test_archives_in_archives(tmp_path: Path) -> None:
    innermost = zipped({"c.txt": "deep"})
    two = zipped({"b.zip": innermost, "b.txt": "beside"})
    deep = innermost
    for _ in range(5):
        deep = zipped({"in.zip": deep})
    files(tmp_path, **{"a.zip": two, "deep.zip": deep})
    texts = read(tmp_path)
    assert (texts.pop("a/b.zip/c"), texts.pop("a/b.txt")) == ("deep", "beside")
    assert list(texts.values()) == ["nested"]


def test_an_archive_in_disguise(tmp_path: Path) -> None:
    files(tmp_path, **{"a.pdf": zipped({"b.txt": "words", "c.txt": ""}), "b.zip": PDF + b"no", "c.zip": b"<html>words"})
    assert read(tmp_path) == {"a/b": "words", "a/c": "empty", "b": "damaged", "c": "words\n"}


def test_bad_members_cost_no_other(tmp_path: Path) -> None:
    members = {
        "good.txt": "good", "../evil.txt": "evil", "/etc/passwd": "evil", "bomb.txt": bytes(30 << 20), "empty.txt": "",
        "x.docx": b"PK\x03\x04", "noise.txt": bytes(range(256)) * 9, "evil.json": "{}",
    }  # fmt: skip
    files(
        tmp_path,
        **{
            "a.zip": zipped(members),
            "b.zip": b"PK\x03\x04" + bytes(99),
            "c.zip": zipped({}),
            "d.zip": zipped({"a.json": ""}),
        },
    )
    assert read(tmp_path) == {
        "a/good": "good", "a/evil": "unsafe_name", "a/etc/passwd": "unsafe_name", "a/bomb": "zip_bomb", "a/empty": "empty",
        "a/x": "damaged", "a/noise": "binary", "b": "damaged", "c": "empty", "d": "empty",
    }  # fmt: skip
    files(tmp_path, **{"e.zip": encrypted(zipped({"a.txt": "words", "b.json": "{}"}))})
    assert read(tmp_path / "e.zip") == {"e/a": "encrypted"}


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, **{"in/a.zip": zipped({"../b.txt": "evil", "c.txt": "good", "d.zip": zipped({"e.txt": "x"})})})
    monkeypatch.chdir(tmp_path / "in")
    read(tmp_path / "in")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_a_large_archive_is_opened_once(tmp_path: Path) -> None:
    files(tmp_path, **{"a.zip": zipped({f"{number}.txt": f"letter {number}" for number in range(3000)})})
    started = time.process_time()
    assert len(read(tmp_path)) == 3000
    assert time.process_time() - started < 5


def test_a_member_that_is_another_one_now(tmp_path: Path) -> None:
    files(tmp_path, **{"a.zip": zipped({"b.txt": "words"})})
    [file] = find_files([tmp_path])
    files(tmp_path, **{"a.zip": zipped({"other.txt": "words, other ones"})})
    [(_, error)] = documents_in(file)
    assert isinstance(error, LetterError)
    assert "changed" in error.message


# ---- mails --------------------------------------------------------------------------------------


def test_a_mail_with_letters(tmp_path: Path) -> None:
    message = mail("see attached", b_txt=b"two", c_html=HTML, d_ics=b"x", e_zip=zipped({"f.txt": "five"}))
    files(tmp_path, **{"a.eml": bytes(message)})
    assert read(tmp_path) == {"a/b": "two", "a/c": "a page\n", "a/e/f": "five"}
    [first, *_] = [document for file in find_files([tmp_path]) for _, document in documents_in(file)]
    assert isinstance(first, Document)
    [note] = first.notes
    assert (note.code, note.severity) == ("left_out", "info")
    assert ".ics (1); the mail's own words" in note.message


@pytest.mark.parametrize(
    ("attachments", "letters"),
    [
        ({}, {"a": "own words\n"}),
        ({"d_ics": b"x"}, {"a": "own words\n"}),
        ({"logo_gif": b"GIF89a" + bytes(9)}, {"a": "own words\n"}),
        ({"logo_png": PNG}, {"a": "own words\n", "a/logo": "damaged"}),
        ({"b_doc": OFFICE}, {"a/b": "unsupported_type"}),
        ({"b_txt": b""}, {"a/b": "empty"}),
        ({"b_txt": b"two", "b_TXT": b"three"}, {"a/b": "two", "a/b (2)": "three"}),
    ],
)
def test_when_a_mails_own_words_are_the_letter(
    tmp_path: Path, attachments: dict[str, bytes], letters: dict[str, str]
) -> None:
    files(tmp_path, **{"a.eml": bytes(mail("own words", **attachments))})
    assert {key: "damaged" if key == "a/logo" else text for key, text in read(tmp_path).items()} == letters


def test_mails_in_mails_and_archives(tmp_path: Path) -> None:
    outer = mail("see below")
    outer.add_attachment(mail("inner words", b_txt=b"a letter"))
    files(tmp_path, **{"a.eml": bytes(outer), "z.zip": zipped({"m.eml": bytes(mail("words", c_txt=b"three"))})})
    assert read(tmp_path) == {"a/mail-2/b": "a letter", "z/m/c": "three"}


def test_an_empty_mail(tmp_path: Path) -> None:
    files(tmp_path, **{"a.eml": bytes(mail("")), "b.eml": bytes(mail(c_ics=b"x"))})
    assert read(tmp_path) == {"a": "empty", "b": "empty"}


def test_ids_of_what_a_mail_holds_are_nobody_elses(tmp_path: Path) -> None:
    files(
        tmp_path,
        **{"a.eml": bytes(mail("x", b_txt=b"attached")), "a/b.txt": "in the folder", "c#1.txt": "one", "c.txt": "c"},
    )
    files(tmp_path, **{"d.zip": zipped({"b.txt": "in the archive"}), "d/b.txt": "in the folder"})
    assert read(tmp_path) == {
        "a.eml/b": "attached", "a/b": "in the folder", "c": "c", "c#1.txt": "one", "d.zip/b": "in the archive",
        "d/b": "in the folder",
    }  # fmt: skip


# ---- bad files of every kind ----------------------------------------------------------------------

_DOCTYPE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + part("document", paragraph("&a;"))
_BAD = {
    "zero.txt": (b"", "empty"),
    "zero.pdf": (b"", "empty"),
    "zero.docx": (b"", "empty"),
    "zero.zip": (b"", "empty"),
    "blank.txt": (b" \r\n\f", "empty"),
    "blank.html": (b"<html><p> </p>", "empty"),
    "noise.txt": (bytes(range(256)) * 40, "binary"),
    "noise.pdf": (bytes(range(256)) * 40, "damaged"),
    "noise.docx": (bytes(range(256)) * 40, "damaged"),
    "cut.docx": (word_of("words " * 500)[:400], "damaged"),
    "cut.zip": (zipped({"a.txt": "words " * 500})[:-40], "damaged"),
    "entity.docx": (zipped({"[Content_Types].xml": "", "word/document.xml": _DOCTYPE}), "unsafe_xml"),
    "burst.docx": (zipped({"[Content_Types].xml": "", "word/document.xml": b" " * (200 << 20)}), "zip_bomb"),
    "blank.docx": (docx(paragraph("")), "empty"),
    "locked.docx": (OFFICE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "old.doc": (OFFICE, "unsupported_type"),
    "rich.rtf": (b"{\\rtf1 words}", "unsupported_type"),
    "table.docx": (zipped({"[Content_Types].xml": "", "xl/workbook.xml": ""}), "unsupported_type"),
    "wide.txt": (b"\xff\xfea", "encoding"),
    "deep.eml": (b"Content-Type: message/rfc822\n\n" * 99, "too_many_members"),
}  # fmt: skip


@pytest.mark.parametrize("name", _BAD)
def test_a_bad_file_is_an_error_of_its_own(tmp_path: Path, name: str) -> None:
    data, code = _BAD[name]
    files(tmp_path, **{name: data, "good-1.txt": "one", "z-good-2.html": HTML})
    started = time.process_time()
    texts = read(tmp_path)
    assert time.process_time() - started < 3
    assert texts.pop(name.partition(".")[0]) == code
    assert texts == {"good-1": "one", "z-good-2": "a page\n"}
    [(_, error)] = documents_in(find_files([tmp_path / name])[0])
    assert isinstance(error, LetterError)
    assert name in error.message
    assert error.hint


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        find_files([tmp_path / ("x" * 5000)])
    with pytest.raises(UsageError, match="no such file or folder"):
        find_files([tmp_path / "a\0b"])
    [(_, error)] = documents_in(LetterFile("a", Path("/dev/zero")))
    assert isinstance(error, LetterError)
    assert error.code == "unreadable"
