"""What a person is given to read and to fill in."""

from __future__ import annotations

from typing import Any

import pytest

from extractor.models.desk.conformity import mismatches
from extractor.models.desk.pages import draft_answer, readable

INNER = {
    "type": "object",
    "description": "One side.",
    "properties": {"kind": {"const": "x"}, "side": {"anyOf": [{"enum": ["l", "r"]}, {"type": "null"}]}},
    "required": ["kind", "side"],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"Inner": INNER},
    "properties": {
        "one": {"$ref": "#/$defs/Inner"},
        "many": {"type": "array", "items": {"$ref": "#/$defs/Inner"}, "maxItems": 2},
        "names": {"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 4}},
        "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "description": "Of the\nletter"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["one", "many", "names", "day", "size"],
    "additionalProperties": False,
}
GOOD: dict[str, Any] = {
    "one": {"kind": "x", "side": None},
    "many": [{"kind": "x", "side": "l"}],
    "names": ["ab"],
    "day": "2016-02-29",
    "size": 3,
}


def as_request(schema: Any, *, tools: bool = False) -> dict[str, Any]:
    if tools:
        return {"tools": [{"function": {"name": "X", "parameters": schema}}]}
    return {"response_format": {"json_schema": {"schema": schema}}}


@pytest.mark.parametrize("tools", [False, True])
def test_a_draft_has_every_key(tools: bool) -> None:
    inner = {"kind": "x", "side": None}
    assert draft_answer(as_request(SCHEMA, tools=tools)) == {
        "one": inner,
        "many": [inner],
        "names": [],
        "day": None,
        "size": None,
    }


@pytest.mark.parametrize(
    "odd", [{}, {"response_format": 7}, {"tools": [{}]}, as_request(7), as_request({"$ref": "#/$defs/X"})]
)
def test_a_request_without_a_schema_has_no_draft(odd: dict[str, Any]) -> None:
    assert draft_answer(odd) is None


def test_a_patch_has_a_draft_that_chooses_no_kind_of_value() -> None:
    kinds = [
        {"type": "object", "properties": {"number": {"type": "integer"}, "field": {"const": name}}}
        for name in ("outcome", "item")
    ]
    schema = {"type": "object", "properties": {"values": {"type": "array", "items": {"anyOf": kinds}}}}
    assert draft_answer(as_request(schema)) == {"values": [{"number": None, "field": None}]}


def test_the_fields_are_listed_before_the_schema() -> None:
    shown = readable({"messages": [], **as_request(SCHEMA)})
    fields, _ = shown.split("## The fields of the answer")[1].split("## response_format")
    assert fields.strip().splitlines()[2:] == [
        "- `one`: record. One side.",
        '  - `kind`: "x"',
        '  - `side`: "l", "r" or null',
        "- `many`: list of record",
        '  - `kind`: "x"',
        '  - `side`: "l", "r" or null',
        "- `names`: list of text",
        "- `day`: date (YYYY-MM-DD) or null. Of the letter",
        "- `size`: whole number",
    ]


def test_a_message_without_text_is_readable() -> None:
    assert "null" in readable({"model": "m", "messages": [{"role": "assistant", "content": None}]})


def test_notes_beside_the_letter_are_called_so() -> None:
    shown = readable({"messages": [{"role": role, "content": role} for role in ("system", "user", "user")]})
    assert "## user: the letter\n" in shown
    assert "## user: notes to the letter\n" in shown


# ---- what fits -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"day": None}, []),
        ({"one": None}, [("/one", "null is not allowed; wanted: object")]),
        ({"one": {"kind": "y", "side": None}}, [("/one/kind", '"y" is not allowed; allowed: "x"')]),
        (
            {"many": [{"kind": "x", "side": "up"}]},
            [("/many/0/side", '"up" is not allowed; wanted: "l", "r" or null')],
        ),
        ({"many": [GOOD["one"]] * 3}, [("/many", "has 3 entries, at most 2 wanted")]),
        (
            {"names": ["a", "abcde"]},
            [
                ("/names/0", "has 1 characters, at least 2 wanted"),
                ("/names/1", "has 5 characters, at most 4 wanted"),
            ],
        ),
        ({"names": "ab"}, [("/names", '"ab" is not allowed; wanted: list')]),
        ({"day": "2016-02-30"}, [("/day", '"2016-02-30" is not allowed; wanted: date (YYYY-MM-DD)')]),
        ({"day": "02/29/2016"}, [("/day", '"02/29/2016" is not allowed; wanted: date (YYYY-MM-DD)')]),
        ({"day": 5}, [("/day", "5 is not allowed; wanted: date (YYYY-MM-DD) or null")]),
        ({"size": True}, [("/size", "true is not allowed; wanted: whole number")]),
        ({"size": 0}, [("/size", "0 is too small")]),
        ({"size": 10}, [("/size", "10 is too large")]),
        ({"more": 1}, [("/more", "the schema has no such key")]),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named_with_its_place(change: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert list(mismatches({**GOOD, **change}, SCHEMA)) == found


def test_a_missing_key_is_named() -> None:
    rest = {name: value for name, value in GOOD.items() if name != "size"}
    assert list(mismatches(rest, SCHEMA)) == [("/size", "this key is missing")]


def test_of_several_kinds_of_record_the_nearest_is_corrected() -> None:
    kinds = [
        {
            "type": "object",
            "properties": {"field": {"const": "age"}, "value": {"type": "integer"}},
            "required": ["field", "value"],
        },
        {
            "type": "object",
            "properties": {"field": {"const": "sex"}, "value": {"type": "string"}},
            "required": ["field", "value"],
        },
    ]
    assert list(mismatches({"field": "age", "value": 7}, {"anyOf": kinds})) == []
    assert list(mismatches({"field": "age", "value": None}, {"anyOf": kinds})) == [
        ("/value", "null is not allowed; wanted: whole number")
    ]
