"""Quotes: whether words mean the same in the letter as they do alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.letters.typography import disguises
from extractor.lettertypes.derived import leaf_parser
from extractor.lettertypes.evidence import SchemaField, Unit
from extractor.lettertypes.parsers import Found, parser_of
from extractor.lettertypes.patterns import Searches, SlowPatternError
from extractor.validator.items import is_whole_item
from extractor.validator.occurrence import occurrences

_NEGATION = re.compile(r"(?:\b(?:not|non|no|never|cannot|without|neither|nor)|n['\u2019]t)[\s-]*\Z", re.IGNORECASE)
_CLOSERS = "\"'\u201c\u201d\u2018\u2019()[]*\u00bb\u00ab"
_FULL_STOPS = ".?!"
_PAUSES = {"sentence": ".?!:\u2022\u00b7", "clause": ".?!:;,\u2022\u00b7-\u2013\u2014"}
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|No|Nos|vs|e\.g|i\.e|cf|approx|[A-Z])\.\Z")
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n[\s]*\Z")
# Some tools double every line end, so only a capital after the blank line makes it a new paragraph.
_NEW_PARAGRAPH = re.compile(r"[^\S\n]*\n[^\S\n]*\n\s*[\"'(\u201c]?[A-Z0-9]")
# Characters considered before and after a quote.
_NEAR = 80
# In so many places a quoted list is read by itself.
_MOST_PLACES = 20


def disguises_of_its_own(words: str, span: Span, region: Span, letter: Letter) -> str:
    """Code points of characters in ``words`` that hide something and that no place of these words in the letter has."""
    odd = set(disguises(words))
    for place in (span, *letter.folded.find_all(words, region)) if odd else ():
        # What does not print may also be around the words.
        around = letter.text[max(0, place.start - 2) : place.end + 2]
        if odd <= set(around):
            return ""
    return ", ".join(f"U+{ord(character):04X}" for character in sorted(odd))


def follows_negation(text: str, places: Sequence[Span]) -> bool:
    """Whether every occurrence of the quoted words follows a negation that the quote leaves out."""
    return all(_NEGATION.search(text, max(0, span.start - 12), span.start) for span in places)


def is_whole(text: str, place: Span, region: Span, unit: Unit) -> bool:
    """Whether a quote at ``place`` begins and ends where a ``unit`` of the region's text does."""
    if unit == "words":
        return True
    if unit == "item":
        return is_whole_item(text, place, region)
    return _begins(text, place, region, _PAUSES[unit]) and _ends(text, place, region, _PAUSES[unit])


def begins_sentence(text: str, place: Span) -> bool:
    """Whether words begin behind a full stop, or begin a paragraph."""
    return _begins(text, place, Span(0, len(text)), _FULL_STOPS)


def ends_sentence(text: str, place: Span) -> bool:
    """Whether a full stop ends these words; the end of a line or paragraph does not."""
    return text[place.end - 1] in _FULL_STOPS or text[place.end : place.end + 1] in tuple(_FULL_STOPS)


def _begins(text: str, place: Span, region: Span, pauses: str) -> bool:
    before = text[max(region.start, place.start - _NEAR) : place.start]
    if not before.strip(_CLOSERS + " \t\r\n\f"):
        return True
    if _BLANK_LINE.search(before) and not text[place.start].islower():
        return True
    before = before.rstrip(_CLOSERS + " \t\r\n\f")
    return before[-1] in pauses and not _ABBREVIATION.search(before)


def _ends(text: str, place: Span, region: Span, pauses: str) -> bool:
    words = place.of(text).rstrip(_CLOSERS + " \t\r\n\f")
    if words and words[-1] in pauses:
        return not _ABBREVIATION.search(words)
    behind = text[place.end : min(region.end, place.end + _NEAR)]
    rest = behind.lstrip(_CLOSERS + " \t\r\n\f")
    return not rest or rest[0] in pauses or _NEW_PARAGRAPH.match(behind) is not None


def proving_place(value: Any, spec: SchemaField, letter: Letter, region: Span, quote: str) -> Span | None:
    """The first place of ``quote`` in ``region`` that states ``value``, as the leaf's own parser reads the region.

    A list must be there with every element; a single value must be all that is read in the quoted words. Words
    before the quote count as context: "granted" after "not" does not state it.
    """
    read: list[Found] | None = None
    for number, place in enumerate(letter.folded.find_all(quote, region)):
        items = value if spec.many else [value]
        printed = [occurrences(item, letter, place) for item in items]
        if all(found is not None for found in printed):
            if all(printed):
                return place
            continue
        read = _read(spec, letter, region) if read is None else read
        inside = [found.value for found in read if place.covers(found.span)]
        if spec.many and number < _MOST_PLACES and any(item not in inside for item in items):
            # A parser of lists may give a value only where it is first mentioned, and here it is mentioned again.
            near = _in_its_paragraph(letter.text, place, region)
            inside = [found.value for found in _read(spec, letter, near) if place.covers(found.span)]
        if inside and (all(item in inside for item in items) if spec.many else all(each == value for each in inside)):
            return place
    return None


def _in_its_paragraph(text: str, place: Span, region: Span) -> Span:
    """A quote with what is right before it in its own paragraph."""
    start = max(region.start, place.start - _NEAR)
    breaks = list(_PARAGRAPH_END.finditer(text, start, place.start))
    return Span(breaks[-1].end() if breaks else start, place.end)


def places_of(value: Any, spec: SchemaField, letter: Letter, region: Span) -> list[Span]:
    """Every place in ``region`` that states ``value``, one element of a list, by the leaf's own parser."""
    printed = occurrences(value, letter, region)
    if printed is not None:
        return printed
    return [found.span for found in _read(spec, letter, region) if found.value == value]


def _read(spec: SchemaField, letter: Letter, region: Span) -> list[Found]:
    """What the leaf's parser reads in a region, with raw spans; nothing where it has none."""
    if spec.parser is None and parser_of(spec.value_type) is None:
        return []
    view = letter.view
    try:
        found = list(leaf_parser(spec).search(Searches(view.text), view.from_raw(region)))
    except SlowPatternError:
        return []
    return [Found(each.value, view.to_raw(each.span)) for each in found]
