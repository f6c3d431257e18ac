"""A record as displayed: groups of fields in the schema's order, each with its evidence and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from pydantic import BaseModel

from extractor.display.values import value_text
from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import SchemaField, Unchecked, fields_of
from extractor.lettertypes.findings import CODES, Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import is_within, value_at
from extractor.review.log import Act
from extractor.review.state import State
from extractor.review.taking import has_value
from extractor.runs.record import Record

# The label of each blame.
BLAME = {"answer": "wrong answer", "letter": "odd letter", "unclear": "unclear", "failed": "failed"}
# A record with more groups at the top gets an outline.
MANY_PARTS = 8
_BY_WEIGHT = ("error", "warning", "info")


@dataclass(frozen=True)
class EvidencePlace:
    """Where in the letter: raw offsets, and how a person would name the place."""

    start: int
    end: int
    where: str


@dataclass(frozen=True)
class NumberedFinding:
    """One finding as displayed. ``look``: ``answer``, ``letter`` or ``unclear``. ``sides`` are the names of
    ``expected`` and ``got``; ``takes``: it names a value to take.
    """

    number: int
    code: str
    severity: str
    look: str
    message: str
    expected: str
    got: str
    sides: tuple[str, str]
    meaning: str
    path: str
    place: EvidencePlace | None
    takes: bool


@dataclass(frozen=True)
class OtherAnswer:
    """The answer of someone else: of a reviewer who could not see the others."""

    name: str
    answer: Any


class Witness(NamedTuple):
    """What one witness says on a leaf. ``takes``: its value can be taken, by its name."""

    name: str
    value: str
    takes: bool = False


@dataclass(frozen=True)
class Field:
    """One leaf. ``witnesses``: who says what on a leaf that is in question, if others than the checks speak on it.
    ``before``: the model's value, where a person changed it; ``by_hand``: a person marked the proof.

    ``withheld``: what the model gave here and the record leaves out, a value or elements of a list.
    ``unproven``: there is a value, but neither evidence nor a finding for it.
    """

    number: int
    path: str
    name: str
    text: str
    protected: bool
    places: tuple[EvidencePlace, ...]
    by_hand: bool
    unproven: bool
    findings: tuple[NumberedFinding, ...]
    changed: Act | None
    before: str
    comments: tuple[Act, ...]
    witnesses: tuple[Witness, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def look(self) -> str:
        """The worst of its findings: ``answer``, ``letter``, ``unclear``, or ``""``; info is none."""
        open_ones = [each for each in self.findings if each.severity != "info"]
        return min(open_ones, key=lambda each: _BY_WEIGHT.index(each.severity)).look if open_ones else ""


@dataclass(frozen=True)
class Group:
    """Fields that belong together: a nested record. ``title`` identifies it among its siblings."""

    path: str
    name: str
    title: str
    depth: int
    fields: tuple[Field, ...]
    findings: tuple[NumberedFinding, ...]
    removable: bool = False


@dataclass(frozen=True)
class RecordPart:
    """A group at the top of a record with all that is inside it; ``is_open``: displayed unfolded."""

    number: int
    groups: tuple[Group, ...]
    is_open: bool

    @property
    def head(self) -> Group:
        return self.groups[0]

    @property
    def open_findings(self) -> list[NumberedFinding]:
        """Its findings, the worst first; info is none."""
        return _open_findings(self.groups)


@dataclass(frozen=True)
class RecordView:
    """A record as displayed: findings on the letter as a whole, then its groups."""

    findings: tuple[NumberedFinding, ...]
    groups: tuple[Group, ...]

    @property
    def parts(self) -> list[RecordPart]:
        """The groups at the top. Of many, those with nothing to look at are folded, if there is something in others."""
        cut = [i for i, group in enumerate(self.groups) if group.depth < 2]
        found = [self.groups[i:j] for i, j in pairwise([*cut, len(self.groups)])]
        worth = [_is_worth_a_look(each) for each in found]
        fold = len(found) > MANY_PARTS and any(worth)
        return [RecordPart(i, each, worth[i] or not fold) for i, each in enumerate(found)]

    @property
    def has_many_parts(self) -> bool:
        """Whether an outline helps to find one's way."""
        return sum(group.depth < 2 for group in self.groups) > MANY_PARTS

    @property
    def fields(self) -> Iterator[Field]:
        return (field for group in self.groups for field in group.fields)

    @property
    def all_findings(self) -> list[NumberedFinding]:
        """Every finding, the worst first."""
        found = [*self.findings]
        for group in self.groups:
            found += group.findings
            found += (each for field in group.fields for each in field.findings)
        return sorted(found, key=lambda each: (_BY_WEIGHT.index(each.severity), each.number))


