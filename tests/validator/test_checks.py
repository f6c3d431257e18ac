"""The validator's findings, whole: code, path, severity, blame, message, what was expected, what came, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import pytest

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Covers, Judged, Stated, StrictModel, Unchecked, Verbatim
from extractor.lettertypes.findings import Finding, plain, status_of, worth_asking_again
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Oddity, Reading, nothing_read
from extractor.validator.checks import check

TEXT = """LIST Alpha, made 3/4/2020, sent 5/6/2020.
PART one: 5 pieces, red, blue; rules A, b and C
BODY it was not good at all.
PART two: 7 pieces, green; no rules
BODY nothing to say here.
"""


class Part(StrictModel):
    name: Annotated[str, Verbatim(within="heading", whole=True)]
    pieces: Annotated[int | None, Stated(within="heading")]
    colours: Annotated[list[str], Verbatim(within="heading", whole=True)]
    rules: Annotated[list[str], Verbatim(within="heading", whole=True, joined=True)]
    mood: Annotated[str | None, Judged(quote="quote")]
    quote: Annotated[str | None, Verbatim(within="body", min_words=3)]


class Extras(StrictModel):
    weight: Annotated[int | None, Stated(within="scales")]


class Listing(StrictModel):
    title: Annotated[str | None, Verbatim(within="head", whole=True)]
    made: Annotated[date | None, Stated(within="head")]
    sent: Annotated[date | None, Stated(within="head")]
    extras: Extras
    note: Annotated[str | None, Unchecked("free words")]
    parts: Annotated[list[Part], Covers(key="name")]


def at(words: str, after: str = "") -> Span:
    start = TEXT.index(words, TEXT.index(after) if after else 0)
    return Span(start, start + len(words))


def part(name: str, heading: str, body: str, **facts: Fact) -> Block:
    span = Span(at(heading).start, at(body).end)
    return Block(span, {"heading": at(heading), "body": at(body)}, {"name": Fact(name, (at(name, heading),)), **facts})


ONE = part(
    "one",
    "one: 5 pieces, red, blue; rules A, b and C",
    "it was not good at all.",
    pieces=Fact(5, (at("5 pieces"),)),
    colours=Fact(["red", "blue"], (at("red"), at("blue"))),
    rules=Fact(["A, b and C"], (at("A, b and C"),)),
)
TWO = part(
    "two",
    "two: 7 pieces, green; no rules",
    "nothing to say here.",
    pieces=Fact(7, (at("7 pieces"),)),
    colours=Fact(["green"], (at("green"),)),
    rules=Fact([]),
)
HEAD = at("LIST Alpha, made 3/4/2020, sent 5/6/2020.")
WHOLE = Span(0, len(TEXT))
READING = Reading(
    Letter("x", TEXT),
    Block(
        WHOLE,
        {"head": HEAD},
        {
            "title": Fact("Alpha", (at("Alpha"),)),
            "made": Fact(date(2020, 3, 4), (at("3/4/2020"),)),
            "sent": Fact(None, certain=False),
        },
        {"parts": [ONE, TWO]},
    ),
)
KIND = LetterType("listing", Listing, lambda letter: READING)


def answer() -> dict[str, Any]:
    return {
        "title": "Alpha",
        "made": date(2020, 3, 4),
        "sent": None,
        "extras": {"weight": None},
        "note": "whatever",
        "parts": [
            {
                "name": "one",
                "pieces": 5,
                "colours": ["red", "blue"],
                "rules": ["A", "b and C"],
                "mood": "bad",
                "quote": "it was not good",
            },
            {"name": "two", "pieces": 7, "colours": ["green"], "rules": [], "mood": None, "quote": None},
        ],
    }


def found(change: Callable[[dict[str, Any]], Any], reading: Reading = READING) -> list[Finding]:
    given = answer()
    change(given)
    return check(KIND, Listing.model_validate(given), reading).findings


def put(way: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(given: dict[str, Any]) -> None:
        *steps, last = way.split("/")
        place: Any = given
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value

    return change


def wrong(
    code: str, path: str, message: str, expected: Any = None, got: Any = None, span: Span | None = None
) -> Finding:
    return Finding(code, path, "error", "answer", message, expected, got, span)


def test_the_true_answer_is_proven_leaf_by_leaf() -> None:
    verdict = check(KIND, Listing.model_validate(answer()), READING)
    assert verdict.findings == []
    assert {path: [span.of(TEXT) for span in spans] for path, spans in verdict.evidence.items()} == {
        "/title": ["Alpha"],
        "/made": ["3/4/2020"],
        "/parts/0/name": ["one"],
        "/parts/0/pieces": ["5 pieces"],
        "/parts/0/colours": ["red", "blue"],
        "/parts/0/rules": ["A", "b and C"],
        "/parts/0/mood": ["it was not good"],
        "/parts/0/quote": ["it was not good"],
        "/parts/1/name": ["two"],
        "/parts/1/pieces": ["7 pieces"],
        "/parts/1/colours": ["green"],
    }


ELSE = "the letter says something else here"
SILENT = "the letter states a value here"
NO_VALUE = "the letter states no value here"
NOT_LISTED = "the letter does not list this here"
LEFT_OUT = "the letter lists this, the answer does not"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("title", None), [wrong("null_but_stated", "/title", SILENT, "Alpha", None, at("Alpha"))]),
        (put("title", "Alpha, made"), [wrong("value_differs", "/title",
            "these words are only a part of the letter's, or more than them", "Alpha", "Alpha, made", at("Alpha"))]),
        (put("title", "Beta"), [wrong("not_in_text", "/title", "these words do not stand in the head", "Alpha", "Beta", at("Alpha"))]),
        (put("made", date(2020, 4, 3)), [wrong("value_differs", "/made", ELSE, "2020-03-04", "2020-04-03", at("3/4/2020"))]),
        (put("sent", date(2021, 1, 1)), [wrong("not_in_text", "/sent", "this is not in the head",
            None, "2021-01-01", HEAD)]),
        (put("sent", date(2020, 5, 6)), [Finding("unread", "/sent", "warning", "unclear",
            "the reader is not certain here, and read another value", None, "2020-05-06", None)]),
        (put("extras", {"weight": 5}), []),
        (put("extras", {"weight": 33}), [wrong("not_in_text", "/extras/weight", "this is not in the scales", None, 33, WHOLE)]),
        (put("parts/0/pieces", 6), [wrong("value_differs", "/parts/0/pieces", ELSE, 5, 6, at("5 pieces"))]),
        (put("parts/0/pieces", None), [wrong("null_but_stated", "/parts/0/pieces", SILENT, 5, None, at("5 pieces"))]),
        (put("parts/0/colours", ["blue", "red"]), [wrong("list_order", "/parts/0/colours",
            "the letter has these in another order", ["red", "blue"], ["blue", "red"], at("red"))]),
        (put("parts/0/colours", ["red"]), [wrong("list_item_missing", "/parts/0/colours", LEFT_OUT, "blue", ["red"], at("red"))]),
        (put("parts/0/colours", ["red", "blue", "red"]), [wrong("list_item_extra", "/parts/0/colours/2", NOT_LISTED,
            ["red", "blue"], "red", at("red"))]),
        (put("parts/0/colours", []), [wrong("list_item_missing", "/parts/0/colours", SILENT, ["red", "blue"], [], at("red"))]),
        (put("parts/0/colours", ["red", "green"]), [wrong("not_in_text", "/parts/0/colours/1",
            "these words do not stand in the heading", ["red", "blue"], "green", at("red"))]),
        (put("parts/0/rules", ["A"]), [
            wrong("list_item_extra", "/parts/0/rules/0", NOT_LISTED, ["A, b and C"], "A", at("A, b and C")),
            wrong("list_item_missing", "/parts/0/rules", LEFT_OUT, "A, b and C", ["A"], at("A, b and C"))]),
        (put("parts/0/colours", ["black", "green"]), [
            wrong("not_in_text", "/parts/0/colours/0", "these words do not stand in the heading", ["red", "blue"], "black", at("red")),
            wrong("not_in_text", "/parts/0/colours/1", "these words do not stand in the heading", ["red", "blue"], "green", at("red"))]),
        (put("parts/0/quote", "it was not"), []),
        (put("parts/1/rules", ["no"]), [wrong("list_item_extra", "/parts/1/rules/0", NOT_LISTED, [], "no")]),
        (put("parts/0/quote", None), [wrong("quote_missing", "/parts/0/quote", "quote must hold the words this rests on")]),
        (put("parts/0/mood", None), [wrong("judgement_missing", "/parts/0/mood", "quote is given, the judgment is not")]),
        (put("parts/0/quote", "good at all."), [wrong("quote_cut", "/parts/0/quote",
            "the letter has a negation right before these words", None, "good at all.", at("good at all."))]),
        (put("parts/0/rules", ["A", "b", "C"]), []),
        (put("parts/0/rules", ["A, b and C"]), []),
        (put("parts/0/quote", "not good"), [wrong("quote_too_short", "/parts/0/quote", "a quote needs 3 words", None, "not good")]),
        (put("parts/0/quote", "it was good"), [wrong("not_in_text", "/parts/0/quote", "these words do not stand in the body",
            None, "it was good", ONE.regions["body"])]),
        (put("parts/0/quote", "nothing to say"), [wrong("not_in_text", "/parts/0/quote", "these words do not stand in the body",
            None, "nothing to say", ONE.regions["body"])]),
        (lambda a: a["parts"].pop(0), [wrong("record_missing", "/parts", "part 1 of 2 of the letter is claimed by no record",
            "one", None, ONE.span)]),
        (lambda a: a["parts"].append(dict(a["parts"][1], name="six")), [wrong("record_extra", "/parts/2",
            "no part of the letter is left for this record", None, "six")]),
        (lambda a: a["parts"].append(dict(a["parts"][1])), [wrong("record_doubled", "/parts/2",
            "no part of the letter is left for this record", None, "two", TWO.span)]),
        (lambda a: a["parts"].reverse(), [wrong("record_order", "/parts", "the records do not follow the letter's order",
            ["one", "two"], ["two", "one"])]),
    ],
)  # fmt: skip
def test_one_mistake_one_finding(change: Callable[[dict[str, Any]], Any], expected: list[Finding]) -> None:
    got = [replace(f, expected=plain(f.expected), got=plain(f.got)) for f in found(change)]
    assert got == expected


def test_a_printed_date_is_pointed_at() -> None:
    given = answer()
    given["sent"] = date(2020, 5, 6)
    verdict = check(KIND, Listing.model_validate(given), READING)
    assert [span.of(TEXT) for span in verdict.evidence["/sent"]] == ["5/6/2020"]


def reading_with(**changes: Any) -> Reading:
    return replace(READING, root=replace(READING.root, **changes))


def test_a_value_where_the_letter_states_none() -> None:
    silent = reading_with(facts={**READING.root.facts, "title": Fact(None), "made": Fact(None)})
    assert found(lambda a: None, silent) == [
        wrong("not_stated", "/title", NO_VALUE, None, "Alpha"),
        wrong("not_stated", "/made", NO_VALUE, None, "2020-03-04"),
    ]


def test_where_the_reader_had_to_choose_nobody_is_blamed() -> None:
    unsure = reading_with(
        facts={**READING.root.facts, "title": Fact("Alpha, made", (at("Alpha, made"),), certain=False)}
    )
    message = "these words are only a part of the letter's, or more than them"
    assert found(lambda a: None, unsure) == [
        Finding("unread", "/title", "warning", "unclear", message, "Alpha, made", "Alpha", at("Alpha, made"))
    ]
    assert found(put("title", None), unsure) == []


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        (["red", "blue"], None),
        (["red"], "warning"),
        ([], "warning"),
    ],
)
@pytest.mark.parametrize("protected", [False, True])
def test_a_list_that_the_reader_is_not_sure_of(value: list[str], severity: str | None, protected: bool) -> None:
    class Sure(StrictModel):
        colours: Annotated[list[str], Stated(within="head")]

    fact = Fact(["red", "blue"], (at("red"), at("blue")), certain=False)
    reading = Reading(Letter("x", TEXT), Block(HEAD, {"head": HEAD}, {"colours": fact}))
    kind = LetterType("sure", Sure, lambda letter: reading, protected=("colours",) if protected else ())
    verdict = check(kind, Sure(colours=value), reading)
    assert verdict.evidence == ({"/colours": [at("red"), at("blue")]} if value == fact.value else {})
    # On a protected leaf a person looks in any case; elsewhere only if the answer differs.
    expected = "error" if protected else severity
    assert [(f.code, f.severity, f.blame) for f in verdict.findings] == (
        [("unread", expected, "unclear")] if expected else []
    )


def test_silence_where_the_reader_is_not_sure() -> None:
    unsure = reading_with(
        facts={**READING.root.facts, "made": Fact(date(2020, 3, 4), (at("3/4/2020"),), certain=False)}
    )
    message = "the letter may state a value here"
    assert found(put("made", None), unsure) == [
        Finding("unread", "/made", "warning", "unclear", message, "2020-03-04", None, at("3/4/2020"))
    ]


def test_a_part_that_the_reader_knows_of_but_cannot_find() -> None:
    unsure = reading_with(regions={}, facts={"made": Fact(None, certain=False)})
    assert [(f.path, f.code, f.blame) for f in found(put("title", None), unsure)] == [("/made", "unread", "unclear")]


def test_a_quote_may_occur_elsewhere_without_its_negation() -> None:
    text = "It was not good at all. The food was good at all."

    class Quoted(StrictModel):
        quote: Annotated[str | None, Verbatim(within="body", min_words=3)]

    for end, codes in ((len(text), []), (23, ["quote_cut"])):
        reading = Reading(Letter("x", text), Block(Span(0, end), {"body": Span(0, end)}))
        kind = LetterType("quoted", Quoted, lambda letter, reading=reading: reading)
        assert [f.code for f in check(kind, Quoted(quote="good at all."), reading).findings] == codes


def test_a_part_that_was_not_taken_apart_goes_to_a_person() -> None:
    message = "the reader cannot parse this part of the letter; compare it with the letter"
    assert found(lambda a: None, reading_with(certain=False)) == [
        Finding("unread", "/parts", "error", "unclear", message, span=READING.root.span)
    ]


def test_what_is_no_letter_and_what_is_odd() -> None:
    odd = Oddity("strange", "it is strange", at("Alpha"), "error")
    assert found(lambda a: None, replace(READING, oddities=(odd,))) == [
        Finding("strange", "", "error", "letter", "it is strange", span=at("Alpha"))
    ]
    assert found(lambda a: None, nothing_read(READING.letter, "not a list")) == [
        Finding("not_a_letter", "", "error", "letter", "not a list")
    ]


def test_rules_see_each_record_with_its_own_block() -> None:
    seen = []

    def rule(record: Any, block: Block, letter: Letter, path: str) -> list[Finding]:
        seen.append((record.name, block.facts["name"].value, letter.id, path))
        return [Finding("mine", path, "warning", "letter", "looked")]

    kind = replace(KIND, rules={Part: (rule,)})
    given = answer()
    given["parts"].reverse()
    codes = [f.code for f in check(kind, Listing.model_validate(given), READING).findings]
    assert sorted(seen) == [("one", "one", "x", "/parts/1"), ("two", "two", "x", "/parts/0")]
    assert codes == ["mine", "mine", "record_order"]


def test_equal_words_are_proven_one_after_the_other() -> None:
    text = "LIST red, red, blue"
    fact = Fact(["red", "red"], (Span(5, 8), Span(10, 13)))
    block = Block(Span(0, 19), {"heading": Span(0, 19)}, {"colours": fact})

    class Colours(StrictModel):
        colours: Annotated[list[str], Verbatim(within="heading", whole=True)]

    kind = LetterType("colours", Colours, lambda letter: Reading(letter, block))
    for colours in (["red", "red"], ["red", "blue"]):
        verdict = check(kind, Colours(colours=colours), Reading(Letter("x", text), block))
        spans = verdict.evidence["/colours"]
        assert [span.of(text) for span in spans] == colours
        assert spans == sorted(set(spans))


def test_status_and_what_is_worth_asking_again() -> None:
    error, letters, warning = (
        Finding("a", "", "error", "answer", ""),
        Finding("b", "", "error", "letter", ""),
        Finding("c", "", "warning", "answer", ""),
    )
    assert [status_of(each) for each in ([], [warning], [letters], [error])] == [
        "accepted",
        "accepted",
        "needs_review",
        "needs_review",
    ]
    assert worth_asking_again([error, letters, warning]) == [error]


def test_a_finding_as_json() -> None:
    finding = Finding("a", "/b", "error", "answer", "m", {"x": date(2020, 1, 2)}, (1, date(2020, 1, 2)), Span(3, 4))
    assert finding.as_dict() == {
        "code": "a", "path": "/b", "severity": "error", "blame": "answer", "message": "m", "expected": {"x": "2020-01-02"},
        "got": [1, "2020-01-02"], "span": {"start": 3, "end": 4},
    }  # fmt: skip
