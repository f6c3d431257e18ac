"""What a run would ask, take and cost. Asks nothing and writes nothing."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from extractor.errors import LetterError
from extractor.letters.letter import Letter, LetterFile, letter_in, letters_in
from extractor.letters.workers.page_readers import pages_read_by
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.models.model import Usage
from extractor.models.prices import Cost, rounded, total
from extractor.runs.bulk.budget import BYTES_PER_TOKEN
from extractor.runs.bulk.options import Options
from extractor.runs.bulk.summary import MOST_NAMED
from extractor.runs.ledger import Ledger, LedgerView, Totals, is_again, keeps_replies, keys_of, plan_key
from extractor.runs.plan import Plan
from extractor.runs.record import Failure
from extractor.runs.replies import unrecognized

# An answer is longer than what the baseline fills in, which leaves judgments null: 1.22 times over
# the recorded answers to the five bundled letters.
_OVER_BASELINE = 1.22
_SAMPLE = 100
# Shorter beginnings are not cached by the providers that publish a limit.
_LEAST_CACHED = 1_024


@dataclass
class Forecast:
    """What becomes of ``letters``: ``done`` already, ``unreadable``, answered but to be checked again
    (``recheck``), of equal text as another (``copies``), of no letter type or of several (``unassigned``), not
    recognized and therefore not asked about (``unrecognized``), or asked about with one call each (``calls``).
    ``problems`` has the reason of each of the first 200 letters that cannot be read or are of no letter type.

    Tokens and cost are guessed from the sizes of requests and answers, calibrated on ``measured``
    letters whose answers to the same questions are in the folder, corrections included. ``cached_tokens``, a part
    of the input, come from the endpoint's cache: as measured, or else at most, because all letters share so many.

    ``asks``: whether a language model is asked. ``reasks``, ``second_model`` (its name, or empty), ``prices_as_of``
    (a date, or empty) and ``free`` (why nothing is charged, or empty) are those of the plan.
    """

    letters: int = 0
    done: int = 0
    unreadable: int = 0
    unassigned: int = 0
    unrecognized: int = 0
    recheck: int = 0
    copies: int = 0
    calls: int = 0
    most_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost: Cost = field(default_factory=lambda: Cost(Decimal(0)))
    measured: int = 0
    asks: bool = False
    reasks: int = 0
    second_model: str = ""
    prices_as_of: str = ""
    free: str = ""
    problems: dict[str, str] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON data. ``cost_usd`` is ``None`` where a price is not known."""
        return {
            "letters": self.letters,
            "done": self.done,
            "recheck": self.recheck,
            "copies": self.copies,
            "unreadable": self.unreadable,
            "unassigned": self.unassigned,
            "unrecognized": self.unrecognized,
            "calls": self.calls,
            "most_calls": self.most_calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cached_tokens": self.cached_tokens,
            "cost_usd": rounded(self.cost.usd),
            "cost_unknown": self.cost.unknown or None,
            "measured": self.measured,
            "problems": self.problems,
        }


def forecast(
    files: Sequence[LetterFile],
    plan: Plan,
    folder: Path,
    options: Options,
    on_letter: Callable[[int], None] | None = None,
) -> Forecast:
    """What ``bulk.run`` would do with these letters; ``on_letter`` is called with the number of letters read so far.

    Raises ``LedgerError`` if the folder's ledger cannot be read.
    """
    if not options.ask_unrecognized:
        plan = plan.recognized_only()
    problems = _Problems()
    surveys = {each.letter_type.name: _Survey(each, options, problems) for each in plan.by_type}
    unassigned = read = 0
    with ExitStack() as stack:
        ledger = stack.enter_context(LedgerView(folder)) if Ledger.exists(folder) else None
        # What a run read is not read again; a forecast leaves the folder as it is.
        stack.enter_context(pages_read_by(ReadingCache(folder / FOLDER, keeps=False)))
        since = ledger.since(plan_key(plan), options.again) if ledger else 0
        for file in files:
            for part, letter in letters_in(file, plan.starts):
                read += 1
                if on_letter:
                    on_letter(read)
                try:
                    own = plan.of(letter) if isinstance(letter, Letter) else plan
                except LetterError as unclear:
                    unassigned += 1
                    problems.add(part.id, unclear)
                    continue
                surveys[own.letter_type.name].look(part, letter, ledger, since)
        for survey in surveys.values():
            survey.guess()
    whole = _sum([survey.forecast for survey in surveys.values()])
    return replace(
        whole,
        letters=whole.letters + unassigned,
        unassigned=unassigned,
        asks=not plan.is_offline,
        reasks=plan.reasks,
        second_model=plan.second.model.name if plan.second else "",
        prices_as_of=str(plan.tariff.as_of or ""),
        free=plan.tariff.free,
        problems=problems.named,
    )


def _sum(forecasts: Sequence[Forecast]) -> Forecast:
    if len(forecasts) == 1:
        return forecasts[0]
    counted = [each.name for each in fields(Forecast) if each.type == "int" and each.name != "reasks"]
    summed = {name: sum(getattr(each, name) for each in forecasts) for name in counted}
    return Forecast(**summed, cost=total([each.cost for each in forecasts]))


@dataclass
class _Sizes:
    """Letters put together: how many, and their bytes."""

    letters: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.letters += 1
        self.bytes += size


@dataclass
class _Problems:
    """Why letters will not be asked about."""

    named: dict[str, str] = field(default_factory=dict)

    def add(self, letter_id: str, error: LetterError) -> None:
        if len(self.named) < MOST_NAMED:
            self.named[letter_id] = str(Failure.of(error))


