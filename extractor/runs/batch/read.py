"""Read result files: store every answer in the ledger, then take each letter as far as its answers allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractor.errors import LetterError, ModelError, TransportError, UsageError
from extractor.letters.letter import Letter, LetterFile, LetterIndex, Starts, find_letters, letter_in
from extractor.runs.batch.book import Asked, Book, LetterRow
from extractor.runs.batch.results import FOREIGN, lines_of
from extractor.runs.batch.steps import Batch
from extractor.runs.ledger import Keys, keys_of

OnLetter = Callable[[int], None]


@dataclass
class ReadSummary:
    """Counts of result lines, and of the letters in the batch files.

    Lines: new ``answers``; ``doubled`` (answered before), ``errors`` by code, ``faults`` by kind.
    Letters that have no final record: ``unanswered``; ``failed`` by code, to be asked again;
    ``corrections``, whose answer is kept with findings that go back to the model; ``changed`` since
    they were asked; ``gone``; ``other``, asked with another prompt, schema or setting than now.
    """

    lines: int = 0
    answers: int = 0
    doubled: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    letters: int = 0
    records: int = 0
    unanswered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    corrections: int = 0
    changed: int = 0
    gone: int = 0
    other: int = 0

    @property
    def left(self) -> int:
        """Letters whose final record is still to come."""
        waiting = self.unanswered + self.failed.total() + self.corrections
        return waiting + self.changed + self.gone + self.other


async def read_results(
    batch: Batch,
    results: Iterable[Path],
    *,
    letters: Sequence[Path] | None = None,
    on_letter: OnLetter | None = None,
) -> ReadSummary:
    """Take result files into the run: the ledger, and ``records.jsonl`` beside it.

    ``letters``: where the letters are now, if not where ``write`` found them. Reading a file again
    changes nothing. Raises ``UsageError`` kinds for a file that cannot be read or written.
    """
    job = _Job(batch)
    for path in results:
        job.take(path)
    finder = _Finder(batch.book, letters, batch.plan.letter_type.starts)
    for row in batch.book.letters():
        await job.settle(row, finder)
        job.summary.letters += 1
        if on_letter:
            on_letter(job.summary.letters)
    return job.summary


class _Finder:
    """Where the letters are, found once for each ``write``."""

    def __init__(self, book: Book, named: Sequence[Path] | None, starts: Starts | None) -> None:
        self._book = book
        self._named = named
        self._starts = starts
        self._write: int | None = None
        self._found = LetterIndex(())

    def file(self, row: LetterRow) -> LetterFile | None:
        write = 0 if self._named else row.write
        if self._write != write:
            self._write = write
            try:
                files = find_letters(self._named or self._book.paths(write))
            except UsageError as error:
                hint = "name where the letters are now: --letters PATH; the answers are kept"
                raise UsageError(error.message, hint=hint) from error
            self._found = LetterIndex(files, self._starts)
        return self._found.get(row.id)


@dataclass
class _Job:
    batch: Batch
    summary: ReadSummary = field(default_factory=ReadSummary)
    # Keys of questions answered just now: a record that a failure made before is made again.
    fresh: set[str] = field(default_factory=set)

    # ---- lines ----------------------------------------------------------------------------------

    def take(self, path: Path) -> None:
        """Store the replies in the lines of one file."""
        for line in lines_of(path):
            self.summary.lines += 1
            if line.asked is None:
                self.summary.faults[line.fault] += 1
            elif not self.batch.book.knows(line.asked):
                self.summary.faults[FOREIGN] += 1
            else:
                self._keep(line.asked, line.response, line.error)

    def _keep(self, asked: Asked, response: object, error: object) -> None:
        keys = Keys(asked.key, "")
        answered = len(self.batch.ledger.replies(keys))
        if answered >= asked.number:
            self.summary.doubled += 1
            return
        try:
            reply = self.batch.wire.reply(response, error)
        except ModelError as failure:
            self.summary.errors[failure.code] += 1
            self.batch.book.set_error(asked, failure)
            return
        if answered < asked.number - 1:
            # An answer to a correction of an answer that the ledger has not: another ledger's.
            self.summary.faults[FOREIGN] += 1
            return
        self.batch.ledger.store_reply(keys, reply)
        self.fresh.add(asked.key)
        self.summary.answers += 1

    # ---- letters --------------------------------------------------------------------------------

    async def settle(self, row: LetterRow, finder: _Finder) -> None:
        """One letter's record, if its answers make one, or why it has none."""
        keys = keys_of(row.sha256, self.batch.plan)
        if keys.ask != row.ask_key:
            self.summary.other += 1
            return
        if keys.ask not in self.fresh and self.batch.ledger.is_done(row.id, keys):
            self.batch.ledger.handled(row.id)
            self.summary.records += 1
            return
        replies = self.batch.ledger.replies(keys)
        failure = self.batch.book.error(Asked(keys.ask, len(replies) + 1))
        again = isinstance(failure, TransportError)
        if not replies and (failure is None or again):
            self._unanswered(failure)
            return
        letter = self._letter(row, finder)
        if letter is None:
            return
        taken = await self.batch.step(letter, replies, None if again else failure)
        if taken.record is not None:
            self.batch.keep(taken.record, taken.keys(keys))
        if taken.final or taken.crashed:
            self.summary.records += 1
        else:
            self.summary.corrections += 1

    def _unanswered(self, failure: ModelError | None) -> None:
        if failure is None:
            self.summary.unanswered += 1
        else:
            self.summary.failed[failure.code] += 1

    def _letter(self, row: LetterRow, finder: _Finder) -> Letter | None:
        """The letter as it was asked about, or ``None``, counted."""
        file = finder.file(row)
        try:
            letter = letter_in(file) if file else None
        except LetterError:
            letter = None
        if letter is None:
            self.summary.gone += 1
        elif letter.sha256 != row.sha256:
            self.summary.changed += 1
        else:
            return letter
        return None
