"""The command ``extractor``: its commands, and how an expected error is told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from extractor.cli.check import check_command
from extractor.cli.common import Exit, say
from extractor.cli.desk import desk_command
from extractor.cli.doctor import doctor_command
from extractor.cli.extract import extract_command
from extractor.cli.init import init_command
from extractor.cli.record import record_command
from extractor.cli.run import run_command
from extractor.cli.schema import schema_command
from extractor.errors import CassetteError, ExtractorError, LetterError, TransportError
from extractor.records import ENGINE

HELP = """Letterproof: letters in, checked records out, every value pointing at the words that prove it.

First steps, without a key:

  extractor run eval/imr/letters --out out      read the bundled letters

  extractor doctor                              what works here

With a model: set OPENAI_API_KEY and add --model openai/NAME, or --base-url for your own server.

Exit codes: 0 fine; 1 the work ran and something needs a look; 2 wrong usage or broken workspace;
3 stale or missing cassettes; 4 incomplete run; 130 interrupted.
"""

app = typer.Typer(
    name="extractor",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "extract": extract_command,
    "run": run_command,
    "check": check_command,
    "record": record_command,
    "desk": desk_command,
    "schema": schema_command,
    "init": init_command,
    "doctor": doctor_command,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        print(ENGINE)
        raise typer.Exit(Exit.FINE)


_EXITS: tuple[tuple[type[ExtractorError], Exit], ...] = (
    (TransportError, Exit.INCOMPLETE),
    (CassetteError, Exit.CASSETTES),
    (LetterError, Exit.LOOK),
    (ExtractorError, Exit.USAGE),
)


def main() -> None:
    """Run the command line; a user's mistake ends in two lines, not in a traceback."""
    try:
        app()
    except ExtractorError as error:
        say(f"error: {error.message}")
        if error.hint:
            say(f"  {error.hint}")
        sys.exit(next(code for kind, code in _EXITS if isinstance(error, kind)))
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(Exit.INTERRUPTED)
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        sys.stderr.close()
        sys.exit(Exit.FINE)


__all__ = ["COMMANDS", "app", "main"]
