"""Two or more prompts over the same letters: how large the difference is, and how certain that is.

The letter is the unit everywhere, never the leaf: errors within a letter are correlated, and a test
that treats leaves as independent finds differences where there are none. ``d`` below is a
letter's count of errors under one prompt minus its count under the other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import index
from statistics import NormalDist
from typing import NamedTuple

from extractor.errors import UsageError
from extractor.evaluation.extra import needs_scipy

# Where the exact test stops: some twenty seconds, 60 MB.
_MOST_WORK = 2 * 10**12


@dataclass(frozen=True)
class Interval:
    """A change with its confidence bounds; without bounds where the letters are too few or have no spread."""

    mean: float
    low: float | None
    high: float | None


class Share(NamedTuple):
    """One letter's part of a ratio: ``right`` out of ``of``."""

    right: int
    of: int


def sign_flip(differences: Sequence[int], total: int | None = None) -> float:
    """Two-sided p of "both prompts are alike", by Fisher's randomization test for pairs (Design of Experiments, 1935).

    The share of all 2^m ways to give signs to the m nonzero differences whose sum is as far from 0
    as the observed one, or farther. Exact: counted in whole numbers, divided once at the end
    (below 1e-308 the result runs out of digits and may be 0.0). ``total`` is the observed sum if the
    differences are given by their sizes only.

    With S the sum of all ``|d|`` the cost is about S m^2 bit operations: well under a millisecond
    for 100 letters, some 10 ms for 1,000, one or two seconds for 5,000. Raises ``UsageError`` where
    S (m + 1000)^2 is above 2e12, such as 5,000 letters that differ by more than 11 errors each.
    """
    sizes = sorted(abs(index(d)) for d in differences if d)
    observed = abs(sum(index(d) for d in differences) if total is None else total)
    if observed == 0:
        return 1.0
    if sum(sizes) * (len(sizes) + 1000) ** 2 > _MOST_WORK:
        raise UsageError(
            f"{len(sizes)} letters with {sum(sizes)} differing errors are too many for the exact test",
            hint="compare over fewer letters; at this size the interval of the mean is as good",
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


def whole_steps(changes: Sequence[Fraction]) -> tuple[list[int], int]:
    """Changes as whole numbers of steps, and how many steps are 1: means over recordings may be fractions."""
    steps = math.lcm(*(change.denominator for change in changes))
    return [int(change * steps) for change in changes], steps


def smallest_p(m: int) -> float:
    """The smallest p that ``sign_flip`` can reach with ``m`` nonzero differences: all of one sign, 2 / 2^m."""
    return min(1.0, 2 / (1 << m))


def mean_change(differences: Sequence[int], level: float = 0.95) -> Interval:
    """Mean of the differences; its bounds are all changes that the sign-flip test does not reject.

    A change c is rejected if flipping the signs of d - c is as extreme as at most 1 - level of all sign
    assignments, so the interval holds 0 exactly if ``sign_flip`` gives more than 1 - level: test and
    interval cannot disagree. The bounds are means of subsets of the letters (Hartigan 1969, Tritchler
    1984), found here by bisection to a resolution of 1/256, coarser above some hundred letters, and
    rounded to the inside. No bounds below six letters, where no change can be rejected, and where all
    letters differ by the same. Raises ``UsageError`` for no letters.
    """
    n = len(differences)
    if n == 0:
        raise UsageError("there is no letter to compare", hint="score both prompts over the same letters")
    mean = sum(differences) / n
    if smallest_p(n) > 1 - level or min(differences) == max(differences):
        return Interval(mean, None, None)
    low = _bound(differences, level)
    high = _bound([-d for d in differences], level)
    return Interval(mean, low, -high)


# Work of one evaluation of the test at a shifted change: the length of its Fourier transform.
_MOST_POINTS = 1 << 17


def _bound(differences: Sequence[int], level: float) -> float:
    """The smallest change on a grid that is not rejected as too small."""
    n, total = len(differences), sum(differences)
    # Grid points are fractions with this denominator; 0 is one of them.
    spread = sum(abs(d) for d in differences) + n
    steps = 256
    while steps > 16 and 2 * steps * spread > _MOST_POINTS:
        steps //= 2
    # Coarse steps first: the work grows with their number, and more changes only refine the last answer.
    rejected, accepted, parts = min(differences) - 1, math.ceil(total / n), 1
    while True:
        while accepted - rejected > 1:
            middle = (rejected + accepted) // 2
            if 2 * _share_as_large(differences, middle, parts) > 1 - level:
                accepted = middle
            else:
                rejected = middle
        if parts == steps:
            return min(accepted, math.floor(steps * total / n)) / steps
        rejected, accepted, parts = 2 * rejected, 2 * accepted, 2 * parts


def _share_as_large(differences: Sequence[int], a: int, b: int) -> float:
    """The share of sign assignments under which the sum of the signed d - a/b is at least the observed one.

    Times b the summands are whole numbers x; the sum's distribution is the Fourier transform of the
    product of all cos(x t).
    """
    with needs_scipy():
        import numpy as np
    tally: Counter[int] = Counter()
    for d, count in Counter(differences).items():
        tally[abs(b * d - a)] += count
    observed = b * sum(differences) - a * len(differences)
    reach = sum(x * count for x, count in tally.items())
    if observed <= 0:
        return 1.0
    points = 1 << (2 * reach + 1).bit_length()
    steps = np.arange(points // 2 + 1, dtype=np.int64)
    cosines = np.cos(2 * np.pi * np.arange(points) / points)
    product = np.ones(len(steps))
    for x, count in tally.items():
        # The points are a power of two, so the mask is the remainder.
        factor = cosines[steps * x & (points - 1)]
        product *= factor if count == 1 else factor**count
    chances = np.fft.irfft(product, n=points)
    return float(chances[observed : reach + 1].sum())


def cluster_ratio(pairs: Sequence[tuple[Share, Share]], level: float = 0.95) -> Interval | None:
    """Change of a micro ratio, second prompt minus first, with letters as clusters. ``mean`` is the change itself.

    ``pairs`` holds each letter's share under the first and under the second prompt, for recall
    (matches of gold values), precision (matches of values given), F1 (2 TP of 2 TP + FP + FN) or
    the like. Linearized ratio estimator (Cochran, Sampling Techniques, 1977, chapter 6): with
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


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Bounds of a rate, ``k`` of ``n`` observed: Wilson's score interval (1927). (0, 1) for none of none."""
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle, half = k / n + z * z / (2 * n), z * math.sqrt(k * (n - k) / n**3 + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def exact_bounds(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a rate, ``k`` of ``n`` observed (Clopper and Pearson 1934). (0, 1) for none of none."""
    if n == 0:
        return 0.0, 1.0
    with needs_scipy():
        from scipy import stats
    bounds = stats.binomtest(k, n).proportion_ci(level, method="exact")
    return float(bounds.low), float(bounds.high)


def zero_bound(n: int, level: float = 0.95) -> float:
    """One-sided upper bound of a rate when none was observed in ``n`` letters.

    The exact form 1 - 0.05^(1/n) of the rule of three (Hanley and Lippman-Hand 1983).
    """
    return 1.0 if n == 0 else 1 - (1 - level) ** (1 / n)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p values adjusted for multiple comparisons by Holm's step-down method (1979); same names, same order."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _t_quantile(level: float, n: int) -> float:
    with needs_scipy():
        from scipy import special
    return float(special.stdtrit(n - 1, (1 + level) / 2))
