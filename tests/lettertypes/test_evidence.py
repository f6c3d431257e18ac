"""Evidence markers: what each field of a schema is, and which schemas are refused, by the name of the field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from extractor.errors import LetterTypeError
from extractor.lettertypes.evidence import (
    Covers,
    Judged,
    SchemaField,
    Scored,
    Stated,
    StrictModel,
    Unchecked,
    Verbatim,
    can_hold,
    check_schema,
    fields_of,
)
from extractor.lettertypes.parsers import NAME, Presence
from extractor.lettertypes.places import After, Entire

WORDS = Verbatim("body")
STATED = Stated("head")


class Item(StrictModel):
    label: Annotated[str, WORDS]


def _sheet(annotation: Any, **field: Any) -> type[StrictModel]:
    class Sheet(StrictModel):
        before: Annotated[str, WORDS]
        value: annotation = Field(**field)

    return Sheet


@pytest.mark.parametrize(
    ("annotation", "field"),
    [
        (Annotated[str, WORDS], SchemaField("value", "leaf", WORDS, value_type=str)),
        (Annotated[int | None, STATED], SchemaField("value", "leaf", STATED, value_type=int, nullable=True)),
        (Annotated[int, STATED] | None, SchemaField("value", "leaf", STATED, value_type=int, nullable=True)),
        (
            Annotated[list[str], WORDS],
            SchemaField("value", "leaf", WORDS, many=True, scored="set", value_type=str),
        ),
        (
            list[Annotated[str, WORDS]],
            SchemaField("value", "leaf", WORDS, many=True, scored="set", value_type=str),
        ),
        (
            Annotated[list[str], WORDS, Scored("list")],
            SchemaField("value", "leaf", WORDS, many=True, scored="list", value_type=str),
        ),
        (
            Annotated[list[Item], WORDS],
            SchemaField("value", "leaf", WORDS, many=True, scored="set", value_type=Item),
        ),
        (
            Annotated[str, WORDS, Scored("shown")],
            SchemaField("value", "leaf", WORDS, scored="shown", value_type=str),
        ),
        (
            Annotated[str, WORDS, After("To:"), NAME],
            SchemaField("value", "leaf", WORDS, value_type=str, place=After("To:"), parser=NAME),
        ),
        (
            Annotated[Literal["yes", "no"], Judged("before")],
            SchemaField("value", "leaf", Judged("before"), value_type=Literal["yes", "no"]),
        ),
        (
            Annotated[str, Unchecked("a summary")],
            SchemaField("value", "leaf", Unchecked("a summary"), value_type=str),
        ),
        (Item, SchemaField("value", "group", model=Item)),
        (Item | None, SchemaField("value", "group", model=Item)),
        (
            Annotated[list[Item], Covers("label")],
            SchemaField("value", "records", covers=Covers("label"), model=Item),
        ),
    ],
)
def test_what_a_field_is(annotation: Any, field: SchemaField) -> None:
    before, value = fields_of(_sheet(annotation))
    assert before.name == "before"
    assert value == field


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (str, "has no evidence marker"),
        (str | None, "has no evidence marker"),
        (list[str], "has no evidence marker"),
        (list[Item], "has no evidence marker"),
        (Annotated[str, Scored("words")], "has no evidence marker"),
        (Annotated[str, After("To:")], "has no evidence marker"),
        (Annotated[str, Covers("label")], "has no evidence marker"),
        (Annotated[str, Verbatim], "has no evidence marker"),
        (Annotated[str, Unchecked], "has no evidence marker"),
        (Item | BaseModel, "has no evidence marker"),
        (Annotated[str, WORDS, STATED], "has 2 evidence markers"),
        (Annotated[str, WORDS, WORDS, Unchecked("why")], "has 3 evidence markers"),
        (Annotated[list[Annotated[str, WORDS]], STATED], "has 2 evidence markers"),
        (Annotated[Annotated[str, WORDS] | None, STATED], "has 2 evidence markers"),
        (Annotated[str, WORDS, After("To:"), Entire()], "has 2 places"),
        (Annotated[str, WORDS, NAME, Presence("x")], "has 2 parsers"),
    ],
)
def test_a_field_without_exactly_one_proof_is_refused_by_name(annotation: Any, message: str) -> None:
    with pytest.raises(LetterTypeError) as refused:
        fields_of(_sheet(annotation))
    assert refused.value.message == f"Sheet.value {message}"
    assert refused.value.hint


@pytest.mark.parametrize("default", [{"default": None}, {"default": "x"}, {"default_factory": str}])
def test_a_field_that_may_be_left_out_is_refused(default: dict[str, Any]) -> None:
    with pytest.raises(LetterTypeError) as refused:
        fields_of(_sheet(Annotated[str | None, WORDS], **default))
    assert refused.value.message == "Sheet.value may be left out"


def test_opting_out_of_proof_needs_a_reason() -> None:
    with pytest.raises(TypeError, match="why"):
        Unchecked()  # type: ignore[call-arg]
    assert Unchecked("a summary").why == "a summary"


class Unproven(StrictModel):
    label: str


class Opinion(StrictModel):
    verdict: Annotated[Literal["yes", "no"], Judged("words")]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Annotated[str, Judged("reason")], "Sheet.value: Judged names no field 'reason'"),
        (Annotated[list[Item], Covers("number")], "Sheet.value: Covers names no field 'number'"),
        (Unproven, "Unproven.label has no evidence marker"),
        (Unproven | None, "Unproven.label has no evidence marker"),
        (Annotated[list[Unproven], Covers("label")], "Unproven.label has no evidence marker"),
        (Opinion, "Opinion.verdict: Judged names no field 'words'"),
        (Annotated[list[Opinion], Covers("verdict")], "Opinion.verdict: Judged names no field 'words'"),
    ],
)
def test_the_whole_schema_is_checked(annotation: Any, message: str) -> None:
    with pytest.raises(LetterTypeError) as refused:
        check_schema(_sheet(annotation))
    assert refused.value.message == message


@pytest.mark.parametrize(
    "annotation",
    [Annotated[str, Judged("before")], Annotated[list[Item], Covers("label")], Item, Item | None],
)
def test_a_sound_schema_passes(annotation: Any) -> None:
    check_schema(_sheet(annotation))


@pytest.mark.parametrize(
    ("annotation", "value", "fits"),
    [
        (Annotated[str, WORDS], "x", True),
        (Annotated[str, WORDS], None, False),
        (Annotated[str | None, WORDS], None, True),
        (Annotated[str, Field(max_length=2), WORDS], "xy", True),
        (Annotated[str, Field(max_length=2), WORDS], "xyz", False),
        (Annotated[list[int], STATED], [1, 2], True),
        (Annotated[list[int], STATED], [1, "x"], False),
        (Annotated[Literal["yes", "no"], STATED], "maybe", False),
    ],
)
def test_what_a_field_can_hold(annotation: Any, value: Any, fits: bool) -> None:
    assert can_hold(_sheet(annotation), "value", value) is fits


@pytest.mark.parametrize("answer", [{"label": 1}, {}, {"label": "x", "note": "y"}, {"label": None}])
def test_an_answer_is_neither_coerced_nor_filled_in(answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Item.model_validate(answer)


def test_markers_do_not_reach_the_json_schema() -> None:
    class Bare(BaseModel):
        label: str

    assert Item.model_json_schema()["properties"] == Bare.model_json_schema()["properties"]