@dataclass
class _Survey:
    plan: Plan
    options: Options
    problems: _Problems
    forecast: Forecast = field(default_factory=Forecast)
    to_ask: _Sizes = field(default_factory=_Sizes)
    answered: _Sizes = field(default_factory=_Sizes)
    took: Usage = field(default_factory=lambda: Usage(0, 0))
    usd: Decimal | None = Decimal(0)
    asking: list[LetterFile] = field(default_factory=list)
    questions: set[bytes] = field(default_factory=set)

    def look(self, file: LetterFile, letter: Letter | LetterError, ledger: LedgerView | None, since: int) -> None:
        """Count one letter."""
        forecast = self.forecast
        before = ledger.entry(file.id) if ledger else None
        if self.options.only and (before is None or before.status != self.options.only):
            return
        forecast.letters += 1
        if isinstance(letter, LetterError):
            forecast.unreadable += 1
            self.problems.add(file.id, letter)
            return
        keys, size = (
            keys_of(letter.sha256, self.plan, letter.reading_sha256),
            len(letter.text.encode("utf-8", "replace")),
        )
        again = is_again(before, self.options.again, since)
        question = bytes.fromhex(keys.ask)
        known = question in self.questions
        self.questions.add(question)
        if ledger and before and not known and (took := ledger.took(file.id, keys)):
            self._learn(size, took)
        if before and before.check_key == keys.check and not again:
            forecast.done += 1
        elif known:
            forecast.copies += 1
        elif ledger and ledger.replies(keys, since if again else 0):
            forecast.recheck += 1
        elif note := self._unrecognized(letter):
            forecast.unrecognized += 1
            self.problems.add(file.id, unrecognized(self.plan, note))
        else:
            forecast.calls += 1
            self.to_ask.add(size)
            self.asking.append(file)

    def _unrecognized(self, letter: Letter) -> str:
        """Why the plan does not ask about a letter; empty if it does."""
        if self.plan.asks_unrecognized or self.plan.is_offline:
            return ""
        reading = self.plan.letter_type.read(letter)
        return reading.note if self.plan.leaves_out(reading) else ""

    def _learn(self, size: int, took: Totals) -> None:
        if took.usage.input_tokens is None or took.usage.output_tokens is None:
            return
        self.answered.add(size)
        self.took += took.usage
        self.usd = None if took.unpriced or self.usd is None else self.usd + took.usd

    def guess(self) -> None:
        """Tokens and cost of what is to be asked."""
        forecast, plan = self.forecast, self.plan
        if not keeps_replies(plan) or not forecast.calls:
            return
        forecast.most_calls = forecast.calls * (1 + plan.reasks + (plan.second is not None))
        notes, answer = self._ratios()
        schema = len(json.dumps(plan.strategy.schema.model_json_schema(), separators=(",", ":")))
        fixed = schema + len((plan.prompt.text if plan.prompt else "").encode())

        def tokens(sizes: _Sizes) -> tuple[float, float]:
            taken = sizes.letters * fixed + sizes.bytes * (1 + notes)
            return taken / BYTES_PER_TOKEN, sizes.bytes * answer / BYTES_PER_TOKEN

        taken, given = tokens(self.to_ask)
        forecast.measured = self.answered.letters
        factor = Decimal(1)
        if forecast.measured:
            known_taken, known_given = tokens(self.answered)
            plain = self._cost(known_taken, known_given, forecast.measured).usd
            factor = self.usd / plain if plain and self.usd is not None else factor
            cost = self._cost(taken, given, forecast.calls)
            taken *= (self.took.input_tokens or 0) / known_taken
            given *= (self.took.output_tokens or 0) / known_given
        else:
            cost = self._cost(taken, given, forecast.calls)
        forecast.cost = Cost(None if cost.usd is None else cost.usd * factor, cost.unknown)
        forecast.input_tokens, forecast.output_tokens = round(taken), round(given)
        forecast.cached_tokens = round(self._cached_share(fixed) * taken)

    def _cached_share(self, fixed: int) -> float:
        """The part of the input that the endpoint's cache serves, by what was measured; else the most that it could."""
        if self.forecast.measured:
            return (self.took.cached_tokens or 0) / max(self.took.input_tokens or 0, 1)
        if fixed / BYTES_PER_TOKEN < _LEAST_CACHED:
            return 0.0
        whole = self.to_ask.letters * fixed + self.to_ask.bytes
        return (self.to_ask.letters - 1) * fixed / max(whole, 1)

    def _cost(self, taken: float, given: float, calls: int) -> Cost:
        one = self.plan.tariff.cost(Usage(round(taken / calls), round(given / calls)))
        return Cost(None if one.usd is None else one.usd * calls, one.unknown)

    def _ratios(self) -> tuple[float, float]:
        """Bytes of notes and of an answer for each byte of a letter, over some of the letters."""
        sample = heapq.nsmallest(_SAMPLE, self.asking, key=lambda file: hashlib.blake2b(file.id.encode()).digest())
        letters = notes = answers = 0
        for file in sample:
            try:
                letter = letter_in(file)
            except LetterError:  # gone since
                continue
            reading = self.plan.letter_type.read(letter)
            letters += len(letter.text.encode("utf-8", "replace"))
            notes += len(self.plan.strategy.notes(reading).encode())
            answers += len(to_json(self.plan.strategy.expected_reply(reading)))
        return notes / max(letters, 1), _OVER_BASELINE * answers / max(letters, 1)
