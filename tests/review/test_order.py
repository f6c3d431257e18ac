"""Who is asked to look first, and what counts as looked at."""

from __future__ import annotations

from typing import Any

import pytest

from extractor.lettertypes.findings import Finding
from extractor.review.log import Act
from extractor.review.queue import _rank
from extractor.review.state import fold
from tests.support.imr import IMR


def acts(*names: str) -> list[Act]:
    more: dict[str, Any] = {"path": "/worker/age", "old": 1, "new": 2}
    return [
        Act("a", number, name, "", f"{name}er", None, "sha", **(more if name == "correct" else {}))
        for number, name in enumerate(names, 1)
    ]


@pytest.mark.parametrize(
    ("names", "decided", "by"),
    [
        (["skip"], "skipped", ()),
        (["skip", "comment"], "skipped", ()),
        (["correct", "skip"], "skipped", ("correcter",)),
        (["skip", "accept"], "accepted", ("accepter",)),
        (["skip", "reject"], "rejected", ("rejecter",)),
    ],
)
def test_a_skipped_letter_is_reviewed_by_nobody(names: list[str], decided: str, by: tuple[str, ...]) -> None:
    state = fold(acts(*names), "sha")
    assert (state.decided, state.by) == (decided, by)


def test_failed_letters_come_after_wrong_answers() -> None:
    """There is no answer to look at; but they come before warnings and what is clean."""
    wrong, doubtful = (Finding("x", "/worker/age", severity, "answer", "") for severity in ("error", "warning"))
    in_order = [("needs_review", [wrong]), ("failed", []), ("needs_review", [doubtful]), ("accepted", [])]
    ranks = [_rank(IMR, status, findings) for status, findings in in_order]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
