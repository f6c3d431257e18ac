"""The tables of a letter type, derived from its schema: their columns, and the rows that a record makes.

``letters`` has one row a letter. Each list of records at the top of the schema (``decisions``) has a
table of its name, one row for each of its records, with the letter's own columns repeated. ``findings`` and
``evidence`` (``details.py``) are the same for every type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel

from extractor.errors import UsageError
from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import UNASSIGNED
from extractor.pointers import field_path
from extractor.runs.export.cells import INTEGER, ITEMS, NUMBER, TEXT, Cell, Column, LeafColumn, leaves_of
from extractor.runs.export.details import evidence_table, findings_table
from extractor.runs.export.table import ALL, BOTH, EVIDENCE, FINDINGS, LETTER_ID, LETTERS, Reviewed, Table
from extractor.runs.record import Record
from extractor.settings import wrong_kind

Placed = TypeVar("Placed")


@dataclass(frozen=True)
class _RecordColumn:
    """A column that is filled from the record, not from its answer."""

    column: Column
    cell: Callable[[Reviewed], Cell]


def _column(name: str, cell: Callable[[Reviewed], Cell], kind: str = TEXT) -> _RecordColumn:
    return _RecordColumn(Column(name, kind), cell)


_FIRST = (_column(LETTER_ID, lambda of: of.record.letter_id), _column("status", lambda of: of.record.status))
_ERROR = (
    _column("error", lambda of: of.record.error.code if of.record.error else None),
    _column("error_message", lambda of: of.record.error.message if of.record.error else None),
)
# Empty where nobody reviewed.
_REVIEW = (
    _column("review", lambda of: of.review),
    _column("reviewed_by", lambda of: of.reviewed_by),
    _column("corrected", lambda of: of.corrected),
    _column("reject_reason", lambda of: of.reject_reason),
    _column("open_errors", lambda of: of.open_errors),
    _column("audit", lambda of: of.audit),
)
_LAST = (
    *_REVIEW,
    _column("model", lambda of: of.record.model),
    _column("prompt", lambda of: of.record.prompt),
    _column("source", lambda of: of.record.source),
    _column("letter_sha256", lambda of: of.record.letter_sha256),
)
# For letter types that come in several forms.
_FORM = _column("form", lambda of: of.record.form)
_COST = (
    _column("input_tokens", lambda of: of.record.usage.input_tokens, INTEGER),
    _column("output_tokens", lambda of: of.record.usage.output_tokens, INTEGER),
    _column("cost_usd", lambda of: of.record.cost_usd, NUMBER),
)
_ROW, _FINDINGS, _LETTER_FINDINGS = Column("row", INTEGER), Column("findings"), Column("letter_findings")
_WITHHELD, _LETTER_WITHHELD = Column("withheld"), Column("letter_withheld")
_ERRORS, _LETTER_ERRORS = Column("error_count", INTEGER), Column("letter_error_count", INTEGER)
_OURS = frozenset(
    column.name
    for column in (
        *(each.column for each in (*_FIRST, *_ERROR, *_LAST, _FORM, *_COST)),
        _ROW,
        _FINDINGS,
        _LETTER_FINDINGS,
        _WITHHELD,
        _LETTER_WITHHELD,
        _ERRORS,
        _LETTER_ERRORS,
    )
)


def tables_of(letter_type: LetterType, wanted: str = BOTH) -> list[Table]:
    """The tables asked for: one by its name, ``both`` kinds of rows of values, or ``all``.

    A list of the schema that is named like another table has the table ``answer.NAME``. Raises ``UsageError`` for
    another name.
    """
    lists = {spec.name: spec.model for spec in fields_of(letter_type.schema) if spec.kind == "records" and spec.model}
    outer = _outer(letter_type.schema, frozenset(lists))
    last = (*_LAST, _FORM) if letter_type.forms else _LAST
    inner = (_inner(name, schema, outer, last) for name, schema in lists.items())
    values = [*inner, _letters(outer, list(lists), last)]
    tables = [*values, findings_table(list(lists)), evidence_table(letter_type.schema, list(lists))]
    if wanted in (BOTH, ALL):
        return values if wanted == BOTH else tables
    found = [table for table in tables if table.name == wanted]
    if not found:
        known = ", ".join([*(table.name for table in tables), BOTH, ALL])
        raise UsageError(f"letter type {letter_type.name} has no table {wanted!r}", hint=f"rows: {known}")
    return found


def columns_of(letter_type: LetterType, rows: str, records: Iterable[Record]) -> dict[str, list[Cell]]:
    """The columns of the table ``rows`` by their names. Raises ``UsageError`` if that is not one table."""
    tables = {table.name: table for table in tables_of(letter_type, ALL)}
    if rows not in tables:
        raise UsageError(f"a frame is one table, not {rows!r}", hint=f"rows: {', '.join(tables)}")
    lines = [row for record in map(_record, records) for row in tables[rows].rows(Reviewed(record))]
    return {column.name: [line[i] for line in lines] for i, column in enumerate(tables[rows].columns)}


def _record(given: object) -> Record:
    if isinstance(given, Record):
        return given
    raise wrong_kind("records", "a Record", given, hint="of a file: read_records; of a line's data: Record.from_dict")


def unassigned_table() -> Table:
    """The table of letters that are of no letter type, or of several: which they are, and why."""
    columns = (*_FIRST, *_ERROR, *_LAST[-2:])
    return Table(
        UNASSIGNED,
        tuple(each.column for each in columns),
        lambda reviewed: iter([[each.cell(reviewed) for each in columns]]),
        key=(LETTER_ID,),
    )


def _outer(schema: type[BaseModel], lists: frozenset[str]) -> list[LeafColumn]:
    """The letter's own columns. One that is named like one of ours is called ``answer.NAME``."""
    return [
        replace(leaf, column=replace(leaf.column, name=f"answer.{leaf.column.name}"))
        if leaf.column.name in _OURS
        else leaf
        for leaf in leaves_of(schema, skip=lists)
    ]


