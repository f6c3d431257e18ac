"""Lists of which the reader is not certain as a whole, but certain what they must hold or cannot hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from extractor.letters.letter import Letter
from extractor.lettertypes.reading import ListBounds
from extractor.validator.lists import ListDifference, compare_lists
from extractor.validator.occurrence import occurrences


def outside(items: Sequence[Any], plain: Sequence[Any], bounds: ListBounds, letter: Letter) -> ListDifference:
    """Elements of an answer that the list cannot have, and those it has for certain and the answer lacks.

    ``plain``: the elements of ``items`` in the reading's terms.
    """
    extra = tuple(
        i
        for i in compare_lists(plain, bounds.most).extra
        if not any(occurrences(items[i], letter, place) for place in bounds.open)
    )
    return ListDifference(extra, compare_lists(plain, bounds.least).missing)


def is_within(plain: Sequence[Any], bounds: ListBounds) -> bool:
    """Whether a list has all it must and nothing else than it may have, in order."""
    rest = iter(bounds.most)
    return all(item in rest for item in plain) and not compare_lists(plain, bounds.least).missing
