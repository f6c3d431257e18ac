"""A reader without a view, and an uncertain one: what is never blamed on the answer, and what always is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

import pytest

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Covers, Judged, Stated, StrictModel, Unchecked, Verbatim
from extractor.lettertypes.findings import status_of, worth_asking_again
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Reading
from extractor.validator.checks import check

TEXT = "ORDER of 3/4/2020. Claim one is granted. Claim two is denied, and 20 percent was asked for."


class Claim(StrictModel):
    name: Annotated[str, Verbatim(within="claim")]
    outcome: Annotated[Literal["granted", "denied"], Stated(within="claim")]


class Order(StrictModel):
    made: Annotated[date | None, Stated(within="order")]
    percent: Annotated[int | None, Stated(within="order")]
    mood: Annotated[str | None, Judged(quote="words")]
    words: Annotated[str | None, Verbatim(within="order", min_words=3)]
    note: Annotated[str | None, Unchecked("free words")]
    claims: Annotated[list[Claim], Covers(key="name")]


KIND = LetterType("order", Order, lambda letter: READING, protected=("made", "claims/outcome"))
WHOLE = Span(0, len(TEXT))
READING = Reading(Letter("x", TEXT), Block(WHOLE))
TRUE: dict[str, Any] = {
    "made": date(2020, 3, 4),
    "percent": 20,
    "mood": "mixed",
    "words": "Claim one is granted.",
    "note": None,
    "claims": [{"name": "Claim one", "outcome": "granted"}, {"name": "Claim two", "outcome": "denied"}],
}
EMPTY: dict[str, Any] = {"made": None, "percent": None, "mood": None, "words": None, "note": None, "claims": []}


def found(answer: dict[str, Any], reading: Reading = READING) -> set[tuple[str, str, str]]:
    verdict = check(KIND, Order.model_validate(answer), reading)
    return {(f.code, f.path, f.blame) for f in verdict.findings if f.severity == "error"}


def test_a_true_answer_without_any_reader_is_never_blamed() -> None:
    verdict = check(KIND, Order.model_validate(TRUE), READING)
    assert worth_asking_again(verdict.findings) == []
    assert verdict.proof == {
        "/made": "words",
        "/percent": "words",
        "/mood": "judged",
        "/words": "words",
        "/note": "nothing",
        "/claims": "nothing",
        "/claims/0/name": "words",
        "/claims/0/outcome": "nothing",
        "/claims/1/name": "words",
        "/claims/1/outcome": "nothing",
    }
    # A protected value that nothing proves needs review.
    assert found(TRUE) == {("unproven", f"/claims/{i}/outcome", "unclear") for i in (0, 1)}


def test_an_emptied_answer_without_any_reader_is_not_accepted() -> None:
    verdict = check(KIND, Order.model_validate(EMPTY), READING)
    assert set(verdict.proof.values()) == {"nothing"}
    assert found(EMPTY) == {("unproven", "/made", "unclear"), ("unproven", "/claims", "unclear")}
    assert status_of(verdict.findings) == "needs_review"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"made": date(2020, 3, 5)}, ("not_in_text", "/made")),
        ({"percent": 30}, ("not_in_text", "/percent")),
        ({"words": "Claim three is granted."}, ("not_in_text", "/words")),
        ({"claims": [{"name": "Claim four", "outcome": "denied"}]}, ("not_in_text", "/claims/0/name")),
    ],
)
def test_what_is_printed_nowhere_is_wrong_without_any_reader(change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert (*expected, "answer") in found({**TRUE, **change})


@pytest.mark.parametrize(
    ("fact", "made", "level", "code"),
    [
        (Fact(date(2020, 3, 4), (Span(9, 17),)), date(2020, 3, 4), "place", None),
        (Fact(date(2020, 3, 4), (Span(9, 17),)), date(2020, 3, 5), "nothing", ("value_differs", "answer")),
        (Fact(date(2020, 3, 4), (Span(9, 17),)), None, "nothing", ("null_but_stated", "answer")),
        (Fact(None), None, "place", None),
        (Fact(None), date(2020, 3, 4), "nothing", ("not_stated", "answer")),
        (Fact(date(2020, 3, 4), (Span(9, 17),), certain=False), date(2020, 3, 4), "words", None),
        (Fact(None, certain=False), date(2020, 3, 4), "words", ("unread", "unclear")),
        (Fact(None, certain=False), date(2020, 3, 5), "nothing", ("not_in_text", "answer")),
        (Fact(date(2020, 3, 4), (Span(9, 17),), certain=False), None, "nothing", ("unread", "unclear")),
        (Fact(None, certain=False), None, "words", None),
        (None, date(2020, 3, 4), "words", None),
        (None, date(2020, 3, 5), "nothing", ("not_in_text", "answer")),
        (None, None, "nothing", ("unproven", "unclear")),
    ],
)
def test_one_value_under_every_view_of_the_reader(
    fact: Fact | None, made: date | None, level: str, code: tuple[str, str] | None
) -> None:
    root = Block(WHOLE, {"order": WHOLE}, {"made": fact} if fact else {})
    verdict = check(KIND, Order.model_validate({**TRUE, "made": made}), replace(READING, root=root))
    assert verdict.proof["/made"] == level
    assert [(f.code, f.blame) for f in verdict.findings if f.path == "/made"] == ([code] if code else [])


def test_every_leaf_has_a_level() -> None:
    verdict = check(KIND, Order.model_validate(TRUE), READING)
    leaves = {"made", "percent", "mood", "words", "note", "claims"}
    assert {path.split("/")[1] for path in verdict.proof} == leaves


# ---- parts that may be records, or not -----------------------------------------------------------------

FIRST, SECOND, REST = Span(19, 40), Span(41, 61), Span(61, len(TEXT))


def _claim(span: Span, value: str) -> Block:
    return Block(span, {"claim": span}, {"name": Fact(value, (Span(span.start, span.start + 9),))})


def in_doubt(*possible: Span) -> Reading:
    """The reader knows the first claim, and is not certain whether further parts are claims."""
    root = Block(WHOLE, blocks={"claims": [_claim(FIRST, "Claim one")]}, possible={"claims": possible})
    return Reading(Letter("x", TEXT), root)


def claims(*names: str) -> dict[str, Any]:
    return {**EMPTY, "claims": [{"name": name, "outcome": "granted"} for name in names]}


@pytest.mark.parametrize(
    ("possible", "names", "expected"),
    [
        # A record in a part that may be one is looked up there, and left to a person.
        ([SECOND], ["Claim one", "Claim two"], {("unread", "/claims/1", "unclear")}),
        ([SECOND], ["Claim one", "Claim two", "Claim six"], {("unread", "/claims/1", "unclear"), ("record_extra", "/claims/2", "answer")}),
        # Words that the part does not have are wrong, whatever the part is.
        ([SECOND], ["Claim one", "Claim six"], {("unread", "/claims/1", "unclear"), ("not_in_text", "/claims/1/name", "answer")}),
        # Nobody is blamed for a part that no record takes.
        ([SECOND, REST], ["Claim one"], {("unread", "/claims", "unclear")}),
        ([], ["Claim one", "Claim two"], {("record_extra", "/claims/1", "answer")}),
    ],
)  # fmt: skip
def test_a_part_that_may_be_a_record(
    possible: list[Span], names: list[str], expected: set[tuple[str, str, str]]
) -> None:
    seen = found(claims(*names), in_doubt(*possible))
    assert {each for each in seen if each[0] != "unproven"} == expected
