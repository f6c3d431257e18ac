"""Plans that need no workspace and no network: a letter type of one leaf, and a model in this process."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from extractor.letters.letter import Letter, LetterFile
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import StrictModel, Verbatim
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Reading
from extractor.models.model import Question, Reply, Usage
from extractor.models.prices import Price, Tariff
from extractor.runs.plan import Plan
from tests.support.toy import put

_NAME = re.compile(r"NAME: (\w+)")


class Memo(StrictModel):
    name: Annotated[str | None, Verbatim(within="memo", whole=True)]


def read_memo(letter: Letter) -> Reading:
    whole = Span(0, len(letter.text))
    found = _NAME.search(letter.text)
    fact = Fact(found[1], (Span(*found.span(1)),)) if found else Fact(None)
    return Reading(letter, Block(whole, {"memo": whole}, {"name": fact}))


MEMO = LetterType("memo", Memo, read_memo)


@dataclass
class BurstModel:
    """Keeps calls waiting and answers them in bursts, all that are open at once.

    ``output_tokens`` of an answer are given by ``tokens(letter)``; input tokens are a quarter of the bytes.
    ``wrong`` selects the first answers that are wrong, to be corrected. ``spent`` is what all of them cost.
    """

    tariff: Tariff
    tokens: Callable[[str], int]
    wrong: Callable[[str], bool] = lambda text: False
    seed: int = 0
    name: str = "test/bursts"
    params: dict[str, Any] = field(default_factory=dict)
    spent: Decimal = Decimal(0)
    asked: list[str] = field(default_factory=list)
    most_open: int = 0
    _open: int = 0
    _burst: asyncio.Event | None = None

    async def ask(self, question: Question) -> Reply:
        corrections = sum(len(each.reply) + len(each.message) for each in question.corrections)
        taken = (len(question.letter) + len(question.instructions) + corrections + 900) // 4
        self.asked.append(question.letter_id)
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        await self._next_burst()
        self._open -= 1
        usage = Usage(taken, self.tokens(question.letter))
        self.spent += self.tariff.cost(usage).usd or 0
        found = _NAME.search(question.letter)
        name = "Nobody" if self.wrong(question.letter) and not question.corrections else found and found[1]
        return Reply(json.dumps({"name": name}), usage)

    async def _next_burst(self) -> None:
        if self._burst is None:
            self._burst = asyncio.Event()
            delay = random.Random(f"{self.seed} {len(self.asked)}").uniform(0.0, 0.004)
            asyncio.get_running_loop().call_later(delay, self._answer_all)
        await self._burst.wait()

    def _answer_all(self) -> None:
        burst, self._burst = self._burst, None
        if burst:
            burst.set()

    def stop_retrying(self) -> None:
        """It never tries again."""

    async def aclose(self) -> None:
        """It holds nothing open."""


def tariff(input_usd: str = "2", output_usd: str = "8") -> Tariff:
    """A price in USD per million tokens."""
    return Tariff(Price(input=Decimal(input_usd), output=Decimal(output_usd), source="test"))


def memos(folder: Path, count: int, seed: int = 0) -> list[LetterFile]:
    """Letters of very different lengths."""
    chance = random.Random(seed)
    files = []
    for number in range(count):
        text = f"NAME: Name{number}\n" + "word " * int(chance.lognormvariate(5, 1))
        files.append(LetterFile(f"{number:03d}", put(folder / f"{number:03d}.txt", text)))
    return files


def plan_of(model: BurstModel, reasks: int = 1) -> Plan:
    return Plan(MEMO, model, reasks=reasks, tariff=model.tariff)
