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
    least = ALPHA * math.comb(population, sampled)
    while low < high:
        middle = (low + high + 1) // 2
        ways = sum(math.comb(middle, i) * math.comb(population - middle, sampled - i) for i in range(wrong + 1))
        if ways >= least:
            low = middle
        else:
            high = middle - 1
    return low


def more_to_halve(wrong: int, sampled: int, population: int) -> int | None:
    """How many more letters must be looked at to halve ``most_wrong``, if as many of them are wrong as so far.

    ``None`` where no number of letters does: so large a share of them is wrong.
    """
    goal = most_wrong(wrong, sampled, population) / 2
    if not sampled or goal == 0:
        return None

    def is_enough(more: int) -> bool:
        return most_wrong(math.ceil(wrong * (sampled + more) / sampled), sampled + more, population) <= goal

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
