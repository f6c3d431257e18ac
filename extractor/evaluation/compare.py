"""Two or more runs over the same letters: what changed, by how much, and how certain that is.

Everything is paired by letter. A change is always the second run minus the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from extractor.errors import UsageError
from extractor.evaluation import stats
from extractor.evaluation.flips import KINDS, Flip, flips_of, leaf_pairs
from extractor.evaluation.power import LEVEL, detectable
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore, summarise

# With fewer letters no exact test can reach 0.05: the smallest p of five is 2 / 2^5.
FEWEST = 6
# Raise when the shape of a comparison changes.
COMPARISON_VERSION = 2
IsProtected = Callable[[str], bool]
LetterPair = tuple[LetterScore, LetterScore]


@dataclass(frozen=True)
class RunFigures:
    """One side of a comparison: a run's id, what was run, and its figures over the compared letters."""

    id: str
    about: Mapping[str, Any]
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class LetterErrors:
    """Errors of one letter under A and B."""

    letter_id: str
    a: int
    b: int


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
    """Letters fully right under one run only, and McNemar's exact test; ``p`` is ``None`` below six letters."""

    fixed: int
    broke: int
    p: float | None


@dataclass(frozen=True)
class FieldChange:
    """One field: how many values gold holds, errors under A and B, and how many values flipped."""

    field: str
    protected: bool
    gold: int
    a_errors: int
    b_errors: int
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
    true change that the set would detect.
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
    version: int = COMPARISON_VERSION

    @property
    def letters(self) -> int:
        return len(self.per_letter)

    @property
    def is_tested(self) -> bool:
        """Whether there are enough letters for a test."""
        return self.change.p is not None

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


@dataclass(frozen=True)
class RunTable:
    """Three or more runs: each against the first, with p values adjusted for multiple comparisons (Holm)."""

    runs: tuple[RunFigures, ...]
    against_first: tuple[Comparison, ...]
    p_adjusted: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """The table as plain JSON values."""
        return {
            "version": COMPARISON_VERSION,
            "runs": [asdict(run) for run in self.runs],
            "against_first": [each.as_dict() for each in self.against_first],
            "p_adjusted": dict(self.p_adjusted),
        }


def compare(a: Run, b: Run, is_protected: IsProtected) -> Comparison:
    """Compare two runs over the letters that both have an answer to.

    Raises ``UsageError`` when the runs cannot be paired: another letter type, scorer or gold, or no
    letter in common.
    """
    refuse_unpaired([a, b])
    shared = {letter.letter_id for letter in a.letters} & {letter.letter_id for letter in b.letters}
    if not shared:
        raise UsageError(
            f"runs {a.id} and {b.id} have no letter in common", hint="score both over the same set: extractor eval run"
        )
    left_out = _not_compared(a, b, shared)
    a, b = (_only(run, shared, is_protected) for run in (a, b))
    pairs = _paired(a, b)
    answered = [pair for pair in pairs if not any(letter.is_failed for letter in pair)]
    argued = any(leaf.debatable for pair in pairs for letter in pair for leaf in letter.errors)
    changes = _differences(pairs)
    return Comparison(
        a=_figures(a),
        b=_figures(b),
        per_letter=tuple(LetterErrors(one.letter_id, len(one.errors), len(other.errors)) for one, other in pairs),
        change=_estimate(changes),
        undebated=_estimate(_differences(pairs, debatable=False)) if argued else None,
        both_answered=_estimate(_differences(answered)) if 0 < len(answered) < len(pairs) else None,
        letters_right=_letters_right(pairs),
        precision=_ratio(pairs, _GIVEN) if len(pairs) >= FEWEST else None,
        recall=_ratio(pairs, _HELD) if len(pairs) >= FEWEST else None,
        detectable=detectable(changes),
        fields=tuple(_fields(pairs, is_protected)),
        flips=tuple(flip for one, other in pairs for flip in flips_of(one, other, is_protected)),
        zero_bounds=tuple(_zero_bounds(a, b)),
        failed={side: _failed(run) for side, run in (("a", a), ("b", b))},
        not_compared=left_out,
    )


