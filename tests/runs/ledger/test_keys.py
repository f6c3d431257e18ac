"""Keys of a record: whatever determines the answer or the verdict changes its key, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extractor.models.offline import OfflineModel
from extractor.models.prices import Tariff
from extractor.runs.ledger import keys, keys_of
from extractor.runs.plan import Plan
from tests.support.plans import MEMO

PLAN = Plan(MEMO, OfflineModel())


@pytest.mark.parametrize(
    ("changes", "ask", "check"),
    [
        ({}, False, False),
        ({"tariff": Tariff()}, False, False),
        ({"reasks": 3}, False, True),
        ({"strict": True}, False, True),
        ({"letter_type": replace(MEMO, checks_version=2)}, False, True),
    ],
)
def test_a_changed_plan_changes_these_keys(changes: dict[str, Any], ask: bool, check: bool) -> None:
    before, after = keys_of("sha", PLAN), keys_of("sha", replace(PLAN, **changes))
    assert (before.ask != after.ask, before.check != after.check) == (ask, check)


def test_another_letter_changes_both_keys() -> None:
    before, after = keys_of("sha", PLAN), keys_of("other", PLAN)
    assert before.ask != after.ask
    assert before.check != after.check


def test_another_version_of_the_engine_checks_stored_answers_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys_of("sha", PLAN)
    monkeypatch.setattr(keys, "ENGINE", "another")
    after = keys_of("sha", PLAN)
    assert (before.ask, before.check != after.check) == (after.ask, True)
