"""What the agreement of two models clears, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.documents import Box, Word
from extractor.letters.letter import letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Covers, Stated, StrictModel, Verbatim
from extractor.lettertypes.findings import Finding, status_of
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Reading
from extractor.validator.agreement import CLEARABLE, Opinion, counterparts, is_worth_a_second_opinion, settle
from extractor.validator.checks import check
from extractor.validator.verdict import Verdict

TEXT = """\
ORDER of: Anna Vale, and Son, a sale.
Sent: 3/4/2020
Due: 5/6/2020
Boxes: 45, or 46
Pages: 3, 5
ITEM Blue van with trailer
ITEM Red cart
"""


class Item(StrictModel):
    title: Annotated[str, Verbatim(within="item", whole=True)]


class Order(StrictModel):
    buyer: Annotated[str | None, Verbatim(within="head", whole=True)]
    kind: Annotated[Literal["sale", "gift"] | None, Stated(within="head")]
    sent: Annotated[date | None, Stated(within="head")]
    due: Annotated[date | None, Stated(within="head")]
    boxes: Annotated[int | None, Stated(within="head")]
    pages: Annotated[list[int], Stated(within="head")]
    items: Annotated[list[Item], Covers(key="title")]


TRUE: dict[str, Any] = {
    "buyer": "Anna Vale",
    "kind": "sale",
    "sent": "2020-03-04",
    "due": "2020-05-06",
    "boxes": 45,
    "pages": [3, 5],
    "items": [{"title": "Blue van with trailer"}, {"title": "Red cart"}],
}
LETTER = letter_from_text(TEXT, letter_id="order")
TYPE = LetterType("order", Order, lambda letter: reading_of({}), protected=tuple(TRUE))


def at(words: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words))


FACTS = {
    "buyer": Fact("Anna Vale", (at("Anna Vale"),)),
    "kind": Fact("sale", (at("sale"),)),
    "sent": Fact(date(2020, 3, 4), (at("3/4/2020"),)),
    "due": Fact(date(2020, 5, 6), (at("5/6/2020"),)),
    "boxes": Fact(45, (at("45"),)),
    "pages": Fact([3, 5], (at("3, 5"),)),
}


def reading_of(facts: dict[str, Fact], titles: tuple[str, ...] = ("Blue van with trailer", "Red cart")) -> Reading:
    """A reading that differs from the letter in places."""
    head = Span(0, TEXT.index("ITEM"))
    items = [
        Block(at(f"ITEM {title}"), {"item": at(f"ITEM {title}")}, {"title": Fact(title, (at(title),))})
        for title in titles
    ]
    return Reading(LETTER, Block(Span(0, len(TEXT)), {"head": head}, {**FACTS, **facts}, {"items": items}))


def opinion(model: str, reading: Reading, changes: dict[str, Any]) -> Opinion:
    answer = Order.model_validate_json(Order.model_construct(**{**TRUE, **changes}).model_dump_json(warnings=False))
    return Opinion(model, answer, check(TYPE, answer, reading))


def settled(facts: dict[str, Fact], first: dict[str, Any], second: dict[str, Any]) -> Verdict:
    reading = reading_of(facts)
    return settle(TYPE, reading, opinion("openai/a", reading, first), opinion("other/b", reading, second))


def errors(verdict: Verdict) -> list[tuple[str, str]]:
    return [(each.code, each.path) for each in verdict.findings if each.severity == "error"]


SURE_46 = {"boxes": Fact(46, (at("46"),))}
MAYBE_46 = {"boxes": Fact(46, (at("46"),), certain=False)}
LONG = {"buyer": Fact("Anna Vale, and Son", (at("Anna Vale, and Son"),))}
# A reader that reads on into the next sentence, and one that takes two clauses more.
READS_ON = {"buyer": Fact("Anna Vale, and Son, a sale. Sent", (at("Anna Vale, and Son, a sale.\nSent"),))}
SWALLOWED = {"buyer": Fact("Anna Vale, and Son, a sale", (at("Anna Vale, and Son, a sale"),))}


@pytest.mark.parametrize(
    ("facts", "answer", "path", "words"),
    [
        pytest.param(MAYBE_46, {}, "/boxes", "45", id="a number that the reader perhaps reads otherwise"),
        pytest.param(
            READS_ON, {"buyer": "Anna Vale, and Son, a sale"}, "/buyer", "Anna Vale, and Son, a sale",
            id="a reader that reads on too far",
        ),
        pytest.param(LONG, {"buyer": "Anna Vale, and Son, a sale"}, "/buyer", "Anna Vale, and Son, a sale", id="too short"),
        pytest.param({"sent": Fact(date(2020, 3, 5), ())}, {}, "/sent", "3/4/2020", id="a date the reader misreads"),
        pytest.param(
            {"sent": Fact(date(2020, 3, 5), (), certain=False)}, {}, "/sent", "3/4/2020", id="a date it may misread"
        ),
    ],
)  # fmt: skip
def test_agreement_clears(facts: dict[str, Fact], answer: dict[str, Any], path: str, words: str) -> None:
    reading = reading_of(facts)
    before = opinion("openai/a", reading, answer).verdict
    after = settled(facts, answer, answer)
    [(code, flagged)] = errors(before)
    assert (code in CLEARABLE, flagged) == (True, path)
    assert status_of(after.findings) == "accepted"
    [remark] = [each for each in after.findings if each.path == path]
    assert (remark.code, remark.severity) == ("models_agree", "info")
    assert "openai/a" in remark.message
    assert "other/b" in remark.message
    assert [span.of(TEXT) for span in after.evidence[path]] == [words]
    assert after.proof[path] == "words"
    assert errors(before) == [(code, path)]


UNSURE_PAGES = {"pages": Fact([3, 5], (at("3, 5"),), certain=False)}
NO_DUE = {"due": Fact(None)}


@pytest.mark.parametrize(
    ("facts", "first", "second"),
    [
        pytest.param(SURE_46, {}, {"boxes": 46}, id="the second model sides with the reader"),
        pytest.param(SURE_46, {}, {"boxes": None}, id="the second model finds nothing"),
        pytest.param({}, {"boxes": 47}, {"boxes": 47}, id="a number that is not in the letter"),
        pytest.param({}, {"buyer": "Anna Dale"}, {"buyer": "Anna Dale"}, id="words that are not in the letter"),
        pytest.param({}, {"buyer": "Vale"}, {"buyer": "Vale"}, id="words that both cut out of their clause"),
        pytest.param(SURE_46, {}, {}, id="a number, though the reader points at another"),
        pytest.param(SWALLOWED, {}, {}, id="words that a comma parts from what the reader reads"),
        pytest.param(SWALLOWED, {"buyer": "Anna"}, {"buyer": "Anna"}, id="words that both cut short"),
        pytest.param({}, {"boxes": None}, {"boxes": None}, id="null, though the letter states a value"),
        pytest.param(NO_DUE, {}, {}, id="a value, though the reader is sure of silence"),
        pytest.param({}, {"kind": "gift"}, {"kind": "gift"}, id="a category, which is not printed"),
        pytest.param({}, {"sent": "2020-05-06"}, {"sent": "2020-05-06"}, id="the date of another field"),
        pytest.param(
            {}, {"sent": "2020-05-06", "due": "2020-03-04"}, {"sent": "2020-05-06", "due": "2020-03-04"}, id="swapped"
        ),
        pytest.param(UNSURE_PAGES, {}, {}, id="a list of which the reader is not certain"),
        pytest.param({}, {"pages": [3]}, {"pages": [3]}, id="a list that both cut short"),
        pytest.param({}, {"items": TRUE["items"][:1]}, {"items": TRUE["items"][:1]}, id="a record that both leave out"),
        pytest.param({}, {"items": TRUE["items"] * 2}, {"items": TRUE["items"] * 2}, id="records that both double"),
    ],
)
def test_agreement_never_clears(facts: dict[str, Fact], first: dict[str, Any], second: dict[str, Any]) -> None:
    before = opinion("openai/a", reading_of(facts), first).verdict
    assert errors(before)
    assert settled(facts, first, second).findings == before.findings


def test_a_letter_that_cannot_be_taken_apart_stays_with_a_person() -> None:
    reading = reading_of({})
    reading = replace(reading, root=replace(reading.root, certain=False))
    one, other = opinion("openai/a", reading, {}), opinion("other/b", reading, {})
    assert ("unread", "/items") in errors(settle(TYPE, reading, one, other))


@pytest.mark.parametrize(("sure", "left"), [(99.0, []), (80.0, [("unread", "/boxes"), ("unsure_value", "/boxes")])])
def test_doubts_of_ocr_stay_with_a_person(sure: float, left: list[tuple[str, str]]) -> None:
    reading = reading_of(MAYBE_46)
    scan = replace(LETTER, words=(Word(at("45"), 0, Box(0, 0, 1, 1), sure),))
    reading = replace(reading, letter=scan)
    one, other = opinion("openai/a", reading, {}), opinion("other/b", reading, {})
    assert errors(settle(TYPE, reading, one, other)) == left


@given(st.sampled_from(sorted(TRUE)), st.data())
def test_whatever_two_models_agree_on_no_lock_opens(name: str, data: st.DataObject) -> None:
    """Findings of other codes are the same before and after, and what is cleared is printed in the letter."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "buyer": st.sampled_from(["Anna", "Vale", "Anna Vale, and Son", "Son", "Bob", None]),
        "kind": st.sampled_from(["sale", "gift", None]),
        "boxes": st.one_of(st.none(), st.integers(0, 60)),
        "pages": st.lists(st.integers(0, 9), max_size=3),
        "items": st.lists(st.sampled_from(["Blue van", "Red cart", "Green"]).map(lambda title: {"title": title})),
    }
    change = {name: data.draw(values.get(name, st.dates(date(2020, 3, 1), date(2020, 6, 1)).map(str)))}
    reading = reading_of({}) if data.draw(st.booleans()) else reading_of(MAYBE_46)
    one, other = opinion("openai/a", reading, change), opinion("other/b", reading, change)
    after = settle(TYPE, reading, one, other)
    cleared = [finding for finding in one.verdict.findings if finding not in after.findings]
    assert {finding.code for finding in cleared} <= CLEARABLE
    assert len(after.findings) == len(one.verdict.findings)
    for finding in cleared:
        assert any(span.of(TEXT) for span in after.evidence[finding.path])


def test_records_are_matched_by_what_names_them() -> None:
    reading = reading_of({})
    one = opinion("openai/a", reading, {}).answer
    other = opinion("other/b", reading, {"items": TRUE["items"][::-1]}).answer
    found = counterparts(one, other)
    assert found["/items/0/title"].other_path == "/items/1/title"
    assert all(each.is_same for each in found.values())


@pytest.mark.parametrize(
    ("blame", "severity", "path", "wanted"),
    [
        ("answer", "error", "/boxes", True),
        ("unclear", "error", "/boxes", True),
        ("letter", "error", "/boxes", False),
        ("unclear", "warning", "/boxes", False),
        ("unclear", "error", "", False),
    ],
)
def test_what_is_worth_a_second_opinion(blame: Any, severity: Any, path: str, wanted: bool) -> None:
    assert is_worth_a_second_opinion(Finding("any", path, severity, blame, "m")) is wanted
