"""Three or more runs: prompts within a model, models within a prompt, and whether a prompt helps every model alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from extractor.evaluation import stats
from extractor.evaluation.breakdown import NO_GROUPS, Breakdown, LetterGroups, break_down
from extractor.evaluation.compare import (
    COMPARISON_VERSION,
    Comparison,
    Estimate,
    IsProtected,
    RunFigures,
    compare,
    estimate,
    refuse_unpaired,
)
from extractor.evaluation.flips import mean_errors
from extractor.evaluation.scored_run import Run


@dataclass(frozen=True)
class Contrast:
    """Two of the runs compared. ``within``: the model that both prompts were asked of, or the prompt that both models
    were asked with; empty where each run is compared with the first. ``p_adjusted``: for all tests of the table (Holm).
    """

    within: str
    comparison: Comparison
    p_adjusted: float | None = None


@dataclass(frozen=True)
class Interaction:
    """Whether a change of prompt does the same with two models, paired by letter.

    ``a`` and ``b`` are the changes in errors per letter with either model, ``difference`` is b minus a.
    """

    prompts: tuple[str, str]
    models: tuple[str, str]
    a: Estimate
    b: Estimate
    difference: Estimate
    p_adjusted: float | None = None


@dataclass(frozen=True)
class RunTable:
    """Three or more runs, compared in pairs, with p values adjusted for the number of tests (Holm)."""

    runs: tuple[RunFigures, ...]
    contrasts: tuple[Contrast, ...]
    interactions: tuple[Interaction, ...]
    breakdown: Breakdown

    def as_dict(self) -> dict[str, Any]:
        """The table as plain JSON values."""
        return {
            "version": COMPARISON_VERSION,
            "runs": [asdict(run) for run in self.runs],
            "contrasts": [
                {"within": each.within, "p_adjusted": each.p_adjusted, **each.comparison.as_dict()}
                for each in self.contrasts
            ],
            "interactions": [asdict(each) for each in self.interactions],
            "breakdown": asdict(self.breakdown),
        }


def compare_many(runs: Sequence[Run], is_protected: IsProtected, groups: LetterGroups = NO_GROUPS) -> RunTable:
    """Three or more runs in pairs.

    Where some prompt was asked of several models and some model with several prompts, prompts are compared
    within each model, with that model's first, and models within each prompt; else each run with the first.
    Raises ``UsageError`` as ``compare`` does.
    """
    refuse_unpaired(runs)
    contrasts = [Contrast(within, compare(a, b, is_protected)) for within, a, b in _pairs(runs)]
    interactions = list(_interactions(runs))
    tests = {
        **{f"c{i}": each.comparison.change.p for i, each in enumerate(contrasts)},
        **{f"i{i}": each.difference.p for i, each in enumerate(interactions)},
    }
    adjusted = stats.holm({name: p for name, p in tests.items() if p is not None})
    return RunTable(
        tuple(RunFigures(run.id, run.about, run.summary) for run in runs),
        tuple(replace(each, p_adjusted=adjusted.get(f"c{i}")) for i, each in enumerate(contrasts)),
        tuple(replace(each, p_adjusted=adjusted.get(f"i{i}")) for i, each in enumerate(interactions)),
        break_down(runs, groups),
    )


def _pairs(runs: Sequence[Run]) -> Iterator[tuple[str, Run, Run]]:
    first = runs[0]
    grid = _grid(runs)
    done: set[str] = set()
    for name in ("model", "prompt") if grid else ():
        for value in dict.fromkeys(run.about[name] for run in runs):
            one, *others = [run for run in runs if run.about[name] == value]
            done.update(run.id for run in (one, *others) if others)
            yield from ((str(value), one, other) for other in others)
    yield from (("", first, run) for run in runs[1:] if run.id not in done)


def _grid(runs: Sequence[Run]) -> dict[tuple[str, str], Run]:
    """Runs by prompt and model; empty unless some prompt has several models, some model several prompts."""
    keys = [(run.about["prompt"], run.about["model"]) for run in runs]
    crossed = all(len({key[i] for key in keys}) < len(keys) for i in (0, 1))
    if not crossed or len(set(keys)) < len(keys):
        return {}
    return dict(zip(keys, runs, strict=True))


def _interactions(runs: Sequence[Run]) -> Iterator[Interaction]:
    grid = _grid(runs)
    prompts, models = ([*dict.fromkeys(key[i] for key in grid)] for i in (0, 1))
    for prompt in prompts[1:]:
        for model in models[1:]:
            corners = [(prompts[0], models[0]), (prompt, models[0]), (prompts[0], model), (prompt, model)]
            if all(corner in grid for corner in corners):
                yield _interaction([grid[corner] for corner in corners])


def _interaction(corners: Sequence[Run]) -> Interaction:
    letters = [letter for letter in corners[0].by_letter if all(letter in run.by_letter for run in corners)]
    means = [[mean_errors(run.by_letter[letter]) for letter in letters] for run in corners]
    a = [after - before for before, after in zip(means[0], means[1], strict=True)]
    b = [after - before for before, after in zip(means[2], means[3], strict=True)]
    return Interaction(
        (corners[0].about["prompt"], corners[1].about["prompt"]),
        (corners[0].about["model"], corners[2].about["model"]),
        estimate(a),
        estimate(b),
        estimate([second - first for first, second in zip(a, b, strict=True)]),
    )
