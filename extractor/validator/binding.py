"""Binding: which record of an answer belongs to which block of the letter.

By what names it first (folded text, the n-th of equals to the n-th), then by likeness, then by
place between bound neighbors. Likeness only decides where to look; it never makes a value right.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_ALIKE = 0.6
# Likeness is quadratic in the leftovers; past this many, place alone decides, so that time stays linear.
_MOST_COMPARED = 40


@dataclass(frozen=True)
class Binding:
    """Indexes into the answer's records (i) and the letter's blocks (j).

    ``pairs`` is sorted by i. ``doubled`` gives, for an extra record whose key equals a bound one's,
    the block that is already claimed.
    """

    pairs: tuple[tuple[int, int], ...]
    extra: tuple[int, ...]
    missing: tuple[int, ...]
    doubled: dict[int, int]

    @property
    def in_order(self) -> bool:
        blocks = [j for _, j in self.pairs]
        return blocks == sorted(blocks)


def identical(count: int) -> Binding:
    """Each record to the block in its own place."""
    return Binding(tuple((i, i) for i in range(count)), (), (), {})


def bind(got: Sequence[str], expected: Sequence[str]) -> Binding:
    """Match records to blocks by their folded keys. Each record and each block is used once."""
    bound = _by_key(got, expected)
    taken = set(bound.values())
    free_j = [j for j in range(len(expected)) if j not in taken]
    known = set(expected)
    # A repeated key is not like another block's, but it may be in another block's place.
    misread = [i for i in range(len(got)) if i not in bound and got[i] not in known]
    _by_likeness(got, expected, misread, free_j, bound)
    taken = set(bound.values())
    _by_place([i for i in range(len(got)) if i not in bound], [j for j in free_j if j not in taken], bound)
    taken = set(bound.values())
    first = {key: j for j, key in reversed(list(enumerate(expected)))}
    extra = tuple(i for i in range(len(got)) if i not in bound)
    return Binding(
        pairs=tuple(sorted(bound.items())),
        extra=extra,
        missing=tuple(j for j in range(len(expected)) if j not in taken),
        doubled={i: first[got[i]] for i in extra if got[i] in first},
    )


def _by_key(got: Sequence[str], expected: Sequence[str]) -> dict[int, int]:
    """Equal keys: the n-th to the n-th; of too many records, those nearest to their blocks."""
    records: dict[str, list[int]] = defaultdict(list)
    blocks: dict[str, list[int]] = defaultdict(list)
    for i, key in enumerate(got):
        records[key].append(i)
    for j, key in enumerate(expected):
        blocks[key].append(j)
    bound: dict[int, int] = {}
    for key, places in blocks.items():
        mine = records.get(key, [])
        if len(mine) > len(places):
            nearest = sorted(mine, key=lambda i: min(abs(i - j) for j in _around(places, i)))[: len(places)]
            mine = sorted(nearest)
        bound.update(zip(mine, places, strict=False))
    return bound


def _around(places: list[int], i: int) -> list[int]:
    at = bisect_left(places, i)
    return places[max(0, at - 1) : at + 1]


def _by_likeness(
    got: Sequence[str], expected: Sequence[str], free_i: list[int], free_j: list[int], bound: dict[int, int]
) -> None:
    if len(free_i) > _MOST_COMPARED or len(free_j) > _MOST_COMPARED:
        return
    scored = sorted(
        ((SequenceMatcher(None, got[i][:300], expected[j][:300]).ratio(), -i, -j) for i in free_i for j in free_j),
        reverse=True,
    )
    used: set[int] = set()
    for ratio, minus_i, minus_j in scored:
        if ratio < _ALIKE:
            break
        if -minus_i not in bound and -minus_j not in used:
            bound[-minus_i] = -minus_j
            used.add(-minus_j)


def _by_place(free_i: list[int], free_j: list[int], bound: dict[int, int]) -> None:
    """A record between two bound neighbors takes the free block between their blocks, if there is just one way."""
    below = sorted(bound.items())
    taken: set[int] = set()
    records = [i for i, _ in below]
    for i in free_i:
        at = bisect_left(records, i)
        low = below[at - 1][1] if at else -1
        high = below[at][1] if at < len(below) else None
        first = bisect_right(free_j, low)
        last = bisect_left(free_j, high) if high is not None else len(free_j)
        rivals = bisect_left(free_i, below[at][0] if at < len(below) else len(records) + free_i[-1] + 1) - bisect_left(
            free_i, records[at - 1] if at else 0
        )
        if last - first == 1 and rivals == 1 and free_j[first] not in taken:
            bound[i] = free_j[first]
            taken.add(free_j[first])
