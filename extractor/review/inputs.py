"""Typed inputs for the leaves of a letter type's schema: what may be typed, and what it means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from pydantic import BaseModel

from extractor.lettertypes.evidence import SchemaField, fields_of
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.page_ranges import page_range_text
from extractor.pointers import field_path, value_at

_RANGE = re.compile(r"(\d{1,9})\s*(?:[-\u2010-\u2015]\s*(\d{1,9}))?")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True)
class Input:
    """How one leaf is typed in.

    ``kind``: ``enum`` (one of ``options``), ``date``, ``ranges`` (pages like ``177-179, 301``),
    ``texts`` (one a line), ``text``, ``integer``, ``number``, ``boolean``, or ``json`` for what is
    none of these. ``nullable``: the letter may not state it.
    """

    kind: str
    options: tuple[str, ...] = ()
    nullable: bool = False
    most: int | None = None

    def parse(self, text: str) -> Any:
        """The value that was typed. Raises ``ValueError`` with the expected form."""
        return _PARSERS[self.kind](self, text)

    def text(self, value: Any) -> str:
        """A value in the form in which it is typed."""
        if value is None:
            return ""
        if self.kind == "ranges":
            return ", ".join(map(page_range_text, value))
        if self.kind == "texts":
            return "\n".join(" ".join(str(each).split()) for each in value)
        if self.kind == "json":
            return json.dumps(value, ensure_ascii=False, indent=1)
        if self.kind == "boolean":
            return "yes" if value else "no"
        return str(value)


@cache
def known_inputs(schema: type[BaseModel]) -> dict[str, Input]:
    """The inputs of all leaves by field path, e.g. ``decisions/outcome``."""
    found: dict[str, Input] = {}
    for spec in fields_of(schema):
        if spec.model is None:
            found[spec.name] = input_of(schema, spec)
        else:
            found.update({f"{spec.name}/{name}": each for name, each in known_inputs(spec.model).items()})
    return found


def leaf_input(kind: LetterType, answer: Any, path: str) -> Input:
    """The input of the leaf at a JSON pointer. Raises ``LookupError`` if no leaf of this answer is there."""
    found = known_inputs(kind.schema).get(field_path(path))
    last = path.rpartition("/")[2]
    if found is None or (last.isascii() and last.isdecimal()):
        raise LookupError(path)
    value_at(answer, path)
    return found


def input_of(schema: type[BaseModel], spec: SchemaField) -> Input:
    """The input of one leaf of a schema class."""
    whole = schema.model_json_schema()
    nodes = list(_nodes(whole["properties"][spec.name], whole.get("$defs", {})))
    nullable = any(node.get("type") == "null" for node in nodes)
    stated = [node for node in nodes if node.get("type") != "null"]
    if len(stated) != 1:
        return Input("json", nullable=nullable)
    node = stated[0]
    if node.get("type") == "array":
        items = list(_nodes(node.get("items", {}), whole.get("$defs", {})))
        return Input(_list_kind(items), nullable=nullable)
    if "enum" in node or "const" in node:
        options = node.get("enum", [node.get("const")])
        if all(isinstance(each, str) for each in options):
            return Input("enum", tuple(options), nullable)
        return Input("json", nullable=nullable)
    kind = {"integer": "integer", "number": "number", "boolean": "boolean"}.get(str(node.get("type")), "json")
    if node.get("type") == "string":
        kind = {"date": "date"}.get(str(node.get("format", "")), "text")
    return Input(kind, nullable=nullable, most=node.get("maxLength"))


def _list_kind(items: list[Mapping[str, Any]]) -> str:
    if len(items) == 1 and items[0].get("type") == "string":
        return "texts"
    if len(items) == 1 and set(items[0].get("properties", {})) == {"first", "last"}:
        return "ranges"
    return "json"


def _nodes(node: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _nodes(defs[node["$ref"].removeprefix("#/$defs/")], defs)
    elif "anyOf" in node:
        for inner in node["anyOf"]:
            yield from _nodes(inner, defs)
    else:
        yield node


# ---- what was typed -----------------------------------------------------------------------------


def _enum(spec: Input, text: str) -> str:
    if text not in spec.options:
        raise ValueError(f"one of: {', '.join(spec.options)}")
    return text


def _date(spec: Input, text: str) -> str:
    american = _AMERICAN.fullmatch(text.strip())
    try:
        if american:
            month, day, year = map(int, american.groups())
            return date(year, month, day).isoformat()
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ValueError("a date like 2014-07-31 or 07/31/2014") from None


def _ranges(spec: Input, text: str) -> list[dict[str, int]]:
    found = []
    for part in filter(None, (each.strip() for each in re.split(r"[,;\n]", text))):
        match = _RANGE.fullmatch(part)
        if not match:
            raise ValueError("pages like 177-179, 301")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise ValueError(f"{part}: the last page comes before the first")
        found.append({"first": first, "last": last})
    return found


def _texts(spec: Input, text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _text(spec: Input, text: str) -> str:
    if not text.strip():
        raise ValueError('some words, or "the letter does not say"')
    return text.strip()


def _integer(spec: Input, text: str) -> int:
    if not re.fullmatch(r"\s*-?\d{1,18}\s*", text):
        raise ValueError("a whole number")
    return int(text)


def _number(spec: Input, text: str) -> float:
    if not re.fullmatch(r"\s*-?\d{1,18}(\.\d{1,18})?\s*", text):
        raise ValueError("a number like 12.5")
    return float(text)


def _boolean(spec: Input, text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def _json(spec: Input, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("valid JSON") from None


_PARSERS = {
    "enum": _enum,
    "date": _date,
    "ranges": _ranges,
    "texts": _texts,
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}
