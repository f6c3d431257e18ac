"""What a response tells of its endpoint's limits."""

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

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?\Z")
_UNITS = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)
# A limit a minute is whole again within a minute. One that takes longer is a limit a day, such as Groq's.
_MINUTE = 66.0


@dataclass(frozen=True)
class Told:
    """Limits a minute, what is left of them, and in how many seconds they are whole again; ``None``: not told.

    ``other_period``: the limit of requests is told, but not for a minute.
    """

    requests: int | None = None
    requests_left: int | None = None
    requests_reset: float | None = None
    tokens: int | None = None
    tokens_left: int | None = None
    tokens_reset: float | None = None
    other_period: bool = False


_NOTHING = Told()


def told_by(headers: Mapping[str, str]) -> Told:
    """Read the headers of one response, whatever its status; what cannot be read was not told."""
    found = {name: value for name, value in headers.items() if "ratelimit" in name}
    if not found:
        return _NOTHING
    reset = _seconds(_first(found, _RESET_REQUESTS))
    other = reset is not None and reset > _MINUTE
    return Told(
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


def _count(said: str) -> int | None:
    return int(said) if said.isascii() and said.isdigit() and 0 < len(said) < 13 and int(said) else None


def _left(said: str) -> int | None:
    # Some gateways tell a debt.
    if re.fullmatch(r"-\d{1,12}", said):
        return 0
    return int(said) if said.isascii() and said.isdigit() and len(said) < 13 else None


def _seconds(said: str) -> float | None:
    """``1s``, ``6m0s``, ``20ms``, ``7.5`` (seconds), or a moment in ISO form."""
    if not said:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", said):
        return float(said)
    if match := _DURATION.match(said):
        return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