def _open_findings(groups: Sequence[Group]) -> list[NumberedFinding]:
    found = [each for group in groups for each in group.findings]
    found += [each for group in groups for field in group.fields for each in field.findings]
    return sorted((each for each in found if each.severity != "info"), key=lambda each: _BY_WEIGHT.index(each.severity))


def _is_worth_a_look(groups: Sequence[Group]) -> bool:
    touched = any(field.changed or field.comments or field.by_hand for group in groups for field in group.fields)
    return touched or bool(_open_findings(groups))


def record_view(
    kind: LetterType, record: Record, state: State, letter: Letter | None, opinions: Sequence[OtherAnswer] = ()
) -> RecordView:
    """A record, as people left it, in the form of a page. ``record`` holds the final answer and its findings."""
    return _ViewBuilder(kind, record, state, letter, opinions).record_view()


class _ViewBuilder:
    def __init__(
        self, kind: LetterType, record: Record, state: State, letter: Letter | None, opinions: Sequence[OtherAnswer]
    ) -> None:
        self.kind, self.answer, self.letter, self.opinions = kind, record.answer, letter, opinions
        self.model, self.proof = record.model or "the answer", record.proof
        self.evidence = record.evidence if letter else {}
        self.second = record.second
        self.withheld = record.withheld
        self.by_hand = state.evidence()
        self.comments = state.comments()
        self.changes = {act.path: act for act in state.changes if act.act == "correct"}
        self.before: dict[str, Any] = {}
        for act in state.changes:
            self.before.setdefault(act.path, act.old)
        numbered = [self._numbered(number, each) for number, each in enumerate(record.findings)]
        self.by_path = self._by_path(numbered)
        self.number = 0

    def record_view(self) -> RecordView:
        groups = list(self._groups(self.kind.schema, self.answer)) if self.answer is not None else []
        return RecordView(tuple(self.by_path.get("", ())), tuple(groups))

    def _by_path(self, findings: Sequence[NumberedFinding]) -> dict[str, list[NumberedFinding]]:
        """Findings at the leaf, record or letter that holds the place they point at."""
        found: dict[str, list[NumberedFinding]] = {}
        ends = self._ends(self.kind.schema, self.answer, "") if self.answer is not None else set()
        for each in findings:
            path = each.path
            while path and path not in ends:
                path = path.rpartition("/")[0]
            found.setdefault(path, []).append(each)
        return found

    def _ends(self, schema: type[BaseModel], answer: Any, path: str) -> set[str]:
        found = set()
        for spec in fields_of(schema):
            here = f"{path}/{spec.name}"
            found.add(here)
            for where, inner in _inner(spec, answer[spec.name], here):
                found.add(where)
                found |= self._ends(_model(spec), inner, where)
        return found

    def _groups(self, schema: type[BaseModel], answer: Any, path: str = "", depth: int = 0) -> Iterator[Group]:
        leaves = [spec for spec in fields_of(schema) if spec.model is None]
        if leaves and not path:
            yield Group("", "the letter", "", 0, tuple(self._field(spec, answer, path) for spec in leaves), ())
        for spec in fields_of(schema):
            if spec.model is None:
                continue
            here = f"{path}/{spec.name}"
            if spec.kind == "records" and (findings := self.by_path.get(here)):
                yield Group(here, label(spec.name), "", depth + 1, (), tuple(findings))
            for where, inner in _inner(spec, answer[spec.name], here):
                yield self._group(spec, inner, where, depth + 1)
                yield from self._groups(_model(spec), inner, where, depth + 1)

    def _group(self, spec: SchemaField, answer: Any, path: str, depth: int) -> Group:
        last = path.rpartition("/")[2]
        name = f"{_singular(label(spec.name))} {int(last) + 1}" if spec.covers else label(spec.name)
        title = value_text(answer[spec.covers.key]) if spec.covers else ""
        leaves = [inner for inner in fields_of(_model(spec)) if inner.model is None]
        fields = tuple(self._field(inner, answer, path) for inner in leaves)
        return Group(path, name, title, depth, fields, tuple(self.by_path.get(path, ())), removable=bool(spec.covers))

    def _field(self, spec: SchemaField, answer: Any, parent: str) -> Field:
        path = f"{parent}/{spec.name}"
        self.number += 1
        hand = self.by_hand.get(path)
        spans = hand or [(each.start, each.end) for each in self.evidence.get(path, ())]
        changed = self.changes.get(path)
        findings = tuple(self.by_path.get(path, ()))
        return Field(
            number=self.number,
            path=path,
            name=label(spec.name),
            text=value_text(answer[spec.name]) if not isinstance(answer[spec.name], bool) else _yes(answer[spec.name]),
            protected=self.kind.is_protected(path),
            places=tuple(filter(None, (self._place(start, end) for start, end in spans))),
            by_hand=hand is not None,
            unproven=bool(answer[spec.name]) and not (spans or findings or isinstance(spec.marker, Unchecked)),
            findings=findings,
            changed=changed,
            before=value_text(self.before.get(path)) if changed else "",
            comments=tuple(self.comments.get(path, ())),
            witnesses=self._witnesses(path, answer[spec.name], spans, findings),
            withheld=self._withheld(path),
        )

    def _numbered(self, number: int, finding: Finding) -> NumberedFinding:
        span = finding.span
        return NumberedFinding(
            number,
            finding.code,
            finding.severity,
            finding.blame,
            finding.message,
            value_text(finding.expected),
            value_text(finding.got),
            sides(self.kind, finding.code, finding.blame),
            meaning(self.kind, finding.code),
            finding.path,
            self._place(span.start, span.end) if span else None,
            takes=self.letter is not None and has_value(finding),
        )

    def _witnesses(
        self, path: str, value: Any, spans: Sequence[tuple[int, int]], findings: Sequence[NumberedFinding]
    ) -> tuple[Witness, ...]:
        """The answer, the words it rests on, the reading, a second model, and reviewers who differ."""
        others = [Witness(each.name, value_text(found), True) for each, found in self._differing(path, value)]
        flagged = [each for each in findings if each.severity != "info"]
        quoted = self.proof.get(path) in ("quote", "place+quote") or any(each.look == "unclear" for each in flagged)
        if flagged and self.second and path in self.second.values:
            others.insert(0, Witness(self.second.model, value_text(self.second.values[path]), True))
        if not others and not (flagged and quoted and spans):
            return ()
        given = "; ".join(self._withheld(path)) or value_text(value)
        words = [" ".join(self.letter.text[start:end].split()) for start, end in spans] if self.letter else []
        read = [each.expected for each in flagged if each.expected and each.look != "letter" and each.code in CODES]
        found = [Witness(self.model, given)]
        found += [Witness("its words", f"\u201c{each}\u201d") for each in words[:3]]
        found += [Witness("the reading", each) for each in read[:1]]
        return (*found, *others)

    def _differing(self, path: str, value: Any) -> list[tuple[OtherAnswer, Any]]:
        """What reviewers say on a leaf, if one of them has another value than the answer."""
        found = []
        for each in self.opinions:
            with suppress(LookupError):
                found.append((each, value_at(each.answer, path)))
        return found if any(other != value for _, other in found) else []

    def _withheld(self, path: str) -> tuple[str, ...]:
        """What was answered here and is withheld: a value, or elements of a list."""
        found = [each for where, each in self.withheld.items() if is_within(where, path)]
        return tuple(value_text(each.value) for each in found)

    def _place(self, start: int, end: int) -> EvidencePlace | None:
        if self.letter is None or not 0 <= start < end <= len(self.letter.text):
            return None
        return EvidencePlace(start, end, where(self.letter, start))


