"""Which way a rationale's closing sentence points, in the wordings reviewers use.

Where no pattern is certain the answer is ``None``: unclear, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from extractor.spans import Span

_HEAD = (
    r"(?:medical(?:ly)?[\s-]*(?:necessary|necessity|appropriate|indicated|warranted|supported|reasonable)"
    r"|medical\s+necessity)"
)
_ANY_NOT = re.compile(
    r"\bnot|\bcannot\b|\bnever\b|n't\b|\bneither\b|\bnor\b|\bunable\b|\black\w*|\binsufficient", re.IGNORECASE
)
# What reviewers add after the verdict on opioids; it speaks of "this medical necessity decision".
_ADVICE = re.compile(r"should\s+not\s+be\s+interpreted", re.IGNORECASE)
# "notmedically": old texts glue the words, which would turn a denial into an approval.
_UPHELD = re.compile(
    rf"\bnot[\s-]*{_HEAD}"
    # The negation's own verb must still be open: "MRI without contrast is medically necessary" grants.
    rf"|(?:\bnot\b|\bcannot\b|\bnever\b|n't\b|\bneither\b|\bnor\b)(?:[\s,-]+(?!(?:is|are|was|were)\b)\w+){{0,8}}?[\s,-]+{_HEAD}"
    rf"|\b(?:no|lacks?|insufficient)(?:\s+\w+){{0,2}}?\s+{_HEAD}"
    rf"|{_HEAD}[^;]{{0,240}}?[\s,]+(?:\bnot\b|\bcannot\b)(?:\s+\w+){{0,3}}?\s+(?:established|met|supported|demonstrated|substantiated|documented|shown|clear)"
    rf"|\b(?:request|treatment|item|service|medication|therapy|procedure|surgery|test|study|it|this)\b[^.]{{0,80}}?\b(?:is|are|was|were)\s+(?:non-?\s?certified|denied|not\s+(?:certified|supported|indicated|recommended|appropriate|warranted|established|necessary|authorized|approved))"
    rf"(?:\s+(?:as|to\s+be))?(?:\s+{_HEAD})?"
    r"|\bnon-?\s?certified\b"
    r"|\b(?:not\s+be|cannot\s+be)\s+(?:considered|supported|certified|approved|recommended|authorized|established|deemed)",
    re.IGNORECASE,
)
_OVERTURNED = re.compile(
    rf"\b(?:is|are|was|were|be|been|as|remains?|appears?|becomes?|considered|deemed|found|therefore|thus|and|,)\s+(?:\w+\s+){{0,3}}?{_HEAD}"
    rf"|{_HEAD}[^;]{{0,240}}?[\s,]+(?:is|are|has\s+been|have\s+been|was|were)\s+(?:\w+\s+)?(?:established|met|supported|demonstrated)"
    r"|\b(?:is|are|was|were)\s+(?:certified|supported|indicated|warranted|appropriate|approved|authorized)\b",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?<=[.?!])[\"')\u201d]*\s+(?=[A-Z\"'(\u201c])")


@lru_cache(maxsize=1024)
def polarity(sentence: str) -> str | None:
    """``upheld`` (the denial stands), ``overturned``, or ``None`` where the wording is not certain."""
    if _ADVICE.search(sentence):
        return None
    rest, denials = _UPHELD.subn(" ", sentence)
    denies, grants = denials > 0, bool(_OVERTURNED.search(rest))
    if denies == grants:
        return None
    if denies:
        return "upheld"
    return None if _ANY_NOT.search(sentence) else "overturned"


def sentences(text: str, within: Span) -> Iterator[Span]:
    """The sentences of a region, as raw spans."""
    at = within.start
    for cut in _SPLIT.finditer(text, within.start, within.end):
        yield Span(at, cut.start()).trimmed(text)
        at = cut.end()
    last = Span(at, within.end).trimmed(text)
    if last.start < last.end:
        yield last


def verdict_sentence(text: str, rationale: Span) -> Span | None:
    """The last sentence of a rationale that points one way for certain, if any."""
    found = list(sentences(text, rationale))
    return next((span for span in reversed(found) if polarity(span.of(text))), None)
