"""The deterministic reader of IMR letters: text in, a reading in the shape of the schema out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.dated import dates_in_prose
from extractor.lettertypes.persons import read_age_and_sex
from extractor.lettertypes.reading import (
    Block,
    Fact,
    Oddity,
    Reading,
    find_dates,
    last,
    nothing_read,
    reading_of_view,
    squeeze,
)

from .anatomy import Anatomy, DecisionParts, anatomy_of
from .citations import read_guideline
from .determinations import determinations_of
from .events import read_injury_date, read_ur_date
from .forms import PARAGRAPHS
from .header import HEADER
from .headings import HEADING_LINE, PARTLY, Heading, outcome_value
from .mentions import RATIONALE_PAGES
from .people import read_reviewer
from .verdict import read_verdict

_UNHEADED = "these guideline paragraphs are not preceded by a heading that ends in an outcome"
_STRAY = "a line reads like a decision's heading, but no decision follows it"
_AGE = re.compile(r"\b\d{2}[\s-]*years?[\s-]*old\b", re.IGNORECASE)
# What comes after each guideline paragraph.
_FOLLOWING = dict(pairwise(PARAGRAPHS))
_CLOSING_IS = re.compile(r"\s+is\s*:?\s*\Z")


def read(letter: Letter) -> Reading:
    """Read one letter. A text that is not an IMR determination gives an empty reading with a note."""
    text = letter.view.text
    anatomy = anatomy_of(text)
    if anatomy is None or not anatomy.decisions:
        anatomy = determinations_of(text) or anatomy
    if anatomy is None:
        return nothing_read(letter, "the headings of an IMR final determination are not in this text")
    if not anatomy.decisions:
        return nothing_read(letter, "the headings of an IMR determination are there, but no decision with an outcome")
    strays = _stray_outcomes(text, anatomy)
    reading = reading_of_view(letter, _root(text, anatomy, strays), _odd_places(anatomy, strays))
    return replace(reading, form=anatomy.form.name)


def _odd_places(anatomy: Anatomy, strays: Sequence[Span]) -> Iterator[Oddity]:
    """What may hide a decision: paragraphs without a heading, and lines that read like one but head nothing."""
    for label in anatomy.unheaded:
        yield Oddity("imr_decision_without_outcome", _UNHEADED, label, "error")
    for parts in anatomy.decisions:
        missing = [name for name in PARAGRAPHS if name not in parts.paragraphs and not parts.form.prose]
        if missing:
            message = f"under this heading the letter has no {', '.join(missing)} paragraph"
            yield Oddity("imr_paragraph_missing", message, parts.heading.span, "error")
    for word in strays:
        yield Oddity("imr_stray_outcome", _STRAY, word, "error")


def _stray_outcomes(text: str, anatomy: Anatomy) -> list[Span]:
    """Outcomes that end a line like a heading's, but are none of the headings that were found."""
    claimed = {parts.heading.outcome for parts in anatomy.decisions}
    return [word for match in HEADING_LINE.finditer(text) if (word := Span(*match.span("word"))) not in claimed]


def _root(text: str, anatomy: Anatomy, strays: Sequence[Span]) -> Block:
    regions = {"header": anatomy.header, "reviewer": anatomy.reviewer}
    # Without a summary the letter states none of these, unless one stands under a heading that is not the form's.
    silence = Fact(None) if anatomy.summary else _silence_without_summary(text, anatomy)
    worker = dict.fromkeys(("age", "sex", "date_of_injury"), silence)
    facts = {"ur_date": silence}
    if anatomy.summary:
        regions["summary"] = anatomy.summary
        age, sex = read_age_and_sex(text, anatomy.summary)
        dates = dates_in_prose(text, anatomy.summary)
        worker = {"age": age, "sex": sex, "date_of_injury": read_injury_date(dates)}
        facts["ur_date"] = read_ur_date(dates)
    return Block(
        Span(0, len(text)),
        regions=regions,
        facts=facts,
        blocks={
            "header": [Block(anatomy.header, facts=HEADER.read(text, anatomy.header))],
            "reviewer": [Block(anatomy.reviewer, facts=read_reviewer(text, anatomy.reviewer))],
            "worker": [Block(anatomy.summary or Span(0, 0), facts=worker)],
            "decisions": [_decision(text, _opened(parts, strays)) for parts in anatomy.decisions],
        },
        possible={"decisions": list(_possible_decisions(text, anatomy, strays))},
    )


