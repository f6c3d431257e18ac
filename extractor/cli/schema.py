"""``extractor schema``: the JSON schema a model is asked to fill, and that of a record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import TypeOption, WorkspaceOption, print_err, print_json
from extractor.files import output_file


def schema_command(
    letter_type: TypeOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="The schema of a line of records.jsonl instead."),
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Print a letter type's JSON schema, or that of its records.

    Example: extractor schema --type imr --out schemas/imr/schema.json
    """
    opened = open_offline(workspace, letter_type)
    schema = opened.record_schema if record else opened.letter_type.json_schema
    if out is None:
        print_json(schema)
        return
    import json

    with output_file(out, private=False) as file:
        file.write((json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode())
    print_err(f"wrote {out}")
