"""Never spending more than a limit, with any number of calls in flight.

Before a call is made, the most it may cost is held back; when it is answered, what it did cost takes that
place. A call that does not fit waits until others are answered, and is not made if none is left to wait for.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from extractor.errors import StoppedError, UsageError
from extractor.letters.letter import Letter
from extractor.models.model import Model, Question, Reply, Usage
from extractor.models.prices import Tariff
from extractor.models.replies import ReplyError
from extractor.runs.plan import Plan

# English and JSON alike, roughly.
BYTES_PER_TOKEN = 4
# Room beyond the largest call so far. Answers vary more than requests, and the fewer there were, the more.
_MARGIN = 1.25
# Until anything is measured, a request is thought to take this much more than its size suggests.
_UNMEASURED = 1.5
# What every answer takes, however short its letter, as bytes of a letter.
_FIXED_ANSWER = 1_000
# The names under which providers take a limit of tokens for an answer.
_TOKEN_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def refuse_unknown_prices(plan: Plan) -> None:
    """Raise ``UsageError`` if a limit on cost cannot be kept, because a model's prices are not known."""
    for each in filter(None, (plan, plan.second)):
        if not each.tariff.is_known and not each.is_offline:
            raise UsageError(f"--max-cost cannot be kept: {each.tariff.unknown}", hint="or leave it out")


class CallSize(NamedTuple):
    """Bytes of a call's request, and those of the letter in it, which its answer grows with."""

    request: int
    letter: int


class CallCosts:
    """The most that a call may cost, in USD.

    Output is bounded by the model's own token limit where one is set, and otherwise by the largest answers
    measured; until there is one, an answer is thought to be as long as its letter. Input goes by the largest
    measured too.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        schema = json.dumps(plan.strategy.schema.model_json_schema(), separators=(",", ":"))
        self._fixed = len(schema) + len(_utf8(plan.prompt.text if plan.prompt else ""))
        self._limit = token_limit(plan.model.params)
        self._measured = 0
        # The largest so far: tokens of input for a byte of a request, of output for one of a letter, bytes of notes.
        self._input = self._output = self._notes = 0.0

    @property
    def bounded(self) -> bool:
        """Whether the length of answers is bounded by more than a guess."""
        return bool(self._measured or self._limit)

    def of_letter(self, letter: Letter) -> Decimal | None:
        """The first call about a letter; ``None`` where no price is known."""
        text = len(_utf8(letter.text))
        if self._measured:
            notes = math.ceil(_MARGIN * self._notes * (text + _FIXED_ANSWER))
        else:
            notes = len(_utf8(self._plan.strategy.notes(self._plan.letter_type.read(letter))))
        return self.of_call(CallSize(self._fixed + text + notes, text))

    def size(self, question: Question) -> CallSize:
        """Any call's size, also of one that sends back corrections."""
        text = len(_utf8(question.letter))
        more = sum(len(_utf8(each.reply)) + len(_utf8(each.message)) for each in question.corrections)
        return CallSize(self._fixed + text + len(_utf8(question.notes)) + more, text)

    def of_call(self, size: CallSize) -> Decimal | None:
        """A call of this size; ``None`` where no price is known."""
        letter = size.letter + _FIXED_ANSWER
        if self._measured:
            taken = _MARGIN * self._input * size.request
            given = max(_MARGIN, 1 + 2 / math.sqrt(self._measured)) * self._output * letter
        else:
            taken = _UNMEASURED * size.request / BYTES_PER_TOKEN
            given = letter / BYTES_PER_TOKEN
        return dearest(self._plan.tariff, math.ceil(taken), self._limit or math.ceil(given))

    def measure(self, size: CallSize, notes: int, usage: Usage) -> None:
        """Learn from what a call took; ``notes`` are the bytes of its strategy's notes."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return
        letter = size.letter + _FIXED_ANSWER
        self._measured += 1
        self._input = max(self._input, usage.input_tokens / max(size.request, 1))
        self._output = max(self._output, usage.output_tokens / letter)
        self._notes = max(self._notes, notes / letter)


def token_limit(params: Mapping[str, Any]) -> int | None:
    """How many tokens an answer may have by a model's settings; ``None`` where they set no limit."""
    limits = [params[name] for name in _TOKEN_LIMITS if isinstance(params.get(name), int)]
    return min(limits, default=None)


