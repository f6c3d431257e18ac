"""What is suspicious in a letter's text, whatever kind of letter it is.

Letters are untrusted: they may address the machine that reads them, or look different from what they are.
That never changes the reading; it makes sure that a person looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from extractor.letters.letter import Letter
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Severity
from extractor.lettertypes.injection import instructions_in
from extractor.lettertypes.reading import Oddity

_MOST = 3


class _Kind(NamedTuple):
    code: str
    severity: Severity
    message: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    ascii: bool


# Only what no genuine letter holds is an error; the rest is a warning.
_MARKUP = re.compile(
    r"\{\{|\{%|\{#|<\s*/?\s*(?:script|iframe|img|style|svg|body|html|div|span|a)\b[^>]{0,200}>", re.IGNORECASE
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u00ad]|(?!^)\ufeff")
# Tags print nothing and spell words that language models read.
_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_SCRIPTS = re.compile("[A-Za-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][A-Za-z]")
_KINDS = (
    _Kind("odd_markup", "warning", "the text holds template or HTML markup", ("{", "<"), _MARKUP, True),
    _Kind("odd_control", "warning", "the text holds control characters", (), _CONTROL, True),
    _Kind(
        "odd_invisible", "warning", "the text holds invisible characters, or characters that change its direction", (),
        _INVISIBLE, False,
    ),
    _Kind("odd_invisible", "error", "the text holds words in invisible tag characters", (), _TAGS, False),
    _Kind("odd_script", "warning", "a word mixes look-alike letters of several scripts", (), _SCRIPTS, False),
)  # fmt: skip


@lru_cache(maxsize=16)
def suspicious_places(letter: Letter, values: tuple[str, ...] = ()) -> tuple[Oddity, ...]:
    """The first few places of each kind, in the order of kinds; linear in the text.

    ``values``: enum values of the letter's type, which an injected instruction may ask for.
    """
    found = _instructions(letter, values)
    lower = letter.text.lower()
    for kind in _KINDS:
        if kind.ascii or not letter.text.isascii():
            spans = {Span(*match.span()) for match in _matches(kind, letter.text, lower)}
            found += [Oddity(kind.code, kind.message, span, kind.severity) for span in sorted(spans)[:_MOST]]
    return tuple(found)


def _instructions(letter: Letter, values: tuple[str, ...]) -> list[Oddity]:
    """Instructions to machines, in whatever characters they are written."""
    view = letter.printed
    spans = {view.to_raw(Span(*match.span())) for match in instructions_in(view.text, values)}
    message = "the text addresses the machine that reads it"
    return [Oddity("odd_instruction", message, span, "error") for span in sorted(spans)[:_MOST]]


def _matches(kind: _Kind, text: str, lower: str) -> Iterator[re.Match[str]]:
    if not kind.hints or any(hint in lower for hint in kind.hints):
        yield from kind.pattern.finditer(text)
