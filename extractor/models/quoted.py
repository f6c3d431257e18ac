"""The quoted strategy: each value comes with the words it rests on.

The reply's schema is derived from the letter type's: a leaf that is stated in the letter becomes
``{"value": ..., "quote": ...}``. Verbatim leaves are their own quotes, and judgments have theirs.
Records and gold keep the plain schema; the quotes are a second witness for the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json, to_jsonable_python

from extractor.lettertypes.evidence import SchemaField, Stated, StrictModel, fields_of
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.answered import Answered
from extractor.models.offline import values
from extractor.models.overlong import parse_answer

_Quote = Annotated[str, Field(min_length=1, max_length=1900)]


class Quoted:
    """The model fills the whole schema, and quotes the words of each stated value."""

    def __init__(self, letter_type: LetterType) -> None:
        self._whole = letter_type.schema
        self.schema = _with_quotes(letter_type.schema)

    def notes(self, reading: Reading) -> str:
        return ""

    def answer(self, reply: str, reading: Reading) -> Answered:
        given, cut = parse_answer(self.schema, reply)
        quotes: dict[str, str] = {}
        plain = _unquoted(self._whole, given.model_dump(mode="json"), "", quotes)
        return Answered(self._whole.model_validate_json(to_json(plain)), cut, quotes)

    def expected_reply(self, reading: Reading) -> Mapping[str, Any]:
        return _quoted(self._whole, to_jsonable_python(values(self._whole, reading.root)))


def needs_quote(spec: SchemaField) -> bool:
    """Whether a leaf's value is not made of the letter's own words, so that a quote must prove it."""
    return isinstance(spec.marker, Stated)


@cache
def _with_quotes(schema: type[BaseModel]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for spec in fields_of(schema):
        info = schema.model_fields[spec.name]
        annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        if spec.model is not None:
            inner = _with_quotes(spec.model)
            annotation = Annotated[list[inner], *info.metadata] if spec.kind == "records" else inner  # type: ignore[valid-type]
        elif needs_quote(spec):
            annotation = create_model(
                f"{schema.__name__}{spec.name.title().replace('_', '')}Quoted",
                __base__=StrictModel,
                value=(annotation, ...),
                quote=(_Quote | None, ...),
            )
        fields[spec.name] = (annotation, ...)
    return create_model(f"{schema.__name__}Quoted", __base__=StrictModel, **fields)


def _unquoted(schema: type[BaseModel], given: Mapping[str, Any], path: str, quotes: dict[str, str]) -> dict[str, Any]:
    """The plain answer in a reply; its quotes go into ``quotes``, by JSON pointer."""
    plain: dict[str, Any] = {}
    for spec in fields_of(schema):
        here, value = f"{path}/{spec.name}", given[spec.name]
        if spec.kind == "records":
            assert spec.model is not None
            plain[spec.name] = [_unquoted(spec.model, one, f"{here}/{i}", quotes) for i, one in enumerate(value)]
        elif spec.model is not None:
            plain[spec.name] = _unquoted(spec.model, value, here, quotes)
        elif needs_quote(spec):
            plain[spec.name] = value["value"]
            if value["quote"] is not None:
                quotes[here] = value["quote"]
        else:
            plain[spec.name] = value
    return plain


def _quoted(schema: type[BaseModel], plain: Mapping[str, Any]) -> dict[str, Any]:
    """A plain answer in the reply's shape, each value quoted as written."""
    return dict(_quoted_fields(schema, plain))


def _quoted_fields(schema: type[BaseModel], plain: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for spec in fields_of(schema):
        value = plain[spec.name]
        if spec.kind == "records":
            assert spec.model is not None
            yield spec.name, [_quoted(spec.model, one) for one in value]
        elif spec.model is not None:
            yield spec.name, _quoted(spec.model, value)
        elif needs_quote(spec):
            quote = None if value in (None, []) else to_json(value).decode()
            yield spec.name, {"value": value, "quote": quote}
        else:
            yield spec.name, value
