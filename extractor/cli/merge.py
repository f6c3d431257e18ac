"""``extractor merge``: join several run folders."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from extractor import merge_runs
from extractor.api import RECORDS
from extractor.cli.shared.options import JsonOption, print_err, print_json
from extractor.display.values import plural

_NAMED = 5


def merge_command(
    folders: Annotated[list[Path], typer.Argument(help="Folders of runs, e.g. of shards.", metavar="DIR...")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The new folder.")],
    as_json: JsonOption = False,
) -> None:
    """Join run folders into a new one: ledgers, stored answers and records.

    The folders are not changed. If a letter is in two of them, the newer record is used;
    where the two were made differently (another text, prompt, model or checks), that is reported. A run
    over all letters continues from the new folder and asks only about letters that no folder has.

    Exit code 0, or 2 if a folder cannot be used.

    Example: extractor merge out-1 out-2 out-3 out-4 --out out
    """
    merged = merge_runs(folders, out)
    if as_json:
        print_json(
            {
                "letters": merged.counts.total(),
                **{status: merged.counts.get(status, 0) for status in ("accepted", "needs_review", "failed")},
                "folders": merged.letters,
                "conflicts": list(merged.conflicts),
                "records": str(out / RECORDS),
            }
        )
        return
    for folder, letters in merged.letters.items():
        print(f"{folder}: {plural(letters, 'letter')}")
    counts = ", ".join(
        f"{merged.counts.get(status, 0):,} {status}" for status in ("accepted", "needs_review", "failed")
    )
    print(f"{plural(merged.counts.total(), 'letter')}: {counts}. Records: {out / RECORDS}")
    if merged.conflicts:
        named = ", ".join(merged.conflicts[:_NAMED]) + (", ..." if len(merged.conflicts) > _NAMED else "")
        differ = "letter differs" if len(merged.conflicts) == 1 else "letters differ"
        print_err(f"{len(merged.conflicts):,} {differ} between two folders; the newer record was used: {named}")
    print_err(f"next: extractor status {shlex.quote(str(out))}")
