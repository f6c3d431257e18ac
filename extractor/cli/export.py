"""``extractor export``: a run's records as tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.errors import UsageError
from extractor.lettertypes.findings import ProofLevel
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import UNASSIGNED
from extractor.review.state import Reviews
from extractor.runs.export import BOTH, FORMATS, Table, tables_of, targets, unassigned_table, with_proof, write_tables
from extractor.runs.ledger import LedgerView
from extractor.runs.ledger.beside import refuse_shorter_ledger


def export_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run (its --out).", metavar="DIR")],
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FORMAT", help=f"How to write it: {', '.join(FORMATS)}. Default: as FILE ends, else csv."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; default: in DIR, named after the table.")
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            "--rows", metavar="TABLE", help="letters, a list of the letter type's schema (decisions), or both."
        ),
    ] = BOTH,
    proof: Annotated[
        ProofLevel | None,
        typer.Option("--proof", help="Leave out values that are proven less strongly than this; see docs/verdicts.md."),
    ] = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's records as tables: one row a letter, and one row a decision.

    csv and jsonl give a file a table, parquet too, xlsx one file with a sheet a table. A column is a
    field of the schema (header.case_number). Cells that begin like a formula stay text. Letters that
    failed are in the table letters, with their error. Evidence is left out. Values that a reviewer
    corrected replace the model's; reviewed_by and corrected name them. Of a run with several letter
    types, each type has files of its own.

    Example: extractor export out --to csv
    """
    to = to or _format_of(out)
    if to not in FORMATS:
        raise UsageError(f"unknown format {to!r}", hint=f"--to: {', '.join(FORMATS)}")
    written = []
    with LedgerView(folder) as ledger:
        refuse_shorter_ledger(ledger, folder)
        recorded = ledger.letter_types()
        wanted = [letter_type] if letter_type or not recorded else recorded
        parts = _parts([open_workspace(workspace).letter_type(name) for name in wanted if name != UNASSIGNED], rows)
        if UNASSIGNED in wanted:
            parts.append((None, [unassigned_table()]))
        reviews = Reviews(folder)
        for kind, tables in parts:
            name = kind.name if kind else UNASSIGNED
            own = (record for record in ledger.records() if len(recorded) < 2 or record.letter_type == name)
            kept = map(reviews.reviewed, own)
            if proof and kind:
                kept = map(partial(with_proof, schema=kind.schema, least=proof), kept)
            goals = targets(folder, to, tables, out, name if kind and len(wanted) > 1 else "")
            written += write_tables(kept, kind, to, goals)
    if as_json:
        print_json([{"table": each.table, "rows": each.rows, "file": str(each.path)} for each in written])
    else:
        for each in written:
            print(f"{each.table}: {each.rows} {'row' if each.rows == 1 else 'rows'} in {each.path}")


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


def _format_of(out: Path | None) -> str:
    suffix = out.suffix.lower().lstrip(".") if out else ""
    return suffix if suffix in FORMATS else "csv"
