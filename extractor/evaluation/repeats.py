"""Several recordings of the same letters under one prompt and model: how much they differ among themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Any

from extractor.evaluation.flips import LeafRow, aligned, wrong_share
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.summary import LetterScore


@dataclass(frozen=True)
class FlakyLeaf:
    """A value that is right in some recordings of its letter and wrong in others.

    ``wrong`` of ``recordings`` are errors; ``values`` has what each recording gives.
    """

    letter_id: str
    path: str
    field: str
    protected: bool
    debatable: bool
    gold: Any
    values: tuple[Any, ...]
    wrong: int
    recordings: int


@dataclass(frozen=True)
class Spread:
    """The spread within one prompt and model, over the ``letters`` that have several recordings.

    ``errors``: the errors of each recording, over the letters that have all of them (``letters_with_all``).
    ``within``: the standard deviation of one letter's errors between its recordings, all letters together.
    """

    letters: int
    letters_with_all: int
    errors: tuple[int, ...]
    within: float
    flaky: tuple[FlakyLeaf, ...]


def spread_of(run: Run, is_protected: Callable[[str], bool]) -> Spread | None:
    """How much the recordings of a run differ; ``None`` if no letter has more than one."""
    several = [scores for scores in run.by_letter.values() if len(scores) > 1]
    if not several:
        return None
    whole = [scores for scores in several if len(scores) == run.recordings]
    errors = tuple(sum(len(scores[i].errors) for scores in whole) for i in range(run.recordings))
    within = math.sqrt(fmean(variance([len(score.errors) for score in scores]) for scores in several))
    flaky = tuple(leaf for scores in several for leaf in _flaky(scores, is_protected))
    return Spread(len(several), len(whole), errors, within, flaky)


def _flaky(scores: tuple[LetterScore, ...], is_protected: Callable[[str], bool]) -> Iterator[FlakyLeaf]:
    for row in aligned([score.leaves for score in scores]):
        share = wrong_share(row)
        if 0 < share < 1:
            some = next(leaf for leaf in row if leaf)
            yield FlakyLeaf(
                scores[0].letter_id,
                some.path,
                some.field,
                is_protected(some.field),
                some.debatable,
                some.gold,
                _values(row),
                int(share * len(row)),
                len(row),
            )


def _values(row: LeafRow) -> tuple[Any, ...]:
    return tuple(leaf.got if leaf else None for leaf in row)
