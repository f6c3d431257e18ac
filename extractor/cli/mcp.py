"""``extractor mcp``: tools for assistants over a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.options import WorkspaceOption


def mcp_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run (its --out).", metavar="DIR")],
    letters: Annotated[
        list[Path] | None,
        typer.Option("--letters", metavar="PATH", help="Letters of the run, to check answers; may be repeated."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Serve a finished run to an assistant, read-only, over stdin and stdout (Model Context Protocol).

    Tools: run_status, flagged_letters, read_record, check_answer, compare_prompts. Records hold words of
    letters: they go to the assistant, and to whoever runs its model. Needs the extra mcp.

    Example: extractor mcp out --letters letters
    """
    from extractor import Extractor
    from extractor.run_tools import RunTools, server_of

    with RunTools(folder, tuple(letters or ()), Extractor(workspace)) as tools:
        server_of(tools).run("stdio")
