"""Records: the result for one letter, the same for one letter or a million. Their keys are a contract.

A record is a frozen object in memory and one line of JSON in files. ``Record.from_json`` and
``Record.as_json`` are the only ways across.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from extractor.display.record_html import MarkedLetter, record_html
from extractor.errors import ExtractorError, RecordError, UsageError
from extractor.json_text import StrictJSONError, strict_json
from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding, ProofLevel, Status, Withheld
from extractor.models.model import Usage

RECORD_VERSION = 2

_CLOSED = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)
_OmittedIfNone = Field(exclude_if=lambda value: value is None)


@dataclass(frozen=True, slots=True)
class PageBox:
    """A rectangle on a page of the letter: left, top, right, bottom as shares of the page from its top left."""

    letter_page: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that prove a value: ``[start, end)`` in the raw text.

    ``letter_page`` counts from 1 and is ``None`` where the text has no page marks. ``boxes``: where the words
    are printed, for letters that come from pages; ``None`` for plain text.
    """

    start: int
    end: int
    letter_page: int | None
    text: str
    boxes: Annotated[tuple[PageBox, ...] | None, _OmittedIfNone] = None

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One question to the model and its cost. ``findings`` and ``errors`` count what the check found.

    ``seconds`` includes pauses; ``cost_usd`` is ``None`` where the price or the token counts are unknown. ``model``
    is given where two models were asked.
    """

    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    finish: str = "stop"
    transport_tries: int = 1
    seconds: float = 0.0
    findings: int = 0
    errors: int = 0
    model: Annotated[str | None, _OmittedIfNone] = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a letter has no answer: a stable ``code``, a sentence, and what to do about it."""

    code: str
    message: str
    hint: Annotated[str | None, _OmittedIfNone] = None

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message

    @classmethod
    def of(cls, error: ExtractorError) -> Failure:
        return cls(error.code, error.message, error.hint or None)


@dataclass(frozen=True, slots=True)
class SecondAnswer:
    """What a second model answered to a letter that was flagged.

    ``answer`` is its whole answer as plain JSON data, ``None`` if there is no valid one; ``error`` is then the reason.
    ``values`` holds its values where the record's answer was in question, by JSON pointer into that answer.
    """

    model: str
    prompt: str | None = None
    prompt_sha256: str | None = None
    answer: dict[str, Any] | None = None
    values: dict[str, Any] = field(default_factory=dict)
    error: Failure | None = None

    @classmethod
    def of_line(cls, line: Mapping[str, Any]) -> SecondAnswer | None:
        """The second answer in anyone's line of JSON; ``None`` if it holds none."""
        second = line.get("second")
        if not isinstance(second, dict) or not isinstance(second.get("model"), str):
            return None
        answer = second.get("answer")
        return cls(second["model"], answer=answer if isinstance(answer, dict) else None)


@dataclass(frozen=True)
class Record:
    """The result for one letter.

    ``answer`` is the model's answer as plain JSON data, ``None`` if there is no valid one. ``evidence``,
    ``proof`` and ``withheld`` are keyed by JSON pointers into it: the words that prove a value, how strong
    the proof is, and values that were taken out with the reason. ``cost_usd`` is ``None`` where it is unknown.
    ``second`` is given where a second model was asked; ``usage`` and ``cost_usd`` include it. ``form`` is given where
    the letter type knows several forms of its letters. ``source`` is the path of the letter's file below the
    folder that was named; ``None`` for text that came from no file.
    """

    letter_id: str
    letter_sha256: str | None
    letter_type: str
    status: Status
    answer: dict[str, Any] | None = None
    evidence: dict[str, tuple[Evidence, ...]] = field(default_factory=dict)
    proof: dict[str, ProofLevel] = field(default_factory=dict)
    withheld: dict[str, Withheld] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    model: str | None = None
    prompt: str | None = None
    prompt_sha256: str | None = None
    schema_sha256: str | None = None
    engine: str | None = None
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    error: Failure | None = None
    record_version: Literal[2] = 2
    second: Annotated[SecondAnswer | None, _OmittedIfNone] = None
    form: Annotated[str | None, _OmittedIfNone] = None
    # Where a letter lies does not make its record another one.
    source: Annotated[str | None, _OmittedIfNone] = field(default=None, compare=False)

    __pydantic_config__ = _CLOSED

    def __repr__(self) -> str:
        # Logs and error pages print this: it holds none of the letter's words.
        return f"Record({self.letter_id!r}, {self.status!r}, {len(self.findings)} findings)"

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the record from being accepted."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def marked(self, letter: Letter) -> MarkedLetter:
        """The letter with the record's evidence marked, for a notebook. Raises ``UsageError`` for another letter."""
        if letter.sha256 != self.letter_sha256:
            raise UsageError(
                f"the record of {self.letter_id} was made from another text", hint="read the letter it names"
            )
        spans = [(path, each.span) for path, found in self.evidence.items() for each in found]
        return MarkedLetter(letter, tuple(spans))

    def _repr_html_(self) -> str:
        """For notebooks: each value with its proof, its words in the letter, and what is wrong with it."""
        return record_html(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The record as plain JSON data, in the order of its keys."""
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found

    def as_json(self) -> str:
        """The record as one line of JSON, without its end."""
        try:
            return _adapter().dump_json(self).decode()
        except (PydanticSerializationError, UnicodeError):
            # Half a character: only escaped does it survive.
            return json.dumps(self.as_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """A record from plain JSON data of this version or version 1. Raises ``RecordError``."""
        if not isinstance(data, Mapping):
            raise RecordError("not a record: not a JSON object", hint=_HINT)
        version = data.get("record_version", 1)
        if version == 1:
            data = {**data, "record_version": RECORD_VERSION}
        elif version != RECORD_VERSION:
            raise RecordError(f"the record has version {str(version)[:20]!r}", hint="update letterproof")
        try:
            return _adapter().validate_python(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"]))[:80]
            raise RecordError(f"not a record: {place}: {first['msg']}", hint=_HINT) from None

    @classmethod
    def from_json(cls, line: str | bytes) -> Record:
        """A record from a line of ``records.jsonl``. Raises ``RecordError``."""
        try:
            data = strict_json(line)
        except StrictJSONError as error:
            raise RecordError(f"not a record: {error}", hint=_HINT) from None
        return cls.from_dict(data)


_HINT = "name records written by extractor run; the shape is in extractor schema --record"


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def record_schema(answer: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON schema of one line of ``records.jsonl``; with ``answer``, the schema of a letter type's answer, for it.

    Lines of version 1 lack ``record_version``, ``proof`` and ``withheld``.
    """
    schema = _adapter().json_schema(mode="serialization")
    if answer is not None:
        inner = dict(answer)
        schema["$defs"] = {**schema["$defs"], **inner.pop("$defs", {})}
        schema["properties"]["answer"] = {"anyOf": [inner, {"type": "null"}], "title": "Answer"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def evidence_of(letter: Letter, spans: Mapping[str, Iterable[Span]]) -> dict[str, tuple[Evidence, ...]]:
    """Spans by path as evidence: with letter page, words, and boxes where they are known."""
    return {path: tuple(_evidence(letter, span) for span in found) for path, found in spans.items()}


def _evidence(letter: Letter, span: Span) -> Evidence:
    boxes = None
    if letter.words:
        boxes = tuple(
            PageBox(page, (round(box[0], 4), round(box[1], 4), round(box[2], 4), round(box[3], 4)))
            for page, box in letter.boxes(span)
        )
    return Evidence(span.start, span.end, letter.page_of(span.start), span.of(letter.text), boxes)
