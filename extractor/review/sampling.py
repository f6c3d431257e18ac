"""What a random sample proves about all letters it was drawn from: exact one-sided upper bounds."""

from __future__ import annotations

import math
from fractions import Fraction

# The bounds hold in 95 of 100 audits.
ALPHA = Fraction(1, 20)


def highest_share(wrong: int, sampled: int) -> float:
    """The highest share of wrong letters, out of any number, that does not contradict the sample.

    Clopper and Pearson (1934), one-sided at 95 %: the share at which so few wrong letters or fewer turn up in
    only 5 of 100 samples. 1.0 for an empty sample.
    """
    if wrong >= sampled:
        return 1.0
    low, high = wrong / sampled, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, sampled, middle) >= ALPHA:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, sampled: int, share: float) -> float:
    """The probability of at most ``wrong`` wrong letters in a sample from endless letters with this share of them."""
    if share >= 1:
        return 0.0
    at, rest = math.log(share), math.log1p(-share)
    ways = (math.lgamma(sampled + 1) - math.lgamma(i + 1) - math.lgamma(sampled - i + 1) for i in range(wrong + 1))
    return math.fsum(math.exp(way + i * at + (sampled - i) * rest) for i, way in enumerate(ways))


def most_wrong(wrong: int, sampled: int, population: int) -> int:
    """The highest number of wrong letters among ``population`` that does not contradict a sample of them.

    One-sided at 95 %, by the hypergeometric distribution: letters are drawn once each, so a sample that is a large
    part of them proves more than ``highest_share`` says. Counted in whole numbers, without rounding.
    """
    low, high = wrong, population - (sampled - wrong)
    while low < high:
        middle = (low + high + 1) // 2
        if _is_possible(middle, wrong, sampled, population):
            low = middle
        else:
            high = middle - 1
    return low


def _is_possible(all_wrong: int, wrong: int, sampled: int, population: int) -> bool:
    """Whether ``all_wrong`` letters among all of them do not contradict a sample with so few wrong ones."""
    first = max(0, sampled - (population - all_wrong))
    if first > wrong:
        return False
    way = math.comb(all_wrong, first) * math.comb(population - all_wrong, sampled - first)
    ways = way
    for i in range(first, wrong):
        # Exact: each number of ways is a whole multiple of what the one before leaves.
        way = way * (all_wrong - i) * (sampled - i) // ((i + 1) * (population - all_wrong - sampled + i + 1))
        ways += way
    return ways >= ALPHA * math.comb(population, sampled)


def more_to_halve(wrong: int, sampled: int, population: int) -> int | None:
    """How many more letters must be looked at to halve ``most_wrong``, if as many of them are wrong as so far.

    ``None`` where no number of letters does: so large a share of them is wrong.
    """
    most = most_wrong(wrong, sampled, population)
    if not sampled or most == 0:
        return None
    goal = most // 2

    def is_enough(more: int) -> bool:
        looked = sampled + more
        expected = math.ceil(wrong * looked / sampled)
        return expected <= goal and not _is_possible(goal + 1, expected, looked, population)

    low, high = 0, population - sampled
    if not is_enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle
    return high
