"""What a flag was worth: a finding that blames nobody is no oddity of the letter."""

from __future__ import annotations

import pytest

from extractor.evaluation.scores.summary import LetterScore


@pytest.mark.parametrize(
    ("status", "blames", "flag"),
    [
        ("accepted", set(), ""),
        ("accepted", {"letter"}, ""),
        ("needs_review", {"letter"}, "letter"),
        ("needs_review", {"letter", "unclear"}, "letter"),
        ("needs_review", {"unclear"}, "false"),
        ("needs_review", {"answer"}, "false"),
        ("failed", set(), "right"),
    ],
)
def test_the_worth_of_a_flag_on_a_right_answer(status: str, blames: set[str], flag: str) -> None:
    assert LetterScore("x", status=status, leaves=(), blames=frozenset(blames)).flag == flag
