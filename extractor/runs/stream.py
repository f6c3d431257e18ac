"""The records of a run as it makes them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from extractor.errors import IncompleteRunError, UsageError
from extractor.letters.letter import LetterFile
from extractor.loops import awaited, run_here, wait_for
from extractor.models.limits import MOST_IN_FLIGHT
from extractor.runs.bill import Bill
from extractor.runs.bulk import Around, Options, Summary, refuse_unknown_prices, run
from extractor.runs.ledger import LedgerView
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.settings import require_whole


@dataclass(frozen=True)
class Asking:
    """An open plan, and what is opened around the asking of each letter: its cassette, if answers are replayed."""

    plan: Plan
    around: Around | None = None


class RecordStream:
    """The records of a run, one for each letter, in the order in which they are finished.

    Iterate over it with ``for`` or ``async for``, once, or call ``finish`` for the counts alone. The run begins with
    the first record asked for. With a
    ``folder``, finished letters are kept there: they are not asked again, their records come first-hand from the
    folder, and a run that was cut short is continued. Leaving the loop early ends the run.

    ``summary`` holds the counts, and is ``None`` before the run has ended. Raises ``IncompleteRunError`` at the
    end if letters are left that could not be asked about, and ``UsageError`` for a second iteration.
    """

    def __init__(
        self,
        files: Sequence[LetterFile],
        shared: Callable[[], Asking],
        own: Callable[[], Asking],
        folder: Path | None = None,
        *,
        options: Options,
        concurrency: int | None = None,
    ) -> None:
        require_whole("concurrency", concurrency, 1, MOST_IN_FLIGHT)
        self.summary: Summary | None = None
        self._files, self._shared, self._own = files, shared, own
        self._folder, self._temporary = folder, folder is None
        self._options, self._concurrency = options, concurrency
        self._finished: asyncio.Queue[str | None] = asyncio.Queue()
        self._asking: Asking | None = None
        self._task: asyncio.Task[Summary] | None = None
        self._view: LedgerView | None = None
        self._iterated = False

    def __iter__(self) -> Iterator[Record]:
        self._begin()
        return self._records()

    def __aiter__(self) -> AsyncIterator[Record]:
        self._begin()
        return self._records_async()

    def _begin(self) -> None:
        if self._iterated:
            raise UsageError(
                "the records of a run can be iterated over once",
                hint="keep them in a list; or run again with the same folder: its finished letters are not asked again",
            )
        self._iterated = True

    def _records(self) -> Iterator[Record]:
        try:
            while (record := wait_for(self._next())) is not None:
                yield record
        finally:
            self.close()

    async def _records_async(self) -> AsyncIterator[Record]:
        try:
            while (record := await awaited(self._next())) is not None:
                yield record
        finally:
            await awaited(self._close())

    def close(self) -> None:
        """End the run, if it is going on; what is finished stays in its folder."""
        wait_for(self._close())

    def finish(self, on_interrupt: Callable[[], None] | None = None) -> Summary:
        """Run to the end and give the counts; the records are in the folder.

        Letters that are left are counted and raise nothing. In the main thread the first interrupt lets the letters
        in flight finish, after a call of ``on_interrupt``; the second cancels them. The run has connections of its
        own. Raises ``UsageError`` without a folder, and for what would fail for every letter.
        """
        if self._temporary:
            raise UsageError("a run without a folder keeps no records", hint="name a folder, or iterate over the run")
        self.summary = run_here(self._finish(on_interrupt))
        return self.summary

    async def _finish(self, on_interrupt: Callable[[], None] | None) -> Summary:
        assert self._folder is not None
        asking = self._asking = self._own()
        try:
            return await self._run(self._folder, asking, self._options, on_interrupt)
        finally:
            await asking.plan.aclose()

    async def _next(self) -> Record | None:
        """The next record; ``None`` after the last."""
        if self._task is None:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="letterproof-"))
            self._asking = self._shared()
            options = replace(self._options, on_record=self._finished.put_nowait)
            self._task = asyncio.create_task(self._run(self._folder, self._asking, options))
            self._task.add_done_callback(lambda _: self._finished.put_nowait(None))
        letter_id = await self._finished.get()
        if letter_id is not None:
            return self._record(letter_id)
        self._finished.put_nowait(None)
        self.summary = await self._task
        if self.summary.left:
            raise IncompleteRunError(self.summary.left, next(iter(self.summary.unanswered.values()), None))
        return None

    def bill(self) -> Bill:
        """What the letters took and cost, whenever they were paid for; of a run that has ended."""
        if self._asking is None or self.summary is None:
            raise UsageError("the run has not finished", hint="iterate to its end, or call finish")
        bill = Bill(self._asking.plan, self._asking.around is not None)
        bill.take(self.summary.totals, self.summary.odd_cost)
        return bill

    async def _run(
        self, folder: Path, asking: Asking, options: Options, on_interrupt: Callable[[], None] | None = None
    ) -> Summary:
        if options.max_cost is not None:
            refuse_unknown_prices(asking.plan)
        return await run(
            self._files,
            asking.plan,
            folder,
            concurrency=self._concurrency,
            options=options,
            around=asking.around,
            on_progress=options.on_beat,
            on_interrupt=on_interrupt,
        )

    def _record(self, letter_id: str) -> Record | None:
        assert self._folder is not None
        self._view = self._view or LedgerView(self._folder)
        return self._view.record(letter_id)

    async def _close(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._view is not None:
            self._view.close()
            self._view = None
        if self._temporary and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
