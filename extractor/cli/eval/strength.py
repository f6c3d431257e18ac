"""``extractor eval strength``: what proves each leaf, and what passes unflagged."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from extractor.cli.eval.common import open_bench
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.display import values
from extractor.evaluation.scores.strength import LeafStrength, measure_strength


def strength_command(
    baseline: Annotated[
        list[Path] | None,
        typer.Option(
            "--baseline", metavar="PATH", help="Letters without gold: the baseline's answers to them are taken as true."
        ),
    ] = None,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """For each leaf: its proof level, planted mistakes that pass unflagged, false alarms, and what nobody checks.

    The correct answers are the workspace's gold, and with --baseline the reading of further letters. No
    model, no network. Exit code 1 if a mistake on a protected leaf passes unflagged or a true value is blamed.

    Example: extractor eval strength --type imr
    """
    bench = open_bench(workspace, letter_type)
    answers, gold = bench.true_answers(baseline or [], print_err), len(bench.golds)
    leaves = measure_strength(bench.letter_type, answers).values()
    if as_json:
        print_json({"answers": len(answers), "gold": gold, "leaves": [leaf.as_dict() for leaf in leaves]})
    else:
        _print(leaves)
        print(f"{len(answers)} correct answers, {gold} of them gold. * is a protected leaf.")
    bad = any(leaf.false_alarms or (leaf.protected and leaf.silent) for leaf in leaves)
    raise typer.Exit(Exit.LOOK if bad else Exit.FINE)


def _print(leaves: Collection[LeafStrength]) -> None:
    table = Table("leaf", "proven by", "planted", "undetected", "95 %", "false alarms", pad_edge=False)
    for leaf in leaves:
        low, high = leaf.bounds
        levels = ", ".join(
            f"{level} {values.percent_of(count, leaf.levels.total())}" for level, count in leaf.levels.most_common()
        )
        share = (str(leaf.silent), f"{values.percent(low)} to {values.percent(high)}") if leaf.planted else ("", "")
        name = leaf.path + (" *" if leaf.protected else "")
        table.add_row(name, levels, f"{leaf.planted:,}", *share, str(leaf.false_alarms))
    Console(width=160).print(table)
    gaps = [f"  {leaf.path}: {gap}" for leaf in leaves if (gap := _gap(leaf))]
    print("\n".join(["What nobody checks:", *gaps] if gaps else ["Every leaf was planted with mistakes."]))


def _gap(leaf: LeafStrength) -> str:
    """What no check covers in a leaf, or that it was never measured, in plain words."""
    if leaf.unchecked or leaf.planted:
        return leaf.unchecked
    return "no mistake was planted here, so the strength of its checks was not measured"
