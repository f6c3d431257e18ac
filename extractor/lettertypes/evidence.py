"""Evidence markers: what must prove each leaf of a schema.

A marker is a frozen dataclass inside ``Annotated[...]``; it does not reach the JSON schema.
Every leaf carries exactly one. ``fields_of`` is the one walker that reads them, also inside
``list[Annotated[...]]`` and ``Annotated[...] | None``.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_json

from extractor.errors import LetterTypeError
from extractor.lettertypes.parsers import PARSERS, AnyParser
from extractor.lettertypes.places import PLACES, Place

Unit = Literal["words", "item", "clause", "sentence"]


class StrictModel(BaseModel):
    """Base class of every part of a schema: no unknown keys, no type coercion, no defaults."""

    model_config = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Verbatim:
    """The value's words occur in the region ``within``, up to whitespace, dashes and quotation marks.

    ``whole``: the value is all that the reader found for this leaf, not a part of it.
    ``joined``: of a whole list, only the words count, not at which commas it is cut (section
    names hold commas themselves).
    ``min_words``: a shorter quote proves nothing.
    ``unit``: what a quote must be a whole one of: it begins and ends where a ``sentence`` or a ``clause``
    of the region does, or an ``item`` of a list in its prose may; ``words``: anywhere.
    """

    within: str
    whole: bool = False
    joined: bool = False
    min_words: int = 0
    unit: Unit = "words"


@dataclass(frozen=True)
class Stated:
    """The value equals what the reader found in the region ``within``, compared as a value, not as text."""

    within: str


@dataclass(frozen=True)
class Judged:
    """A category that needs a judgment; the sibling leaf ``quote`` holds the words it rests on."""

    quote: str


@dataclass(frozen=True)
class Unchecked:
    """No evidence can be required; ``why`` is the reason. The only way to opt out."""

    why: str


@dataclass(frozen=True)
class Covers:
    """On a list of records: one record for each block the reader found, in the letter's order.

    ``key`` names the leaf that identifies a record.
    """

    key: str


@dataclass(frozen=True)
class Scored:
    """How the eval compares a leaf with gold, beside its evidence marker.

    ``words`` (the default): equal up to whitespace, dashes and quotation marks; other types as they are.
    ``set`` (the default of lists): element by element, in any order. ``list``: element by element, in order.
    ``ranges``: a list of ``{first, last}`` is one leaf, in any order, and is counted page by page as well.
    ``shown``: never scored, because many values are equally right.
    """

    how: Literal["words", "list", "set", "ranges", "shown"]


LeafMarker = Verbatim | Stated | Judged | Unchecked
_LEAF = (Verbatim, Stated, Judged, Unchecked)


@dataclass(frozen=True)
class SchemaField:
    """One field of a schema, as the checks use it.

    ``kind`` is ``leaf`` (``marker`` is what proves it; ``many`` if it is a list of values;
    ``scored`` how gold is compared), ``group`` (a nested record) or ``records`` (a list of nested
    records, ``covers`` set). ``place`` is where in the letter it is found and ``parser`` how it is
    read there, where the type declares that. ``value_type`` is a leaf's own type, inside ``list`` and
    ``| None``; ``nullable`` whether ``null`` is allowed.
    """

    name: str
    kind: str
    marker: LeafMarker | None = None
    many: bool = False
    scored: str = "words"
    covers: Covers | None = None
    model: type[BaseModel] | None = None
    place: Place | None = None
    parser: AnyParser | None = None
    value_type: Any = None
    nullable: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether the schema declares where the letter states this leaf, or how it is read there."""
        return self.place is not None or self.parser is not None


@cache
def fields_of(schema: type[BaseModel]) -> tuple[SchemaField, ...]:
    """The fields of one schema class, in order.

    Raises ``LetterTypeError`` for a leaf without a marker, a list of records without ``Covers``,
    two markers on one leaf, or a field that may be left out.
    """
    return tuple(_field(schema, name) for name in schema.model_fields)


