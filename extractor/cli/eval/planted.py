"""``extractor eval planted``: measure the validator itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from extractor.cli.eval.common import open_bench
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.errors import WorkspaceError
from extractor.evaluation.scores.planted import Report, measure

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
    quotes: Annotated[
        bool,
        typer.Option("--quotes", help="Plant those in stated values also with their true quote, a wrong one and none."),
    ] = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plant one mistake at a time in correct answers, and count what the validator catches.

    The correct answers are the workspace's gold. With --baseline PATH the reading of further letters is
    taken as true as well: that measures the checks, not the reader. No model, no network.

    Exit code 1 if a mistake on a protected leaf passes, if fewer than 99% of all are caught, or if
    an untouched answer raises an alarm.

    Example: extractor eval planted --baseline letters/
    """
    bench = open_bench(workspace, letter_type)
    kind_of_letter = bench.letter_type
    if unknown := set(kind or []) - set(kind_of_letter.planters):
        raise WorkspaceError(f"no kind {min(unknown)!r}", hint=f"known: {', '.join(sorted(kind_of_letter.planters))}")
    answers, gold = bench.true_answers(baseline or [], print_err), len(bench.golds)
    report = measure(kind_of_letter, answers, kinds=kind, quoted=quotes)
    if as_json:
        print_json({"gold": gold, "baseline": len(answers) - gold, **report.as_dict()})
    else:
        _print(report, gold)
    raise typer.Exit(Exit.FINE if _good(report) else Exit.LOOK)


def _good(report: Report) -> bool:
    right, planted = report.protected
    return right == planted and report.right >= FLOOR * report.planted and not report.false_alarms


def _print(report: Report, gold: int) -> None:
    table = Table("kind", "planted", "caught", "right code and path", "missed (first few)", pad_edge=False)
    for kind, tally in report.kinds.items():
        table.add_row(kind, str(tally.planted), str(tally.caught), str(tally.right), "\n".join(tally.missed))
    Console(width=140).print(table)
    if any(tally.planted for tally in report.quoted.values()):
        table = Table("stated values, quoted with", "planted", "caught", "right code and path", "missed (first few)")
        for name, tally in report.quoted.items():
            table.add_row(name, str(tally.planted), str(tally.caught), str(tally.right), "\n".join(tally.missed))
        Console(width=140).print(table)
    right, planted = report.protected
    print(f"{report.answers} correct answers, {gold} of them gold.")
    print(f"{report.planted} mistakes planted, {report.right} caught with the right code at the right place.")
    print(f"On protected leaves: {right} of {planted}.")
    print(f"False alarms on untouched answers: {len(report.false_alarms)}.")
    for alarm in report.false_alarms:
        print(f"  false alarm: {alarm}")
    for place in report.unread:
        print(f"  the reader cannot parse this: {place}")
    for own in report.letter_errors:
        print(f"  the letter contradicts itself: {own}")
