"""The statistics of two prompts: against brute force, closed forms and published examples, and under a true null."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from extractor.errors import UsageError
from extractor.evaluation.power import detectable
from extractor.evaluation.stats import (
    Interval,
    Share,
    cluster_ratio,
    holm,
    mean_change,
    sign_flip,
    smallest_p,
    wilson,
    zero_bound,
)

# Darwin's maize in eighths of an inch, as Fisher tests it in The Design of Experiments, section 21.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
# Student 1908: ten patients' hours of sleep gained by one drug over the other, in tenths.
STUDENT = [12, 24, 13, 13, 0, 10, 18, 8, 46, 14]

DIFFERENCES = st.lists(st.integers(-9, 9), max_size=12)


def mcnemar(b: int, c: int) -> float:
    """Two-sided p of McNemar's test (1947), exact: the binomial with 1/2 on b + c letters.

    ``b`` letters are right under the first prompt only, ``c`` under the second only. For letters fully
    right; over leaves it is far off.
    """
    tail = sum(math.comb(b + c, i) for i in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << (b + c)))


# ---- sign flips -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([], 1.0),
        ([0, 0, 0], 1.0),
        ([1, -1], 1.0),
        ([7], 1.0),
        ([2, 1, 1], 2 / 8),
        ([1, 1, 1, 1, 1], 0.0625),
        ([-1, -1, -1, -1, -1, -1], 0.03125),
        ([3, 3, 3, 3, 3, 3, 0, 0], 0.03125),
        ([5, 2, -1], 4 / 8),
        (DARWIN, 2 * 863 / 32768),
    ],
)
def test_sign_flip(differences: list[int], p: float) -> None:
    assert sign_flip(differences) == p


@given(DIFFERENCES)
def test_sign_flip_is_the_share_of_all_signs(differences: list[int]) -> None:
    signs = np.array(list(product((-1, 1), repeat=len(differences))), dtype=int).reshape(2 ** len(differences), -1)
    sums = np.abs(signs @ np.array(differences, dtype=int))
    assert sign_flip(differences) == np.mean(sums >= abs(sum(differences)))


@given(DIFFERENCES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_sign_flip_knows_no_order_no_side_and_no_unit(differences: list[int], order: random.Random, unit: int) -> None:
    mixed = [-unit * d for d in differences] + [0]
    order.shuffle(mixed)
    assert sign_flip(mixed) == sign_flip(differences)


@pytest.mark.parametrize(("m", "against"), [(40, 11), (1200, 550), (3000, 1400)])
def test_sign_flip_of_many_equal_letters_is_the_sign_test(m: int, against: int) -> None:
    differences = [1] * (m - against) + [-1] * against
    tail = sum(math.comb(m, i) for i in range(against + 1))
    assert sign_flip(differences) == 2 * tail / 2**m


def test_sign_flip_takes_the_integers_of_arrays() -> None:
    assert sign_flip(np.array(DARWIN * 4, dtype=np.int8)) == sign_flip(DARWIN * 4)  # type: ignore[arg-type]


def test_sign_flip_refuses_what_would_take_minutes() -> None:
    with pytest.raises(UsageError, match="6000 letters with 120000 differing errors") as caught:
        sign_flip([20] * 6000)
    assert caught.value.hint


@pytest.mark.parametrize(("m", "p"), [(0, 1.0), (1, 1.0), (2, 0.5), (5, 0.0625), (6, 0.03125), (5000, 0.0)])
def test_smallest_p(m: int, p: float) -> None:
    assert smallest_p(m) == p
    assert sign_flip([3] * min(m, 99)) == smallest_p(min(m, 99))


# ---- means and ratios -------------------------------------------------------------------------


def _subset_means(differences: list[int]) -> list[Fraction]:
    """Means of all non-empty subsets, in order: the bounds of the sign-flip test are among them (Hartigan 1969)."""
    subsets = (each for size in range(1, len(differences) + 1) for each in combinations(differences, size))
    return sorted(Fraction(sum(each), len(each)) for each in subsets)


@pytest.mark.parametrize(
    "differences", [DARWIN[:9], STUDENT[:8], [0, 0, 0, 1, 1, 1, 2, 1, 3], [1, -1, 2, -2, 3, 3, 3, 0]]
)
def test_the_interval_is_cut_off_the_means_of_all_subsets(differences: list[int]) -> None:
    means, n = _subset_means(differences), len(differences)
    tail = math.floor(0.025 * 2**n)
    found = mean_change(differences)
    assert found.mean == pytest.approx(sum(differences) / n)
    assert found.low == pytest.approx(float(means[tail - 1]), abs=0.009)
    assert found.high == pytest.approx(float(means[-tail]), abs=0.009)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(-6, 6), min_size=6, max_size=14))
def test_test_and_interval_agree(differences: list[int]) -> None:
    found = mean_change(differences)
    if found.low is not None:
        assert found.high is not None
        assert found.low <= found.mean + 0.004
        assert found.mean - 0.004 <= found.high
        assert (found.low <= 0 <= found.high) == (sign_flip(differences) > 0.05)


@pytest.mark.parametrize("seed", range(3))
def test_test_and_interval_agree_over_many_letters(seed: int) -> None:
    differences = np.random.default_rng(seed).choice([0, 0, 0, 1, -1, 2], 400).tolist()
    found = mean_change(differences)
    assert found.low is not None
    assert found.high is not None
    assert (found.low <= 0 <= found.high) == (sign_flip(differences) > 0.05)
    half = 1.96 * np.std(differences) / math.sqrt(400)
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), abs=0.02)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(-6, 6), min_size=6, max_size=10))
def test_the_interval_of_the_opposite_change_is_its_mirror(differences: list[int]) -> None:
    one, other = mean_change(differences), mean_change([-d for d in differences])
    if one.low is not None:
        assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))


@pytest.mark.parametrize("differences", [[4], [0, 0, 0], [-2] * 30, [10**9 + 1] * 7, [1, 2, 3, 4, 5]])
def test_without_spread_or_below_six_letters_there_are_no_bounds(differences: list[int]) -> None:
    assert mean_change(differences) == Interval(sum(differences) / len(differences), None, None)


def test_no_letter_has_no_mean() -> None:
    with pytest.raises(UsageError, match="no letter to compare"):
        mean_change([])


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=2, max_size=30))
def test_of_letters_of_one_size_the_ratio_is_the_mean(letters: list[tuple[int, int]]) -> None:
    ratio = cluster_ratio([(Share(a, 7), Share(b, 7)) for a, b in letters])
    changes = [(b - a) / 7 for a, b in letters]
    assert ratio.mean == pytest.approx(np.mean(changes))
    if ratio.low is not None:
        half = student.ppf(0.975, len(changes) - 1) * np.std(changes, ddof=1) / math.sqrt(len(changes))
        assert (ratio.low, ratio.high) == pytest.approx((ratio.mean - half, ratio.mean + half))
    else:
        assert len(set(changes)) == 1


SHARES = st.integers(1, 40).flatmap(lambda of: st.integers(0, of).map(lambda right: Share(right, of)))
LETTERS = st.lists(st.tuples(SHARES, SHARES), min_size=2, max_size=30)


@given(LETTERS)
@pytest.mark.slow
def test_with_equal_denominators_it_is_the_clustered_form(letters: list[tuple[Share, Share]]) -> None:
    gold = [(a.of, a.right, min(b.right, a.of)) for a, b in letters]
    total, n = sum(of for of, _, _ in gold), len(gold)
    change = sum(b - a for _, a, b in gold) / total
    error = math.sqrt(n / (n - 1) * sum((b - a - change * of) ** 2 for of, a, b in gold)) / total
    found = cluster_ratio([(Share(a, of), Share(b, of)) for of, a, b in gold])
    assert found is not None
    assert found.mean == pytest.approx(change)
    if found.low is not None and found.high is not None:
        assert found.high - found.low == pytest.approx(2 * error * student.ppf(0.975, n - 1), rel=1e-6)
    else:
        assert error == pytest.approx(0, abs=1e-9)


@given(LETTERS, st.randoms(use_true_random=False))
def test_the_other_way_round_the_change_is_opposite(letters: list[tuple[Share, Share]], order: random.Random) -> None:
    found = cluster_ratio(letters)
    swapped = [(b, a) for a, b in letters]
    order.shuffle(swapped)
    back = cluster_ratio(swapped)
    assert found is not None
    assert back is not None
    assert back.mean == -found.mean
    if found.low is None or found.high is None:
        assert back.low is back.high is None
    else:
        assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_a_change_of_precision_agrees_with_the_jackknife() -> None:
    rng = np.random.default_rng(11)
    of = rng.integers(10, 50, (60, 2))
    letters = [(Share(*a), Share(*b)) for a, b in np.stack([rng.binomial(of, (0.8, 0.9)), of], -1).tolist()]

    def change(some: list[tuple[Share, Share]]) -> float:
        first, second = (sum(x[i].right for x in some) / sum(x[i].of for x in some) for i in (0, 1))
        return second - first

    left_out = [change(letters[:i] + letters[i + 1 :]) for i in range(60)]
    error = math.sqrt(59 / 60 * sum((each - sum(left_out) / 60) ** 2 for each in left_out))
    found = cluster_ratio(letters)
    assert found is not None
    assert found.low is not None
    assert found.mean == pytest.approx(change(letters))
    assert (found.mean - found.low) / student.ppf(0.975, 59) == pytest.approx(error, rel=0.03)


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ([], None),
        ([(Share(0, 0), Share(1, 2)), (Share(0, 0), Share(1, 2))], None),
        ([(Share(1, 2), Share(2, 2))], Interval(0.5, None, None)),
        ([(Share(1, 3), Share(2, 3)), (Share(2, 6), Share(4, 6))], Interval(1 / 3, None, None)),
    ],
)
def test_a_ratio_without_an_estimate(letters: list[tuple[Share, Share]], found: Interval | None) -> None:
    assert cluster_ratio(letters) == found


# ---- rates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", range(0, 13, 3))
@pytest.mark.parametrize("c", range(13))
def test_mcnemar_is_a_sum_of_binomials(b: int, c: int) -> None:
    tail = sum(math.comb(b + c, i) for i in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(b, c) == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(c, b) == pytest.approx(mcnemar(b, c))
    assert mcnemar(b, c) == pytest.approx(sign_flip([1] * b + [-1] * c))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # the first four are Newcombe's (Statistics in Medicine 17, 1998, table I)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize(("level", "z"), [(0.95, 1.959963984540054), (0.9, 1.6448536269514722)])
@pytest.mark.parametrize("n", [1, 5, 20, 67])
def test_wilson_is_its_formula(n: int, level: float, z: float) -> None:
    for k in range(n + 1):
        middle, spread = k / n + z * z / (2 * n), z * math.sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n))
        bounds = (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)
        assert wilson(k, n, level) == pytest.approx(bounds, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "bound"),
    [(0, 1.0), (1, 0.95), (5, 0.451), (10, 0.259), (20, 0.139), (30, 0.095), (50, 0.058), (300, 0.00994)],
)
def test_zero_bound(n: int, bound: float) -> None:
    found = zero_bound(n)
    assert found == pytest.approx(bound, abs=0.0005)
    assert n == 0 or (1 - found) ** n == pytest.approx(0.05)


# ---- several prompts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ({}, {}),
        ({"v2": 0.03}, {"v2": 0.03}),
        ({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}, {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}),
        ({"a": 0.6, "b": 0.5}, {"a": 1.0, "b": 1.0}),
        ({"a": 0.02, "b": 0.02, "c": 0.02}, {"a": 0.06, "b": 0.06, "c": 0.06}),
    ],
)
def test_holm(raw: dict[str, float], adjusted: dict[str, float]) -> None:
    found = holm(raw)
    assert found == pytest.approx(adjusted)
    assert list(found) == list(raw)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_closes_bonferroni(values: list[float]) -> None:
    """A prompt differs if Bonferroni's test rejects for every group of prompts that it is in (Marcus and others 1976)."""
    raw = {str(i): value for i, value in enumerate(values)}
    groups = [group for size in range(1, len(raw) + 1) for group in combinations(raw, size)]
    for name, adjusted in holm(raw).items():
        worst = max(min(1.0, len(group) * min(raw[each] for each in group)) for group in groups if name in group)
        assert adjusted == pytest.approx(worst)