def where(letter: Letter, offset: int) -> str:
    """A raw offset as a person finds it: the letter's page, if it marks pages, and the line."""
    line = letter.text.count("\n", 0, offset) + 1
    page = letter.page_of(offset)
    return f"page {page}, line {line}" if page else f"line {line}"


def meaning(kind: LetterType, code: str) -> str:
    """What a finding code means; ``""`` if it is unknown."""
    return CODES.get(code) or kind.codes.get(code) or ""


def sides(kind: LetterType, code: str, look: str) -> tuple[str, str]:
    """Names of the two sides of a finding: of what was expected and of what was found."""
    if code in kind.sides:
        return kind.sides[code]
    # A letter type's own rule may compare an answer with itself.
    if look == "letter" or code not in CODES:
        return "expected", "found"
    return "letter" if look == "answer" else "reading", "answer"


def label(name: str) -> str:
    """A field's name in words."""
    return name.replace("_", " ")


def _singular(name: str) -> str:
    return name.removesuffix("s")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _model(spec: SchemaField) -> type[BaseModel]:
    assert spec.model is not None
    return spec.model


def _inner(spec: SchemaField, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The nested records of a field with their paths."""
    if spec.kind == "records":
        for i, one in enumerate(value):
            yield f"{path}/{i}", one
    elif spec.kind == "group":
        yield path, value
