"""``extractor text``: what was read, page by page, with what was recognized marked."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor import Extractor
from extractor.cli.shared.marks import TextMark, marked_text
from extractor.cli.text import _head, write_exactly
from extractor.letters.documents import Box, Document, Note, Word
from extractor.letters.letter import letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.reading import nothing_read
from tests.support.files import docx, mail, paragraph, run, zipped
from tests.support.imr import LETTERS, ROOT, decision, imr_letter
from tests.support.toy import NOTES, cli, put, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path))
    return tmp_path


def test_what_was_read_is_marked(toy: Path) -> None:
    ran = cli("text", "letters/blue.txt")
    assert ran.code == 0
    head, as_what, *text = ran.out.splitlines()
    assert head.startswith("──────── blue: text, 73 characters, sha256 ")
    assert as_what == "read as parcel: 2 parcels"
    assert text == [
        "PARCEL NOTE of <carrier>Blue Van</carrier>",
        "<parcels 1>",
        "PARCEL <number>12</number>: <state delivered>delivered</state> on <on 2020-03-04>3/4/2020</on>",
        "</parcels 1>",
        "",
        "<parcels 2>",
        "PARCEL <number>13</number>: <state lost>lost</state>",
        "</parcels 2>",
    ]


def test_a_real_letter() -> None:
    ran = cli("text", LETTERS / "dwc-2014-002.txt", "--workspace", ROOT)
    out = ran.out
    assert ran.code == 0
    assert "\x1b" not in out
    assert "read as imr: 2 decisions\n" in out
    assert "page 1 of 2, inferred (characters 0 to 2,242)" in out
    assert "<item>RETROSPECTIVE REQUEST FOR NEUROMUSCULAR STIMULATOR AND" in out
    assert "<outcome upheld>Upheld</outcome>" in out
    assert "Page(s): <pages 301>301</pages>, <pages 340>340</pages>" in out
    assert "<date 2013-03-28>3/28/13</date>" in out
    assert re.search(r"<rationale>\nThe MTUS guidelines", out)
    assert "<header>" not in out, "the header was cut off this letter; nothing is left to mark but a blank line"
    assert re.findall(r"<(decisions \d)>", out) == ["decisions 1", "decisions 2"]


def test_the_only_record_of_a_list_is_numbered_too() -> None:
    letter = letter_from_text(imr_letter(decision()), letter_id="a")
    marks = {mark.label: mark.path for mark in Extractor(ROOT).marks(Extractor(ROOT).reading(letter))}
    assert marks["decisions 1"] == "/decisions/0"
    assert marks["maximus"] == "/decisions/0/maximus"


def test_pages_running_lines_and_oddities(toy: Path) -> None:
    pages = imr_letter(decision(mx="Decision based on MTUS ACOEM Page(s):\nPage 1 of 2\n\f301.")) + "Page 2 of 2\n"
    put(toy / "a.txt", pages.replace("Decision rationale:", "Decision:"))
    out = cli("text", "a.txt", "--workspace", ROOT).out
    assert "page 1 of 2 (characters 0 to" in out
    assert "<running_line>Page 1 of 2</running_line>" in out
    assert "<pages 301>301</pages>" in out
    assert "error: imr_paragraph_missing: " in out


def test_what_is_odd_about_the_file_comes_first(toy: Path) -> None:
    put(toy / "a.docx", docx(paragraph("PARCEL NOTE of A", run("secret \x07words".replace("\x07", ""), "<w:vanish/>"))))
    put(toy / "b.txt", "PARCEL NOTE of “B”\n".encode("cp1252"))
    put(toy / "c.txt", "no parcels\n")
    ran = cli("text", "a.docx", "b.txt", "c.txt")
    assert "warning: hidden_text: 2 words are hidden in the document and left out of the text\n" in ran.out
    assert "  these words: secret words\n" in ran.out
    assert "info: decoded_by_guess: the file does not declare its encoding; it was read as cp1252" in ran.out
    assert "not read as parcel: this is no parcel note" in ran.out
    assert ran.code == 0


def test_what_stands_at_many_places_is_told_once() -> None:
    letter = replace(
        letter_from_text("no parcels 12 34 56\n", letter_id="a"),
        notes=(
            *(
                Note("unsure_digits", f"OCR is only {sure} % sure", Span(at, at + 2))
                for sure, at in ((80, 11), (70, 14))
            ),
            Note("split", "one of several letters", severity="info"),
            Note("hidden_text", "1 word is left out", Span(0, 2), "evil"),
            Note("hidden_text", "2 words are left out", Span(3, 5), "and worse"),
        ),
    )
    lines = list(_head(letter, nothing_read(letter, "no parcels"), "imr"))
    assert lines[2:] == [
        "warning: unsure_digits: OCR is only 80 % sure (and 1 more such places, marked below)",
        "info: split: one of several letters",
        "warning: hidden_text: 1 word is left out",
        "  these words: evil",
        "warning: hidden_text: 2 words are left out",
        "  these words: and worse",
    ]


def test_signs_that_a_terminal_would_obey_are_shown(toy: Path) -> None:
    put(toy / "a.txt", "PARCEL NOTE of \x1b[31mA\u202e\n\n\n\n\n[bold]b\r\nc\td\n")
    out = cli("text", "a.txt").out
    assert "[U+001B][31mA[U+202E]" in out
    assert "\n\n[bold]b\nc" in out
    assert "\n\n\n" not in out
    assert "\r" not in out


def test_colours_on_a_terminal(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = cli("text", "letters/blue.txt").out
    assert "\x1b[" in out
    assert re.sub(r"\x1b\[[\d;]*m", "", out) == cli_plain(monkeypatch)


def cli_plain(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("FORCE_COLOR")
    return cli("text", "letters/blue.txt").out


def test_files_that_cannot_be_read(toy: Path) -> None:
    put(toy / "a.zip", zipped({"../b.txt": "x", "c.txt": NOTES["red"], "d.docx": ""}))
    ran = cli("text", "a.zip", "letters/blue.txt")
    assert ran.code == 1
    assert "a/b: not read (unsafe_name)" in ran.out
    assert "a/d: not read (empty)" in ran.out
    assert "<carrier>Red Cart</carrier>" in ran.out
    assert "<carrier>Blue Van</carrier>" in ran.out
    assert cli("text", "gone.txt").code == 2


def test_one_letter_of_many(toy: Path) -> None:
    put(toy / "a.eml", bytes(mail("see below", b_txt=NOTES["blue"].encode(), c_txt=NOTES["red"].encode())))
    ran = cli("text", "a.eml", "--letter", "a/c")
    assert "Red Cart" in ran.out
    assert "Blue Van" not in ran.out
    assert cli("text", "a.eml", "--letter", "a/x").code == 2
    many = cli("text", "a.eml", "--raw")
    assert (many.code, many.out) == (2, "")
    assert "name one with --letter ID" in many.err


def test_one_letter_of_a_merged_file(toy: Path) -> None:
    put(toy / "m.txt", imr_letter(decision("Cane")) + "\f" + imr_letter(decision("Walker", "Overturned")))
    ran = cli("text", "m.txt", "--letter", "m#2", "--workspace", ROOT)
    assert "──────── m#2: text" in ran.out
    assert "info: split: this is one of several letters in one file" in ran.out
    assert "<item>Walker</item>: <outcome overturned>Overturned</outcome>" in ran.out
    assert "Cane" not in ran.out
    record = cli("extract", "m.txt", "--letter", "m#2", "--workspace", ROOT).json
    assert (record["letter_id"], record["answer"]["decisions"][0]["item"]) == ("m#2", "Walker")
    refused = cli("extract", "m.txt", "--workspace", ROOT)
    assert (refused.code, "holds 2 letters" in refused.err, "m#1, m#2" in refused.err) == (2, True, True)


@pytest.mark.parametrize("text", [NOTES["red"], "PARCEL NOTE of \x1b[0m “A”\r\n\f\n\n\n\n x\u2028"])
def test_raw_is_every_character(toy: Path, text: str) -> None:
    put(toy / "a.txt", text)
    ran = cli("text", "a.txt", "--raw")
    assert (ran.code, ran.out, ran.err) == (0, text, "")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_raw_on_a_terminal_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    write_exactly("PARCEL \x1b]0;x\x07")
    assert screen.getvalue() == "PARCEL [U+001B]]0;x[U+0007]\n"


def test_as_json(toy: Path) -> None:
    put(toy / "bad.txt", "")
    ran = cli("text", "letters/blue.txt", "bad.txt", "--json")
    assert ran.code == 1
    bad, blue = ran.json
    assert bad["letter_id"] == "bad"
    assert bad["error"]["code"] == "empty"
    assert blue["text"] == NOTES["blue"]
    assert blue["recognized"] is True
    assert blue["letter_pages"] == []
    assert {mark["label"]: blue["text"][mark["start"] : mark["end"]] for mark in blue["marks"] if mark["kind"] == "fact"} == {
        "carrier": "Blue Van", "number": "13", "state": "lost", "on": "3/4/2020",
    }  # fmt: skip
    [on] = [mark for mark in blue["marks"] if mark["label"] == "on"]
    assert (on["path"], on["value"], on["certain"]) == ("/parcels/0/on", "2020-03-04", True)


def test_places_on_the_page(toy: Path) -> None:
    """A stand-in for a PDF reader's document: the words carry their positions."""
    text = NOTES["red"]
    at = text.index("Red")
    words = (
        Word(Span(at, at + 3), 0, Box(0.1, 0.1, 0.2, 0.12)),
        Word(Span(at + 4, at + 8), 0, Box(0.21, 0.1, 0.3, 0.12)),
    )
    document = Document(text, "pdf", (Span(0, len(text)),), words)
    put(toy / "a.pdf", b"%PDF-1.4")
    with mock.patch("extractor.letters.places.contents.read_document", return_value=document):
        [report] = cli("text", "a.pdf", "--json").json
        record = cli("extract", "a.pdf").json
    [carrier] = [mark for mark in report["marks"] if mark["label"] == "carrier"]
    boxes = [{"letter_page": 1, "box": [0.1, 0.1, 0.3, 0.12]}]
    assert carrier["boxes"] == boxes
    assert report["letter_pages"] == [{"letter_page": 1, "start": 0, "end": len(text), "inferred": False}]
    assert record["evidence"]["/carrier"] == [
        {"start": at, "end": at + 8, "letter_page": 1, "text": "Red Cart", "boxes": boxes}
    ]
    assert record["evidence"]["/parcels/0/number"][0]["boxes"] == []


