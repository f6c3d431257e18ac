"""Values that are wrong in only one of two runs, or wrong in another way in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import Any, NamedTuple

from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore
from extractor.letters.spans import fold

KINDS = ("broke", "changed", "fixed")
# One leaf in several scorings of one letter; ``None`` where a scoring does not have it.
LeafRow = tuple[Leaf | None, ...]
# All recordings of one letter under one prompt.
Scores = Sequence[LetterScore]


@dataclass(frozen=True)
class Flip:
    """A value that is an error more often in one run than in the other, or a different error in each.

    ``kind``: ``fixed``, ``broke`` or ``changed``. ``debatable``: gold notes that the value could be
    argued about. ``a_wrong`` and ``b_wrong`` are in how many recordings of the letter it is wrong, and of how
    many; ``a`` and ``b`` then are the first wrong value.
    """

    letter_id: str
    path: str
    field: str
    kind: str
    protected: bool
    debatable: bool
    gold: Any
    a: Any
    b: Any
    a_status: str
    b_status: str
    a_wrong: tuple[int, int]
    b_wrong: tuple[int, int]

    @property
    def is_sometimes(self) -> bool:
        """Whether it is wrong in some recordings of one run, and right in others."""
        return any(0 < count < of for count, of in (self.a_wrong, self.b_wrong))


_EXTRA = re.compile(r"\+\d+")


def aligned(scorings: Sequence[Sequence[Leaf]]) -> Iterator[LeafRow]:
    """The leaves of several scorings of one letter, a row for each leaf.

    Leaves of the gold go together by their path. What several answers invented goes together by its value, then
    in order: the same invention at another index is no difference, and another one is one difference.
    """
    rows: dict[str, list[Leaf | None]] = {}
    invented: dict[str, list[list[Leaf]]] = {}
    for i, leaves in enumerate(scorings):
        for leaf in leaves:
            if "+" not in leaf.path:
                rows.setdefault(leaf.path, [None] * len(scorings))[i] = leaf
            else:
                invented.setdefault(_EXTRA.sub("+", leaf.path), [[] for _ in scorings])[i].append(leaf)
    yield from map(tuple, rows.values())
    for columns in invented.values():
        yield from map(tuple, _invented_rows(columns))


def _invented_rows(columns: Sequence[Sequence[Leaf]]) -> list[list[Leaf | None]]:
    rows: list[list[Leaf | None]] = []
    for i, leaves in enumerate(columns):
        for leaf in leaves:
            alike = (row for row in rows if row[i] is None and any(o and _value(o) == _value(leaf) for o in row))
            row = next(alike, None)
            if row is None:
                row = [None] * len(columns)
                rows.append(row)
            row[i] = leaf
    # What nothing equals goes with what else nothing equals, in order.
    single = [row for row in rows if sum(each is not None for each in row) == 1]
    rest = [[row[i] for row in single if row[i] is not None] for i in range(len(columns))]
    return [*(row for row in rows if row not in single), *map(list, zip_longest(*rest))]


def _value(leaf: Leaf) -> Any:
    return fold(leaf.got) if isinstance(leaf.got, str) else leaf.got


def mean_errors(letters: Scores, *, debatable: bool = True) -> Fraction:
    """Errors of one letter, the mean over its recordings; with ``debatable=False`` only on values beyond argument."""
    errors = sum(debatable or not leaf.debatable for letter in letters for leaf in letter.errors)
    return Fraction(errors, len(letters))


_NEVER, _ALWAYS = Fraction(0), Fraction(1)


def wrong_share(leaves: LeafRow) -> Fraction:
    """In which share of the scorings a leaf is an error."""
    wrong = sum(1 for leaf in leaves if leaf and leaf.is_error)
    # Most are never or always wrong, and making a fraction is slow.
    return Fraction(wrong, len(leaves)) if 0 < wrong < len(leaves) else _ALWAYS if wrong else _NEVER


class LeafPair(NamedTuple):
    """One leaf of one letter under two runs, in all recordings of each, and in which share of them it is wrong."""

    letter_id: str
    a: LeafRow
    b: LeafRow
    was: Fraction
    now: Fraction


def leaf_pairs(one: Scores, other: Scores) -> Iterator[LeafPair]:
    """Every leaf of one letter, in all its recordings under two runs."""
    for row in aligned([score.leaves for score in (*one, *other)]):
        a, b = row[: len(one)], row[len(one) :]
        yield LeafPair(one[0].letter_id, a, b, wrong_share(a), wrong_share(b))


def flips_of(pairs: Iterable[LeafPair], is_protected: Callable[[str], bool]) -> Iterator[Flip]:
    """The values that flipped."""
    for letter_id, a, b, was, now in pairs:
        if not was and not now:
            continue
        if was == now and not (was and _errors(a).isdisjoint(_errors(b))):
            continue
        some = next(leaf for leaf in (*a, *b) if leaf)
        before, after = _shown(a), _shown(b)
        yield Flip(
            letter_id=letter_id,
            path=some.path,
            field=some.field,
            kind="changed" if was == now else "fixed" if was > now else "broke",
            protected=is_protected(some.field),
            debatable=some.debatable,
            gold=some.gold,
            a=before.got if before else None,
            b=after.got if after else None,
            a_status=before.status if before else "absent",
            b_status=after.status if after else "absent",
            a_wrong=(int(was * len(a)), len(a)),
            b_wrong=(int(now * len(b)), len(b)),
        )


def _errors(leaves: LeafRow) -> set[tuple[str, str]]:
    return {(leaf.status, repr(_value(leaf))) for leaf in leaves if leaf and leaf.is_error}


def _shown(leaves: LeafRow) -> Leaf | None:
    """The first wrong leaf, or the first."""
    found = [leaf for leaf in leaves if leaf]
    return next((leaf for leaf in found if leaf.is_error), found[0] if found else None)
