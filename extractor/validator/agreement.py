"""Agreement: what a second model's answer clears of the findings on the first one's.

Only a difference between a model and the reader can be cleared, and only where another model, which saw
neither the first answer nor the findings, gives the same value, and the value is printed in its own part
of the letter. What needs no reader to be refused is never cleared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import Span, fold
from extractor.lettertypes.evidence import SchemaField, Verbatim, fields_of
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Reading
from extractor.validator.binding import bind
from extractor.validator.letter_findings import unsure_words
from extractor.validator.quotes import begins_sentence, ends_sentence, is_whole
from extractor.validator.verdict import Verdict

# The reader reads another value; the reader is uncertain and reads another value.
CLEARABLE = frozenset({"value_differs", "unread"})


@dataclass(frozen=True)
class Opinion:
    """One model's answer to a letter, and the verdict on it."""

    model: str
    answer: BaseModel
    verdict: Verdict


@dataclass(frozen=True)
class Counterpart:
    """A leaf in both answers: its two pointers and its two values."""

    path: str
    other_path: str
    spec: SchemaField
    value: Any
    other_value: Any

    @property
    def is_same(self) -> bool:
        """Whether both models answered the same."""
        if isinstance(self.value, str) and isinstance(self.other_value, str):
            return fold(self.value) == fold(self.other_value)
        return bool(self.value == self.other_value)


def is_worth_a_second_opinion(finding: Finding) -> bool:
    """Whether a finding is about a value of the answer, so that another model can confirm it."""
    return finding.severity == "error" and finding.blame != "letter" and finding.path != ""


def counterparts(first: BaseModel, second: BaseModel) -> dict[str, Counterpart]:
    """All leaves that both answers have, by their pointer in the first; records are matched by their keys."""
    return {each.path: each for each in _leaves(first, second, "", "")}


def settle(letter_type: LetterType, reading: Reading, first: Opinion, second: Opinion) -> Verdict:
    """The verdict on the first answer, with the findings that the second model clears turned into remarks."""
    claimed = set(_certain_places(reading.root))
    known = counterparts(first.answer, second.answer)
    after = replace(first.verdict, findings=[], evidence={**first.verdict.evidence}, proof={**first.verdict.proof})
    for finding in first.verdict.findings:
        leaf = known.get(finding.path)
        places = _agreed_places(reading.letter, first, second, leaf, finding, claimed) if leaf else []
        if not places or any(unsure_words(letter_type, reading.letter, {finding.path: places})):
            after.findings.append(finding)
            continue
        after.evidence[finding.path] = places
        after.proof[finding.path] = "words"
        after.findings.append(_remark(finding, first, second, places[0]))
    return after


def _agreed_places(
    letter: Letter, first: Opinion, second: Opinion, leaf: Counterpart, finding: Finding, claimed: set[Span]
) -> list[Span]:
    """Where the value that both models give is printed; empty if that does not clear the finding."""
    is_open = finding.severity == "error" and finding.blame != "letter" and finding.code in CLEARABLE
    # Agreement on a list proves nothing about elements that both leave out.
    if not is_open or leaf.spec.many or leaf.value is None or not leaf.is_same:
        return []
    places = _places(first.verdict, leaf.path)
    if places != _places(second.verdict, leaf.other_path):
        return []
    codes = _errors_at(first.verdict, leaf.path) | _errors_at(second.verdict, leaf.other_path)
    if codes != {finding.code}:
        return []
    # Words that the reader is certain belong to another value prove that one.
    free = [span for span in places if span not in claimed]
    if isinstance(leaf.spec.marker, Verbatim):
        return [span for span in free if _is_whole(letter, span, leaf.value, finding.expected)]
    # A certain reader that points at printed words is right more often than two models that err alike.
    return [] if finding.code == "value_differs" and finding.span else free


def _is_whole(letter: Letter, place: Span, value: Any, expected: Any) -> bool:
    """Whether words are whole clauses, and, where the reader has more, are apart from the rest by a full stop.

    Models cut a heading short alike; what a reader takes too much of is sentences.
    """
    view = letter.view
    span, whole = view.from_raw(place), Span(0, len(view.text))
    if not is_whole(view.text, span, whole, "clause"):
        return False
    mine, theirs = fold(str(value)), fold(str(expected))
    if mine not in theirs:
        return True
    return (theirs.startswith(mine) or begins_sentence(view.text, span)) and (
        theirs.endswith(mine) or ends_sentence(view.text, span)
    )


def _places(verdict: Verdict, path: str) -> list[Span]:
    return verdict.in_place.get(path) or verdict.evidence.get(path) or []


def _errors_at(verdict: Verdict, path: str) -> set[str]:
    return {finding.code for finding in verdict.findings if finding.path == path and finding.severity == "error"}


def _remark(finding: Finding, first: Opinion, second: Opinion, place: Span) -> Finding:
    how = "is uncertain and read another value" if finding.code == "unread" else "read another value"
    message = f"{first.model} and {second.model} agree on this value, which is printed in its place; the reader {how}"
    return Finding("models_agree", finding.path, "info", "unclear", message, finding.expected, finding.got, place)


def _certain_places(block: Block) -> Iterator[Span]:
    """The places of all values that the reader is certain of."""
    for fact in block.facts.values():
        if fact.certain and fact.value is not None:
            yield from fact.spans
    for blocks in block.blocks.values():
        for inner in blocks:
            yield from _certain_places(inner)


def _leaves(first: BaseModel, second: BaseModel, path: str, other_path: str) -> Iterator[Counterpart]:
    for spec in fields_of(type(first)):
        one, other = getattr(first, spec.name), getattr(second, spec.name)
        here, there = f"{path}/{spec.name}", f"{other_path}/{spec.name}"
        if spec.model is None:
            yield Counterpart(here, there, spec, one, other)
        elif spec.kind == "records":
            for i, j in _pairs(spec, one, other):
                yield from _leaves(one[i], other[j], f"{here}/{i}", f"{there}/{j}")
        else:
            yield from _leaves(one, other, here, there)


def _pairs(spec: SchemaField, first: list[BaseModel], second: list[BaseModel]) -> tuple[tuple[int, int], ...]:
    """Which records of the two answers are about the same part of the letter."""
    assert spec.covers is not None
    key = spec.covers.key
    return bind([_key(each, key) for each in first], [_key(each, key) for each in second]).pairs


def _key(record: BaseModel, key: str) -> str:
    value = getattr(record, key)
    return fold(str(value)) if value is not None else ""
