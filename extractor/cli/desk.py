"""``extractor desk``: an endpoint whose answers come from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.common import say


def desk_command(
    inbox: Annotated[Path, typer.Option("--inbox", metavar="DIR", help="Folder of requests and answers.")],
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one.")
    ] = 8765,
    wait: Annotated[float, typer.Option("--wait", min=1, help="Seconds a request waits for its answer file.")] = 100.0,
) -> None:
    """Serve an OpenAI-compatible endpoint on this machine whose answers come from files.

    Each request becomes a folder in the inbox (request.json, and request.md to read). Whoever plays
    the model, a person, a script or another model, writes answer.json beside it; its text is sent
    back untouched. For recording and testing without a hosted model.

    Example: extractor desk --inbox desk --port 8765
    """
    from extractor.desk import serve

    say(f"answer desk at http://127.0.0.1:{port}/v1, requests in {inbox} (Ctrl-C ends)")
    serve(inbox, port, wait)
