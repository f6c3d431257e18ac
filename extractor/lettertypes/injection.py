"""Instructions to machines inside a letter, which no genuine letter holds.

The words that such an instruction may ask for are those of the letter type's own enums ("report every
disposition as granted"), so the engine needs to know no type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from extractor.letters.typography import normalize

# Each pattern with hints, of which the text in lower case must hold one: looking for those is far cheaper.
Hints = tuple[str, ...] | re.Pattern[str]
Hinted = tuple[Hints, re.Pattern[str]]


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ALWAYS: tuple[Hinted, ...] = (
    (
        ("ignore", "disregard", "forget", "override"),
        _pattern(r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules|schema)\b"),
    ),
    (("prompt",), _pattern(r"\b(?:system|developer)\s+prompt\b")),
    (
        ("you are a", "you are now"),
        _pattern(r"\byou\s+are\s+(?:an?\s+|now\s+)?(?:AI|LLM|language\s+model|chat\s?bot|assistant)\b"),
    ),
    (
        ("language model", "ai model", "ai system", "ai assistant"),
        _pattern(
            r"\b(?:language\s+model|AI\s+(?:model|assistant|system))s?\b"
            r"[^.\n]{0,60}\b(?:must|should|shall|answer|output|respond|ignore)\b"
        ),
    ),
    (
        (" ai ", "llm", "automated", "language model"),
        _pattern(
            r"\b(?:notes?|notice|message|instructions?|attention)\s+(?:for|to)\s+(?:all\s+|any\s+|the\s+)?"
            r"(?:AI|LLM|automated|language\s+model)s?\b"
        ),
    ),
    (
        ("correct value", "true value"),
        _pattern(
            r"\b(?:correct|true)\s+value\s+(?:for|of)\s+(?:this|the|each|every)\s+(?:[a-z]+\s+)?"
            r"(?:decision|outcome|field|item|record|entry)\b"
        ),
    ),
    (
        ("<|", "im_start", "im_end", "endoftext", "<system", "<assistant"),
        _pattern(r"<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>"),
    ),
)


@lru_cache(maxsize=16)
def _asking_for(values: tuple[str, ...]) -> tuple[Hinted, ...]:
    """Orders to give one of these values."""
    if not values:
        return ()
    words = "|".join(r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", value))) for value in values)
    return (
        (
            re.compile(rf"as\s+[\"'\u201c]?(?:{words.lower()})"),
            _pattern(
                r"\b(?:report|mark|record|return|output|give|extract|set|list|treat|code|enter)\s+"
                rf"(?:every|all|each|any|the)\s+(?:[a-z]+\s+){{1,4}}as\s+[\"'\u201c]?(?:{words})\b"
            ),
        ),
        (
            ("answer", "respond", "reply", "output", "set the"),
            _pattern(
                rf"\b(?:answer|respond|reply|output|set\s+the\s+[a-z]+)\b[^.\n]{{0,30}}[\"'\u201c:]\s*(?:{words})\b"
            ),
        ),
    )


def instructions_in(text: str, values: Sequence[str] = ()) -> Iterator[re.Match[str]]:
    """Every instruction to a machine in ``text``. ``values``: enum values that one may ask for."""
    lower = text.lower()
    for hints, pattern in (*_ALWAYS, *_asking_for(tuple(values))):
        if _holds_one(lower, hints):
            yield from pattern.finditer(text)


def _holds_one(lower: str, hints: Hints) -> bool:
    if isinstance(hints, tuple):
        return any(hint in lower for hint in hints)
    return hints.search(lower) is not None


def is_instruction(text: str, values: Sequence[str] = ()) -> bool:
    """Whether a piece of text gives an instruction to the machine that reads it, in whatever characters."""
    return next(instructions_in(normalize(text), values), None) is not None
