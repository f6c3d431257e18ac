"""Two runs over the same letters: what changed, by how much, and how certain that is.

Everything is paired by letter. A change is always the second run minus the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from extractor.errors import UsageError
from extractor.evaluation import stats
from extractor.evaluation.breakdown import NO_GROUPS, Breakdown, LetterGroups, break_down
from extractor.evaluation.flips import KINDS, Flip, LeafPair, Scores, flips_of, leaf_pairs, mean_errors
from extractor.evaluation.power import LEVEL, detectable
from extractor.evaluation.repeats import Spread, spread_of
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.summary import as_count
from extractor.evaluation.selection import only_letters

# With fewer letters no exact test can reach 0.05: the smallest p of five is 2 / 2^5.
FEWEST = 6
# Raise when the shape of a comparison changes.
COMPARISON_VERSION = 3
IsProtected = Callable[[str], bool]
LetterPair = tuple[Scores, Scores]


@dataclass(frozen=True)
class RunFigures:
    """One side of a comparison: a run's id, what was run, and its figures over the compared letters."""

    id: str
    about: Mapping[str, Any]
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class LetterErrors:
    """Errors of one letter under A and B; with several recordings, their mean."""

    letter_id: str
    a: float
    b: float


@dataclass(frozen=True)
class Estimate:
    """Mean change in errors per letter over ``letters`` letters, its 95% interval, and the exact test.

    ``p`` is ``None`` below six letters, where no test can decide. ``smallest_p`` is the least that
    ``differing_letters`` letters could reach.
    """

    letters: int
    differing_letters: int
    mean: float
    low: float | None
    high: float | None
    p: float | None
    smallest_p: float

    @property
    def is_significant(self) -> bool:
        return self.p is not None and self.p <= LEVEL


@dataclass(frozen=True)
class LettersRight:
    """Letters fully right under one run only, and McNemar's exact test; ``p`` is ``None`` below six letters.

    With several recordings: letters that are fully right more often under one run, and the exact sign-flip test on
    the shares, which for one recording is McNemar's.
    """

    fixed: int
    broke: int
    p: float | None


@dataclass(frozen=True)
class FieldChange:
    """One field: how many values gold holds, errors under A and B, and how many values flipped.

    With several recordings, errors are means over them.
    """

    field: str
    protected: bool
    gold: int
    a_errors: float
    b_errors: float
    fixed: int
    broke: int


@dataclass(frozen=True)
class ZeroBound:
    """Something that run ``run`` (``a`` or ``b``) never did in ``letters`` letters, and how often it still may."""

    run: str
    what: str
    letters: int
    up_to: float


