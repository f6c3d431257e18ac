"""Many letters: read ahead, ask, keep; stop at any moment and resume there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from extractor.letters.letter import LetterFile
from extractor.letters.read_ahead import ReadAhead
from extractor.letters.workers.engines import opened_engine
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.models.limits import Bounds, Limited, Limiter
from extractor.runs.bulk.collector import infrequent_collection
from extractor.runs.bulk.job import Job
from extractor.runs.bulk.options import Around, OnProgress, Options
from extractor.runs.bulk.output import Output
from extractor.runs.bulk.stops import beating, deadline, interruptible
from extractor.runs.bulk.summary import Summary
from extractor.runs.ledger import Ledger, keeps_replies, plan_key
from extractor.runs.ledger.beside import refuse_foreign_records
from extractor.runs.plan import Plan

_DEFAULTS = Options()


async def run(
    files: Sequence[LetterFile],
    plan: Plan,
    folder: Path,
    *,
    concurrency: int | None = None,
    options: Options = _DEFAULTS,
    around: Around | None = None,
    on_progress: OnProgress | None = None,
    on_interrupt: Callable[[], None] | None = None,
) -> Summary:
    """Extract every letter into ``folder``: ``records.jsonl``, the ledger ``run.db`` and the cache ``readings``.

    Letters that are done and unchanged are skipped; letters with equal text are asked once. The
    number in flight adapts within ``options.bounds``, or is fixed by ``concurrency``. Files are read ahead of the
    asking, in threads. The first interrupt lets the letters in flight finish without retries, the second cancels
    them. Raises ``UsageError`` for what would fail for every letter, e.g. ``LedgerError`` if the folder cannot be
    used.
    """
    refuse_foreign_records(folder)
    if not options.ask_unrecognized:
        plan = plan.recognized_only()
    summary = Summary(total=len(files))
    taped = around is not None
    limiter = _limiter(plan, options.bounds, concurrency, taped=taped)
    second_limiter = _second_limiter(plan, options.bounds, taped=taped)
    with opened_engine(options.engine, options.scheduler) as engine, Ledger(folder) as ledger:
        since = ledger.begin(plan_key(plan), options.again, {**options.labels, **summary.state()})
        reader = ReadingCache(folder / FOLDER, engine.reader)
        reading = ReadAhead(files, plan.starts, reader=reader, side_by_side=engine.side_by_side)
        job = Job(plan, options, ledger, summary, limiter, reading, since, around, on_progress, second_limiter)
        with Output(folder, ledger) as output, infrequent_collection():
            job.output = output
            await _work_off(job, on_interrupt)
        job.conclude()
    return summary


def _limiter(plan: Plan, bounds: Bounds, concurrency: int | None, *, taped: bool) -> Limiter | None:
    """What holds letters and calls back; ``None`` where there is nothing to wait for."""
    if not keeps_replies(plan):
        return None
    if concurrency is not None:
        bounds = replace(bounds, low=concurrency, high=concurrency)
    # Recordings have the limits of the day they were made.
    limited = isinstance(plan.model, Limited) and not taped
    limiter = Limiter(bounds, alone=limited)
    if limited:
        plan.model.limiter = limiter  # type: ignore[attr-defined]
    return limiter


def _second_limiter(plan: Plan, bounds: Bounds, *, taped: bool) -> Limiter | None:
    """What holds calls to the second model back: its endpoint has limits of its own."""
    if plan.second is None or taped or not isinstance(plan.second.model, Limited):
        return None
    plan.second.model.limiter = Limiter(bounds, alone=False)
    return plan.second.model.limiter


async def _work_off(job: Job, on_interrupt: Callable[[], None] | None) -> None:
    try:
        with ExitStack() as stack:
            stack.enter_context(interruptible(job, on_interrupt))
            stack.enter_context(beating(job))
            stack.enter_context(deadline(job))
            stack.enter_context(job.reading)
            if job.limiter is None:
                await _one_by_one(job)
            else:
                await _side_by_side(job, job.limiter)
    except ExceptionGroup as failures:
        # What stops one letter stops them all; the first gives the reason.
        raise failures.exceptions[0] from None
    if job.stopping:
        job.count_unread()
    if job.broken:
        raise job.broken


async def _one_by_one(job: Job) -> None:
    """Without a model nothing is waited for but reading, so nothing is gained by more than one."""
    while (read := await job.reading.get()) is not None:
        with job.keeping():
            if started := job.begin(read):
                await job.finish(started)
        job.progress()
        # Let signals and timers run.
        await asyncio.sleep(0)


async def _side_by_side(job: Job, limiter: Limiter) -> None:
    async with asyncio.TaskGroup() as letters:
        while (read := await job.reading.get()) is not None:
            with job.keeping():
                started = job.begin(read)
            if started is None:
                job.progress()
                await asyncio.sleep(0)
                continue
            await limiter.slot()
            if job.stopping or not await job.affords(started):
                limiter.release()
                job.name(started.file.id)
                return
            task = letters.create_task(job.finish_in_slot(started, limiter))
            job.tasks.add(task)
            task.add_done_callback(job.tasks.discard)
            # Its reading starts at once: one letter per turn of the loop.
            await asyncio.sleep(0)
