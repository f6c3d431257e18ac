"""What is odd about a letter's text, whatever kind of letter it is.

Letters are untrusted: they may speak to the machine that reads them, or look other than they are.
Oddities never change the reading; they make sure that a person hears of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.letters.typography import normalize
from extractor.lettertypes.findings import Severity
from extractor.lettertypes.reading import Oddity

_SHOWN = 3


class _Kind(NamedTuple):
    code: str
    severity: Severity
    message: str
    patterns: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    ascii: bool


def _pattern(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# Each with words of which it must hold one: looking for those is far cheaper.
_INSTRUCTIONS = (
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
        ("outcome as", "outcomes as"),
        _pattern(
            r"\b(?:report|mark|record|return|output|give|extract|set)\s+(?:every|all|each|the|any)\s+outcomes?\s+as\s+[\"'\u201c]?"
            r"(?:upheld|overturned)\b"
        ),
    ),
    (
        ("correct value", "true value"),
        _pattern(
            r"\b(?:correct|true)\s+value\s+(?:for|of)\s+(?:this|the|each|every)\s+(?:decision|outcome|field|item)\b"
        ),
    ),
    (
        ("answer", "respond", "reply", "output", "set the outcome"),
        _pattern(
            r"\b(?:answer|respond|reply|output|set\s+the\s+outcome)\b[^.\n]{0,30}[\"'\u201c:]\s*(?:upheld|overturned)\b"
        ),
    ),
    (
        ("<|", "im_start", "im_end", "endoftext", "<system", "<assistant"),
        _pattern(r"<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>"),
    ),
)

# Only what no honest letter says is an error; the rest is told as a warning.
_KINDS = (
    _Kind("odd_instruction", "error", "the text speaks to the machine that reads it", _INSTRUCTIONS, True),
    _Kind(
        "odd_markup",
        "warning",
        "the text holds template or HTML markup",
        (
            (
                ("{", "<"),
                _pattern(
                    r"\{\{|\{%|\{#|<\s*/?\s*(?:script|iframe|img|style|svg|body|html|div|span|a)\b[^>]{0,200}>",
                ),
            ),
        ),
        True,
    ),
    _Kind(
        "odd_control",
        "warning",
        "the text holds control characters",
        (((), re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")),),
        True,
    ),
    _Kind(
        "odd_invisible",
        "warning",
        "the text holds characters that do not show or that turn its direction",
        (((), re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad]|(?!^)\ufeff")),),
        False,
    ),
    _Kind(
        "odd_script",
        "warning",
        "a word mixes look-alike letters of several scripts",
        (((), re.compile("[A-Za-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][A-Za-z]")),),
        False,
    ),
)


@lru_cache(maxsize=16)
def odd_places(letter: Letter) -> tuple[Oddity, ...]:
    """The first few places of each kind, in the order of kinds; linear in the text."""
    plain = letter.text.isascii()
    lower = letter.printed.text.lower()
    found: list[Oddity] = []
    for kind in _KINDS:
        if plain and not kind.ascii:
            continue
        # An order to machines is one in whatever characters it is written.
        view = letter.printed if kind is _KINDS[0] else None
        matches = _matches(kind, view.text if view else letter.text, lower)
        spans = (Span(*match.span()) for match in matches)
        places = sorted(set(map(view.to_raw, spans) if view else spans))
        found += [Oddity(kind.code, kind.message, place, kind.severity) for place in places[:_SHOWN]]
    return tuple(found)


def _matches(kind: _Kind, text: str, lower: str) -> Iterator[re.Match[str]]:
    for hints, pattern in kind.patterns:
        if not hints or any(hint in lower for hint in hints):
            yield from pattern.finditer(text)


def speaks_to_machines(text: str) -> bool:
    """Whether a piece of text gives orders to the machine that reads it."""
    plain = normalize(text)
    return next(_matches(_KINDS[0], plain, plain.lower()), None) is not None