def check_schema(schema: type[BaseModel]) -> None:
    """Walk a whole schema once, so that a broken one fails when it is loaded. Raises ``LetterTypeError``."""
    for field in fields_of(schema):
        if field.model is None:
            continue
        names = {inner.name for inner in fields_of(field.model)}
        if field.covers and field.covers.key not in names:
            raise LetterTypeError(f"{schema.__name__}.{field.name}: Covers names no field {field.covers.key!r}")
        check_schema(field.model)
    names = set(schema.model_fields)
    for field in fields_of(schema):
        if isinstance(field.marker, Judged) and field.marker.quote not in names:
            raise LetterTypeError(f"{schema.__name__}.{field.name}: Judged names no field {field.marker.quote!r}")


def can_hold(schema: type[BaseModel], name: str, value: Any) -> bool:
    """Whether a field of ``schema`` can hold ``value``, by its own type and bounds."""
    try:
        _adapter(schema, name).validate_json(to_json(value))
    except ValidationError:
        return False
    return True


@cache
def _adapter(schema: type[BaseModel], name: str) -> TypeAdapter[Any]:
    info = schema.model_fields[name]
    annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(annotation)


def _field(schema: type[BaseModel], name: str) -> SchemaField:
    where = f"{schema.__name__}.{name}"
    info = schema.model_fields[name]
    if not info.is_required():
        raise LetterTypeError(
            f"{where} may be left out", hint="write `X | None` without a default: null is a claim that is checked"
        )
    annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    shapes = list(_shapes(annotation))
    markers = [m for shape in shapes for m in shape.markers if isinstance(m, _LEAF)]
    covers = [m for shape in shapes for m in shape.markers if isinstance(m, Covers)]
    models = [shape.type for shape in shapes if isinstance(shape.type, type) and issubclass(shape.type, BaseModel)]
    many = any(shape.many for shape in shapes)
    place = _only(where, "place", [m for shape in shapes for m in shape.markers if isinstance(m, PLACES)])
    parser = _only(where, "parser", [m for shape in shapes for m in shape.markers if isinstance(m, PARSERS)])
    if len(markers) > 1:
        raise LetterTypeError(f"{where} has {len(markers)} evidence markers", hint="a leaf carries exactly one")
    if markers:
        scored = [m.how for shape in shapes for m in shape.markers if isinstance(m, Scored)]
        types_inside = [shape.type for shape in shapes if shape.type not in (None, type(None))]
        return SchemaField(
            name,
            "leaf",
            marker=markers[0],
            many=many,
            scored=scored[0] if scored else "set" if many else "words",
            place=place,
            parser=parser,
            value_type=types_inside[0] if types_inside else None,
            nullable=any(shape.type is type(None) for shape in shapes),
        )
    if len(models) == 1 and many and covers:
        return SchemaField(name, "records", covers=covers[0], model=models[0], place=place)
    if len(models) == 1 and not many:
        return SchemaField(name, "group", model=models[0])
    raise LetterTypeError(
        f"{where} has no evidence marker",
        hint="declare what proves it: Verbatim(within=...), Stated(within=...), Judged(quote=...), "
        "Covers(key=...) on a list of records, or Unchecked('why')",
    )


def _only(where: str, what: str, found: list[Any]) -> Any | None:
    if len(found) > 1:
        raise LetterTypeError(f"{where} has {len(found)} {what}s", hint=f"a field carries one {what} at most")
    return found[0] if found else None


@dataclass(frozen=True)
class _Shape:
    type: Any
    markers: tuple[Any, ...]
    many: bool


def _shapes(annotation: Any, markers: tuple[Any, ...] = (), many: bool = False) -> Iterator[_Shape]:
    """Take ``Annotated``, unions and lists apart; a shape for each thing found inside."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *found = get_args(annotation)
        yield from _shapes(inner, (*markers, *found), many)
    elif origin in (Union, types.UnionType):
        # Markers on the whole belong to it once, not to each member.
        yield _Shape(None, markers, many)
        for member in get_args(annotation):
            yield from _shapes(member, (), many)
    elif origin is list:
        yield _Shape(None, markers, True)
        yield from _shapes(get_args(annotation)[0], (), True)
    else:
        yield _Shape(annotation, markers, many)
