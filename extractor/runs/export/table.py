"""A table: its columns, and the rows that a record makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from extractor.runs.export.cells import Cell, Column
from extractor.runs.record import Record

LETTERS, FINDINGS, EVIDENCE = "letters", "findings", "evidence"
# Groups of tables: rows of letters and lists; these, findings and evidence.
BOTH, ALL = "both", "all"
LETTER_ID = "letter_id"


@dataclass(frozen=True)
class Reviewed:
    """A record as people left it; without a review, as the model left it.

    ``review``: accepted, rejected, skipped, or ``None``. ``reviewed_by`` are names, ``corrected`` paths of
    changed values. ``reject_reason``: why it was rejected. ``open_errors``: errors of the answer that were left when
    a person accepted it, by code and path. ``audit``: ``right`` or ``wrong``, if it was in the sample of an audit.
    """

    record: Record
    review: str | None = None
    reviewed_by: str | None = None
    corrected: str | None = None
    reject_reason: str | None = None
    open_errors: str | None = None
    audit: str | None = None


@dataclass(frozen=True)
class Table:
    """One table: its columns, and the rows that a record makes, in the columns' order.

    ``key``: columns whose values identify a row. ``searched``: columns of text that a reader searches for words.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Reviewed], Iterator[list[Cell]]]
    key: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
