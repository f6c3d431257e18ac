"""``extractor run``: many letters in, a folder of records out."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from extractor import bulk
from extractor.cli.common import (
    Exit,
    JsonOption,
    ModelOption,
    PromptOption,
    ReaskOption,
    ReplayOption,
    Session,
    TypeOption,
    UrlOption,
    WorkspaceOption,
    open_session,
    print_json,
    say,
)
from extractor.cli.table import print_table
from extractor.errors import CassetteError
from extractor.letter import LetterFile, find_letters

TABLE_LETTERS = 20
_PLAIN_EVERY = 100


def run_command(
    paths: Annotated[list[Path], typer.Argument(help="Letter files, or folders that hold them.", metavar="PATH...")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for records.jsonl and the ledger run.db.")],
    model: ModelOption = None,
    prompt: PromptOption = None,
    base_url: UrlOption = None,
    replay: ReplayOption = False,
    reask: ReaskOption = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=512, help="Letters in flight at once.")] = 8,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Extract many letters into DIR/records.jsonl, one line a letter.

    Can be stopped (Ctrl-C) and started again: finished letters are skipped, a changed prompt or
    model asks again, changed checks only check again. Prints a table when it ends.

    Exit code 0 if all are accepted, 1 if some need a look, 4 if some could not be asked.

    Example: extractor run eval/imr/letters --out out
    """
    files = find_letters(paths)
    session = open_session(workspace, letter_type, model, prompt, base_url=base_url, replay=replay, reasks=reask)
    summary = asyncio.run(_run(files, session, out, concurrency))
    counts, shown = _results(out, {file.id for file in files})
    if as_json:
        print_json(_report(summary, counts, out))
    else:
        if shown:
            print_table(shown, session.plan.letter_type)
        if counts.total() > len(shown):
            print(f"(the first {len(shown)} of {counts.total()} records are shown)")
        _print_summary(summary, counts, out)
    raise typer.Exit(_exit_code(summary, counts))


async def _run(files: list[LetterFile], session: Session, out: Path, concurrency: int) -> bulk.Summary:
    try:
        with _Progress(len(files)) as progress:
            return await bulk.run(
                files,
                session.plan,
                out,
                concurrency=concurrency,
                around=session.tape if session.replaying else None,
                on_progress=progress.update,
                on_interrupt=_tell_interrupt,
            )
    finally:
        await session.plan.model.aclose()


def _tell_interrupt() -> None:
    say("stopping: letters in flight may finish, nothing is retried; Ctrl-C again stops at once")


class _Progress:
    """One live line on a terminal, a plain line now and then when piped."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.live: Progress | None = None
        if sys.stderr.isatty():
            self.live = Progress(
                TextColumn("letters"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )

    def __enter__(self) -> _Progress:
        if self.live:
            self.live.start()
            self.task = self.live.add_task("", total=self.total)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.live:
            self.live.stop()

    def update(self, summary: bulk.Summary) -> None:
        told = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
        if self.live:
            self.live.update(self.task, completed=summary.done, description=told)
        elif summary.done % _PLAIN_EVERY == 0:
            say(f"{summary.done} of {self.total} letters: {told}")


def _results(out: Path, wanted: set[str]) -> tuple[Counter[str], list[dict[str, Any]]]:
    """How many records of each status, and the first few records to show."""
    counts: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    with (out / bulk.RECORDS).open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["letter_id"] in wanted:
                counts[record["status"]] += 1
                if len(shown) < TABLE_LETTERS:
                    shown.append(record)
    return counts, shown


def _report(summary: bulk.Summary, counts: Mapping[str, int], out: Path) -> dict[str, Any]:
    return {
        "letters": summary.total,
        "accepted": counts.get("accepted", 0),
        "needs_review": counts.get("needs_review", 0),
        "failed": counts.get("failed", 0),
        "skipped": summary.skipped,
        "unanswered": {
            name: {"code": error.code, "message": error.message} for name, error in summary.unanswered.items()
        },
        "interrupted": summary.interrupted,
        "seconds": round(summary.seconds, 2),
        "records": str(out / bulk.RECORDS),
    }


def _print_summary(summary: bulk.Summary, counts: Mapping[str, int], out: Path) -> None:
    told = [f"{counts.get(status, 0)} {status}" for status in ("accepted", "needs_review", "failed")]
    left = summary.total - summary.done + len(summary.unanswered)
    if left:
        told.append(f"{left} unanswered")
    skipped = f" (done already: {summary.skipped})" if summary.skipped else ""
    letters = "1 letter" if summary.total == 1 else f"{summary.total} letters"
    print(f"{letters}: {', '.join(told)}{skipped}. Records: {out / bulk.RECORDS}")
    if summary.unanswered:
        first = next(iter(summary.unanswered.values()))
        say(f"{len(summary.unanswered)} letters were not answered. First: {first}")
    if left and not any(isinstance(error, CassetteError) for error in summary.unanswered.values()):
        say(f"{left} letters are left; run the same command again to go on")


def _exit_code(summary: bulk.Summary, counts: Mapping[str, int]) -> Exit:
    if summary.interrupted:
        return Exit.INTERRUPTED
    if any(isinstance(error, CassetteError) for error in summary.unanswered.values()):
        return Exit.CASSETTES
    if summary.unanswered or summary.done < summary.total:
        return Exit.INCOMPLETE
    return Exit.LOOK if counts.get("needs_review") or counts.get("failed") else Exit.FINE
