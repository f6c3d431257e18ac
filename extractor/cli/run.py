"""``extractor run``: many letters in, a folder of records out."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer

from extractor import Bounds, Extractor, Options, RunState, Selection
from extractor.cli.shared.opening import ModelChoice, open_extractor, second_model
from extractor.cli.shared.options import (
    AutoTypeOption,
    Exit,
    JsonOption,
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
    print_json,
)
from extractor.cli.shared.outcome import exit_code, print_forecast, print_summary, report
from extractor.cli.shared.progress import Progress
from extractor.errors import LedgerError, UsageError

AUTO = "auto"
_STOPPING = "stopping: letters in flight may finish, nothing is retried; Ctrl-C again cancels them"
_PathsArgument = Annotated[
    list[Path], typer.Argument(help="Letter files, or folders that hold them.", metavar="PATH...")
]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for records.jsonl and the ledger run.db.")]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the calls, tokens and money it would take; ask nothing.")
]
_Limit = Annotated[int | None, typer.Option("--limit", min=0, metavar="N", help="Only the first N letters.")]
_Sample = Annotated[int | None, typer.Option("--sample", min=0, metavar="N", help="Only N letters, chosen by --seed.")]
_Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Number that chooses which letters --sample takes.")]
_Only = Annotated[
    Literal["accepted", "needs_review", "failed"] | None,
    typer.Option("--only", help="Only letters whose record in DIR has this status."),
]
_Shard = Annotated[
    str | None, typer.Option("--shard", metavar="I/N", help="Only the I-th of N parts, e.g. 2/4; see merge.")
]
_AskUnrecognized = Annotated[
    bool,
    typer.Option(
        "--ask-unrecognized", help="Ask the model also about what the reader does not recognize as such a letter."
    ),
]
_Force = Annotated[bool, typer.Option("--force", help="Ask again, also where nothing has changed.")]
_Retry = Annotated[Literal["failed"] | None, typer.Option("--retry", help="Ask about failed letters again.")]
_Concurrency = Annotated[
    str, typer.Option("--concurrency", metavar="C", help="Letters in flight: auto, a number, or LOW-HIGH.")
]
_Engine = Annotated[
    Literal["local", "dask"],
    typer.Option("--engine", help="What reads PDF files and scans: this machine, or a Dask cluster."),
]
_Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="ADDRESS", help="The Dask scheduler, or its scheduler file; default: one started here."
    ),
]
_Rpm = Annotated[float | None, typer.Option("--rpm", min=0.1, metavar="N", help="At most N calls a minute.")]
_Tpm = Annotated[float | None, typer.Option("--tpm", min=1, metavar="N", help="At most N tokens a minute.")]
_MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="USD", help="Stop before this run has cost more.")
]
_MaxMinutes = Annotated[float | None, typer.Option("--max-minutes", min=0, metavar="N", help="Stop after N minutes.")]
_MaxFailures = Annotated[
    int | None, typer.Option("--max-failures", min=1, metavar="N", help="Stop when N letters have failed.")
]


def run_command(
    paths: _PathsArgument,
    out: _Out,
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    replay: ReplayOption = False,
    reask: ReaskOption = 1,
    strict: StrictOption = False,
    second: SecondModelOption = None,
    second_prompt: SecondPromptOption = None,
    second_base_url: SecondUrlOption = None,
    dry_run: _DryRun = False,
    limit: _Limit = None,
    sample: _Sample = None,
    seed: _Seed = 0,
    only: _Only = None,
    shard: _Shard = None,
    force: _Force = False,
    retry: _Retry = None,
    ask_unrecognized: _AskUnrecognized = False,
    concurrency: _Concurrency = AUTO,
    rpm: _Rpm = None,
    tpm: _Tpm = None,
    max_cost: _MaxCost = None,
    max_minutes: _MaxMinutes = None,
    max_failures: _MaxFailures = None,
    engine: _Engine = "local",
    scheduler: _Scheduler = None,
    letter_type: AutoTypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Extract many letters into DIR/records.jsonl, one line a letter.

    Can be stopped (Ctrl-C) and started again: finished letters are skipped, a changed prompt or
    model asks again, changed checks only check again. The number of letters in flight is found by
    measuring; limits that the endpoint announces are kept. Prints a table when it ends.

    Exit code 0 if all are accepted, 1 if some need a look, 4 if some could not be asked or the run
    was stopped by a --max option. --max-cost counts what calls in flight may cost at most. Calls still
    open 10 seconds after --max-minutes are cancelled, and so are all open calls at the second Ctrl-C.

    Example: extractor run eval/imr/letters --out out
    """
    if force and retry:
        raise UsageError("--force asks about every letter again", hint="leave out --retry")
    again = "all" if force else retry or "nothing"
    cost = None if max_cost is None else Decimal(str(max_cost))
    bounds = _bounds(concurrency, rpm, tpm)
    options = Options(again, None, bounds, cost, max_minutes, max_failures, ask_unrecognized=ask_unrecognized)
    options = replace(options, engine=engine, scheduler=scheduler)
    selection = Selection(only, sample, seed, Selection.shard_of(shard) if shard else None, limit)
    other = second_model(second, second_prompt, second_base_url)
    choice = ModelChoice(model, prompt, base_url, replay, reask, strict, other)
    letters = open_extractor(workspace, letter_type, choice)
    if dry_run:
        _forecast(letters, paths, out, selection, options, as_json)
    else:
        raise typer.Exit(_run(letters, paths, out, selection, options, as_json))


def _forecast(
    letters: Extractor, paths: list[Path], out: Path, selection: Selection, options: Options, as_json: bool
) -> None:
    with Progress() as progress:
        _note_other_model(letters, out, progress)
        found = letters.forecast(
            paths, out, selection=selection, options=options, progress=progress.count, notify=progress.line
        )
    if as_json:
        print_json(found.as_dict())
    else:
        print_forecast(found)


def _run(
    letters: Extractor, paths: list[Path], out: Path, selection: Selection, options: Options, as_json: bool
) -> Exit:
    with Progress() as progress:
        _note_other_model(letters, out, progress)
        run = letters.run(
            paths, out, progress=progress.update, selection=selection, options=options, notify=progress.line
        )
        summary = run.finish(on_interrupt=lambda: progress.line(_STOPPING))
    bill = run.bill()
    if as_json:
        print_json(report(summary, bill, out))
    else:
        print_summary(summary, bill, out, letters.letter_types)
    return exit_code(summary)


def _note_other_model(letters: Extractor, out: Path, progress: Progress) -> None:
    """A model forgotten on the command line takes the place of the one that made the records: this is said at once."""
    try:
        old, new = RunState.last_model(out), letters.spec.model
    except LedgerError:  # no run yet, or one that the run itself refuses
        return
    if old and old != new:
        progress.line(
            f"the last run in {out} was with {old}; with {new} the records of these letters are replaced. "
            f"What {old} answered is kept: with --model {old} the records come back without asking again"
        )


def _bounds(concurrency: str, rpm: float | None, tpm: float | None) -> Bounds:
    if concurrency == AUTO:
        return Bounds(rpm=rpm, tpm=tpm)
    match = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", concurrency)
    if match is None:
        raise UsageError(
            f"--concurrency {concurrency!r} cannot be used", hint="write auto, a number, or LOW-HIGH, e.g. 4-64"
        )
    return Bounds(int(match[1]), int(match[2] or match[1]), rpm, tpm)
