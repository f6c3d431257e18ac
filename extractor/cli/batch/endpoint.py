"""``extractor batch submit``, ``poll`` and ``fetch``: request files at an endpoint."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.batch.common import OutOption, at_endpoint, counted, word
from extractor.cli.shared.options import Exit, JsonOption, UrlOption, WorkspaceOption, print_err, print_json
from extractor.errors import UsageError
from extractor.runs.batch import ENDED, Book, FileRow, fetch, poll, submit
from extractor.runs.ledger import Ledger


def submit_command(
    out: OutOption,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send the request files of DIR to the endpoint and start a batch over each.

    It can be interrupted and repeated without starting a batch twice. A batch that the endpoint
    refused (because its queue was full, for example) is started again. A file is not sent if some
    of its letters have been answered, so nothing is paid for twice. Needs the API key, which is
    never written to disk.

    Example: extractor batch submit --out out
    """
    rows: list[FileRow] = []
    stale: list[FileRow] = []

    def on_stale(row: FileRow, wanted: int) -> None:
        stale.append(row)
        print_err(f"{row.name} is not sent: only {wanted} of its {row.requests} requests are still unanswered")

    with at_endpoint(out, base_url, workspace) as (book, client):
        ledger = Ledger(out)
        with ledger:
            started = submit(book, ledger, client, lambda row: _print_row(row, rows, as_json), on_stale)
    if as_json:
        print_json([asdict(row) for row in rows])
    if stale:
        print_err(
            f"next: extractor batch write PATH --out {word(out)} --again, which writes them to a new file; then submit"
        )
    print_err(f"{counted(started, 'batch', 'batches')} started; next: extractor batch poll --out {word(out)}")
    raise typer.Exit(Exit.LOOK if stale else Exit.FINE)


def poll_command(
    out: OutOption,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all batches have ended.")] = False,
    every: Annotated[float, typer.Option("--every", min=1, help="Seconds between two checks, with --wait.")] = 60.0,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the status of the batches of DIR.

    Exit code 0 if all are completed, 1 if some ended otherwise, 4 if some are still running.

    Example: extractor batch poll --out out --wait
    """
    with at_endpoint(out, base_url, workspace) as (book, client):
        _refuse_unstarted(book, out)
        while True:
            rows: list[FileRow] = []
            under_way = poll(book, client, lambda row, rows=rows: _print_row(row, rows, as_json))  # type: ignore[misc]
            if not wait or not under_way:
                break
            time.sleep(every)
    if as_json:
        print_json([asdict(row) for row in rows])
    _print_next_steps(rows, out)
    raise typer.Exit(_poll_code(rows))


def _print_next_steps(rows: Sequence[FileRow], out: Path) -> None:
    if any(row.status == "failed" for row in rows):
        print_err(f"start refused batches again with: extractor batch submit --out {word(out)}")
    if any(row.status in ENDED and not row.fetched for row in rows):
        print_err(f"next: extractor batch fetch --out {word(out)}")


def _poll_code(rows: Sequence[FileRow]) -> Exit:
    if any(row.status not in ENDED for row in rows):
        return Exit.INCOMPLETE
    return Exit.FINE if all(row.status == "completed" for row in rows) else Exit.LOOK


def fetch_command(
    out: OutOption,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Fetch the results of the batches that have ended, including those that expired halfway.

    Exit code 4 if some batches are still running; run the same command again later.

    Example: extractor batch fetch --out out
    """
    with at_endpoint(out, base_url, workspace) as (book, client):
        _refuse_unstarted(book, out)
        under_way = poll(book, client, lambda row: None)
        fetched = fetch(
            book, client, lambda row: print(*(f"{book.folder / name}\n" for name in row.results), sep="", end="")
        )
    print_err(f"{counted(fetched, 'file')} fetched; {counted(under_way, 'batch', 'batches')} still running")
    print_err(f"next: extractor batch read --out {word(out)}")
    raise typer.Exit(Exit.INCOMPLETE if under_way else Exit.FINE)


def _refuse_unstarted(book: Book, out: Path) -> None:
    if not any(row.batch_id for row in book.files()):
        raise UsageError(f"no batch of {out} was started", hint=f"extractor batch submit --out {word(out)}")


def _print_row(row: FileRow, rows: list[FileRow], quiet: bool) -> None:
    rows.append(row)
    if not quiet:
        failed = f", {row.failed} failed" if row.failed else ""
        counts = f", {row.completed} of {row.total or row.requests} answered{failed}"
        problems = f": {row.problems}" if row.problems else ""
        print(f"{row.name}: {row.status}{counts} ({row.batch_id}){problems}")
