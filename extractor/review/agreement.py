"""How far two blind reviewers agree: Cohen's kappa for choices, exact agreement for all other fields."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from extractor.display.values import plural
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import pointer_of
from extractor.review.blind import tracks
from extractor.review.inputs import known_inputs
from extractor.review.log import Log
from extractor.review.state import answer_sha256, final_answer
from extractor.runs.record import Record

# What a record that only one of two people has counts as.
_ABSENT = "(no such record)"
Pair = tuple[str, str]


@dataclass(frozen=True)
class FieldAgreement:
    """One field over all letters that two people have read. ``kappa``: of choices only, and ``None`` where it is not
    defined, because both people always chose the same one value.
    """

    field: str
    pairs: int
    equal: int
    kappa: float | None = None


def kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's kappa (1960): agreement beyond chance, 1 at best, 0 for chance; ``None`` if chance alone is certain."""
    if not pairs:
        return None
    total = len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(first[value] * second[value] for value in first) / total**2
    return None if chance == 1 else (sum(one == other for one, other in pairs) / total - chance) / (1 - chance)


def agreement(kind: LetterType, records: Iterable[Record], log: Log) -> tuple[int, int, list[FieldAgreement]]:
    """How many letters two people are done with, how many of them were decided alike, and each field.

    The first two people of a letter are compared. The first field is the decision itself.
    """
    pairs: dict[str, list[Pair]] = {"(decision)": []}
    letters = alike = 0
    for record in records:
        done = tracks(log.of(record.letter_id), answer_sha256(record))[:2]
        if record.letter_type != kind.name or len(done) < 2:
            continue
        letters += 1
        alike += done[0].outcome == done[1].outcome
        pairs["(decision)"].append((done[0].state.decided, done[1].state.decided))
        one, other = (dict(_leaves(kind, final_answer(record.answer, track.state.changes))) for track in done)
        for place in dict.fromkeys(chain(one, other)):
            pairs.setdefault(place[0], []).append((one.get(place, _ABSENT), other.get(place, _ABSENT)))
    choices = {name for name, each in known_inputs(kind.schema).items() if each.kind in ("enum", "boolean")}
    return letters, alike, [_field(name, found, name in choices or name[0] == "(") for name, found in pairs.items()]


def _field(name: str, pairs: Sequence[Pair], is_choice: bool) -> FieldAgreement:
    equal = sum(one == other for one, other in pairs)
    return FieldAgreement(name, len(pairs), equal, kappa(pairs) if is_choice else None)


def _leaves(kind: LetterType, answer: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Each leaf of an answer: its field and its pointer, and its value as JSON."""
    known = known_inputs(kind.schema)
    waiting: list[tuple[tuple[str | int, ...], str, Any]] = [((), "", answer)]
    while waiting:
        parts, name, value = waiting.pop()
        if name in known:
            yield (name, pointer_of(parts)), json.dumps(value, sort_keys=True)
        elif isinstance(value, Mapping):
            waiting += (((*parts, key), f"{name}/{key}".lstrip("/"), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting += (((*parts, i), name, inner) for i, inner in enumerate(value))


def agreement_text(letters: int, alike: int, fields: Sequence[FieldAgreement]) -> str:
    """The agreement for people, the least first."""
    lines = [f"{plural(letters, 'letter')} read by two people blind, {alike} decided and corrected alike"]
    for each in sorted(fields, key=lambda each: each.equal / each.pairs if each.pairs else 1):
        if each.pairs:
            beyond = "" if each.kappa is None else f", kappa {each.kappa:.2f}"
            lines.append(f"{each.field}: {each.equal} of {each.pairs} equal{beyond}")
    return "\n".join(lines)
