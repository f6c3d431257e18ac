"""Keys of a record: hashes that change exactly when it must be made again."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from extractor.engine import ENGINE
from extractor.models.offline import NAME as OFFLINE
from extractor.runs.plan import Plan


class Keys(NamedTuple):
    """``ask``: everything that determines the model's answer. ``check``: that, and what determines the verdict."""

    ask: str
    check: str


def keys_of(letter_sha256: str, plan: Plan, reading_sha256: str = "") -> Keys:
    """The keys of one letter under one plan, as hex digests; ``reading_sha256`` as in ``Letter``."""
    ask = _digest(letter_sha256, *_asked(plan))
    checks = (ENGINE, plan.letter_type.code_sha256, str(plan.reasks), plan.tariff.key)
    second = (*_asked(plan.second), plan.second.tariff.key) if plan.second else ()
    asks_all = plan.asks_unrecognized and not plan.is_offline
    options = [name for name, is_set in (("strict", plan.strict), ("unrecognized", asks_all)) if is_set]
    more = (*options, *((reading_sha256,) if reading_sha256 else ()))
    return Keys(ask, _digest(ask, *checks, *more, *second))


def keys_of_unassigned(letter_sha256: str, plan: Plan) -> Keys:
    """The keys of a letter that is of none of a plan's letter types: any change of a type looks at it again."""
    ask = _digest("unassigned", letter_sha256)
    return Keys(ask, _digest(ask, ENGINE, *(each.letter_type.code_sha256 for each in plan.by_type)))


def plan_key(plan: Plan) -> str:
    """The part of the key that all questions of a plan share, as a hex digest."""
    return _digest(*(part for each in plan.by_type for part in _asked(each)))


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
