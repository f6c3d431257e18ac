"""Named and real kinds of files: archives, mails, and bad files of every kind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from extractor.errors import LetterError, UsageError
from extractor.letters.documents import Document
from extractor.letters.formats import kinds
from extractor.letters.formats.kinds import kind_of
from extractor.letters.places import contents
from extractor.letters.places.budget import UnpackBudget
from extractor.letters.places.contents import documents_in
from extractor.letters.places.sources import LetterFile, find_files
from tests.support.files import docx, encrypted, found_in, mail, paragraph, part, read_all, word_of, written, zipped

PDF = b"%PDF-1.4\n%fake"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
HTML = b"<!DOCTYPE html><p>a page"


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
    ("name", "data", "code", "message"),
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
def test_files_that_nothing_reads(name: str, data: bytes, code: str, message: str) -> None:
    with pytest.raises(LetterError, match=message) as raised:
        kind_of(data, name)
    assert raised.value.code == code
    assert raised.value.hint


# ---- archives -----------------------------------------------------------------------------------


def test_an_archive_is_a_folder(tmp_path: Path) -> None:
    inner = {"b.txt": "two", "deep/c.docx": word_of("three"), "deep/c.pdf": PDF, "d.html": HTML, "x_p1.txt": "1", "x_p2.txt": "2",
             "e.json": "{}", "deep\\f.txt": "six"}  # fmt: skip
    written(tmp_path, **{"a.zip": zipped(inner), "z.txt": "last"})
    assert read_all(tmp_path) == {
        "a/b": "two", "a/deep/c": "three\n", "a/d": "a page\n", "a/x": "1\f2", "a/deep/f": "six", "z": "last",
    }  # fmt: skip
    assert read_all(tmp_path / "a.zip") == {key: text for key, text in read_all(tmp_path).items() if key != "z"}
    assert found_in(tmp_path)[1] == [
        "1 file is skipped (unsupported format): e.json",
        "1 file is skipped, because a file of the same name that is easier to read is in the same folder: deep/c.pdf",
    ]


def test_archives_in_archives(tmp_path: Path) -> None:
    innermost = zipped({"c.txt": "deep"})
    two = zipped({"b.zip": innermost, "b.txt": "beside"})
    deep = innermost
    for _ in range(5):
        deep = zipped({"in.zip": deep})
    written(tmp_path, **{"a.zip": two, "deep.zip": deep})
    texts = read_all(tmp_path)
    assert (texts.pop("a/b.zip/c"), texts.pop("a/b.txt")) == ("deep", "beside")
    assert list(texts.values()) == ["nested"]


def test_an_archive_in_disguise(tmp_path: Path) -> None:
    written(
        tmp_path, **{"a.pdf": zipped({"b.txt": "words", "c.txt": ""}), "b.zip": PDF + b"no", "c.zip": b"<html>words"}
    )
    assert read_all(tmp_path) == {"a/b": "words", "a/c": "empty", "b": "damaged", "c": "words\n"}


def test_bad_members_cost_no_other(tmp_path: Path) -> None:
    members = {
        "good.txt": "good", "../evil.txt": "evil", "/etc/passwd": "evil", "bomb.txt": bytes(30 << 20), "empty.txt": "",
        "x.docx": b"PK\x03\x04", "noise.txt": bytes(range(256)) * 9, "evil.json": "{}",
    }  # fmt: skip
    written(
        tmp_path,
        **{
            "a.zip": zipped(members),
            "b.zip": b"PK\x03\x04" + bytes(99),
            "c.zip": zipped({}),
            "d.zip": zipped({"a.json": ""}),
        },
    )
    assert read_all(tmp_path) == {
        "a/good": "good", "a/evil": "unsafe_name", "a/etc/passwd": "unsafe_name", "a/bomb": "zip_bomb", "a/empty": "empty",
        "a/x": "damaged", "a/noise": "binary", "b": "damaged", "c": "empty", "d": "empty",
    }  # fmt: skip
    written(tmp_path, **{"e.zip": encrypted(zipped({"a.txt": "words", "b.json": "{}"}))})
    assert read_all(tmp_path / "e.zip") == {"e/a": "encrypted"}


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, **{"in/a.zip": zipped({"../b.txt": "evil", "c.txt": "good", "d.zip": zipped({"e.txt": "x"})})})
    monkeypatch.chdir(tmp_path / "in")
    read_all(tmp_path / "in")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


@pytest.mark.slow
def test_a_large_archive_is_opened_once(tmp_path: Path) -> None:
    written(tmp_path, **{"a.zip": zipped({f"{number}.txt": f"letter {number}" for number in range(3000)})})
    started = time.process_time()
    assert len(read_all(tmp_path)) == 3000
    assert time.process_time() - started < 5


def test_a_member_that_is_another_one_now(tmp_path: Path) -> None:
    written(tmp_path, **{"a.zip": zipped({"b.txt": "words"})})
    [file] = find_files([tmp_path])
    written(tmp_path, **{"a.zip": zipped({"other.txt": "words, other ones"})})
    [(_, error)] = documents_in(file)
    assert isinstance(error, LetterError)
    assert "changed" in error.message


def test_one_budget_however_archives_nest(tmp_path: Path) -> None:
    """A fan of 24 million members in a megabyte is a few failed letters, quickly; what lies beside is read."""
    written(tmp_path, **{"fan.zip": zip_fan(70, 3), "a.txt": "words"})
    started = time.process_time()
    texts = read_all(tmp_path)
    assert time.process_time() - started < 20
    assert texts.pop("a") == "words"
    assert set(texts.values()) <= {"nested", "zip_bomb", "too_many_members"}
    assert len(texts) < 2_000


def zip_fan(members: int, deep: int) -> bytes:
    data = zipped({f"{number}.txt": "x" for number in range(members)})
    for _ in range(deep):
        data = zipped({f"{number}.zip": data for number in range(members)})
    return data


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"members": 25}, "too_many_members"),
        ({"size": 1_500}, "zip_bomb"),
        ({"seconds": -1.0}, "zip_bomb"),
    ],
)
def test_what_the_budget_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float], code: str
) -> None:
    inner = zipped({f"{number}.txt": "words " * 10 for number in range(10)})
    written(tmp_path, **{"a.zip": zipped({**{f"{n}.zip": inner for n in range(4)}, "last.txt": "last"})})
    given = {"members": 10**9, "size": 10**9, "seconds": 10**9, **limits}
    budget = UnpackBudget(int(given["members"]), int(given["size"]), given["seconds"])
    monkeypatch.setattr(contents, "budget_of", lambda path: budget)
    texts = read_all(tmp_path)
    spent = [name for name, text in texts.items() if text == code]
    assert (
        spent
        == {"members": ["a/2", "a/3"], "size": ["a/2", "a/3"], "seconds": ["a/0", "a/1", "a/2", "a/3"]}[
            next(iter(limits))
        ]
    )
    assert texts["a/last"] == "last"
    # Looking again, at the same containers, is free.
    assert read_all(tmp_path) == texts


@pytest.mark.slow
def test_honest_archives_in_archives_fit(tmp_path: Path) -> None:
    days = {f"{day}.zip": zipped({f"{n}.txt": f"letter {day} {n}" for n in range(300)}) for day in range(12)}
    written(tmp_path, **{"year.zip": zipped(days)})
    assert len(read_all(tmp_path)) == 3_600


# ---- mails --------------------------------------------------------------------------------------


def test_a_mail_with_letters(tmp_path: Path) -> None:
    message = mail("see attached", b_txt=b"two", c_html=HTML, d_ics=b"x", e_zip=zipped({"f.txt": "five"}))
    written(tmp_path, **{"a.eml": bytes(message)})
    assert read_all(tmp_path) == {"a/b": "two", "a/c": "a page\n", "a/e/f": "five"}
    [first, *_] = [document for file in find_files([tmp_path]) for _, document in documents_in(file)]
    assert isinstance(first, Document)
    [note] = first.notes
    assert (note.code, note.severity) == ("left_out", "info")
    assert ": d.ics; the mail's own words" in note.message


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
    written(tmp_path, **{"a.eml": bytes(mail("own words", **attachments))})
    assert {key: "damaged" if key == "a/logo" else text for key, text in read_all(tmp_path).items()} == letters


def test_mails_in_mails_and_archives(tmp_path: Path) -> None:
    outer = mail("see below")
    outer.add_attachment(mail("inner words", b_txt=b"a letter"))
    written(tmp_path, **{"a.eml": bytes(outer), "z.zip": zipped({"m.eml": bytes(mail("words", c_txt=b"three"))})})
    assert read_all(tmp_path) == {"a/mail-2/b": "a letter", "z/m/c": "three"}


def test_an_empty_mail(tmp_path: Path) -> None:
    written(tmp_path, **{"a.eml": bytes(mail("")), "b.eml": bytes(mail(c_ics=b"x"))})
    assert read_all(tmp_path) == {"a": "empty", "b": "empty"}


def test_ids_of_what_a_mail_holds_are_nobody_elses(tmp_path: Path) -> None:
    written(
        tmp_path,
        **{"a.eml": bytes(mail("x", b_txt=b"attached")), "a/b.txt": "in the folder", "c#1.txt": "one", "c.txt": "c"},
    )
    written(tmp_path, **{"d.zip": zipped({"b.txt": "in the archive"}), "d/b.txt": "in the folder"})
    assert read_all(tmp_path) == {
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
    "burst.docx": (zipped({"[Content_Types].xml": "", "word/document.xml": b" " * (60 << 20)}), "zip_bomb"),
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
    written(tmp_path, **{name: data, "good-1.txt": "one", "z-good-2.html": HTML})
    started = time.process_time()
    texts = read_all(tmp_path)
    assert time.process_time() - started < 3
    assert texts.pop(name.partition(".")[0]) == code
    assert texts == {"good-1": "one", "z-good-2": "a page\n"}
    [(_, error)] = documents_in(find_files([tmp_path / name])[0])
    assert isinstance(error, LetterError)
    assert name in error.message
    assert error.hint


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long") as raised:
        find_files([tmp_path / ("x" * 5000)])
    assert len(str(raised.value)) < 500
    with pytest.raises(UsageError, match="no such file or folder"):
        find_files([tmp_path / "a\0b"])
    [(_, error)] = documents_in(LetterFile("a", Path("/dev/zero")))
    assert isinstance(error, LetterError)
    assert error.code == "unreadable"


def test_a_defect_met_by_one_file_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(data: bytes, name: str) -> Document:
        raise IndexError("words of the letter")

    monkeypatch.setitem(kinds._READERS, "html", defect)
    written(tmp_path, **{"a.html": HTML, "b.zip": zipped({"c.html": HTML, "d.txt": "fine"}), "e.txt": "fine"})
    assert read_all(tmp_path) == {"a": "damaged", "b/c": "damaged", "b/d": "fine", "e": "fine"}
    [(_, error)] = documents_in(find_files([tmp_path / "a.html"])[0])
    assert "(IndexError)" in str(error)
    assert "words" not in str(error)


def test_more_letters_than_any_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_HELD", 3)
    written(tmp_path, **{"a.zip": zipped({"in.zip": zipped({f"{number}.txt": "words" for number in range(5)})})})
    assert read_all(tmp_path) == {"a/in/0": "words", "a/in/1": "words", "a/in/2": "words", "a/in": "too_many_members"}


def test_a_bomb_of_archives_in_archives(tmp_path: Path) -> None:
    data = bytes(5 << 20)
    for _ in range(6):
        data = zipped({f"{number}.zip": data for number in range(12)})
    written(tmp_path, **{"a.zip": data})
    started = time.process_time()
    texts = read_all(tmp_path)
    assert set(texts.values()) == {"nested"}
    # One for each archive whose members lie too deep, not one for each member.
    assert len(texts) == 12**2
    assert time.process_time() - started < 10
