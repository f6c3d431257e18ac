"""Letters read before they are needed, in separate threads, so that a loop never waits for a file.

PDFs and scans are read by reader processes, and each thread that waits for one keeps it busy. Text takes
the interpreter itself, so one thread is enough for it, and its letters come in the order of the files. A text
never waits for a scan that was listed before it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from extractor.letters.formats.kinds import BY_SUFFIX, suffix_of
from extractor.letters.letter import Letter, LetterFile, Starts, letters_in
from extractor.letters.places.contents import place_of
from extractor.letters.workers.page_readers import PageReader, pages_read_by
from extractor.letters.workers.processes import MAX_WORKERS, Cancellation

# Letters read and not yet taken, for text and for everything else.
AHEAD = 8
_TEXTUAL = ("text", "docx", "html")
# How long a cancelled thread may take to end before it is abandoned, in seconds.
_LAST_WAIT = 0.2


class ReadLetter(NamedTuple):
    """One letter as it was read: ``file`` under the letter's own id, and the letter, or why there is none.

    ``number`` counts the letters of one file from 0; ``last`` marks its last one. An exception that is not a
    ``LetterError`` is a bug that this file triggered.
    """

    file: LetterFile
    letter: Letter | Exception
    number: int = 0
    last: bool = True


class ReadAhead:
    """The letters of ``files``, read by threads; at most ``ahead`` of a kind wait to be taken.

    PDF files and scans are read by ``reader``, ``side_by_side`` of them at a time. ``get`` belongs to one event
    loop. Leaving the context ends all threads and the reader processes they wait for.
    """

    def __init__(
        self,
        files: Sequence[LetterFile],
        starts: Starts | None = None,
        ahead: int = AHEAD,
        *,
        reader: PageReader | None = None,
        side_by_side: int = MAX_WORKERS,
    ) -> None:
        self._starts = starts
        self._reader = reader
        self._changed = threading.Condition()
        self._cancelled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiter: asyncio.Future[None] | None = None
        # Scans first: while one is taken, its reader begins the next.
        self._lanes = (
            _Lane(files, textual=False, most=side_by_side, ahead=ahead),
            _Lane(files, textual=True, most=1, ahead=ahead),
        )
        # Files with some letters taken and others not.
        self._partial: set[LetterFile] = set()

    def __enter__(self) -> ReadAhead:
        for lane in self._lanes:
            self._add_thread(lane)
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()
        end = time.monotonic() + _LAST_WAIT
        for lane in self._lanes:
            for thread in lane.threads:
                thread.join(max(0.0, end - time.monotonic()))

    async def get(self) -> ReadLetter | None:
        """The next letter, in the order in which they are ready; ``None`` after the last, and after ``cancel``."""
        self._loop = asyncio.get_running_loop()
        while True:
            with self._changed:
                if self._cancelled:
                    return None
                for lane in self._lanes:
                    if lane.ready:
                        return self._take(lane)
                if not any(lane.running for lane in self._lanes):
                    return None
                self._waiter = self._loop.create_future()
            await self._waiter

    def cancel(self) -> None:
        """Read no more, and end the reader processes that are at work. ``get`` gives ``None`` from now on."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()
            self._wake()
            cancellations = [each for lane in self._lanes for each in lane.cancellations]
        for each in cancellations:
            each.cancel()

    @property
    def reading(self) -> int:
        """How many files are being read that are not text."""
        return len(self._lanes[0].in_hand)

    @property
    def partial(self) -> int:
        """How many files hold letters that were not taken, beside others that were."""
        return len(self._partial)

    def untaken(self) -> Iterator[LetterFile]:
        """What was not taken, to be called after ``cancel``: letters that are ready, then files."""
        for lane in reversed(self._lanes):
            with self._changed:
                held = [*(each.file for _, each in lane.ready), *lane.in_hand.values()]
            yield from held
        for lane in reversed(self._lanes):
            with lane.lock:
                yield from (file for file in lane.files if _is_textual(file) == lane.textual)

    # ---- the loop's side -------------------------------------------------------------------------

    def _take(self, lane: _Lane) -> ReadLetter:
        source, letter = lane.ready.popleft()
        if len(lane.ready) == lane.ahead // 2:
            self._changed.notify_all()
        if letter.last:
            self._partial.discard(source)
        else:
            self._partial.add(source)
        return letter

    # ---- the threads' side -----------------------------------------------------------------------

    def _add_thread(self, lane: _Lane) -> None:
        """Another thread for a lane that has room for one."""
        with self._changed:
            if self._cancelled or len(lane.threads) == lane.most:
                return
            cancellation = Cancellation()
            # A daemon: a file that takes long to read must not keep the process from ending.
            thread = threading.Thread(target=self._work, args=(lane, cancellation), name="letter-reader", daemon=True)
            lane.threads.append(thread)
            lane.cancellations.append(cancellation)
            lane.running += 1
        thread.start()

    def _work(self, lane: _Lane, cancellation: Cancellation) -> None:
        try:
            with cancellation.covers_this_thread(), pages_read_by(self._reader):
                while not self._cancelled and (file := self._next_file(lane)) is not None:
                    if not self._read(lane, file):
                        return
        finally:
            with self._changed:
                lane.running -= 1
                self._wake()

    def _next_file(self, lane: _Lane) -> LetterFile | None:
        with lane.lock:
            file = None
            for each in lane.files:
                if _is_textual(each) == lane.textual:
                    file = each
                    break
                # There may be many that are not for this lane.
                if self._cancelled:
                    return None
        if file is not None:
            with self._changed:
                lane.in_hand[threading.get_ident()] = file
            self._add_thread(lane)
        return file

    def _read(self, lane: _Lane, file: LetterFile) -> bool:
        """Put every letter of one file where it can be taken; whether to continue."""
        for letter in _letters_of(file, self._starts):
            with self._changed:
                if len(lane.ready) >= lane.ahead:
                    self._changed.wait_for(lambda: self._cancelled or len(lane.ready) <= lane.ahead // 2)
                if self._cancelled:
                    return False
                lane.ready.append((file, letter))
                if letter.last:
                    del lane.in_hand[threading.get_ident()]
                self._wake()
        with self._changed:
            lane.in_hand.pop(threading.get_ident(), None)
        return True

    def _wake(self) -> None:
        """Let the loop look again, if it waits. The condition must be held."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_finish, waiter)


class _Lane:
    """Files of one kind, at most ``most`` threads that read them, and what they have read."""

    def __init__(self, files: Sequence[LetterFile], *, textual: bool, most: int, ahead: int) -> None:
        # Each lane goes through the whole list for itself: so none of it is kept.
        self.files = iter(files)
        self.textual = textual
        self.most = most
        self.ahead = ahead
        self.lock = threading.Lock()
        self.threads: list[threading.Thread] = []
        self.cancellations: list[Cancellation] = []
        self.running = 0
        self.in_hand: dict[int, LetterFile] = {}
        self.ready: deque[tuple[LetterFile, ReadLetter]] = deque()


def _is_textual(file: LetterFile) -> bool:
    """Whether reading a file takes no process; by its name, because its bytes are not read yet."""
    places = (place_of(file), *file.rest)
    return all(BY_SUFFIX.get(suffix_of(place.name)) in _TEXTUAL for place in places)


def _letters_of(file: LetterFile, starts: Starts | None) -> Iterator[ReadLetter]:
    """Every letter of one file. Each waits for the next, so that the last one is known as such."""
    before: ReadLetter | None = None
    for number, (found, letter) in enumerate(_guarded(file, starts)):
        if before is not None:
            yield before
        before = ReadLetter(found, letter, number, last=False)
    if before is not None:
        yield before._replace(last=True)


def _guarded(file: LetterFile, starts: Starts | None) -> Iterator[tuple[LetterFile, Letter | Exception]]:
    try:
        yield from letters_in(file, starts)
    except Exception as error:  # a defect met by reading one file must not cost the others
        yield file, error


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