@dataclass(frozen=True)
class Comparison:
    """Everything known about two runs: the source of the text, Markdown, JSON and HTML reports.

    ``change`` is over all compared letters; ``undebated`` leaves out the values that gold calls
    debatable, and ``both_answered`` the letters that failed under either run (each ``None`` where
    that would change nothing). ``failed`` names those letters by run. ``not_compared`` gives the
    reason for each letter of the runs that is not in the comparison. ``detectable``: the smallest
    true change that the set would detect. ``spread`` by run (``a``, ``b``): how much the recordings of
    one letter differ, where there are several; the letter remains the unit of every test.
    """

    a: RunFigures
    b: RunFigures
    per_letter: tuple[LetterErrors, ...]
    change: Estimate
    undebated: Estimate | None
    both_answered: Estimate | None
    letters_right: LettersRight
    precision: stats.Interval | None
    recall: stats.Interval | None
    detectable: float | None
    fields: tuple[FieldChange, ...]
    flips: tuple[Flip, ...]
    zero_bounds: tuple[ZeroBound, ...]
    failed: Mapping[str, tuple[str, ...]]
    not_compared: Mapping[str, str]
    spread: Mapping[str, Spread | None]
    breakdown: Breakdown
    version: int = COMPARISON_VERSION

    @property
    def letters(self) -> int:
        return len(self.per_letter)

    @property
    def is_tested(self) -> bool:
        """Whether there are enough letters for a test."""
        return self.change.p is not None

    @property
    def differences(self) -> tuple[list[int], int]:
        """Each letter's change in errors as a whole number of steps, and how many steps are one error."""
        means = [
            (Fraction(row.a).limit_denominator(1000), Fraction(row.b).limit_denominator(1000))
            for row in self.per_letter
        ]
        return stats.whole_steps([b - a for a, b in means])

    def count(self, kind: str, *, debatable: bool | None = None) -> int:
        """How many values flipped that way; with ``debatable``, only those that are, or are not."""
        return sum(flip.kind == kind and debatable in (None, flip.debatable) for flip in self.flips)

    @property
    def counts(self) -> dict[str, int]:
        return {kind: self.count(kind) for kind in KINDS}

    def _repr_html_(self) -> str:
        """For notebooks: the sentences and tables of the report."""
        from extractor.evaluation.reports.notebook import comparison_html  # which imports this class

        return comparison_html(self)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON values."""
        return {"version": self.version, "letters": self.letters, "counts": self.counts, **asdict(self)}


def compare(a: Run, b: Run, is_protected: IsProtected, groups: LetterGroups = NO_GROUPS) -> Comparison:
    """Compare two runs over the letters that both have an answer to.

    Raises ``UsageError`` when the runs cannot be paired: another letter type, scorer or gold, or no
    letter in common.
    """
    refuse_unpaired([a, b])
    shared = set(a.by_letter) & set(b.by_letter)
    if not shared:
        raise UsageError(
            f"runs {a.id} and {b.id} have no letter in common", hint="score both over the same set: extractor eval run"
        )
    left_out = _not_compared(a, b, shared)
    a, b = (only_letters(run, shared, is_protected) for run in (a, b))
    pairs = _paired(a, b)
    answered = [pair for pair in pairs if not any(letter.is_failed for letters in pair for letter in letters)]
    argued = any(leaf.debatable for pair in pairs for letters in pair for letter in letters for leaf in letter.errors)
    changes = _differences(pairs)
    leaves = [leaf for one, other in pairs for leaf in leaf_pairs(one, other)]
    whole, steps = stats.whole_steps(changes)
    smallest = detectable(whole)
    return Comparison(
        a=_figures(a),
        b=_figures(b),
        per_letter=tuple(
            LetterErrors(one[0].letter_id, as_count(mean_errors(one)), as_count(mean_errors(other)))
            for one, other in pairs
        ),
        change=estimate(changes),
        undebated=estimate(_differences(pairs, debatable=False)) if argued else None,
        both_answered=estimate(_differences(answered)) if 0 < len(answered) < len(pairs) else None,
        letters_right=_letters_right(pairs),
        precision=_ratio(pairs, _GIVEN) if len(pairs) >= FEWEST else None,
        recall=_ratio(pairs, _HELD) if len(pairs) >= FEWEST else None,
        detectable=None if smallest is None else smallest / steps,
        fields=tuple(_fields(leaves, is_protected)),
        flips=tuple(flips_of(leaves, is_protected)),
        zero_bounds=tuple(_zero_bounds(a, b)),
        failed={side: _failed(run) for side, run in (("a", a), ("b", b))},
        not_compared=left_out,
        breakdown=break_down((a, b), groups),
        spread={side: spread_of(run, is_protected) for side, run in (("a", a), ("b", b))},
    )


def refuse_unpaired(runs: Sequence[Run]) -> None:
    """Raises ``UsageError`` for runs of different letter types, scorers, or gold of the same letter."""
    first = runs[0]
    for run in runs[1:]:
        if run.about["letter_type"] != first.about["letter_type"]:
            raise UsageError("these runs are of different letter types", hint="compare runs of one letter type")
        if run.about["scorer"] != first.about["scorer"]:
            hint = "score the older one again, without calls: extractor eval rescore RUN"
            raise UsageError(f"run {run.id} was scored by another version of the scorer", hint=hint)
        one, other = first.about["gold"], run.about["gold"]
        if changed := [each for each in one if each in other and one[each] != other[each]]:
            what = f"runs {first.id} and {run.id} were scored with different gold of {', '.join(changed[:5])}"
            raise UsageError(what, hint="score both on today's gold: extractor eval rescore RUN")


def _not_compared(a: Run, b: Run, shared: Iterable[str]) -> dict[str, str]:
    """Why each letter of the runs is left out that only one of them has an answer to, or neither."""
    letters = dict.fromkeys((*a.about["gold"], *b.about["gold"]))
    return {
        each: "; ".join(_absence(run, side, each) for run, side in ((a, "A"), (b, "B")) if _absence(run, side, each))
        for each in letters
        if each not in set(shared)
    }


def _absence(run: Run, side: str, letter_id: str) -> str:
    if letter_id in run.unanswered:
        return f"no answer in {side}"
    if letter_id in run.about.get("examples", ()):
        return f"an example of the prompt of {side}"
    return "" if letter_id in run.about["gold"] else f"not in {side}"


def _figures(run: Run) -> RunFigures:
    return RunFigures(run.id, run.about, run.summary)


def _paired(a: Run, b: Run) -> list[LetterPair]:
    return [(letters, b.by_letter[letter_id]) for letter_id, letters in a.by_letter.items()]


def _failed(run: Run) -> tuple[str, ...]:
    return tuple(dict.fromkeys(letter.letter_id for letter in run.letters if letter.is_failed))


# ---- the figures --------------------------------------------------------------------------------


def _differences(pairs: Sequence[LetterPair], *, debatable: bool = True) -> list[Fraction]:
    """Mean errors of each letter, B minus A; with ``debatable=False`` only on values beyond argument."""
    return [mean_errors(other, debatable=debatable) - mean_errors(one, debatable=debatable) for one, other in pairs]


def estimate(changes: Sequence[Fraction]) -> Estimate:
    """The mean of the letters' changes with its interval and test. Raises ``UsageError`` for no letters."""
    differences, steps = stats.whole_steps(changes)
    change = stats.mean_change(differences)
    low, high = (None if bound is None else bound / steps for bound in (change.low, change.high))
    differing = sum(1 for d in differences if d)
    p = stats.sign_flip(differences) if len(differences) >= FEWEST else None
    return Estimate(len(differences), differing, change.mean / steps, low, high, p, stats.smallest_p(differing))


