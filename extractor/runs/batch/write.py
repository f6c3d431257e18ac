"""Request files: the next question about each letter that is not done, as ``run`` would put it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from extractor.errors import LetterError
from extractor.files import whole_file
from extractor.letters.letter import Letter, LetterFile, letters_in, source_of
from extractor.runs.batch.book import Asked, BatchOptions, Book, LetterRow, NewFile, Write, request_file
from extractor.runs.batch.steps import Batch
from extractor.runs.ledger import keys_of
from extractor.runs.replies import UNRECOGNIZED, failed_record

OnLetter = Callable[[int], None]


@dataclass(frozen=True)
class Limits:
    """What one request file may hold; OpenAI's limits."""

    requests: int = 50_000
    bytes: int = 200_000_000


@dataclass
class WriteSummary:
    """What became of the letters.

    ``done`` have their record already, ``finished`` got it now from stored replies. Of the others
    some are ``written`` (``corrections`` of them a second round), some ``equal`` to one that is,
    some ``waiting`` in an older file; ``too_large``, ``unreadable`` and ``unrecognized`` ones (of no letter type
    that is asked about) are in none.
    """

    letters: int = 0
    done: int = 0
    finished: int = 0
    unreadable: int = 0
    unrecognized: int = 0
    equal: int = 0
    waiting: int = 0
    too_large: int = 0
    written: int = 0
    corrections: int = 0
    files: dict[Path, int] = field(default_factory=dict)


async def write_requests(
    batch: Batch,
    files: Sequence[LetterFile],
    paths: Sequence[Path],
    options: BatchOptions,
    *,
    limits: Limits = Limits(),
    again: bool = False,
    on_letter: OnLetter | None = None,
) -> WriteSummary:
    """Write the next questions about ``files``, found under ``paths``, into the book's folder.

    ``again`` also writes requests that are unanswered in older files. Files are written atomically,
    and each one written is in the book. Raises ``UsageError`` kinds if something cannot be written.
    """
    write = Write(batch.book.next_write(), options, tuple(paths))
    with _Parts(batch.book, write, limits) as parts:
        job = _Job(batch, parts, again)
        for file in files:
            for part, letter in letters_in(file, batch.plan.letter_type.starts):
                await job.one(part, letter, write.number)
                job.summary.letters += 1
                if on_letter:
                    on_letter(job.summary.letters)
    job.summary.files = parts.files
    return job.summary


class _Parts(AbstractContextManager["_Parts"]):
    """Request files, one after another. A file and its place in the book are kept together."""

    def __init__(self, book: Book, write: Write, limits: Limits) -> None:
        self._book, self._write, self._limits = book, write, limits
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._size = 0
        self._requests: list[Asked] = []
        self._letters: list[LetterRow] = []
        self.files: dict[Path, int] = {}
        self.all: set[Asked] = set()

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            self._end()
        else:
            self._stack.__exit__(*exc)  # type: ignore[arg-type]

    def letter(self, row: LetterRow) -> None:
        """A letter that some request, here or in an older file, asks about."""
        self._letters.append(row)

    def add(self, asked: Asked, line: bytes) -> bool:
        """Write one request; ``False`` if it alone is larger than a file may be."""
        if len(line) > self._limits.bytes:
            return False
        if len(self._requests) >= self._limits.requests or self._size + len(line) > self._limits.bytes:
            self._end()
        if self._file is None:
            self._number = self._book.next_file()
            self._path = self._book.folder / request_file(self._number)
            self._file = self._stack.enter_context(whole_file(self._path))
        self._file.write(line)
        self._size += len(line)
        self._requests.append(asked)
        self.all.add(asked)
        return True

    def _end(self) -> None:
        # First the file, then the book: a kill between them leaves a file that the next one replaces.
        file: NewFile | None = None
        if self._file is not None:
            self._stack.close()
            file = NewFile(self._number, self._size, self._requests)
            self.files[self._path] = len(self._requests)
        if file or self._letters:
            self._book.keep(self._write, self._letters, file)
        self._file, self._size, self._requests, self._letters = None, 0, [], []


@dataclass
class _Job:
    batch: Batch
    parts: _Parts
    again: bool
    summary: WriteSummary = field(default_factory=WriteSummary)

    async def one(self, file: LetterFile, letter: Letter | LetterError, write: int) -> None:
        plan, ledger, book = self.batch.plan, self.batch.ledger, self.batch.book
        if isinstance(letter, LetterError):
            keys = keys_of(f"unreadable {letter.code}", plan)
            if not ledger.is_done(file.id, keys):
                self.batch.keep(failed_record(file.id, plan, letter, source=source_of(file)), keys)
            self.summary.unreadable += 1
            return
        keys = keys_of(letter.sha256, plan)
        if ledger.is_done(letter.id, keys):
            self.summary.done += 1
            return
        row = LetterRow(letter.id, letter.sha256, keys.ask, write)
        replies = ledger.replies(keys)
        asked = Asked(keys.ask, len(replies) + 1)
        if asked in self.parts.all:
            self.parts.letter(row)
            self.summary.equal += 1
            return
        taken = await self.batch.step(letter, replies)
        if taken.question is None:
            assert taken.record is not None
            self.batch.keep(taken.record, taken.keys(keys))
            unasked = taken.record.error is not None and taken.record.error.code == UNRECOGNIZED
            self.summary.unrecognized += unasked
            self.summary.finished += not unasked
        elif not self.again and book.knows(asked) and book.error(asked) is None:
            self.parts.letter(row)
            self.summary.waiting += 1
        elif self.parts.add(asked, self.batch.wire.request(asked.custom_id, taken.question)):
            self.parts.letter(row)
            self.summary.written += 1
            self.summary.corrections += asked.number > 1
        else:
            self.summary.too_large += 1
