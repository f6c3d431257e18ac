"""How a list of the answer differs from the list the letter has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ListDifference:
    """``extra``: indexes into the answer's list; ``missing``: elements the letter has and the answer lacks."""

    extra: tuple[int, ...]
    missing: tuple[Any, ...]

    @property
    def is_order_only(self) -> bool:
        return not self.extra and not self.missing


def compare_lists(got: Sequence[Any], expected: Sequence[Any]) -> ListDifference:
    """Match equal elements one to one, whatever their order."""
    left = list(expected)
    extra = tuple(i for i, item in enumerate(got) if not _take(left, item))
    return ListDifference(extra, tuple(left))


def _take(left: list[Any], item: Any) -> bool:
    if item in left:
        left.remove(item)
        return True
    return False
