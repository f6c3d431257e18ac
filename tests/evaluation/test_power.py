"""What a set of letters can show: the simulated power against independent simulations and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from extractor.evaluation.power import detectable, letters_needed, power
from extractor.evaluation.stats import sign_flip

# Eight of 25 letters differ, as between two prompts whose change was +0.32.
SEEN = [0] * 17 + [1, 1, 1, 1, 1, 1, 3, -1]
SPREAD = [-2, -1, -1, 0, 0, 0, 1, 1, 2, 3] * 2


@pytest.mark.parametrize("letters", [12, 25, 45])
def test_power_is_the_share_of_drawn_sets_that_reach_the_level(letters):
    """At the change seen: plain resampling, counted with the exact test."""
    sets = np.random.default_rng(7).choice(SEEN, (1500, letters)).tolist()
    drawn = np.mean([sign_flip(each) <= 0.05 for each in sets])
    assert power(SEEN, sum(SEEN) / 25, letters) == pytest.approx(drawn, abs=0.045)


def test_without_a_change_the_test_is_significant_as_rarely_as_promised():
    assert power(SPREAD, 0.0, 60) == pytest.approx(0.05, abs=0.025)


def test_for_many_letters_power_is_that_of_the_normal_test():
    spread, n, change = math.sqrt(2), 200, 0.28
    z = change * math.sqrt(n) / spread - 1.96
    expected = 0.5 * math.erfc(-z / math.sqrt(2))
    assert power([-2, 2, 0, 0] * 10, change, n) == pytest.approx(expected, abs=0.04)


def test_the_letters_needed_for_the_change_seen():
    needed = letters_needed(SEEN, 0.32)
    assert 35 <= needed <= 50
    assert letters_needed(SEEN, -0.32) == needed, "the same change for the better"
    assert letters_needed(SEEN, 0.1) > needed > letters_needed(SEEN, 0.8)


def test_the_smallest_change_is_shown_four_times_in_five():
    change = detectable(SEEN)
    assert power(SEEN, change, 25) == pytest.approx(0.8, abs=0.03)
    assert detectable(SEEN, 200) < change < detectable(SEEN, 12)


NOTHING = [
    ("five differing letters", [0] * 20 + [1, 1, 1, 1, 1]),
    ("no letter differs", [0] * 20),
    ("no letters", []),
]


@pytest.mark.parametrize(("what", "differences"), NOTHING, ids=[row[0] for row in NOTHING])
def test_below_six_differing_letters_nothing_is_promised(what, differences):
    assert detectable(differences) is None
    assert letters_needed(differences, 0.5) is None
    assert power(differences, 0.5, 100) is None


def test_a_change_beyond_all_that_was_seen_cannot_be_planned():
    assert letters_needed(SEEN, 3.5) is None
    assert letters_needed(SEEN, 0.0) is None
