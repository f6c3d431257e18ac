"""The one way to an endpoint that all letters of a run share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from extractor.errors import StoppedError
from extractor.models.limits.headers import limit_headers
from extractor.models.limits.pace import Pace, Tokens
from extractor.models.limits.window import Window
from extractor.settings import require_number, require_whole

# More connections than this exhaust the sockets of a machine before they gain anything.
MOST_IN_FLIGHT = 2_000
# The shortest pause after a refusal, in seconds; doubled while nothing but refusals comes, whatever the endpoint names.
_PAUSE = 0.25
# After so many storms without an answer between them, one call at a time finds out whether the endpoint answers again.
_PROBE_AFTER = 2
# What a call takes before any was counted: bytes of English or JSON for a token, and an answer.
_BYTES_PER_TOKEN = 4
_ANSWER_TOKENS = 1_000
_LEARN = 0.1
_NEARLY_A_MINUTE = 57.0
# Calls in flight for each that the allowed rate keeps in flight: answers take longer or shorter.
_ROOM = 1.5


@dataclass(frozen=True)
class Bounds:
    """``low`` to ``high`` letters in flight; calls and tokens a minute, ``None`` for what the endpoint allows.

    Raises ``UsageError`` for values that cannot be used.
    """

    low: int = 1
    high: int = 256
    rpm: float | None = None
    tpm: float | None = None

    def __post_init__(self) -> None:
        require_whole("concurrency", self.high, 1, MOST_IN_FLIGHT)
        require_whole("concurrency", self.low, 1, self.high)
        require_number("rpm", self.rpm, 0.1)
        require_number("tpm", self.tpm, 1)


@dataclass(frozen=True)
class Call:
    """One call that was let through: when, how large its request was, the tokens it was thought to take, its number."""

    sent: float
    size: int
    tokens: float
    number: int = 0


@dataclass(frozen=True)
class Waiting:
    """Why no call is made now, and for how many seconds at most.

    ``reason``: ``pause`` (after a refusal), ``requests`` or ``tokens`` (a limit per minute), ``probe`` (everything is
    refused, and one call finds out whether that is over).
    """

    reason: str
    seconds: float


class Limiter:
    """Lets letters begin (``slot``) and calls through (``permit``), and learns from what came of them.

    The first call goes alone, so that the limits that its answer reports hold for all others. After a
    refusal everything pauses together. ``stop`` lets no further call through.
    """

    def __init__(
        self, bounds: Bounds = Bounds(), *, alone: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = Pace(bounds.rpm)
        self.tokens = Tokens(bounds.tpm)
        self.window = Window(bounds.low, bounds.high)
        self.active = 0
        self.sent = self.refusals = 0
        self.stopping = False
        self.last_answer = clock()
        self._clock = clock
        self._alone = alone
        self._held_until = 0.0
        self._storms = 0
        self._open: set[int] = set()
        self._tokens_per_byte = 0.0
        self._typical = 0.0
        self._turn = asyncio.Lock()
        self._room = asyncio.Event()
        self._nap: asyncio.Future[None] | None = None

    # ---- letters ---------------------------------------------------------------------------------

    @property
    def limit(self) -> int:
        """How many letters may be in flight now."""
        return 1 if self._alone else self.window.limit

    async def slot(self) -> None:
        """Wait until another letter may begin. One task at a time may wait here; ``stop`` ends the wait."""
        while self.active >= self.limit and not self.stopping:
            self._room.clear()
            await self._room.wait()
        self.active += 1

    def release(self) -> None:
        """A letter that had a slot is done."""
        self.active -= 1
        self._room.set()

    def stop(self) -> None:
        """Let no more calls through; those waiting get ``StoppedError``."""
        self.stopping = True
        self._room.set()
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)

    # ---- calls -----------------------------------------------------------------------------------

    async def permit(self, size: int, *, started: bool = False) -> Call:
        """Wait for a call's turn; ``size`` is the length of its request in bytes.

        After a stop only a letter that was ``started``, whose first answer is in, may still be asked about.
        Raises ``StoppedError``.
        """
        tokens = self._typical = self._estimate(size)
        async with self._turn:
            while (started or not self.stopping) and ((wait := self._wait()) > 0 or self._probing):
                await self._sleep(wait or _PAUSE)
            if self.stopping and not started:
                raise StoppedError("the run is ending: not asked", hint="run the same command again")
            now = self._clock()
            self.pace.take(now)
            self.tokens.take(now, tokens)
        self.sent += 1
        self._open.add(self.sent)
        return Call(now, size, tokens, self.sent)

    def done(self, call: Call) -> None:
        """A call is over, whatever came of it; to be called also where nothing did."""
        self._open.discard(call.number)

    def answered(self, call: Call, headers: Mapping[str, str], pause: float | None = None) -> None:
        """There was an answer, be it an error of another kind than a refusal, perhaps one that asks for a pause."""
        now = self._clock()
        self.done(call)
        self.last_answer = now
        if call.sent >= self.pace.lesson:
            self._storms = 0
        self._learn(call, headers, now)
        self.pace.answered(call.sent)
        if pause:
            self._hold(now, pause)
        if self._alone and self.pace.cap:
            self.window.enough(_ROOM * self.pace.cap * (now - call.sent))
        held = self._turn.locked() or self.pace.wait(now) > 0
        self.window.answered(now, full=self.active >= self.limit and not held)
        self._first_done()

    def refused(self, call: Call, headers: Mapping[str, str], pause: float | None, longest: float) -> None:
        """The endpoint refused a call as too many. ``pause`` is what it asked for, ``longest`` the longest pause (s).

        A pause of nothing, or one that did not help several times, is not believed: pauses grow from a floor.
        """
        now = self._clock()
        self.done(call)
        self.refusals += 1
        self._learn(call, headers, now)
        if self.pace.refused(now, call.sent):
            self._storms += 1
        if pause is None or pause < _PAUSE or self._storms > 2 * _PROBE_AFTER:
            # Jitter, so that several runs on one account do not come back in step.
            own = _PAUSE * 2 ** min(max(self._storms, 1) - 1, 10) * random.uniform(1.0, 1.5)  # noqa: S311
            pause = max(pause or 0.0, own)
        self._hold(now, min(pause, longest))
        self._first_done()

    def unanswered(self, call: Call) -> None:
        """Whoever answers by hand has not done so yet, and may want to see all requests at once."""
        self.done(call)
        self.last_answer = self._clock()
        self.window.open()
        self._first_done()
        self._room.set()

    def lost(self, call: Call) -> None:
        """There was no answer: a timeout, a lost connection."""
        self.done(call)
        self.window.lost(self._clock(), call.sent)
        self._first_done()

    def overloaded(self, call: Call, headers: Mapping[str, str], pause: float | None, longest: float) -> None:
        """The endpoint has too much to do (503, 529)."""
        now = self._clock()
        self.done(call)
        self._learn(call, headers, now)
        self.window.overloaded(now, call.sent)
        if pause:
            self._hold(now, min(pause, longest))
        self._first_done()

    def took(self, call: Call, tokens: int) -> None:
        """What an answered call really took, input and output."""
        self.tokens.correct(tokens - call.tokens)
        ratio = tokens / max(call.size, 1)
        self._tokens_per_byte += (ratio - self._tokens_per_byte) * (_LEARN if self._tokens_per_byte else 1.0)

    def starved(self, seconds: float) -> bool:
        """Whether nothing but refusals has come for so long."""
        return self._clock() - self.last_answer > seconds

    @property
    def held(self) -> float:
        """Seconds until a pause after a refusal is over."""
        return max(0.0, self._held_until - self._clock())

    @property
    def waiting(self) -> Waiting | None:
        """What the next call waits for; ``None`` if nothing holds it back."""
        now = self._clock()
        if self.held > 0:
            return Waiting("pause", self.held)
        waits = Waiting("requests", self.pace.wait(now)), Waiting("tokens", self.tokens.wait(now))
        longest = max(waits, key=lambda each: each.seconds)
        if longest.seconds > 0:
            return longest
        return Waiting("probe", 0.0) if self._probing else None

    # ---- inside ----------------------------------------------------------------------------------

    @property
    def _probing(self) -> bool:
        """Whether the single probe call, allowed while everything is refused, is in flight."""
        return self._storms >= _PROBE_AFTER and bool(self._open)

    def _wait(self) -> float:
        now = self._clock()
        return max(self.pace.wait(now), self.tokens.wait(now))

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        nap = self._nap = loop.create_future()
        alarm = loop.call_later(seconds, _wake, nap)
        try:
            await nap
        finally:
            alarm.cancel()

    def _estimate(self, size: int) -> float:
        return size * self._tokens_per_byte if self._tokens_per_byte else size / _BYTES_PER_TOKEN + _ANSWER_TOKENS

    def _learn(self, call: Call, headers: Mapping[str, str], now: float) -> None:
        reported = limit_headers(headers)
        if reported.other_period:
            self.pace.limit(None)
        if reported.requests:
            self.pace.limit(reported.requests)
            if reported.requests_left == 0:
                # That was so when the call came in, not when it was answered.
                self._hold(now, call.sent + _until(reported.requests_reset, 60 / reported.requests) - now)
        # Less than one call takes: a limit that no call could ever keep is none.
        if reported.tokens and reported.tokens >= call.tokens:
            self.tokens.limit(reported.tokens)
            lacking = 0 if reported.tokens_left is None else self._typical - reported.tokens_left
            if lacking > 0:
                self.tokens.hold(call.sent + _until(reported.tokens_reset, lacking * 60 / reported.tokens))

    def _hold(self, now: float, seconds: float) -> None:
        if seconds <= 0:
            return
        self.pace.hold(now, seconds)
        self._held_until = max(self._held_until, now + seconds)

    def _first_done(self) -> None:
        if self._alone:
            self._alone = False
            self._room.set()


def _until(reset: float | None, refill: float) -> float:
    """Seconds from a call that found nothing left until another fits in.

    What is whole again only after the full minute refills all the time; what is whole sooner is a
    window that ends then.
    """
    return refill if reset is None or reset > _NEARLY_A_MINUTE else reset


def _wake(nap: asyncio.Future[None]) -> None:
    if not nap.done():
        nap.set_result(None)


@runtime_checkable
class Limited(Protocol):
    """A model that lets a limiter hold back its calls."""

    limiter: Limiter | None
