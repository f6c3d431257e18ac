"""Withholding: a wrong value that nobody must decide on is taken out of the answer.

A person is asked only what a person must decide. Where a leaf is wrong and not protected, the record
gives null in its place (or the reading's value, where the letter type allows it and the reading is
certain), keeps what was answered, and the finding becomes a warning. Protected leaves, lists of
records and leaves that cannot be null stay errors.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from extractor.lettertypes.evidence import Judged, SchemaField, fields_of
from extractor.lettertypes.findings import Finding, Withheld
from extractor.lettertypes.leaves import leaf_at, record_at
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import field_path, is_index, is_within, parts_of, place_of, value_at
from extractor.validator.verdict import Verdict

# Errors that end with the elements they point at; any other error puts the whole list in question.
_OF_ONE_ELEMENT = frozenset({"not_in_text", "list_item_extra", "quote_too_short", "quote_cut", "odd_characters"})


@dataclass(frozen=True)
class _Wrong:
    """A leaf with its errors. ``elements``: of a list, the indexes in question; empty for all of it."""

    path: str
    spec: SchemaField
    errors: tuple[Finding, ...]
    elements: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Taken:
    """A wrong leaf, what was answered there, and what the record gives."""

    leaf: _Wrong
    given: Any
    value: Any


def withhold(letter_type: LetterType, answer: BaseModel, verdict: Verdict) -> tuple[BaseModel, Verdict]:
    """The answer without its wrong values that are not protected, and the verdict on what is left.

    Both come back as they were if there is nothing to withhold, or if the letter type protects nothing: then
    nothing defines what a person must decide.
    """
    if not letter_type.protected:
        return answer, verdict
    wrong = list(_wrong_leaves(letter_type, verdict))
    if not wrong:
        return answer, verdict
    given = answer.model_dump(mode="json")
    rest = copy.deepcopy(given)
    taken: list[_Taken] = []
    for leaf in wrong:
        for value in _in_its_place(letter_type, leaf, rest):
            if _put(letter_type, rest, leaf.path, value):
                taken.append(_Taken(leaf, value_at(given, leaf.path), value))
                break
    if not taken:
        return answer, verdict
    return letter_type.schema.model_validate_json(to_json(rest)), _after(verdict, taken)


def restore(answer: Mapping[str, Any], withheld: Mapping[str, Withheld]) -> dict[str, Any]:
    """A record's answer as the model gave it: each withheld value back in its place.

    A place that was filled since, by a person or by the reading, keeps what it has; paths that are not
    in the answer are passed over.
    """
    whole = copy.deepcopy(dict(answer))
    # In order, so that the elements of a list get the indexes they had.
    for path, each in sorted(withheld.items(), key=lambda item: [_sortable(part) for part in parts_of(item[0])]):
        try:
            place, last = place_of(whole, path)
            if isinstance(place, list):
                place.insert(last, each.value)
            elif place[last] in (None, []):
                place[last] = each.value
        except (LookupError, TypeError, ValueError):
            continue
    return whole


def keep_withheld(answer: Mapping[str, Any], verdict: Verdict, withheld: Mapping[str, Withheld]) -> Verdict:
    """The verdict on an answer that a person may have changed: what is still withheld stays so, and is no error."""
    left = {path: each for path, each in withheld.items() if _is_still_out(answer, path)}
    after = replace(verdict, withheld=left)
    after.findings = [
        replace(finding, severity="warning")
        if finding.severity == "error" and any(is_within(finding.path, path) for path in left)
        else finding
        for finding in verdict.findings
    ]
    return after


def _is_still_out(answer: Mapping[str, Any], path: str) -> bool:
    try:
        return is_index(parts_of(path)[-1]) or value_at(answer, path) in (None, [])
    except LookupError:
        return False


def _sortable(part: str) -> tuple[int, str]:
    return (int(part), "") if is_index(part) else (-1, part)


# ---- what is wrong -----------------------------------------------------------------------------


def _wrong_leaves(letter_type: LetterType, verdict: Verdict) -> Iterator[_Wrong]:
    """Leaves with an error of the answer that need no person, each once; a quote brings its judgment along."""
    errors: dict[str, list[Finding]] = defaultdict(list)
    elements: dict[str, set[int] | None] = {}
    specs: dict[str, SchemaField] = {}
    for finding in verdict.findings:
        if finding.severity != "error":
            continue
        found = leaf_at(letter_type.schema, finding.path)
        if found is None:
            continue
        path, spec, element = found
        specs[path] = spec
        errors[path].append(finding)
        if element is None or finding.code not in _OF_ONE_ELEMENT:
            elements[path] = None
        elif (known := elements.setdefault(path, set())) is not None:
            known.add(element)
    for path, found_here in errors.items():
        blames = {finding.blame for finding in found_here}
        if letter_type.is_protected(path) or "answer" not in blames or "letter" in blames:
            continue
        yield _Wrong(path, specs[path], tuple(found_here), tuple(sorted(elements[path] or ())))
        yield from _judgments_on(letter_type, path, errors)


def _judgments_on(letter_type: LetterType, path: str, errors: Mapping[str, list[Finding]]) -> Iterator[_Wrong]:
    """Judgments that rest on this quote, and the quote of a judgment: one is nothing without the other."""
    parent, _, name = path.rpartition("/")
    record = record_at(letter_type.schema, parent)
    for spec in fields_of(record) if record else ():
        pair = isinstance(spec.marker, Judged) and name in (spec.name, spec.marker.quote)
        if not pair:
            continue
        assert isinstance(spec.marker, Judged)
        other = spec.marker.quote if name == spec.name else spec.name
        where = f"{parent}/{other}"
        found = leaf_at(letter_type.schema, where)
        if found and where not in errors and not letter_type.is_protected(where):
            yield _Wrong(where, found[1], tuple(errors[path]))


# ---- what comes in its place -------------------------------------------------------------------


def _in_its_place(letter_type: LetterType, leaf: _Wrong, rest: Any) -> Iterator[Any]:
    """What may come in place of a wrong value, best first."""
    own = [finding for finding in leaf.errors if finding.path == leaf.path]
    if (
        field_path(leaf.path) in letter_type.from_reading
        and len(own) == 1
        and own[0].expected is not None
        and own[0].span
    ):
        yield own[0].expected
    if leaf.elements:
        yield [item for i, item in enumerate(value_at(rest, leaf.path)) if i not in leaf.elements]
    yield [] if leaf.spec.many else None


def _put(letter_type: LetterType, rest: Any, path: str, value: Any) -> bool:
    """Put a value into the answer, in place, if the answer is then still valid."""
    place, last = place_of(rest, path)
    before = place[last]
    place[last] = value
    try:
        letter_type.schema.model_validate_json(to_json(rest))
    except ValidationError:
        place[last] = before
        return False
    return True


def _after(before: Verdict, taken: Sequence[_Taken]) -> Verdict:
    """The verdict on the rest: what was withheld is no error any more."""
    settled = {id(finding) for each in taken for finding in each.leaf.errors}
    after = Verdict(dict(before.evidence), [], dict(before.proof), dict(before.withheld), dict(before.in_place))
    after.findings = [replace(f, severity="warning") if id(f) in settled else f for f in before.findings]
    for each in taken:
        path, errors = each.leaf.path, each.leaf.errors
        if each.leaf.elements and each.value:
            for i in each.leaf.elements:
                where = f"{path}/{i}"
                code = next(finding.code for finding in errors if is_within(finding.path, where))
                after.withheld[where] = Withheld(each.given[i], code)
            if len(after.evidence.get(path, ())) == len(each.value):
                after.proof[path] = "words"
            continue
        after.withheld[path] = Withheld(each.given, errors[0].code)
        after.evidence.pop(path, None)
        after.proof[path] = "nothing"
        if each.value:
            span = errors[0].span
            assert span is not None
            after.evidence[path] = [span]
            after.findings.append(
                Finding(
                    "from_reading", path, "warning", "unclear", "this is the reading's value", got=each.value, span=span
                )
            )
    return after
