"""Upload request files, poll their batches and fetch the results. Each step can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from extractor.errors import UsageError
from extractor.files import whole_file
from extractor.runs.batch.book import Book, FileRow
from extractor.runs.ledger import Keys, Ledger

if TYPE_CHECKING:
    from extractor.models.llm.batches import BatchClient, BatchJob

# Final batch states.
ENDED = ("completed", "failed", "expired", "cancelled")
OnFile = Callable[[FileRow], None]
OnStale = Callable[[FileRow, int], None]


def submit(book: Book, ledger: Ledger, client: BatchClient, on_file: OnFile, on_stale: OnStale) -> int:
    """Start a batch over each request file that has none, or whose batch was refused. Returns how many.

    It can be interrupted and repeated without starting a batch twice: a file is uploaded before its
    batch is started, and a batch that may already be running is looked up first. A file is stale when
    some of its requests have been answered, or are in a newer file. It is not sent, because they would
    be paid for twice; ``on_stale`` gets the number of its requests that are still open.
    """
    started = 0
    for row in book.files():
        if row.batch_id and row.status != "failed":
            continue
        maybe = bool(row.tried) and row.status != "failed"
        wanted = sum(len(ledger.replies(Keys(asked.key, ""))) < asked.number for asked in book.requests(row.number))
        if wanted < row.requests and not maybe:
            if wanted:
                on_stale(row, wanted)
            continue
        upload = row.upload_id or _upload(book, client, row)
        # A refused batch is not one to look up.
        book.set_file(row.number, tried=1, batch_id=None, status=None, fetched=0)
        _keep(book, row.number, client.start(upload, maybe_started=maybe))
        started += 1
        on_file(_row(book, row.number))
    return started


def _upload(book: Book, client: BatchClient, row: FileRow) -> str:
    path = book.folder / row.name
    if not path.exists():
        hint = "write the requests again: extractor batch write PATH --out DIR --again"
        raise UsageError(f"{path} is not there any more", hint=hint)
    upload = client.upload(path)
    book.set_file(row.number, upload_id=upload)
    return upload


def poll(book: Book, client: BatchClient, on_file: OnFile) -> int:
    """Ask for the status of each batch. Returns how many are still running."""
    under_way = 0
    for row in book.files():
        if row.batch_id is None:
            continue
        if row.status not in ENDED:
            _keep(book, row.number, client.job(row.batch_id))
        now = _row(book, row.number)
        on_file(now)
        under_way += now.status not in ENDED
    return under_way


def fetch(book: Book, client: BatchClient, on_file: OnFile) -> int:
    """Fetch the results of each finished batch, once. Returns the number of files fetched."""
    fetched = 0
    for row in book.files():
        if row.fetched or row.status not in ENDED:
            continue
        for name, file_id in row.results.items():
            with whole_file(book.folder / name) as file:
                client.download(file_id, file)
            fetched += 1
        book.set_file(row.number, fetched=1)
        on_file(row)
    return fetched


def _keep(book: Book, number: int, job: BatchJob) -> None:
    book.set_file(
        number,
        batch_id=job.id,
        status=job.status,
        total=job.total,
        completed=job.completed,
        failed=job.failed,
        output_id=job.output_id,
        error_id=job.error_id,
        problems=", ".join(job.problems),
    )


def _row(book: Book, number: int) -> FileRow:
    return next(row for row in book.files() if row.number == number)
