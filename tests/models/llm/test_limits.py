"""A model with a limiter: refusals are no tries, and limits are learned from responses."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from extractor.errors import StoppedError, TransportError
from extractor.models.limits import Bounds, Limiter
from extractor.models.llm import RetryingModel
from extractor.models.model import Correction, Reply
from tests.support.asking import EVERY_WIRE, WIRES, Wire, question
from tests.support.loopback import Canned, Endpoint, ask_once, endpoint, message, refusal

GOOD = message()
REFUSED = refusal(429, "rate_limit_exceeded", retry_after="0.01")


def limited(server: Endpoint, wire: Wire = WIRES["openai"], **params: Any) -> tuple[RetryingModel, Limiter]:
    model, limiter = wire.open(server, **params), Limiter(Bounds(8, 8))
    model.limiter = limiter
    return model, limiter


def ask(replies: list[Canned], **params: Any) -> tuple[Reply, Limiter, int]:
    with endpoint(replies) as server:
        model, limiter = limited(server, **params)
        return asyncio.run(ask_once(model, question())), limiter, len(server.asked)


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_every_call_goes_through_the_limiter(wire: Wire) -> None:
    with endpoint([Canned(500, b"{}"), wire.answer('{"n": 1}')]) as server:
        model, limiter = limited(server, wire)
        asyncio.run(ask_once(model, question()))
    assert (limiter.sent, limiter.refusals, len(server.asked)) == (2, 0, 2)
    assert limiter._tokens_per_byte > 0


@pytest.mark.slow
def test_refusals_are_no_tries() -> None:
    """Three tries are allowed, and nine refusals come first."""
    reply, limiter, calls = ask([*[REFUSED] * 9, GOOD], tries=3, max_wait=1.0)
    assert (reply.transport_tries, calls, limiter.refusals) == (10, 10, 9)


def test_other_failures_are_tries_also_between_refusals() -> None:
    with pytest.raises(TransportError) as caught:
        ask([refusal(500), REFUSED, refusal(500), REFUSED, refusal(500)], tries=3, max_wait=0.5)
    assert caught.value.code == "server"


def test_refusals_for_ever_are_a_failure() -> None:
    """Ten of the longest pauses without any answer."""
    started = time.perf_counter()
    with pytest.raises(TransportError) as caught:
        ask([REFUSED], tries=2, max_wait=0.02)
    assert caught.value.code == "rate_limited"
    assert 0.2 < time.perf_counter() - started < 10


@pytest.mark.parametrize("with_limiter", [True, False])
def test_a_pause_of_hours_is_not_waited_for(with_limiter: bool) -> None:
    with endpoint([refusal(429, retry_after="7200")]) as server:
        model, _ = limited(server, max_wait=60)
        model.limiter = model.limiter if with_limiter else None
        with pytest.raises(TransportError) as caught:
            asyncio.run(ask_once(model, question()))
        assert (caught.value.code, len(server.asked)) == ("rate_limited", 1)


def test_limits_in_a_response_are_learned() -> None:
    headers = {"x-ratelimit-limit-requests": "6000", "x-ratelimit-limit-tokens": "1000000"}
    _, limiter, _ = ask([Canned(200, GOOD.body, headers)])
    assert limiter.pace.rate == pytest.approx(98)
    assert limiter.tokens.per_minute == pytest.approx(980_000)


def test_a_refusal_makes_other_letters_wait_too() -> None:
    async def two(model: RetryingModel, limiter: Limiter) -> float:
        first = asyncio.create_task(model.ask(question("first")))
        while not limiter.refusals:
            await asyncio.sleep(0.005)
        started = time.perf_counter()
        await model.ask(question("second"))
        waited = time.perf_counter() - started
        await first
        await model.aclose()
        return waited

    with endpoint([refusal(429, retry_after="0.4"), GOOD]) as server:
        assert 0.25 < asyncio.run(two(*limited(server, max_wait=5.0))) < 3
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [503, 529])
def test_an_overloaded_endpoint_gets_half_as_many(status: int) -> None:
    with endpoint([refusal(status), GOOD]) as server:
        model = WIRES["openai"].open(server)
        limiter = Limiter(Bounds(1, 64))
        model.limiter = limiter
        before = limiter.window.limit
        asyncio.run(ask_once(model, question()))
    assert limiter.window.limit == before // 2


def test_after_a_stop_only_corrections_are_asked() -> None:
    with endpoint([GOOD]) as server:
        model, limiter = limited(server)
        limiter.stop()
        with pytest.raises(StoppedError):
            asyncio.run(ask_once(model, question()))
        asyncio.run(ask_once(model, question(corrections=(Correction("{}", "wrong"),))))
    assert len(server.asked) == 1
