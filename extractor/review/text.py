"""A letter's raw text as displayed: stretches with what they prove, each piece with its raw offset.

A selection on the page must be found again in the raw text, so everything displayed carries its offset.
Text whose every line is followed by a blank one, as some PDF tools leave it, is displayed without the
blank lines; the raw text is unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from extractor.display.pieces import pieces
from extractor.display.safe_text import INVISIBLE
from extractor.letters.spans import Span
from extractor.review.fields import RecordView

# Longer letters are cut here: browsers lay out a million characters slowly.
MOST_TEXT = 300_000

_GAP = r"(?:\r\n?|\n)(?:[ \t\u00a0]*(?:\r\n?|\n))+"
_TOKEN = re.compile(f"(?P<gap>{_GAP})|(?P<line>\r\n?)|(?P<hidden>{INVISIBLE})")


class Bit(NamedTuple):
    """Characters as displayed; ``look`` is ``""`` for the raw characters themselves, ``gap``, ``u`` or ``ff``."""

    text: str
    start: int
    length: int
    look: str


class Stretch(NamedTuple):
    """Bits that prove the same fields and are pointed at by the same findings, by number."""

    bits: tuple[Bit, ...]
    fields: tuple[int, ...]
    findings: tuple[int, ...]
    look: str


def stretches(text: str, view: RecordView) -> list[Stretch]:
    """The text, cut where evidence or a finding begins or ends."""
    text = text[:MOST_TEXT]
    spans = [(f"f{field.number}", Span(place.start, place.end)) for field in view.fields for place in field.places]
    looks: dict[str, str] = {}
    for finding in view.all_findings:
        if finding.place and finding.severity != "info":
            spans.append((f"g{finding.number}", Span(finding.place.start, finding.place.end)))
            looks[f"g{finding.number}"] = finding.look
    bad = {f"f{field.number}": field.look for field in view.fields if field.look}
    doubled = is_double_spaced(text)
    found, at = [], 0
    for piece in pieces(text, spans):
        names = piece.paths
        severe = [looks[name] for name in names if name in looks] or [bad[name] for name in names if name in bad]
        look = next((each for each in ("answer", "letter", "unclear") if each in severe), "proof" if names else "")
        found.append(Stretch(tuple(_bits(piece.text, at, doubled)), _numbers(names, "f"), _numbers(names, "g"), look))
        at += len(piece.text)
    return found


def _numbers(names: tuple[str, ...], letter: str) -> tuple[int, ...]:
    return tuple(int(name[1:]) for name in names if name[0] == letter)


def is_double_spaced(text: str) -> bool:
    """Whether a blank line follows nearly every line."""
    breaks = [match[0].count("\n") for match in re.finditer(r"\n(?:[ \t\r]*\n)*", text)]
    return len(breaks) > 8 and sum(each > 1 for each in breaks) > 0.8 * len(breaks)


def _bits(text: str, start: int, doubled: bool) -> Iterator[Bit]:
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            yield Bit(text[at : match.start()], start + at, match.start() - at, "")
        yield _token(match, start + match.start(), doubled)
        at = match.end()
    if at < len(text):
        yield Bit(text[at:], start + at, len(text) - at, "")


def _token(match: re.Match[str], start: int, doubled: bool) -> Bit:
    length = match.end() - match.start()
    if match["gap"]:
        lines = len(re.findall(r"\r\n?|\n", match[0]))
        return Bit("\n" if doubled and lines == 2 else "\n\n", start, length, "gap")
    if match["line"]:
        return Bit("\n", start, length, "gap")
    if match[0] == "\f":
        return Bit("page break", start, length, "ff")
    return Bit(f"U+{ord(match[0]):04X}", start, length, "u")
