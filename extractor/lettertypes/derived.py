"""The reader that is derived from a schema's places: a tree of blocks with regions, facts and spans.

It reads what is declared and nothing else: a leaf without a place has no fact, a list without one no
blocks. Words in a place that no parser understands give an uncertain fact, never a certain null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Judged, SchemaField, Stated, Verbatim, can_hold, fields_of
from extractor.lettertypes.form import RECORD, WHOLE, Form, SectionPart, hull, regions_of
from extractor.lettertypes.parsers import AnyParser, Found, Wording, parser_of
from extractor.lettertypes.patterns import Searches, SlowPatternError
from extractor.lettertypes.places import Above, After, Agreeing, Below, Computed, Each, Entire, Matching, labels_of
from extractor.lettertypes.reading import Block, Fact, Oddity, Reading, nothing_read, reading_of_view
from extractor.lettertypes.slices import Labels, Slice, slices
from extractor.lettertypes.units import units

CODES = {
    "places_disagree": "The letter states a value in two places, and they differ.",
    "heading_twice": "A heading occurs twice in the letter; both parts were read as one section.",
    "slow_pattern": "A pattern of the letter type did not end on this letter in time; its field was not read.",
}

# What separates two clauses of a sentence, the strongest first.
_BETWEEN = tuple(
    re.compile(rf"\s*(?:{one})\s*")
    for one in (r";\s*(?:and\b|but\b)?", r",\s*(?:and|but)\b", r"\b(?:and|but)\b", r",(?=\s)")
)
Regions = Mapping[str, Sequence[Span]]


class DerivedReader:
    """Reads letters of one declared type. Never raises on any text; never invents."""

    def __init__(self, schema: type[BaseModel], form: Form) -> None:
        self.schema = schema
        self.form = form
        self.labels = Labels(tuple(label for spec in all_fields(schema) for label in labels_of(spec.place)))

    def __call__(self, letter: Letter) -> Reading:
        letter, marks = self._without_running_lines(letter)
        searches = Searches(letter.view.text)
        try:
            body = self._body(searches)
            missing = self._missing_landmark(searches, body)
            parts = self.form.parts(searches, body)
        except SlowPatternError as slow:
            return nothing_read(letter, f"the pattern {slow.pattern!r} of the form does not end on this text")
        regions = regions_of(parts, body)
        if missing:
            return nothing_read(letter, missing)
        if self.form.required and not any(name in regions for name in self.form.required):
            return nothing_read(letter, f"none of the sections {', '.join(self.form.required)} is in this text")
        reading = _Pass(self, searches, marks, parts)
        twice = [name for name, spans in regions.items() if len(spans) > 1]
        for name in twice:
            message = f"the heading of the section {name} occurs {len(regions[name])} times"
            reading.oddities.append(Oddity("heading_twice", message, regions[name][1]))
        root = reading.block(self.schema, body, regions, "")
        named = {name: hull(spans) for name, spans in regions.items()}
        return reading_of_view(letter, replace(root, regions=named), reading.oddities)

    def _without_running_lines(self, letter: Letter) -> tuple[Letter, list[Span]]:
        """The letter with the page marks of its form blanked, and their spans in its view."""
        searches = Searches(letter.view.text)
        whole = Span(0, len(searches.text))
        marks: set[Span] = set()
        for pattern in self.form.running:
            try:
                marks |= {Span(*m.span()) for m in searches.all(rf"^[^\S\n]*(?:{pattern})[^\S\n]*$", whole)}
            except SlowPatternError:
                continue
        if not marks:
            return letter, []
        return replace(letter, page_marks=tuple(sorted(map(letter.view.to_raw, marks)))), sorted(marks)

    def _body(self, searches: Searches) -> Span:
        start = searches.first(self.form.starts, Span(0, len(searches.text))) if self.form.starts else None
        return Span(start.start() if start else 0, len(searches.text))

    def _missing_landmark(self, searches: Searches, body: Span) -> str:
        for landmark in self.form.landmarks:
            if not searches.first(landmark, body):
                return f"the landmark {landmark!r} of this letter type is not in this text"
        return ""


def all_fields(schema: type[BaseModel]) -> Iterator[SchemaField]:
    """Every field of a schema, also of the records inside it."""
    for spec in fields_of(schema):
        yield spec
        if spec.model:
            yield from all_fields(spec.model)


@dataclass
class _Pass:
    """One reading of one letter."""

    reader: DerivedReader
    searches: Searches
    marks: list[Span]
    parts: list[SectionPart]
    oddities: list[Oddity] = field(default_factory=list)

    def block(self, schema: type[BaseModel], span: Span, regions: Regions, section: str) -> Block:
        facts: dict[str, Fact] = {}
        blocks: dict[str, Sequence[Block]] = {}
        for spec in fields_of(schema):
            where = f"{schema.__name__}.{spec.name}"
            if spec.kind == "group":
                assert spec.model is not None
                blocks[spec.name] = [self.block(spec.model, span, regions, section)]
            elif spec.kind == "records":
                inner = self._guarded(lambda spec=spec: self._records(spec, regions), where, span, ())
                if inner is not None:
                    blocks[spec.name] = inner
            else:
                doubt = Fact([] if spec.many else None, (span,), certain=False)
                fact = self._guarded(lambda spec=spec: self._fact(spec, regions, section), where, span, doubt)
                if fact is not None:
                    # A text that is too long, say, is not read as if the schema could hold it.
                    fits = fact.value is None or can_hold(schema, spec.name, fact.value)
                    facts[spec.name] = fact if fits else replace(doubt, spans=fact.spans)
        return Block(span, facts=facts, blocks=blocks)

    def _guarded(self, read: Any, where: str, span: Span, otherwise: Any) -> Any:
        try:
            return read()
        except SlowPatternError as slow:
            message = f"the pattern {slow.pattern!r} of {where} does not end on this letter"
            self.oddities.append(Oddity("slow_pattern", message, span, "error"))
            return otherwise

    # ---- records ---------------------------------------------------------------------------

    def _records(self, spec: SchemaField, regions: Regions) -> Sequence[Block] | None:
        assert spec.model is not None
        if isinstance(spec.place, Computed):
            computed = spec.place.read(self.searches.text, regions[WHOLE][0])
            return computed if isinstance(computed, tuple) else None
        if not isinstance(spec.place, Each) or _is_out_of_view(spec.place, regions):
            return None
        found: list[Block] = []
        for section, span in self._units(spec.place, spec.place.of, regions):
            for piece in self._cut(spec, span):
                inner = {**regions, RECORD: [piece]}
                found.append(replace(self.block(spec.model, piece, inner, section), regions={RECORD: piece}))
        return found

    def _units(self, place: Each, names: Sequence[str], regions: Regions) -> Iterator[tuple[str, Span]]:
        """The units of the named sections, in the letter's order."""
        spans = sorted((span, name) for name in names for span in regions.get(name, ()))
        for span, name in spans:
            for unit in units(self.searches.text, span, place.unit, self.marks):
                yield name, unit

    def _cut(self, spec: SchemaField, span: Span) -> list[Span]:
        """A unit as one record, or cut after each of several words of the enum leaf ``one``."""
        assert isinstance(spec.place, Each)
        assert spec.model is not None
        leaf = next((inner for inner in fields_of(spec.model) if inner.name == spec.place.one), None)
        if leaf is None:
            return [span]
        found = [one.span for one in leaf_parser(leaf).search(self.searches, span)]
        cuts = [span.start]
        ends = []
        for one, following in pairwise(found):
            tried = (pattern.search(self.searches.text, one.end, following.start) for pattern in _BETWEEN)
            between = next((match for match in tried if match), None)
            if between:
                ends.append(between.start())
                cuts.append(between.end())
        return [Span(a, b).trimmed(self.searches.text) for a, b in zip(cuts, [*ends, span.end], strict=True)]

    # ---- leaves ----------------------------------------------------------------------------

    def _fact(self, spec: SchemaField, regions: Regions, section: str) -> Fact | None:
        place = spec.place or (Entire() if spec.parser else None)
        if place is None or isinstance(spec.marker, Judged):
            return None
        parser = leaf_parser(spec)
        if isinstance(parser, Wording) and section in parser.given:
            return self._given(parser.given[section], section, regions)
        names = self._names(spec, place)
        spans = [span for name in names for span in regions.get(name, ())]
        if isinstance(place, Each) and _is_out_of_view(place, regions):
            return None
        if not spans:
            return _silence(spec, regions[WHOLE][0])
        if isinstance(place, Computed):
            computed = place.read(self.searches.text, hull(spans))
            return computed if isinstance(computed, Fact) else None
        if isinstance(place, Each):
            inside = [Slice(span) for _, span in self._units(place, names, regions)]
            return _listed(self._values(spec, parser, inside, strict=True))
        if isinstance(place, Agreeing):
            return self._agreeing(spec, place, parser, spans)
        return self._simple(spec, place, parser, spans)

    def _names(self, spec: SchemaField, place: Any) -> Sequence[str]:
        if isinstance(place, Each) and place.of:
            return place.of
        return (spec.marker.within,) if isinstance(spec.marker, Verbatim | Stated) else (WHOLE,)

    def _given(self, value: Any, section: str, regions: Regions) -> Fact:
        """What every record of a section has: the heading is the proof."""
        record = regions[RECORD][0]
        headings = [part.heading for part in self.parts if part.name == section and part.span.covers(record)]
        return Fact(value, (headings[0] if headings else record,))

    def _simple(self, spec: SchemaField, place: Any, parser: AnyParser, spans: Sequence[Span]) -> Fact:
        found = [one for span in spans for one in slices(place, self.searches, span, self.reader.labels)]
        if spec.many and isinstance(place, After):
            found = [piece for one in found for piece in self._pieces(one, place.cut)]
        strict = isinstance(place, After | Above | Below | Matching) or isinstance(parser, Wording)
        values = self._values(spec, parser, found, strict)
        return _listed(values) if spec.many else _single(values)

    def _pieces(self, one: Slice, cut: str) -> Iterator[Slice]:
        at = one.span.start
        for match in self.searches.all(cut, one.span):
            yield Slice(Span(at, match.start()))
            at = match.end()
        yield one._replace(span=Span(at, one.span.end))

    def _values(self, spec: SchemaField, parser: AnyParser, found: Sequence[Slice], strict: bool) -> list[Found | Span]:
        """What the slices state. A bare span marks words that may state a value but were not understood."""
        values: list[Found | Span] = []
        for one in found:
            inside = [] if one.is_empty or one.doubtful else list(parser.search(self.searches, one.span))
            if spec.value_type is float:
                inside = [Found(float(value), span) for value, span in inside]
            values += inside
            if one.doubtful or (strict and not inside and not one.is_empty):
                values.append(one.span)
        return values

    def _agreeing(self, spec: SchemaField, place: Agreeing, parser: AnyParser, spans: Sequence[Span]) -> Fact:
        facts = [self._simple(spec, inner, parser, spans) for inner in place.places]
        stated = [fact for fact in facts if fact.value not in (None, [])]
        if not stated:
            return next((fact for fact in facts if not fact.certain), facts[0])
        first, *others = stated
        for other in others:
            if _comparable(other.value) != _comparable(first.value):
                message = f"{spec.name} is stated in two places, and they differ"
                self.oddities.append(Oddity("places_disagree", message, other.spans[0], "error"))
                return replace(first, certain=False)
        return first


