"""The schema on the wire: what strict decoding accepts, for every provider and mode."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from extractor.errors import LetterTypeError
from extractor.lettertypes.evidence import StrictModel
from extractor.lettertypes.reading import nothing_read
from extractor.models.model import Question
from extractor.models.wire import strict_schema
from tests.support.asking import EVERY_MODE, Whole, Wire
from tests.support.imr import IMR, bundled
from tests.support.loopback import Asked, ask_once, endpoint


def test_the_strict_schema() -> None:
    part = {
        "type": "object",
        "description": "A part.",
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 9},
            "side": {"anyOf": [{"$ref": "#/$defs/Side"}, {"type": "null"}]},
        },
        "required": ["title", "side"],
    }
    assert strict_schema(Whole, lengths=True) == {
        "type": "object",
        "additionalProperties": False,
        "$defs": {"Part": part, "Side": {"type": "string", "enum": ["left", "right"]}},
        "properties": {
            "kind": {"type": "string", "const": "whole"},
            "main": {**part, "description": "the main part"},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            "default": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        },
        "required": ["kind", "main", "parts", "default"],
    }


def test_lengths_are_kept_for_local_grammars_only() -> None:
    title = strict_schema(Whole, lengths=False)["$defs"]["Part"]["properties"]["title"]
    assert title == {"type": "string"}


class WithDefault(StrictModel):
    a: int = 1


class WithMap(StrictModel):
    a: dict[str, int]


class WithSet(StrictModel):
    a: set[int]


class WithTuple(StrictModel):
    a: tuple[int, str]


class WithAny(StrictModel):
    a: Any


class WithLookaround(StrictModel):
    model_config = ConfigDict(regex_engine="python-re")
    a: Annotated[str, Field(pattern=r"^a(?!b)")] | None


class WithBytes(StrictModel):
    a: bytes


class Loose(BaseModel):
    a: int


class Cat(StrictModel):
    kind: Literal["cat"]


class Dog(StrictModel):
    kind: Literal["dog"]


class WithDiscriminator(StrictModel):
    a: Annotated[Cat | Dog, Field(discriminator="kind")]


class Endless(StrictModel):
    inner: Annotated[Endless, Field(description="itself")]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (WithDefault, "may be left out: a"),
        (WithMap, "allows unknown keys"),
        (WithSet, "uniqueItems"),
        (WithTuple, "prefixItems"),
        (WithAny, "has no type"),
        (WithLookaround, "lookaround"),
        (WithBytes, "format 'binary'"),
        (Loose, "allows unknown keys"),
        (WithDiscriminator, "discriminator, oneOf"),
        (Endless, "cannot be sent"),
    ],
)
def test_what_strict_decoding_cannot_express_is_refused_by_name(schema: type[BaseModel], message: str) -> None:
    with pytest.raises(LetterTypeError, match=message):
        strict_schema(schema, lengths=True)


# ---- the schema that really goes out ---------------------------------------------------------

_SHAPE = {"type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "$ref", "$defs"}
_NAMED = {"description", "format"}
_BOUNDS = {"minItems", "maxItems", "minimum", "maximum"}
_STRICT = _SHAPE | _NAMED | _BOUNDS | {"const", "pattern", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"}
# Keywords that each provider documents for decoding under a schema.
ACCEPTED = {
    "openai": _STRICT,
    "azure": _STRICT,
    "anthropic": _SHAPE | _NAMED | {"const", "minItems"},
    "gemini": _SHAPE | _NAMED | _BOUNDS,
}


def schema_in(wire: Wire, asked: Asked) -> dict[str, Any]:
    """The schema that a request carries outside its texts."""
    found = [each for each in objects(asked.body) if {"$defs", "properties"} <= set(each)]
    assert len(found) == 1, wire.model
    return found[0]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)
    if isinstance(value, dict):
        yield value


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema in a schema; names of properties are no keywords."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for each in inner + ([schema["items"]] if "items" in schema else []):
        yield from nodes(each)


@pytest.mark.parametrize(("wire", "mode"), EVERY_MODE)
@pytest.mark.sample(6)
def test_no_provider_is_sent_a_keyword_it_refuses(wire: Wire, mode: str) -> None:
    letter = bundled("dwc-2014-000")
    asked_of = Question("a", letter.text, "Fill it.", IMR.schema, nothing_read(letter, ""))
    with endpoint([wire.reply(mode)]) as server:
        asyncio.run(ask_once(wire.open(server, mode), asked_of))
    [asked] = server.asked
    if mode == "json":
        assert not [each for each in objects(asked.body) if "$defs" in each]
        assert "$defs" in asked.raw.decode()
        return
    provider = wire.model.partition("/")[0]
    strict = provider != "anthropic" or mode == "json_schema"
    accepted = (ACCEPTED[provider] if strict else _STRICT) | (
        {"minLength", "maxLength"} if "lengths" in mode else set()
    )
    schema = schema_in(wire, asked)
    for node in nodes(schema):
        assert set(node) <= accepted, sorted(set(node) - accepted)
        assert "$ref" not in node or set(node) == {"$ref"}
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert sorted(node["required"]) == sorted(node["properties"])
        if node.get("type") == "array":
            assert "items" in node
    assert set(schema["properties"]) == set(IMR.schema.model_fields)
    refs = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert refs <= set(schema["$defs"])
