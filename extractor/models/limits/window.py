"""How many letters may be in flight at once: found by trying, within bounds.

More in flight is worth it as long as more comes back. Where an endpoint only makes calls wait (a
local model with few slots), more in flight means longer waits, then timeouts; so the window
grows by measuring: it doubles, later grows by a quarter, and goes back if the rate did not follow.
It widens by one with each answer, as TCP's slow start does (RFC 5681, section 3.1): all at once, the
added calls would hit an unknown limit as one storm. Many timeouts halve it.
"""

from __future__ import annotations

import math

START = 4
# A larger window must bring at least this share of what it would bring if nothing held it back.
_WORTH_IT = 0.4
_MOST_REST = 16
# Answers needed to detect a gain of a quarter despite the noise.
_MANY = 40
# A call lost now and then is the endpoint's own trouble; more than this share is ours.
_LOST_SHARE = 0.2
_LOST_FEW = 3


class Window:
    """``limit`` is how many may be in flight now; it stays between ``low`` and ``high``."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.limit = min(high, max(low, START))
        self._fast = True
        # The largest window that was worth it, and the answers a second that it brought.
        self._best: tuple[int, float] | None = None
        self._target = self.limit
        self._doubted = False
        self._rest = self._resting = 0
        self._settling = self.limit
        self._started = 0.0
        self._counted = self._idle = 0
        self._lesson = 0.0
        self._outcomes = self._lost = 0

    def answered(self, now: float, *, full: bool) -> None:
        """A call came back. ``full``: all of the window was in use, and nothing else held calls back."""
        self._outcomes += 1
        if self._outcomes >= 100:
            self._outcomes, self._lost = self._outcomes // 2, self._lost // 2
        if self.low == self.high:
            return
        if self._settling > 0:
            # These were sent when the window was another.
            self._settling -= 1
            self.limit = min(self._target, self.limit + 1)
            self._started = now
            return
        if not self._started:
            self._started = now
            return
        self._counted += 1
        self._idle += not full
        if self._counted >= (max(self.limit, 2 * START) if self._fast else max(4 * self.limit, _MANY)):
            self._judge(self._counted / max(now - self._started, 1e-6), used=self._idle <= self._counted // 4)

    def enough(self, letters: float) -> None:
        """So many are enough for the rate that the endpoint allows: begin there, as it will bear them."""
        if self._fast and self.limit < letters:
            self._go_to(min(self.high, math.ceil(letters)))
            self.limit = self._target

    def open(self) -> None:
        """As many as the bounds allow: what is in flight waits for people, not for an endpoint's capacity."""
        if self.limit < self.high:
            self._go_to(self.high)
            self.limit = self.high

    def lost(self, now: float, sent: float) -> None:
        """A call that was sent at ``sent`` got no answer."""
        self._outcomes += 1
        if sent < self._lesson:
            return
        self._lost += 1
        if self._lost >= _LOST_FEW and self._lost > _LOST_SHARE * self._outcomes:
            self.overloaded(now, sent)

    def overloaded(self, now: float, sent: float) -> None:
        """The endpoint has too much to do: half as many, once for all calls that were sent before."""
        if sent < self._lesson:
            return
        self._lesson, self._fast, self._best = now, False, None
        self._outcomes = self._lost = 0
        self._rest = self._resting = _MOST_REST // 2
        self._go_to(max(self.low, self.limit // 2))

    def _judge(self, rate: float, *, used: bool) -> None:
        best = self._best
        if not used:
            # What holds calls back is not the window.
            self._measure_again()
        elif best is None or self.limit <= best[0]:
            self._best = (self.limit, rate)
            self._resting -= 1
            if self._resting < 0:
                self._grow()
            else:
                self._measure_again()
        elif rate / best[1] - 1 >= _WORTH_IT * (self.limit / best[0] - 1):
            self._best, self._rest = (self.limit, rate), 0
            self._grow()
        elif self._fast and not self._doubted:
            # A few slow answers look like an endpoint that can do no more: what is measured twice holds.
            self._doubted = True
            self._measure_again()
        else:
            self._fast = False
            self._rest = self._resting = min(max(1, 2 * self._rest), _MOST_REST)
            self._go_to(best[0])

    def _grow(self) -> None:
        self._resting = 0
        self._go_to(min(self.high, 2 * self.limit if self._fast else self.limit + max(1, self.limit // 4)))

    def _go_to(self, limit: int) -> None:
        self._settling = self.limit if limit != self.limit else 0
        self._target, self._doubted = limit, False
        self.limit = min(self.limit, limit)
        self._measure_again()

    def _measure_again(self) -> None:
        self._counted = self._idle = 0
        self._started = 0.0
