"""Two or more prompts over the same letters: what the difference is, and what it can be told from.

The letter is the unit everywhere, never the leaf: errors within a letter come together, and a test
that takes leaves for independent sees differences where there are none. ``d`` below is a
letter's count of errors under one prompt minus its count under the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import index
from typing import NamedTuple

from extractor.errors import UsageError
from extractor.evaluation.extra import needs_scipy

# Where the exact test stops: some twenty seconds, 60 MB.
_MOST_WORK = 2 * 10**12


@dataclass(frozen=True)
class Interval:
    """A change and where it may truly lie. Without bounds where the letters show no spread to take them from."""

    mean: float
    low: float | None
    high: float | None


class Share(NamedTuple):
    """One letter's part of a ratio: ``right`` out of ``of``."""

    right: int
    of: int


def sign_flip(differences: Sequence[int]) -> float:
    """Two-sided p of "both prompts are alike", by Fisher's randomisation test for pairs (Design of Experiments, 1935).

    The share of all 2^m ways to give signs to the m nonzero differences whose sum is as far from 0
    as the observed one, or farther. Exact: counted in whole numbers, divided once at the end
    (below 1e-308 the result runs out of digits and may be 0.0).

    With S the sum of all ``|d|`` the cost is about S m^2 bit operations: well under a millisecond
    for 100 letters, some 10 ms for 1,000, one or two seconds for 5,000. Raises ``UsageError`` where
    S (m + 1000)^2 is above 2e12, such as 5,000 letters that differ by more than 11 errors each.
    """
    sizes = sorted(abs(index(d)) for d in differences if d)
    observed = abs(sum(index(d) for d in differences))
    if observed == 0:
        return 1.0
    if sum(sizes) * (len(sizes) + 1000) ** 2 > _MOST_WORK:
        raise UsageError(
            f"{len(sizes)} letters with {sum(sizes)} differing errors are too many for the exact test",
            hint="compare over fewer letters; at this size the interval of the mean says as much",
        )
    # A sum of signed sizes is at least `observed` when its negative part is at most `reach`.
    reach = (sum(sizes) - observed) // 2
    one, other = _ways(sizes[::2]), list(accumulate(_ways(sizes[1::2])))
    tail = sum(ways * other[min(reach - part, len(other) - 1)] for part, ways in enumerate(one[: reach + 1]))
    return tail / (1 << (len(sizes) - 1))


def _ways(sizes: Sequence[int]) -> list[int]:
    """In how many ways some of ``sizes`` add up to 0, 1, 2, ..., their sum.

    These are the coefficients of the product of all (1 + x^size). They live side by side in one
    whole number, each in a slot wide enough for 2^m, so that a factor is one shift and one addition.
    """
    width = len(sizes) // 8 + 1
    product = 1
    for size in sizes:
        product += product << (8 * width * size)
    slots = product.to_bytes(width * (sum(sizes) + 1), "little")
    return [int.from_bytes(slots[at : at + width], "little") for at in range(0, len(slots), width)]


def smallest_p(m: int) -> float:
    """The smallest p that ``sign_flip`` can reach with ``m`` nonzero differences: all of one sign, 2 / 2^m."""
    return min(1.0, 2 / (1 << m))


