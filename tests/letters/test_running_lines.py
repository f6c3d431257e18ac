"""Running headers and footers: found where they come back from page to page, and nothing else ever blanked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LetterError
from extractor.letters.letter import Letter, letter_from_text
from extractor.models.offline import fill
from tests.support.imr import IMR, bundled, decision, imr_letter

# Each gives the lines above and below a page's own text, from the page's number and their total.
Style = Callable[[int, int], tuple[list[str], list[str]]]
STYLES: dict[str, Style] = {
    "page of": lambda n, m: ([], [f"Page {n} of {m}"]),
    "page": lambda n, m: ([], [f"Page {n}"]),
    "bars": lambda n, m: ([], [f"{n} | P a g e"]),
    "dashes": lambda n, m: ([f"- {n} -"], []),
    "determination": lambda n, m: ([], [f"Final Determination Letter for IMR Case Number CM14-0012347    {n}"]),
    "two lines": lambda n, m: ([f"CM16-0100200   Page {n} of {m}", "Independent Medical Review"], []),
    "both ends": lambda n, m: (["Division of Workers' Compensation"], [f"CM16-9052617 Letter Page {n} of {m}"]),
}
# These need the pages' ends.
BY_PAGE: dict[str, Style] = {
    "bare": lambda n, m: ([], [str(n)]),
    "fax": lambda n, m: ([f"10/12/2016 14:{30 + n}  FAX 555 0100   P.00{n}/00{m}"], []),
    "constant head": lambda n, m: (["MAXIMUS Federal Services, Inc."], []),
    "constant foot": lambda n, m: ([], ["Private and confidential"] if n < m else []),
}
PAGES = [
    ["Dear Sir,", "the records were read and", "the request for a brace was"],
    ["found to lack a diagnosis. See", "Page(s): 98-"],
    ["99.", "It is not medically", "necessary."],
]


def printed(style: Style, *, form_feeds: bool = True, own: list[list[str]] = PAGES) -> tuple[str, list[str]]:
    """The pages in one text, and every line that is no line of their own."""
    lines, added = [], []
    for number, page in enumerate(own, 1):
        top, bottom = style(number, len(own))
        lines.append("\n".join([*top, "", *page, "", *bottom]))
        added += [*top, *bottom]
    return ("\n\f" if form_feeds else "\n").join(lines) + "\n", added


def body(text: str) -> str:
    return letter_from_text(text, letter_id="x").body


@pytest.mark.parametrize("line_end", ["\n", "\n\n", "\r\n", " \n"])
@pytest.mark.parametrize(
    ("style", "form_feeds"),
    [*((style, feeds) for style in STYLES for feeds in (True, False)), *((style, True) for style in BY_PAGE)],
)
def test_what_repeats_from_page_to_page_is_blanked(style: str, form_feeds: bool, line_end: str) -> None:
    text, added = printed({**STYLES, **BY_PAGE}[style], form_feeds=form_feeds)
    left = body(text.replace("\n", line_end)).replace("\f", "\n")
    kept = [" ".join(line.split()) for line in left.splitlines() if line.strip()]
    # What heads the first page is the letter's own, unless it is a page's number and nothing else.
    head = {"two lines": 2, "both ends": 1, "fax": 1, "constant head": 1}.get(style, 0)
    assert kept == [*(" ".join(line.split()) for line in added[:head]), *(line for page in PAGES for line in page)]


HEADING = "Trigger point injections x 3, right trapezius: Upheld"
DISTINCT = [[f"Line {word} of a page that goes on", "and on."] for word in ("one", "two", "three", "four")]


@pytest.mark.parametrize(
    ("top", "bottom"),
    [
        ([HEADING] * 4, [""] * 4),
        (["", HEADING, HEADING, HEADING], [""] * 4),
        ([""] * 4, ["medically necessary."] * 4),
        ([""] * 4, ["The request is not medically necessary."] * 4),
        (["Decision 1", "Decision 2", "Decision 3", "Decision 4"], [""] * 4),
        (["Physical therapy, visit 1", "Physical therapy, visit 2", "Physical therapy, visit 3", "x"], [""] * 4),
        ([""] * 4, ["Chapter 12 Page(s): 301.", "Chapter 12 Page(s): 302.", "Chapter 12 Page(s): 303.", "x"]),
        (["", "121.", "", ""], [""] * 4),
        (["", "2", "", ""], ["Complaints Page(s):", "", "", ""]),
        ([""] * 4, ["He was asked about", "He was asked about", "", ""]),
        (["Norco 10/325 mg #60", "", "Norco 10/325 mg #61", ""], [""] * 4),
    ],
)
def test_what_only_looks_odd_stays(top: list[str], bottom: list[str]) -> None:
    pages = [[above, *own, below] for above, own, below in zip(top, DISTINCT, bottom, strict=True)]
    text, _ = printed(lambda n, m: ([], []), own=[["A letter begins."], *pages])
    assert body(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Pain on page 2 of 127\nof the guideline.\nPain on page 3 of 127\nof the guideline, as told.",
        "See page 4 of 9.\nNothing else.",
        "Page 1 of 3\n\nwords\n\nPage 1 of 3\n\nwords",
        "1\nwords\n2\nwords\n3",
        "Visit 1\nwords\nVisit 2\nwords",
    ],
)
def test_without_form_feeds_only_numbered_running_lines_go(text: str) -> None:
    assert body(text) == text or "of 127" in text


MESS = st.lists(
    st.sampled_from(
        ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3", "1", "2", "3", "- 2 -", "Back brace: Upheld", "necessary.", "head", "\f",
         "\n", "\n\n", "\r\n", " ", "CM16-9052617   2", "CM16-9052617   3", "Page(s): 301", "it goes on"]
    ),
    max_size=50,
).map("".join)  # fmt: skip


@given(st.one_of(MESS, st.text(max_size=200)))
def test_the_body_differs_from_the_text_in_whole_lines_only(text: str) -> None:
    try:
        left = letter_from_text(text, letter_id="x").body
    except LetterError:  # blank or binary
        return
    assert len(left) == len(text)
    for before, after in zip(re.split("[\n\f]", text), re.split("[\n\f]", left), strict=True):
        assert before == after or not after.strip()


@pytest.mark.parametrize("letter_id", ["dwc-2014-003", "partly-authorized", "ocr-faults", "twelve-decisions"])
def test_a_letter_without_furniture_is_its_own_body(letter_id: str) -> None:
    letter = bundled(letter_id)
    assert letter.body is letter.text


def test_offsets_stay_raw() -> None:
    letter = bundled("footers-inside")
    span = letter.folded.find("Decision based on Non-MTUS Citation Medicare Benefit Policy Manual, Chapter 7")
    assert span is not None
    assert "CM16-9052617  Final Determination Letter  Page 2 of 4" in span.of(letter.text)
    assert "Page 2 of 4" not in span.of(letter.body)


@pytest.mark.parametrize("style", list({**STYLES, **BY_PAGE}))
@pytest.mark.parametrize("every", [7, 11, 16])
def test_a_letter_reads_the_same_with_and_without_running_lines(style: str, every: int) -> None:
    cite = "Decision based on MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 298,\n301. Decision based on Non-MTUS\nCitation ODG, Low Back."
    why = "The guideline, on page 301, asks for\na red flag. There is none, and so\nthe request is not\nmedically necessary."
    plain = imr_letter(
        *(decision(f"Brace number {word}", mx=cite, rationale=why) for word in ("one", "two", "three", "four"))
    )
    lines = plain.rstrip("\n").split("\n")
    pages = [lines[at : at + every] for at in range(0, len(lines), every)]
    text, _ = printed({**STYLES, **BY_PAGE}[style], form_feeds=style in BY_PAGE, own=pages)
    assert _answer(text) == _answer(plain)


def _answer(text: str) -> object:
    return json.loads(fill(IMR.schema, IMR.read(letter_from_text(text, letter_id="x")).root).model_dump_json())


@pytest.mark.slow
def test_huge_texts_take_no_longer_than_their_length() -> None:
    for text in ("\f" * 300_000 + "x", "Page 1 of 2 " * 100_000, "Page 1 of 2\n" * 100_000, "9" * 100_000 + "\f2\f3"):
        assert len(Letter("x", text).body) == len(text)
