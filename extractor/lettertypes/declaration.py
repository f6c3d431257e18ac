"""A letter type out of one declared schema: ``letter_type("bva", Decision, Form(...))``.

What can be known to be wrong is found when the type is loaded, and named with its file, line and field.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Literal, get_origin

from pydantic import BaseModel

from extractor.errors import LetterTypeError
from extractor.lettertypes.derived import CODES, DerivedReader, all_fields
from extractor.lettertypes.evidence import SchemaField, Stated, Verbatim, check_schema, fields_of
from extractor.lettertypes.form import BUILT_IN, RECORD, Form
from extractor.lettertypes.lettertype import LetterType, Rows, Rule
from extractor.lettertypes.parsers import Cited, Identifier, Presence, Wording, parser_of
from extractor.lettertypes.patterns import SlowPatternError, compiled
from extractor.lettertypes.places import UNITS, Computed, Each, patterns_of


def letter_type(
    name: str,
    schema: type[BaseModel],
    form: Form,
    *,
    protected: tuple[str, ...] = (),
    rules: Mapping[type[BaseModel], tuple[Rule, ...]] | None = None,
    codes: Mapping[str, str] | None = None,
    rows: Rows | None = None,
) -> LetterType:
    """The letter type that ``schema`` and ``form`` declare, with reader, starts, rows and planted mistakes.

    Raises ``LetterTypeError`` naming file, line and field for places that contradict the schema or the form.
    """
    check_declaration(schema, form)
    return LetterType(
        name=name,
        schema=schema,
        read=DerivedReader(schema, form),
        rules=rules or {},
        codes={**CODES, **(codes or {})},
        protected=protected,
        rows=rows or rows_of(schema),
        starts=_starts(form) if form.starts else None,
    )


def _starts(form: Form) -> Callable[[str], list[int]]:
    def starts(text: str) -> list[int]:
        try:
            return form.letter_starts(text)
        except SlowPatternError:
            return []

    return starts


# ---- checks when a type is loaded --------------------------------------------------------------


def check_declaration(schema: type[BaseModel], form: Form) -> None:
    """Check places, parsers and form against each other and the schema. Raises ``LetterTypeError``."""
    check_schema(schema)
    for pattern in form.patterns:
        compiled(pattern)
    taken = set(form.sections) & set(BUILT_IN)
    if taken:
        raise LetterTypeError(
            f"{_at(schema)}: a section is named {min(taken)!r}", hint="that name is taken; choose another"
        )
    for name in form.required:
        _known_section(f"{_at(schema)}: required", name, form)
    for owner, spec, in_record in _walk(schema, False):
        _check_field(owner, spec, form, in_record)
    if not any(spec.place or spec.parser for spec in all_fields(schema)):
        raise LetterTypeError(
            f"{_at(schema)}: no field of {schema.__name__} has a place", hint="see docs/letter-type.md"
        )


def _walk(schema: type[BaseModel], in_record: bool) -> Iterator[tuple[type[BaseModel], SchemaField, bool]]:
    for spec in fields_of(schema):
        yield schema, spec, in_record
        if spec.model:
            yield from _walk(spec.model, in_record or spec.kind == "records")


def _check_field(owner: type[BaseModel], spec: SchemaField, form: Form, in_record: bool) -> None:
    where = _at(owner, spec.name)
    try:
        for pattern in chain(patterns_of(spec.place), _parser_patterns(spec.parser)):
            compiled(pattern)
    except LetterTypeError as error:
        raise LetterTypeError(f"{where}: {error.message}", hint="fix the pattern") from error
    if isinstance(spec.marker, Verbatim | Stated) and (spec.place or spec.parser):
        if spec.marker.within == RECORD and not in_record:
            raise LetterTypeError(f"{where}: {RECORD!r} is the region of a record", hint="name a section, or 'letter'")
        _known_section(where, spec.marker.within, form)
    if isinstance(spec.place, Each):
        _check_each(where, owner, spec, spec.place, form)
    if spec.kind == "records":
        if spec.place and not isinstance(spec.place, Each | Computed):
            raise LetterTypeError(
                f"{where}: a list of records cannot use {type(spec.place).__name__}", hint="use Each(...)"
            )
    elif spec.place or spec.parser:
        _check_parser(where, spec)


def _check_each(where: str, owner: type[BaseModel], spec: SchemaField, place: Each, form: Form) -> None:
    if place.unit not in UNITS:
        raise LetterTypeError(f"{where}: no unit {place.unit!r}", hint=f"known: {', '.join(UNITS)}")
    if spec.kind == "leaf" and not spec.many:
        raise LetterTypeError(f"{where}: Each is declared on a single value", hint="use it on a list, or another place")
    if spec.kind == "records" and not place.of:
        raise LetterTypeError(f"{where}: Each names no section", hint="write Each(unit, of=(...,))")
    for name in (*place.of, *place.unless):
        _known_section(where, name, form)
    if place.one:
        leaves = fields_of(spec.model) if spec.model else ()
        if not any(leaf.name == place.one and (leaf.parser or leaf.place) for leaf in leaves):
            raise LetterTypeError(
                f"{where}: Each(one={place.one!r}) names no leaf with a parser", hint="name an enum leaf"
            )


def _check_parser(where: str, spec: SchemaField) -> None:
    parser = spec.parser or parser_of(spec.value_type)
    if parser is None:
        raise LetterTypeError(
            f"{where}: no parser for a {getattr(spec.value_type, '__name__', spec.value_type)}",
            hint="put a parser beside the place, such as Presence(...) for a bool",
        )
    values = getattr(spec.value_type, "__args__", None)
    if isinstance(parser, Wording) and values is not None:
        unknown = {*parser.words, *parser.given.values()} - set(values)
        if unknown:
            raise LetterTypeError(
                f"{where}: Wording has {min(map(str, unknown))!r}, the type has not",
                hint=f"its values: {', '.join(map(str, values))}",
            )
    if isinstance(parser, Presence) != (spec.value_type is bool):
        raise LetterTypeError(f"{where}: Presence and bool belong together", hint="use both or neither")


def _parser_patterns(parser: Any) -> Iterable[str]:
    match parser:
        case Wording():
            return (*parser.words.values(), parser.behind)
        case Presence():
            return (parser.pattern, parser.absent)
        case Identifier():
            return (parser.shape,)
        case Cited():
            return (parser.code,)
    return ()


def _known_section(where: str, name: str, form: Form) -> None:
    if name not in form.sections and name not in BUILT_IN:
        known = ", ".join((*form.sections, *BUILT_IN))
        raise LetterTypeError(f"{where}: the form has no section {name!r}", hint=f"known: {known}")


def _at(schema: type[BaseModel], name: str = "") -> str:
    """File, line and field, as far as the source is available: ``schemas/bva.py:31: Header.docket_number``."""
    label = f"{schema.__name__}.{name}" if name else schema.__name__
    try:
        lines, first = inspect.getsourcelines(schema)
        file = inspect.getsourcefile(schema)
    except (OSError, TypeError):
        return label
    line = next((i for i, text in enumerate(lines) if re.match(rf"\s+{re.escape(name)}\s*:", text)), 0) if name else 0
    return f"{file}:{first + line}: {label}"


# ---- what a schema alone gives -----------------------------------------------------------------


def rows_of(schema: type[BaseModel]) -> Rows:
    """A short table for people: a row for each record of the schema's first list of records, else one row.

    Values from a fixed list, such as an outcome, come first.
    """
    listed = next((spec for spec in fields_of(schema) if spec.kind == "records"), None)
    shown = listed.model if listed and listed.model else schema
    leaves = [spec for spec in fields_of(shown) if spec.kind == "leaf"]
    leaves.sort(key=lambda spec: get_origin(spec.value_type) is not Literal)

    def rows(answer: Mapping[str, Any]) -> list[dict[str, str]]:
        records = answer[listed.name] if listed else [answer]
        return [{spec.name: _cell(record[spec.name]) for spec in leaves} for record in records]

    return rows


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    if isinstance(value, dict):
        return "-".join(dict.fromkeys(str(one) for one in value.values()))
    return "" if value is None else str(value)
