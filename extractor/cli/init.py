"""``extractor init``: a workspace of your own, with the reference letter type to start from."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.options import say
from extractor.errors import UsageError
from extractor.workspace.starter import starter_folder
from extractor.workspace.workspace import MARKER

# The same files the project tests: packed into the wheel, or at the repository root in a checkout.
STARTER = ("workspace.toml", "prices.toml", "prompts", "schemas", "eval", "cassettes")


def init_command(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", metavar="DIR")],
    name: Annotated[
        str | None,
        typer.Option("--name", help="The workspace's name; small letters, digits, _. Default: the folder's."),
    ] = None,
) -> None:
    """Make a workspace: workspace.toml, the IMR letter type, its prompts, gold and cassettes.

    Example: extractor init my-letters && cd my-letters && extractor run eval/imr/letters --out out
    """
    name = name or _name_of(folder)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise UsageError(f"{name!r} cannot name a workspace", hint="use small letters, digits and _")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", hint="name a new folder")
    starter = starter_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in STARTER:
            source = starter / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            elif source.is_file():
                shutil.copy(source, folder / part)
        marker = folder / MARKER
        marker.write_text(
            re.sub(r'(?m)^name = "[^"]*"', f'name = "{name}"', marker.read_text("utf-8"), count=1), "utf-8"
        )
    except OSError as error:
        raise UsageError(f"cannot make {folder}: {error.strerror}") from error
    say(f"made workspace {name!r} in {folder}")
    say(f"next: cd {shlex.quote(str(folder))} && extractor run eval/imr/letters --out out")


def _name_of(folder: Path) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", folder.resolve().name.lower()).strip("_0123456789") or "my_letters"
