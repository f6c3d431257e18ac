"""Replies with a value that is longer than its field: the leaf is flagged, the rest of the answer is kept."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from extractor.lettertypes.findings import Finding
from extractor.pointers import pointer_of

Answer = TypeVar("Answer", bound=BaseModel)

_TOO_LONG = frozenset({"string_too_long", "too_long"})


def parse_answer(schema: type[Answer], reply: str) -> tuple[Answer, list[Finding]]:
    """An instance of ``schema`` from a reply, with a finding for each text or list that was cut to fit its field.

    These are blamed on neither answer nor letter: the field may be too small for the letter. Raises
    ``ValidationError`` for every other fault.
    """
    try:
        return schema.model_validate_json(reply), []
    except ValidationError as error:
        faults = error.errors(include_url=False)
        if any(fault["type"] not in _TOO_LONG for fault in faults):
            raise
    data = json.loads(reply)
    found = []
    for fault in faults:
        length = fault["ctx"]["max_length"]
        _cut(data, fault["loc"], length)
        message = f"the field holds {length} at most; what is longer was cut off"
        found.append(Finding("too_long", pointer_of(fault["loc"]), "error", "unclear", message))
    # The elements of a list that was too long have not been checked yet.
    answer, more = parse_answer(schema, json.dumps(data))
    return answer, found + more


def _cut(data: Any, location: tuple[int | str, ...], length: int) -> None:
    """Cut the text or list at ``location``, in place."""
    *way, name = location
    for step in way:
        data = data[step]
    data[name] = data[name][:length]
