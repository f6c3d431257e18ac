"""How the errors of a command are printed, and the exit code that each kind has."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from extractor.cli.shared.options import Exit, new_command, print_err
from extractor.errors import CassetteError, ExtractorError, LetterError, TransportError

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


def reporting(command: Callable[..., None]) -> Callable[..., None]:
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
            print_system_error(error)
            raise typer.Exit(Exit.USAGE) from None
        except Exception as error:
            if os.environ.get("EXTRACTOR_DEBUG"):
                raise
            # Its message may hold text of a letter.
            print_err(f"internal error: {type(error).__name__} at {_where(error)}")
            print_err("  this is a bug; EXTRACTOR_DEBUG=1 prints the traceback, which may contain letter text")
            raise typer.Exit(Exit.INTERNAL) from None

    return run


def print_system_error(error: OSError) -> None:
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