def mean_difference(differences: Sequence[int], level: float = 0.95) -> Interval:
    """Mean of the differences with its t interval, N-1 degrees of freedom (Student 1908).

    No bounds for one letter, or where all letters differ by the same: no spread was seen, which does not
    mean that there is none. Raises ``UsageError`` for no letters.
    """
    n = len(differences)
    if n == 0:
        raise UsageError("there is no letter to compare", hint="score both prompts over the same letters")
    mean = sum(differences) / n
    sd = _sd(differences)
    if not sd:
        return Interval(mean, None, None)
    half = _t_quantile(level, n) * sd / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def cluster_ratio(pairs: Sequence[tuple[Share, Share]], level: float = 0.95) -> Interval | None:
    """Change of a micro ratio, second prompt minus first, with letters as clusters. ``mean`` is the change itself.

    ``pairs`` holds each letter's share under the first and under the second prompt, for recall
    (matches of gold values), precision (matches of values given), F1 (2 TP of 2 TP + FP + FN) or
    the like. Linearised ratio estimator (Cochran, Sampling Techniques, 1977, chapter 6): with
    R = sum(right) / sum(of) and r_i = (right_i - R of_i) / sum(of), second minus first,
    SE^2 = N/(N-1) sum r_i^2; bounds at t with N-1 degrees of freedom.

    ``None`` if either ratio is out of nothing. No bounds where there is no spread to take them from.
    """
    n = len(pairs)
    right_a, of_a, right_b, of_b = (sum(pair[side][part] for pair in pairs) for side in (0, 1) for part in (0, 1))
    if not of_a or not of_b:
        return None
    change = (right_b * of_a - right_a * of_b) / (of_a * of_b)
    # r_i times (of_a of_b)^2: whole numbers, so that no spread is exactly 0.
    residuals = [
        (b.right * of_b - right_b * b.of) * of_a**2 - (a.right * of_a - right_a * a.of) * of_b**2 for a, b in pairs
    ]
    if n < 2 or not any(residuals):
        return Interval(change, None, None)
    squares = sum(r * r for r in residuals) / (of_a * of_b) ** 4
    half = _t_quantile(level, n) * math.sqrt(n / (n - 1) * squares)
    return Interval(change, change - half, change + half)


def mcnemar(b: int, c: int) -> float:
    """Two-sided p of McNemar's test (1947), exact: the binomial with 1/2 on b + c letters.

    ``b`` letters are right under the first prompt only, ``c`` under the second only. For letters fully
    right; over leaves it is wrong by far (see above).
    """
    if b + c == 0:
        return 1.0
    with needs_scipy():
        from scipy import stats
    return float(stats.binomtest(b, b + c).pvalue)


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Bounds of a rate of which ``k`` of ``n`` were seen: Wilson's score interval (1927). (0, 1) for none of none."""
    if n == 0:
        return 0.0, 1.0
    with needs_scipy():
        from scipy import stats
    bounds = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    return float(bounds.low), float(bounds.high)


def zero_bound(n: int, level: float = 0.95) -> float:
    """How high a rate may still be, one-sided, of which none was seen in ``n`` letters.

    The exact form 1 - 0.05^(1/n) of the rule of three (Hanley and Lippman-Hand 1983).
    """
    return 1.0 if n == 0 else 1 - (1 - level) ** (1 / n)


def detectable(
    differences: Sequence[int], n: int | None = None, *, power: float = 0.8, level: float = 0.05
) -> float | None:
    """The smallest true mean change, in errors per letter, that ``n`` letters would show with this power.

    Power of the two-sided paired t test at ``level``, rejecting in the direction of the change, by the
    noncentral t distribution (Cohen, Statistical Power Analysis, 1988, chapter 2), solved for the
    change. ``n`` is by default the letters at hand. It assumes that the spread seen is the true
    one, that letters are independent, and that differences are roughly normal. The sign-flip test
    keeps up from ten letters on and falls behind below: of simulated normal differences it shows
    79 % with 10 letters, 77 % with 8, 62 % with 6.

    ``None`` if no spread was seen (no estimate), or if ``n`` letters are so few that ``smallest_p``
    is above ``level`` (no change would ever show).
    """
    n = len(differences) if n is None else n
    sd = _sd(differences)
    if not sd or smallest_p(n) > level:
        return None
    with needs_scipy():
        from scipy import optimize, stats
    edge = float(stats.t.ppf(1 - level / 2, n - 1))

    def lacking(shift: float) -> float:
        return power - float(stats.nct.sf(edge, n - 1, shift))

    far = edge
    while lacking(far) > 0:
        far *= 1.5
    return float(optimize.brentq(lacking, 0.0, far)) * sd / math.sqrt(n)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p values adjusted for being looked at together, by Holm's step-down method (1979); same names, same order."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _sd(values: Sequence[int]) -> float | None:
    """Standard deviation with N-1, ``None`` for fewer than two. Summed in whole numbers: 0 where all are equal."""
    n = len(values)
    if n < 2:
        return None
    return math.sqrt((n * sum(v * v for v in values) - sum(values) ** 2) / (n * (n - 1)))


def _t_quantile(level: float, n: int) -> float:
    with needs_scipy():
        from scipy import stats
    return float(stats.t.ppf((1 + level) / 2, n - 1))
