"""The tables ``findings`` and ``evidence``: what the checks found, and the words that each value rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from extractor.lettertypes.evidence import fields_of
from extractor.lettertypes.findings import Finding
from extractor.pointers import field_path, is_index, is_within, parts_of
from extractor.runs.export.cells import BOOLEAN, INTEGER, Cell, Column, text_cell
from extractor.runs.export.table import EVIDENCE, FINDINGS, LETTER_ID, Reviewed, Table

_PLACE = (Column("list"), Column("row", INTEGER), Column("field"))
_SPAN = (Column("span_start", INTEGER), Column("span_end", INTEGER), Column("path"))


class _Place(NamedTuple):
    """Where a JSON pointer leads, in the words of the other tables: which list, which row of it, which column."""

    list: str | None
    row: int | None
    field: str | None


def _place(path: str, lists: Sequence[str]) -> _Place:
    parts = parts_of(path)
    named = parts[0] if parts and parts[0] in lists else None
    row = int(parts[1]) + 1 if named and len(parts) > 1 and is_index(parts[1]) else None
    return _Place(named, row, field_path(path).replace("/", ".") or None)


# ---- findings ------------------------------------------------------------------------------------

_FINDING: tuple[tuple[Column, Callable[[Finding], Cell]], ...] = (
    (Column("severity"), lambda finding: finding.severity),
    (Column("blame"), lambda finding: finding.blame),
    (Column("code"), lambda finding: finding.code),
    (Column("message"), lambda finding: finding.message),
    (Column("expected"), lambda finding: text_cell(finding.expected)),
    (Column("got"), lambda finding: text_cell(finding.got)),
)


def findings_table(lists: Sequence[str]) -> Table:
    """One row a finding; ``lists`` are the lists of the schema that have tables."""

    def rows(reviewed: Reviewed) -> Iterator[list[Cell]]:
        record = reviewed.record
        for finding in record.findings:
            withheld = any(is_within(finding.path, path) for path in record.withheld)
            span = (finding.span.start, finding.span.end) if finding.span else (None, None)
            cells = (cell(finding) for _, cell in _FINDING)
            yield [record.letter_id, record.status, *_place(finding.path, lists), *cells, withheld, *span, finding.path]

    first = (Column(LETTER_ID), Column("status"))
    columns = (*first, *_PLACE, *(column for column, _ in _FINDING), Column("withheld", BOOLEAN), *_SPAN)
    return Table(FINDINGS, columns, rows, searched=("message", "expected", "got"))


# ---- evidence ------------------------------------------------------------------------------------


def evidence_table(schema: type[BaseModel], lists: Sequence[str]) -> Table:
    """One row for each stretch of words that a value rests on, and one for a value without any.

    Words and proof are those of the value that the run extracted: a value that a reviewer changed has neither.
    """

    def rows(reviewed: Reviewed) -> Iterator[list[Cell]]:
        record = reviewed.record
        changed = _changed(reviewed)
        for path, value in _values(schema, record.answer or {}, ""):
            text, place = text_cell(value), _place(path, lists)
            if text is None or path in record.withheld:
                continue
            is_changed = any(is_within(path, each) for each in changed)
            proof = None if is_changed else record.proof.get(path)
            for each in () if is_changed else record.evidence.get(path, ()):
                found = (each.text, each.letter_page, proof, False, each.start, each.end, path)
                yield [record.letter_id, *place, text, *found]
            if is_changed or not record.evidence.get(path):
                yield [record.letter_id, *place, text, None, None, proof, is_changed, None, None, path]

    of_words = (Column("words"), Column("letter_page", INTEGER), Column("proof"), Column("corrected", BOOLEAN))
    columns = (Column(LETTER_ID), *_PLACE, Column("value"), *of_words, *_SPAN)
    return Table(EVIDENCE, columns, rows, searched=("value", "words"))


def _changed(reviewed: Reviewed) -> list[str]:
    """What a reviewer changed. Of an entry of a list, the whole list: its entries may have moved."""
    paths = reviewed.corrected.split(", ") if reviewed.corrected else []
    found = []
    for path in paths:
        parent, _, last = path.rpartition("/")
        found.append(parent if is_index(last) or not last else path)
    return found


def _values(schema: type[BaseModel], answer: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf of an answer by its JSON pointer."""
    for spec in fields_of(schema):
        here, value = f"{path}/{spec.name}", answer.get(spec.name)
        if spec.model is None:
            yield here, value
        elif spec.kind == "group":
            yield from _values(spec.model, value or {}, here)
        else:
            for number, one in enumerate(value or []):
                yield from _values(spec.model, one, f"{here}/{number}")
