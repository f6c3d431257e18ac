"""The validator measured: plant one mistake at a time in correct answers, and count what it catches.

A letter type brings its planters: functions that take a correct answer and yield copies with one
mistake each, with the places where a finding must point.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from extractor.evaluation.scores.planted_quotes import QUOTE_KINDS, QuoteKind, Quotes, true_quotes, under_each_quote
from extractor.letters.letter import Letter
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType, Mistake
from extractor.lettertypes.reading import Reading, as_uncertain
from extractor.validator.checks import Verdict, check

_EXAMPLES = 5
# Findings on a quote are right for a mistake in the value that it is given for.
_QUOTES = frozenset({"quote_missing", "quote_elsewhere"})


@dataclass
class Tally:
    """One kind of mistake. ``caught``: a new error; ``right``: with an expected code at an expected path."""

    planted: int = 0
    caught: int = 0
    right: int = 0
    protected: int = 0
    protected_right: int = 0
    missed: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "missed": list(self.missed)}


@dataclass
class Report:
    """Kinds with their tallies, and what the validator found in the untouched answers.

    ``false_alarms`` are errors that call a correct answer wrong; ``letter_errors`` are the letters' own
    contradictions, ``unread`` the parts that the reader knows it cannot parse: a person must look at
    both. ``quoted`` counts the mistakes in stated values once more, under each quote that a quoted prompt may bring.
    """

    answers: int = 0
    kinds: dict[str, Tally] = field(default_factory=dict)
    false_alarms: list[str] = field(default_factory=list)
    letter_errors: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    quoted: dict[QuoteKind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in QUOTE_KINDS})

    def list_for(self, finding: Finding) -> list[str]:
        """The list that an error on an untouched answer belongs to."""
        if finding.blame == "letter":
            return self.letter_errors
        return self.unread if finding.code == "unread" else self.false_alarms

    @property
    def planted(self) -> int:
        return sum(tally.planted for tally in self.kinds.values())

    @property
    def caught(self) -> int:
        return sum(tally.caught for tally in self.kinds.values())

    @property
    def right(self) -> int:
        return sum(tally.right for tally in self.kinds.values())

    @property
    def protected(self) -> tuple[int, int]:
        """(caught at the right place, planted) on protected leaves."""
        tallies = self.kinds.values()
        return sum(t.protected_right for t in tallies), sum(t.protected for t in tallies)

    def as_dict(self) -> dict[str, Any]:
        right, planted = self.protected
        return {
            "answers": self.answers,
            "planted": self.planted,
            "caught": self.caught,
            "caught_right": self.right,
            "protected_planted": planted,
            "protected_caught_right": right,
            "false_alarms": self.false_alarms,
            "letter_errors": self.letter_errors,
            "kinds": {kind: tally.as_dict() for kind, tally in self.kinds.items()},
            "quoted": {kind: tally.as_dict() for kind, tally in self.quoted.items()},
        }


def measure(
    letter_type: LetterType,
    answers: Iterable[tuple[Letter, Mapping[str, Any]]],
    kinds: Iterable[str] | None = None,
    *,
    quoted: bool = False,
) -> Report:
    """Plant every mistake of every kind (or of ``kinds``) in every correct answer and check each.

    ``quoted``: those in stated values also under each quote that a quoted prompt may bring.
    """
    report = Report(kinds={kind: Tally() for kind in kinds or letter_type.planters})
    for letter, answer in answers:
        reading = letter_type.read(letter)
        untouched = verdict_on(letter_type, answer, reading)
        report.answers += 1
        for finding in untouched.findings:
            if finding.severity == "error":
                report.list_for(finding).append(f"{letter.id} {finding.path} {finding.code}")
        uncertain = as_uncertain(reading)
        doubted = verdict_on(letter_type, answer, uncertain)
        report.false_alarms += [
            f"{letter.id} {finding.path} {finding.code}, with an uncertain reader"
            for finding in doubted.findings
            if finding.blame == "answer" and finding.severity == "error"
        ]
        for kind, mistake in mistakes_in(letter_type, list(report.kinds), answer, reading):
            found = verdict_on(letter_type, mistake.answer, uncertain if mistake.uncertain else reading)
            new = _new_errors(found, doubted if mistake.uncertain else untouched)
            _count(report.kinds[kind], mistake, new, letter, letter_type)
        if quoted:
            _measure_quoted(report, letter_type, answer, reading, untouched)
    return report


def _measure_quoted(
    report: Report, letter_type: LetterType, answer: Mapping[str, Any], reading: Reading, untouched: Verdict
) -> None:
    """Count the mistakes in stated values of one answer under each quote."""
    letter, schema = reading.letter, letter_type.schema
    quotes = true_quotes(schema, letter, untouched.evidence)
    with_quotes = verdict_on(letter_type, answer, reading, quotes)
    report.false_alarms += [
        f"{letter.id} {finding.path} {finding.code}, with its true quotes"
        for finding in with_quotes.findings
        if finding.severity == "error" and finding.code in _QUOTES
    ]
    for _, mistake in mistakes_in(letter_type, list(report.kinds), answer, reading):
        for each in under_each_quote(schema, letter, answer, mistake, quotes, untouched.evidence):
            new = _new_errors(verdict_on(letter_type, mistake.answer, reading, each.quotes), with_quotes)
            _count(
                report.quoted[each.kind],
                replace(mistake, codes=mistake.codes | _QUOTES),
                new,
                letter,
                letter_type,
            )


def mistakes_in(
    letter_type: LetterType, kinds: Iterable[str], answer: Mapping[str, Any], reading: Reading
) -> Iterator[tuple[str, Mistake]]:
    for kind in kinds:
        for mistake in letter_type.planters[kind](answer, reading):
            if mistake.answer != answer:
                yield kind, mistake


def verdict_on(
    letter_type: LetterType, answer: Mapping[str, Any], reading: Reading, quotes: Quotes | None = None
) -> Verdict:
    return check(letter_type, letter_type.schema.model_validate_json(json.dumps(answer)), reading, quotes)


def _new_errors(found: Verdict, untouched: Verdict) -> list[Finding]:
    """The errors of a verdict that the true answer has not, but for those of the letter itself."""
    known = {identity(finding) for finding in untouched.findings}
    return [f for f in found.findings if f.severity == "error" and f.blame != "letter" and identity(f) not in known]


def identity(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.path


def _count(tally: Tally, mistake: Mistake, new: list[Finding], letter: Letter, letter_type: LetterType) -> None:
    right = any(
        finding.code in mistake.codes and any(_at(finding.path, path) for path in mistake.paths) for finding in new
    )
    protected = letter_type.is_protected(mistake.paths[0])
    tally.planted += 1
    tally.caught += bool(new)
    tally.right += right
    tally.protected += protected
    tally.protected_right += protected and right
    if not right and len(tally.missed) < _EXAMPLES:
        tally.missed.append(f"{letter.id} {mistake.paths[0]}: {', '.join(sorted({f.code for f in new})) or 'nothing'}")


def _at(path: str, expected: str) -> bool:
    """A finding points to the right place if it is at the leaf, or inside it."""
    return path == expected or path.startswith(expected + "/")
