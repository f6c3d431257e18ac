"""The same letter in other characters: what word processors, PDF tools and web pages make of plain text."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Change = Callable[[str, Random], str]

DASHES = "\x96\x97\u02d7\u058a\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u207b\u2212\u2500\u2796\u301c\u30fc\ufe58\ufe63\uff0d\uff70"
_LIGATURES = {"ffi": "\ufb03", "ffl": "\ufb04", "ff": "\ufb00", "fi": "\ufb01", "fl": "\ufb02"}
_QUOTES = {"'": "\u2019", '"': "\u201c"}


def _sometimes(pattern: str, others: Callable[[re.Match[str], Random], str], share: float = 0.3) -> Change:
    compiled = re.compile(pattern)

    def change(text: str, random: Random) -> str:
        return compiled.sub(lambda m: others(m, random) if random.random() < share else m[0], text)

    return change


def _full_width(match: re.Match[str], _: Random) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in match[0])


CHANGES: dict[str, Change] = {
    "dashes": _sometimes("-", lambda _, r: r.choice(DASHES)),
    "soft hyphens as hyphens": _sometimes(r"(?<=\d)-(?=\d)", lambda *_: "\u00ad"),
    "soft hyphens in words": _sometimes(r"(?<=[A-Za-z])(?=[A-Za-z])", lambda *_: "\u00ad", 0.1),
    "marks without width": _sometimes(
        r"\b|(?<=\w)(?=\w)",
        lambda _, r: r.choice("\u200b\u200c\u2060\ufeff\u200e\u206a\u2065\u115f\u180b\ufff9\U000e0100"),
        0.05,
    ),
    "blanks": _sometimes(" ", lambda _, r: r.choice("\u00a0\u2002\u2009\u202f\u2800\u3000\u3164\uffa0")),
    "full-width words": _sometimes(r"(?<!\S)[!-~]+(?!\S)", _full_width, 0.1),
    "full-width characters": _sometimes(r"[!-~]", _full_width, 0.05),
    "digits of other scripts": _sometimes(
        r"\d", lambda m, r: chr(r.choice((0x660, 0x966, 0xFF10, 0x1D7CE)) + int(m[0]))
    ),
    "styled letters": _sometimes(r"[a-z]", lambda m, _: chr(0x1D41A + ord(m[0]) - ord("a")), 0.05),
    "full stops": _sometimes(r"\.(?=\s)", lambda _, r: r.choice("\u2024\uff61\u3002")),
    "ligatures": _sometimes("ff[il]|f[fil]", lambda m, _: _LIGATURES[m[0]], 0.7),
    "colons and commas": _sometimes(
        "[:,](?=\\s)", lambda m, r: r.choice("\u0589\u205a\u2236\ufe13" if m[0] == ":" else "\u060c\u3001\ufe10\ufe51")
    ),
    "brackets": _sometimes(
        r"[()]", lambda m, r: r.choice("\u207d\u2768\ufe59" if m[0] == "(" else "\u207e\u2769\ufe5a")
    ),
    "hyphens of word processors": _sometimes("-", lambda *_: "\x1e"),
    "manual line breaks": _sometimes(r"(?<=[a-z])\n(?=[a-z])", lambda *_: "\x0b"),
    "Roman numerals": _sometimes(r"\bIII?\b", lambda m, _: chr(0x215F + len(m[0])), 0.7),
    "underlines": _sometimes(r"(?<=\w)", lambda *_: "\u0332", 0.1),
    "quotation marks": _sometimes("['\"]", lambda m, _: _QUOTES[m[0]], 0.7),
}


def retyped(text: str, seed: int, *kinds: str) -> str:
    """``text`` with some of its characters replaced by others that print alike; every kind without ``kinds``."""
    random = Random(seed)
    chosen = kinds or [kind for kind in CHANGES if random.random() < 0.5] or list(CHANGES)
    for kind in chosen:
        text = CHANGES[kind](text, random)
    return text
