"""The command ``extractor``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from extractor.cli.commands import TABLE
from extractor.cli.shared.lazy import lazy_group
from extractor.cli.shared.options import Exit
from extractor.cli.shared.reporting import print_system_error
from extractor.display.terminal import safe_output

HELP = """Letterproof: letters in, checked records out, every value pointing at the words that prove it.

First steps, without a key:

  extractor run MYFOLDER --out out              read a folder of letters

  extractor doctor                              what works here

With a model: set OPENAI_API_KEY and add --model openai/NAME, or --base-url for your own server.

Exit codes: 0 fine; 1 the work ran and something needs a look; 2 wrong usage or broken workspace;
3 stale or missing cassettes; 4 incomplete run; 70 internal error; 130 interrupted.
"""

# Where the shell asks for completions.
COMPLETE_VARIABLE = "_EXTRACTOR_COMPLETE"

app = typer.Typer(
    name="extractor",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(cls=lazy_group(TABLE), help=HELP, no_args_is_help=True, invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version, and the extras.")] = False,
) -> None:
    if version:
        from extractor.cli.shared.extras import complete
        from extractor.engine import ENGINE

        print(ENGINE)
        print("extras:", ", ".join(complete()) or "none", "(extractor doctor lists all)")
        raise typer.Exit(Exit.FINE)


def main() -> None:
    """Run the command line."""
    if sys.unraisablehook is sys.__unraisablehook__ and not os.environ.get("EXTRACTOR_DEBUG"):
        # Its tracebacks of objects thrown away tell a user nothing, and may hold words of letters.
        sys.unraisablehook = lambda unraisable: None
    if COMPLETE_VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    with safe_output():
        try:
            app()
        except OSError as error:  # of --help or --version
            print_system_error(error)
            sys.exit(Exit.USAGE)
