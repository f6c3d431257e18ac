"""The records of a run as it makes them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from extractor.errors import IncompleteRunError
from extractor.letters.letter import LetterFile
from extractor.loops import awaited, wait_for
from extractor.runs.bulk import Around, Options, Summary, run
from extractor.runs.ledger import LedgerView
from extractor.runs.plan import Plan
from extractor.runs.record import Record


class RecordStream:
    """The records of a run, one for each letter, in the order in which they are finished.

    Iterate over it with ``for`` or ``async for``, once. The run begins with the first record asked for. With a
    ``folder``, finished letters are kept there: they are not asked again, their records come first-hand from the
    folder, and a run that was cut short is continued. Leaving the loop early ends the run.

    ``summary`` holds the counts, when the run has ended. Raises ``IncompleteRunError`` at the end if letters are
    left that could not be asked about.
    """

    def __init__(
        self,
        files: Sequence[LetterFile],
        plan: Plan,
        folder: Path | None = None,
        *,
        options: Options,
        concurrency: int | None = None,
        around: Around | None = None,
    ) -> None:
        self.summary: Summary | None = None
        self._files, self._plan, self._around = files, plan, around
        self._folder, self._temporary = folder, folder is None
        self._options, self._concurrency = options, concurrency
        self._finished: asyncio.Queue[str | None] = asyncio.Queue()
        self._task: asyncio.Task[Summary] | None = None
        self._view: LedgerView | None = None

    def __iter__(self) -> Iterator[Record]:
        try:
            while (record := wait_for(self._next())) is not None:
                yield record
        finally:
            self.close()

    async def __aiter__(self) -> AsyncIterator[Record]:
        try:
            while (record := await awaited(self._next())) is not None:
                yield record
        finally:
            await awaited(self._close())

    def close(self) -> None:
        """End the run, if it is going on; what is finished stays in its folder."""
        wait_for(self._close())

    async def _next(self) -> Record | None:
        """The next record; ``None`` after the last."""
        if self._task is None:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="letterproof-"))
            self._task = asyncio.create_task(self._run(self._folder))
            self._task.add_done_callback(lambda _: self._finished.put_nowait(None))
        letter_id = await self._finished.get()
        if letter_id is not None:
            return self._record(letter_id)
        self._finished.put_nowait(None)
        self.summary = await self._task
        if self.summary.left:
            raise IncompleteRunError(self.summary.left, next(iter(self.summary.unanswered.values()), None))
        return None

    async def _run(self, folder: Path) -> Summary:
        options = replace(self._options, on_record=self._finished.put_nowait)
        return await run(
            self._files, self._plan, folder, concurrency=self._concurrency, options=options, around=self._around,
            on_progress=options.on_beat,
        )  # fmt: skip

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
