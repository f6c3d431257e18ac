"""The tables of a letter type, derived from its schema: their columns, and the rows that a record makes.

``letters`` has one row a letter. Each list of records at the top of the schema (``decisions``) has a
table of its name, one row for each of its records, with the letter's own columns repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from extractor.errors import UsageError
from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.lettertype import LetterType
from extractor.runs.export.cells import INTEGER, ITEMS, NUMBER, Cell, Column, Leaf, leaves_of

LETTERS = "letters"
BOTH = "both"

Record = Mapping[str, Any]
Answer = Mapping[str, Any] | None


@dataclass(frozen=True)
class _Told:
    """A column that is filled from the record, not from its answer: the keys on the way to its cell."""

    column: Column
    keys: tuple[str, ...]

    def cell(self, record: Any) -> Cell:
        for key in self.keys:
            record = record.get(key) if record else None
        cell: Cell = record
        return cell


def _told(name: str, *keys: str, kind: str | None = None) -> _Told:
    return _Told(Column(name, kind) if kind else Column(name), keys or (name,))


_FIRST = (_told("letter_id"), _told("status"))
_ERROR = (_told("error", "error", "code"), _told("error_message", "error", "message"))
# Of a record as people left it; empty where nobody reviewed.
_REVIEW = (_told("review"), _told("reviewed_by"), _told("corrected"))
_LAST = (*_REVIEW, _told("model"), _told("prompt"), _told("letter_sha256"))
_COST = (
    _told("input_tokens", "usage", "input_tokens", kind=INTEGER),
    _told("output_tokens", "usage", "output_tokens", kind=INTEGER),
    _told("cost_usd", kind=NUMBER),
)
_ROW, _FINDINGS, _LETTER_FINDINGS = Column("row", INTEGER), Column("findings"), Column("letter_findings")
_OURS = frozenset(
    column.name
    for column in (*(told.column for told in (*_FIRST, *_ERROR, *_LAST, *_COST)), _ROW, _FINDINGS, _LETTER_FINDINGS)
)


@dataclass(frozen=True)
class Table:
    """One table: its columns, and the rows that a record and its final answer make, in the columns' order."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Record, Answer], Iterator[list[Cell]]]


def tables_of(letter_type: LetterType, wanted: str = BOTH) -> list[Table]:
    """The tables asked for: ``letters``, a list of the schema, or ``both``. Raises ``UsageError`` for another name."""
    lists = {spec.name: spec.model for spec in fields_of(letter_type.schema) if spec.kind == "records" and spec.model}
    outer = _outer(letter_type.schema, frozenset(lists))
    tables = [*(_inner(name, schema, outer) for name, schema in lists.items()), _letters(outer, list(lists))]
    if wanted != BOTH:
        known = ", ".join([*(table.name for table in tables), BOTH])
        tables = [table for table in tables if table.name == wanted]
        if not tables:
            raise UsageError(f"letter type {letter_type.name} has no table {wanted!r}", hint=f"--rows: {known}")
    return tables


def _outer(schema: type[BaseModel], lists: frozenset[str]) -> list[Leaf]:
    """The letter's own columns. One that is named like one of ours is called ``answer.NAME``."""
    return [
        replace(leaf, column=replace(leaf.column, name=f"answer.{leaf.column.name}"))
        if leaf.column.name in _OURS
        else leaf
        for leaf in leaves_of(schema, skip=lists)
    ]


def _letters(outer: Sequence[Leaf], lists: Sequence[str]) -> Table:
    first, last = (*_FIRST, *_ERROR), (*_LAST, *_COST)

    def rows(record: Record, answer: Answer) -> Iterator[list[Cell]]:
        cells = [told.cell(record) for told in first]
        cells.append(_codes(record["findings"]))
        cells += (leaf.cell(answer) for leaf in outer)
        cells += (len(answer[name]) if answer else None for name in lists)
        yield cells + [told.cell(record) for told in last]

    columns = (
        *(told.column for told in first),
        _FINDINGS,
        *(leaf.column for leaf in outer),
        *(Column(name, INTEGER) for name in lists),
        *(told.column for told in last),
    )
    return Table(LETTERS, columns, rows)


def _inner(name: str, schema: type[BaseModel], outer: Sequence[Leaf]) -> Table:
    inner = leaves_of(schema, f"{name}.")

    def rows(record: Record, answer: Answer) -> Iterator[list[Cell]]:
        if not answer or not answer[name]:
            return
        first = [told.cell(record) for told in _FIRST]
        by_row = _by_row(record["findings"], name, len(answer[name]))
        last = [_codes(by_row[-1]), *(leaf.cell(answer) for leaf in outer), *(told.cell(record) for told in _LAST)]
        for number, one in enumerate(answer[name]):
            yield [*first, number + 1, _codes(by_row[number]), *(leaf.cell(one) for leaf in inner), *last]

    columns = (
        *(told.column for told in _FIRST),
        _ROW,
        _FINDINGS,
        *(leaf.column for leaf in inner),
        _LETTER_FINDINGS,
        *(leaf.column for leaf in outer),
        *(told.column for told in _LAST),
    )
    return Table(name, columns, rows)


def _by_row(findings: Iterable[Mapping[str, Any]], name: str, rows: int) -> list[list[Mapping[str, Any]]]:
    """The findings of each row, and last those that are on none."""
    found: list[list[Mapping[str, Any]]] = [[] for _ in range(rows + 1)]
    for finding in findings:
        parts = finding["path"].split("/")
        on_row = len(parts) > 2 and parts[1] == name and parts[2].isdecimal() and int(parts[2]) < rows
        found[int(parts[2]) if on_row else rows].append(finding)
    return found


def _codes(findings: Iterable[Mapping[str, Any]]) -> Cell:
    """The codes of findings, each once."""
    return ITEMS.join(dict.fromkeys(finding["code"] for finding in findings)) or None
