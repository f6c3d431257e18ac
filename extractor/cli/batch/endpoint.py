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

    Stopped anywhere and given again, it goes on, and starts no batch twice. A batch that the
    endpoint refused (a full queue, for example) is started anew. A file some of whose letters were answered
    since is not sent, so that nothing is paid twice. Needs the key, which is never written.

    Example: extractor batch submit --out out
    """
    rows: list[FileRow] = []
    stale: list[FileRow] = []

    def on_stale(row: FileRow, wanted: int) -> None:
        stale.append(row)
        print_err(f"{row.name} is not sent: only {wanted} of its {row.requests} requests are still to be answered")

    with at_endpoint(out, base_url, workspace) as (book, client):
        ledger = Ledger(out)
        with ledger:
            started = submit(book, ledger, client, lambda row: _tell(row, rows, as_json), on_stale)
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
    wait: Annotated[bool, typer.Option("--wait", help="Until all batches have ended.")] = False,
    every: Annotated[float, typer.Option("--every", min=1, help="Seconds between two looks, with --wait.")] = 60.0,
    base_url: UrlOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how the batches of DIR stand.

    Exit code 0 if all are completed, 1 if some ended otherwise, 4 if some are under way.

    Example: extractor batch poll --out out --wait
    """
    with at_endpoint(out, base_url, workspace) as (book, client):
        _refuse_unstarted(book, out)
        while True:
            rows: list[FileRow] = []
            under_way = poll(book, client, lambda row, rows=rows: _tell(row, rows, as_json))  # type: ignore[misc]
            if not wait or not under_way:
                break
            time.sleep(every)
    if as_json:
        print_json([asdict(row) for row in rows])
    _say_after_poll(rows, out)
    raise typer.Exit(_poll_code(rows))


def _say_after_poll(rows: Sequence[FileRow], out: Path) -> None:
    if any(row.status == "failed" for row in rows):
        print_err(f"refused batches are started anew by: extractor batch submit --out {word(out)}")
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
    """Fetch the results of the batches that have ended, also of those that expired halfway.

    Exit code 4 if some batches are still under way; give the same command again later.

    Example: extractor batch fetch --out out
    """
    with at_endpoint(out, base_url, workspace) as (book, client):
        _refuse_unstarted(book, out)
        under_way = poll(book, client, lambda row: None)
        fetched = fetch(
            book, client, lambda row: print(*(f"{book.folder / name}\n" for name in row.results), sep="", end="")
        )
    print_err(f"{counted(fetched, 'file')} fetched; {under_way} of the batches under way")
    print_err(f"next: extractor batch read --out {word(out)}")
    raise typer.Exit(Exit.INCOMPLETE if under_way else Exit.FINE)


def _refuse_unstarted(book: Book, out: Path) -> None:
    if not any(row.batch_id for row in book.files()):
        raise UsageError(f"no batch of {out} was started", hint=f"extractor batch submit --out {word(out)}")


def _tell(row: FileRow, rows: list[FileRow], quiet: bool) -> None:
    rows.append(row)
    if not quiet:
        failed = f", {row.failed} failed" if row.failed else ""
        counts = f", {row.completed} of {row.total or row.requests} answered{failed}"
        problems = f": {row.problems}" if row.problems else ""
        print(f"{row.name}: {row.status}{counts} ({row.batch_id}){problems}")
