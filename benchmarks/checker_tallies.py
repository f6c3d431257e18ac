"""Checkers of extracted values held against answers whose wrong values are known."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.field_checkers import Checker, PrintedValue, printed_values
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scores.planted import mistakes_in, verdict_on
from extractor.evaluation.scores.scoring import score
from extractor.letters.letter import Letter, letter_from_text
from extractor.lettertypes.findings import Withheld
from extractor.lettertypes.leaves import leaf_at
from extractor.lettertypes.lettertype import LetterType, Mistake
from extractor.pointers import is_within
from extractor.validator.withholding import restore, withhold

OURS = "Letterproof"


@dataclass
class CheckerTally:
    """One checker on the printed values of some answers."""

    values: int = 0
    wrong: int = 0
    wrong_admitted: int = 0
    right_admitted: int = 0
    letters: int = 0
    letters_flagged: int = 0


class OwnChecker:
    """The same question put to this project's records: is the value used without a person looking?"""

    name = OURS
    package = "letterproof"
    cannot_express = "see above: what no check covers"

    def __init__(self, letter_type: LetterType, answers: Iterable[tuple[Letter, Mapping[str, Any]]]) -> None:
        self._type = letter_type
        self._answers = {letter.sha256: (letter, answer) for letter, answer in answers}

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        letter, answer = self._answers[letter_from_text(text, letter_id="letter").sha256]
        return own_admitted(self._type, letter, answer, values)


def own_admitted(
    letter_type: LetterType, letter: Letter, answer: Mapping[str, Any], values: Sequence[PrintedValue]
) -> list[bool]:
    """Which values this project would use: neither flagged nor withheld."""
    verdict = verdict_on(letter_type, answer, letter_type.read(letter))
    filled = letter_type.schema.model_validate_json(json.dumps(answer))
    _, after = withhold(letter_type, filled, verdict)
    flagged = [*(one.path for one in after.findings if one.severity == "error"), *after.withheld]
    return [not any(touches(path, one.path) for path in flagged) for one in values]


def touches(flagged: str, path: str) -> bool:
    """A finding on a value, or on any list or record that holds it; one on the whole letter touches all."""
    return path == flagged or path.startswith(f"{flagged}/") or flagged.startswith(f"{path}/")


def as_answered(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """A record's answer with withheld values back in their places; ``None`` if it has none."""
    if record["answer"] is None:
        return None
    return restore(record["answer"], {path: Withheld(**one) for path, one in record["withheld"].items()})


def on_answers(
    checker: Checker, letter_type: LetterType, golds: Mapping[str, Gold], answers: Mapping[str, Mapping[str, Any]]
) -> CheckerTally:
    """One checker on whole answers, by letter id; wrong is what gold calls wrong or invented."""
    total = CheckerTally()
    for letter_id, answer in answers.items():
        gold = golds[letter_id]
        wrong = [
            leaf.answer_path
            for leaf in score(letter_type.schema, gold, answer)
            if leaf.status in ("wrong", "invented") and leaf.answer_path
        ]
        values = printed_values(answer, gold.letter.text)
        admitted = checker.admitted(values, gold.letter.text)
        for value, is_admitted in zip(values, admitted, strict=True):
            is_wrong = any(value.path == path or value.path.startswith(f"{path}/") for path in wrong)
            total.values += 1
            total.wrong += is_wrong
            total.wrong_admitted += is_wrong and is_admitted
            total.right_admitted += is_admitted and not is_wrong
        total.letters += 1
        total.letters_flagged += not all(admitted)
    return total


@dataclass(frozen=True)
class PlantedValue:
    """A mistake planted into a true answer, with the values it made wrong, as a letter would print them."""

    letter: Letter
    answer: Mapping[str, Any]
    values: tuple[PrintedValue, ...]


def planted_values(letter_type: LetterType, golds: Iterable[Gold], most: int, seed: int) -> list[PlantedValue]:
    """At most ``most`` mistakes that put a wrong value that can be printed into a true answer, chosen by ``seed``.

    Mistakes that leave something out are not among them: no checker of values can express those.
    """
    found = []
    for gold in golds:
        reading = letter_type.read(gold.letter)
        true = {one.path: one.words for one in printed_values(gold.answer, gold.letter.text)}
        for _, mistake in mistakes_in(letter_type, letter_type.planters, gold.answer, reading):
            # Where a record is moved or left out, the values behind it have other paths, but are not wrong.
            in_place = all(leaf_at(letter_type.schema, path) for path in mistake.paths)
            if in_place and not mistake.uncertain and (values := _made_wrong(mistake, true, gold.letter.text)):
                found.append(PlantedValue(gold.letter, mistake.answer, values))
    return random.Random(seed).sample(found, min(most, len(found)))


def _made_wrong(mistake: Mistake, true: Mapping[str, str], text: str) -> tuple[PrintedValue, ...]:
    # An element that an insertion moves is still right.
    listed = {(path.rpartition("/")[0], words) for path, words in true.items()}
    return tuple(
        one
        for one in printed_values(mistake.answer, text)
        if (one.path.rpartition("/")[0], one.words) not in listed
        and true.get(one.path) != one.words
        and any(is_within(one.path, path) for path in mistake.paths)
    )


def on_planted(checker: Checker | None, letter_type: LetterType, planted: Iterable[PlantedValue]) -> tuple[int, int]:
    """How many planted wrong values a checker admits, of how many; ``None`` is this project."""
    admitted = of = 0
    for one in planted:
        if checker is None:
            found = own_admitted(letter_type, one.letter, one.answer, one.values)
        else:
            found = checker.admitted(one.values, one.letter.text)
        admitted += sum(found)
        of += len(one.values)
    return admitted, of
