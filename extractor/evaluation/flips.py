"""Values that are wrong in only one of two runs, or wrong in another way in each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore
from extractor.letters.spans import fold

KINDS = ("broke", "changed", "fixed")


@dataclass(frozen=True)
class Flip:
    """A value that is an error in only one run, or a different error in each.

    ``kind``: ``fixed``, ``broke`` or ``changed``. ``debatable``: gold notes that the value could be
    argued about.
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


_EXTRA = re.compile(r"\+\d+")


def leaf_pairs(one: Sequence[Leaf], other: Sequence[Leaf]) -> Iterator[tuple[Leaf | None, Leaf | None]]:
    """Leaves of two scorings of one letter; ``None`` where only the other has it.

    Leaves of the gold pair by their path. What both answers invented pairs by its value, then in order:
    the same invention at another index is no difference, and another one is one difference.
    """
    b = {leaf.path: leaf for leaf in other if "+" not in leaf.path}
    for leaf in one:
        if "+" not in leaf.path:
            yield leaf, b.pop(leaf.path, None)
    yield from ((None, leaf) for leaf in b.values())
    invented: dict[str, tuple[list[Leaf], list[Leaf]]] = {}
    for side, leaves in enumerate((one, other)):
        for leaf in leaves:
            if "+" in leaf.path:
                invented.setdefault(_EXTRA.sub("+", leaf.path), ([], []))[side].append(leaf)
    for mine, theirs in invented.values():
        yield from _invented_pairs(mine, theirs)


def _invented_pairs(mine: list[Leaf], theirs: list[Leaf]) -> Iterator[tuple[Leaf | None, Leaf | None]]:
    rest: list[Leaf] = []
    for leaf in mine:
        same = next((each for each in theirs if _value(each) == _value(leaf)), None)
        if same is None:
            rest.append(leaf)
        else:
            theirs.remove(same)
            yield leaf, same
    for i in range(max(len(rest), len(theirs))):
        yield rest[i] if i < len(rest) else None, theirs[i] if i < len(theirs) else None


def _value(leaf: Leaf) -> Any:
    return fold(leaf.got) if isinstance(leaf.got, str) else leaf.got


def flips_of(one: LetterScore, other: LetterScore, is_protected: Callable[[str], bool]) -> Iterator[Flip]:
    """The values of one letter that flipped."""
    for a, b in leaf_pairs(one.leaves, other.leaves):
        was, now = bool(a and a.is_error), bool(b and b.is_error)
        if was == now and (not now or (a and b and (a.status, _value(a)) == (b.status, _value(b)))):
            continue
        some = a or b
        assert some is not None
        yield Flip(
            letter_id=one.letter_id,
            path=some.path,
            field=some.field,
            kind="changed" if was and now else "fixed" if was else "broke",
            protected=is_protected(some.field),
            debatable=some.debatable,
            gold=some.gold,
            a=a.got if a else None,
            b=b.got if b else None,
            a_status=a.status if a else "absent",
            b_status=b.status if b else "absent",
        )
