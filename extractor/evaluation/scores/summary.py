"""Scored letters and their totals. Every figure is a count; ratios are kept as pairs of counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from statistics import median
from typing import Any

from extractor.evaluation.scores.scoring import ERRORS, Leaf
from extractor.letters.spans import fold
from extractor.models.model import Usage
from extractor.runs.record import Attempt

FLAGGED = ("needs_review", "failed")
FLAGS = ("right", "elsewhere", "letter", "false")


@dataclass(frozen=True)
class LetterScore:
    """One letter of a run: its scored leaves, and what the validator found.

    ``blames``: who is to blame for the validator's errors (``answer``, ``letter``, ``unclear``), and
    ``flagged_paths``: the paths into the answer at which they point. ``withheld``: values that the record leaves
    out, by path into the answer. ``attempts``, ``usage`` and
    ``cost_usd`` are the record's own. ``recording``: which of several answers to the letter this is, from 1.
    ``seconds``: how long its calls took when they were made, where that is known.
    """

    letter_id: str
    status: str
    leaves: tuple[Leaf, ...]
    blames: frozenset[str] = frozenset()
    flagged_paths: frozenset[str] = frozenset()
    withheld: Mapping[str, Any] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = None
    error: str | None = None
    recording: int = 1
    seconds: float | None = None

    @cached_property
    def errors(self) -> list[Leaf]:
        """The leaves a person would have to correct."""
        return [leaf for leaf in self.leaves if leaf.is_error]

    @property
    def is_failed(self) -> bool:
        return self.status == "failed"

    @property
    def flag(self) -> str:
        """What the validator's flag was worth.

        ``""``: the record was accepted. ``right``: a finding points at something that is wrong, or there is no
        valid answer. ``elsewhere``: something is wrong, and no finding points at it. ``letter``: the
        answer is right and the letter itself is odd. ``false``: neither.
        """
        if self.status not in FLAGGED:
            return ""
        if self.is_failed or any(self._is_flagged(leaf) for leaf in self.errors):
            return "right"
        if self.errors:
            return "elsewhere"
        return "letter" if self.blames & {"letter"} else "false"

    @cached_property
    def withheld_leaves(self) -> list[Leaf]:
        """Omitted leaves that the record lists as withheld, with what was given."""
        return [leaf for leaf in self.errors if leaf.status == "omitted" and self._given_for(leaf)]

    @property
    def rightly_given(self) -> int:
        """How many withheld values were right."""
        return sum(_same(leaf.gold, each) for leaf in self.withheld_leaves for each in self._given_for(leaf)[:1])

    def _given_for(self, leaf: Leaf) -> list[Any]:
        """What was given for an omitted leaf and withheld, its gold value first."""
        found: list[Any] = []
        for path, value in self.withheld.items():
            if path == leaf.answer_path or path.rpartition("/")[0] == leaf.answer_path:
                found += value if isinstance(value, list) and not isinstance(leaf.gold, list) else [value]
        return sorted(found, key=lambda each: not _same(leaf.gold, each))

    def _is_flagged(self, leaf: Leaf) -> bool:
        """Whether a finding points at the leaf, into it, or at the record or list that holds it."""
        return any(_inside(path, leaf.answer_path) or _inside(leaf.answer_path, path) for path in self.flagged_paths)


def _same(gold: Any, given: Any) -> bool:
    """Whether a withheld value is gold's, as far as words go."""
    return fold(gold) == fold(given) if isinstance(gold, str) and isinstance(given, str) else bool(gold == given)


def _inside(path: str, outer: str) -> bool:
    """Whether a JSON pointer is at or below another; nothing counts as below the whole letter, ``""``."""
    return bool(outer) and (path == outer or path.startswith(outer + "/"))


def summarise(letters: Sequence[LetterScore], is_protected: Callable[[str], bool]) -> dict[str, Any]:
    """All figures of one run, as JSON. Pairs are ``[count, of]``.

    Where letters have several recordings, each letter counts once, with the mean over its recordings: the figures
    are those of one pass over the letters, and may be fractions. ``answers`` is how many answers were scored,
    ``seconds_per_call`` the median time of a call.

    ``errors``: wrong + omitted + invented + failed leaves, the primary figure together with
    ``letters``; ``debatable_errors`` of them are on values that gold calls debatable. ``precision``: right
    of all values given; ``recall``: right of all values gold holds. ``withheld`` of the omitted values are
    listed as withheld in their records, ``withheld_right`` of them were given rightly. Other errors in accepted
    records are ``silent_errors`` on protected fields and ``silent_other_errors`` on the rest.
    """
    recordings = Counter(letter.letter_id for letter in letters)
    groups: dict[int, list[LetterScore]] = {}
    for letter in letters:
        groups.setdefault(recordings[letter.letter_id], []).append(letter)
    head = {"answers": len(letters), "seconds_per_call": _seconds_per_call(letters)}
    if set(groups) <= {1}:
        return {**head, **_counts(letters, is_protected)}
    figures = {count: _counts(some, is_protected) for count, some in groups.items()}
    return {**head, **_mean_pass(figures)}


