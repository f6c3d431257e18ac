"""The queue: all letters of a run, what needs a person first, with filters, search and counts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel

from extractor.lettertypes.evidence import Stated, fields_of
from extractor.lettertypes.findings import Blame, Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import field_path
from extractor.review.fields import label
from extractor.review.inputs import known_inputs
from extractor.review.state import State, answer_sha256
from extractor.runs.record import Record

PAGE = 100
# Words kept of one letter's answer to search in.
_MOST_WORDS = 4_000
_REASONS = 2

QUEUE_PARTS = {
    "todo": "To check",
    "unflagged": "Not flagged",
    "skipped": "Skipped",
    "done": "Decided",
    "all": "All",
}


@dataclass(frozen=True)
class Reason:
    """Why a letter needs a person: one finding in short."""

    look: str
    severity: str
    message: str
    field: str


@dataclass(frozen=True)
class Entry:
    """One letter of the queue. ``rank``: smaller is more in need of a person. ``withheld`` counts values.

    ``only_warning``: the code, if all that was found are warnings of one code.
    """

    key: str
    letter_id: str
    status: str
    answer_sha256: str
    reasons: tuple[Reason, ...]
    findings: int
    codes: frozenset[str]
    fields: frozenset[str]
    outcomes: tuple[tuple[str, int], ...]
    prompt: str
    rank: tuple[int, ...]
    words: str
    withheld: int = 0
    only_warning: str = ""

    @property
    def flagged(self) -> bool:
        return self.status != "accepted"

    def audited(self, number: int) -> Entry:
        """The entry at this place of a sample: without status, findings, outcome, and what was withheld."""
        nothing: frozenset[str] = frozenset()
        bare = replace(self, status="", reasons=(), findings=0, codes=nothing, fields=nothing, withheld=0)
        return replace(bare, outcomes=(), rank=(number,), only_warning="")

    @property
    def outcome_words(self) -> str:
        if sum(count for _, count in self.outcomes) == 1:
            return self.outcomes[0][0]
        return ", ".join(f"{count} {name}" for name, count in self.outcomes)


@dataclass(frozen=True)
class Query:
    """A filter of the queue. Unknown values match nothing."""

    part: str = "todo"
    status: str = ""
    code: str = ""
    field: str = ""
    outcome: str = ""
    prompt: str = ""
    find: str = ""
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Query:
        page = parameters.get("page", "1")
        part = parameters.get("part", "todo")
        return cls(
            part=part if part in QUEUE_PARTS else "todo",
            page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 8 else 1,
            **{
                name: parameters.get(name, "")[:200]
                for name in ("status", "code", "field", "outcome", "prompt", "find")
            },
        )

    def words(self, **changed: Any) -> str:
        """The query as the end of an address, without what is default."""
        chosen = {**self.__dict__, "page": 1, **changed}
        chosen = {
            name: value for name, value in chosen.items() if value not in ("", 1) and (name, value) != ("part", "todo")
        }
        return "?" + urlencode(chosen) if chosen else ""

    def fits(self, entry: Entry) -> bool:
        """Whether an entry is wanted, apart from ``part``, which depends on what people did."""
        return (
            self.status in ("", entry.status)
            and (not self.code or self.code in entry.codes)
            and (not self.field or self.field in entry.fields)
            and (not self.outcome or any(self.outcome == name for name, _ in entry.outcomes))
            and self.prompt in ("", entry.prompt)
            and all(word in entry.words for word in self.find.lower().split())
        )


@dataclass
class Queue:
    """The entries in their order, and one page of those that fit a query."""

    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries.sort(key=lambda entry: entry.rank)
        self.by_key = {entry.key: entry for entry in self.entries}
        self.choices = _choices(self.entries)

    def matching(self, query: Query, part: Callable[[Entry], str]) -> list[Entry]:
        """All entries that fit; ``part`` gives the part of the queue an entry is in."""
        return [
            entry for entry in self.entries if query.fits(entry) and (query.part == "all" or part(entry) == query.part)
        ]

    def counts(self, query: Query, part: Callable[[Entry], str]) -> dict[str, int]:
        """How many fit in each part of the queue."""
        found = Counter(part(entry) for entry in self.entries if query.fits(entry))
        return {**{name: found[name] for name in QUEUE_PARTS}, "all": found.total()}

    def sample(self, letter_ids: Sequence[str]) -> Queue:
        """These letters in this order, without what the checks made of them."""
        at = {letter_id: i for i, letter_id in enumerate(letter_ids)}
        return Queue([entry.audited(at[entry.letter_id]) for entry in self.entries if entry.letter_id in at])

    def neighbors(self, key: str, query: Query, part: Callable[[Entry], str]) -> tuple[Entry | None, Entry | None]:
        """The entries before and after one, of those that fit; it need not fit itself any more."""
        before: Entry | None = None
        passed = False
        for entry in self.entries:
            if entry.key == key:
                passed = True
            elif query.fits(entry) and (query.part == "all" or part(entry) == query.part):
                if passed:
                    return before, entry
                before = entry
        return before, None


def part_of(entry: Entry, state: State) -> str:
    """Which part of the queue a letter is in."""
    decided = state.decided
    if decided == "skipped":
        return "skipped"
    if decided:
        return "done"
    return "todo" if entry.flagged or state.changes or state.differing else "unflagged"


def entry_of(kind: LetterType, record: Record) -> Entry:
    """What the queue keeps of one record."""
    findings = [each for each in record.findings if each.severity != "info"]
    findings.sort(key=lambda each: _weight(kind, each))
    error = record.error
    reasons = [
        Reason(each.blame, each.severity, each.message, field_path(each.path).replace("_", " ")) for each in findings
    ]
    if error:
        reasons.insert(0, Reason("failed", "error", error.message, ""))
    outcomes = Counter(_outcomes(kind.schema, record.answer))
    return Entry(
        key=key_of(record.letter_id),
        letter_id=record.letter_id,
        status=record.status,
        answer_sha256=answer_sha256(record),
        reasons=tuple(reasons[:_REASONS]),
        findings=len(reasons),
        codes=_codes(record),
        fields=frozenset(field_path(each.path) for each in findings) - {""},
        outcomes=tuple(outcomes.items()),
        prompt=record.prompt or "no prompt",
        rank=(*_rank(kind, record.status, findings), *_natural(record.letter_id)),
        words=_words(record),
        withheld=len(record.withheld),
        only_warning=_only_warning(record),
    )


def _only_warning(record: Record) -> str:
    found = {(each.code, each.severity) for each in record.findings if each.severity != "info"}
    code, severity = found.pop() if len(found) == 1 else ("", "")
    return code if severity == "warning" and record.answer is not None and not record.withheld else ""


def _codes(record: Record) -> frozenset[str]:
    """What the filter of codes finds a letter by: its findings, its failure, and whether values are withheld."""
    codes = {each.code for each in record.findings}
    if record.error:
        codes.add(record.error.code)
    if record.withheld:
        codes.add("withheld")
    return frozenset(codes)


def key_of(letter_id: str) -> str:
    """A letter's key in URLs: no path and no letter text."""
    return hashlib.sha256(letter_id.encode("utf-8", "surrogatepass")).hexdigest()[:20]


