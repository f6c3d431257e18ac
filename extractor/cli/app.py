"""The command ``extractor``: its commands, and how errors are printed."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.batch import BATCH_COMMANDS, batch_app
from extractor.cli.cassettes import CASSETTES_COMMANDS, cassettes_app
from extractor.cli.check import check_command
from extractor.cli.desk import desk_command
from extractor.cli.doctor import doctor_command
from extractor.cli.eval import EVAL_COMMANDS, eval_app
from extractor.cli.export import export_command
from extractor.cli.extract import extract_command
from extractor.cli.gold import GOLD_COMMANDS, gold_app
from extractor.cli.init import init_command
from extractor.cli.merge import merge_command
from extractor.cli.record import record_command
from extractor.cli.review import review_command
from extractor.cli.run import run_command
from extractor.cli.schema import schema_command
from extractor.cli.shared.arguments import CheckedCommand, CheckedGroup
from extractor.cli.shared.options import Exit, new_command, print_err
from extractor.cli.status import status_command
from extractor.cli.text import text_command
from extractor.display.terminal import safe_output
from extractor.errors import CassetteError, ExtractorError, LetterError, TransportError
from extractor.runs.plan import ENGINE

HELP = """Letterproof: letters in, checked records out, every value pointing at the words that prove it.

First steps, without a key:

  extractor run eval/imr/letters --out out      read the bundled letters

  extractor doctor                              what works here

With a model: set OPENAI_API_KEY and add --model openai/NAME, or --base-url for your own server.

Exit codes: 0 fine; 1 the work ran and something needs a look; 2 wrong usage or broken workspace;
3 stale or missing cassettes; 4 incomplete run; 70 internal error; 130 interrupted.
"""

app = typer.Typer(
    name="extractor",
    cls=CheckedGroup,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "extract": extract_command,
    "run": run_command,
    "status": status_command,
    "merge": merge_command,
    "text": text_command,
    "check": check_command,
    "review": review_command,
    "export": export_command,
    "record": record_command,
    "desk": desk_command,
    "schema": schema_command,
    "init": init_command,
    "doctor": doctor_command,
}
_LONGEST_NAME = 400
_SYSTEM_HINTS = {
    errno.EMFILE: "close other programs, or raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "close other programs: the whole system has too many open files",
    errno.ENOSPC: "free disk space, then run the command again",
    errno.ENAMETOOLONG: "name a shorter path",
}
_EXITS: tuple[tuple[type[ExtractorError], Exit], ...] = (
    (TransportError, Exit.INCOMPLETE),
    (CassetteError, Exit.CASSETTES),
    (LetterError, Exit.LOOK),
    (ExtractorError, Exit.USAGE),
)


def _reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The command with expected errors printed in two lines: a usage error prints no traceback."""

    @wraps(command)
    def run(*words: Any, **options: Any) -> None:
        new_command()
        try:
            try:
                command(*words, **options)
            finally:
                sys.stdout.flush()
        except ExtractorError as error:
            print_err(f"error: {error.message}")
            if error.hint:
                print_err(f"  {error.hint}")
            raise typer.Exit(next(code for kind, code in _EXITS if isinstance(error, kind))) from None
        except KeyboardInterrupt:
            print_err("stopped")
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output went away, e.g. `| head`; the interpreter must not complain at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(Exit.FINE) from None
        except (typer.Exit, typer.Abort):
            raise
        except OSError as error:
            _system_error(error)
            raise typer.Exit(Exit.USAGE) from None
        except Exception as error:
            if os.environ.get("EXTRACTOR_DEBUG"):
                raise
            # Its message may hold text of a letter.
            print_err(f"internal error: {type(error).__name__} at {_where(error)}")
            print_err("  this is a bug; EXTRACTOR_DEBUG=1 prints the traceback, which may contain letter text")
            raise typer.Exit(Exit.INTERNAL) from None

    return run


def _system_error(error: OSError) -> None:
    """Print a system error. If standard output cannot be written to, nothing more is attempted."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print_err(f"error: cannot write the output: {error.strerror or type(error).__name__}")
    else:
        what = f": {str(error.filename)[:_LONGEST_NAME]}" if error.filename else ""
        print_err(f"error: {error.strerror or type(error).__name__}{what}")
    print_err(
        f"  {_SYSTEM_HINTS.get(error.errno or 0, 'check the path and its permissions, then run the command again')}"
    )


def _where(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


for _name, _command in COMMANDS.items():
    app.command(_name, cls=CheckedCommand)(_reporting(_command))
_GROUPS = (
    (eval_app, EVAL_COMMANDS),
    (gold_app, GOLD_COMMANDS),
    (cassettes_app, CASSETTES_COMMANDS),
    (batch_app, BATCH_COMMANDS),
)
for _group, _commands in _GROUPS:
    for _name, _command in _commands.items():
        _group.command(_name, cls=CheckedCommand)(_reporting(_command))
    app.add_typer(_group)
    COMMANDS.update({f"{_group.info.name} {name}": command for name, command in _commands.items()})


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(ENGINE)
        raise typer.Exit(Exit.FINE)


def main() -> None:
    """Run the command line."""
    with safe_output():
        try:
            app()
        except OSError as error:  # of --help or --version
            _system_error(error)
            sys.exit(Exit.USAGE)
