"""``extractor eval export``: the scored leaves of runs as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.eval.common import (
    FieldOption,
    How,
    RunModelOption,
    RunPart,
    SetOption,
    TagOption,
    open_bench,
    resolve,
)
from extractor.cli.shared.options import OnlyLettersOption, ReaskOption, TypeOption, WorkspaceOption
from extractor.display.values import plural
from extractor.evaluation.gold.sets import ALL
from extractor.evaluation.leaf_table import write_leaves


def export_command(
    runs: Annotated[
        list[str],
        typer.Argument(help="Prompt versions (replayed), `offline`, or run ids and folders.", metavar="RUN..."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; the ending names the format.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORMAT", help="A format of extractor export; default: as FILE ends.")
    ] = None,
    model: RunModelOption = None,
    set_name: SetOption = ALL,
    letter: OnlyLettersOption = None,
    tag: TagOption = None,
    field: FieldOption = None,
    reask: ReaskOption = 1,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write every scored leaf of runs to one table: letter, path, field, status, gold and answer, a row each.

    For figures of your own. The table holds text of letters. Exit code 3 or 4 if a letter has no answer.

    Example: extractor eval export imr@v1 imr@v2 --out leaves.csv
    """
    part = RunPart(letter or (), tag or (), field or ())
    bench = part.of_bench(open_bench(workspace, letter_type, set_name))
    found = [resolve(bench, How(model, reasks=reask), spec) for spec in runs]
    chosen = [part.of_run(run, bench) for run, _ in found]
    rows = write_leaves(chosen, out, to, bench.letter_type.is_protected)
    print(f"{plural(rows, 'row')} in {out}")
    raise typer.Exit(max(code for _, code in found))
