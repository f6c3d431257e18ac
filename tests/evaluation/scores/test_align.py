"""Pairing records and values: the best pairs there are, by trying all of them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from extractor.errors import UsageError
from extractor.evaluation.scores.align import align, pair_bags, pair_lists

COSTS = st.integers(0, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.sampled_from([0, 0.1, 0.2, 0.25, 0.5, 0.7, 1]), min_size=columns, max_size=columns), max_size=5
    )
)
VALUES = st.lists(st.sampled_from("abc"), max_size=5)


# ---- records ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "pairs"),
    [
        ([], []),
        ([[], []], []),
        ([[0.2]], [(0, 0)]),
        ([[0.5]], [(0, 0)]),
        ([[0.500001]], []),
        ([[0.9, 0.1], [0.1, 0.9]], [(0, 1), (1, 0)]),
        ([[0.9, 0.1, 0.9], [0.9, 0.9, 0.2]], [(0, 1), (1, 2)]),
        ([[0.9], [0.1], [0.9]], [(1, 0)]),
        # The greedy choice (0, 0) would leave row 1 with 0.5.
        ([[0.0, 0.1], [0.1, 0.5]], [(0, 1), (1, 0)]),
        # The perfect pair stays, although the two other ways add up to less than its rest.
        ([[0.0, 0.45], [0.5, 1.0]], [(0, 0)]),
        ([[float("inf"), 0.1], [0.1, float("inf")]], [(0, 1), (1, 0)]),
    ],
)
def test_align(cost: list[list[float]], pairs: list[tuple[int, int]]) -> None:
    assert align(cost, worst=0.5) == pairs


@pytest.mark.parametrize(
    ("shape", "pairs"),
    [
        ((3, 3), [(0, 0), (1, 1), (2, 2)]),
        ((2, 4), [(0, 0), (1, 1)]),
        ((4, 2), [(0, 0), (1, 1)]),
    ],
)
def test_records_that_are_all_alike_keep_their_order(shape: tuple[int, int], pairs: list[tuple[int, int]]) -> None:
    # 0.1 + 0.2 is not 0.3 in floats: such dust is a tie, too.
    cost = [[0.3 if (row + column) % 2 else 0.1 + 0.2 for column in range(shape[1])] for row in range(shape[0])]
    assert align(cost, worst=0.5) == pairs


@pytest.mark.parametrize(
    ("cost", "pairs"),
    [
        ([[1, 0, 0], [1, 0, 0]], [(0, 1), (1, 2)]),
        ([[1, 1, 0, 0], [1, 1, 0, 0]], [(0, 2), (1, 3)]),
        ([[0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], [(0, 0), (3, 1)]),
        ([[1, 1, 1], [0, 1, 0], [1, 1, 1]], [(1, 0)]),
    ],
)
def test_ties_stay_in_order_near_the_diagonal(cost: list[list[float]], pairs: list[tuple[int, int]]) -> None:
    assert align(cost, worst=0.5) == pairs


def every_pairing(rows: int, columns: int) -> Iterator[list[tuple[int, int]]]:
    """All ways to give min(rows, columns) rows a column each."""
    if rows <= columns:
        yield from (list(enumerate(chosen)) for chosen in permutations(range(columns), rows))
    else:
        yield from ([(row, column) for column, row in pairs] for pairs in every_pairing(columns, rows))


@given(COSTS, st.sampled_from([0.0, 0.2, 0.5, 2.0]))
def test_no_other_pairs_cost_less(cost: list[list[float]], worst: float) -> None:
    rows, columns = len(cost), len(cost[0]) if cost else 0
    found = align(cost, worst)
    assert len({row for row, _ in found}) == len({column for _, column in found}) == len(found)
    assert found == sorted(found)
    assert all(cost[row][column] <= worst for row, column in found)

    def total(pairs: list[tuple[int, int]]) -> float:
        """What cannot be a pair costs a touch more than the worst that can."""
        real = [cost[row][column] for row, column in pairs if cost[row][column] <= worst]
        return sum(real) + (min(rows, columns) - len(real)) * (worst + 1e-6)

    assert total(found) == pytest.approx(min(map(total, every_pairing(rows, columns)), default=0), abs=1e-9)


@given(COSTS)
def test_seen_from_the_other_side_it_costs_the_same(cost: list[list[float]]) -> None:
    turned = [list(column) for column in zip(*cost, strict=True)]
    assert sum(cost[i][j] for i, j in align(cost, 2)) == pytest.approx(sum(turned[i][j] for i, j in align(turned, 2)))


def test_many_records_cost_what_they_must() -> None:
    cost = np.random.default_rng(2).uniform(0, 1, (200, 150))
    found = align(cost.tolist(), worst=1)
    assert len(found) == 150
    assert sum(cost[pair] for pair in found) == pytest.approx(cost[linear_sum_assignment(cost)].sum(), abs=150e-6)


def test_many_records_find_their_own() -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(200)
    cost = rng.uniform(0.3, 1, (200, 200))
    cost[np.arange(200), order] = rng.uniform(0, 0.2, 200)
    assert align(cost.tolist(), worst=0.5) == list(enumerate(order.tolist()))


def test_any_pair_will_do_where_no_cost_is_too_high() -> None:
    assert align([[3.0, 1.0], [7.0, 4.0]], worst=float("inf")) == [(0, 0), (1, 1)]


def test_a_cost_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        align([[0.1, float("nan")]], worst=0.5)
    with pytest.raises(ValueError, match="invalid numeric entries"):
        align([[0.1, float("nan")], [0.1, 0.2]], worst=0.5)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "scipy.optimize", raising=False)
    with pytest.raises(UsageError) as caught:
        align([[0.1, 0.2], [0.2, 0.1]], worst=0.5)
    assert caught.value.hint == "pip install 'letterproof[eval]'"
    assert align([], worst=0.5) == []
    assert pair_lists("a", "a") == [(0, 0)]


# ---- lists of values --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "got", "pairs"),
    [
        ("", "", []),
        ("a", "", [(0, None)]),
        ("", "a", [(None, 0)]),
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("abc", "axc", [(0, 0), (1, 1), (2, 2)]),
        ("abc", "bc", [(0, None), (1, 0), (2, 1)]),
        ("bc", "abc", [(None, 0), (0, 1), (1, 2)]),
        ("abcd", "bcde", [(0, None), (1, 0), (2, 1), (3, 2), (None, 3)]),
        # Two corrections either way: unlike pairs before values without a partner.
        ("ab", "ba", [(0, 0), (1, 1)]),
        ("ab", "bc", [(0, 0), (1, 1)]),
        ("aba", "bacb", [(None, 0), (0, 1), (1, 2), (2, 3)]),
        # Any of the two could be the one too many: the first is paired.
        ("a", "aa", [(0, 0), (None, 1)]),
        ("aa", "a", [(0, 0), (1, None)]),
        ("x", "ab", [(0, 0), (None, 1)]),
    ],
)
def test_pair_lists(gold: str, got: str, pairs: list[tuple[int | None, int | None]]) -> None:
    assert pair_lists(gold, got) == pairs


@pytest.mark.parametrize(
    ("gold", "got", "pairs"),
    [
        ("", "", []),
        ("ab", "ba", [(0, 1), (1, 0)]),
        ("abc", "cxa", [(0, 2), (1, 1), (2, 0)]),
        ("aab", "a", [(0, 0), (1, None), (2, None)]),
        ("a", "bab", [(0, 1), (None, 0), (None, 2)]),
        ("abx", "yzb", [(0, 0), (1, 2), (2, 1)]),
        ("abx", "yb", [(0, 0), (1, 1), (2, None)]),
    ],
)
def test_pair_bags(gold: str, got: str, pairs: list[tuple[int | None, int | None]]) -> None:
    assert pair_bags(gold, got) == pairs


def test_what_is_the_same_can_be_told() -> None:
    assert pair_lists(["B", "c"], ["a", "b"], lambda one, other: one.lower() == other.lower()) == [(0, 0), (1, 1)]
    assert pair_bags(["B", "c"], ["a", "b"], lambda one, other: one.lower() == other.lower()) == [(0, 1), (1, 0)]


def test_values_need_not_be_hashable() -> None:
    assert pair_bags([{"first": 1}, [2]], [[2], {"first": 1}]) == [(0, 1), (1, 0)]


def corrections(gold: list[str], got: list[str], pairs: list[tuple[int | None, int | None]]) -> int:
    return sum(i is None or j is None or gold[i] != got[j] for i, j in pairs)


def in_order(n: int, m: int, i: int = 0, j: int = 0) -> Iterator[list[tuple[int | None, int | None]]]:
    """All ways to walk through two lists at once."""
    if i == n and j == m:
        yield []
    steps = [(i + 1, j + 1, (i, j))] * (i < n and j < m) + [(i + 1, j, (i, None))] * (i < n) + [(i, j + 1, (None, j))] * (j < m)  # fmt: skip
    for next_i, next_j, pair in steps:
        yield from ([pair, *rest] for rest in in_order(n, m, next_i, next_j))


@given(VALUES.filter(lambda v: len(v) < 5), VALUES.filter(lambda v: len(v) < 5))
def test_no_other_walk_needs_fewer_corrections(gold: list[str], got: list[str]) -> None:
    found = pair_lists(gold, got)
    walks = list(in_order(len(gold), len(got)))
    assert found in walks
    assert (corrections(gold, got, found), len(found)) == min((corrections(gold, got, w), len(w)) for w in walks)


@given(VALUES, VALUES)
def test_no_other_order_needs_fewer_corrections(gold: list[str], got: list[str]) -> None:
    found = pair_bags(gold, got)
    assert sorted(i for i, _ in found if i is not None) == list(range(len(gold)))
    assert sorted(j for _, j in found if j is not None) == list(range(len(got)))
    equal = (Counter(gold) & Counter(got)).total()
    assert len(found) == max(len(gold), len(got))
    assert corrections(gold, got, found) == len(found) - equal


@given(VALUES, VALUES)
def test_an_order_can_only_add_corrections(gold: list[str], got: list[str]) -> None:
    assert corrections(gold, got, pair_bags(gold, got)) <= corrections(gold, got, pair_lists(gold, got))


def test_long_lists_are_paired() -> None:
    gold = [str(i) for i in range(200)]
    got = [*gold[:50], "new", *gold[50:120], *gold[121:]]
    pairs = pair_lists(gold, got)
    assert corrections(gold, got, pairs) == 2
    assert (120, None) in pairs
    assert (None, 50) in pairs
    assert corrections(gold, got[::-1], pair_bags(gold, got[::-1])) == 1
