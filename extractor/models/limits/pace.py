"""How many calls and tokens a second: as many as are allowed, evenly, and what a refusal teaches.

Times are seconds of any one clock that never goes back; every method is given the time.
"""

from __future__ import annotations

from collections import deque

# Of a limit that is known. The rest is room for calls that arrive closer together than they were sent.
SHARE = 0.98
# Lateness, in seconds, that later calls may make up for.
_SLACK = 0.1
# A rate is measured over no fewer calls, and over no more of the latest ones.
_FEW = 5
_LATEST = 32
_SLOWEST = 1 / 600
# After so many calls without a refusal the pace is raised; twice as many after each storm at the same rate.
_STEP = 20
_LONGEST_STEP = 16 * _STEP
_RAISE = 0.01
_LARGEST_RAISE = 0.25


class Pace:
    """When the next call may be made.

    Without a limit, calls are made as they come. ``cap`` is the highest rate, in calls a second,
    reported by the endpoint or set by the user. A refusal lowers ``rate`` below it, and then it rises
    again: soon to where the refusal came, slowly beyond, faster while nothing is refused. ``lesson`` is
    when a refusal last taught something: calls sent before it carry no news about the rate since.
    """

    def __init__(self, per_minute: float | None = None) -> None:
        self._given = per_minute / 60 if per_minute else None
        self._reported: float | None = None
        self.rate = self._given
        self._slack = _SLACK
        self._next = 0.0
        self._ceiling = 0.0
        self._step = _STEP
        self._raise = _RAISE
        self._quiet = 0
        self.lesson = 0.0
        # What the next lesson is drawn from: since when, calls let through, seconds of pause, the latest calls.
        self._since = 0.0
        self._let_through = 0
        self._paused = 0.0
        self._latest: deque[float] = deque(maxlen=_LATEST)

    @property
    def cap(self) -> float | None:
        known = [each for each in (self._given, self._reported) if each is not None]
        return min(known, default=None)

    def limit(self, per_minute: float | None) -> None:
        """The limit that the endpoint reports; ``None`` if it turns out to be for another period."""
        reported = per_minute / 60 * SHARE if per_minute else None
        if reported == self._reported:
            return
        before, self._reported = self.cap, reported
        if self.cap is None:
            self.rate = None if self.rate == before else self.rate
        elif self.rate is None or self.rate > self.cap or self.rate == before:
            self.rate = self.cap

    def wait(self, now: float) -> float:
        """Seconds until the next call may be made; 0 for now."""
        return max(0.0, self._next - now)

    def take(self, now: float) -> None:
        """One call is made now."""
        self._since = self._since or now
        self._let_through += 1
        self._latest.append(now)
        if self.rate is not None:
            self._next = max(self._next, now - self._slack) + 1 / self.rate

    def hold(self, now: float, seconds: float) -> None:
        """No call for so long."""
        until = now + seconds
        if until > self._next:
            self._paused += until - max(now, self._next)
            self._next = until
            self._latest.clear()

    def answered(self, sent: float) -> None:
        """A call that was sent at ``sent`` was answered with anything but a refusal."""
        if self.rate is None or self.rate == self.cap or sent < self.lesson:
            return
        self._quiet += 1
        if self._quiet < self._step:
            return
        self._quiet = 0
        if self.rate >= self._ceiling:
            self.rate *= 1 + self._raise
            self._raise = min(2 * self._raise, _LARGEST_RAISE)
        else:
            self.rate += max(_RAISE * self.rate, (self._ceiling - self.rate) / 8)
        if self.cap is not None:
            self.rate = min(self.rate, self.cap)

    def refused(self, now: float, sent: float) -> bool:
        """A call that was sent at ``sent`` was refused; whether that was a lesson.

        A storm is one lesson: refusals of calls that were sent before it teach nothing more. If too
        few calls got through to measure anything, only the pause that follows helps. A storm soon
        after a pause shows the limit: what got through, pause included. Otherwise calls were just
        too fast.
        """
        if sent < self.lesson:
            return False
        self.lesson = now
        self._let_through -= 1
        if self._let_through < _FEW:
            return True
        passed = max(now - self._since, 1e-3)
        mean, busy = self._let_through / passed, self._busy(now)
        if self._paused > passed / 10:
            rate = ceiling = min(max(mean * SHARE, busy / 8), busy)
        elif self._reported is not None and self.rate is not None:
            # Slow enough on the whole, so some were too close together.
            self._slack /= 2
            rate = ceiling = 0.95 * self.rate
        else:
            rate, ceiling = 0.9 * busy, busy
        again = abs(ceiling - self._ceiling) < ceiling / 10
        self._step = min(2 * self._step, _LONGEST_STEP) if again else _STEP
        self._raise, self._quiet = _RAISE, 0
        self.rate, self._ceiling = max(rate, _SLOWEST), ceiling if self._reported is None else self._reported
        self._since, self._let_through, self._paused = now, 0, 0.0
        self._latest.clear()
        return True

    def _busy(self, now: float) -> float:
        """Calls a second of late, outside the pauses."""
        if len(self._latest) < _FEW:
            passed = now - self._since - self._paused
            rate = self._let_through / max(passed, 1e-3)
        else:
            rate = (len(self._latest) - 1) / max(self._latest[-1] - self._latest[0], 1e-3)
        return rate if self.rate is None else min(rate, self.rate)


class Tokens:
    """Tokens a minute. A call takes what it is thought to need; ``correct`` puts it right afterwards."""

    def __init__(self, per_minute: float | None = None) -> None:
        self._given = per_minute
        self._reported: float | None = None
        self._next = 0.0

    @property
    def per_minute(self) -> float | None:
        known = [each for each in (self._given, self._reported) if each is not None]
        return min(known, default=None)

    def limit(self, per_minute: float) -> None:
        """The limit that the endpoint reports."""
        self._reported = per_minute * SHARE

    def wait(self, now: float) -> float:
        return max(0.0, self._next - now) if self.per_minute else 0.0

    def take(self, now: float, tokens: float) -> None:
        if self.per_minute:
            self._next = max(self._next, now - _SLACK) + tokens * 60 / self.per_minute

    def correct(self, more: float) -> None:
        """A call took so many more tokens than it was thought to; fewer if below 0."""
        if self.per_minute:
            self._next += more * 60 / self.per_minute

    def hold(self, until: float) -> None:
        """No call before then."""
        self._next = max(self._next, until)
