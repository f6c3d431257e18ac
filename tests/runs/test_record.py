"""Records across the edge: one line of JSON out, the same record back, older lines read, others refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import RecordError
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding, Withheld
from extractor.models.model import Usage
from extractor.runs import record as module
from extractor.runs.record import Attempt, Evidence, Failure, PageBox, Record, SecondAnswer, record_schema
from tests.support.imr import IMR

FULL = Record(
    "a",
    "ab12",
    "parcel",
    "needs_review",
    answer={"carrier": "Slow", "on": "2020-03-04"},
    evidence={
        "/carrier": (Evidence(1, 5, 2, "Slow", (PageBox(2, (0.1, 0.2, 0.3, 0.4)),)), Evidence(9, 13, None, "Slow"))
    },
    proof={"/carrier": "place"},
    withheld={"/on": Withheld("2020-03-04", "value_differs")},
    findings=(
        Finding("value_differs", "/on", "error", "answer", "the letter says something else", None, [1], Span(3, 4)),
    ),
    model="openai/toy",
    prompt="parcel@v1",
    attempts=(Attempt(Usage(1, 2), 0.5, errors=1, model="openai/toy"),),
    usage=Usage(1, 2),
    cost_usd=0.5,
    error=Failure("refusal", "no"),
    second=SecondAnswer(
        "openai/other", "parcel@v1", "ef", {"carrier": "Slow"}, {"/on": None}, Failure("refusal", "no")
    ),
    form="short",
    source="letters/a.txt",
)
VERSION_1: dict[str, Any] = {
    "letter_id": "a",
    "letter_sha256": "ab12",
    "letter_type": "parcel",
    "status": "accepted",
    "answer": {"carrier": "Slow"},
    "evidence": {"/carrier": [{"start": 1, "end": 5, "letter_page": None, "text": "Slow"}]},
    "findings": [
        {
            "code": "baseline", "path": "", "severity": "info", "blame": "unclear", "message": "m", "expected": None,
            "got": None, "span": None,
        }
    ],
    "model": "offline",
    "prompt": None,
    "prompt_sha256": None,
    "schema_sha256": "cd",
    "engine": "0.1.0",
    "attempts": [
        {
            "usage": {"input_tokens": None}, "cost_usd": 0.0, "finish": "stop", "transport_tries": 1, "seconds": 0.0,
            "findings": 1, "errors": 0,
        }
    ],
    "usage": {"input_tokens": None, "output_tokens": None, "cached_tokens": None},
    "cost_usd": 0.0,
    "error": None,
}  # fmt: skip


def test_a_record_comes_back_from_its_line() -> None:
    assert Record.from_json(FULL.as_json()) == FULL
    assert Record.from_dict(FULL.as_dict()) == FULL
    assert json.loads(FULL.as_json()) == FULL.as_dict()


@given(st.text(), st.text())
def test_any_text_is_one_line_and_comes_back(letter_id: str, words: str) -> None:
    made = Record(letter_id, None, "t", "failed", answer={words: words}, error=Failure("internal", words))
    assert "\n" not in made.as_json()
    assert Record.from_json(made.as_json().encode()) == made


def test_boxes_are_left_out_where_a_letter_has_none() -> None:
    with_boxes, without = FULL.as_dict()["evidence"]["/carrier"]
    assert with_boxes["boxes"] == [{"letter_page": 2, "box": [0.1, 0.2, 0.3, 0.4]}]
    assert set(without) == {"start", "end", "letter_page", "text"}


def test_a_second_answer_is_left_out_where_no_second_model_was_asked() -> None:
    alone = Record("a", None, "t", "failed", attempts=(Attempt(),)).as_dict()
    assert "second" not in alone
    assert "model" not in alone["attempts"][0]


def test_a_line_of_version_1_is_read() -> None:
    old = Record.from_dict(VERSION_1)
    assert old.record_version == 2
    assert (old.proof, old.withheld) == ({}, {})
    assert old.evidence["/carrier"][0].span == Span(1, 5)
    assert {
        key: value for key, value in old.as_dict().items() if key in VERSION_1 and key not in ("usage", "attempts")
    } == {key: value for key, value in VERSION_1.items() if key not in ("usage", "attempts")}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"record_version": 3}, "has version '3'"),
        ({"status": "fine"}, "status: Input should be 'accepted'"),
        ({"letter_id": None}, "letter_id: "),
        ({"answer": []}, "answer: "),
        ({"statsu": "accepted"}, "statsu: Unexpected keyword"),
        ({"findings": [{"code": "x"}]}, "findings.0.path: "),
    ],
)
def test_what_is_not_a_record(changed: dict[str, Any], error: str) -> None:
    with pytest.raises(RecordError, match=error):
        Record.from_dict({**FULL.as_dict(), **changed})


@pytest.mark.parametrize("line", ["", "[]", "{}", "{", '{"letter_id": "a", "letter_id": "b"}', "7"])
def test_a_line_that_is_not_a_record(line: str) -> None:
    with pytest.raises(RecordError, match="not a record"):
        Record.from_json(line)


def test_the_published_schema_is_this_record() -> None:
    published = Path(module.__file__).with_name("record.schema.json")
    assert json.loads(published.read_text("utf-8")) == record_schema(), "run: python -m tests.support.record_schema"


def test_every_key_of_a_record_is_in_the_schema_and_required() -> None:
    schema = record_schema()
    assert list(FULL.as_dict()) == list(schema["properties"])
    assert set(schema["required"]) == set(schema["properties"]) - {"second", "form", "source"}
    assert schema["additionalProperties"] is False
    for name, line in {
        "Finding": FULL.as_dict()["findings"][0],
        "Attempt": FULL.as_dict()["attempts"][0],
        "Evidence": FULL.as_dict()["evidence"]["/carrier"][0],
    }.items():
        assert set(schema["$defs"][name]["properties"]) == set(line), name


def test_the_schema_of_one_letter_types_records_holds_its_answer() -> None:
    schema = record_schema(IMR.json_schema)
    answer, null = schema["properties"]["answer"]["anyOf"]
    assert null == {"type": "null"}
    assert set(answer["properties"]) == set(IMR.json_schema["properties"])
    assert set(IMR.json_schema["$defs"]) < set(schema["$defs"])
