"""The errors of one run or more by groups of letters, and which values are taken for which others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, get_args

from pydantic import BaseModel

from extractor.evaluation.flips import mean_errors
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.summary import as_count
from extractor.lettertypes.evidence import fields_of


@dataclass(frozen=True)
class LetterGroups:
    """What results are broken down by: letter ids by tag and by set, and the fields with a fixed list of values."""

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    enums: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LetterSlice:
    """The letters of one tag or set: how many they are, and the errors of each run over them (means of recordings)."""

    kind: str
    name: str
    letters: int
    errors: tuple[float, ...]


@dataclass(frozen=True)
class Confusion:
    """A value of a field with a fixed list, and what was given for it, counted for each run (means of recordings).

    ``None`` is no value. Right answers are counted too.
    """

    field: str
    gold: Any
    answer: Any
    counts: tuple[float, ...]

    @property
    def is_right(self) -> bool:
        return bool(self.gold == self.answer)


@dataclass(frozen=True)
class Breakdown:
    """Slices and confusions of the runs of one report; differences within a slice are not tested."""

    slices: tuple[LetterSlice, ...] = ()
    confusions: tuple[Confusion, ...] = ()


NO_GROUPS = LetterGroups()


def break_down(runs: Sequence[Run], groups: LetterGroups) -> Breakdown:
    """Break runs over the same letters down."""
    return Breakdown(tuple(_slices(runs, groups)), tuple(_confusions(runs, groups.enums)))


def _slices(runs: Sequence[Run], groups: LetterGroups) -> Iterator[LetterSlice]:
    errors = [{letter: mean_errors(scores) for letter, scores in run.by_letter.items()} for run in runs]
    for kind, members in (("tag", groups.tags), ("set", groups.sets)):
        for name, ids in members.items():
            letters = [each for each in dict.fromkeys(ids) if any(each in counts for counts in errors)]
            if letters:
                sums = (sum((counts.get(each, Fraction(0)) for each in letters), Fraction(0)) for counts in errors)
                yield LetterSlice(kind, name, len(letters), tuple(map(as_count, sums)))


def _confusions(runs: Sequence[Run], enums: frozenset[str]) -> Iterator[Confusion]:
    tallies = [_pairs(run, enums) for run in runs]
    wrong = {key[0] for tally in tallies for key in tally if key[1] != key[2]}
    keys = dict.fromkeys(key for tally in tallies for key in tally if key[0] in wrong)
    for key in sorted(keys, key=lambda key: (key[0], str(key[1]), key[1] != key[2], str(key[2]))):
        yield Confusion(*key, tuple(as_count(Fraction(tally[key])) for tally in tallies))


def _pairs(run: Run, enums: frozenset[str]) -> Counter[tuple[str, Any, Any]]:
    tally: Counter[tuple[str, Any, Any]] = Counter()
    for scores in run.by_letter.values():
        for score in scores:
            for leaf in score.leaves:
                if leaf.field in enums and leaf.status != "absent":
                    tally[leaf.field, leaf.gold, leaf.got] += Fraction(1, len(scores))  # type: ignore[assignment]
    return tally


def enum_fields(schema: type[BaseModel]) -> frozenset[str]:
    """The fields of a schema that hold one of a fixed list of texts, by their path without indices."""
    return frozenset(_enum_fields(schema, ""))


def _enum_fields(schema: type[BaseModel], above: str) -> Iterator[str]:
    for each in fields_of(schema):
        if each.model is not None:
            yield from _enum_fields(each.model, f"{above}{each.name}/")
        elif not each.many and get_args(each.value_type) and all(isinstance(v, str) for v in get_args(each.value_type)):
            yield above + each.name