def _letters(outer: Sequence[LeafColumn], lists: Sequence[str], own: tuple[_RecordColumn, ...]) -> Table:
    first, last = (*_FIRST, *_ERROR), (*own, *_COST)

    def rows(reviewed: Reviewed) -> Iterator[list[Cell]]:
        answer = reviewed.record.answer
        cells = [each.cell(reviewed) for each in first]
        record = reviewed.record
        cells += (len(record.errors), _codes(record.findings), _fields(record.withheld))
        cells += (leaf.cell(answer) for leaf in outer)
        cells += (len(answer[name]) if answer else None for name in lists)
        yield cells + [each.cell(reviewed) for each in last]

    columns = (
        *(each.column for each in first),
        _ERRORS,
        _FINDINGS,
        _WITHHELD,
        *(leaf.column for leaf in outer),
        *(Column(name, INTEGER) for name in lists),
        *(each.column for each in last),
    )
    return Table(LETTERS, columns, rows, key=(LETTER_ID,), searched=_searched(outer))


def _inner(name: str, schema: type[BaseModel], outer: Sequence[LeafColumn], own: tuple[_RecordColumn, ...]) -> Table:
    inner = leaves_of(schema, f"{name}.")

    def rows(reviewed: Reviewed) -> Iterator[list[Cell]]:
        answer = reviewed.record.answer
        if not answer or not answer[name]:
            return
        first = [each.cell(reviewed) for each in _FIRST]
        by_row = _by_row(reviewed.record.findings, name, len(answer[name]), lambda finding: finding.path)
        taken = _by_row(reviewed.record.withheld, name, len(answer[name]), lambda path: path)
        last = [
            _error_count(by_row[-1]),
            _codes(by_row[-1]),
            _fields(taken[-1]),
            *(leaf.cell(answer) for leaf in outer),
            *(each.cell(reviewed) for each in own),
        ]
        for number, one in enumerate(answer[name]):
            found = (_error_count(by_row[number]), _codes(by_row[number]), _fields(taken[number]))
            yield [*first, number + 1, *found, *(leaf.cell(one) for leaf in inner), *last]

    columns = (
        *(each.column for each in _FIRST),
        _ROW,
        _ERRORS,
        _FINDINGS,
        _WITHHELD,
        *(leaf.column for leaf in inner),
        _LETTER_ERRORS,
        _LETTER_FINDINGS,
        _LETTER_WITHHELD,
        *(leaf.column for leaf in outer),
        *(each.column for each in own),
    )
    own_name = f"answer.{name}" if name in (LETTERS, FINDINGS, EVIDENCE) else name
    return Table(own_name, columns, rows, key=(LETTER_ID, _ROW.name), searched=_searched(inner))


def _by_row(each: Iterable[Placed], name: str, rows: int, path_of: Callable[[Placed], str]) -> list[list[Placed]]:
    """What is on each row, by its path, and last what is on none."""
    found: list[list[Placed]] = [[] for _ in range(rows + 1)]
    for one in each:
        parts = path_of(one).split("/")
        on_row = len(parts) > 2 and parts[1] == name and parts[2].isdecimal() and int(parts[2]) < rows
        found[int(parts[2]) if on_row else rows].append(one)
    return found


def _searched(leaves: Iterable[LeafColumn]) -> tuple[str, ...]:
    return tuple(leaf.column.name for leaf in leaves if leaf.column.kind == TEXT)


def _error_count(findings: Iterable[Finding]) -> int:
    """How many of the findings are errors."""
    return sum(finding.severity == "error" for finding in findings)


def _fields(paths: Iterable[str]) -> Cell:
    """The columns of the fields at paths, each once."""
    return ITEMS.join(dict.fromkeys(field_path(path).replace("/", ".") for path in paths)) or None


def _codes(findings: Iterable[Finding]) -> Cell:
    """The codes of findings, each once."""
    return ITEMS.join(dict.fromkeys(finding.code for finding in findings)) or None
