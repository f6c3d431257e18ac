"""What is odd about a letter's text, whatever kind of letter it is.

Letters are untrusted: they may speak to the machine that reads them, or look other than they are.
Oddities never change the reading; they make sure that a person hears of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from extractor.findings import Severity
from extractor.letter import Letter
from extractor.reading import Oddity
from extractor.spans import Span

_SHOWN = 3
# A text without any of these words holds no instruction; looking for them is far cheaper.
_HINTS = (
    "ignore", "disregard", "forget", "override", "prompt", "you are a", "you are now", "language model", "ai model",
    "ai system", "assistant", "chat", "<|", "im_start", "endoftext", "<system", "set the outcome", "answer", "respond",
    "reply", "output",
)  # fmt: skip


class _Kind(NamedTuple):
    code: str
    severity: Severity
    message: str
    pattern: re.Pattern[str]
    ascii: bool
    hints: tuple[str, ...] = ()


# Only what no honest letter says is an error; the rest is told as a warning.
_KINDS = (
    _Kind(
        "odd_instruction",
        "error",
        "the text speaks to the machine that reads it",
        re.compile(
            r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules|schema)\b"
            r"|\b(?:system|developer)\s+prompt\b"
            r"|\byou\s+are\s+(?:an?\s+|now\s+)?(?:AI|LLM|language\s+model|chat\s?bot|assistant)\b"
            r"|\b(?:language\s+model|AI\s+(?:model|assistant|system))s?\b"
            r"[^.\n]{0,60}\b(?:must|should|shall|answer|output|respond)\b"
            r"|\b(?:answer|respond|reply|output|set\s+the\s+outcome)\b[^.\n]{0,30}[\"'\u201c:]\s*(?:upheld|overturned)\b"
            r"|<\|?(?:im_start|im_end|system|assistant|endoftext)\|?>",
            re.IGNORECASE,
        ),
        True,
        _HINTS,
    ),
    _Kind(
        "odd_markup",
        "warning",
        "the text holds template or HTML markup",
        re.compile(
            r"\{\{|\{%|\{#|<\s*/?\s*(?:script|iframe|img|style|svg|body|html|div|span|a)\b[^>]{0,200}>", re.IGNORECASE
        ),
        True,
    ),
    _Kind(
        "odd_control", "warning", "the text holds control characters", re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]"), True
    ),
    _Kind(
        "odd_invisible",
        "warning",
        "the text holds characters that do not show or that turn its direction",
        re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad]|(?!^)\ufeff"),
        False,
    ),
    _Kind(
        "odd_script",
        "warning",
        "a word mixes look-alike letters of several scripts",
        re.compile("[A-Za-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][A-Za-z]"),
        False,
    ),
)


@lru_cache(maxsize=16)
def odd_places(letter: Letter) -> tuple[Oddity, ...]:
    """The first few places of each kind, in the order of kinds; linear in the text."""
    plain = letter.text.isascii()
    lower = letter.text.lower()
    found: list[Oddity] = []
    for kind in _KINDS:
        if (plain and not kind.ascii) or (kind.hints and not any(hint in lower for hint in kind.hints)):
            continue
        for number, match in enumerate(kind.pattern.finditer(letter.text)):
            if number == _SHOWN:
                break
            found.append(Oddity(kind.code, kind.message, Span(*match.span()), kind.severity))
    return tuple(found)
