"""One run at work: the outcome of each letter, and when the run stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import NamedTuple
from weakref import WeakValueDictionary

from extractor.errors import (
    CassetteError,
    EngineError,
    ExtractorError,
    LedgerError,
    LetterError,
    StoppedError,
    TransportError,
    UsageError,
)
from extractor.letters.letter import Letter, LetterFile, source_of
from extractor.letters.read_ahead import ReadAhead, ReadLetter
from extractor.models.limits import Limiter
from extractor.models.model import GeneratingModel, Model, Reply
from extractor.runs.bulk.budget import Budget, BudgetedModel
from extractor.runs.bulk.missing import note_missing
from extractor.runs.bulk.options import Around, OnProgress, Options
from extractor.runs.bulk.output import Output
from extractor.runs.bulk.summary import GIVE_UP_AFTER, MOST_NAMED, Summary
from extractor.runs.bulk.turns import ModelInTurns
from extractor.runs.ledger import Keys, Ledger, LedgerEntry, is_again, keeps_replies, keys_of
from extractor.runs.ledger.keys import keys_of_unassigned
from extractor.runs.pipeline import Kept, extract
from extractor.runs.plan import Plan
from extractor.runs.record import Record
from extractor.runs.replies import failed_record, unassigned_record

# These errors would hit every letter.
_HOPELESS = frozenset({"auth", "forbidden", "quota", "unknown_model", "moved", "certificate", "settings"})
# For a file whose reading hit a defect.
_CRASH = Keys("crash", "")
_FIRST_RECORDS = 20
_NAMED = 5


class _Asked(NamedTuple):
    """A plan as this run asks it: with models that keep to the budget and hand out replies in turns."""

    plan: Plan
    budgeted: BudgetedModel | None


class StartedLetter(NamedTuple):
    """A letter to ask about, and what the ledger knew about it before."""

    file: LetterFile
    letter: Letter
    keys: Keys
    before: LedgerEntry | None
    since: int
    plan: Plan


@dataclass
class Job:
    """A run's letters: ``begin`` each, ``finish`` those it gives back; ``stop`` and ``cancel`` at any time."""

    plan: Plan
    options: Options
    ledger: Ledger
    summary: Summary
    limiter: Limiter | None
    reading: ReadAhead
    since: int
    around: Around | None
    on_progress: OnProgress | None
    second_limiter: Limiter | None = None
    output: Output = field(init=False)
    stopping: bool = False
    cancelled: bool = False
    broken: LedgerError | None = None
    failures_in_a_row: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    # One lock for each question under way: an equal letter waits for the first one's stored reply.
    asking: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def __post_init__(self) -> None:
        self._budget: Budget | None = None
        if self.options.max_cost is not None and keeps_replies(self.plan):
            self._budget = Budget(self.options.max_cost)
        self._in_turns: list[ModelInTurns] = []
        self._asked = {plan.letter_type.name: self._as_asked(plan) for plan in self.plan.by_type}

    def _as_asked(self, plan: Plan) -> _Asked:
        budgeted = self._within_budget(plan)
        second = plan.second
        if second:
            second = replace(second, model=self._taking_turns(self._within_budget(second) or second.model))
        return _Asked(replace(plan, model=self._taking_turns(budgeted or plan.model), second=second), budgeted)

    def _taking_turns(self, model: Model) -> ModelInTurns:
        self._in_turns.append(ModelInTurns(model))
        return self._in_turns[-1]

    def _within_budget(self, plan: Plan) -> BudgetedModel | None:
        return BudgetedModel(plan.model, plan, self._budget, self._over_budget) if self._budget else None

    # ---- one letter ------------------------------------------------------------------------------

    def begin(self, read: ReadLetter) -> StartedLetter | None:
        """Count a letter that was read; ``None`` if nothing is to be asked about it.

        It is done already, cannot be read, or is none of those that ``only`` names. Raises ``LedgerError``,
        and ``UsageError`` for what would fail for every letter, such as too many open files.
        """
        file, letter = read.file, read.letter
        if isinstance(letter, UsageError):
            raise letter
        if isinstance(letter, EngineError):
            self.name(file.id)
            self.stop("engine", str(letter))
            return None
        self.summary.total += read.number > 0
        before = self.ledger.entry(file.id)
        if not isinstance(letter, Letter | LetterError):
            self._keep(*self._crashed(file.id, letter), before)
            return None
        if self.options.only and (before is None or before.status != self.options.only):
            self.summary.total -= 1
            return None
        again = is_again(before, self.options.again, self.since)
        if before is not None and not again and self._is_done(before, letter):
            self.ledger.handled(file.id)
            self.summary.skipped += 1
            self.summary.before[before.status] += 1
            self._announce(file.id)
            return None
        if isinstance(letter, LetterError):
            record = failed_record(file.id, self.plan, letter, source=source_of(file))
            self._keep(record, keys_of(_unreadable(letter), self.plan), before)
            return None
        try:
            plan = self.plan.of(letter)
        except LetterError as unclear:
            keys = keys_of_unassigned(letter.sha256, self.plan)
            self._keep(unassigned_record(letter, self.plan, unclear), keys, before)
            return None
        keys = keys_of(letter.sha256, plan, letter.reading_sha256)
        return StartedLetter(file, letter, keys, before, self.since if again else 0, plan)

    def _is_done(self, before: LedgerEntry, letter: Letter | LetterError) -> bool:
        """Whether a letter's record was made by this plan, or by the one of its type; nothing is read for that."""
        if isinstance(letter, LetterError):
            return before.check_key == keys_of(_unreadable(letter), self.plan).check
        known = {keys_of(letter.sha256, plan, letter.reading_sha256).check for plan in self.plan.by_type}
        if self.plan.others:
            known.add(keys_of_unassigned(letter.sha256, self.plan).check)
        return before.check_key in known

    async def affords(self, started: StartedLetter) -> bool:
        """Wait until a letter's first call fits into the budget; ``False`` if it does not, or the run is stopping."""
        budgeted = self._asked[started.plan.letter_type.name].budgeted
        if budgeted is None or self.ledger.replies(started.keys, started.since):
            return True
        if not await budgeted.open(started.letter):
            return False
        if self.stopping:
            # Corrections of letters in flight may be waiting for what this one held back.
            budgeted.close(started.letter.id)
        return not self.stopping

    async def finish_in_slot(self, started: StartedLetter, limiter: Limiter) -> None:
        """``finish`` a letter that has a slot; one that is cancelled is left for the next run."""
        try:
            with self.keeping():
                await self.finish(started)
        except asyncio.CancelledError:
            if not self.cancelled:
                raise
            self.name(started.file.id)
        finally:
            if budgeted := self._asked[started.plan.letter_type.name].budgeted:
                budgeted.close(started.letter.id)
            limiter.release()
        self.progress()

    async def finish(self, started: StartedLetter) -> None:
        """Ask about a letter and keep its record. Raises ``UsageError`` for what would fail for every letter."""
        file, letter, keys, before, *_ = started
        try:
            record = await self._ask(started)
        except UsageError:
            raise
        except (TransportError, CassetteError) as error:
            self._unanswered(file.id, error)
            return
        except StoppedError:
            self.name(file.id)
            return
        except OSError as error:
            raise LedgerError(f"cannot write {self.output.path.parent}: {error.strerror}") from error
        except Exception as error:  # a defect hit by one letter must not cost the others
            record, keys = self._crashed(file.id, error, letter.sha256, keys, started.plan)
        self.failures_in_a_row = 0
        self._keep(record, keys, before)

    def _crashed(
        self,
        letter_id: str,
        error: Exception,
        letter_sha256: str | None = None,
        keys: Keys = _CRASH,
        plan: Plan | None = None,
    ) -> tuple[Record, Keys]:
        """The record of a letter that hit a defect. Not done: a later version, or another try, may get it right."""
        crash = ExtractorError(f"internal error: {type(error).__name__}", code="internal")
        return failed_record(letter_id, plan or self.plan, crash, letter_sha256), Keys(keys.ask, "")

    async def _ask(self, started: StartedLetter) -> Record:
        file, letter, keys, _, since, own_plan = started
        if not keeps_replies(own_plan):
            return await extract(letter, own_plan)
        asked_plan, budgeted = self._asked[own_plan.letter_type.name]

        asked = False

        def keep(plan: Plan, keys: Keys) -> Callable[[Reply], None]:
            def on_reply(reply: Reply) -> None:
                nonlocal asked
                self.summary.asked += not asked
                asked = True
                self.ledger.store_reply(keys, reply, since)
                self.summary.paid(reply, plan.tariff.cost(reply.usage))
                if self.summary.unpriced and self.options.max_cost is not None:
                    self.stop("cost_unknown")

            return on_reply

        lock = self.asking.setdefault(keys.ask, asyncio.Lock())
        if lock.locked() and budgeted:
            # The letter that is being asked must never wait for what this one holds back.
            budgeted.close(letter.id)
        async with lock:
            with self.around(file, letter.sha256) if self.around else nullcontext():
                stored = self.ledger.replies(keys, since)
                second = Kept()
                if plan := own_plan.second:
                    own_keys = keys_of(letter.sha256, plan)
                    second = Kept(self.ledger.replies(own_keys, since), keep(plan, own_keys))
                return await extract(letter, asked_plan, stored=stored, on_reply=keep(own_plan, keys), second=second)

    def _keep(self, record: Record, keys: Keys, before: LedgerEntry | None) -> None:
        line = self.ledger.store_record(record, keys)
        self.output.add(record.letter_id, line, replaces=before is not None)
        self.summary.statuses[record.status] += 1
        self._announce(record.letter_id)

    def _announce(self, letter_id: str) -> None:
        if self.options.on_record:
            self.options.on_record(letter_id)

    def _unanswered(self, letter_id: str, error: ExtractorError) -> None:
        self.summary.unanswered[letter_id] = error
        self.name(letter_id)
        if isinstance(error, TransportError):
            self.failures_in_a_row += 1
            if self.failures_in_a_row >= GIVE_UP_AFTER or error.code in _HOPELESS:
                self.stop("endpoint")

    # ---- the run as a whole ----------------------------------------------------------------------

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Around whatever writes to the run's folder: if it cannot be written, the run stops.

        What is in flight is paid for, so each letter may still try to be kept.
        """
        try:
            yield
        except LedgerError as error:
            self.broken = self.broken or error
            self.stop("ledger")
        if self.options.max_failures is not None and self.summary.failures >= self.options.max_failures:
            self.stop("max_failures")

    def progress(self) -> None:
        """A letter is done."""
        if self.on_progress:
            self.on_progress(self.summary)

    def stop(self, why: str, detail: str = "") -> None:
        """Begin no more letters; those in flight finish, without retries."""
        if self.stopping:
            return
        self.stopping = True
        self.summary.stopped, self.summary.stop_detail = why, detail
        self.plan.stop_retrying()
        self.reading.cancel()
        for limiter in filter(None, (self.limiter, self.second_limiter)):
            limiter.stop()

    def cancel(self) -> None:
        """End the calls in flight; their letters are left for the next run."""
        self.cancelled = True
        for model in self._in_turns:
            model.close()
        if self._budget:
            self._budget.close()
        for task in self.tasks:
            task.cancel()

    def count_unread(self) -> None:
        """Name the first of the letters that were not started. A partly read file has at least one more."""
        for file in islice(self.reading.untaken(), _NAMED):
            self.name(file.id)
        self.summary.total += self.reading.partial

    def name(self, letter_id: str) -> None:
        """A letter that is left for the next run; the first few are named in the summary."""
        if len(self.summary.next_letters) < _NAMED:
            self.summary.next_letters.append(letter_id)

    def _over_budget(self, most: Decimal | None) -> None:
        if most is None:
            self.stop("cost_unknown")
        else:
            left = max(Decimal(0), (self.options.max_cost or Decimal(0)) - self.summary.usd)
            self.stop("max_cost", f"the next call may cost up to ${most:.4f}, and ${left:.4f} are left")

    def look(self) -> None:
        """Bring the summary up to date."""
        summary = self.summary
        summary.tick()
        summary.reading = self.reading.reading
        if isinstance(self.plan.model, GeneratingModel):
            summary.generating = replace(self.plan.model.generating)
        if self.limiter:
            summary.in_flight, summary.window = self.limiter.active, self.limiter.limit
            summary.refusals, summary.held = self.limiter.refusals, self.limiter.held
            rate = self.limiter.pace.rate
            summary.per_minute = None if rate is None else 60 * rate

    def report(self, *, ended: bool = False) -> None:
        """Keep the run's state in the ledger. Raises ``LedgerError``."""
        self.ledger.save_state({**self.options.labels, **self.summary.state()}, ended=ended)

    def conclude(self) -> None:
        """Take the final figures from the ledger."""
        self.look()
        summary = self.summary
        summary.in_flight = summary.reading = 0
        summary.counts, summary.totals = self.ledger.handled_counts(), self.ledger.handled_totals()
        summary.withheld = self.ledger.handled_withheld()
        if self.plan.others:
            summary.types = self.ledger.handled_types()
        summary.doubled = self.ledger.handled_doubled()
        summary.missing = note_missing(self.ledger, self.options, complete=not summary.left)
        # Every failure is named, in reason.
        failed = min(summary.counts["failed"], MOST_NAMED)
        summary.first = self.ledger.handled_records(max(failed, _FIRST_RECORDS))
        summary.odd_cost = self.ledger.unpriced() if summary.totals.unpriced else None
        self.report(ended=True)


def _unreadable(error: LetterError) -> str:
    """The placeholder text of a letter that cannot be read."""
    return f"unreadable {error.code}"
