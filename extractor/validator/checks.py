"""The validator: holds a finished answer against the letter, leaf by leaf, without any model.

Each record of the answer is bound to its own block of the reading; each leaf is then looked up
in that block's own regions and facts. What comes out is evidence (a raw span for every leaf that
is proven) and findings. Checking is a pure function of answer and reading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel

from extractor.letters.spans import Span, fold, same_when_joined
from extractor.lettertypes.evidence import Judged, SchemaField, Stated, Unchecked, Verbatim, fields_of
from extractor.lettertypes.findings import Finding, Severity, plain
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Block, Fact, Reading, dates_in
from extractor.validator.binding import bind, identical
from extractor.validator.doubts import guessed, noticed

Regions = dict[str, Span]

_NEGATION = re.compile(r"(?:\b(?:not|non|no|never|cannot|without|neither|nor)|n['\u2019]t)[\s-]*\Z", re.IGNORECASE)


@dataclass
class Verdict:
    """Evidence by JSON pointer, and findings in the answer's order."""

    evidence: dict[str, list[Span]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def check(letter_type: LetterType, answer: BaseModel, reading: Reading) -> Verdict:
    """Check one answer. Never raises on any schema-valid answer and any text."""
    verdict = Verdict()
    if not reading.recognised:
        verdict.findings = [Finding("not_a_letter", "", "error", "letter", reading.note), *noticed(reading)]
        return verdict
    walk = _Walk(letter_type, reading, verdict)
    walk.record(answer, reading.root, {}, "")
    for path, quote in walk.resting_on.items():
        if quote in verdict.evidence:
            verdict.evidence[path] = verdict.evidence[quote]
    verdict.findings += (*guessed(letter_type, reading.letter, verdict.evidence), *noticed(reading))
    return verdict


def _has_work(spec: SchemaField, value: Any, fact: Fact | None) -> bool:
    """Most leaves of most records are silent, and so is the letter there: nothing to build for those."""
    if isinstance(spec.marker, Unchecked):
        return False
    if not _silent(value) or isinstance(spec.marker, Judged):
        return True
    return fact is not None and (not _silent(fact.value) or (spec.many and not fact.certain))


def _silent(value: Any) -> bool:
    """Null, or an empty list: the claim that the letter does not say."""
    return value is None or value == []


class _Walk:
    """One walk over answer and reading in step."""

    def __init__(self, letter_type: LetterType, reading: Reading, verdict: Verdict) -> None:
        self.rules = letter_type.rules
        self.is_protected = letter_type.is_protected
        self.letter = reading.letter
        self.verdict = verdict
        self.resting_on: dict[str, str] = {}

    def record(self, answer: BaseModel, block: Block, outer: Regions, path: str) -> None:
        """Check one record against its own block; inner regions hide outer ones of the same name."""
        regions = {**outer, **block.regions} if block.regions else outer
        for spec in fields_of(type(answer)):
            value = getattr(answer, spec.name)
            here = f"{path}/{spec.name}"
            inner = block.blocks.get(spec.name, ())
            if spec.model is None:
                fact = block.facts.get(spec.name)
                if _has_work(spec, value, fact):
                    _Leaf(self, spec, here, fact, regions).check(value, answer)
            elif spec.kind == "records" and block.certain:
                self.records(value, inner, spec, regions, here)
            elif spec.kind == "records":
                self.unread(block, here)
            else:
                self.record(value, inner[0] if inner else Block(Span(0, 0)), regions, here)
        for rule in self.rules.get(type(answer), ()):
            self.verdict.findings.extend(rule(answer, block, self.letter, path))

    def records(
        self, items: Sequence[BaseModel], blocks: Sequence[Block], spec: SchemaField, regions: Regions, path: str
    ) -> None:
        """Bind a list of records to the blocks it must cover, then check each against its own."""
        assert spec.covers is not None
        key = spec.covers.key
        expected = [block.facts[key].value if key in block.facts else None for block in blocks]
        got = [getattr(item, key) for item in items]
        if got == expected:  # nearly always, and folding would find no more
            binding = identical(len(got))
        else:
            binding = bind([_text(value) for value in got], [_text(value) for value in expected])
        for i, j in binding.pairs:
            self.record(items[i], blocks[j], regions, f"{path}/{i}")
        for i in binding.extra:
            doubled = binding.doubled.get(i)
            self.found(
                Finding(
                    "record_doubled" if doubled is not None else "record_extra",
                    f"{path}/{i}",
                    "error",
                    "answer",
                    "no part of the letter is left for this record",
                    got=got[i],
                    span=blocks[doubled].span if doubled is not None else None,
                )
            )
        for j in binding.missing:
            self.found(
                Finding(
                    "record_missing",
                    path,
                    "error",
                    "answer",
                    f"part {j + 1} of {len(blocks)} of the letter is claimed by no record",
                    expected=expected[j],
                    span=blocks[j].span,
                )
            )
        if not binding.in_order:
            self.found(
                Finding(
                    "record_order",
                    path,
                    "error",
                    "answer",
                    "the records do not follow the letter's order",
                    expected=[expected[j] for j in sorted(j for _, j in binding.pairs)],
                    got=[got[i] for i, _ in binding.pairs],
                )
            )

    def unread(self, block: Block, path: str) -> None:
        """A part that the reader could not take apart: nobody is blamed, a person must look."""
        message = "the reader cannot take this part of the letter apart; compare it by eye"
        self.found(Finding("unread", path, "error", "unclear", message, span=block.span))

    def found(self, finding: Finding) -> None:
        self.verdict.findings.append(finding)


@dataclass(slots=True)
class _Leaf:
    """One leaf with the place it must be proven in."""

    walk: _Walk
    spec: SchemaField
    path: str
    fact: Fact | None
    regions: Regions

    def check(self, value: Any, record: BaseModel) -> None:
        """Prove the value, or say what is wrong with it."""
        marker = self.spec.marker
        before = len(self.walk.verdict.findings)
        if isinstance(marker, Judged):
            self._judged(value, marker, record)
        elif isinstance(marker, Stated) and self.spec.many and self.fact and not self.fact.certain:
            self._uncertain_list(value)
        elif _silent(value):
            self._null(value)
        else:
            if isinstance(marker, Verbatim):
                self._verbatim(value, marker)
            elif isinstance(marker, Stated):
                self._stated(value, marker)
            if not self.walk.verdict.evidence.get(self.path) and len(self.walk.verdict.findings) == before:
                self._found("unproven", "no words of the letter were found for this value", None, value)

    def _uncertain_list(self, value: Any) -> None:
        """The reader cannot tell what is listed here: on a protected leaf a person must look in any case."""
        assert self.fact is not None
        values = [item.model_dump() if isinstance(item, BaseModel) else item for item in value]
        same = values == self.fact.value
        if same and self.fact.spans:
            self.walk.verdict.evidence[self.path] = list(self.fact.spans)
        if self.walk.is_protected(self.path):
            self._unread("the reader cannot read this list for certain; compare it by eye", value, "error")
        elif not same:
            self._unread("the reader cannot tell what this list holds, and reads it otherwise", value)

    def _null(self, value: Any) -> None:
        """Silence where the letter states a value; ``_has_work`` passed over silence on both sides."""
        if self.fact and not self.fact.certain and isinstance(self.spec.marker, Stated):
            self._unread("the letter may state a value here", value)
        elif self.fact and self.fact.certain:
            code = "list_item_missing" if self.spec.many else "null_but_stated"
            self._found(code, "the letter states a value here", self.fact.value, value, self.fact.spans)

    def _judged(self, value: Any, marker: Judged, record: BaseModel) -> None:
        """A judgement and its quote come together; the quote's evidence is the judgement's."""
        quote = getattr(record, marker.quote)
        where = f"{self.path.rpartition('/')[0]}/{marker.quote}"
        if value is not None and quote is None:
            self._found("quote_missing", f"{marker.quote} must hold the words this rests on", None, None, path=where)
        elif value is None and quote is not None:
            self._found("judgement_missing", f"{marker.quote} is given, the judgement is not", None, None)
        elif value is not None:
            self.walk.resting_on[self.path] = where

    def _verbatim(self, value: Any, marker: Verbatim) -> None:
        region = self._region(marker.within, value)
        if region is None:
            return
        texts = value if self.spec.many else [value]
        spans: list[Span] = []
        at = region.start
        for i, text in enumerate(texts):
            path = f"{self.path}/{i}" if self.spec.many else self.path
            if len(text.split()) < marker.min_words:
                self._found("quote_too_short", f"a quote needs {marker.min_words} words", None, text, path=path)
            span = self._look_up(text, region, at)
            if span is None:
                expected = self.fact.value if self.fact and marker.whole else None
                where = self.fact.spans if self.fact and marker.whole else ()
                self._found(
                    "not_in_text",
                    f"these words do not stand in the {marker.within}",
                    expected,
                    text,
                    where or (region,),
                    path=path,
                )
                continue
            if marker.min_words and self._is_cut(text, region):
                self._found(
                    "quote_cut", "the letter has a negation right before these words", None, text, (span,), path=path
                )
            spans.append(span)
            at = span.end if self.spec.many else at
        if spans:
            self.walk.verdict.evidence[self.path] = spans
        if marker.whole and self.fact and len(spans) == len(texts):
            self._whole(value, marker)

    def _look_up(self, text: str, region: Span, at: int) -> Span | None:
        """The reader's own place if the words are the same there; else the first place in the region."""
        folded = self.walk.letter.folded
        for span in self.fact.spans if self.fact else ():
            if span.start >= at and _alike(span.of(self.walk.letter.body), text):
                return span
        return folded.find(text, Span(at, region.end)) or folded.find(text, region)

    def _is_cut(self, quote: str, region: Span) -> bool:
        """Whether the quote stands only behind negations that it leaves out."""
        letter = self.walk.letter
        places = (letter.view.from_raw(span).start for span in letter.folded.find_all(quote, region))
        return all(_NEGATION.search(letter.view.text, max(0, start - 12), start) for start in places)

    def _whole(self, value: Any, marker: Verbatim) -> None:
        """The words stand there; now they must be all of them, and in order."""
        assert self.fact is not None
        if value == self.fact.value:
            return
        if self.spec.many:
            if not (marker.joined and same_when_joined(value, self.fact.value)):
                got, expected = [fold(text) for text in value], [fold(text) for text in self.fact.value]
                self._list(got, expected, value, self.fact.value)
        elif self.fact.value is None:
            self._disagrees("not_stated", "the letter states no value here", value)
        elif not _alike(value, self.fact.value):
            self._disagrees("value_differs", "these words are only a part of what the letter says, or more", value)

    def _stated(self, value: Any, marker: Stated) -> None:
        if marker.within not in self.regions and self.fact and not self.fact.certain:
            self._unread("the reader knows of this part, but cannot find it in the letter", value)
            return
        region = self._region(marker.within, value)
        if region is None:
            return
        if self.fact is None:
            self._found("not_stated", "the letter has no such place", None, value)
            return
        values = (
            [item.model_dump() if isinstance(item, BaseModel) else item for item in value] if self.spec.many else value
        )
        if values == self.fact.value:
            self.walk.verdict.evidence[self.path] = list(self.fact.spans)
        elif self.spec.many:
            self._list(values, self.fact.value or [], values, self.fact.value or [])
        elif isinstance(value, date) and not self.fact.certain:
            self._one_of_the_dates(value, region)
        elif self.fact.value is None:
            self._disagrees("not_stated", "the letter states no value here", value)
        else:
            self._disagrees("value_differs", "the letter says something else here", value)

    def _one_of_the_dates(self, value: date, region: Span) -> None:
        """The reader does not know which date is meant; it must at least be one that stands here."""
        spans = [found.span for found in dates_in(self.walk.letter, region) if found.value == value]
        if spans:
            self.walk.verdict.evidence[self.path] = spans[:1]
            self._disagrees("value_differs", "the reader cannot tell which date of this part is meant", value)
        else:
            self._found("not_in_text", "this date does not stand in this part of the letter", None, value, (region,))

    def _list(self, got: list[Any], expected: list[Any], got_raw: Any, expected_raw: Any) -> None:
        """Say which elements are missing, which are extra, and if only the order differs, that."""
        if got == expected:
            return
        spans = self.fact.spans if self.fact else ()
        left = list(expected)
        extra = [i for i, item in enumerate(got) if not _taken(left, item)]
        for i in extra:
            self._found(
                "list_item_extra", "the letter does not list this here", expected_raw, plain(got_raw[i]),
                spans, path=f"{self.path}/{i}",
            )  # fmt: skip
        for item in left:
            self._found(
                "list_item_missing",
                "the letter lists this, the answer does not",
                item,
                plain(got_raw),
                spans,
            )
        if not extra and not left:
            self._found("list_order", "the letter has these in another order", expected_raw, plain(got_raw), spans)

    def _region(self, name: str, value: Any) -> Span | None:
        region = self.regions.get(name)
        if region is None:
            self._found("not_stated", f"the letter has no {name}", None, value)
        return region

    def _disagrees(self, code: str, message: str, value: Any) -> None:
        """The answer differs from the reading; where the reader had to choose, nobody is blamed."""
        assert self.fact is not None
        if self.fact.certain:
            self._found(code, message, self.fact.value, value, self.fact.spans)
            return
        self._unread(message, value)

    def _unread(self, message: str, value: Any, severity: Severity = "warning") -> None:
        assert self.fact is not None
        span = self.fact.spans[0] if self.fact.spans else None
        expected = plain(self.fact.value)
        self.walk.found(Finding("unread", self.path, severity, "unclear", message, expected, plain(value), span))

    def _found(
        self,
        code: str,
        message: str,
        expected: Any,
        got: Any,
        spans: tuple[Span, ...] = (),
        *,
        path: str | None = None,
    ) -> None:
        self.walk.found(
            Finding(
                code,
                path or self.path,
                "error",
                "answer",
                message,
                plain(expected),
                plain(got),
                spans[0] if spans else None,
            )
        )


def _taken(left: list[Any], item: Any) -> bool:
    if item in left:
        left.remove(item)
        return True
    return False


def _alike(one: str, other: str) -> bool:
    return one == other or fold(one) == fold(other)


def _text(value: Any) -> str:
    return fold(str(value)) if value is not None else ""
