"""``extractor eval show``: one letter under one run or two."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from extractor import Record
from extractor.cli.eval.common import (
    GoldOption,
    How,
    LettersOption,
    MappingOption,
    RunModelOption,
    SetOption,
    open_bench,
    resolve,
)
from extractor.cli.shared.options import JsonOption, TypeOption, WorkspaceOption, print_json
from extractor.display.values import place_name, plural, shortened
from extractor.errors import UsageError
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.reports.formats import as_text
from extractor.evaluation.reports.parts import Grid, Part
from extractor.evaluation.reports.sentences import names_of
from extractor.evaluation.scored_run import Run, answer_name


def show_command(
    letter: Annotated[str, typer.Argument(help="Id of a letter with gold.", metavar="LETTER")],
    runs: Annotated[list[str], typer.Argument(help="One run or two, as in eval compare.", metavar="A [B]")],
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    text: Annotated[bool, typer.Option("--text/--no-text", help="Print the letter's text above.")] = True,
    letters: LettersOption = None,
    gold: GoldOption = None,
    mapping: MappingOption = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """One letter: its text, and every leaf that is wrong or differs, with gold and the answers.

    Replays are kept under runs/TYPE in the workspace. They hold text of letters.

    Example: extractor eval show mixed-outcomes imr@v1 imr@v2
    """
    bench = open_bench(workspace, letter_type, set_name, letters=letters, gold=gold, mapping=mapping)
    one = next((each for each in bench.golds if each.letter.id == letter), None)
    if one is None:
        known = ", ".join(each.letter.id for each in bench.golds[:30])
        raise UsageError(f"no letter {letter!r} with gold in this set", hint=f"known: {known}")
    how = How(model)
    found = [resolve(bench, how, spec)[0] for spec in runs]
    rows = _rows(letter, found)
    if as_json:
        answers = {run.id: [record.as_dict() for _, record in _answers(run, letter)] for run in found}
        print_json(
            {"letter_id": letter, "gold": one.answer, "debatable": one.debatable, "runs": answers, "differs": rows}
        )
        return
    parts: list[Part] = [one.letter.text.strip("\n")] if text else []
    names: list[str] = []
    for name, run in zip(names_of(*(run.about for run in found)), found, strict=True):
        answers_of = _answers(run, letter)
        for number, record in answers_of:
            names.append(answer_name(name, number))
            parts.append(f"{names[-1]}: {_outcome(record)}")
        parts += [] if answers_of else [f"{name}: no answer yet"]
    grid = Grid(("path", "gold", *names))
    grid.rows = [
        (row["path"], shortened(row["gold"]), *(f"{shortened(a['got'])} ({a['status']})" for a in row["runs"]))
        for row in rows
    ]
    parts.append(grid if grid.rows else "No leaf is wrong in any of these runs.")
    parts += [f"debatable {path}: {why}" for path, why in one.debatable.items()]
    print(as_text(iter(parts)))


def _rows(letter: str, runs: list[Run]) -> list[dict[str, Any]]:
    """Leaves of one letter that some answer gets wrong, with each answer of each run."""
    scores = [{leaf.path: leaf for leaf in each.leaves} for run in runs for each in run.by_letter.get(letter, ())]
    paths = dict.fromkeys(path for leaves in scores for path, leaf in leaves.items() if leaf.is_error)
    rows = []
    for path in paths:
        leaves = [each.get(path) for each in scores]
        gold = next(leaf.gold for leaf in leaves if leaf)
        answers = [
            {"status": leaf.status, "got": leaf.got} if leaf else {"status": "absent", "got": None} for leaf in leaves
        ]
        rows.append({"path": path, "gold": gold, "runs": answers})
    return rows


def _answers(run: Run, letter: str) -> list[tuple[int, Record]]:
    """The records of one letter with the numbers of their recordings."""
    answers = zip(run.letters, run.predictions, strict=True)
    return [(score.recording, record) for score, record in answers if record.letter_id == letter]


def _outcome(record: Record) -> str:
    errors = "".join(f"; {error.code} at {place_name(error.path)} ({error.blame})" for error in record.errors)
    return f"{record.status}, {plural(len(record.attempts), 'attempt')}{errors}"
