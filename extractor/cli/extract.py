"""``extractor extract``: one letter in, one record out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.bill import Bill
from extractor.cli.shared.opening import open_session, open_workspace, second_model
from extractor.cli.shared.options import (
    Exit,
    ModelOption,
    PromptOption,
    ReaskOption,
    ReplayOption,
    SecondModelOption,
    SecondPromptOption,
    SecondUrlOption,
    StrictOption,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    print_err,
    print_json,
)
from extractor.errors import LetterError
from extractor.letters.letter import Letter, LetterFile
from extractor.letters.single import one_letter
from extractor.runs.record import Record
from extractor.workspace.session import Session

LetterOption = Annotated[
    str | None, typer.Option("--letter", metavar="ID", help="This letter, where the file holds several.")
]


def extract_command(
    letter: Annotated[Path, typer.Argument(help="A letter's file, of any kind that is read.", metavar="LETTER")],
    letter_id: LetterOption = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    replay: ReplayOption = False,
    reask: ReaskOption = 1,
    strict: StrictOption = False,
    second: SecondModelOption = None,
    second_prompt: SecondPromptOption = None,
    second_base_url: SecondUrlOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Read one letter and print its record (JSON) on stdout.

    Exit code 0 if the record is accepted, 1 if it needs a look.

    Example: extractor extract eval/imr/letters/dwc-2014-000.txt
    """
    file, found = one_letter(letter, letter_id, open_workspace(workspace).letter_type(letter_type).starts)
    other = second_model(second, second_prompt, second_base_url)
    session = open_session(
        workspace, letter_type, model, prompt, base_url=base_url, replay=replay, reasks=reask, second=other
    )
    session = replace(session, plan=replace(session.plan, strict=strict))
    record = asyncio.run(_one(file, found, session))
    print_json(record.as_dict())
    bill = Bill(session.plan, session.replaying)
    bill.add(record)
    if line := bill.line():
        print_err(line)
    raise typer.Exit(Exit.FINE if record.status == "accepted" else Exit.LOOK)


async def _one(file: LetterFile, letter: Letter | LetterError, session: Session) -> Record:
    if isinstance(letter, LetterError):
        print_err(f"error: {letter}")
    try:
        return await session.extract(file, letter)
    finally:
        await session.plan.aclose()