# ---- under a true null ------------------------------------------------------------------------


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 20, 50])
def test_two_prompts_that_are_alike_are_called_different_as_rarely_as_promised(n: int) -> None:
    """1,500 sets of letters of 1 to 6 decisions and 14 to 49 leaves, some harder than others.

    Each prompt meets each letter with an error rate of its own, drawn from the same distribution: neither is
    better, but the errors of a letter come together. McNemar over leaves, which does not know
    letters, must fail here; else this test could not show anything.
    """
    runs = 1500
    rng = np.random.default_rng(1908 + n)
    leaves = 7 + 7 * rng.integers(1, 7, (runs, n))
    hard = rng.beta(1.5, 13.5, (runs, n))
    first, second = rng.beta(15 * hard, 15 * (1 - hard), (2, runs, n))
    kinds = np.stack([first * (1 - second), (1 - first) * second, first * second, (1 - first) * (1 - second)], -1)
    counts = rng.multinomial(leaves, kinds)
    only_first, only_second, both = counts[..., 0], counts[..., 1], counts[..., 2]
    differences = (only_first - only_second).tolist()

    flips = np.mean([sign_flip(each) <= 0.05 for each in differences])
    assert 0.02 <= flips <= 0.065
    means = np.mean([_excludes_nothing(mean_change(each)) for each in differences])
    assert 0.02 <= means <= 0.065
    sides = [np.stack([leaves - only - both, leaves], -1).tolist() for only in (only_first, only_second)]
    ratios = np.mean([_excludes_nothing(_ratio(*each)) for each in zip(*sides, strict=True)])
    assert 0.02 <= ratios <= 0.075
    pooled = zip(only_first.sum(1).tolist(), only_second.sum(1).tolist(), strict=True)
    assert np.mean([mcnemar(*each) <= 0.05 for each in pooled]) > 0.10


def _ratio(first: list[list[int]], second: list[list[int]]) -> Interval | None:
    return cluster_ratio([(Share(*a), Share(*b)) for a, b in zip(first, second, strict=True)])


def _excludes_nothing(found: Interval | None) -> bool:
    assert found is not None
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


# ---- without scipy ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "figure",
    [
        lambda: mean_change([1, 2, 3, 4, 5, 6]),
        lambda: cluster_ratio([(Share(1, 2), Share(2, 2)), (Share(1, 2), Share(1, 2))]),
        lambda: detectable([1, 2, 3, 4, 5, 6]),
    ],
)
def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, figure: Callable[[], object]) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(UsageError) as caught:
        figure()
    assert caught.value.hint == "pip install 'letterproof[eval]'"


def test_without_scipy_the_exact_test_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    assert (sign_flip([1] * 6), smallest_p(6), zero_bound(1), holm({"a": 0.5})) == (
        0.03125,
        0.03125,
        pytest.approx(0.95),
        {"a": 0.5},
    )
