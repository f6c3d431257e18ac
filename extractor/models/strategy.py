"""How an answer is got out of a model: all of it, with quotes, or only what the reader cannot know.

``plain`` asks for the whole record, ``quoted`` for the words of each stated value as well.
``skeleton`` shows the model what the reader found, as a numbered table after the letter, and asks
only for what needs a mind; the reading fills the rest. That saves most of the output, and gives away
the second pair of eyes on what the reader filled: so the model may dispute rows of the table, and
every such record states how it was made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Protocol, get_args

from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json

from extractor.lettertypes.evidence import Judged, SchemaField, StrictModel, Unchecked, Verbatim, fields_of
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.answered import Answered
from extractor.models.offline import values
from extractor.models.overlong import parse_answer
from extractor.models.quoted import Quoted

# The key of a record in a reply: the number of its part in the letter's table.
_ROWS = Annotated[list[Annotated[int, Field(ge=0, le=9999)]], Field(max_length=200)]


class Strategy(Protocol):
    """One way to ask: which schema is sent, what goes with the letter, and what a reply means."""

    @property
    def schema(self) -> type[BaseModel]: ...

    def notes(self, reading: Reading) -> str:
        """A message after the letter; empty for none."""
        ...

    def answer(self, reply: str, reading: Reading) -> Answered:
        """The whole answer that a reply means.

        Raises ``ValueError`` (pydantic's ``ValidationError`` among them) for a reply that is none.
        """
        ...

    def expected_reply(self, reading: Reading) -> Mapping[str, Any]:
        """A reply of the size to be expected: the reading's values, not validated."""
        ...


class Plain:
    """The model fills the whole schema."""

    def __init__(self, letter_type: LetterType) -> None:
        self.schema = letter_type.schema

    def notes(self, reading: Reading) -> str:
        return ""

    def answer(self, reply: str, reading: Reading) -> Answered:
        return Answered(*parse_answer(self.schema, reply))

    def expected_reply(self, reading: Reading) -> Mapping[str, Any]:
        return values(self.schema, reading.root)


class Skeleton:
    """The model fills what the reader cannot know, and may dispute what the reader found."""

    def __init__(self, letter_type: LetterType) -> None:
        self._whole = letter_type.schema
        self._asked = frozenset(letter_type.asked)
        self.schema = _rest(letter_type.schema, self._asked)

    def notes(self, reading: Reading) -> str:
        rows = _rows(self._whole, values(self._whole, reading.root), "", self._asked)
        return "\n".join(f"[{number}] {row}" for number, row in enumerate(rows, 1))

    def expected_reply(self, reading: Reading) -> Mapping[str, Any]:
        return {"disputed": [], **_asked_of(self.schema, values(self._whole, reading.root))}

    def answer(self, reply: str, reading: Reading) -> Answered:
        rest, cut = parse_answer(self.schema, reply)
        filled = values(self._whole, reading.root)
        _fill_in(self._whole, filled, rest)
        # Through JSON: the reading's dates and the reply's are then validated alike.
        answer, cut_too = parse_answer(self._whole, to_json(filled).decode())
        disputes = _disputes(rest.disputed, self.notes(reading))  # type: ignore[attr-defined]
        return Answered(answer, [_made(), *cut, *cut_too, *disputes])


STRATEGIES: Mapping[str, Callable[[LetterType], Strategy]] = {"plain": Plain, "skeleton": Skeleton, "quoted": Quoted}


def _made() -> Finding:
    message = "headings, outcomes, citations, dates and the like are the reading's; a model read the rest"
    return Finding("skeleton", "", "info", "unclear", message)


def _disputes(numbers: list[int], table: str) -> Iterator[Finding]:
    rows = table.split("\n")
    for number in dict.fromkeys(numbers):
        known = 0 < number <= len(rows)
        path = "/" + rows[number - 1].split("]", 1)[1].split(":", 1)[0].strip() if known else ""
        message = "the model disputes this row: the letter does not support it" if known else "the model misses a row"
        yield Finding("skeleton_disputed", path.rstrip("/"), "error", "unclear", message, got=number)


# ---- the part of a schema that needs a mind -----------------------------------------------------


@cache
def _rest(schema: type[BaseModel], asked: frozenset[str]) -> type[BaseModel]:
    """The schema of a reply: a disputed list, and of each record only the leaves that need a mind."""
    inner = _fields(schema, asked, "")
    return create_model(f"{schema.__name__}Rest", __base__=StrictModel, disputed=(_ROWS, ...), **inner)


def _fields(schema: type[BaseModel], asked: frozenset[str], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}".lstrip("/")
        info = schema.model_fields[spec.name]
        if spec.model is None:
            if needs_a_mind(spec) or here in asked:
                found[spec.name] = (
                    Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation,
                    ...,
                )
        elif inner := _fields(spec.model, asked, here):
            model = create_model(f"{spec.model.__name__}Rest", __base__=StrictModel, **inner)
            found[spec.name] = (list[model] if spec.kind == "records" else model, ...)
    return found


def _asked_of(schema: type[BaseModel], filled: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a whole answer that a reduced schema has fields for."""
    found: dict[str, Any] = {}
    for name, info in schema.model_fields.items():
        if name not in filled:
            continue
        inner = _record_class(info.annotation)
        value = filled[name]
        if inner is not None and inner.__name__.endswith("Rest"):
            found[name] = (
                [_asked_of(inner, one) for one in value] if isinstance(value, list) else _asked_of(inner, value)
            )
        else:
            found[name] = value
    return found


def _record_class(annotation: Any) -> type[BaseModel] | None:
    """The record class that a field holds, or holds a list of."""
    found = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    return next((each for each in found if issubclass(each, BaseModel)), None)


def needs_a_mind(spec: SchemaField) -> bool:
    """Whether a leaf is a judgment or a free choice of words, and so never in a reading for certain."""
    marker = spec.marker
    return isinstance(marker, Judged | Unchecked) or (isinstance(marker, Verbatim) and not marker.whole)


def _fill_in(schema: type[BaseModel], filled: dict[str, Any], rest: BaseModel) -> None:
    """Put a reply's leaves into the reading's record, in place. Raises ``ValueError`` if records do not match."""
    for spec in fields_of(schema):
        if spec.name not in type(rest).model_fields:
            continue
        given = getattr(rest, spec.name)
        if spec.model is None:
            filled[spec.name] = given
        elif spec.kind == "group":
            _fill_in(spec.model, filled[spec.name], given)
        elif len(given) != len(filled[spec.name]):
            raise RowsError(f"the table has {len(filled[spec.name])} {spec.name}, the reply {len(given)}")
        else:
            for inner, one in zip(filled[spec.name], given, strict=True):
                _fill_in(spec.model, inner, one)


class RowsError(ValueError):
    """The reply does not have one record for each of the table's."""


# ---- the table ----------------------------------------------------------------------------------


def _rows(schema: type[BaseModel], filled: Mapping[str, Any], path: str, asked: frozenset[str]) -> Iterator[str]:
    """One row for each record: its place, and the leaves that the reading filled, as JSON."""
    names = "/".join(part for part in path.split("/") if not part.isdigit())
    leaves = {
        spec.name: filled[spec.name]
        for spec in fields_of(schema)
        if spec.model is None and not needs_a_mind(spec) and f"{names}/{spec.name}".lstrip("/") not in asked
    }
    if leaves:
        yield f"{path}: {json.dumps(json.loads(to_json(leaves)), ensure_ascii=False)}"
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}".lstrip("/")
        if spec.kind == "group":
            yield from _rows(spec.model, filled[spec.name], here, asked)  # type: ignore[arg-type]
        elif spec.kind == "records":
            for i, inner in enumerate(filled[spec.name]):
                yield from _rows(spec.model, inner, f"{here}/{i}", asked)  # type: ignore[arg-type]