def _silence(spec: SchemaField, letter: Span) -> Fact:
    """The letter has no such section. A yes-or-no leaf that cannot be null is then false, all the letter its proof."""
    if spec.value_type is bool and not spec.nullable:
        return Fact(False, (letter,))
    return Fact([] if spec.many else None)


def _is_out_of_view(place: Each, regions: Regions) -> bool:
    return not any(name in regions for name in place.of) and any(name in regions for name in place.unless)


@cache
def leaf_parser(spec: SchemaField) -> AnyParser:
    """The parser of a leaf. A declared wording is filled up with the enum's own words."""
    by_type = parser_of(spec.value_type)
    parser = spec.parser or by_type
    assert parser is not None  # checked when the type is loaded
    if isinstance(parser, Wording) and isinstance(by_type, Wording):
        more = {value: words for value, words in by_type.words.items() if value not in parser.words}
        return replace(parser, words={**parser.words, **more})
    return parser


def _single(values: Sequence[Found | Span]) -> Fact:
    """One value: certain if all that was found states the same, silence if nothing was found."""
    found = [one for one in values if isinstance(one, Found)]
    doubts = [one for one in values if not isinstance(one, Found)]
    if not found:
        return Fact(None, tuple(doubts[:1]), certain=not doubts)
    first = found[0]
    agree = all(_comparable(one.value) == _comparable(first.value) for one in found)
    return Fact(first.value, (first.span,), certain=agree and not doubts)


def _listed(values: Sequence[Found | Span]) -> Fact:
    found = [one for one in values if isinstance(one, Found)]
    return Fact([one.value for one in found], tuple(one.span for one in found), certain=len(found) == len(values))


def _comparable(value: Any) -> Any:
    """Values that differ only in blanks, dashes and case are the same in two places of one letter."""
    if isinstance(value, str):
        return re.sub(r"[\s\u2010-\u2015-]+", "", value).casefold()
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    return value
