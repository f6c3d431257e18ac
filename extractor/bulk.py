"""Many letters: a pool of workers over one list, every finished letter kept at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from extractor.errors import CassetteError, ExtractorError, LedgerError, LetterError, TransportError
from extractor.ledger import Keys, Ledger, keeps_replies, keys_of
from extractor.letter import LetterFile, read_letter
from extractor.pipeline import extract
from extractor.records import Plan, failed_record

RECORDS = "records.jsonl"
# An endpoint that fails this often in a row is down; going on would only burn through the list.
GIVE_UP_AFTER = 5

# Run around the asking of one letter, e.g. to choose its cassette.
Around = Callable[[LetterFile, str], Any]


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


class _Output:
    """``records.jsonl``: appended line by line while the run goes, put in order when it ends."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.path = folder / RECORDS
        self.ledger = ledger
        self._file: TextIO | None = None

    def open(self) -> None:
        """Start from what the ledger holds: a torn last line or a superseded record is gone."""
        self.rewrite()
        self._file = self.path.open("a", encoding="utf-8", newline="\n")

    def append(self, record: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()
            self.rewrite()

    def rewrite(self) -> None:
        temporary = self.path.with_suffix(".jsonl.part")
        try:
            with open(
                os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="\n"
            ) as file:
                file.writelines(line + "\n" for line in self.ledger.records())
            temporary.replace(self.path)
        except OSError as error:
            raise LedgerError(
                f"cannot write {self.path}: {error.strerror}",
                hint="free the disk or name another --out; nothing is lost, the ledger has it",
            ) from error


async def run(
    files: Sequence[LetterFile],
    plan: Plan,
    folder: Path,
    *,
    concurrency: int = 8,
    around: Around | None = None,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Extract every letter into ``folder``: ``records.jsonl`` and the ledger ``run.db``.

    Letters that are done and unchanged are skipped. The first interrupt lets the letters in flight
    finish, the second stops at once. Raises ``LedgerError`` if the folder cannot be used.
    """
    started = time.monotonic()
    summary = Summary(total=len(files))
    with Ledger(folder) as ledger:
        output = _Output(folder, ledger)
        output.open()
        job = _Job(plan, ledger, output, summary, around, on_progress)
        try:
            with _graceful_interrupt(job):
                waiting = iter(files)
                await asyncio.gather(*(job.work(waiting) for _ in range(max(1, concurrency))))
        finally:
            output.close()
    summary.seconds = time.monotonic() - started
    return summary


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
            record = failed_record(file.id, self.plan, error)
            self.keep(record, keys_of(f"unreadable {error.code}", self.plan))
            return
        keys = keys_of(letter.sha256, self.plan)
        if self.ledger.is_done(letter.id, keys):
            self.summary.skipped += 1
            return
        try:
            with _entered(self.around, file, letter.sha256):
                record = await extract(
                    letter,
                    self.plan,
                    stored=self.ledger.replies(keys),
                    on_reply=(lambda reply: self.ledger.store_reply(keys, reply)) if keeps_replies(self.plan) else None,
                )
        except (TransportError, CassetteError) as error:
            self.unanswered(file.id, error)
            return
        except Exception as error:  # a defect met by one letter must not cost the others
            crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
            record = failed_record(letter.id, self.plan, crash, letter.sha256)
        self.failures_in_a_row = 0
        self.keep(record, keys)

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
def _entered(around: Around | None, file: LetterFile, letter_sha256: str) -> Iterator[None]:
    if around is None:
        yield
        return
    with around(file, letter_sha256):
        yield


@contextmanager
def _graceful_interrupt(job: _Job) -> Iterator[None]:
    """First Ctrl-C: take no new letters. Second: stop at once (the default handler raises)."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        job.stopping = True
        job.summary.interrupted = True
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
