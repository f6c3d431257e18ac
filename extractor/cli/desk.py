"""``extractor desk``: an endpoint whose answers come from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from extractor.cli.shared.options import print_err
from extractor.errors import UsageError

if TYPE_CHECKING:
    from extractor.models.desk import Source


def desk_command(
    inbox: Annotated[
        Path | None, typer.Option("--inbox", metavar="DIR", help="Folder of requests and of answers written by hand.")
    ] = None,
    recordings: Annotated[
        Path | None,
        typer.Option("--from-cassettes", metavar="DIR", help="Give the recorded answers of these cassettes instead."),
    ] = None,
    latency: Annotated[float, typer.Option("--latency", min=0, max=600, help="Seconds a recorded answer takes.")] = 0.0,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one.")
    ] = 8765,
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait",
            min=1,
            help="Seconds a request is held before its client has to ask again; default: what suits it.",
        ),
    ] = None,
) -> None:
    """Serve an OpenAI-compatible endpoint on this machine whose answers come from files.

    With --inbox each request becomes a folder named by letter and round, with request.md to read and
    answer.draft.json to fill in. A person, a script or another model saves answer.json beside them. It
    is sent back unchanged once it fits the schema; until then answer.problems.md says what is wrong.
    For recording and testing without a hosted model: run, record and eval with --model
    openai/answer-desk ask here, wait as long as it takes, and need no price.

    With --from-cassettes each request gets the answer that was recorded for it, at any speed: for
    load tests. A request that was not recorded gets 404 and is reported here.

    Example: extractor desk --inbox desk
    """
    from extractor.models.desk import desk

    source = _source(inbox, recordings, latency, wait)
    try:
        server = desk(source, port)
    except OSError as error:
        raise UsageError(f"cannot serve at port {port}: {error.strerror}", hint="name another --port") from error
    source_name = f"requests in {inbox}" if inbox else f"answers from {recordings}"
    print_err(f"answer desk at http://127.0.0.1:{server.server_address[1]}/v1, {source_name} (Ctrl-C ends)")
    try:
        server.serve_forever()
    finally:
        server.server_close()


def _source(inbox: Path | None, recordings: Path | None, latency: float, wait: float | None) -> Source:
    from extractor.models.desk import Inbox, Recordings

    if inbox and recordings:
        raise UsageError("answers come from --inbox or from --from-cassettes", hint="leave out one of them")
    if recordings:
        return Recordings(recordings, latency, print_err)
    if inbox:
        return Inbox(inbox, wait, on_event=print_err)
    raise UsageError("Missing option '--inbox' or '--from-cassettes'", hint="try extractor desk --help")
