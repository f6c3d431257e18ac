"""``extractor batch``: letters by batch files, for endpoints that answer in their own time."""

from __future__ import annotations

from collections.abc import Callable

import typer

from extractor.cli.batch.endpoint import fetch_command, poll_command, submit_command
from extractor.cli.batch.files import read_command, write_command

batch_app = typer.Typer(
    name="batch", help="Letters by files of requests, which an endpoint answers in its own time.", no_args_is_help=True
)
BATCH_COMMANDS: dict[str, Callable[..., None]] = {
    "write": write_command,
    "submit": submit_command,
    "poll": poll_command,
    "fetch": fetch_command,
    "read": read_command,
}
