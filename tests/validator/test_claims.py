"""Lists that no reader takes apart: order, words of one's own, and paragraphs that nobody claims."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Covers, Stated, StrictModel, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.parsers import Cited, Wording
from extractor.lettertypes.reading import Block, Reading
from extractor.validator.checks import check
from extractor.validator.claims import claims_of, out_of_order, overlapping, own_parts

TEXT = """The harbor office decides:

The boat is paid with 100 dollars.

The oars are refused for want of proof.

The mast is paid with 250 dollars.

The sail is refused."""


class Item(StrictModel):
    words: Annotated[str, Verbatim("record")]
    outcome: Annotated[Literal["paid", "refused"], Stated("record"), Wording({})]
    amount: Annotated[int | None, Stated("record")]


class Order(StrictModel):
    items: Annotated[list[Item], Covers("words")]
    reasons: Annotated[list[str], Verbatim("letter")]


READING = Reading(Letter("x", TEXT), Block(Span(0, len(TEXT)), {"letter": Span(0, len(TEXT))}))
KIND = LetterType("order", Order, lambda letter: READING, protected=("items/outcome",))
BOAT = ("The boat is paid with 100 dollars.", "paid", 100)
OARS = ("The oars are refused for want of proof.", "refused", None)
MAST = ("The mast is paid with 250 dollars.", "paid", 250)
SAIL = ("The sail is refused.", "refused", None)
ITEMS = [BOAT, OARS, MAST, SAIL]


def findings(
    items: list[tuple[str, str, int | None]], quotes: dict[str, str] | None = None, reasons: list[str] | None = None
) -> list[tuple[str, str]]:
    records = [dict(zip(("words", "outcome", "amount"), item, strict=True)) for item in items]
    answer = Order.model_validate({"items": records, "reasons": reasons or []})
    verdict = check(KIND, answer, READING, quotes)
    return [(f.code, f.path) for f in verdict.findings if f.severity == "error" and f.code != "unproven"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (ITEMS, []),
        ([BOAT, MAST, OARS, SAIL], [("record_order", "/items")]),
        ([BOAT, OARS, OARS, MAST, SAIL], [("record_doubled", "/items/2")]),
        ([BOAT, ("The oars are refused", "refused", None), ("are refused for want of proof.", "refused", None), MAST],
         [("record_doubled", "/items/2")]),
        # A paragraph between two records that none of them claims; behind the last there may be anything.
        ([BOAT, MAST, SAIL], [("unclaimed", "/items")]),
        ([BOAT, OARS, MAST], []),
        ([SAIL], []),
    ],
)  # fmt: skip
def test_records_that_no_reader_knows(
    items: list[tuple[str, str, int | None]], expected: list[tuple[str, str]]
) -> None:
    assert findings(items) == expected


def quotes(**changed: str) -> dict[str, str]:
    stated = {f"/items/{i}/outcome": item[0] for i, item in enumerate(ITEMS)}
    stated |= {"/items/0/amount": "100 dollars", "/items/2/amount": "250 dollars"}
    return {**stated, **{f"/items/{name[-1]}/{name[:-2]}": words for name, words in changed.items()}}


@pytest.mark.parametrize(
    ("items", "given", "expected"),
    [
        (ITEMS, quotes(), []),
        # The words are in the letter and give the value, but they are another record's.
        ([BOAT, ("The oars are refused for want of proof.", "paid", None), MAST, SAIL], quotes(outcome_1=BOAT[0]),
         [("quote_elsewhere", "/items/1/outcome")]),
        ([BOAT, OARS, ("The mast is paid with 250 dollars.", "paid", 100), SAIL], quotes(amount_2="100 dollars"),
         [("not_in_text", "/items/2/amount")]),
        ([BOAT, OARS, MAST, ("The sail is refused.", "paid", None)], quotes(),
         [("quote_elsewhere", "/items/3/outcome")]),
    ],
)  # fmt: skip
def test_a_quote_counts_inside_its_own_record_only(
    items: list[tuple[str, str, int | None]], given: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert findings(items, given) == expected


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([BOAT[0], OARS[0]], []),
        ([OARS[0], BOAT[0]], [("list_order", "/reasons")]),
        ([BOAT[0], BOAT[0]], [("list_item_extra", "/reasons")]),
    ],
)
def test_words_of_a_list_that_no_reader_knows(reasons: list[str], expected: list[tuple[str, str]]) -> None:
    assert findings(ITEMS, reasons=reasons) == expected


def test_a_section_of_law_that_an_earlier_record_cites_too_is_proven_by_its_quote() -> None:
    class Ground(StrictModel):
        words: Annotated[str, Verbatim("record")]
        laws: Annotated[list[str], Stated("record"), Cited("Act")]

    class Grounds(StrictModel):
        grounds: Annotated[list[Ground], Covers("words")]

    text = "The oars were lost. Act \u00a7\u00a7 12, 14.\n\nThe mast was old. Act \u00a7\u00a7 14, 20.\n"
    reading = Reading(Letter("x", text), Block(Span(0, len(text))))
    kind = LetterType("grounds", Grounds, lambda letter: reading)
    records = [
        {"words": "The oars were lost.", "laws": ["12", "14"]},
        {"words": "The mast was old.", "laws": ["14", "20"]},
    ]
    quoted = {"/grounds/0/laws": "12, 14", "/grounds/1/laws": "14, 20"}
    verdict = check(kind, Grounds.model_validate({"grounds": records}), reading, quoted)
    assert [verdict.proof[path] for path in quoted] == ["quote", "quote"]
    wrong = {**quoted, "/grounds/1/laws": "12, 14"}
    found = check(kind, Grounds.model_validate({"grounds": records}), reading, wrong).findings
    assert [(f.code, f.path) for f in found if f.blame == "answer"] == [("quote_elsewhere", "/grounds/1/laws")]


def test_a_paragraph_left_out_of_a_list_of_paragraphs_is_a_warning() -> None:
    answer = Order.model_validate({"items": [], "reasons": [BOAT[0], MAST[0]]})
    found = [f for f in check(KIND, answer, READING).findings if f.code == "unclaimed"]
    assert [(f.path, f.severity, f.span and f.span.of(TEXT)) for f in found] == [("/reasons", "warning", OARS[0])]


@given(st.lists(st.sampled_from([None, "a", "b", "a b", "b c", "c", "zz"]), max_size=8))
def test_each_part_holds_its_own_claim(texts: list[str | None]) -> None:
    letter = Letter("x", "a b c b a b c c a")
    region = Span(0, len(letter.text))
    claims = claims_of(texts, letter, region)
    assert all(claim is None or claim.of(letter.text) == text for claim, text in zip(claims, texts, strict=True))
    parts = own_parts(claims, region)
    assert all(region.covers(part) for part in parts)
    assert all(claim is None or part.covers(claim) for claim, part in zip(claims, parts, strict=True))
    if not out_of_order(claims) and not overlapping(claims):
        located = [claim for claim in claims if claim]
        assert all(one.end <= other.start for one, other in itertools.pairwise(located))
