"""Two or more runs over the same letters: what changed, by how much, and how sure that is.

Everything is paired by letter. A change is always the second run minus the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from extractor.errors import UsageError
from extractor.evaluation import stats
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore

# With fewer letters no exact test can reach 0.05: the smallest p of five is 2 / 2^5.
FEWEST = 6
IsProtected = Callable[[str], bool]


def compare(a: Run, b: Run, is_protected: IsProtected) -> dict[str, Any]:
    """Everything the reports tell about two runs, as JSON.

    ``tests`` is ``None`` below ``FEWEST`` letters: the flips are all there is to say. Raises
    ``UsageError`` when the runs cannot be paired (see ``refuse_unpaired``).
    """
    refuse_unpaired([a, b])
    pairs = _paired(a, b)
    flips = [flip for one, other in pairs for flip in _flips(one, other, is_protected)]
    return {
        "a": {"id": a.id, "about": a.about, "summary": a.summary},
        "b": {"id": b.id, "about": b.about, "summary": b.summary},
        "letters": len(pairs),
        "per_letter": [
            {"letter_id": one.letter_id, "a": len(one.errors), "b": len(other.errors)} for one, other in pairs
        ],
        "tests": _tests(pairs) if len(pairs) >= FEWEST else None,
        "zero_bounds": _zero_bounds(a, b),
        "fields": _fields(pairs, is_protected),
        "flips": flips,
        "counts": {kind: sum(flip["kind"] == kind for flip in flips) for kind in ("fixed", "broke", "changed")},
    }


def compare_many(runs: Sequence[Run], is_protected: IsProtected) -> dict[str, Any]:
    """Three or more runs: each against the first, with p values adjusted for looking more than once (Holm)."""
    refuse_unpaired(runs)
    first, *others = runs
    found = [compare(first, other, is_protected) for other in others]
    tested = {
        other.id: each["tests"]["errors"]["p"] for other, each in zip(others, found, strict=True) if each["tests"]
    }
    return {
        "runs": [{"id": run.id, "about": run.about, "summary": run.summary} for run in runs],
        "letters": len(first.letters),
        "against_first": [
            {
                "id": other.id,
                "tests": each["tests"],
                "counts": each["counts"],
                "broke": [flip for flip in each["flips"] if flip["kind"] == "broke"],
                "p_adjusted": stats.holm(tested).get(other.id),
            }
            for other, each in zip(others, found, strict=True)
        ],
        "comparisons": len(others),
    }


def refuse_unpaired(runs: Sequence[Run]) -> None:
    """Raises ``UsageError`` for runs that are incomplete, or differ in gold, letters or scorer."""
    for run in runs:
        if not run.complete:
            left = ", ".join(sorted(run.unanswered)[:5])
            hint = "finish it with the same `extractor eval run`; a missing answer is no wrong answer"
            raise UsageError(f"run {run.id} is incomplete: no answer for {left}", hint=hint)
        if run.about["letter_type"] != runs[0].about["letter_type"]:
            raise UsageError("these runs are of different letter types", hint="compare runs of one letter type")
        if run.about["scorer"] != runs[0].about["scorer"]:
            hint = "score the older one anew, without calls: extractor eval rescore RUN"
            raise UsageError(f"run {run.id} was scored by another version of the scorer", hint=hint)
        if run.about["gold"] != runs[0].about["gold"]:
            raise UsageError(_gold_differs(runs[0], run), hint="score both on today's gold: extractor eval rescore RUN")


def _gold_differs(a: Run, b: Run) -> str:
    one, other = a.about["gold"], b.about["gold"]
    if only := sorted(one.keys() ^ other.keys()):
        return f"runs {a.id} and {b.id} are over different letters: {', '.join(only[:5])} only in one"
    changed = [each for each in one if one[each] != other[each]]
    return f"runs {a.id} and {b.id} were scored with different gold of {', '.join(changed[:5])}"


def _paired(a: Run, b: Run) -> list[tuple[LetterScore, LetterScore]]:
    by_id = {letter.letter_id: letter for letter in b.letters}
    return [(letter, by_id[letter.letter_id]) for letter in a.letters]


def _tests(pairs: Sequence[tuple[LetterScore, LetterScore]]) -> dict[str, Any]:
    differences = [len(other.errors) - len(one.errors) for one, other in pairs]
    fixed = sum(bool(one.errors) and not other.errors for one, other in pairs)
    broke = sum(not one.errors and bool(other.errors) for one, other in pairs)
    precision = stats.cluster_ratio([(_given(one), _given(other)) for one, other in pairs])
    recall = stats.cluster_ratio([(_held(one), _held(other)) for one, other in pairs])
    return {
        "errors": {
            **asdict(stats.mean_difference(differences)),
            "p": stats.sign_flip(differences),
            "smallest_p": stats.smallest_p(sum(1 for d in differences if d)),
            "differing_letters": sum(1 for d in differences if d),
            "detectable": stats.detectable(differences),
        },
        "letters_right": {"fixed": fixed, "broke": broke, "p": stats.mcnemar(fixed, broke)},
        "precision": asdict(precision) if precision else None,
        "recall": asdict(recall) if recall else None,
    }


def _given(letter: LetterScore) -> stats.Share:
    """Right of all values the answer gives."""
    return _share(letter, ("match", "wrong", "invented"))


def _held(letter: LetterScore) -> stats.Share:
    """Right of all values the gold holds."""
    return _share(letter, ("match", "wrong", "omitted", "failed"))


def _share(letter: LetterScore, statuses: tuple[str, ...]) -> stats.Share:
    of = [leaf for leaf in letter.leaves if leaf.status in statuses]
    return stats.Share(sum(leaf.status == "match" for leaf in of), len(of))


def _zero_bounds(a: Run, b: Run) -> list[dict[str, Any]]:
    """What was never seen, and how often it could still happen."""
    names = {
        "failed_letters": "failed letters",
        "silent_errors": "wrong protected values in accepted records",
        "invented": "invented values",
    }
    return [
        {"run": side, "what": what, "letters": len(run.letters), "up_to": stats.zero_bound(len(run.letters))}
        for side, run in (("a", a), ("b", b))
        for name, what in names.items()
        if run.summary[name] == 0
    ]


def _fields(pairs: Sequence[tuple[LetterScore, LetterScore]], is_protected: IsProtected) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one, other in pairs:
        for a, b in _leaf_pairs(one, other):
            field = (a or b).field  # type: ignore[union-attr]
            row = found.setdefault(field, {"gold": 0, "a_errors": 0, "b_errors": 0, "fixed": 0, "broke": 0})
            row["gold"] += any(leaf is not None and leaf.status not in ("absent", "invented") for leaf in (a, b))
            row["a_errors"] += bool(a and a.is_error)
            row["b_errors"] += bool(b and b.is_error)
            row["fixed"] += bool(a and a.is_error) and not (b and b.is_error)
            row["broke"] += bool(b and b.is_error) and not (a and a.is_error)
    return [
        {"field": name, "protected": is_protected(name), **row}
        for name, row in found.items()
        if row["gold"] or row["a_errors"] or row["b_errors"]
    ]


def _leaf_pairs(one: LetterScore, other: LetterScore) -> Iterator[tuple[Leaf | None, Leaf | None]]:
    """Leaves of two scorings of one letter by path; ``None`` where only the other has it."""
    a = {leaf.path: leaf for leaf in one.leaves}
    b = {leaf.path: leaf for leaf in other.leaves}
    for path in dict.fromkeys((*a, *b)):
        yield a.get(path), b.get(path)


def _flips(one: LetterScore, other: LetterScore, is_protected: IsProtected) -> Iterator[Mapping[str, Any]]:
    """The leaves that are an error in just one run, or another error in each."""
    for a, b in _leaf_pairs(one, other):
        was, now = bool(a and a.is_error), bool(b and b.is_error)
        if was == now and (not now or (a and b and (a.status, a.got) == (b.status, b.got))):
            continue
        some = a or b
        assert some is not None
        yield {
            "letter_id": one.letter_id,
            "path": some.path,
            "field": some.field,
            "kind": "changed" if was and now else "fixed" if was else "broke",
            "protected": is_protected(some.field),
            "gold": some.gold,
            "a": a.got if a else None,
            "b": b.got if b else None,
            "a_status": a.status if a else "absent",
            "b_status": b.status if b else "absent",
        }
