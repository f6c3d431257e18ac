"""Wrong values: what a true value of a leaf, a list or a list of records may be mistaken for.

Each function yields wrong values for one leaf, the most plausible first; ``mistakes`` plants them.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from extractor.letters.spans import Span, fold
from extractor.lettertypes.evidence import SchemaField, Stated, Verbatim
from extractor.lettertypes.mistake import Mistake
from extractor.lettertypes.parsers import parser_of
from extractor.lettertypes.patterns import Searches
from extractor.lettertypes.reading import Reading
from extractor.pointers import place_of

Answer = Mapping[str, Any]
VALUE = frozenset({"value_differs", "not_in_text", "not_stated", "quote_cut", "quote_too_short", "unproven"})
LIST = frozenset({"list_item_missing", "list_item_extra", "list_order"}) | VALUE
RECORD = frozenset({"record_missing", "record_extra", "record_doubled", "record_order"})
NULL = frozenset({"null_but_stated", "list_item_missing", "quote_missing"})

_NEGATION = re.compile(r"\b(?:not|no|never|without)\s+|\bnon-?(?=\w)|\bun(?=related|able|likely)", re.IGNORECASE)
_UNITS = {
    "percent": "degrees", "%": " mg", "mg": "mcg", "ml": "mg", "days": "weeks", "weeks": "days", "months": "years",
    "years": "months", "hours": "days", "dollars": "percent", "degrees": "percent",
}  # fmt: skip
_UNIT = re.compile(r"(?<=\d)\s?(%|(?:percent|mg|ml|days|weeks|months|years|hours|dollars|degrees)\b)")


@dataclass(frozen=True)
class AnswerLeaf:
    """One leaf of an answer: where it is, its field of the schema, and the leaves that hold the same in others."""

    path: str
    owner: type[BaseModel]
    spec: SchemaField
    value: Any
    above: str = ""  # the list of records whose key this leaf is

    @property
    def is_whole(self) -> bool:
        """Whether the value claims to be all that the letter states here."""
        marker = self.spec.marker
        return isinstance(marker, Stated) or (isinstance(marker, Verbatim) and marker.whole)

    def changed(self, answer: Answer, value: Any, codes: frozenset[str]) -> Mistake:
        also = (self.above,) if self.above else ()
        return Mistake(put(answer, self.path, value), (self.path, *also), codes | RECORD if also else codes)


def put(answer: Answer, path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(dict(answer))
    holder, key = place_of(made, path)
    holder[key] = value
    return made


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return fold(one) == fold(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


WrongValues = Callable[[AnswerLeaf, Sequence[AnswerLeaf], Reading], Iterable[Any]]


def enum_flipped(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    if leaf.value is not None:
        yield from (value for value in get_args(leaf.spec.value_type) if value != leaf.value)


def flipped(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    if leaf.value is not None:
        yield not leaf.value


def shifted_by_a_day(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    if leaf.value:
        day = date.fromisoformat(leaf.value)
        yield from ((day + timedelta(days)).isoformat() for days in (-1, 1))


def month_and_day_swapped(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    day = date.fromisoformat(leaf.value) if leaf.value else None
    if day and day.day <= 12 and day.day != day.month:
        yield day.replace(month=day.day, day=day.month).isoformat()


def of_a_sibling(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    """The value of another leaf of the same type, those of the same name first."""
    if leaf.value is None:
        return
    alike = [
        other
        for other in leaves
        if other.path != leaf.path
        and other.spec.value_type == leaf.spec.value_type
        and other.value
        and not other.spec.many
    ]
    alike.sort(key=lambda other: other.spec.name != leaf.spec.name)
    yield from (other.value for other in alike)


def _others_of_the_letter(leaf: AnswerLeaf, reading: Reading) -> Iterator[Any]:
    """Other values of the leaf's type found in the letter by the leaf's own parser."""
    parser = leaf.spec.parser or parser_of(leaf.spec.value_type)
    if parser is None:
        return
    text = reading.letter.view.text
    seen = {str(leaf.value)}
    for found in parser.search(Searches(text), Span(0, len(text))):
        value = found.value.isoformat() if isinstance(found.value, date) else found.value
        value = str(value) if isinstance(value, Decimal) else value
        if str(value) not in seen:
            seen.add(str(value))
            yield value


def other_of_the_letter(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    return _others_of_the_letter(leaf, reading) if leaf.value is not None else iter(())


def number_changed(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    if leaf.value is not None:
        number = Decimal(str(leaf.value))
        whole = int if leaf.spec.value_type is int else (float if leaf.spec.value_type is float else str)
        yield from (whole(number + step) for step in (1, -1) if number + step >= 0)


def digit_changed(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    yield from _digits(leaf.value or "")


def _digits(text: str) -> Iterator[str]:
    for match in re.finditer(r"\d", text):
        yield f"{text[: match.start()]}{(int(match[0]) + 1) % 10}{text[match.end() :]}"


def unit_changed(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    text = leaf.value or ""
    for match in _UNIT.finditer(text):
        yield text[: match.start(1)] + _UNITS[match[1]] + text[match.end(1) :]


def negation_removed(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    text = leaf.value or ""
    yield from (text[: match.start()] + text[match.end() :] for match in _NEGATION.finditer(text))


def cut(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    words = (leaf.value or "").split()
    if leaf.is_whole and len(words) > 1:
        yield " ".join(words[:-1])
        yield " ".join(words[1:])


def of_another_section(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[str]:
    """As many words from another region of the letter."""
    marker = leaf.spec.marker
    if not leaf.value or not isinstance(marker, Verbatim):
        return
    text = reading.letter.body
    own = reading.root.regions.get(marker.within)
    count = max(len(leaf.value.split()), marker.min_words)
    for name, region in reading.root.regions.items():
        words = region.of(text).split()[:count]
        if name != marker.within and len(words) == count and not (own and own.covers(region)):
            yield " ".join(words)


def null(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    if leaf.spec.nullable and leaf.value is not None and leaf.is_whole:
        yield None
    elif leaf.spec.many and leaf.value:
        yield []


def value_for_null(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[Any]:
    if leaf.value is not None or not leaf.is_whole:
        return
    if get_origin(leaf.spec.value_type) is Literal:
        yield get_args(leaf.spec.value_type)[0]
    elif leaf.spec.value_type is bool:
        yield True
    elif leaf.spec.value_type is str:
        alike = (
            other.value for other in leaves if other.spec.value_type is str and not other.spec.many and other.value
        )
        yield from islice(alike, 1)
    else:
        yield from islice(_others_of_the_letter(leaf, reading), 1)


# ---- lists and records -------------------------------------------------------------------------


def dropped(items: list[Any]) -> Iterator[list[Any]]:
    yield from ([*items[:i], *items[i + 1 :]] for i in range(len(items)))


def doubled(items: list[Any]) -> Iterator[list[Any]]:
    yield from ([*items[: i + 1], items[i], *items[i + 1 :]] for i in range(len(items)))


def swapped(items: list[Any]) -> Iterator[list[Any]]:
    for i in range(len(items) - 1):
        if not same(items[i], items[i + 1]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def merged(items: list[Any]) -> Iterator[list[Any]]:
    for i in range(len(items) - 1):
        yield [*items[:i], f"{items[i]} {items[i + 1]}", *items[i + 2 :]]


def items_cut(items: list[Any]) -> Iterator[list[Any]]:
    for i, item in enumerate(items):
        words = item.split()
        if len(words) > 1:
            yield [*items[:i], " ".join(words[:-1]), *items[i + 1 :]]


def item_digits(items: list[Any]) -> Iterator[list[Any]]:
    for i, item in enumerate(items):
        yield from ([*items[:i], changed, *items[i + 1 :]] for changed in islice(_digits(item), 1))


def in_list(change: Callable[[list[Any]], Iterable[list[Any]]]) -> WrongValues:
    return lambda leaf, leaves, reading: change(leaf.value)


def invented_item(leaf: AnswerLeaf, leaves: Sequence[AnswerLeaf], reading: Reading) -> Iterator[list[Any]]:
    if leaf.spec.value_type is str and isinstance(leaf.spec.marker, Verbatim):
        invented: Iterable[Any] = of_another_section(replace(leaf, value="one two three four five"), (), reading)
    else:
        invented = _others_of_the_letter(leaf, reading)
    yield from ([*leaf.value, one] for one in invented if one not in leaf.value)


def record_merged(items: list[Any], spec: SchemaField, reading: Reading) -> Iterator[list[Any]]:
    key = spec.covers.key if spec.covers else ""
    for i in range(len(items) - 1):
        one, following = items[i], items[i + 1]
        if isinstance(one[key], str):
            yield [*items[:i], {**one, key: f"{one[key]} {following[key]}"}, *items[i + 2 :]]


def record_invented(items: list[Any], spec: SchemaField, reading: Reading) -> Iterator[list[Any]]:
    """A record more, whose key is words from the middle of the letter."""
    key = spec.covers.key if spec.covers else ""
    words = reading.letter.body.split()
    middle = words[len(words) // 2 :][:8]
    if items and isinstance(items[-1][key], str) and len(middle) == 8:
        yield [*items, {**copy.deepcopy(items[-1]), key: " ".join(middle).strip(".,;")}]


def records(change: Callable[[list[Any]], Iterable[list[Any]]]) -> Callable[..., Iterable[list[Any]]]:
    return lambda items, spec, reading: change(items)
