"""Patches: which values are asked for, what a reply may change, and what is ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from extractor.lettertypes.leaves import leaf_at
from extractor.models.patches import Patches
from extractor.models.wire import strict_schema
from extractor.pointers import value_at
from tests.support.imr import IMR, gold

PATCHES = Patches(IMR.schema)
TRUE = gold("dwc-2014-002")
ANSWER = IMR.schema.model_validate_json(json.dumps(TRUE))
PAGES = "/decisions/1/maximus/citations/0/pages"
CITATIONS = "/decisions/1/maximus/citations"


@pytest.mark.parametrize(
    ("paths", "targets"),
    [
        (["/header/case_number"], ("/header/case_number",)),
        # An element is asked for with its list, and each leaf once.
        (["/diagnoses/0", "/worker/age", "/diagnoses"], ("/diagnoses", "/worker/age")),
        ([f"{PAGES}/0"], (PAGES,)),
        # Citations hold no records: their list is asked for whole, and covers what is in it.
        ([CITATIONS], (CITATIONS,)),
        ([PAGES, f"{CITATIONS}/2"], (CITATIONS,)),
        # A decision is a record of records, and a reply that is no answer has no values at all.
        (["/decisions"], None),
        (["/header/case_number", "/decisions/1"], None),
        ([""], None),
        (["/nowhere"], None),
        ([], None),
    ],
)
def test_which_values_are_asked_for(paths: list[str], targets: tuple[str, ...] | None) -> None:
    assert PATCHES.targets(paths) == targets


def test_where_more_is_in_question_than_a_patch_may_hold_the_whole_answer_is_asked_for() -> None:
    many = [f"/decisions/{i}/outcome" for i in range(61)]
    assert PATCHES.targets(many[:60]) == tuple(many[:60])
    assert PATCHES.targets(many) is None


def value(number: int, field: str, value: Any) -> dict[str, Any]:
    return {"number": number, "field": field, "value": value}


def merged(targets: list[str], *values: dict[str, Any]) -> tuple[dict[str, Any], set[str], list[str]]:
    answer, given, ignored = PATCHES.merged(ANSWER, targets, json.dumps({"values": values}))
    return answer.model_dump(mode="json"), set(given), [finding.path for finding in ignored]


OUTCOMES = ["/decisions/0/outcome", "/decisions/1/outcome"]


@pytest.mark.parametrize(
    ("targets", "values", "changed", "ignored"),
    [
        (OUTCOMES, [value(2, "outcome", "overturned")], {OUTCOMES[1]: "overturned"}, []),
        (["/header/decision_date"], [value(1, "decision_date", None)], {"/header/decision_date": None}, []),
        (["/diagnoses"], [value(1, "diagnoses", [])], {"/diagnoses": []}, []),
        ([PAGES], [value(1, "pages", [{"first": 3, "last": 4}])], {PAGES: [{"first": 3, "last": 4}]}, []),
        ([CITATIONS], [value(1, "citations", [])], {CITATIONS: []}, []),
        # What is not answered stays.
        (OUTCOMES, [], {}, []),
        # Numbers that were not asked for, below and above.
        (OUTCOMES, [value(0, "outcome", "overturned"), value(3, "outcome", "overturned")], {}, ["", ""]),
        (OUTCOMES, [value(-1, "outcome", "overturned")], {}, [""]),
        # Another field than the number's.
        (OUTCOMES, [value(1, "item", "A walker")], {}, [OUTCOMES[0]]),
        # The first of two counts.
        ([OUTCOMES[0]], [value(1, "outcome", "upheld"), value(1, "outcome", "overturned")], {}, [OUTCOMES[0]]),
    ],
)
def test_a_patch_changes_what_was_asked_for_and_nothing_else(
    targets: list[str], values: list[dict[str, Any]], changed: dict[str, Any], ignored: list[str]
) -> None:
    after, _, passed_over = merged(targets, *values)
    assert passed_over == ignored
    for path, new in changed.items():
        assert value_at(after, path) == new
    for path in changed:
        way, _, name = path.rpartition("/")
        value_at(after, way)[name] = value_at(TRUE, path)
    assert after == ANSWER.model_dump(mode="json")


def test_the_same_value_again_is_given() -> None:
    _, given, _ = merged(OUTCOMES, value(1, "outcome", "upheld"))
    assert given == {OUTCOMES[0]}


def test_a_list_longer_than_its_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        merged(["/reviewer/specialties"], value(1, "specialties", [f"name {i}" for i in range(21)]))


@pytest.mark.parametrize(
    "reply",
    ["{}", "[]", '{"values": [{"number": 1}]}', '{"values": [], "more": 1}', json.dumps(TRUE),
     '{"values": [{"number": "1", "field": "outcome", "value": "upheld"}]}',
     '{"values": [{"number": 1, "field": "outcome", "value": "reversed"}]}'],
)  # fmt: skip
def test_what_is_no_patch_is_refused(reply: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        PATCHES.merged(ANSWER, OUTCOMES, reply)


def test_the_schema_is_strict_and_the_same_for_every_letter() -> None:
    schema = strict_schema(PATCHES.schema, lengths=True)
    assert list(schema["properties"]) == ["values"]
    assert Patches(IMR.schema).schema is PATCHES.schema
    names = [field for entry in schema["$defs"].values() if "field" in entry["properties"]
             for field in entry["properties"]["field"].get("enum", [entry["properties"]["field"].get("const")])]  # fmt: skip
    assert len(names) == len(set(names))
    assert {"outcome", "pages", "citations", "ur_date"} < set(names)
    assert "decisions" not in names


def leaves(answer: Any, path: str = "") -> list[str]:
    if leaf_at(IMR.schema, path) and path:
        return [path]
    inner = answer.items() if isinstance(answer, dict) else enumerate(answer) if isinstance(answer, list) else ()
    return [leaf for name, each in inner for leaf in leaves(each, f"{path}/{name}")]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(leaves(TRUE)), min_size=1, max_size=8))
def test_an_answer_patched_with_its_own_values_is_the_same_answer(paths: list[str]) -> None:
    targets = PATCHES.targets(paths)
    assert targets is not None
    values = [value(i, path.rpartition("/")[2], value_at(TRUE, path)) for i, path in enumerate(targets, 1)]
    after, given, ignored = merged(list(targets), *values)
    assert (after, given, ignored) == (ANSWER.model_dump(mode="json"), set(targets), [])
