"""``extractor eval plan``: how many letters a comparison needs."""

from __future__ import annotations

from typing import Annotated

import typer

from extractor.cli.eval.common import How, RunModelOption, SetOption, open_bench, resolve
from extractor.cli.shared.options import Exit, JsonOption, ReaskOption, TypeOption, WorkspaceOption, print_json
from extractor.display.values import number, percent, plural, signed
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.power import FEWEST_DIFFERING, POWER, letters_needed, power


def plan_command(
    a: Annotated[str, typer.Argument(help="A prompt version (replayed), `offline`, or a run.", metavar="A")],
    b: Annotated[str, typer.Argument(help="The other one.", metavar="B")],
    change: Annotated[
        float | None,
        typer.Option("--change", metavar="D", help="Change in errors per letter to detect; default: the observed one."),
    ] = None,
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    reask: ReaskOption = 1,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """How many letters with gold are needed to detect a change.

    Simulated with the exact sign-flip test, from the differences between two runs: 80% power at p = 0.05.
    Exit code 1 if fewer than six letters differ, which is too few to plan from.

    Example: extractor eval plan imr@v1 imr@v2 --change 0.3
    """
    bench = open_bench(workspace, letter_type, set_name)
    how = How(model, reasks=reask)
    runs = [resolve(bench, how, spec)[0] for spec in (a, b)]
    found = bench.compare_runs(runs[0], runs[1])
    differences, steps = found.differences
    wanted = found.change.mean if change is None else change
    needed, chance = letters_needed(differences, wanted * steps), power(differences, wanted * steps, found.letters)
    if as_json:
        observed = {
            "letters": found.letters,
            "differing_letters": found.change.differing_letters,
            "mean": found.change.mean,
        }
        print_json({"seen": observed, "change": wanted, "letters_needed": needed, "power": chance})
    else:
        print(
            f"Observed: {signed(found.change.mean, 2)} errors per letter over {plural(found.letters, 'letter')}, "
            f"{found.change.differing_letters} with a difference."
        )
        print(_sentence(wanted, needed, chance, found.letters, found.change.differing_letters))
    raise typer.Exit(Exit.FINE if needed else Exit.LOOK)


def _sentence(wanted: float, needed: int | None, chance: float | None, letters: int, differing: int) -> str:
    if differing < FEWEST_DIFFERING:
        return f"Fewer than {FEWEST_DIFFERING} letters differ: too few to plan from. Add letters first."
    if needed is None or chance is None:
        return f"A change of {signed(wanted, 2)} errors per letter cannot be detected with differences like these."
    return (
        f"A true change of {signed(wanted, 2)} needs about {plural(needed, 'letter')} to be detected with "
        f"{percent(POWER, 0)} power; these {number(letters)} letters have {percent(chance, 0)}."
    )
