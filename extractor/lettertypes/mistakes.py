"""Mistakes that a schema alone makes possible, planted one at a time in correct answers to measure the validator.

Each planter walks the whole answer and yields copies with one mistake, for every leaf whose type and
marker it fits. What a marker does not claim is not planted: words may be chosen freely where a leaf
only proves that they are in the letter, so leaving some of them out is not a mistake there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any, Literal, get_origin

from pydantic import BaseModel

from extractor.lettertypes.evidence import SchemaField, Stated, Verbatim, can_hold, fields_of
from extractor.lettertypes.mistake import Mistake, Planter
from extractor.lettertypes.reading import Reading
from extractor.lettertypes.wrong_values import (
    LIST,
    NULL,
    RECORD,
    VALUE,
    Answer,
    AnswerLeaf,
    WrongValues,
    cut,
    digit_changed,
    doubled,
    dropped,
    enum_flipped,
    flipped,
    in_list,
    invented_item,
    item_digits,
    items_cut,
    merged,
    month_and_day_swapped,
    negation_removed,
    null,
    number_changed,
    of_a_sibling,
    of_another_section,
    other_of_the_letter,
    put,
    record_invented,
    record_merged,
    records,
    same,
    shifted_by_a_day,
    swapped,
    unit_changed,
    value_for_null,
)

# Most mistakes of one kind in one leaf: long lists must not outweigh all else.
_MOST = 2


def planters_of(schema: type[BaseModel]) -> dict[str, Planter]:
    """By kind, the planters that fit ``schema``; kinds that fit none of its leaves are left out."""
    specs = list(_specs(schema))
    return {name: _where_read(_planter(schema, kind)) for name, kind in _KINDS.items() if any(map(kind.fits, specs))}


def _specs(schema: type[BaseModel]) -> Iterator[SchemaField]:
    for spec in fields_of(schema):
        yield spec
        if spec.model:
            yield from _specs(spec.model)


def _where_read(planter: Planter) -> Planter:
    """Parts that the reader cannot parse need review in any case, so there is nothing to catch."""
    return lambda answer, reading: (
        mistake for mistake in planter(answer, reading) if all(map(reading.took_apart, mistake.paths))
    )


# ---- walking an answer ---------------------------------------------------------------------------


def _leaves(
    schema: type[BaseModel], record: Mapping[str, Any], path: str = "", above: tuple[str, str] = ("", "")
) -> Iterator[AnswerLeaf]:
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}"
        value = record[spec.name]
        if spec.model is None:
            yield AnswerLeaf(here, schema, spec, value, above[0] if spec.name == above[1] else "")
        elif spec.kind == "group":
            yield from _leaves(spec.model, value, here)
        else:
            assert spec.covers is not None
            for i, one in enumerate(value):
                yield from _leaves(spec.model, one, f"{here}/{i}", (here, spec.covers.key))


def _record_lists(
    schema: type[BaseModel], record: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, type[BaseModel], SchemaField, list[Any]]]:
    for spec in fields_of(schema):
        here = f"{path}/{spec.name}"
        if spec.kind == "group" and spec.model:
            yield from _record_lists(spec.model, record[spec.name], here)
        elif spec.kind == "records" and spec.model:
            yield here, schema, spec, record[spec.name]
            for i, one in enumerate(record[spec.name]):
                yield from _record_lists(spec.model, one, f"{here}/{i}")


# ---- kinds ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kind:
    """A kind of mistake in a leaf: which leaves it fits, the wrong values it gives, the findings that are right."""

    fits: Callable[[SchemaField], bool]
    make: WrongValues | None
    codes: frozenset[str] = VALUE
    records: Callable[[list[Any], SchemaField, Reading], Iterable[list[Any]]] | None = None


def _planter(schema: type[BaseModel], kind: _Kind) -> Planter:
    def plant(answer: Answer, reading: Reading) -> Iterator[Mistake]:
        if kind.records:
            for path, owner, spec, items in _record_lists(schema, answer):
                wrong = (one for one in kind.records(items, spec, reading) if can_hold(owner, spec.name, one))
                for changed in islice(wrong, _MOST):
                    yield Mistake(put(answer, path, changed), (path,), kind.codes)
            return
        leaves = list(_leaves(schema, answer))
        for leaf in leaves:
            if kind.fits(leaf.spec) and kind.make:
                made = kind.make(leaf, leaves, reading)
                wrong = (one for one in made if not same(one, leaf.value) and can_hold(leaf.owner, leaf.spec.name, one))
                for value in islice(wrong, _MOST):
                    yield leaf.changed(answer, value, kind.codes)

    return plant


def _is_checked(spec: SchemaField) -> bool:
    return spec.kind == "leaf" and isinstance(spec.marker, Verbatim | Stated)


def _of_type(*kinds: type) -> Callable[[SchemaField], bool]:
    return lambda spec: _is_checked(spec) and not spec.many and spec.value_type in kinds


def _is_enum(spec: SchemaField) -> bool:
    return _is_checked(spec) and not spec.many and get_origin(spec.value_type) is Literal


def _is_text(spec: SchemaField) -> bool:
    return _of_type(str)(spec)


def _is_list(spec: SchemaField) -> bool:
    return _is_checked(spec) and spec.many and (isinstance(spec.marker, Stated) or _all_of(spec))


def _all_of(spec: SchemaField) -> bool:
    return isinstance(spec.marker, Verbatim) and spec.marker.whole


def _is_text_list(spec: SchemaField) -> bool:
    return _is_list(spec) and spec.value_type is str


def _is_records(spec: SchemaField) -> bool:
    return spec.kind == "records"


_DATE, _NUMBER = _of_type(date), _of_type(int, float, Decimal)

_KINDS: dict[str, _Kind] = {
    "enum_flipped": _Kind(_is_enum, enum_flipped),
    "yes_and_no_flipped": _Kind(_of_type(bool), flipped),
    "date_shifted_by_a_day": _Kind(_DATE, shifted_by_a_day),
    "month_and_day_swapped": _Kind(_DATE, month_and_day_swapped),
    "another_date_of_the_letter": _Kind(_DATE, other_of_the_letter),
    "another_number_of_the_letter": _Kind(_NUMBER, other_of_the_letter),
    "number_changed": _Kind(_NUMBER, number_changed),
    "value_of_a_sibling": _Kind(lambda spec: _is_checked(spec) and not spec.many, of_a_sibling),
    "value_of_another_section": _Kind(_is_text, of_another_section),
    "digit_changed": _Kind(_is_text, digit_changed),
    "unit_changed": _Kind(_is_text, unit_changed),
    "negation_removed": _Kind(_is_text, negation_removed),
    "words_cut": _Kind(_is_text, cut),
    "null_for_a_value": _Kind(lambda spec: _is_checked(spec) and (not spec.many or _is_list(spec)), null, NULL),
    "value_for_a_null": _Kind(lambda spec: _is_checked(spec) and spec.nullable, value_for_null, VALUE | {"unread"}),
    "item_dropped": _Kind(_is_list, in_list(dropped), LIST),
    "item_doubled": _Kind(_is_list, in_list(doubled), LIST),
    "items_swapped": _Kind(_is_list, in_list(swapped), LIST),
    "items_merged": _Kind(_is_text_list, in_list(merged), LIST),
    "item_cut": _Kind(_is_text_list, in_list(items_cut), LIST),
    "digit_of_an_item_changed": _Kind(_is_text_list, in_list(item_digits), LIST),
    "item_invented": _Kind(_is_list, invented_item, LIST),
    "record_dropped": _Kind(_is_records, None, RECORD, records(dropped)),
    "record_doubled": _Kind(_is_records, None, RECORD, records(doubled)),
    "records_swapped": _Kind(_is_records, None, RECORD, records(swapped)),
    "records_merged": _Kind(_is_records, None, RECORD | VALUE, record_merged),
    "record_invented": _Kind(_is_records, None, RECORD, record_invented),
}
