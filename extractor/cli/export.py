"""``extractor export``: a run's records as tables."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.errors import UsageError
from extractor.review.state import Reviews
from extractor.runs.export import BOTH, FORMATS, tables_of, targets, write_tables
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
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's records as tables: one row a letter, and one row a decision.

    csv and jsonl give a file a table, parquet too, xlsx one file with a sheet a table. A column is a
    field of the schema (header.case_number). Cells that begin like a formula stay text. Letters that
    failed are in the table letters, with their error. Evidence is left out. Values that a reviewer
    corrected replace the model's; reviewed_by and corrected name them.

    Example: extractor export out --to csv
    """
    to = to or _format_of(out)
    if to not in FORMATS:
        raise UsageError(f"unknown format {to!r}", hint=f"--to: {', '.join(FORMATS)}")
    with LedgerView(folder) as ledger:
        refuse_shorter_ledger(ledger, folder)
        records = map(Reviews(folder).reviewed, ledger.records())
        first = next(records, None)
        recorded: str | None = first.record.letter_type if first else None
        kind = open_workspace(workspace).letter_type(letter_type or recorded)
        goals = targets(folder, to, tables_of(kind, rows), out)
        written = write_tables(chain([first] if first else [], records), kind, to, goals)
    if as_json:
        print_json([{"table": each.table, "rows": each.rows, "file": str(each.path)} for each in written])
    else:
        for each in written:
            print(f"{each.table}: {each.rows} {'row' if each.rows == 1 else 'rows'} in {each.path}")


def _format_of(out: Path | None) -> str:
    suffix = out.suffix.lower().lstrip(".") if out else ""
    return suffix if suffix in FORMATS else "csv"
