"""``extractor export``: a run's records as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.api import BOTH, FORMATS, ProofLevel
from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json


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
    missing: Annotated[
        bool, typer.Option("--missing", help="Also letters whose file was gone or renamed at the last run.")
    ] = False,
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
    opened = open_offline(workspace, letter_type)
    written = opened.export(folder, to, out=out, rows=rows, proof=proof, missing=missing)
    if as_json:
        print_json([{"table": each.table, "rows": each.rows, "file": str(each.path)} for each in written])
    else:
        for each in written:
            print(f"{each.table}: {each.rows} {'row' if each.rows == 1 else 'rows'} in {each.path}")
