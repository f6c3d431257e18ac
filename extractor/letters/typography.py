"""Characters that print alike or do not print at all, and the plain form they are compared in.

Dashes, blanks, quotation marks, full-width and styled forms, ligatures, decomposed accents and digits of other
scripts are made alike; marks without a width are dropped. A digit, letter or negation is never changed for another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_DASHES = (
    "\x96\x97\u02d7\u058a\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u207b\u208b\u2212\u2500\u2796\u2e3a\u2e3b\u2027\u2053\u301c"
    "\u3030\u30fc\ufe31\ufe32\ufe58\ufe63\uff0d\uff70\ufffe"
)
_BLANKS = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000\u3164\uffa0"
)
# Word processors break a line with a vertical tab.
_LINE_ENDS = "\x0b\u0085\u2028\u2029"
# \x91 to \x97 are quotation marks and dashes of Windows texts that were decoded as Latin-1.
_SINGLE_QUOTES = "\x91\x92\u2018\u2019\u201a\u201b\u2032\u00b4"
_DOUBLE_QUOTES = "\x93\x94\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"
_SLASHES = "\u2044\u2215\u2571\u27cb\u29f8"
_STOPS = "\u2024\u3002\ufe52\uff61"
_COLONS = "\u02d0\u0589\u05c3\u1361\u205a\u2236\ua789"
_COMMAS = "\u060c\u3001\ufe51\uff64"
_OPENING, _CLOSING = "\u207d\u208d\u2768\u276a", "\u207e\u208e\u2769\u276b"
# One character for one character: these move no offset.
_ALIKE: dict[int, str] = str.maketrans(
    {
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_BLANKS, " "),
        **dict.fromkeys(_LINE_ENDS, "\n"),
        **dict.fromkeys(_SINGLE_QUOTES, "'"),
        **dict.fromkeys(_DOUBLE_QUOTES, '"'),
        **dict.fromkeys(_SLASHES, "/"),
        **dict.fromkeys(_COLONS, ":"),
        **dict.fromkeys(_STOPS, "."),
        **dict.fromkeys(_COMMAS, ","),
        **dict.fromkeys(_OPENING, "("),
        **dict.fromkeys(_CLOSING, ")"),
        # The hyphen at which Word never breaks a line.
        "\x1e": "-",
    }
)
# Also what is drawn around or under a character.
INVISIBLE = (
    "\u0332\u0333\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_SOFT_HYPHEN = "\u00ad"
_SPELLED_OUT = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st",
    "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4", "\u2153": "1/3", "\u2154": "2/3", "\u2155": "1/5",
    "\u2156": "2/5", "\u2157": "3/5", "\u2158": "4/5", "\u2159": "1/6", "\u215a": "5/6", "\u2150": "1/7",
    "\u215b": "1/8", "\u215c": "3/8", "\u215d": "5/8", "\u215e": "7/8", "\u2151": "1/9", "\u2152": "1/10",
    # Roman numerals.
    **{chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2160, 0x2180)},
}  # fmt: skip
_ACCENTS = "\u0300-\u036f"
_UNSEEN_OR_SPELLED = (
    rf"(?P<unseen>[{INVISIBLE}{_SOFT_HYPHEN}]+)(?P<break>(?<={_SOFT_HYPHEN})[^\S\n]*\n[^\S\n]*(?=[^\W\d_]))?"
    rf"|(?P<spelled>[{''.join(_SPELLED_OUT)}])"
)
_EDITED = re.compile(_UNSEEN_OR_SPELLED)
# A letter comes before its accents, so every letter must be looked at: only where there are accents.
_ACCENT = re.compile(f"[{_ACCENTS}]")
_EDITED_OR_ACCENTED = re.compile(rf"(?P<accented>\w(?:[{INVISIBLE}{_SOFT_HYPHEN}]*[{_ACCENTS}])+)|{_UNSEEN_OR_SPELLED}")
# Characters that may have another plain form, beside all that are not ASCII.
_ODD_ASCII = ("\x0b", "\x1e")
_OTHERS = re.compile(r"[^\x00-\x7f]|[\x0b\x1e]")
_LONE_RETURN = re.compile(r"\r(?!\n)")
# Forms of a character that print like it: bold, small, wide, turned.
_STYLES = ("<font>", "<small>", "<wide>", "<narrow>", "<vertical>")
_EDITED_CHARACTER = re.compile(rf"[{INVISIBLE}{_SOFT_HYPHEN}{''.join(_SPELLED_OUT)}{_ACCENTS}]")
# With more kinds than this, one pass over the text is faster than one for each.
_FEW = 12
_UNSEEN = re.compile(rf"[{INVISIBLE}{_SOFT_HYPHEN}]+")


class Edit(NamedTuple):
    """Characters ``start`` to ``end`` of a text, and the plain ones that take their place, more or fewer."""

    start: int
    end: int
    plain: str


def is_plain(text: str) -> bool:
    """Whether ``text`` is its own plain form, seen at no cost: ASCII without the characters of word processors."""
    return text.isascii() and not any(character in text for character in _ODD_ASCII)


def with_line_ends(text: str) -> str:
    """``text`` with a line end for each carriage return that is alone; no offset moves."""
    return text if text.count("\r") == text.count("\r\n") else _LONE_RETURN.sub("\n", text)


def edits(text: str) -> Iterator[Edit]:
    """What must be replaced in ``text`` by more or fewer characters, in order."""
    others = _others(text)
    if not _EDITED_CHARACTER.search(others):
        return
    for match in (_EDITED_OR_ACCENTED if _ACCENT.search(others) else _EDITED).finditer(text):
        plain = _plain_form(text, match)
        if plain != match[0]:
            yield Edit(match.start(), match.end(), plain)


def one_for_one(text: str) -> str:
    """``text`` with every character that has a plain twin replaced by it; no offset moves."""
    changed: dict[str, str | int | None] = {
        character: twin for character in _others(text) if (twin := _twin(character))
    }
    if len(changed) > _FEW:
        return text.translate(str.maketrans(changed))
    for character in changed:
        text = text.replace(character, _twin(character))
    return text


@cache
def _twin(character: str) -> str:
    """The plain character that prints alike; empty if there is none. A digit of any script has a plain twin."""
    if known := _ALIKE.get(ord(character)):
        return known
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Pd":
        return "-"
    plain = unicodedata.normalize("NFKC", character)
    decomposed = unicodedata.decomposition(character)
    # One that is canonically another one, such as the Kelvin sign, has no tag.
    is_styled = decomposed.startswith(_STYLES) or (decomposed != "" and "<" not in decomposed)
    return plain if is_styled and len(plain) == 1 and plain.isascii() else ""


def _others(text: str) -> str:
    """Every character of ``text`` that may have another plain form, once."""
    return "" if is_plain(text) else "".join(set(_OTHERS.findall(text)))


def normalize(text: str) -> str:
    """``text`` in plain characters. An ASCII text is its own plain form.

    >>> normalize("CM16\\u20119041873, Page\\u200b(s):\\u00a0\\uff13\\uff10\\uff11")
    'CM16-9041873, Page(s): 301'
    """
    text = with_line_ends(text)
    if is_plain(text):
        return text
    pieces: list[str] = []
    at = 0
    for edit in edits(text):
        pieces += (text[at : edit.start], edit.plain)
        at = edit.end
    return one_for_one("".join((*pieces, text[at:])))


def disguises(text: str) -> str:
    """The characters of ``text`` that do not print, or print a letter, a digit or a word in another form; each once.

    Dashes, blanks, quotation marks and accents in their usual variants are none: people and models type them.

    >>> disguises("CM16\u20119041873, \uff13\uff10\uff11") == "\uff10\uff11\uff13"
    True
    """
    if text.isascii() and text.isprintable():
        return ""
    return "".join(sorted(character for character in set(text) if _is_disguise(character)))


@cache
def _is_disguise(character: str) -> bool:
    if character in "\t\n\r\f":
        return False
    category = unicodedata.category(character)
    if category[0] == "C" or _UNSEEN.match(character):
        return True
    is_blank = category == "Zs" or character in _LINE_ENDS
    is_wide = "\uff01" <= character <= "\uff5e"
    return not is_blank and (is_wide or category[0] in "LNS") and normalize(character) != character


def _plain_form(text: str, match: re.Match[str]) -> str:
    found = match[0]
    if match.lastgroup == "accented":
        seen = _UNSEEN.sub("", found)
        letter = _SPELLED_OUT.get(seen[:1]) or _twin(seen[:1]) if seen else ""
        return unicodedata.normalize("NFC", (letter or seen[:1]) + seen[1:])
    if match.lastgroup == "spelled":
        spelled, before = _SPELLED_OUT[found], text[match.start() - 1 : match.start()]
        # "1\u00bd" is not eleven halves.
        return f" {spelled}" if before.isdigit() and spelled[0].isdigit() else spelled
    return _soft_hyphen(text, match) if _SOFT_HYPHEN in found else ""


def _soft_hyphen(text: str, match: re.Match[str]) -> str:
    """Beside a digit it is printed as a hyphen (many fonts of PDFs have no other); in a word it only marks a break."""
    before = text[match.start() - 1 : match.start()]
    following = text[match.end() : match.end() + 8].lstrip()[:1]
    return f"-{match['break'] or ''}" if before.isdigit() or following.isdigit() else ""
