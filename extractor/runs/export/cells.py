"""Cells: the value in a table for one leaf of an answer.

A column's name is its field's path (``header.case_number``). A value keeps its type; a list is one
text: its items joined by ``; ``, page ranges as ``177-179, 301``, and values in a list of
records inside a row joined by `` | ``, one part a record, so that parts of neighboring columns
stay side by side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from extractor.errors import UsageError
from extractor.lettertypes.evidence import SchemaField, fields_of
from extractor.lettertypes.page_ranges import is_page_range, page_range_text

Cell = str | int | float | bool | date | None
# Takes one row of a table.
Write = Callable[[Sequence[Cell]], None]

TEXT, INTEGER, NUMBER, BOOLEAN, DATE = "text", "integer", "number", "boolean", "date"
ITEMS, RANGES, RECORDS = "; ", ", ", " | "
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Column:
    """One column: ``name``, and ``kind``, the type of its cells (``text``, ``integer``, ``number``, ``boolean``,
    ``date``); any cell may be ``None``.
    """

    name: str
    kind: str = TEXT


@dataclass(frozen=True)
class LeafColumn:
    """One column of answers: the fields on the way to its leaf, and whether the leaf is a list of page ranges."""

    column: Column
    steps: tuple[str, ...]
    ranges: bool = False

    def cell(self, record: Any) -> Cell:
        """The cell for one answer, or for one record of the list that makes rows."""
        return self._walk(record, self.steps)

    def _walk(self, value: Any, steps: tuple[str, ...]) -> Cell:
        if steps and isinstance(value, list):
            parts = [_text(self._walk(one, steps)) for one in value]
            return RECORDS.join(parts) if any(parts) else None
        if steps:
            return self._walk(value.get(steps[0]), steps[1:]) if isinstance(value, dict) else None
        return self._value(value)

    def _value(self, value: Any) -> Cell:
        if isinstance(value, list):
            if self.ranges:
                return RANGES.join(map(page_range_text, value)) or None
            return ITEMS.join(_text(self._value(one)) for one in value) or None
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False)
        if self.column.kind == DATE and isinstance(value, str):
            return date.fromisoformat(value)
        cell: Cell = value
        return _text(cell) if self.column.kind == TEXT and cell is not None else cell


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def text_cell(value: Any) -> str | None:
    """Any plain JSON value as a cell of text, written as in a column of its own."""
    if isinstance(value, list):
        pages = bool(value) and all(map(is_page_range, value))
        return (RANGES if pages else ITEMS).join(text_cell(one) or "" for one in value) or None
    if is_page_range(value):
        return page_range_text(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return None if value is None else _text(value)


def whole_characters(text: str) -> str:
    """``text`` with half characters (lone surrogates), which no encoding holds, replaced by U+FFFD."""
    return text if text.isascii() else _HALF_CHARACTER.sub("\ufffd", text)


@contextmanager
def needed(to: str, library: str) -> Iterator[None]:
    """Around an import. Raises ``UsageError`` that names the extra if it fails."""
    try:
        yield
    except ImportError as missing:
        raise UsageError(
            f"{to} needs {library}, which cannot be imported",
            hint="pip install 'letterproof[export]', or --to csv",
        ) from missing


def leaves_of(schema: type[BaseModel], prefix: str = "", *, skip: frozenset[str] = frozenset()) -> list[LeafColumn]:
    """The columns of a schema class in the schema's order; ``skip`` names fields that make none."""
    return [
        LeafColumn(Column(prefix + ".".join(steps), kind), steps, ranges)
        for spec in fields_of(schema)
        if spec.name not in skip
        for steps, kind, ranges in _leaves(schema, spec)
    ]


def _leaves(schema: type[BaseModel], spec: SchemaField) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    if spec.model is None:
        kind = TEXT if spec.many else _kind(schema, spec.name)
        yield (spec.name,), kind, spec.scored == "ranges"
        return
    for inner in fields_of(spec.model):
        for steps, kind, ranges in _leaves(spec.model, inner):
            yield (spec.name, *steps), TEXT if spec.kind == "records" else kind, ranges


_KINDS = {"integer": INTEGER, "number": NUMBER, "boolean": BOOLEAN}


def _kind(schema: type[BaseModel], name: str) -> str:
    """The type of a leaf's cells, by its JSON schema; what may be of several types is text."""
    whole = schema.model_json_schema()
    found = set()
    for node in _nodes(whole["properties"][name], whole.get("$defs", {})):
        type_name = node.get("type")
        if type_name != "null":
            is_date = type_name == "string" and node.get("format") == "date"
            found.add(DATE if is_date else _KINDS.get(str(type_name), TEXT))
    if found == {INTEGER, NUMBER}:
        return NUMBER
    return found.pop() if len(found) == 1 else TEXT


def _nodes(node: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        yield from _nodes(defs[node["$ref"].removeprefix("#/$defs/")], defs)
    elif "anyOf" in node:
        for inner in node["anyOf"]:
            yield from _nodes(inner, defs)
    else:
        yield node
