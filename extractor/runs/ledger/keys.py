"""What makes a record: hashes that change when, and only when, it must be made anew."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from extractor.engine import ENGINE
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.plan import Plan


class Keys(NamedTuple):
    """``ask``: all that decides what the model would say. ``check``: that, and what decides the verdict on it."""

    ask: str
    check: str


def keys_of(letter_sha256: str, plan: Plan) -> Keys:
    """The keys of one letter under one plan, as hex digests."""
    ask = _digest(letter_sha256, *_asked(plan))
    checks = (ENGINE, plan.letter_type.code_sha256, str(plan.reasks), plan.tariff.key)
    second = (*_asked(plan.second), plan.second.tariff.key) if plan.second else ()
    return Keys(ask, _digest(ask, *checks, *(("strict",) if plan.strict else ()), *second))


def plan_key(plan: Plan) -> str:
    """What all questions of a plan have in common, as a hex digest."""
    return _digest(*_asked(plan))


def _asked(plan: Plan) -> tuple[str, ...]:
    return (
        plan.prompt.sha256 if plan.prompt else "",
        plan.letter_type.schema_sha256,
        plan.model.name,
        json.dumps(plan.model.params, sort_keys=True, default=str),
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def keeps_replies(plan: Plan) -> bool:
    """Whether a plan's replies are worth keeping. The baseline's cost nothing."""
    return plan.model.name != OFFLINE
