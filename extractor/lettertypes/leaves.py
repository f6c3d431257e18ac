"""Leaves of a schema by JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from extractor.lettertypes.evidence import SchemaField, fields_of
from extractor.pointers import is_index, parts_of, pointer_of


class FoundLeaf(NamedTuple):
    """The leaf that a pointer is at or inside of: its own pointer, its field, and the list element pointed at."""

    path: str
    spec: SchemaField
    element: int | None


class FoundRecords(NamedTuple):
    """The list of records that a pointer ends at, or at one entry of: its own pointer and its field."""

    path: str
    spec: SchemaField


def leaf_at(schema: type[BaseModel], pointer: str) -> FoundLeaf | None:
    """The leaf that a pointer is at or inside of; ``None`` if it ends above one or leads nowhere."""
    record: type[BaseModel] | None = schema
    steps = parts_of(pointer)
    for at, step in enumerate(steps):
        if is_index(step) and at:
            continue
        spec = field_named(record, step)
        if spec is None:
            return None
        if spec.model is None:
            rest = steps[at + 1 :]
            element = int(rest[0]) if spec.many and rest and is_index(rest[0]) else None
            return FoundLeaf(pointer_of(steps[: at + 1]), spec, element)
        record = spec.model
    return None


def records_at(schema: type[BaseModel], pointer: str) -> FoundRecords | None:
    """The list of records that a pointer ends at, or at one entry of; else ``None``."""
    steps = parts_of(pointer)
    if steps and is_index(steps[-1]):
        steps.pop()
    if not steps:
        return None
    path = pointer_of(steps)
    spec = field_named(record_at(schema, pointer_of(steps[:-1])), steps[-1])
    return FoundRecords(path, spec) if spec and spec.kind == "records" else None


def record_at(schema: type[BaseModel], pointer: str) -> type[BaseModel] | None:
    """The record class that a pointer leads to; ``None`` if it leads to none."""
    record: type[BaseModel] | None = schema
    for step in parts_of(pointer):
        if not is_index(step):
            spec = field_named(record, step)
            record = spec.model if spec else None
    return record


def field_named(record: type[BaseModel] | None, name: str) -> SchemaField | None:
    """The field of a record class with this name, if there is one."""
    return next((each for each in fields_of(record) if each.name == name), None) if record else None


def all_fields(schema: type[BaseModel]) -> Iterator[tuple[type[BaseModel], SchemaField]]:
    """Every field of a schema with its record class, outer ones first; each class once."""
    seen: set[type[BaseModel]] = set()
    waiting = [schema]
    while waiting:
        record = waiting.pop(0)
        if record in seen:
            continue
        seen.add(record)
        for spec in fields_of(record):
            yield record, spec
            if spec.model is not None:
                waiting.append(spec.model)