def _letters_right(pairs: Sequence[LetterPair]) -> LettersRight:
    changes = [_share_right(other) - _share_right(one) for one, other in pairs]
    fixed, broke = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    # With one recording a letter every change is +1 or -1, and this is McNemar's test.
    return LettersRight(fixed, broke, stats.sign_flip(stats.whole_steps(changes)[0]) if len(pairs) >= FEWEST else None)


def _share_right(letters: Scores) -> Fraction:
    return Fraction(sum(not letter.errors for letter in letters), len(letters))


def _ratio(pairs: Sequence[LetterPair], statuses: tuple[str, ...]) -> stats.Interval | None:
    """Change of a ratio. Each letter counts once, whatever its number of recordings."""
    most = math.lcm(*(len(letters) for pair in pairs for letters in pair))
    return stats.cluster_ratio([(_share(one, statuses, most), _share(other, statuses, most)) for one, other in pairs])


# What the answer gives, and what the gold holds.
_GIVEN = ("match", "wrong", "invented")
_HELD = ("match", "wrong", "omitted", "failed")


def _share(letters: Scores, statuses: tuple[str, ...], most: int) -> stats.Share:
    of = [leaf for letter in letters for leaf in letter.leaves if leaf.status in statuses]
    weight = most // len(letters)
    return stats.Share(weight * sum(leaf.status == "match" for leaf in of), weight * len(of))


def _zero_bounds(a: Run, b: Run) -> Iterator[ZeroBound]:
    names = {
        "failed_letters": "failed letters",
        "silent_errors": "wrong protected values in accepted records",
        "invented": "invented values",
    }
    for side, run in (("a", a), ("b", b)):
        letters = len(run.by_letter)
        for name, what in names.items():
            if run.summary[name] == 0:
                yield ZeroBound(side, what, letters, stats.zero_bound(letters))


_NOT_GOLD = ("absent", "invented")


def _fields(pairs: Sequence[LeafPair], is_protected: IsProtected) -> Iterator[FieldChange]:
    found: dict[str, list[LeafPair]] = {}
    for pair in pairs:
        field = next(leaf.field for leaf in (*pair.a, *pair.b) if leaf)
        found.setdefault(field, []).append(pair)
    for name, rows in found.items():
        gold = sum(any(leaf and leaf.status not in _NOT_GOLD for leaf in (*pair.a, *pair.b)) for pair in rows)
        wrong = [pair for pair in rows if pair.was or pair.now]
        if gold or wrong:
            yield FieldChange(
                name,
                is_protected(name),
                gold,
                as_count(sum((pair.was for pair in wrong), Fraction(0))),
                as_count(sum((pair.now for pair in wrong), Fraction(0))),
                sum(pair.was > pair.now for pair in wrong),
                sum(pair.was < pair.now for pair in wrong),
            )
