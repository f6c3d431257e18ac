"""The reader that is derived from declared places, on a made-up letter type (tests/support/claims.py)."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.reading import Block
from extractor.models.offline import fill, values
from extractor.validator.checks import check
from tests.support.claims import LETTER, LETTER_TYPE, read

READ = values(LETTER_TYPE.schema, read().root)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("claim_number", "AB-1234"),
        ("received", date(2020, 2, 1)),
        ("dated", date(2020, 3, 4)),
        ("office", "Old Harbour, Pier 2"),
        ("share", Decimal(40)),
        ("pages", 12),
        ("urgent", True),
        ("by_post", False),
        ("copies_to", ["A. Rowe", "B. Stone", "C. Mill"]),
        ("reasons", [
            "The boat was insured under Claims Act §§ 12, 14(b) and 20-22.",
            "The oars were lost at sea, which the policy does not cover. Claims Act § 12.",
            "The mast was old.",
        ]),
        ("laws", ["12", "14(b)", "20-22"]),
        ("signed_by", ["Mary Ann Holt", "P. Q. Rusk"]),
        ("last_word", "old."),
    ],
)  # fmt: skip
def test_each_place_is_read(name: str, value: Any) -> None:
    assert READ[name] == value
    assert read().root.facts[name].certain


def test_records_are_cut_where_a_sentence_decides_two_items() -> None:
    assert [(one["outcome"], one["amount"], one["sentence"]) for one in READ["items"]] == [
        ("paid", Decimal("1250.50"), "The boat is paid with $1,250.50"),
        ("refused", None, "the oars are refused."),
        ("refused", None, "The mast is turned down."),
        ("referred", None, "The sail is a matter for the harbour master."),
    ]


def test_no_place_is_no_view() -> None:
    reading = read()
    assert not {"tone", "tone_quote", "weight"} & set(reading.root.facts)
    assert "documents" not in reading.root.facts  # the reasons may name documents in prose


def _changed(old: str, new: str) -> dict[str, Any]:
    assert old in LETTER
    return dict(read(LETTER.replace(old, new)).root.facts)


@pytest.mark.parametrize(
    ("old", "new", "name", "value", "certain"),
    [
        # A label with nothing behind it, or none at all: the letter is silent.
        ("Received: 2/1/2020", "Received:", "received", None, True),
        ("Received: 2/1/2020", "", "received", None, True),
        ("Claim No. AB-1234", "Claim No. AB-1234\nDate sent", "claim_number", "AB-1234", True),
        # Words behind a label that are not understood: uncertain, never a certain null.
        ("Received: 2/1/2020", "Received: last spring", "received", None, False),
        ("Pages: twelve", "Pages: several", "pages", None, False),
        ("Sent by post: no", "Sent by post: perhaps", "by_post", None, False),
        ("Sent by post: no", "Sent by post: yes or no", "by_post", True, False),
        ("URGENT ", "", "urgent", False, True),
        ("Share: 40 percent", "Share:", "share", None, True),
        ("Received: 2/1/2020", "Received: 2/1/2020 or 2/2/2020", "received", date(2020, 2, 1), False),
        ("Date: March 4, 2020", "Date:\nMarch 4, 2020\n", "dated", None, False),
        # Another wording of the label, and one that a scan has spoilt.
        ("Received: 2/1/2020", "Received on 2/1/2020", "received", date(2020, 2, 1), True),
        ("Received: 2/1/2020", "Rece1ved: 2/1/2020", "received", date(2020, 2, 1), True),
        # Stated in two places that differ.
        ("Your claim AB1234", "Your claim AB1235", "claim_number", "AB-1234", False),
        ("Your claim AB1234", "Your matter", "claim_number", "AB-1234", True),
        # The heading of a section in another wording, with a scan's look-alikes, in capitals or not.
        ("GROUND OF THE DECISION", "Reasons:", "last_word", "old.", True),
        ("GROUND OF THE DECISION", "GR0UNDS 0F THE DECI5ION", "last_word", "old.", True),
        ("Mary Ann Holt\t\tP. Q. Rusk\nClaims Officer\t\tClaims Officer", "Mary Ann Holt\nClaims Officer", "signed_by",
         ["Mary Ann Holt"], True),
        ("Mary Ann Holt\t\tP. Q. Rusk", "Mary Ann Holt", "signed_by", [], False),
        ("Mary Ann Holt\t\tP. Q. Rusk", "on behalf of 12 others\t\tP. Q. Rusk", "signed_by", ["P. Q. Rusk"], False),
    ],
)  # fmt: skip
def test_silence_doubt_and_wordings(old: str, new: str, name: str, value: Any, certain: bool) -> None:
    fact = _changed(old, new)[name]
    assert (fact.value, fact.certain) == (value, certain)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("Received: 2/1/2020", "Received: last spring", "/received"),
        ("Pages: twelve", "Pages: several", "/pages"),
        ("Sent by post: no", "Sent by post: perhaps", "/by_post"),
        ("Share: 40 percent", "Share: most of it", "/share"),
        ("Claim No. AB-1234", "Claim No. lost", "/claim_number"),
        ("Mary Ann Holt\t\tP. Q. Rusk", "Mary Ann Holt", "/signed_by"),
    ],
)
def test_null_for_words_that_are_not_understood_is_never_accepted(old: str, new: str, path: str) -> None:
    text = LETTER.replace("Your claim AB1234", "Your claim")
    assert old in text
    reading = read(text.replace(old, new))
    answer = fill(LETTER_TYPE.schema, reading.root)
    found = [f for f in check(LETTER_TYPE, answer, reading).findings if f.severity == "error"]
    assert [(f.code, f.path, f.blame) for f in found] == [("unread", path, "unclear")]


def test_an_enum_behind_a_negation_is_not_understood() -> None:
    block = read(LETTER.replace("The mast is turned down.", "The mast is not refused.")).root.blocks["items"][2]
    assert (block.facts["outcome"].value, block.facts["outcome"].certain) == (None, False)


def test_places_that_differ_blame_the_letter() -> None:
    reading = read(LETTER.replace("Your claim AB1234", "Your claim AB1235"))
    assert [odd.code for odd in reading.oddities] == ["places_disagree"]
    answer = fill(LETTER_TYPE.schema, reading.root)
    found = [f for f in check(LETTER_TYPE, answer, reading).findings if f.code == "places_disagree"]
    assert [(f.severity, f.blame) for f in found] == [("error", "letter")]


def test_a_heading_that_occurs_twice() -> None:
    text = LETTER.replace("GROUND OF", "DECISION\n\nThe rudder is paid with $3.\n\nGROUND OF")
    reading = read(text)
    assert [odd.code for odd in reading.oddities] == ["heading_twice"]
    found = values(LETTER_TYPE.schema, reading.root)["items"]
    assert [one["outcome"] for one in found] == ["paid", "refused", "refused", "referred", "paid"]


def test_sections_in_another_order() -> None:
    head, rest = LETTER.split("DECISION\n", 1)
    decision, rest = rest.split("REFERRED", 1)
    reasons, signed = rest.split("______")
    moved = f"{head}REFERRED{reasons}DECISION\n{decision}______{signed}"
    found = values(LETTER_TYPE.schema, read(moved).root)
    assert found["reasons"] == READ["reasons"]
    assert sorted(str(one["outcome"]) for one in found["items"]) == ["paid", "referred", "refused", "refused"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Dear Sir, nothing to decide.", "landmark"),
        ("Claims Office of Northmark\n\nReasons\n\nThe mast was old.\n", "sections"),
    ],
)
def test_letters_of_other_kinds_are_not_read(text: str, note: str) -> None:
    reading = read(text)
    assert not reading.recognized
    assert note in reading.note
    assert not reading.root.facts


def test_two_letters_in_one_text_and_a_repeated_head() -> None:
    assert LETTER_TYPE.starts is not None
    second = LETTER.replace("Northmark", "Southmark")
    assert LETTER_TYPE.starts(LETTER + second) == [0, len(LETTER)]
    assert LETTER_TYPE.starts(LETTER + LETTER) == [0]  # its head again, on the next page


def test_the_reading_satisfies_the_checks() -> None:
    reading = read()
    answer = fill(LETTER_TYPE.schema, reading.root)
    assert [f for f in check(LETTER_TYPE, answer, reading).findings if f.severity == "error"] == []
    assert json.loads(answer.model_dump_json())["claim_number"] == "AB-1234"


def test_rows_for_people() -> None:
    assert LETTER_TYPE.rows is not None
    rows = LETTER_TYPE.rows(READ)
    assert rows[0] == {"sentence": "The boat is paid with $1,250.50", "outcome": "paid", "amount": "1250.50"}


@given(st.lists(st.sampled_from([*LETTER.split("\n"), "", "Date:", "DECISION", "1. It is paid.", "\t|"]), max_size=40))
def test_any_text_is_read_without_error_and_every_span_lies_in_it(lines: list[str]) -> None:
    text = "Claims Office of Northmark\nDECISION\n" + "\n".join(lines)
    reading = LETTER_TYPE.read(letter_from_text(text, letter_id="any"))

    def walk(block: Block, outer: int) -> None:
        assert 0 <= block.span.start <= block.span.end <= len(text)
        for fact in block.facts.values():
            for span in fact.spans:
                assert 0 <= span.start <= span.end <= len(text)
            if fact.certain and isinstance(fact.value, str) and fact.spans:
                assert (
                    fact.value == " ".join(fact.spans[0].of(reading.letter.view.text).split()) or len(fact.value) < 10
                )
        for inner in block.blocks.values():
            assert [one.span for one in inner] == sorted(one.span for one in inner)
            for one in inner:
                walk(one, outer)

    walk(reading.root, len(text))
