"""``extractor extract``: one letter in, one record out."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.common import (
    Exit,
    ModelOption,
    PromptOption,
    ReaskOption,
    ReplayOption,
    Session,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    open_session,
    print_json,
    say,
)
from extractor.errors import LetterError, UsageError
from extractor.letter import LetterFile, find_letters, read_letter
from extractor.pipeline import extract
from extractor.records import failed_record


def extract_command(
    letter: Annotated[Path, typer.Argument(help="A letter as text.", metavar="LETTER")],
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    replay: ReplayOption = False,
    reask: ReaskOption = 1,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Read one letter and print its record (JSON) on stdout.

    Exit code 0 if the record is accepted, 1 if it needs a look.

    Example: extractor extract eval/imr/letters/dwc-2014-000.txt
    """
    files = find_letters([letter])
    if len(files) > 1:
        raise UsageError(f"{letter} holds {len(files)} letters", hint="name one, or use: extractor run")
    [file] = files
    session = open_session(workspace, letter_type, model, prompt, base_url=base_url, replay=replay, reasks=reask)
    record = asyncio.run(_one(file, session))
    print_json(record)
    raise typer.Exit(Exit.FINE if record["status"] == "accepted" else Exit.LOOK)


async def _one(file: LetterFile, session: Session) -> dict[str, Any]:
    try:
        letter = read_letter(file)
        with session.tape(file, letter.sha256) if session.replaying else nullcontext():
            return await extract(letter, session.plan)
    except LetterError as error:
        say(f"error: {error}")
        return failed_record(file.id, session.plan, error)
    finally:
        await session.plan.model.aclose()
