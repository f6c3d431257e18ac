"""What a sample proves: against tables of the literature, against brute force, and against intuition."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from extractor.review.sampling import highest_share, more_to_halve, most_wrong


@pytest.mark.parametrize(
    ("wrong", "sampled", "share"),
    [
        # 1 - 0.05 ** (1 / n), the "rule of three"
        (0, 1, 0.95),
        (0, 10, 0.258866),
        (0, 59, 0.049507),
        (0, 300, 0.009936),
        # beta quantiles B(0.95; k + 1, n - k)
        (1, 10, 0.394163),
        (2, 50, 0.120614),
        (5, 100, 0.102253),
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_bound_of_clopper_and_pearson(wrong: int, sampled: int, share: float) -> None:
    assert highest_share(wrong, sampled) == pytest.approx(share, abs=2e-6)


@pytest.mark.parametrize("population", [1, 5, 12, 20])
def test_the_bound_of_a_small_population_by_trying_all(population: int) -> None:
    for sampled in range(population + 1):
        for wrong in range(sampled + 1):
            # Every number of wrong letters that such a sample, or a better one, has a chance of 5 in 100 with.
            fits = [
                bad
                for bad in range(wrong, population - (sampled - wrong) + 1)
                if Fraction(
                    sum(math.comb(bad, i) * math.comb(population - bad, sampled - i) for i in range(wrong + 1)),
                    math.comb(population, sampled),
                )
                >= Fraction(1, 20)
            ]
            assert most_wrong(wrong, sampled, population) == max(fits), (wrong, sampled)


@pytest.mark.parametrize(
    ("wrong", "sampled", "population", "most"),
    [
        (0, 0, 100, 100),
        (0, 100, 100, 0),
        (3, 100, 100, 3),
        (0, 60, 50_000, 2433),
        (0, 60, 100, 3),
    ],
)
def test_a_finite_number_of_letters(wrong: int, sampled: int, population: int, most: int) -> None:
    assert most_wrong(wrong, sampled, population) == most
    assert most / population <= highest_share(wrong, sampled) + 1 / population


def test_how_many_more_letters_halve_the_bound() -> None:
    more = more_to_halve(0, 60, 50_000)
    assert more is not None
    assert most_wrong(0, 60 + more, 50_000) <= most_wrong(0, 60, 50_000) / 2
    assert most_wrong(0, 60 + more - 1, 50_000) > most_wrong(0, 60, 50_000) / 2
    # A third of the letters is wrong: no sample makes that a half of its bound.
    assert more_to_halve(20, 60, 50_000) is None
    assert more_to_halve(0, 0, 100) is None
