"""Which way a rationale's closing sentence points, in the wordings reviewers use.

Where no pattern is certain the answer is ``None``: unclear, never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from extractor.letters.spans import Span
from extractor.lettertypes.injection import is_instruction
from extractor.lettertypes.reading import Fact, squeeze
from extractor.lettertypes.units import sentences

from .model import OUTCOMES

_HEAD = (
    r"(?:medical(?:ly)?[\s-]*(?:necessary|necessity|appropriate|indicated|warranted|supported|reasonable)"
    r"|medical\s+necessity)"
)
_ANY_NOT = re.compile(
    r"\bnot|\bcannot\b|\bnever\b|n't\b|\bneither\b|\bnor\b|\bnone\b|\bnothing\b|\bunable\b|\black\w*|\binsufficient",
    re.IGNORECASE,
)
# Added by reviewers after a verdict on opioids; it mentions "this medical necessity decision".
_ADVICE = re.compile(r"should\s+not\s+be\s+interpreted", re.IGNORECASE)
# "notmedically": old texts glue the words, which would turn a denial into an approval.
_UPHELD = re.compile(
    rf"\bnot[\s-]*{_HEAD}"
    # The negation's own verb must still be open: "MRI without contrast is medically necessary" grants.
    rf"|(?:\bnot\b|\bcannot\b|\bnever\b|n't\b|\bneither\b|\bnor\b)(?:[\s,-]+(?!(?:is|are|was|were)\b)\w+){{0,8}}?[\s,-]+{_HEAD}"
    rf"|\b(?:no|lacks?|insufficient)(?:\s+(?!(?:is|are|was|were)\b)\w+){{0,2}}?\s+{_HEAD}"
    # "None of the requested services are medically necessary", "no part of the request is".
    rf"|\b(?:none|neither|nothing)\b[^.,;]{{0,160}}?\b(?:is|are|was|were)\s+(?:\w+\s+){{0,3}}?{_HEAD}"
    rf"|(?:\A|[,;:]\s+|\b(?:therefore|thus|that)\s+)no\s+(?:(?!(?:and|but|so)\b)[\w-]+\s+){{1,8}}?(?:is|are|was|were)\s+(?:\w+\s+){{0,2}}?{_HEAD}"
    rf"|{_HEAD}[^;]{{0,240}}?[\s,]+(?:\bnot\b|\bcannot\b)(?:\s+\w+){{0,3}}?\s+(?:established|met|supported|demonstrated|substantiated|documented|shown|clear)"
    rf"|\b(?:request|treatment|item|service|medication|therapy|procedure|surgery|test|study|it|this)\b[^.]{{0,80}}?\b(?:is|are|was|were)\s+(?:non-?\s?certified|denied|not\s+(?:certified|supported|indicated|recommended|appropriate|warranted|established|necessary|authorized|approved))"
    rf"(?:\s+(?:as|to\s+be))?(?:\s+{_HEAD})?"
    r"|\bnon-?\s?certified\b"
    r"|\brecommendation\s+is\s+(?:made\s+)?for\s+(?:denial|non-?\s?certification)\b"
    r"|\b(?:not\s+be|cannot\s+be)\s+(?:considered|supported|certified|approved|recommended|authorized|established|deemed)",
    re.IGNORECASE,
)
_OVERTURNED = re.compile(
    rf"\b(?:is|are|was|were|be|been|as|remains?|appears?|becomes?|considered|deemed|found|therefore|thus|and|,)\s+(?:\w+\s+){{0,3}}?{_HEAD}"
    rf"|{_HEAD}[^;]{{0,240}}?[\s,]+(?:is|are|has\s+been|have\s+been|was|were)\s+(?:\w+\s+)?(?:established|met|supported|demonstrated)"
    r"|\brecommendation\s+is\s+(?:made\s+)?for\s+(?:approval|certification|authorization)\b"
    r"|\b(?:is|are|was|were)\s+(?:certified|supported|indicated|warranted|appropriate|approved|authorized)\b",
    re.IGNORECASE,
)
# What a reviewer grants before the main clause: "although the records are not ideal, the request is ...".
_CONCEDED = re.compile(
    r"\b(?:although|though|while|despite)\b.*,\s+(?=(?:the|this|these|it)\b[^,;]*\Z)", re.IGNORECASE | re.DOTALL
)
# Closing words that are a verdict only where the rationale gives no plainer one.
_FAINT = re.compile(
    r"\b(?:is|are|was|were)\s+(?:therefore\s+|thus\s+)?not\s+(?:warranted|authorized|approved|certified|supported|recommended)"
    r"\s*\.?\Z|\bshould\s+(?:not\s+)?(?:be|have\s+been)\s+(?:authorized|approved|certified|denied)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def polarity(sentence: str) -> str | None:
    """``upheld`` (the denial remains in force), ``overturned``, or ``None`` where the wording is not certain."""
    if _ADVICE.search(sentence):
        return None
    sentence = _CONCEDED.sub(" ", sentence, count=1)
    rest, denials = _UPHELD.subn(" ", sentence)
    denies, grants = denials > 0, bool(_OVERTURNED.search(rest))
    if denies == grants:
        return None
    if denies:
        return "upheld"
    return None if _ANY_NOT.search(sentence) else "overturned"


def read_verdict(text: str, rationale: Span) -> Fact:
    """The last sentence of a rationale that points one way for certain; failing that, one that does so faintly.

    An instruction to machines is no reviewer's verdict, nor is the sentence right after one.
    """
    parts = sentences(text, rationale)
    for decides, certain in ((polarity, True), (_FAINT.search, False)):
        for at in range(len(parts) - 1, -1, -1):
            words = parts[at].of(text)
            if decides(words) and not is_instruction(text[parts[max(0, at - 1)].start : parts[at].end], OUTCOMES):
                return Fact(squeeze(words), (parts[at],), certain)
    return Fact(None, certain=not parts)