def compare_many(runs: Sequence[Run], is_protected: IsProtected) -> RunTable:
    """Three or more runs, each against the first. Raises ``UsageError`` as ``compare`` does."""
    refuse_unpaired(runs)
    first, *others = runs
    found = tuple(compare(first, other, is_protected) for other in others)
    tested = {each.b.id: each.change.p for each in found if each.change.p is not None}
    return RunTable(tuple(_figures(run) for run in runs), found, stats.holm(tested))


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
    return "" if letter_id in run.about["gold"] else f"not in {side}"


def _only(run: Run, letter_ids: set[str], is_protected: IsProtected) -> Run:
    """The run over these letters alone, with the figures they give."""
    if len(run.letters) == len(letter_ids):
        return run
    letters = tuple(letter for letter in run.letters if letter.letter_id in letter_ids)
    return replace(run, letters=letters, summary=summarise(letters, is_protected))


def _figures(run: Run) -> RunFigures:
    return RunFigures(run.id, run.about, run.summary)


def _paired(a: Run, b: Run) -> list[LetterPair]:
    by_id = {letter.letter_id: letter for letter in b.letters}
    return [(letter, by_id[letter.letter_id]) for letter in a.letters]


def _failed(run: Run) -> tuple[str, ...]:
    return tuple(letter.letter_id for letter in run.letters if letter.is_failed)


# ---- the figures --------------------------------------------------------------------------------


def _differences(pairs: Sequence[LetterPair], *, debatable: bool = True) -> list[int]:
    """Errors of each letter, B minus A; with ``debatable=False`` only on values beyond argument."""

    def errors(letter: LetterScore) -> int:
        return sum(debatable or not leaf.debatable for leaf in letter.errors)

    return [errors(other) - errors(one) for one, other in pairs]


def _estimate(differences: Sequence[int]) -> Estimate:
    change = stats.mean_change(differences)
    differing = sum(1 for d in differences if d)
    p = stats.sign_flip(differences) if len(differences) >= FEWEST else None
    return Estimate(len(differences), differing, change.mean, change.low, change.high, p, stats.smallest_p(differing))


def _letters_right(pairs: Sequence[LetterPair]) -> LettersRight:
    fixed = sum(bool(one.errors) and not other.errors for one, other in pairs)
    broke = sum(not one.errors and bool(other.errors) for one, other in pairs)
    return LettersRight(fixed, broke, stats.mcnemar(fixed, broke) if len(pairs) >= FEWEST else None)


def _ratio(pairs: Sequence[LetterPair], statuses: tuple[str, ...]) -> stats.Interval | None:
    return stats.cluster_ratio([(_share(one, statuses), _share(other, statuses)) for one, other in pairs])


# What the answer gives, and what the gold holds.
_GIVEN = ("match", "wrong", "invented")
_HELD = ("match", "wrong", "omitted", "failed")


def _share(letter: LetterScore, statuses: tuple[str, ...]) -> stats.Share:
    of = [leaf for leaf in letter.leaves if leaf.status in statuses]
    return stats.Share(sum(leaf.status == "match" for leaf in of), len(of))


def _zero_bounds(a: Run, b: Run) -> Iterator[ZeroBound]:
    names = {
        "failed_letters": "failed letters",
        "silent_errors": "wrong protected values in accepted records",
        "invented": "invented values",
    }
    for side, run in (("a", a), ("b", b)):
        letters = len(run.letters)
        for name, what in names.items():
            if run.summary[name] == 0:
                yield ZeroBound(side, what, letters, stats.zero_bound(letters))


def _fields(pairs: Sequence[LetterPair], is_protected: IsProtected) -> Iterator[FieldChange]:
    found: dict[str, list[tuple[Leaf | None, Leaf | None]]] = {}
    for one, other in pairs:
        for a, b in leaf_pairs(one.leaves, other.leaves):
            found.setdefault((a or b).field, []).append((a, b))  # type: ignore[union-attr]
    for name, leaves in found.items():
        errors = [(bool(a and a.is_error), bool(b and b.is_error)) for a, b in leaves]
        gold = sum(any(leaf and leaf.status not in ("absent", "invented") for leaf in pair) for pair in leaves)
        if gold or any(map(any, errors)):
            yield FieldChange(
                name,
                is_protected(name),
                gold,
                sum(a for a, _ in errors),
                sum(b for _, b in errors),
                errors.count((True, False)),
                errors.count((False, True)),
            )
