"""``extractor export``: a run's records as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.api import FORMATS, ProofLevel
from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.display.values import plural


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
        str | None,
        typer.Option(
            "--rows",
            metavar="TABLE",
            help="letters, a list of the letter type's schema (decisions), both (the default), findings, evidence, "
            "or all (the default of sqlite).",
        ),
    ] = None,
    proof: Annotated[
        ProofLevel | None,
        typer.Option("--proof", help="Leave out values that are proven less strongly than this; see docs/verdicts.md."),
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Also letters whose file was gone or renamed at the last run.")
    ] = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's records as tables: one row a letter, and one row a decision.

    csv, jsonl and parquet give a file a table; xlsx (the one to open in Excel) and sqlite put all into
    one file, sqlite with full-text search. A column is a field of the schema (header.case_number).
    Letters that failed are in the table letters, with their error. The table findings has a row for
    each finding, evidence one for the words of each value. Values that a reviewer corrected replace
    the model's; reviewed_by and corrected name them. Of a run with several letter types, each type
    has files of its own.

    Example: extractor export out --to csv
    """
    opened = open_offline(workspace, letter_type)
    written = opened.export(folder, to, out=out, rows=rows, proof=proof, missing=missing)
    if as_json:
        print_json([{"table": each.table, "rows": each.rows, "file": str(each.path)} for each in written])
    else:
        for each in written:
            print(f"{each.table}: {plural(each.rows, 'row')} in {each.path}")