def _seconds_per_call(letters: Sequence[LetterScore]) -> float | None:
    """The median over the answers; ``None`` if it is not known of all of them."""
    times = [letter.seconds / len(letter.attempts) for letter in letters if letter.seconds and letter.attempts]
    return round(median(times), 3) if times and len(times) == len(letters) else None


def _mean_pass(figures: Mapping[int, Any]) -> Any:
    """Figures over letters by their number of recordings, added up with each letter counting once."""
    if None in figures.values():
        return None
    if any(isinstance(each, dict) for each in figures.values()):
        parts = {count: each or {} for count, each in figures.items()}
        names = dict.fromkeys(name for each in parts.values() for name in each)
        return {name: _mean_pass({count: each.get(name, 0) for count, each in parts.items()}) for name in names}
    if any(isinstance(each, list) for each in figures.values()):
        return [_mean_pass(dict(zip(figures, pair, strict=True))) for pair in zip(*figures.values(), strict=True)]
    return as_count(sum((Fraction(each) / count for count, each in figures.items()), Fraction(0)))


def as_count(value: Fraction) -> int | float:
    """A fraction as a whole number if it is one."""
    return int(value) if value.denominator == 1 else float(value)


def _counts(letters: Sequence[LetterScore], is_protected: Callable[[str], bool]) -> dict[str, Any]:
    leaves = [leaf for letter in letters for leaf in letter.leaves]
    counts = Counter(leaf.status for leaf in leaves)
    match, omitted = counts["match"], counts["omitted"] + counts["failed"]
    flags = Counter(letter.flag for letter in letters)
    silent = Counter(
        is_protected(leaf.field)
        for letter in letters
        if not letter.flag
        for leaf in letter.errors
        if leaf not in letter.withheld_leaves
    )
    return {
        "letters": len(letters),
        "gold_values": match + counts["wrong"] + omitted,
        "errors": sum(counts[status] for status in ERRORS),
        **{status: counts[status] for status in ("match", "wrong", "omitted", "invented", "failed", "absent")},
        "precision": [match, match + counts["wrong"] + counts["invented"]],
        "recall": [match, match + counts["wrong"] + omitted],
        "letters_right": [sum(not letter.errors for letter in letters), len(letters)],
        "failed_letters": sum(letter.is_failed for letter in letters),
        "flagged": sum(flags[flag] for flag in FLAGS),
        "flags": {flag: flags[flag] for flag in FLAGS},
        "protected_errors": sum(is_protected(leaf.field) for letter in letters for leaf in letter.errors),
        "silent_errors": silent[True],
        "silent_other_errors": silent[False],
        "debatable_errors": sum(leaf.is_error and leaf.debatable for leaf in leaves),
        "withheld": sum(len(letter.withheld_leaves) for letter in letters),
        "withheld_right": sum(letter.rightly_given for letter in letters),
        "pages": _pages(leaves),
        "fields": by_field(leaves),
        "calls": calls(letters),
        "usage": _usage(letters),
        "cost_usd": _total(letter.cost_usd for letter in letters),
    }


def by_field(leaves: Iterable[Leaf]) -> dict[str, dict[str, int]]:
    """Counts of each status for each field, in the schema's order; fields that are absent everywhere are left out."""
    found: dict[str, Counter[str]] = {}
    for leaf in leaves:
        found.setdefault(leaf.field, Counter())[leaf.status] += 1
    names = ("match", "wrong", "omitted", "invented", "failed")
    return {name: {each: tally[each] for each in names} for name, tally in found.items() if set(tally) - {"absent"}}


def calls(letters: Iterable[LetterScore]) -> dict[str, int]:
    """Calls to the model, and the effect of re-asking (the validator's errors, before and after)."""
    found = Counter(calls=0, asked_again=0, errors_before=0, errors_after=0, transport_retries=0)
    for letter in letters:
        found["calls"] += len(letter.attempts)
        found["transport_retries"] += sum(each.transport_tries - 1 for each in letter.attempts)
        if len(letter.attempts) > 1:
            found["asked_again"] += 1
            found["errors_before"] += letter.attempts[0].errors
            found["errors_after"] += min(each.errors for each in letter.attempts)
    return dict(found)


def _pages(leaves: Iterable[Leaf]) -> dict[str, int]:
    pages = [leaf.pages for leaf in leaves if leaf.pages]
    return {
        "right": sum(each.right for each in pages),
        "missing": sum(each.missing for each in pages),
        "extra": sum(each.extra for each in pages),
    }


def _usage(letters: Sequence[LetterScore]) -> dict[str, int | None]:
    counts = [letter.usage.as_dict() for letter in letters]
    return {name: _total(each[name] for each in counts) for name in Usage().as_dict()} if counts else {}


def _total(values: Iterable[Any]) -> Any:
    """The sum, or ``None`` as soon as one is unknown: a partial total would mislead."""
    found = list(values)
    return sum(found) if found and all(value is not None for value in found) else None
