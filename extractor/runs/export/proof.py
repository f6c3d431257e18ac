"""Tables of well-proven values only: a value that is proven less strongly than wanted is an empty cell."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel

from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.findings import ProofLevel, Withheld
from extractor.runs.export.table import Reviewed

# Strongest first, as the type lists them.
_LEVELS: tuple[ProofLevel, ...] = get_args(ProofLevel)


def with_proof(reviewed: Reviewed, schema: type[BaseModel], least: ProofLevel) -> Reviewed:
    """The record with null, or an empty list, for every leaf that is proven less strongly than ``least``.

    Such a leaf counts as withheld. Lists of records keep their rows, and a letter that a person reviewed keeps its
    values.
    """
    record = reviewed.record
    if record.answer is None or reviewed.review == "accepted" or reviewed.corrected:
        return reviewed
    strong = _LEVELS[: _LEVELS.index(least) + 1]
    proven = {path for path, level in record.proof.items() if level in strong}
    left_out: dict[str, Withheld] = {}
    answer = _proven(schema, record.answer, "", proven, left_out)
    return replace(reviewed, record=replace(record, answer=answer, withheld={**record.withheld, **left_out}))


def _proven(
    schema: type[BaseModel], values: Mapping[str, Any], path: str, proven: Set[str], left_out: dict[str, Withheld]
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for spec in fields_of(schema):
        here, value = f"{path}/{spec.name}", values[spec.name]
        if spec.model is None:
            if here in proven or value in (None, []):
                kept[spec.name] = value
            else:
                kept[spec.name] = [] if spec.many else None
                left_out[here] = Withheld(value, "unproven")
        elif spec.kind == "group":
            kept[spec.name] = _proven(spec.model, value, here, proven, left_out)
        else:
            kept[spec.name] = [_proven(spec.model, one, f"{here}/{i}", proven, left_out) for i, one in enumerate(value)]
    return kept
