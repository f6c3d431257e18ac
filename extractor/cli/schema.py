"""``extractor schema``: the JSON schema a model is asked to fill."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.options import TypeOption, WorkspaceOption, open_workspace, print_json, say
from extractor.errors import UsageError


def schema_command(
    letter_type: TypeOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to this file instead of stdout.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Print a letter type's JSON schema.

    Example: extractor schema --type imr --out schemas/imr/schema.json
    """
    schema = open_workspace(workspace).letter_type(letter_type).json_schema
    if out is None:
        print_json(schema)
        return
    import json

    try:
        out.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
    say(f"wrote {out}")
