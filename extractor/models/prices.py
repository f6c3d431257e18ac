"""What tokens cost: a dated table of list prices, kept in the workspace.

Nothing is guessed: a cost that is not known is ``None``, with the reason, and never 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from extractor.models.model import Usage
from extractor.models.names import is_desk, is_local

FILE = "prices.toml"
_MILLION = Decimal(1_000_000)
# One cached token of the cheapest models costs 0.00000001 USD.
_SMALLEST = Decimal("0.00000001")
_SNAPSHOT = re.compile(r"-20\d\d(-?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])\Z")
# Values of the request parameter `service_tier` for which list prices hold.
_STANDARD_TIERS = (None, "auto", "default", "standard_only")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("write a number, without quotes")
    return value


Usd = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=100_000)]


class Price(BaseModel):
    """List prices of one model, in USD per million tokens, and where they were read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Usd
    output: Usd = Field(description="reasoning included")
    cached_input: Usd | None = Field(None, description="input read from the cache; without it such calls have no cost")
    cache_write: Usd | None = Field(None, description="input written to the cache; likewise")
    max_input_tokens: int | None = Field(None, gt=0, description="longer calls have other prices, unknown here")
    base_url: str | None = Field(None, description="the one address this holds for; default: the provider's own")
    source: str = Field(min_length=1, description="where the figures were read")
    source_date: date | None = Field(None, description="of the source; left out if it gives none")
    note: str = ""


class PriceTable(BaseModel):
    """``prices.toml``: prices by model, named as in records; ``as_of`` is the day it was last reviewed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    models: dict[str, Price] = Field(default_factory=dict)

    def find(self, model: str, base_url: str | None = None) -> Price | None:
        """The price of exactly this model, or of the model that this is a dated snapshot of.

        No other ending is dropped: ``-mini`` or ``-5`` is a model of its own, at a price of its own.
        """
        for name in (model, without_snapshot(model)):
            price = self.models.get(name)
            if price and _address(price.base_url) == _address(base_url):
                return price
        return None


def without_snapshot(model: str) -> str:
    """A model's name without the date of its snapshot."""
    return _SNAPSHOT.sub("", model)


def _address(url: str | None) -> str:
    return (url or "").rstrip("/")


@dataclass(frozen=True)
class Cost:
    """An amount in USD, exact; or ``None`` and why it is not known."""

    usd: Decimal | None
    unknown: str = ""


def total(costs: Iterable[Cost]) -> Cost:
    """The sum; not known if any part of it is not."""
    usd = Decimal(0)
    for cost in costs:
        if cost.usd is None:
            return cost
        usd += cost.usd
    return Cost(usd)


def rounded(usd: Decimal | None) -> float | None:
    """An amount as records keep it: USD to 8 digits after the point."""
    return None if usd is None else float(usd.quantize(_SMALLEST))


@dataclass(frozen=True)
class Tariff:
    """What the model of one run costs: its price, or why there is none; ``free``: why nothing is charged, if so."""

    price: Price | None = None
    unknown: str = "no price table was read"
    as_of: date | None = None
    free: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the cost of a call can be known."""
        return self.price is not None or bool(self.free)

    @property
    def key(self) -> str:
        """All that decides a cost; not where it was read."""
        figures = {"input", "output", "cached_input", "cache_write", "max_input_tokens"}
        return self.price.model_dump_json(include=figures) if self.price else "free" if self.free else ""

    def cost(self, usage: Usage) -> Cost:
        """Input that was neither read from nor written to the cache, these two, and output, each at its price.

        No reported cache tokens means no cache was used.
        """
        price = self.price
        if self.free:
            return Cost(Decimal(0))
        if price is None:
            return Cost(None, self.unknown)
        if usage.input_tokens is None or usage.output_tokens is None:
            return Cost(None, "the endpoint did not report how many tokens it took")
        cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
        plain = usage.input_tokens - cached - written
        if min(plain, cached, written, usage.output_tokens) < 0:
            return Cost(None, "the endpoint reported impossible token counts")
        if price.max_input_tokens is not None and usage.input_tokens > price.max_input_tokens:
            return Cost(None, f"the price holds for calls of up to {price.max_input_tokens:,} input tokens")
        parts = {"input": plain, "cached_input": cached, "cache_write": written, "output": usage.output_tokens}
        usd = Decimal(0)
        for name, tokens in parts.items():
            figure: Decimal | None = getattr(price, name)
            if tokens and figure is None:
                return Cost(None, f"its price has no {name}: add it to the price table")
            usd += tokens * (figure or 0)
        return Cost(usd / _MILLION)


def tariff(table: PriceTable | None, file: str, model: str, params: Mapping[str, Any]) -> Tariff:
    """What ``model`` costs, asked with ``params`` (see ``Model.params``); ``file`` names the table."""
    if is_desk(model):
        return Tariff(free="answers are written at an answer desk")
    if is_local(model):
        return Tariff(free="the model runs on this machine")
    base_url, tier = params.get("base_url"), params.get("service_tier")
    if tier not in _STANDARD_TIERS:
        return Tariff(unknown=f"{file} holds standard prices, and service_tier is {tier!r}")
    price = table.find(model, base_url) if table else None
    if table and price:
        return Tariff(price, "", table.as_of)
    if base_url:
        return Tariff(unknown=f"unknown price for {model} at {base_url}: add it, with this base_url, to {file}")
    return Tariff(unknown=f"unknown price for {model}: add it to {file}")
