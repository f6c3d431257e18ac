"""The tables of a run, with what people corrected in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from extractor.errors import UsageError
from extractor.lettertypes.findings import ProofLevel
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import UNASSIGNED
from extractor.review.audit import Audit, audits, verdict
from extractor.review.reviews import Reviews
from extractor.runs.export import (
    FORMATS,
    Reviewed,
    Table,
    Written,
    format_for,
    tables_of,
    targets,
    unassigned_table,
    with_proof,
    write_tables,
)
from extractor.runs.ledger import LedgerView
from extractor.runs.ledger.beside import refuse_shorter_ledger
from extractor.runs.record import Record
from extractor.workspace.workspace import Workspace


def export_run(
    folder: Path,
    workspace: Workspace,
    letter_type: str | None,
    to: str | None,
    out: Path | None,
    *,
    rows: str | None,
    proof: ProofLevel | None,
    missing: bool = False,
) -> list[Written]:
    """Write the records of a run folder as tables.

    ``letter_type``: ``None`` takes those of the run's letters. ``to``: a format; ``None`` takes the ending of
    ``out``, else csv. ``rows``: ``None`` takes what the format usually holds. Values that are proven less strongly
    than ``proof`` are left out; so are, without ``missing``, letters whose file was gone or renamed at the last run.
    Raises ``UsageError`` kinds.
    """
    to = format_for(to, out)
    rows = rows or FORMATS[to].rows
    written = []
    with LedgerView(folder) as ledger:
        refuse_shorter_ledger(ledger, folder)
        recorded = ledger.letter_types()
        wanted = [letter_type] if letter_type or not recorded else recorded
        parts = _parts([workspace.letter_type(name) for name in wanted if name != UNASSIGNED], rows)
        if UNASSIGNED in wanted:
            parts.append((None, [unassigned_table()]))
        reviews = Reviews(folder)
        samples = audits(folder)
        left_out = frozenset(() if missing else ledger.missing())
        for kind, tables in parts:
            name = kind.name if kind else UNASSIGNED
            own = (
                record
                for record in ledger.records()
                if record.letter_id not in left_out and (len(recorded) < 2 or record.letter_type == name)
            )
            kept: Iterable[Reviewed] = (_reviewed(kind, reviews, samples, record) for record in own)
            if proof and kind:
                kept = map(partial(with_proof, schema=kind.schema, least=proof), kept)
            goals = targets(folder, to, tables, out, name if kind and len(wanted) > 1 else "")
            written += write_tables(kept, kind, to, goals)
    return written


def _reviewed(kind: LetterType | None, reviews: Reviews, samples: Sequence[Audit], record: Record) -> Reviewed:
    """A record as people left it, with what an audit found on it."""
    found = reviews.reviewed(record)
    if kind is None or not any(record.letter_id in each.answers for each in samples):
        return found
    return replace(found, audit=verdict(kind, reviews.state(record), samples, record))


def _parts(kinds: Sequence[LetterType], rows: str) -> list[tuple[LetterType | None, list[Table]]]:
    """The tables of each letter type; of several types, those that have what ``rows`` names. Raises ``UsageError``."""
    found: list[tuple[LetterType | None, list[Table]]] = []
    for kind in kinds:
        try:
            found.append((kind, tables_of(kind, rows)))
        except UsageError:
            if kind is kinds[-1] and not found:
                raise
    return found
