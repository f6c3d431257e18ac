"""``extractor gold``: more letters with correct answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.review import LettersOption, letter_places, letter_type_of_run, starts_in_run
from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.runs.ledger import LedgerView


def from_review_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run that was reviewed.", metavar="DIR")],
    to: Annotated[Path, typer.Option("--to", metavar="EVAL", help="Where the pairs go, e.g. eval/imr.")],
    letters: LettersOption = None,
    force: Annotated[bool, typer.Option("--force", help="Take letters with open errors too.")] = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make gold of reviewed letters: EVAL/letters/ID.txt and EVAL/gold/ID.json, with who and when.

    Takes the letters that a person accepted, with her corrections. One that still has an error which is
    not the letter's own is refused; gold that is there already is never overwritten. Exit code 1 if any
    was refused. Such gold records whose answer its reviewer saw.

    Example: extractor gold from-review out --to eval/imr
    """
    from extractor.review.gold import write_gold
    from extractor.review.letters import Letters
    from extractor.review.reviews import Reviews

    opened = open_workspace(workspace)
    kind = opened.letter_type(letter_type or letter_type_of_run(folder))
    with LedgerView(folder) as view:
        records = list(view.records())
    reviews = Reviews(folder)
    places = letter_places(folder, opened, kind, letters)
    known = Letters(places, [record.letter_id for record in records], starts_in_run(folder, opened, kind))
    pairs = write_gold(records, reviews, kind, known, to, force=force)
    refused = [pair for pair in pairs if not pair.written]
    if as_json:
        print_json([{"letter_id": pair.letter_id, "name": pair.name, "refused": pair.reason or None} for pair in pairs])
    else:
        for pair in refused:
            print_err(f"{pair.letter_id}: {pair.reason}")
        print(f"{len(pairs) - len(refused)} of {len(pairs)} accepted letters are now gold in {to}")
    raise typer.Exit(Exit.LOOK if refused else Exit.FINE)
