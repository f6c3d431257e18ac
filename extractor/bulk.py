"""Many letters: a pool of workers over one list, every finished letter kept at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractor.errors import CassetteError, ExtractorError, LedgerError, LetterError, TransportError, UsageError
from extractor.ledger import Keys, Ledger, keeps_replies, keys_of
from extractor.letter import Letter, LetterFile, read_letter
from extractor.pipeline import extract
from extractor.records import Plan, failed_record

RECORDS = "records.jsonl"
# An endpoint that fails this often in a row is down; going on would only burn through the list.
GIVE_UP_AFTER = 5

# Opened around the asking of one letter, given its file and the hash of its text: its cassette.
Around = Callable[[LetterFile, str], AbstractContextManager[Any]]


@dataclass
class Summary:
    """What a run did. ``unanswered`` letters have no record yet: the next run asks them."""

    total: int = 0
    skipped: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    unanswered: dict[str, ExtractorError] = field(default_factory=dict)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return self.skipped + self.statuses.total() + len(self.unanswered)


OnProgress = Callable[[Summary], None]


async def run(
    files: Sequence[LetterFile],
    plan: Plan,
    folder: Path,
    *,
    concurrency: int = 8,
    around: Around | None = None,
    on_progress: OnProgress | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> Summary:
    """Extract every letter into ``folder``: ``records.jsonl`` and the ledger ``run.db``.

    Letters that are done and unchanged are skipped; letters with equal text are asked once. The
    first interrupt lets the letters in flight finish without retries, the second stops at once. Raises ``UsageError``
    for what would fail for every letter, e.g. ``LedgerError`` if the folder cannot be used.
    """
    started = time.monotonic()
    summary = Summary(total=len(files))
    _refuse_foreign_records(folder)
    with Ledger(folder) as ledger, _Output(folder / RECORDS, ledger) as output:
        job = _Job(plan, ledger, output, summary, around, on_progress)
        with _graceful_interrupt(job, on_interrupt):
            await _work_off(job, files, concurrency)
    summary.seconds = time.monotonic() - started
    return summary


async def _work_off(job: _Job, files: Sequence[LetterFile], concurrency: int) -> None:
    waiting = iter(files)
    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(max(1, concurrency)):
                workers.create_task(job.work(waiting))
    except ExceptionGroup as failures:
        # What stops one worker stops them all; the first says why.
        raise failures.exceptions[0] from None


def _refuse_foreign_records(folder: Path) -> None:
    if (folder / RECORDS).exists() and not Ledger.exists(folder):
        raise LedgerError(
            f"{folder / RECORDS} is not from a run that can be resumed: its run.db is missing",
            hint="name another --out folder, or move that file away",
        )


class _Output(AbstractContextManager["_Output"]):
    """``records.jsonl``: appended line by line while the run goes, put in order when it ends."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self.ledger = ledger

    def __enter__(self) -> _Output:
        # Start from what the ledger holds: a torn last line or a superseded record is gone.
        self.rewrite()
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        return self

    def append(self, record: Mapping[str, Any]) -> None:
        """One write a line, so that a kill leaves whole lines."""
        os.write(self._file, (json.dumps(record, ensure_ascii=False) + "\n").encode())

    def __exit__(self, *exc: object) -> None:
        os.close(self._file)
        self.rewrite()

    def rewrite(self) -> None:
        temporary = self.path.with_suffix(".jsonl.part")
        try:
            private = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with open(private, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(line + "\n" for line in self.ledger.records())
            temporary.replace(self.path)
        except OSError as error:
            raise LedgerError(
                f"cannot write {self.path}: {error.strerror}",
                hint="free the disk and run again; nothing is lost, the ledger has it",
            ) from error


@dataclass
class _Job:
    plan: Plan
    ledger: Ledger
    output: _Output
    summary: Summary
    around: Around | None
    on_progress: OnProgress | None
    stopping: bool = False
    failures_in_a_row: int = 0
    # One lock for each question under way: an equal letter waits for the first one's stored reply.
    asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def work(self, waiting: Iterator[LetterFile]) -> None:
        for file in waiting:
            if self.stopping:
                return
            await self.one(file)
            if self.on_progress:
                self.on_progress(self.summary)

    async def one(self, file: LetterFile) -> None:
        """One letter, whatever happens to it."""
        try:
            letter = read_letter(file)
        except LetterError as error:
            self.keep(failed_record(file.id, self.plan, error), keys_of(f"unreadable {error.code}", self.plan))
            return
        keys = keys_of(letter.sha256, self.plan)
        if self.ledger.is_done(letter.id, keys):
            self.summary.skipped += 1
            return
        try:
            record = await self.ask(file, letter, keys)
        except UsageError:
            raise
        except (TransportError, CassetteError) as error:
            self.unanswered(file.id, error)
            return
        except OSError as error:
            raise LedgerError(f"cannot write {self.output.path.parent}: {error.strerror}") from error
        except Exception as error:  # a defect met by one letter must not cost the others
            crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
            # Not done: a later version, or another try, may get it right.
            record, keys = failed_record(letter.id, self.plan, crash, letter.sha256), Keys(keys.ask, "")
        self.failures_in_a_row = 0
        self.keep(record, keys)

    async def ask(self, file: LetterFile, letter: Letter, keys: Keys) -> dict[str, Any]:
        storing = keeps_replies(self.plan)
        async with self.asking.setdefault(keys.ask, asyncio.Lock()) if storing else nullcontext():
            with self.around(file, letter.sha256) if self.around else nullcontext():
                record = await extract(
                    letter,
                    self.plan,
                    stored=self.ledger.replies(keys) if storing else (),
                    on_reply=(lambda reply: self.ledger.store_reply(keys, reply)) if storing else None,
                )
        self.asking.pop(keys.ask, None)
        return record

    def keep(self, record: dict[str, Any], keys: Keys) -> None:
        self.ledger.store_record(record, keys)
        self.output.append(record)
        self.summary.statuses[record["status"]] += 1

    def unanswered(self, letter_id: str, error: ExtractorError) -> None:
        self.summary.unanswered[letter_id] = error
        if isinstance(error, TransportError):
            self.failures_in_a_row += 1
            self.stopping = self.stopping or self.failures_in_a_row >= GIVE_UP_AFTER


@contextmanager
def _graceful_interrupt(job: _Job, on_interrupt: Callable[[], None] | None) -> Iterator[None]:
    """First Ctrl-C: take no new letters. Second: stop at once (the default handler raises)."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        job.stopping = True
        job.summary.interrupted = True
        job.plan.model.stop_retrying()
        if on_interrupt:
            on_interrupt()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or no signals here
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
