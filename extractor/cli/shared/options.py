"""What commands share: option declarations, exit codes, and printing. Imports nothing that takes time."""

from __future__ import annotations

import enum
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer


class Exit(enum.IntEnum):
    """Exit codes; a contract.

    FINE: nothing to do. LOOK: the work ran, and a person should look (findings, failed letters, a failed gate).
    USAGE: wrong usage, or a broken workspace. CASSETTES: stale or missing cassettes. INCOMPLETE: letters could
    not be asked, or a limit stopped the run. INTERNAL: a defect of this program. INTERRUPTED: stopped by the user.
    """

    FINE = 0
    LOOK = 1
    USAGE = 2
    CASSETTES = 3
    INCOMPLETE = 4
    INTERNAL = 70
    INTERRUPTED = 130


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        help="Workspace folder; default: EXTRACTOR_WORKSPACE, then found upward from here.",
    ),
]


def _one_type(name: str | None) -> str | None:
    if name == "auto":
        raise typer.BadParameter("this command is about one letter type; only run, extract and check know auto")
    return name


TypeOption = Annotated[
    str | None,
    typer.Option("--type", metavar="NAME", help="Letter type; default: the workspace's.", callback=_one_type),
]
AutoTypeOption = Annotated[
    str | None,
    typer.Option(
        "--type", metavar="NAME", help="Letter type; default: the workspace's. auto: the one that recognizes a letter."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="M",
        help="offline, openai/NAME, or replay:openai/NAME (recorded answers). "
        "Default: EXTRACTOR_MODEL, then workspace.toml, then offline.",
    ),
]
PromptOption = Annotated[str | None, typer.Option("--prompt", metavar="P", help="Prompt version, e.g. imr@v1.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Address of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1."
    ),
]
OnlyLettersOption = Annotated[
    list[str] | None, typer.Option("--letter", metavar="ID", help="Only this letter; may be repeated.")
]
ReplayOption = Annotated[bool, typer.Option("--replay", help="Answer from cassettes; no network, no key.")]
ReaskOption = Annotated[
    int, typer.Option("--reask", min=0, max=5, help="How often findings are sent back to the model.")
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="Send every letter with a wrong value to a person; withhold none.")
]
SecondModelOption = Annotated[
    str | None,
    typer.Option(
        "--second-model", metavar="M", help="Ask this model too about letters that would need review; see docs."
    ),
]
SecondUrlOption = Annotated[
    str | None, typer.Option("--second-base-url", metavar="URL", help="Address of the second model's server.")
]
SecondPromptOption = Annotated[
    str | None, typer.Option("--second-prompt", metavar="P", help="Prompt of the second model; default: the first's.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")]


def print_err(text: str) -> None:
    """Print a message on stderr; stdout is for data."""
    print(text, file=sys.stderr)


def print_once(text: str) -> None:
    """``print_err``, but once a command."""
    if text not in _printed:
        _printed.add(text)
        print_err(text)


# What ``print_once`` has printed.
_printed: set[str] = set()


def new_command() -> None:
    """Forget what an earlier command of this process has printed once."""
    _printed.clear()


def print_json(value: Any) -> None:
    """One JSON value on stdout, readable."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
