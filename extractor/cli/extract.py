"""``extractor extract``: one letter in, one record out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor import Extractor, LetterError, Record
from extractor.cli.shared.opening import ModelChoice, open_extractor, second_model
from extractor.cli.shared.options import (
    AutoTypeOption,
    Exit,
    ModelOption,
    PromptOption,
    ReaskOption,
    ReplayOption,
    SecondModelOption,
    SecondPromptOption,
    SecondUrlOption,
    StrictOption,
    UrlOption,
    WorkspaceOption,
    print_err,
    print_json,
)

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
    letter_type: AutoTypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Read one letter and print its record (JSON) on stdout.

    Exit code 0 if the record is accepted, 1 if it needs a look.

    Example: extractor extract eval/imr/letters/dwc-2014-000.txt
    """
    other = second_model(second, second_prompt, second_base_url)
    choice = ModelChoice(model, prompt, base_url, replay, reask, strict, other)
    with open_extractor(workspace, letter_type, choice) as letters:
        record = _record(letters, letter, letter_id)
        print_json(record.as_dict())
        bill = letters.bill()
    bill.add(record)
    if line := bill.line():
        print_err(line)
    raise typer.Exit(Exit.FINE if record.status == "accepted" else Exit.LOOK)


def _record(letters: Extractor, path: Path, letter_id: str | None) -> Record:
    try:
        return letters.extract(path, letter_id)
    except LetterError as error:
        print_err(f"error: {error}")
        return letters.failed(letter_id or next(letters.letters(path))[0], error)
