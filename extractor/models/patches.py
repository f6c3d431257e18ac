"""Corrections as patches: only the values in question come back, and code puts them into the first answer.

Sending a whole answer again for four wrong values costs as much output as the first answer, and gives a
model the chance to change what was right. A patch answers numbered values, each with its field's name as a
check that the model corrects what it thinks it corrects. What was not asked for is ignored and recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, create_model
from pydantic_core import to_json

from extractor.lettertypes.evidence import SchemaField, StrictModel, can_hold, fields_of
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.leaves import all_fields, leaf_at, record_at, records_at
from extractor.pointers import is_within, parts_of, place_of, pointer_of

# Values that one patch may hold; where more are in question, the whole answer is asked for again.
_MOST = 60


class Patched(NamedTuple):
    """An answer with a patch in it. ``given``: the paths whose values the patch gave, changed or not."""

    answer: BaseModel
    given: frozenset[str]
    ignored: list[Finding]


class Patches:
    """Patches of a letter type's answers. ``schema`` is that of a reply, the same for every letter."""

    def __init__(self, whole: type[BaseModel]) -> None:
        self._whole = whole
        self.schema = _patch_schema(whole)

    def targets(self, paths: Iterable[str]) -> tuple[str, ...] | None:
        """The leaves to ask for, given where findings point; ``None`` if only a whole answer can correct them.

        A list of records is asked for as a whole if its records hold no records themselves.
        """
        found: dict[str, None] = {}
        for path in paths:
            target = self._target(path)
            if target is None:
                return None
            found[target] = None
        inner = {path for path in found for other in found if path != other and is_within(path, other)}
        targets = tuple(path for path in found if path not in inner)
        return targets if 0 < len(targets) <= _MOST else None

    def _target(self, path: str) -> str | None:
        if leaf := leaf_at(self._whole, path):
            return leaf.path
        records = records_at(self._whole, path)
        return records.path if records and _is_flat(records.spec) else None

    def merged(self, answer: BaseModel, targets: Sequence[str], reply: str) -> Patched:
        """``answer`` with the values of a reply in their places.

        Raises ``ValidationError`` for a reply that is no patch.
        """
        data = answer.model_dump(mode="json")
        given: set[str] = set()
        ignored = []
        for value in self.schema.model_validate_json(reply).values:  # type: ignore[attr-defined]
            path = targets[value.number - 1] if 0 < value.number <= len(targets) else None
            if path is None or path in given or not self._fits(path, value):
                ignored.append(_ignored(path or ""))
                continue
            given.add(path)
            holder, name = place_of(data, path)
            holder[name] = json.loads(to_json(value.value))
        return Patched(self._whole.model_validate_json(to_json(data)), frozenset(given), ignored)

    def _fits(self, path: str, value: Any) -> bool:
        """Whether a value is for the field that its number asks for, and one that the field can hold."""
        *way, name = parts_of(path)
        record = record_at(self._whole, pointer_of(way))
        return bool(value.field == name and record and can_hold(record, name, value.value))


def _ignored(path: str) -> Finding:
    return Finding("correction_ignored", path, "info", "answer", "a correction that was not asked for was ignored")


def _is_flat(spec: SchemaField) -> bool:
    return spec.model is not None and all(inner.model is None for inner in fields_of(spec.model))


@cache
def _patch_schema(whole: type[BaseModel]) -> type[BaseModel]:
    """The schema of a patch: one kind of entry for each type of value, with the fields that have it."""
    names: dict[str, list[str]] = {}
    kinds: dict[str, Any] = {}
    for record, spec in all_fields(whole):
        if spec.model is not None and not (spec.kind == "records" and _is_flat(spec)):
            continue
        info = record.model_fields[spec.name]
        kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        key = json.dumps(TypeAdapter(kind).json_schema(), sort_keys=True)
        kinds[key] = kind
        if spec.name not in names.setdefault(key, []):
            names[key].append(spec.name)
    entries = [_entry(i, kinds[key], fields) for i, (key, fields) in enumerate(names.items(), 1)]
    any_entry: Any = reduce(or_, entries)
    values: Any = Annotated[list[any_entry], Field(max_length=_MOST)]
    return create_model(f"{whole.__name__}Patch", __base__=StrictModel, values=(values, ...))


def _entry(i: int, kind: Any, fields: list[str]) -> type[BaseModel]:
    name: Any = Literal[tuple(fields)]
    return create_model(f"Value{i}", __base__=StrictModel, number=(int, ...), field=(name, ...), value=(kind, ...))
