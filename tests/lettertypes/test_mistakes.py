"""Mistakes that follow from a schema alone, on a made-up letter type (tests/support/claims.py)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from extractor.evaluation.scores.planted import measure
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.mistakes import planters_of
from extractor.models.offline import fill
from tests.support.claims import LETTER, LETTER_TYPE, read

READING = read()
ANSWER = json.loads(fill(LETTER_TYPE.schema, READING.root).model_dump_json())


def _planted(kind: str, path: str) -> list[Any]:
    found = []
    for mistake in planters_of(LETTER_TYPE.schema)[kind](ANSWER, READING):
        if mistake.paths[0] == path:
            value: Any = mistake.answer
            for step in path.split("/")[1:]:
                value = value[int(step)] if isinstance(value, list) else value[step]
            found.append(value)
    return found


@pytest.mark.parametrize(
    ("kind", "path", "values"),
    [
        ("enum_flipped", "/items/0/outcome", ["refused", "referred"]),
        ("yes_and_no_flipped", "/urgent", [False]),
        ("date_shifted_by_a_day", "/dated", ["2020-03-03", "2020-03-05"]),
        ("month_and_day_swapped", "/dated", ["2020-04-03"]),
        ("another_date_of_the_letter", "/dated", ["2020-02-01"]),
        ("value_of_a_sibling", "/received", ["2020-03-04"]),
        ("number_changed", "/pages", [13, 11]),
        ("digit_changed", "/claim_number", ["AB-2234", "AB-1334"]),
        ("words_cut", "/office", ["Old Harbour, Pier", "Harbour, Pier 2"]),
        ("null_for_a_value", "/office", [None]),
        ("null_for_a_value", "/copies_to", [[]]),
        ("value_for_a_null", "/items/3/amount", ["1250.50"]),
        ("item_dropped", "/laws", [["14(b)", "20-22"], ["12", "20-22"]]),
        ("item_doubled", "/signed_by", [["Mary Ann Holt", "Mary Ann Holt", "P. Q. Rusk"], ["Mary Ann Holt", "P. Q. Rusk", "P. Q. Rusk"]]),
        ("items_swapped", "/signed_by", [["P. Q. Rusk", "Mary Ann Holt"]]),
        ("items_merged", "/signed_by", [["Mary Ann Holt P. Q. Rusk"]]),
        ("item_cut", "/signed_by", [["Mary Ann", "P. Q. Rusk"], ["Mary Ann Holt", "P. Q."]]),
    ],
)  # fmt: skip
def test_the_wrong_values_of_a_kind(kind: str, path: str, values: list[Any]) -> None:
    assert _planted(kind, path) == values


def test_records_are_dropped_doubled_swapped_merged_and_invented() -> None:
    items = ANSWER["items"]
    assert _planted("record_dropped", "/items")[0] == items[1:]
    assert _planted("record_doubled", "/items")[0] == [items[0], *items]
    assert _planted("records_swapped", "/items")[0] == [items[1], items[0], *items[2:]]
    assert len(_planted("records_merged", "/items")[0]) == len(items) - 1
    assert len(_planted("record_invented", "/items")[0]) == len(items) + 1


def test_what_nothing_checks_is_not_planted() -> None:
    for planter in planters_of(LETTER_TYPE.schema).values():
        for mistake in planter(ANSWER, READING):
            assert mistake.paths[0] not in ("/weight", "/tone")


def test_every_mistake_is_one_and_the_schema_can_hold_it() -> None:
    for kind, planter in planters_of(LETTER_TYPE.schema).items():
        for mistake in planter(ANSWER, READING):
            assert mistake.answer != ANSWER, kind
            LETTER_TYPE.schema.model_validate_json(json.dumps(mistake.answer))


def test_a_new_type_is_measured_on_its_first_day() -> None:
    report = measure(LETTER_TYPE, [(letter_from_text(LETTER, letter_id="claim"), ANSWER)])
    assert report.planted > 120
    # Of the documents the reader has no view: two invented ones pass, and the measure shows it.
    assert report.planted - report.right == 2
    assert report.kinds["item_invented"].missed == ["claim /documents: nothing"] * 2
    assert report.false_alarms == []
