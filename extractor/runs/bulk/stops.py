"""What ends a run from outside: interrupts, its deadline, and an endpoint that only refuses."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from extractor.models.limits import Limiter
from extractor.runs.bulk.job import Job

# How often the run reports its state: to the screen, and to the ledger (s).
_BEAT = 0.5
_LEDGER_EVERY = 2.0


@contextmanager
def interruptible(job: Job, on_interrupt: Callable[[], None] | None) -> Iterator[None]:
    """First Ctrl-C, or a request to end: begin no more letters. Second: cancel those in flight.

    A third one is the default handler's.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt() -> None:
        if job.summary.interrupted:
            job.cancel()
            remove()
            return
        job.summary.interrupted = True
        job.stop("interrupted")
        if on_interrupt:
            on_interrupt()

    def remove() -> None:
        for each in signals:
            with suppress(ValueError):
                loop.remove_signal_handler(each)

    try:
        for each in signals:
            loop.add_signal_handler(each, interrupt)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or no signals here
        yield
        return
    try:
        yield
    finally:
        remove()


@contextmanager
def deadline(job: Job) -> Iterator[None]:
    """After ``max_minutes`` begin no more letters; ``grace`` seconds later cancel those in flight."""
    if job.options.max_minutes is None:
        yield
        return
    loop = asyncio.get_running_loop()
    seconds = 60 * job.options.max_minutes
    alarms = [
        loop.call_later(seconds, job.stop, "max_minutes"),
        loop.call_later(seconds + job.options.grace, job.cancel),
    ]
    try:
        yield
    finally:
        for alarm in alarms:
            alarm.cancel()


@contextmanager
def beating(job: Job) -> Iterator[None]:
    """Report the run's state twice a second, also while every call waits, and watch the endpoint."""
    beat = asyncio.get_running_loop().create_task(_beat(job))
    try:
        yield
    finally:
        beat.cancel()


async def _beat(job: Job) -> None:
    refusals = Refusals(job.limiter) if job.limiter else None
    reported = 0.0
    while True:
        await asyncio.sleep(_BEAT)
        job.look()
        now = time.monotonic()
        if refusals and refusals.seconds(now) > job.options.refused_for:
            job.stop("refused")
        if job.options.on_beat:
            job.options.on_beat(job.summary)
        if now - reported >= _LEDGER_EVERY:
            reported = now
            with job.keeping():
                job.report()


class Refusals:
    """How long an endpoint has done nothing but refuse."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._answer = limiter.last_answer
        self._count = limiter.refusals
        self._since: float | None = None

    def seconds(self, now: float) -> float:
        """Since the first refusal after the last answer; to be called often. 0 if there was none."""
        if self._limiter.last_answer != self._answer:
            self._answer, self._count, self._since = self._limiter.last_answer, self._limiter.refusals, None
        elif self._since is None and self._limiter.refusals > self._count:
            self._since = now
        return 0.0 if self._since is None else now - self._since
