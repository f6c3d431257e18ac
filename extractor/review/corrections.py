"""Corrections are checked against the letter by the same checks that the model's answer went through."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from extractor.errors import UsageError
from extractor.letters.letter import Letter
from extractor.letters.spans import fold
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.leaves import field_named
from extractor.lettertypes.lettertype import LetterType
from extractor.models.offline import values
from extractor.pointers import value_at
from extractor.review.inputs import leaf_input
from extractor.review.state import change
from extractor.runs.answers import check_correction
from extractor.runs.record import Record
from extractor.validator.binding import bind


@dataclass(frozen=True)
class Proposed:
    """An answer with one change: ``old`` is the value before, ``record`` the record with fresh evidence and findings.

    ``new_findings`` are those the answer did not have before; ``resolved`` counts those that are gone.
    """

    path: str
    old: Any
    new: Any
    record: Record
    new_findings: tuple[Finding, ...]
    resolved: int


def checked(kind: LetterType, letter: Letter, record: Record, answer: Any) -> Record:
    """The record with another answer and fresh evidence and findings."""
    return check_correction(replace(record, answer=answer), letter, kind)


def filled(kind: LetterType, letter: Letter, record: Record) -> Proposed:
    """A draft answer where the model gave none: the reader's values, null where a judgment is needed.

    Raises ``UsageError`` if there is an answer, or the reading does not fill the schema.
    """
    if record.answer is not None:
        raise UsageError("there already is an answer; correct it")
    try:
        reading = kind.read(letter)
    except Exception as error:  # code of a letter type, which may be why the letter failed
        raise UsageError(f"the letter cannot be read by its letter type ({type(error).__name__})") from error
    if not reading.recognized:
        raise UsageError(f"nothing was read that could fill the record: {reading.note}")
    answer = json.loads(json.dumps(values(kind.schema, reading.root), default=str))
    _valid(kind, answer)
    after = checked(kind, letter, record, answer)
    return Proposed("", None, after.answer, replace(after, error=None), after.findings, 0)


def correction(kind: LetterType, letter: Letter, record: Record, path: str, text: str | None) -> Proposed:
    """``text`` typed in for the leaf at ``path``; ``None``: not stated in the letter.

    Raises ``UsageError`` in plain words for what is no value of this field, ``LookupError`` if there is no such field.
    """
    wanted = leaf_input(kind, record.answer, path)
    if text is None:
        if not wanted.nullable:
            raise UsageError("this field must have a value")
        new = None
    else:
        try:
            new = wanted.parse(text)
        except ValueError as error:
            raise UsageError(f"wanted: {error}") from None
    return proposed(kind, letter, record, "correct", path, new)


def removal(kind: LetterType, letter: Letter, record: Record, path: str) -> Proposed:
    """One record of a list taken out. Raises ``LookupError`` if ``path`` is not one."""
    value = value_at(record.answer, path)
    last = path.rpartition("/")[2]
    if not (last.isascii() and last.isdecimal()) or not isinstance(value, dict):
        raise LookupError(path)
    return proposed(kind, letter, record, "remove", path, None)


def addition(kind: LetterType, letter: Letter, record: Record, path: str, wanted: Any = None) -> Proposed:
    """The first part of the letter that no record of the list at ``path`` claims, as the reader reads it.

    ``wanted``: the key of the part, if another is meant than the first. Only lists at the top of the schema.
    Raises ``UsageError`` if every part is claimed, or the reading does not fill the schema; ``LookupError`` if
    there is no such list.
    """
    name = path.removeprefix("/")
    spec = field_named(kind.schema, name)
    if spec is None or spec.model is None or spec.covers is None:
        raise LookupError(path)
    blocks = kind.read(letter).root.blocks.get(name, ())
    key = spec.covers.key
    read = [json.loads(json.dumps(values(spec.model, block), default=str)) for block in blocks]
    got = [fold(str(one[key])) for one in (record.answer or {})[name]]
    missing = bind(got, [fold(str(one[key])) for one in read])
    if not missing.missing:
        raise UsageError("every part of the letter is claimed by a record")
    part = next((each for each in missing.missing if read[each][key] == wanted), missing.missing[0])
    at = sum(1 for i, j in missing.pairs if j < part)
    return proposed(kind, letter, record, "add", f"{path}/{at}", read[part])


def proposed(kind: LetterType, letter: Letter, record: Record, act: str, path: str, new: Any) -> Proposed:
    """The effect of one change, ``act`` being one of ``correct``, ``add`` and ``remove``.

    Raises ``UsageError`` if the schema does not allow it, ``LookupError`` if ``path`` leads nowhere.
    """
    answer = copy.deepcopy(record.answer)
    old = change(answer, act, path, new)
    _valid(kind, answer)
    after = checked(kind, letter, record, answer)
    before = Counter(map(_name, record.findings))
    fresh = []
    for finding in after.findings:
        if before[_name(finding)]:
            before[_name(finding)] -= 1
        else:
            fresh.append(finding)
    gone = sum(count for name, count in before.items())
    return Proposed(path, old, new, after, tuple(fresh), gone)


def _valid(kind: LetterType, answer: Any) -> None:
    try:
        kind.schema.model_validate_json(json.dumps(answer))
    except ValidationError as error:
        raise UsageError("; ".join(dict.fromkeys(each["msg"] for each in error.errors()[:3]))) from None


def _name(finding: Finding) -> str:
    return json.dumps([finding.code, finding.path, finding.expected, finding.got], sort_keys=True)
