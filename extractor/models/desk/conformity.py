"""Whether a JSON value fits a JSON schema, and where it does not, in sentences for whoever wrote it.

For the schemas that requests carry (see ``wire.strict_schema``); keywords beyond those are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from extractor.pointers import pointer_of

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_NAMES = {"array": "list", "integer": "whole number", "boolean": "true or false", "string": "text"}
_LONGEST_SHOWN = 60

Schema = Mapping[str, Any]


def mismatches(value: Any, schema: Schema) -> Iterator[tuple[str, str]]:
    """Each place where ``value`` does not fit, as its JSON pointer and what is wrong there."""
    yield from _Fit(schema.get("$defs", {})).check(value, schema, ())


class _Fit:
    def __init__(self, defs: Mapping[str, Schema]) -> None:
        self._defs = defs

    def check(self, value: Any, schema: Schema, at: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        node = resolved(schema, self._defs)
        if "anyOf" in node:
            yield from self._closest(value, [resolved(each, self._defs) for each in node["anyOf"]], at)
            return
        allowed = [node["const"]] if "const" in node else node.get("enum")
        if allowed is not None and not any(each == value and type(each) is type(value) for each in allowed):
            yield pointer_of(at), f"{_shown(value)} is not allowed; allowed: {', '.join(map(_shown, allowed))}"
        elif not _is_of(value, node):
            yield pointer_of(at), f"{_shown(value)} is not allowed; wanted: {type_name(node)}"
        elif isinstance(value, dict):
            yield from self._object(value, node, at)
        elif isinstance(value, list):
            yield from _bounds(len(value), node, ("minItems", "maxItems"), "entries", pointer_of(at))
            for i, entry in enumerate(value):
                yield from self.check(entry, node.get("items", {}), (*at, i))
        else:
            yield from _scalar(value, node, pointer_of(at))

    def _closest(self, value: Any, branches: list[Schema], at: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        """What is wrong by the branch that comes nearest; nothing if one fits."""
        found = [list(self.check(value, each, at)) for each in branches]
        if not all(found):
            return
        typed = [wrong for wrong, each in zip(found, branches, strict=True) if "type" in each and _is_of(value, each)]
        if typed:
            yield from min(typed, key=len)
        else:
            wanted = " or ".join(dict.fromkeys(map(type_name, branches)))
            yield pointer_of(at), f"{_shown(value)} is not allowed; wanted: {wanted}"

    def _object(self, value: dict[str, Any], node: Schema, at: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
        properties = node.get("properties", {})
        for name in node.get("required", ()):
            if name not in value:
                yield pointer_of((*at, name)), "this key is missing"
        for name, inner in value.items():
            if name in properties:
                yield from self.check(inner, properties[name], (*at, name))
            elif node.get("additionalProperties") is False:
                yield pointer_of((*at, name)), "the schema has no such key"


def resolved(schema: Schema, defs: Mapping[str, Schema]) -> Schema:
    """A node of a schema, or what it refers to. Raises ``KeyError`` for a reference to nothing."""
    for _ in range(20):
        if "$ref" not in schema:
            break
        schema = defs[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def type_name(node: Schema) -> str:
    """The type of a schema's node in words."""
    if "const" in node or "enum" in node:
        return ", ".join(_shown(each) for each in node.get("enum", [node.get("const")]))
    if node.get("format") == "date":
        return "date (YYYY-MM-DD)"
    kind = node.get("type", "any value")
    return " or ".join(_NAMES.get(each, each) for each in ([kind] if isinstance(kind, str) else kind))


def _is_of(value: Any, node: Schema) -> bool:
    kinds = node.get("type")
    if kinds is None:
        return True
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if isinstance(value, _TYPES.get(kind, object)) and (kind == "boolean" or not isinstance(value, bool)):
            return True
    return False


def _scalar(value: Any, node: Schema, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from _bounds(len(value), node, ("minLength", "maxLength"), "characters", at)
        if node.get("format") == "date" and not _is_date(value):
            yield at, f"{_shown(value)} is not allowed; wanted: date (YYYY-MM-DD)"
        if not _matches(node.get("pattern"), value):
            yield at, f"{_shown(value)} is not allowed; wanted: text of the pattern {node['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = node.get("minimum"), node.get("maximum")
        above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
        if (low is not None and value < low) or (above is not None and value <= above):
            yield at, f"{value} is too small"
        if (high is not None and value > high) or (below is not None and value >= below):
            yield at, f"{value} is too large"


def _bounds(size: int, node: Schema, names: tuple[str, str], what: str, at: str) -> Iterator[tuple[str, str]]:
    least, most = (node.get(name) for name in names)
    if least is not None and size < least:
        yield at, f"has {size} {what}, at least {least} wanted"
    if most is not None and size > most:
        yield at, f"has {size} {what}, at most {most} wanted"


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _matches(pattern: str | None, text: str) -> bool:
    try:
        return pattern is None or re.search(pattern, text) is not None
    except re.error:  # written for another engine
        return True


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