def dearest(tariff: Tariff, input_tokens: int, output_tokens: int) -> Decimal | None:
    """What so many tokens cost at most, whatever the endpoint's cache does; ``None`` where it is not known."""
    usages = [Usage(input_tokens, output_tokens)]
    if tariff.price is not None and tariff.price.cache_write is not None:
        usages.append(Usage(input_tokens, output_tokens, cache_write_tokens=input_tokens))
    costs = [tariff.cost(usage).usd for usage in usages]
    return None if None in costs else max(cost for cost in costs if cost is not None)


class Budget:
    """At most ``limit`` USD: the sum of what is spent and what calls in flight reserve never exceeds it."""

    def __init__(self, limit: Decimal) -> None:
        self.limit = limit
        self.spent = Decimal(0)
        self.held = Decimal(0)
        self.closed = False
        self._changed: list[asyncio.Future[None]] = []

    async def hold(self, most: Callable[[], Decimal | None], alone: Callable[[], bool]) -> Decimal | None:
        """Hold back ``most()`` as soon as it fits, and, where ``alone()`` is true, nothing else is held.

        Returns what is held; ``None`` if it cannot fit any more, its amount is not known, or the run ends.
        """
        while not self.closed:
            amount = most()
            if amount is None:
                return None
            if self.spent + self.held + amount <= self.limit and not (self.held and alone()):
                self.held += amount
                return amount
            if not self.held:
                return None
            waiter = asyncio.get_running_loop().create_future()
            self._changed.append(waiter)
            await waiter
        return None

    def settle(self, held: Decimal, cost: Decimal) -> None:
        """A call that held back ``held`` has cost ``cost``."""
        self.held -= held
        self.spent += cost
        self._wake()

    def close(self) -> None:
        """End all waits."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._changed = self._changed, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class BudgetedModel:
    """A model whose every call is charged to a budget.

    ``opened`` holds what was held back for letters that have started, by letter id, until their first call takes it.
    ``refused`` is called with the most a call may cost that does not fit any more.
    """

    def __init__(self, model: Model, plan: Plan, budget: Budget, refused: Callable[[Decimal | None], None]) -> None:
        self.name = model.name
        self._model = model
        self._tariff = plan.tariff
        self.costs = CallCosts(plan)
        self.budget = budget
        self._refused = refused
        self.opened: dict[str, Decimal] = {}

    @property
    def params(self) -> dict[str, Any]:
        return self._model.params

    async def open(self, letter: Letter) -> bool:
        """Hold back what the first call about a letter may cost; ``False`` if it does not fit."""
        held = await self._hold(lambda: self.costs.of_letter(letter))
        if held is not None:
            self.opened[letter.id] = held
        return held is not None

    async def _hold(self, most: Callable[[], Decimal | None]) -> Decimal | None:
        # The first answer bounds the others, so it is waited for.
        held = await self.budget.hold(most, alone=lambda: not self.costs.bounded)
        if held is None and not self.budget.closed:
            self._refused(most())
        return held

    def close(self, letter_id: str) -> None:
        """A letter is done: what it held back and did not use is free again."""
        if (held := self.opened.pop(letter_id, None)) is not None:
            self.budget.settle(held, Decimal(0))

    async def ask(self, question: Question) -> Reply:
        """As the model itself. Raises ``StoppedError`` if the call does not fit into the budget."""
        size = self.costs.size(question)
        held = self.opened.pop(question.letter_id, None)
        if held is None:
            held = await self._hold(lambda: self.costs.of_call(size))
        if held is None:
            raise StoppedError("the budget is used up: not asked", hint="run the same command again")
        cost = Decimal(0)
        try:
            reply = await self._model.ask(question)
            cost = self._cost(size, question, reply.usage, held)
        except ReplyError as unusable:
            cost = self._cost(size, question, unusable.reply.usage, held)
            raise
        finally:
            self.budget.settle(held, cost)
        return reply

    def _cost(self, size: CallSize, question: Question, usage: Usage, held: Decimal) -> Decimal:
        """What a call did cost; what was held back where that is not known."""
        self.costs.measure(size, len(_utf8(question.notes)), usage)
        usd = self._tariff.cost(usage).usd
        return held if usd is None else usd

    def stop_retrying(self) -> None:
        """As the model itself."""
        self._model.stop_retrying()

    async def aclose(self) -> None:
        """As the model itself."""
        await self._model.aclose()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
