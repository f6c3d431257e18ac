"""``extractor eval planted``: measure the validator itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.errors import LetterError, WorkspaceError
from extractor.evaluation.gold.gold import load_gold
from extractor.evaluation.scores.planted import Report, measure
from extractor.letters.letter import Letter, find_letters, letters_in
from extractor.lettertypes.lettertype import LetterType
from extractor.models.offline import fill
from extractor.workspace.workspace import Workspace

# What the validator must catch: all planted mistakes on protected leaves, nearly all of the others.
FLOOR = 0.99


def planted_command(
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            "--baseline", metavar="PATH", help="Letters without gold: the baseline's answers to them are taken as true."
        ),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", metavar="NAME", help="Only this kind of mistake; may be repeated.")
    ] = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plant one mistake at a time in true answers, and count what the validator catches.

    The true answers are the workspace's gold. With --baseline PATH the reading of further letters is
    taken as true as well: that measures the checks, not the reader. No model, no network.

    Exit code 1 if a mistake on a protected leaf passes, if fewer than 99% of all are caught, or if
    an untouched answer raises an alarm.

    Example: extractor eval planted --baseline letters/
    """
    found = open_workspace(workspace)
    kind_of_letter = found.letter_type(letter_type)
    if unknown := set(kind or []) - set(kind_of_letter.planters):
        raise WorkspaceError(f"no kind {min(unknown)!r}", hint=f"known: {', '.join(sorted(kind_of_letter.planters))}")
    answers, gold = true_answers(found, kind_of_letter, baseline or [])
    report = measure(kind_of_letter, answers, kinds=kind)
    if as_json:
        print_json({"gold": gold, "baseline": len(answers) - gold, **report.as_dict()})
    else:
        _print(report, gold)
    raise typer.Exit(Exit.FINE if _good(report) else Exit.LOOK)


def true_answers(
    workspace: Workspace, letter_type: LetterType, baseline: list[Path]
) -> tuple[list[tuple[Letter, Mapping[str, Any]]], int]:
    """The gold of a letter type, and the readings of further letters; and how many of them are gold.

    Raises ``WorkspaceError`` where there is no gold.
    """
    config = workspace.config.letter_types[letter_type.name]
    if not config.letters or not config.gold:
        raise WorkspaceError("this letter type has no gold", hint="set `letters` and `gold` in workspace.toml")
    pairs = load_gold(workspace.root / config.letters, workspace.root / config.gold, letter_type)
    return [*((pair.letter, pair.answer) for pair in pairs), *_baseline(baseline, letter_type)], len(pairs)


def _baseline(paths: list[Path], letter_type: LetterType) -> Iterator[tuple[Letter, Mapping[str, Any]]]:
    files = find_letters(paths) if paths else []
    for _, letter in chain.from_iterable(letters_in(file, letter_type.starts) for file in files):
        if isinstance(letter, LetterError):
            raise letter
        reading = letter_type.read(letter)
        if reading.recognised:
            yield letter, json.loads(fill(letter_type.schema, reading.root).model_dump_json())
        else:
            print_err(f"{letter.id} is skipped: {reading.note}")


def _good(report: Report) -> bool:
    right, planted = report.protected
    return right == planted and report.right >= FLOOR * report.planted and not report.false_alarms


def _print(report: Report, gold: int) -> None:
    table = Table("kind", "planted", "caught", "right code and path", "missed (first few)", pad_edge=False)
    for kind, tally in report.kinds.items():
        table.add_row(kind, str(tally.planted), str(tally.caught), str(tally.right), "\n".join(tally.missed))
    Console(width=140).print(table)
    right, planted = report.protected
    print(f"{report.answers} true answers, {gold} of them gold.")
    print(f"{report.planted} mistakes planted, {report.right} caught with the right code at the right place.")
    print(f"On protected leaves: {right} of {planted}.")
    print(f"False alarms on untouched answers: {len(report.false_alarms)}.")
    for alarm in report.false_alarms:
        print(f"  false alarm: {alarm}")
    for place in report.unread:
        print(f"  the reader cannot parse this: {place}")
    for own in report.letter_errors:
        print(f"  the letter contradicts itself: {own}")
