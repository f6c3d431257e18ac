"""How small a change a set of letters can detect: simulated with the sign-flip test, from the observed spread.

Letters are drawn with replacement from the differences that were observed. For another change than the
observed one they are drawn with weights exp(t d) (exponential tilting), t chosen so that the mean
change is the one asked about: the same kinds of differences, more or fewer of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from extractor.evaluation.extra import needs_scipy
from extractor.evaluation.stats import sign_flip

if TYPE_CHECKING:
    import numpy as np

# With fewer differing letters no exact test reaches 0.05, and the observed spread estimates nothing.
FEWEST_DIFFERING = 6
# Simulated sets for one figure: power is known to about 1.5 percentage points.
_SETS = 1000
_SEED = 20260101
# From so many differing letters on the normal approximation of the sign-flip test is as good.
_MANY = 25
_MOST_LETTERS = 20_000
LEVEL = 0.05
POWER = 0.8


def power(differences: Sequence[int], change: float, letters: int) -> float | None:
    """How often ``letters`` letters would detect a true mean change of ``change`` errors a letter at p <= 0.05.

    ``None`` if fewer than six letters differ, or if no mixture of the observed differences has that mean.
    """
    weighted = _tilted(differences, change)
    if weighted is None:
        return None
    with needs_scipy():
        import numpy as np
    values, weights = weighted
    counts = np.random.default_rng(_SEED).multinomial(letters, weights, size=_SETS)
    return sum(_detected(values, row) for row in counts.tolist()) / _SETS


def detectable(differences: Sequence[int], letters: int | None = None) -> float | None:
    """The smallest true change, in errors a letter, that this many letters detect with 80% power.

    ``letters`` defaults to the number of differences. ``None`` if fewer than six letters differ, or if even the
    largest observed difference, in every letter, would not be detected.
    """
    n = len(differences) if letters is None else letters
    if sum(d != 0 for d in differences) < FEWEST_DIFFERING:
        return None
    low, high = 0.0, 0.999 * max(abs(d) for d in differences)
    if (power(differences, high, n) or 0) < POWER:
        return None
    while high - low > 0.005 * high:
        middle = (low + high) / 2
        if (power(differences, middle, n) or 0) >= POWER:
            high = middle
        else:
            low = middle
    return high


def letters_needed(differences: Sequence[int], change: float) -> int | None:
    """How many letters detect a true change of ``change`` errors a letter with 80% power.

    ``None`` if fewer than six letters differ, if no mixture of the observed differences has that mean, or if
    20,000 letters would not be enough.
    """
    if not change or power(differences, change, FEWEST_DIFFERING) is None:
        return None
    low, high = FEWEST_DIFFERING - 1, FEWEST_DIFFERING
    while (power(differences, change, high) or 0) < POWER:
        low, high = high, 2 * high
        if high > _MOST_LETTERS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if (power(differences, change, middle) or 0) >= POWER:
            high = middle
        else:
            low = middle
    return high


def _tilted(differences: Sequence[int], change: float) -> tuple[list[int], np.ndarray[Any, Any]] | None:
    """The observed differences and the weights under which their mean is ``change``."""
    if sum(d != 0 for d in differences) < FEWEST_DIFFERING:
        return None
    # What is asked is the size of a change: a change for the better has the spread of one for the worse.
    sign, change = (-1 if sum(differences) < 0 else 1), abs(change)
    tally = Counter(sign * d for d in differences)
    # A letter that does not differ is always possible.
    tally.setdefault(0, 1)
    values = sorted(tally)
    if not values[0] < change < values[-1]:
        return None
    with needs_scipy():
        import numpy as np
        from scipy import optimize
    observed, counts = np.array(values, dtype=float), np.array([tally[value] for value in values], dtype=float)

    def weights(t: float) -> np.ndarray[Any, Any]:
        raw = counts * np.exp(t * observed - np.max(t * observed))
        tilted: np.ndarray[Any, Any] = raw / raw.sum()
        return tilted

    far = 1.0
    while (weights(-far) @ observed > change or weights(far) @ observed < change) and far < 1e6:
        far *= 2
    t = optimize.brentq(lambda t: float(weights(t) @ observed) - change, -far, far)
    return values, weights(float(t))


def _detected(values: Sequence[int], counts: Sequence[int]) -> bool:
    """Whether the sign-flip test of one simulated set reaches the level, in the direction of its change."""
    sizes: Counter[int] = Counter()
    total = 0
    for value, count in zip(values, counts, strict=True):
        total += value * count
        sizes[abs(value)] += count if value else 0
    differing = sum(sizes.values())
    if differing < FEWEST_DIFFERING:
        return False
    if differing >= _MANY:
        squares = sum(size * size * count for size, count in sizes.items())
        return math.erfc(abs(total) / math.sqrt(2 * squares)) <= LEVEL
    return _is_significant(tuple(sorted(sizes.items())), abs(total))


@lru_cache(maxsize=100_000)
def _is_significant(sizes: tuple[tuple[int, int], ...], total: int) -> bool:
    """The exact test, by the sizes of the differences and their sum: whichever of them have which sign."""
    flat = [size for size, count in sizes for _ in range(count)]
    return sign_flip(flat, total) <= LEVEL
