"""The way of many letters: read, ask, keep; stopping at any moment; going on where it stopped."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from extractor.errors import (
    CassetteError,
    ExtractorError,
    LedgerError,
    LetterError,
    StoppedError,
    TransportError,
    UsageError,
)
from extractor.letters.letter import Letter, LetterFile, letters_in
from extractor.models.limits import Bounds, Limited, Limiter
from extractor.models.model import Reply
from extractor.runs.bulk.garbage import rarely_searched
from extractor.runs.bulk.output import Output
from extractor.runs.bulk.summary import GIVE_UP_AFTER, Summary
from extractor.runs.ledger import Keys, Ledger, Standing, is_again, keeps_replies, keys_of, plan_key
from extractor.runs.ledger.beside import refuse_foreign_records
from extractor.runs.pipeline import extract
from extractor.runs.record import Plan, failed_record

# Opened around the asking of one letter, given its file and the hash of its text: its cassette.
Around = Callable[[LetterFile, str], AbstractContextManager[Any]]
OnProgress = Callable[[Summary], None]

# Every so often the run says how it stands: to the screen, and every few times to the ledger (s).
_BEAT = 0.5
_TELL_EVERY = 2.0
# What is true of one letter is true of all.
_HOPELESS = frozenset({"auth", "forbidden", "quota", "unknown_model", "moved"})
# Of a file whose reading met a defect.
_CRASH = Keys("crash", "")
_SHOWN = 20
_NAMED = 5


@dataclass(frozen=True)
class Options:
    """How a run goes about it.

    ``again``: which finished letters are asked anew, one of ``ledger.AGAIN``. ``only``: letters whose
    record has this status; of files that hold several letters, the others are left out. ``bounds``: how many in
    flight, how many calls and tokens a minute. ``max_cost`` in USD of this run's answers, ``max_minutes``,
    ``max_failures``: where it stops. ``told`` goes into what the ledger tells of the run. ``on_beat`` is
    called twice a second, also while every call waits.
    """

    again: str = "nothing"
    only: str | None = None
    bounds: Bounds = field(default_factory=Bounds)
    max_cost: Decimal | None = None
    max_minutes: float | None = None
    max_failures: int | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    on_beat: OnProgress | None = None


async def run(
    files: Sequence[LetterFile],
    plan: Plan,
    folder: Path,
    *,
    concurrency: int | None = None,
    options: Options = Options(),
    around: Around | None = None,
    on_progress: OnProgress | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> Summary:
    """Extract every letter into ``folder``: ``records.jsonl`` and the ledger ``run.db``.

    Letters that are done and unchanged are skipped; letters with equal text are asked once. How many
    are in flight is found within ``options.bounds``, or fixed by ``concurrency``. The first interrupt
    lets the letters in flight finish without retries, the second stops at once. Raises ``UsageError``
    for what would fail for every letter, e.g. ``LedgerError`` if the folder cannot be used.
    """
    refuse_foreign_records(folder)
    summary = Summary(total=len(files))
    limiter = _limiter(plan, options.bounds, concurrency, taped=around is not None)
    with Ledger(folder) as ledger:
        since = ledger.begin(plan_key(plan), options.again, {**options.told, **summary.state()})
        job = _Job(plan, options, ledger, summary, limiter, since, around, on_progress)
        with Output(folder, ledger) as output, _graceful_interrupt(job, on_interrupt), rarely_searched():
            job.output = output
            await _work_off(job, files)
        job.conclude()
    return summary


def _limiter(plan: Plan, bounds: Bounds, concurrency: int | None, *, taped: bool) -> Limiter | None:
    """What holds letters and calls back; ``None`` where there is nothing to wait for."""
    if not keeps_replies(plan):
        return None
    if concurrency is not None:
        bounds = replace(bounds, low=concurrency, high=concurrency)
    # Recordings tell the limits of the day they were made.
    limited = isinstance(plan.model, Limited) and not taped
    limiter = Limiter(bounds, alone=limited)
    if limited:
        plan.model.limiter = limiter  # type: ignore[attr-defined]
    return limiter


async def _work_off(job: _Job, files: Sequence[LetterFile]) -> None:
    beat = asyncio.create_task(job.beat())
    alarm = None
    if job.options.max_minutes is not None:
        alarm = asyncio.get_running_loop().call_later(60 * job.options.max_minutes, job.stop, "max_minutes")
    waiting = iter(files)
    try:
        if job.limiter is None:
            await _one_by_one(job, waiting)
        else:
            await _side_by_side(job, waiting, job.limiter)
    except ExceptionGroup as failures:
        # What stops one letter stops them all; the first says why.
        raise failures.exceptions[0] from None
    finally:
        beat.cancel()
        if alarm:
            alarm.cancel()
    job.left(waiting)
    if job.broken:
        raise job.broken


async def _one_by_one(job: _Job, waiting: Iterator[LetterFile]) -> None:
    """Nothing is waited for, so nothing is gained by more than one."""
    for file in waiting:
        await job.one(file)
        # Signals and clocks get their turn.
        await asyncio.sleep(0)
        if job.stopping:
            return


async def _side_by_side(job: _Job, waiting: Iterator[LetterFile], limiter: Limiter) -> None:
    async with asyncio.TaskGroup() as letters:
        for file in waiting:
            await limiter.slot()
            if job.stopping:
                job.left([file])
                return
            letters.create_task(job.one(file))


@dataclass
class _Job:
    plan: Plan
    options: Options
    ledger: Ledger
    summary: Summary
    limiter: Limiter | None
    since: int
    around: Around | None
    on_progress: OnProgress | None
    output: Output = field(init=False)
    stopping: bool = False
    broken: LedgerError | None = None
    failures_in_a_row: int = 0
    # One lock for each question under way: an equal letter waits for the first one's stored reply.
    asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    # ---- one letter ------------------------------------------------------------------------------

    async def one(self, file: LetterFile) -> None:
        """The letters of one file, mostly one, whatever happens to them."""
        try:
            await self._parts(file)
        except LedgerError as error:
            # The others in flight are paid for: each may try to be kept.
            self.broken = self.broken or error
            self.stop("ledger")
        finally:
            if self.limiter:
                self.limiter.release()
        self._keep_within_bounds()
        if self.on_progress:
            self.on_progress(self.summary)

    async def _parts(self, file: LetterFile) -> None:
        parts = letters_in(file, self.plan.letter_type.starts)
        for number in count():
            try:
                part, found = next(parts, (None, None))
            except Exception as error:  # a defect met by reading one file must not cost the others
                self._keep(*self._crashed(file.id, error), self.ledger.standing(file.id))
                return
            if part is None or found is None:
                return
            self.summary.total += number > 0
            if self.stopping and number:
                self._name(part.id)
            else:
                await self._do(part, found)

    async def _do(self, file: LetterFile, letter: Letter | LetterError) -> None:
        before = self.ledger.standing(file.id)
        if self.options.only and (before is None or before.status != self.options.only):
            self.summary.total -= 1
            return
        if isinstance(letter, LetterError):
            keys = keys_of(f"unreadable {letter.code}", self.plan)
            if not self._is_done(file.id, before, keys):
                self._keep(failed_record(file.id, self.plan, letter), keys, before)
            return
        keys = keys_of(letter.sha256, self.plan)
        if self._is_done(file.id, before, keys):
            return
        try:
            record = await self._ask(file, letter, keys, self.since if self._again(before) else 0)
        except UsageError:
            raise
        except (TransportError, CassetteError) as error:
            self._unanswered(file.id, error)
            return
        except StoppedError:
            self._name(file.id)
            return
        except OSError as error:
            raise LedgerError(f"cannot write {self.output.path.parent}: {error.strerror}") from error
        except Exception as error:  # a defect met by one letter must not cost the others
            record, keys = self._crashed(file.id, error, letter.sha256, keys)
        self.failures_in_a_row = 0
        self._keep(record, keys, before)

    def _crashed(
        self, letter_id: str, error: Exception, letter_sha256: str | None = None, keys: Keys = _CRASH
    ) -> tuple[dict[str, Any], Keys]:
        """The record of a letter that met a defect. Not done: a later version, or another try, may get it right."""
        crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
        return failed_record(letter_id, self.plan, crash, letter_sha256), Keys(keys.ask, "")

    def _is_done(self, letter_id: str, before: Standing | None, keys: Keys) -> bool:
        if before is None or before.check_key != keys.check or self._again(before):
            return False
        self.ledger.handled(letter_id)
        self.summary.skipped += 1
        self.summary.before[before.status] += 1
        return True

    def _again(self, before: Standing | None) -> bool:
        return is_again(before, self.options.again, self.since)

    async def _ask(self, file: LetterFile, letter: Letter, keys: Keys, since: int) -> dict[str, Any]:
        if not keeps_replies(self.plan):
            return await extract(letter, self.plan)

        asked = False

        def on_reply(reply: Reply) -> None:
            nonlocal asked
            self.summary.asked += not asked
            asked = True
            self.ledger.store_reply(keys, reply, since)
            self.summary.paid(reply, self.plan.tariff.cost(reply.usage))

        lock = self.asking.setdefault(keys.ask, asyncio.Lock())
        async with lock:
            with self.around(file, letter.sha256) if self.around else nullcontext():
                return await extract(letter, self.plan, stored=self.ledger.replies(keys, since), on_reply=on_reply)

    def _keep(self, record: dict[str, Any], keys: Keys, before: Standing | None) -> None:
        line = self.ledger.store_record(record, keys)
        self.output.add(record["letter_id"], line, replaces=before is not None)
        self.summary.statuses[record["status"]] += 1

    def _unanswered(self, letter_id: str, error: ExtractorError) -> None:
        self.summary.unanswered[letter_id] = error
        self._name(letter_id)
        if isinstance(error, TransportError):
            self.failures_in_a_row += 1
            if self.failures_in_a_row >= GIVE_UP_AFTER or error.code in _HOPELESS:
                self.stop("endpoint")

    # ---- the run as a whole ----------------------------------------------------------------------

    def stop(self, why: str) -> None:
        """Begin no more letters; those in flight finish, without retries."""
        if self.stopping:
            return
        self.stopping = True
        self.summary.stopped = why
        self.plan.model.stop_retrying()
        if self.limiter:
            self.limiter.stop()

    def left(self, files: Sequence[LetterFile] | Iterator[LetterFile]) -> None:
        """Name the first of the letters that were not begun."""
        for file in files:
            if len(self.summary.next_letters) >= _NAMED:
                return
            self._name(file.id)

    def _name(self, letter_id: str) -> None:
        if len(self.summary.next_letters) < _NAMED:
            self.summary.next_letters.append(letter_id)

    def _keep_within_bounds(self) -> None:
        options, summary = self.options, self.summary
        if options.max_failures is not None and summary.failures >= options.max_failures:
            self.stop("max_failures")
        if options.max_cost is None:
            return
        if summary.unpriced:
            self.stop("cost_unknown")
        # What is in flight will cost about what a letter has cost so far, and so will the next one.
        more = 1 + (self.limiter.active if self.limiter else 0)
        if summary.asked and summary.usd + summary.usd / summary.asked * more > options.max_cost:
            self.stop("max_cost")

    async def beat(self) -> None:
        """Say how the run stands, also while every call waits."""
        told = 0.0
        while True:
            await asyncio.sleep(_BEAT)
            self._look()
            if self.options.on_beat:
                self.options.on_beat(self.summary)
            if time.monotonic() - told >= _TELL_EVERY:
                told = time.monotonic()
                try:
                    self.ledger.tell({**self.options.told, **self.summary.state()})
                except LedgerError as error:
                    self.broken = self.broken or error
                    self.stop("ledger")

    def _look(self) -> None:
        self.summary.tick()
        if self.limiter:
            self.summary.in_flight, self.summary.window = self.limiter.active, self.limiter.limit
            self.summary.refusals, self.summary.held = self.limiter.refusals, self.limiter.held
            rate = self.limiter.pace.rate
            self.summary.per_minute = None if rate is None else 60 * rate

    def conclude(self) -> None:
        """All that the report needs of the ledger."""
        self._look()
        summary = self.summary
        summary.in_flight = 0
        summary.counts, summary.totals = self.ledger.handled_counts(), self.ledger.handled_totals()
        summary.doubled = self.ledger.handled_doubled()
        summary.first = self.ledger.handled_records(_SHOWN)
        summary.odd_cost = self.ledger.unpriced() if summary.totals.unpriced else None
        self.ledger.tell({**self.options.told, **summary.state()}, ended=True)


@contextmanager
def _graceful_interrupt(job: _Job, on_interrupt: Callable[[], None] | None) -> Iterator[None]:
    """First Ctrl-C, or a request to end: begin no more letters. Second: stop at once (the default handler raises)."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        job.summary.interrupted = True
        job.stop("interrupted")
        if on_interrupt:
            on_interrupt()
        for each in signals:
            loop.remove_signal_handler(each)

    try:
        for each in signals:
            loop.add_signal_handler(each, stop)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or no signals here
        yield
        return
    try:
        yield
    finally:
        for each in signals:
            with suppress(ValueError):
                loop.remove_signal_handler(each)
