"""What an endpoint reports of its limits, and how fast it is then asked."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from extractor.errors import StoppedError
from extractor.models.limits import Bounds, Limiter, LimitHeaders, Pace, Tokens, Window, limit_headers

# ---- headers ---------------------------------------------------------------------------------


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({}, LimitHeaders()),
        ({"content-type": "x", "retry-after": "3"}, LimitHeaders()),
        (
            {
                "x-ratelimit-limit-requests": "10000", "x-ratelimit-remaining-requests": "9999", "x-ratelimit-reset-requests": "6ms",
                "x-ratelimit-limit-tokens": "2000000", "x-ratelimit-remaining-tokens": "1995000", "x-ratelimit-reset-tokens": "150ms",
            },
            LimitHeaders(10_000, 9_999, 0.006, 2_000_000, 1_995_000, 0.15),
        ),
        # A limit a day, of which little is used: not a limit a minute.
        (
            {"x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-requests": "14370", "x-ratelimit-reset-requests": "2m59.56s",
             "x-ratelimit-limit-tokens": "18000"},
            LimitHeaders(None, 14_370, 179.56, 18_000, other_period=True),
        ),
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-reset-requests": "1m0s"}, LimitHeaders(60, None, 60.0)),
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-reset-requests": "12"}, LimitHeaders(60, None, 12.0)),
        ({"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}, LimitHeaders(50, 49)),
        ({"x-ratelimit-remaining-tokens": "-12", "x-ratelimit-limit-tokens": "100"}, LimitHeaders(tokens=100, tokens_left=0)),
        # What cannot be read was not reported.
        ({"x-ratelimit-limit-requests": "many"}, LimitHeaders()),
        ({"x-ratelimit-limit-requests": "0"}, LimitHeaders()),
        ({"x-ratelimit-limit-requests": "1e9", "x-ratelimit-reset-requests": "soon"}, LimitHeaders()),
        ({"x-ratelimit-limit-requests": "9" * 40}, LimitHeaders()),
        ({"x-ratelimit-limit": "60"}, LimitHeaders()),
    ],
)  # fmt: skip
def test_headers(headers: dict[str, str], limits: LimitHeaders) -> None:
    assert limit_headers(headers) == limits


@pytest.mark.parametrize("moment", ["in {}", "{}"])
def test_a_moment_in_iso_form(moment: str) -> None:
    limits = limit_headers({"anthropic-ratelimit-requests-reset": moment.format(soon(20))})
    assert limits.requests_reset == (None if moment[0] == "i" else pytest.approx(20, abs=2))


# ---- pace, against a simulated endpoint ------------------------------------------------------------


class Endpoint:
    """Allows ``rate`` calls a second: a bucket of ``room`` calls that refills, or a window of as many calls."""

    def __init__(self, rate: float, room: float, *, window: bool = False) -> None:
        self.rate, self.room, self.window = rate, room, window
        self.left, self.since = room, 0.0

    def refuses(self, now: float) -> float | None:
        """``None``, or the seconds until another call is allowed."""
        period = self.room / self.rate
        if self.window:
            if now - self.since >= period:
                self.since, self.left = now - (now - self.since) % period, self.room
        else:
            self.left, self.since = min(self.room, self.left + (now - self.since) * self.rate), now
        if self.left < 1:
            return self.since + period - now if self.window else (1 - self.left) / self.rate
        self.left -= 1
        return None


class Ran:
    """What came of a simulated minute or more."""

    def __init__(self) -> None:
        self.answers: list[float] = []
        self.refusals: list[float] = []

    def share(self, rate: float, since: float, until: float) -> float:
        return sum(since < when <= until for when in self.answers) / rate / (until - since)

    def refused(self, since: float = 0.0) -> float:
        """The share of calls refused after a moment."""
        refused = sum(when > since for when in self.refusals)
        return refused / (refused + sum(when > since for when in self.answers))


def simulate(
    endpoint: Endpoint,
    *,
    headers: bool = False,
    retry_after: bool = False,
    given: float | None = None,
    in_flight: int = 64,
    seconds: float = 240.0,
) -> Ran:
    """``in_flight`` workers ask as the pace lets them; an answer takes about half a second, a refusal 5 ms."""
    ran, pace, chance = Ran(), Pace(given), random.Random(1)
    now, active, number, storms = 1.0, 0, 0, 0
    coming: list[tuple[float, int, float, float | None]] = []
    while now < 1 + seconds:
        allowed = in_flight if ran.answers or ran.refusals else 1
        if active < allowed and pace.wait(now) <= 1e-9:
            pace.take(now)
            pause, number, active = endpoint.refuses(now), number + 1, active + 1
            arrives = now + (0.005 if pause is not None else chance.uniform(0.25, 0.75))
            heapq.heappush(coming, (arrives, number, now, pause))
            continue
        if active < allowed and (not coming or now + pace.wait(now) < coming[0][0]):
            now += pace.wait(now)
            continue
        now, _, sent, pause = heapq.heappop(coming)
        active -= 1
        if headers:
            pace.limit(60 * endpoint.rate)
        if pause is None:
            ran.answers.append(now)
            storms = storms if sent < pace.lesson else 0
            pace.answered(sent)
        else:
            ran.refusals.append(now)
            storms += pace.refused(now, sent)
            pace.hold(now, pause if retry_after else 0.3 * 2 ** (storms - 1))
    return ran


SHAPES = {
    "a bucket of a second": lambda rate: Endpoint(rate, rate),
    "a bucket of a minute": lambda rate: Endpoint(rate, 60 * rate),
    "a window of a second": lambda rate: Endpoint(rate, rate, window=True),
    "a window of a minute": lambda rate: Endpoint(rate, 60 * rate, window=True),
}


@pytest.mark.parametrize("rate", [5, 50, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_reported_limit_is_used_and_not_exceeded(shape: str, rate: float) -> None:
    ran = simulate(SHAPES[shape](rate), headers=True)
    assert ran.share(rate, 30, 240) > 0.97
    assert ran.refused() == 0


@pytest.mark.parametrize("rate", [5, 50, 100])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("retry_after", [True, False])
@pytest.mark.sample(8)
def test_an_unreported_limit_is_found(shape: str, rate: float, retry_after: bool) -> None:
    ran = simulate(SHAPES[shape](rate), retry_after=retry_after)
    # With five calls a second there is little to learn from in four minutes.
    assert ran.share(rate, 60, 240) >= (0.88 if rate > 5 else 0.65)
    assert ran.refused(since=60) <= (0.02 if rate > 5 else 0.05)


def test_a_given_limit_is_kept() -> None:
    ran = simulate(Endpoint(1000, 1000), given=600)
    assert ran.share(10, 1, 240) == pytest.approx(1.0, abs=0.02)
    assert ran.refusals == []


def test_the_lower_of_two_limits_holds() -> None:
    pace = Pace(600)
    pace.limit(60_000)
    assert pace.rate == 10
    pace.limit(60)
    assert pace.rate == pytest.approx(0.98)
    # It was a limit a day after all.
    pace.limit(None)
    assert pace.rate == 10


def test_a_storm_is_one_lesson() -> None:
    pace = Pace()
    for i in range(50):
        pace.take(1 + i / 50)
    assert pace.refused(2.0, sent=1.9)
    slower = pace.rate
    assert slower is not None
    assert 40 < slower < 50
    assert not any(pace.refused(2.0 + i / 100, sent=1.9) for i in range(20))
    assert pace.rate == slower


def test_a_pause_holds_everyone() -> None:
    pace = Pace(6000)
    pace.hold(10.0, 3.0)
    pace.hold(10.5, 1.0)
    assert pace.wait(11.0) == 2.0
    assert pace.wait(13.0) == 0.0


def test_lost_time_is_made_up_for_only_a_little() -> None:
    pace = Pace(6000)
    pace.take(1.0)
    at_once = 0
    while pace.wait(100.0) <= 0:
        pace.take(100.0)
        at_once += 1
    assert 5 < at_once < 20


# ---- tokens ------------------------------------------------------------------------------------


def test_tokens_a_minute() -> None:
    tokens = Tokens(60_000)
    now, spent = 1.0, 0
    while now < 61:
        if tokens.wait(now) > 0:
            now += tokens.wait(now)
            continue
        tokens.take(now, 3_000)
        tokens.correct(-1_000)
        spent += 2_000
    assert spent == pytest.approx(60_000, rel=0.05)


def test_no_limit_of_tokens_is_no_wait() -> None:
    tokens = Tokens()
    tokens.take(1.0, 10**9)
    assert tokens.wait(1.0) == 0
    tokens.limit(1000)
    tokens.take(1.0, 490)
    assert tokens.wait(1.0) == pytest.approx(30, abs=0.2)


# ---- how many in flight ------------------------------------------------------------------------


def flow(window: Window, latency: Callable[[int], float], letters: int, timeout: float = 1e9) -> list[int]:
    """The window over so many letters; ``latency`` of an answer by how many are in flight."""
    now, active, number, limits = 1.0, 0, 0, []
    coming: list[tuple[float, int, float, bool]] = []
    chance = random.Random(2)
    while len(limits) < letters:
        if active < window.limit:
            number, active = number + 1, active + 1
            takes = latency(active) * chance.uniform(0.8, 1.2)
            heapq.heappush(coming, (now + min(takes, timeout), number, now, takes < timeout))
            continue
        now, _, sent, answered = heapq.heappop(coming)
        if answered:
            window.answered(now, full=active >= window.limit)
        else:
            window.lost(now, sent)
        active -= 1
        limits.append(window.limit)
    return limits


def test_more_in_flight_as_long_as_more_comes_back() -> None:
    limits = flow(Window(1, 256), lambda active: 2.0, 6000)
    assert limits[-1] == 256
    assert limits[1500] == 256


@pytest.mark.parametrize("slots", [1, 2, 4, 16, 64])
def test_no_more_than_the_endpoint_works_on(slots: int) -> None:
    """An endpoint with so many slots makes the others wait."""
    limits = flow(Window(1, 256), lambda active: 2.0 * max(1.0, active / slots), 10_000)
    assert slots * 0.75 <= limits[-1] <= max(12, 2.5 * slots)
    assert max(limits) <= max(16, 4 * slots)


def test_timeouts_in_numbers_halve_it() -> None:
    limits = flow(Window(1, 64), lambda active: 60.0 * active, 60, timeout=120)
    assert limits[-1] <= 2


def test_a_hang_now_and_then_does_not() -> None:
    window = Window(1, 64)
    for i in range(5000):
        if i % 100 == 50:
            window.lost(i / 10, i / 10 - 5)
        else:
            window.answered(i / 10, full=True)
    assert window.limit >= 4
    assert window._lesson == 0


def test_a_fixed_number_stays() -> None:
    assert set(flow(Window(7, 7), lambda active: 1.0, 500)) == {7}


def test_bounds() -> None:
    assert min(flow(Window(20, 40), lambda active: 10.0 * active, 200, timeout=100)) == 20
    assert max(flow(Window(20, 40), lambda active: 1.0, 2000)) == 40


# ---- all together ------------------------------------------------------------------------------

HEADERS = {"x-ratelimit-limit-requests": "6000"}


async def letters(limiter: Limiter, count: int, ask: Any) -> None:
    async def one(i: int) -> None:
        try:
            await ask(i)
        finally:
            limiter.release()

    async with asyncio.TaskGroup() as group:
        for i in range(count):
            await limiter.slot()
            group.create_task(one(i))


def test_the_first_call_goes_alone() -> None:
    limiter, active, most = Limiter(Bounds(8, 8)), 0, []

    async def ask(i: int) -> None:
        nonlocal active
        call = await limiter.permit(100)
        active += 1
        most.append(active)
        await asyncio.sleep(0.02)
        active -= 1
        limiter.answered(call, {})

    asyncio.run(letters(limiter, 20, ask))
    assert most[:2] == [1, 1]
    assert max(most) == 8


def test_an_answer_that_is_written_by_hand_holds_no_other_request_back() -> None:
    limiter, asked = Limiter(Bounds(1, 50)), 0

    async def ask(i: int) -> None:
        nonlocal asked
        asked += 1
        if i == 0:
            limiter.unanswered(await limiter.permit(100))
        while asked < 50:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(letters(limiter, 50, ask), 30))
    assert (limiter.window.limit, limiter.refusals) == (50, 0)


def test_a_refusal_makes_all_pause_together() -> None:
    limiter, sent = Limiter(Bounds(8, 8)), []

    async def ask(i: int) -> None:
        call = await limiter.permit(100)
        sent.append(asyncio.get_running_loop().time())
        if len(sent) == 5:
            limiter.refused(call, {}, 0.3, longest=60)
        else:
            await asyncio.sleep(0.001)
            limiter.answered(call, HEADERS)

    asyncio.run(letters(limiter, 20, ask))
    gaps = [later - sooner for sooner, later in pairwise(sent)]
    assert sum(gap > 0.25 for gap in gaps) == 1
    assert limiter.refusals == 1


def test_reported_limits_are_kept() -> None:
    limiter = Limiter(Bounds(64, 64))

    async def ask(i: int) -> None:
        call = await limiter.permit(100)
        limiter.answered(call, HEADERS)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await letters(limiter, 60, ask)
        return loop.time() - started

    # 6000 a minute are 98 in a second, some 10 of them made up for.
    assert 0.35 < asyncio.run(timed()) < 2.0


def test_tokens_are_counted_by_what_calls_really_took() -> None:
    limiter = Limiter(Bounds(4, 4, tpm=60_000_000))

    async def ask(i: int) -> None:
        call = await limiter.permit(10_000)
        limiter.answered(call, {})
        limiter.took(call, 5_000)

    asyncio.run(letters(limiter, 50, ask))
    assert limiter._estimate(10_000) == pytest.approx(5_000)


def test_a_stop_ends_every_wait_for_a_first_call() -> None:
    async def stopped() -> list[str]:
        limiter = Limiter(Bounds(4, 4, rpm=1))
        events = []

        async def ask(started: bool) -> None:
            try:
                await limiter.permit(10, started=started)
                events.append("asked")
            except StoppedError:
                events.append("stopped")

        await limiter.permit(10)
        waiting = [asyncio.create_task(ask(False)) for _ in range(3)]
        await asyncio.sleep(0.05)
        limiter.stop()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)
        return events

    assert asyncio.run(stopped()) == ["stopped"] * 3


def test_a_letter_whose_answer_is_in_may_finish_after_a_stop() -> None:
    async def stopped() -> None:
        limiter = Limiter(Bounds(4, 4))
        limiter.stop()
        with pytest.raises(StoppedError):
            await limiter.permit(10)
        await limiter.permit(10, started=True)

    asyncio.run(stopped())
