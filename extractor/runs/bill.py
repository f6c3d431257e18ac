"""What records took and cost, summed up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from extractor.display.values import money
from extractor.models.model import Usage
from extractor.models.offline import NAME as OFFLINE
from extractor.models.prices import rounded
from extractor.runs.ledger import Totals
from extractor.runs.plan import Plan
from extractor.runs.record import Attempt, Record


@dataclass
class Bill:
    """The sum over records, whenever they were paid for.

    Letters of equal text under one plan are asked about once, and counted once.
    """

    plan: Plan
    replaying: bool = False
    usage: Usage = field(default_factory=Usage)
    usd: Decimal = Decimal(0)
    asked: int = 0
    unpriced: int = 0
    why: str = ""
    # Hashes, because a run may hold a million letters.
    _seen: set[int] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Count one record."""
        same = hash((record.letter_sha256, record.model, record.prompt_sha256, record.schema_sha256))
        never_asked = not record.attempts and record.cost_usd == 0
        if never_asked or same in self._seen:
            return
        self._seen.add(same)
        self.asked += 1
        self.usage += record.usage
        if record.cost_usd is None:
            self.unpriced += 1
            self.why = self.why or self._why(record)
        else:
            self.usd += Decimal(str(record.cost_usd))

    def take(self, totals: Totals, odd: Record | None) -> None:
        """Count a whole run, summed up by its ledger; ``odd`` is a record whose cost is not known."""
        self.usage, self.usd = totals.usage, totals.usd
        self.asked, self.unpriced = totals.asked, totals.unpriced
        self.why = self._why(odd) if odd else ""

    def _why(self, record: Record) -> str:
        if not record.attempts:
            return f"letter {record.letter_id} ended in an internal error"
        costs = [self._plan_of(attempt).tariff.cost(attempt.usage) for attempt in record.attempts]
        unknown = [cost.unknown for cost in costs if cost.usd is None]
        # A record that another model left behind, whose letter could not be asked about now.
        other = record.model != self.plan.model.name
        return f"unknown price for {record.model}" if other or not unknown else unknown[0]

    def _plan_of(self, attempt: Attempt) -> Plan:
        second = self.plan.second
        return second if second and attempt.model == second.model.name else self.plan

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report. ``cost_usd`` is ``None`` if any part is unknown; the known part is separate."""
        return {
            "usage": self.usage.as_dict(),
            "cost_usd": None if self.unpriced else rounded(self.usd),
            "cost_usd_known": rounded(self.usd),
            "cost_unknown": self.why or None,
            "replayed": self.replaying,
        }

    def line(self) -> str:
        """For people; empty where no model was asked."""
        if self.plan.model.name == OFFLINE or not self.asked:
            return ""
        return f"{self._tokens()} {self._cost()}"

    def _tokens(self) -> str:
        usage = self.usage
        if usage.input_tokens is None or usage.output_tokens is None:
            return "Tokens: not reported by the endpoint."
        parts = {"cached": usage.cached_tokens, "written to the cache": usage.cache_write_tokens}
        cached = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
        reasoning = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
        return f"Tokens: {usage.input_tokens:,} in{cached and f' ({cached})'}, {usage.output_tokens:,} out{reasoning}."

    def _cost(self) -> str:
        if self.plan.tariff.free and not self.unpriced and not self.usd:
            return f"No cost: {self.plan.tariff.free}."
        if self.unpriced == self.asked:
            sentence = f"Cost unknown: {self.why}."
        else:
            rest = f" and {self.unpriced} of {self.asked} letters unknown ({self.why})" if self.unpriced else ""
            what = "recorded answers" if self.replaying else "answers"
            day = f", at list prices as of {self.plan.tariff.as_of}" if self.plan.tariff.as_of else ""
            sentence = f"Cost of the {what}: {money(self.usd)}{rest}{day}."
        return f"{sentence} This replay cost nothing." if self.replaying else sentence
