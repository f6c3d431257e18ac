"""What a run has done so far, and in the end."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from extractor.errors import ExtractorError
from extractor.lettertypes.mixed import UNASSIGNED
from extractor.models.model import Generating, Reply
from extractor.models.prices import Cost, rounded
from extractor.runs.ledger import Totals, WithheldCount
from extractor.runs.record import Record

# An endpoint that fails this often in a row is down; going on would only burn through the list.
GIVE_UP_AFTER = 5
# Over how many seconds the rate is measured.
_RECENT = 60.0

# When a run is out of time, its calls in flight have this long to end before they are cancelled (s).
GRACE = 10.0
# An endpoint that does nothing but refuse calls for this long has no room for this run (s).
REFUSED_FOR = 600.0

# Of so many failed letters the reason is given.
MOST_NAMED = 200
# Why a run ended before its last letter.
STOPS = {
    "interrupted": "it was interrupted",
    "endpoint": f"the endpoint failed {GIVE_UP_AFTER} times in a row",
    "engine": "the engine that reads files is gone",
    "refused": f"the endpoint refused every call for {REFUSED_FOR / 60:.0f} minutes (429)",
    "max_cost": "the cost would go beyond --max-cost",
    "cost_unknown": "a cost is not known, so --max-cost cannot be kept",
    "max_minutes": f"--max-minutes are over; calls still open {GRACE:.0f} s later were cancelled",
    "max_failures": "--max-failures letters failed",
    "ledger": "the run folder cannot be written",
}


@dataclass
class Summary:
    """What a run did. ``unanswered`` letters have no record from it yet: the next run asks them.

    ``statuses`` counts the letters done now, ``before`` those that were done already. ``doubled`` letters
    have the text of another one before them. ``asked`` letters got an answer now; ``calls``, tokens and
    ``usd`` are of these answers, ``unpriced`` of them without a known cost. ``stopped`` is a key of ``STOPS``, and
    ``stop_detail`` its figures. ``reading`` counts the PDFs, scans and containers being read,
    ``generating`` the tokens of a local model that is at work. ``counts``, ``totals``,
    ``withheld``, ``types``, ``first`` and ``odd_cost`` come from the ledger when the run has ended: all its letters by
    status, what they took, what their records withhold, how many are of each letter type where there are several,
    the first records, one whose cost is not known. ``missing`` are letters with a record whose file is gone or renamed.
    """

    total: int = 0
    skipped: int = 0
    doubled: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    unanswered: dict[str, ExtractorError] = field(default_factory=dict)
    interrupted: bool = False
    stopped: str = ""
    stop_detail: str = ""
    next_letters: list[str] = field(default_factory=list)
    seconds: float = 0.0
    asked: int = 0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0
    in_flight: int = 0
    reading: int = 0
    generating: Generating = field(default_factory=Generating)
    window: int = 1
    refusals: int = 0
    held: float = 0.0
    per_minute: float | None = None
    counts: Counter[str] = field(default_factory=Counter)
    totals: Totals = field(default_factory=Totals)
    withheld: WithheldCount = field(default_factory=WithheldCount)
    types: Counter[str] = field(default_factory=Counter)
    first: list[Record] = field(default_factory=list, repr=False)
    odd_cost: Record | None = None
    missing: list[str] = field(default_factory=list, repr=False)
    _began: float = field(default_factory=time.monotonic)
    _recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=1_000))

    @property
    def stop_reason(self) -> str:
        """Why the run ended before its last letter; empty if it did not."""
        return STOPS[self.stopped] if self.stopped else ""

    @property
    def done(self) -> int:
        return self.skipped + self.statuses.total() + len(self.unanswered)

    @property
    def unassigned(self) -> int:
        """Letters of no letter type, or of several."""
        return self.types[UNASSIGNED]

    @property
    def left(self) -> int:
        """Letters without a record of this run: not reached, or not answered."""
        return self.total - self.skipped - self.statuses.total()

    @property
    def failures(self) -> int:
        return self.statuses["failed"] + len(self.unanswered)

    @property
    def rate(self) -> float:
        """Letters a second, of late."""
        if not self._recent:
            return 0.0
        then, done = self._recent[0]
        return (self.done - done) / max(time.monotonic() - then, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """A guess, from the rate; ``None`` while there is none."""
        waiting = self.total - self.done
        return waiting / self.rate if self.rate > 0 else None if waiting else 0.0

    def tick(self) -> None:
        """Keep what the rate is measured from; to be called about twice a second."""
        now = time.monotonic()
        self.seconds = now - self._began
        if not self._recent:
            self._recent.append((self._began, 0))
        self._recent.append((now, self.done))
        while now - self._recent[0][0] > _RECENT and len(self._recent) > 2:
            self._recent.popleft()

    def paid(self, reply: Reply, cost: Cost) -> None:
        """Count one answer."""
        self.calls += 1
        self.input_tokens += reply.usage.input_tokens or 0
        self.output_tokens += reply.usage.output_tokens or 0
        self.unpriced += cost.usd is None
        self.usd += cost.usd or 0

    def state(self) -> dict[str, Any]:
        """The state of the run as JSON values."""
        now = self.statuses + self.before
        left = self.seconds_left
        return {
            "letters": self.total,
            "done": self.done,
            "skipped": self.skipped,
            **{status: now[status] for status in ("accepted", "needs_review", "failed")},
            "unanswered": len(self.unanswered),
            "left": self.left,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": None if self.unpriced else rounded(self.usd),
            "in_flight": self.in_flight,
            "reading": self.reading,
            "generating": {**vars(self.generating)} if self.generating.letters else None,
            "window": self.window,
            "refused_calls": self.refusals,
            "calls_per_minute": None if self.per_minute is None else round(self.per_minute, 1),
            "letters_per_second": round(self.rate, 2),
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left),
            "stopped": self.stopped or None,
        }
