"""One planted mistake, and what makes them: the contract between letter types and the measured validator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from extractor.lettertypes.reading import Reading


@dataclass(frozen=True)
class Mistake:
    """A correct answer with one mistake planted.

    A finding is right if its code is in ``codes`` and it points at, or into, one of ``paths``;
    the first path is the leaf that was changed. ``uncertain``: it must be caught even by a reader that is
    certain of no value (``as_uncertain``).
    """

    answer: Mapping[str, Any]
    paths: tuple[str, ...]
    codes: frozenset[str]
    uncertain: bool = False


Planter = Callable[[Mapping[str, Any], Reading], Iterable[Mistake]]
