"""What is wrong with a declared type is found when it is loaded, and named with file, line and field."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import pytest

from extractor.errors import LetterTypeError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes import patterns
from extractor.lettertypes.declaration import letter_type
from extractor.lettertypes.evidence import Covers, Stated, StrictModel, Verbatim
from extractor.lettertypes.form import Form
from extractor.lettertypes.parsers import NAME, Identifier, Presence, Wording
from extractor.lettertypes.places import After, Each, Entire, Matching

FORM = Form(sections={"order": "ORDER"}, landmarks=("Board",))


def _schema(annotation: Any) -> type[StrictModel]:
    class Sheet(StrictModel):
        value: annotation  # the field that is wrong

    return Sheet


class Inner(StrictModel):
    text: Annotated[str, Verbatim("record", whole=True), Entire()]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Annotated[str | None, Verbatim("ordre"), After("A:")], "no section 'ordre'"),
        (Annotated[str | None, Verbatim("record"), After("A:")], "'record' is the region of a record"),
        (Annotated[str | None, Verbatim("order"), Each("item")], "Each is declared on a single value"),
        (Annotated[list[str], Verbatim("order"), Each("verse")], "no unit 'verse'"),
        (Annotated[list[str], Verbatim("order"), Each("item", of=("remand",))], "no section 'remand'"),
        (Annotated[list[Inner], Covers("text"), Each("item")], "Each names no section"),
        (Annotated[list[Inner], Covers("text"), After("A:")], "a list of records cannot use After"),
        (Annotated[list[Inner], Covers("text"), Each("item", of=("order",), one="kind")], "names no leaf"),
        (Annotated[str | None, Verbatim("order"), Matching("(")], "'(' is not a regular expression"),
        (Annotated[str | None, Verbatim("order"), After("A:"), Identifier("[")], "is not a regular expression"),
        (Annotated[Literal["a", "b"] | None, Stated("order"), Wording({"c": "see"})], "Wording has 'c', the type has not"),
        (Annotated[bool, Stated("order"), After("A:")], "no parser for a bool"),
        (Annotated[str | None, Stated("order"), Presence("x")], "Presence and bool belong together"),
        (Annotated[str | None, Verbatim("order"), After("A:"), Entire()], "2 places"),
        (Annotated[str | None, Verbatim("order"), NAME, Presence("x")], "2 parsers"),
        (Annotated[str | None, Verbatim("order")], "no field of Sheet has a place"),
    ],
)  # fmt: skip
def test_what_contradicts_the_schema_is_named(annotation: Any, message: str) -> None:
    with pytest.raises(LetterTypeError, match=r".") as raised:
        letter_type("sheet", _schema(annotation), FORM)
    assert message in raised.value.message
    assert raised.value.hint
    assert "Sheet" in raised.value.message


def test_the_file_and_the_line_are_named() -> None:
    with pytest.raises(LetterTypeError) as raised:
        letter_type("sheet", _schema(Annotated[str | None, Verbatim("ordre"), After("A:")]), FORM)
    file, line, rest = raised.value.message.split(":", 2)
    assert rest.startswith(" Sheet.value:")
    with open(file, encoding="utf-8") as source:
        assert "the field that is wrong" in source.readlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (Form(sections={"head": "HEAD"}), "a section is named 'head'"),
        (Form(sections={"order": "ORDER"}, required=("remand",)), "no section 'remand'"),
        (Form(sections={"order": "ORDER"}, closing="(?P<"), "is not a regular expression"),
    ],
)
def test_a_form_that_cannot_be(form: Form, message: str) -> None:
    with pytest.raises(LetterTypeError) as raised:
        letter_type("sheet", _schema(Annotated[str | None, Verbatim("order"), After("A:")]), form)
    assert message in raised.value.message


def test_a_pattern_that_never_ends_is_stopped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "LIMIT", 0.05)
    endless = r"(?:A|A)+!"

    class Sheet(StrictModel):
        number: Annotated[str | None, Verbatim("order", whole=True), Matching(endless)]
        name: Annotated[str | None, Verbatim("order", whole=True), After("Name:")]

    sheet = letter_type("sheet", Sheet, FORM)
    started = time.monotonic()
    reading = sheet.read(letter_from_text(f"Board\nORDER\nName: Holt\n{'A' * 60}\n", letter_id="x"))
    assert time.monotonic() - started < 60
    assert reading.root.facts["number"].value is None
    assert not reading.root.facts["number"].certain
    assert reading.root.facts["name"].value == "Holt"
    [odd] = reading.oddities
    assert odd.code == "slow_pattern"
    assert "Sheet.number" in odd.message
    assert endless in odd.message
