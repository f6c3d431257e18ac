"""A limit of money is never passed, whatever is in flight; what does not fit is left for the next run."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extractor.models.model import Usage
from extractor.models.prices import Price, Tariff
from extractor.runs import bulk
from extractor.runs.bulk.budget import Budget, dearest, token_limit
from tests.support.plans import BurstModel, memos, plan_of, tariff

MAX_TOKENS = 700


def run(files: Any, model: BurstModel, out: Path, limit: str, in_flight: int = 64) -> bulk.Summary:
    options = bulk.Options(max_cost=Decimal(limit))
    return asyncio.run(bulk.run(files, plan_of(model), out, concurrency=in_flight, options=options))


def varied(seed: int, most: int) -> Any:
    """Answers of any length up to ``most`` tokens, most of them short; always the same for one letter."""
    return lambda text: min(most, int(random.Random(f"{seed} {text}").lognormvariate(4.5, 1.0)))


@pytest.mark.parametrize("limit", ["0.002", "0.01", "0.05", "0.2", "0.7"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.sample(8)
def test_never_passed_where_answers_have_a_token_limit(tmp_path: Path, seed: int, limit: str) -> None:
    """64 letters in flight, answers in bursts, a fifth of them corrected; some answers are 20 times the usual."""
    files = memos(tmp_path / "in", 120, seed)
    wrong = lambda text: random.Random(text).random() < 0.2  # noqa: E731
    model = BurstModel(tariff("20", "80"), varied(seed, MAX_TOKENS), wrong, seed, params={"max_tokens": MAX_TOKENS})
    summary = run(files, model, tmp_path / "out", limit)
    assert model.spent <= Decimal(limit)
    assert model.spent == summary.usd
    if summary.left:
        assert summary.stopped == "max_cost"
        # No more is left unspent than the dearest call, the correction of a long answer, may cost: 0.217.
        assert Decimal(limit) - model.spent < Decimal("0.22")
    assert len(set(model.asked)) + summary.left >= len(files)


@pytest.mark.parametrize("limit", ["0.02", "0.1", "0.3"])
@pytest.mark.parametrize("seed", range(4))
def test_never_passed_where_answers_are_as_long_as_their_letters(tmp_path: Path, seed: int, limit: str) -> None:
    """No token limit is set: the largest answers measured decide, and answers vary threefold around their letter's."""
    files = memos(tmp_path / "in", 120, seed)

    def tokens(text: str) -> int:
        return int((len(text) + 1_000) / 10 * random.Random(f"{seed} {text}").uniform(0.5, 1.5))

    model = BurstModel(tariff("20", "80"), tokens, seed=seed)
    summary = run(files, model, tmp_path / "out", limit)
    assert model.spent <= Decimal(limit)
    assert len(set(model.asked)) + summary.left == len(files)


def test_the_limit_is_used(tmp_path: Path) -> None:
    """One price for every letter: all but the last call's share is spent, with many in flight."""
    model = BurstModel(tariff("0", "100"), lambda text: 100, params={"max_tokens": 100})
    summary = run(memos(tmp_path / "in", 90), model, tmp_path / "out", "0.755", in_flight=16)
    assert (model.spent, summary.left) == (Decimal("0.75"), 15)
    assert model.most_open > 1


def test_what_is_left_is_asked_by_the_next_run_and_nothing_twice(tmp_path: Path) -> None:
    files = memos(tmp_path / "in", 40)
    model = BurstModel(tariff("0", "100"), lambda text: 100, lambda text: True, params={"max_tokens": 100})
    for _ in range(5):
        summary = run(files, model, tmp_path / "out", "0.173", in_flight=16)
    assert summary.left == 0
    assert len(model.asked) == 80
    assert summary.counts["accepted"] == 40


def test_equal_letters_do_not_wait_for_each_other_for_ever(tmp_path: Path) -> None:
    """A letter that waits for its twin's answer must not hold back the money its twin's correction needs."""
    files = memos(tmp_path / "in", 1)
    twins = [files[0]._replace(id=f"twin{number}") for number in range(8)]
    model = BurstModel(tariff("0", "100"), lambda text: 100, lambda text: True, params={"max_tokens": 100})
    summary = run(twins, model, tmp_path / "out", "0.02", in_flight=8)
    assert (summary.counts["accepted"], summary.left, model.spent) == (8, 0, Decimal("0.02"))


def test_a_first_letter_that_costs_too_much_is_not_begun(tmp_path: Path) -> None:
    model = BurstModel(tariff("0", "100"), lambda text: 100, params={"max_tokens": 100})
    summary = run(memos(tmp_path / "in", 3), model, tmp_path / "out", "0.009")
    assert (model.asked, summary.left, summary.stopped) == ([], 3, "max_cost")
    assert summary.stop_detail == "the next call may cost up to $0.0100, and $0.0090 are left"


def test_an_unknown_price_stops_before_the_first_call(tmp_path: Path) -> None:
    model = BurstModel(Tariff(), lambda text: 100)
    summary = run(memos(tmp_path / "in", 3), model, tmp_path / "out", "5")
    assert (model.asked, summary.left, summary.stopped) == ([], 3, "cost_unknown")


@pytest.mark.parametrize(
    ("params", "limit"),
    [
        ({}, None),
        ({"max_tokens": 900, "temperature": 0}, 900),
        ({"max_completion_tokens": 800}, 800),
        ({"max_output_tokens": 700, "max_tokens": 900}, 700),
        ({"max_tokens": "many"}, None),
    ],
)
def test_token_limits_under_the_names_of_the_providers(params: dict[str, Any], limit: int | None) -> None:
    assert token_limit(params) == limit


def test_writing_to_the_cache_may_be_the_dearest() -> None:
    price = Price(input=Decimal(4), cache_write=Decimal(5), cached_input=Decimal(1), output=Decimal(0), source="test")
    assert dearest(Tariff(price), 1_000_000, 0) == 5
    assert dearest(Tariff(), 1, 1) is None
    assert Tariff(price).cost(Usage(1_000_000, 0)).usd == 4


def test_waiting_for_what_is_in_flight() -> None:
    async def story() -> list[str]:
        budget, granted = Budget(Decimal(10)), []

        async def hold(name: str, most: int) -> None:
            granted.append(f"{name} {await budget.hold(lambda: Decimal(most), alone=lambda: False)}")

        assert await budget.hold(lambda: Decimal(8), alone=lambda: True) == 8
        waits = [asyncio.create_task(hold("three", 3)), asyncio.create_task(hold("eleven", 11))]
        await asyncio.sleep(0)
        assert granted == []
        budget.settle(Decimal(8), Decimal(4))
        await asyncio.sleep(0.01)
        assert granted == ["three 3"]
        budget.settle(Decimal(3), Decimal(3))
        await asyncio.gather(*waits)
        return granted

    assert asyncio.run(story()) == ["three 3", "eleven None"]
