"""The endpoint's limits, read from the headers of a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

# OpenAI, Azure, Groq and the servers made to look like them; Anthropic.
_LIMIT_REQUESTS = ("x-ratelimit-limit-requests", "anthropic-ratelimit-requests-limit")
_LEFT_REQUESTS = ("x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining")
_RESET_REQUESTS = ("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset")
_LIMIT_TOKENS = ("x-ratelimit-limit-tokens", "anthropic-ratelimit-tokens-limit")
_LEFT_TOKENS = ("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining")
_RESET_TOKENS = ("x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset")

_WHOLE, _PARTS = r"([0-9]{1,9})", r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile(rf"(?:{_WHOLE}d)?(?:{_WHOLE}h)?(?:{_WHOLE}m(?!s))?(?:{_PARTS}s)?(?:{_PARTS}ms)?\Z")
_UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
# A limit per minute is whole again within a minute. One that takes longer is a limit per day, such as Groq's.
_MINUTE = 66.0


@dataclass(frozen=True)
class LimitHeaders:
    """Limits per minute, what is left of them, and in how many seconds they are whole again; ``None`` if not given.

    ``other_period``: there is a limit of requests, but not per minute.
    """

    requests: int | None = None
    requests_left: int | None = None
    requests_reset: float | None = None
    tokens: int | None = None
    tokens_left: int | None = None
    tokens_reset: float | None = None
    other_period: bool = False


_NOTHING = LimitHeaders()


def limit_headers(headers: Mapping[str, str]) -> LimitHeaders:
    """Read the headers of one response, whatever its status; a value that cannot be read counts as not given."""
    found = {name: value for name, value in headers.items() if "ratelimit" in name}
    if not found:
        return _NOTHING
    reset = _seconds(_first(found, _RESET_REQUESTS))
    other = reset is not None and reset > _MINUTE
    return LimitHeaders(
        None if other else _count(_first(found, _LIMIT_REQUESTS)),
        _left(_first(found, _LEFT_REQUESTS)),
        reset,
        _count(_first(found, _LIMIT_TOKENS)),
        _left(_first(found, _LEFT_TOKENS)),
        _seconds(_first(found, _RESET_TOKENS)),
        other,
    )


def _first(found: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((found[name].strip() for name in names if name in found), "")


def _count(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[0-9]{1,12}", value) and int(value) else None


def _left(value: str) -> int | None:
    # Some gateways report a debt.
    if re.fullmatch(r"-[0-9]{1,12}", value):
        return 0
    return int(value) if re.fullmatch(r"[0-9]{1,12}", value) else None


def _seconds(value: str) -> float | None:
    """``1s``, ``6m0s``, ``20ms``, ``7.5`` (seconds), or a moment in ISO form."""
    if not value:
        return None
    if re.fullmatch(_PARTS, value):
        return float(value)
    if match := _DURATION.match(value):
        return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
