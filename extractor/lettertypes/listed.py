"""Lists of names in a letter: cut where names part, or made of names that are known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, squeeze

_LETTERS = re.compile(r"[A-Za-z]{2}")
_COMMA = re.compile(r"[,;]")
# More characters than a name has: another part of the letter is in it.
_LONGEST = 120
_PUNCTUATION = " \t\r\n.,;:"


def known_names(text: str, region: Span, known: re.Pattern[str], others: re.Pattern[str]) -> Fact:
    """The names of ``known`` in a region; not certain where ``others`` matches what is left."""
    found = list(known.finditer(text, *region))
    left = others.search(known.sub(lambda match: " " * len(match[0]), region.of(text)))
    if left and not found:
        return Fact([], (Span(region.start + left.start(), region.end).trimmed(text),), certain=False)
    spans = tuple(Span(*match.span()) for match in found)
    return Fact([squeeze(match[0]) for match in found], spans, certain=left is None)


def comma_names(text: str, region: Span, ragged: re.Pattern[str] | None = None) -> Fact:
    """Names between commas. "&" and "and" stay inside a name: "Public Health & General Preventive Medicine".

    ``ragged``: what is left at a name's end where the rest was struck out.
    """
    spans = []
    for span in _between(text, region, _COMMA):
        torn = ragged.search(span.of(text)) if ragged else None
        spans.append(Span(span.start, span.start + torn.start()) if torn else span)
    spans = [span for span in spans if span.start < span.end]
    names = [squeeze(span.of(text)).rstrip(".") for span in spans]
    return Fact(names, tuple(spans), certain=all(_LETTERS.search(name) and len(name) <= _LONGEST for name in names))


def _between(text: str, region: Span, cut: re.Pattern[str]) -> Iterator[Span]:
    at = region.start
    for match in cut.finditer(text, *region):
        yield Span(at, match.start()).trimmed(text)
        at = match.end()
    yield Span(at, region.end).trimmed(text)


def names_outside_brackets(text: str, region: Span, cut: re.Pattern[str], uncut: re.Pattern[str]) -> Iterator[Span]:
    """A list cut where ``cut`` matches outside of brackets, but not where ``uncut`` matches."""
    listed = region.of(text)
    kept = {match.start() for match in uncut.finditer(listed)}
    start = at = depth = 0
    for match in cut.finditer(listed):
        between, at = listed[at : match.start()], match.start()
        depth += between.count("(") + between.count("[") - between.count(")") - between.count("]")
        if depth <= 0 and at not in kept:
            yield without_punctuation(text, Span(region.start + start, region.start + at))
            start = match.end()
    last = without_punctuation(text, Span(region.start + start, region.end))
    if last.start < last.end:
        yield last


def without_punctuation(text: str, span: Span) -> Span:
    """``span`` without blanks and the punctuation of lists at its ends."""
    words = span.of(text)
    start = span.start + len(words) - len(words.lstrip(_PUNCTUATION))
    return Span(start, max(start, span.start + len(words.rstrip(_PUNCTUATION))))
