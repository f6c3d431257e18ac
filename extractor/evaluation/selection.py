"""A part of a run: some of its letters, or some of its fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from extractor.errors import UsageError
from extractor.evaluation.scored_run import Run, letter_of
from extractor.evaluation.scores.summary import summarise
from extractor.pointers import is_within


def only_letters(run: Run, letters: Collection[str], is_protected: Callable[[str], bool]) -> Run:
    """The run over these letters alone, with the figures they give."""
    if set(run.by_letter) <= set(letters):
        return run
    kept = [i for i, score in enumerate(run.letters) if score.letter_id in letters]
    scores = tuple(run.letters[i] for i in kept)
    return replace(
        run,
        letters=scores,
        predictions=tuple(run.predictions[i] for i in kept),
        summary=summarise(scores, is_protected),
        unanswered={name: why for name, why in run.unanswered.items() if letter_of(name) in letters},
        about={**run.about, "gold": {each: sha for each, sha in run.about["gold"].items() if each in letters}},
    )


def only_fields(run: Run, fields: Sequence[str], is_protected: Callable[[str], bool]) -> Run:
    """The run with the leaves of these fields alone; a field is named by its path without indices, or by what holds it.

    Raises ``UsageError`` for a field that no letter of the run has.
    """
    known = sorted({leaf.field for score in run.letters for leaf in score.leaves})
    for field in fields:
        if not any(is_within(each, field) for each in known):
            raise UsageError(f"no field {field!r}", hint=f"known: {', '.join(known)}")
    scores = tuple(
        replace(
            score, leaves=tuple(leaf for leaf in score.leaves if any(is_within(leaf.field, each) for each in fields))
        )
        for score in run.letters
    )
    return replace(
        run,
        letters=scores,
        summary=summarise(scores, is_protected),
        about={**run.about, "set": f"{run.about['set']}, {', '.join(fields)} only"},
    )