def _possible_decisions(text: str, anatomy: Anatomy, strays: Sequence[Span]) -> Iterator[Span]:
    """Parts that may be decisions: paragraphs without a heading, and what follows a heading without paragraphs."""
    yield from anatomy.possible
    for word in strays:
        around = next((parts.span for parts in anatomy.decisions if parts.span.covers(word)), None)
        if around and not any(part.covers(word) for part in anatomy.possible):
            yield Span(max(around.start, text.rfind("\n\n", 0, word.start)), around.end)


def _opened(parts: DecisionParts, strays: Sequence[Span]) -> DecisionParts:
    """A decision with the line of another's heading in its rationale may end at that line."""
    rationale = parts.paragraphs.get("rationale")
    if rationale is None or parts.open_end is not None or not any(rationale.covers(word) for word in strays):
        return parts
    return replace(parts, open_end=rationale.end)


def _silence_without_summary(text: str, anatomy: Anatomy) -> Fact:
    """No value: certain, unless a date or an age in the part before the decisions shows that there is a summary."""
    found = next(find_dates(text, anatomy.reviewer), None)
    age = _AGE.search(text, *anatomy.reviewer)
    span = found.span if found else Span(*age.span()) if age else None
    return Fact(None, (span,) if span else (), certain=span is None)


def _decision(text: str, parts: DecisionParts) -> Block:
    heading, outcome = parts.heading.span, parts.heading.outcome
    regions = {"heading": Span(min(heading.start, parts.heading.earliest), max(heading.end, outcome.end))}
    facts = {
        "item": Fact(squeeze(heading.of(text)), (heading,), certain=parts.certain),
        "disputed_portion": _disputed_portion(text, parts.heading),
        "outcome": Fact(outcome_value(outcome.of(text)), (outcome,)),
        "rationale_pages": Fact([], certain="rationale" in parts.paragraphs or parts.form.prose),
    }
    if rationale := parts.paragraphs.get("rationale"):
        regions["rationale"] = rationale
        facts["rationale_pages"], repaired = RATIONALE_PAGES.read(text, rationale)
        facts["verdict"] = read_verdict(text, rationale)
        if parts.open_end is not None:
            regions["rationale"] = Span(rationale.start, max(rationale.end, parts.open_end))
            for name in ("rationale_pages", "verdict"):
                facts[name] = replace(facts[name], certain=False, bounds=None)
        if repaired:
            regions["repaired"] = repaired
    sides: dict[str, list[Block]] = {
        side: [read_guideline(text, parts.paragraphs.get(side), prose=parts.form.prose)]
        for side in ("claims_administrator", "maximus")
        if parts.form.prose or side in parts.paragraphs
    }
    return Block(parts.span, regions, facts, _without_swallowed(sides, parts))


def _without_swallowed(sides: dict[str, list[Block]], parts: DecisionParts) -> dict[str, list[Block]]:
    """A guideline paragraph before one whose label is missing may hold that one too: it is not certain."""
    present = [name for name in PARAGRAPHS if name in parts.paragraphs]
    for name, later in pairwise([*present, ""]):
        if name in sides and later != _FOLLOWING[name]:
            sides[name] = [replace(block, facts=_doubted(block.facts), certain=False) for block in sides[name]]
    return sides


def _doubted(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {name: replace(fact, certain=False) for name, fact in facts.items()}


def _disputed_portion(text: str, heading: Heading) -> Fact:
    """The part really in dispute, if the heading states that another part was authorized; else nothing."""
    found = last(PARTLY, text, heading.span)
    if not found:
        return Fact(None, certain=heading.certain)
    closing = _CLOSING_IS.search(text, found.end(), heading.span.end)
    span = Span(found.end(), closing.start() if closing else heading.span.end).trimmed(text)
    return Fact(squeeze(span.of(text)), (span,), certain=heading.certain)