_SEVERITIES = ("error", "warning", "info")
_BLAMES: tuple[Blame, ...] = ("answer", "unclear", "letter")


def _weight(kind: LetterType, finding: Finding) -> tuple[int, int, bool]:
    return (
        _SEVERITIES.index(finding.severity),
        _BLAMES.index(finding.blame),
        not kind.is_protected(finding.path),
    )


def _rank(kind: LetterType, status: str, findings: Sequence[Finding]) -> tuple[int, ...]:
    """Errors of the answer first, then what is unclear, then contradictions in the letter; then failed letters,
    which have no answer to look at; then warnings; clean letters last.
    """
    errors = Counter(each.blame for each in findings if each.severity == "error")
    protected = sum(each.severity == "error" and kind.is_protected(each.path) for each in findings)
    group = 0 if errors else 1 if status == "failed" else 2 if findings else 3
    return group, *(-(errors[blame] > 0) for blame in _BLAMES), -protected, -errors.total(), -len(findings)


def _natural(letter_id: str) -> tuple[int, ...]:
    return tuple(ord(character) for character in letter_id[:80])


def _outcomes(schema: type[BaseModel], answer: Any) -> Iterable[str]:
    """The values of what is decided in each record of a letter: stated choices of the schema's lists."""
    for spec in fields_of(schema) if answer else ():
        for inner in fields_of(spec.model) if spec.covers and spec.model else ():
            if isinstance(inner.marker, Stated) and known_inputs(schema)[f"{spec.name}/{inner.name}"].kind == "enum":
                yield from (str(one[inner.name]) for one in answer[spec.name] if one[inner.name] is not None)


def _words(record: Record) -> str:
    found: list[str] = [record.letter_id]
    left = _MOST_WORDS
    waiting = [record.answer]
    while waiting and left > 0:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, str):
            found.append(value[:left])
            left -= len(value)
    return " ".join(found).lower()


def _choices(entries: Sequence[Entry]) -> dict[str, list[tuple[str, str, int]]]:
    """The choices of each filter: value, label, number of letters; most frequent first."""
    counters: dict[str, Counter[str]] = {name: Counter() for name in ("status", "code", "field", "outcome", "prompt")}
    for entry in entries:
        counters["status"][entry.status] += 1
        counters["prompt"][entry.prompt] += 1
        counters["code"].update(entry.codes)
        counters["field"].update(entry.fields)
        counters["outcome"].update(name for name, _ in entry.outcomes)
    return {
        name: [(value, label(value), count) for value, count in counts.most_common()]
        for name, counts in counters.items()
    }


def load(kind: LetterType, records: Iterable[Record]) -> Queue:
    """The queue of a run's records."""
    return Queue([entry_of(kind, record) for record in records])
