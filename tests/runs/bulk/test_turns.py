"""A burst of replies leaves the event loop its turns, and none of them is lost to a cancellation."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import StoppedError
from extractor.models.model import Question, Reply
from extractor.runs import bulk
from extractor.runs.bulk.turns import ModelInTurns
from tests.support.plans import BurstModel, memos, plan_of, tariff

QUESTION: Any = None


def test_the_loop_turns_between_the_letters_of_a_burst(tmp_path: Path) -> None:
    """Of 32 letters answered at once, no two are checked in the same turn of the loop."""
    turns = 0
    checked: list[int] = []

    async def counted() -> bulk.Summary:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counter = asyncio.create_task(count())
        plan = plan_of(BurstModel(tariff(), lambda text: 20))
        files = memos(tmp_path / "in", 32)
        try:
            return await bulk.run(
                files, plan, tmp_path / "out", concurrency=32, on_progress=lambda _: checked.append(turns)
            )
        finally:
            counter.cancel()

    assert asyncio.run(counted()).statuses == {"accepted": 32}
    assert len(set(checked)) == len(checked) == 32


class AtOnce(BurstModel):
    async def ask(self, question: Question) -> Reply:
        self.asked.append("")
        return Reply("{}")


@pytest.mark.parametrize("closed", [True, False])
def test_a_reply_that_is_in_survives_the_end_of_the_run(closed: bool) -> None:
    async def story() -> list[Any]:
        model = AtOnce(tariff(), lambda text: 20)
        in_turns = ModelInTurns(model)
        tasks = [asyncio.create_task(in_turns.ask(QUESTION)) for _ in range(5)]
        await asyncio.sleep(0)
        assert len(model.asked) == 5
        if closed:
            in_turns.close()
        for task in tasks:
            task.cancel()
        replies = await asyncio.gather(*tasks, return_exceptions=True)
        if closed:
            with pytest.raises(StoppedError):
                await in_turns.ask(QUESTION)
        return replies

    replies = asyncio.run(story())
    assert all(isinstance(reply, Reply if closed else asyncio.CancelledError) for reply in replies)
