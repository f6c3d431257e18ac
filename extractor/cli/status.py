"""``extractor status``: the state of a run folder, also while the run is active."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from extractor import RunState
from extractor.cli.shared.failures import failure_lines, screen_width
from extractor.cli.shared.options import JsonOption, print_json
from extractor.cli.shared.outcome import withheld_line
from extractor.cli.shared.progress import compact, duration, parts
from extractor.display.values import money


def status_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run (its --out).", metavar="DIR")],
    as_json: JsonOption = False,
) -> None:
    """Print the state of a run, from another terminal while it is active, or afterwards.

    Only looks: the run is not disturbed. Exit code 0, or 2 if there is no run in DIR.

    Example: extractor status out
    """
    state = RunState.of_folder(folder)
    report = state.as_dict()
    if as_json:
        print_json(report)
    else:
        for line in _lines(report, state.stop_reason):
            print(line)


_STATES = {
    "running": "a run is active",
    "unknown": "no run has reported its state",
    "killed": "the last run was killed, or the machine went down; the same command continues it",
    "interrupted": "the last run was interrupted; the same command continues it",
    "incomplete": "the last run left letters unanswered; the same command continues it",
    "finished": "the last run is finished",
}


def _lines(report: dict[str, Any], stop_reason: str) -> list[str]:
    run, records = report["run"], report["records"]
    sentence = _STATES.get(report["state"]) or f"the last run stopped: {stop_reason}"
    lines = [f"{report['folder']}: {sentence}"]
    if run and "merged" in run:
        lines.append(f"merged from {', '.join(run['merged'])}")
    elif run:
        words = ", ".join(f"{name} {run[name]}" for name in ("model", "prompt") if run.get(name))
        began = f"began {run['began']}, {duration(run['seconds'])}"
        lines += [f"{words}; {began}" if words else began, ", ".join(parts(run))]
    counts = ", ".join(f"{records[status]:,} {status}" for status in ("accepted", "needs_review", "failed"))
    lines.append(f"records: {records['letters']:,}: {counts}")
    if line := withheld_line(**report["withheld"]):
        lines.append(line)
    if report["errors"]:
        lines.append("failed: " + ", ".join(f"{count:,} {code}" for code, count in sorted(report["errors"].items())))
    lines += failure_lines(report["failed"], screen_width())
    if report["missing"]:
        lines.append(f"without a letter: {report['missing']:,} (their files were moved, renamed or removed)")
    usage = report["usage"]
    if usage["input_tokens"] is not None and usage["output_tokens"] is not None:
        cost = "cost unknown" if report["cost_usd"] is None else money(report["cost_usd"])
        lines.append(f"tokens: {compact(usage['input_tokens'])} in, {compact(usage['output_tokens'])} out; {cost}")
    return lines