def test_a_letter_without_places_has_no_boxes(toy: Path) -> None:
    record = cli("extract", "letters/red.txt").json
    assert set(record["evidence"]["/carrier"][0]) == {"start", "end", "letter_page", "text"}


# ---- tags ---------------------------------------------------------------------------------------

_SPANS = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(lambda pair: Span(min(pair), max(pair) + 1))


@given(st.lists(_SPANS, max_size=6), st.integers(0, 21))
def test_tags_lose_nothing(spans: list[Span], cut: int) -> None:
    text = "abcdefghijklmnopqrstu"
    marks = [TextMark(span, str(number), "fact") for number, span in enumerate(spans)]
    both = [*marked_text(text, marks, Span(0, cut)), *marked_text(text, marks, Span(cut, 21))]
    assert "".join(piece.text for piece in both) == text
    begun = [piece.mark for piece in both if piece.mark and not piece.end]
    ended = [piece.mark for piece in both if piece.mark and piece.end]
    assert sorted(begun) == sorted(ended) == sorted(marks)


def test_tags_nest() -> None:
    outer, inner, after = (
        TextMark(Span(0, 6), "o", "fact"),
        TextMark(Span(0, 3), "i", "fact"),
        TextMark(Span(3, 6), "a", "fact"),
    )
    tags = [
        ("/" if piece.end else "") + piece.mark.label if piece.mark else piece.text
        for piece in marked_text("abcdefg", [outer, inner, after], Span(0, 7))
    ]
    assert tags == ["o", "i", "abc", "/i", "a", "def", "/a", "/o", "g"]


def test_a_page_is_told_from_the_letters_pages() -> None:
    assert letter_from_text("one\ftwo", letter_id="a").page_of(5) == 2
