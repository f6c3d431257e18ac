"""Which record or value of an answer corresponds to which of the gold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import eq
from typing import Any, TypeVar

from extractor.evaluation.extra import needs_scipy

T = TypeVar("T")

# Costs are compared to six decimals: smaller differences are ties.
_SCALE = 1e6

Pairs = list[tuple[int | None, int | None]]


def align(cost: Sequence[Sequence[float]], worst: float) -> list[tuple[int, int]]:
    """The one-to-one pairs (row, column) of the smallest total cost, by row.

    A pair that costs more than ``worst`` is no pair, however much more: it counts slightly above
    ``worst``, so that unpairable rows do not separate good pairs. Ties go to pairs near the
    diagonal, then to the earlier column, so that equal records keep their order. Costs are compared to
    six decimals and should be of the order of 1.

    Kuhn's assignment problem (1955), solved by ``scipy.optimize.linear_sum_assignment`` in cubic
    time. Raises ``UsageError`` without scipy, ``ValueError`` for ragged rows or a cost that is not a number.
    """
    if not cost or not cost[0]:
        return []
    if len(cost) == 1 or (len(cost[0]) == 1 and all(len(row) == 1 for row in cost)):
        return _one_pair(cost, worst)
    with needs_scipy():
        import numpy as np
        from scipy.optimize import linear_sum_assignment
    whole = np.rint(np.asarray(cost, dtype=float) * _SCALE)
    limit = float(np.rint(worst * _SCALE))
    fits = whole <= limit
    rows, columns = np.indices(whole.shape)
    # Whole numbers, exact in floats: all ties together weigh less than the smallest step of cost.
    ties = fits * (2 * (rows - columns) ** 2 + (columns > rows))
    step = min(whole.shape) * (int(ties.max()) + 1)
    chosen = linear_sum_assignment(np.where(np.isnan(whole) | fits, whole, limit + 1) * step + ties)
    return [(int(row), int(column)) for row, column in zip(*chosen, strict=True) if fits[row, column]]


def _one_pair(cost: Sequence[Sequence[float]], worst: float) -> list[tuple[int, int]]:
    """The same where one side has a single record: its cheapest partner, nearest to its own place."""
    if any(math.isnan(each) for row in cost for each in row):
        raise ValueError("a cost is not a number")
    options = [
        (round(each * _SCALE), abs(row - column), column > row, row, column)
        for row, columns in enumerate(cost)
        for column, each in enumerate(columns)
        if each <= worst + 0.5 / _SCALE
    ]
    return [min(options)[3:]] if options else []


def pair_lists(gold: Sequence[T], got: Sequence[T], same: Callable[[T, T], Any] = eq) -> Pairs:
    """Two ordered lists, paired so that the fewest corrections turn ``got`` into ``gold``.

    A pair of unlike values is one correction, and so is a value without a partner: ``(i, None)``
    is omitted, ``(None, j)`` is invented. Among equal counts the one with most pairs is taken, then the
    one that pairs earliest. Both indices rise. Edit distance (Wagner and Fischer 1974); the cost
    is the product of the lengths.
    """
    n, m = len(gold), len(got)
    # One number for both aims: corrections first, then values without a partner.
    much = n + m + 1
    alone = much + 1
    alike = [[bool(same(a, b)) for b in got] for a in gold]
    least = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n, -1, -1):
        for j in range(m, -1, -1):
            ways = [least[i + 1][j + 1] + much * (not alike[i][j])] if i < n and j < m else []
            ways += [least[i + 1][j] + alone] if i < n else []
            ways += [least[i][j + 1] + alone] if j < m else []
            least[i][j] = min(ways, default=0)
    pairs: Pairs = []
    i = j = 0
    while i < n or j < m:
        if i < n and j < m and least[i][j] == least[i + 1][j + 1] + much * (not alike[i][j]):
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i < n and least[i][j] == least[i + 1][j] + alone:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def pair_bags(gold: Sequence[T], got: Sequence[T], same: Callable[[T, T], Any] = eq) -> Pairs:
    """Two lists whose order means nothing: equal values first, each once, then the rest in order.

    Pairs follow the order of ``gold``; values only in ``got`` come last. ``same`` is taken to be an
    equivalence (like equality of normalised values); then these are the fewest corrections.
    """
    free = list(range(len(got)))
    partner: dict[int, int] = {}
    for i, value in enumerate(gold):
        equal = next((j for j in free if same(value, got[j])), None)
        if equal is not None:
            partner[i] = equal
            free.remove(equal)
    rest = iter(free)
    for i in range(len(gold)):
        if i not in partner and (left := next(rest, None)) is not None:
            partner[i] = left
    return [*((i, partner.get(i)) for i in range(len(gold))), *((None, j) for j in rest)]
