"""Taking what the letter says: a finding's expected value becomes the correction, judged by the same checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from extractor.errors import UsageError
from extractor.letters.letter import Letter
from extractor.letters.spans import fold
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.leaves import field_named
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import is_within, value_at
from extractor.review import corrections
from extractor.review.corrections import Proposed
from extractor.review.inputs import leaf_input
from extractor.runs.record import Record

if TYPE_CHECKING:
    from extractor.review.fields import OtherAnswer

# Findings without an expected value that name what is right all the same.
_ADDS = frozenset({"record_missing"})
_REMOVES = frozenset({"record_extra", "record_doubled"})
_SILENT = frozenset({"not_stated"})
_BY_SPAN = frozenset({"odd_characters"})
# A list may need its elements first and their order then.
_MOST_STEPS = 3

_NOTHING = object()


class Taken(NamedTuple):
    """A correction made from a finding: ``act`` is ``correct``, ``add`` or ``remove``."""

    act: str
    change: Proposed


def has_value(finding: Finding) -> bool:
    """Whether a finding names a value to take; whether the checks agree with it is not looked at.

    Never where the letter disagrees with itself: a faithful copy is right there, and another value is not.
    """
    if finding.blame == "letter" or finding.severity == "info" or not finding.path:
        return False
    return finding.expected is not None or finding.code in _ADDS | _REMOVES | _SILENT | _BY_SPAN


def taken(kind: LetterType, letter: Letter, record: Record, finding: Finding) -> Taken:
    """The correction that follows from a finding of the record.

    Raises ``UsageError`` where the finding names no value, or the checks do not agree with it.
    """
    if not has_value(finding):
        raise UsageError("this finding names no value to take; correct the field")
    if finding.code in _ADDS:
        return Taken("add", corrections.addition(kind, letter, record, finding.path, finding.expected))
    if finding.code in _REMOVES:
        return Taken("remove", corrections.removal(kind, letter, record, finding.path))
    if finding.code == "record_order":
        return Taken("correct", _agreed(_reordered(kind, letter, record, finding), finding))
    return Taken("correct", _agreed(_corrected(kind, letter, record, finding), finding))


def witness_value(
    kind: LetterType, letter: Letter, record: Record, path: str, name: str, opinions: Sequence[OtherAnswer]
) -> Taken:
    """The value for the leaf at ``path`` of the second model or the reviewer of this name.

    Raises ``UsageError`` if there is none of this name, ``LookupError`` if it has no such leaf.
    """
    leaf_input(kind, record.answer, path)
    if record.second and record.second.model == name and path in record.second.values:
        value = record.second.values[path]
    elif found := [each.answer for each in opinions if each.name == name]:
        value = value_at(found[0], path)
    else:
        raise UsageError("nobody of this name was asked about this field")
    return Taken("correct", corrections.proposed(kind, letter, record, "correct", path, value))


def _corrected(kind: LetterType, letter: Letter, record: Record, finding: Finding) -> Proposed:
    leaf = _leaf_of(kind, record.answer, finding.path)
    found, at = record, [finding, *_at(record.findings, leaf, but=finding)]
    value: Any = _NOTHING
    for _ in range(_MOST_STEPS):
        step = _value(at, value_at(found.answer, leaf), leaf, letter)
        if step is _NOTHING:
            break
        value = step
        found = corrections.proposed(kind, letter, found, "correct", leaf, value).record
        at = [each for each in _at(found.findings, leaf) if each.blame == "answer" and has_value(each)]
    if value is _NOTHING:
        raise UsageError("this finding names no value to take; correct the field")
    return corrections.proposed(kind, letter, record, "correct", leaf, value)


def _agreed(change: Proposed, finding: Finding) -> Proposed:
    """The change, if the checks agree with it. Raises ``UsageError`` if not."""
    wrong = [each for each in change.new_findings if each.severity == "error" and each.blame == "answer"]
    # A rule of the letter type may expect something else than a value of its field.
    kept = finding.blame == "answer" and finding in change.record.findings
    if wrong or kept or change.old == change.new:
        raise UsageError("the checks do not agree with the value that this finding names; correct the field")
    return change


def _value(findings: Sequence[Finding], current: Any, leaf: str, letter: Letter) -> Any:
    """The value that the first of these findings with one stands for; ``_NOTHING`` if none has."""
    many = isinstance(current, list)
    for each in findings:
        if each.code in _SILENT:
            return [] if many else None
        if each.code in _BY_SPAN and each.span:
            words = " ".join(each.span.of(letter.text).split())
            return _with_element(current, each.path, leaf, words) if many else words
        if each.expected is not None and isinstance(each.expected, list) == many:
            return each.expected
    lacking = [each.expected for each in findings if each.code == "list_item_missing"]
    return [*current, *lacking] if many and lacking else _NOTHING


def _with_element(current: list[Any], path: str, leaf: str, words: str) -> list[Any]:
    place = path.removeprefix(f"{leaf}/")
    return [words if str(i) == place else each for i, each in enumerate(current)]


def _at(findings: Sequence[Finding], leaf: str, but: Finding | None = None) -> list[Finding]:
    """The findings at a leaf or its elements that name a value, apart from ``but``."""
    return [each for each in findings if each is not but and has_value(each) and is_within(each.path, leaf)]


def _leaf_of(kind: LetterType, answer: Any, path: str) -> str:
    """The leaf that ``path`` is, or is an element of. Raises ``UsageError`` if there is none."""
    while path:
        try:
            leaf_input(kind, answer, path)
        except LookupError:
            path = path.rpartition("/")[0]
        else:
            return path
    raise UsageError("this finding is about more than one field; correct the fields")


def _reordered(kind: LetterType, letter: Letter, record: Record, finding: Finding) -> Proposed:
    """The records of a list at the top of the schema in the letter's order."""
    name = finding.path.removeprefix("/")
    spec = field_named(kind.schema, name)
    if spec is None or spec.covers is None or not isinstance(finding.expected, list):
        raise UsageError("this finding is about more than one field; correct the fields")
    left, key = list(value_at(record.answer, finding.path)), spec.covers.key
    ordered = []
    for wanted in finding.expected:
        at = next((i for i, each in enumerate(left) if fold(str(each[key])) == fold(str(wanted))), None)
        if at is not None:
            ordered.append(left.pop(at))
    return corrections.proposed(kind, letter, record, "correct", finding.path, [*ordered, *left])
