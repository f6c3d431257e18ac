"""The reviewer's credentials: who decided a case."""

from __future__ import annotations

import re

from extractor.letters.spans import Span
from extractor.lettertypes.listed import comma_names, known_names
from extractor.lettertypes.persons import STATE
from extractor.lettertypes.reading import Fact, scanned, search

_LICENSED = re.compile(rf"{scanned('State(s) of Licensure')}\s*:|\blicensed\s+to\s+practice\s+in\b", re.IGNORECASE)
# What follows the label and is neither a state nor what joins two.
_NO_STATE = re.compile(r"\b(?!and\b|the\b|in\b)[A-Za-z]{2,}|[^\w\s,;.&()-]|\d")
_LICENCE_END = re.compile(rf"{scanned('Certification')}|He/she|\.\s", re.IGNORECASE)
_CERTIFIED = re.compile(
    rf"{scanned('Certification(s)')}\s*/\s*{scanned('Specialty')}\s*:(?P<list>.*)\Z"
    r"|(?:Board\s+Certified\s+(?:in\s+)?|\bis\s+Licensed\s+in\s+)(?P<sentence>.*?)(?=,?\s+(?:and\s+)?(?:is|has)\s+(?:licensed|a\s+subspecialty|subspecialt)|\.\s+He/she|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SUBSPECIALTY = re.compile(
    r"\bsubspecialt(?:y|ies)\s+(?:certificat\w+\s+)?(?:in|of)\s+(?P<sentence>.*?)(?=,?\s+and\s+is\s+licensed|,?\s+is\s+licensed|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)


_LETTERS = re.compile(r"[A-Za-z]{2}")
_NEXT_HEADING = re.compile(r"\n[^\S\n]*\n[^\S\n]*\n?\s*[A-Z]{4}")
# A name that was struck out leaves the word before it: "Foot and Ankle Surgery from".
_BEFORE_A_HOLE = re.compile(r"(?:^|\s+)(?:from|at|by|in|of|through|with)\Z", re.IGNORECASE)


def read_reviewer(text: str, reviewer: Span) -> dict[str, Fact]:
    """States of licensure, specialties and subspecialties, as printed (a list of 2016, or a sentence of 2014).

    If there is text but none of these is found in it, nothing is certain.
    """
    certified, subspecialty = search(_CERTIFIED, text, reviewer), search(_SUBSPECIALTY, text, reviewer)
    if not (certified or subspecialty or search(_LICENSED, text, reviewer)) and search(_LETTERS, text, reviewer):
        unread = Fact([], (reviewer.trimmed(text),), certain=False)
        return {"states": unread, "specialties": unread, "subspecialties": unread}
    return {
        "states": _states(text, reviewer),
        "specialties": _names(text, certified),
        "subspecialties": _names(text, subspecialty),
    }


def _states(text: str, reviewer: Span) -> Fact:
    licensed = _LICENSED.search(text, reviewer.start, reviewer.end)
    if not licensed:
        return Fact([])
    end = _LICENCE_END.search(text, licensed.end(), reviewer.end)
    region = Span(licensed.end(), end.start() if end else reviewer.end)
    return known_names(text, region, STATE, _NO_STATE)


def _names(text: str, match: re.Match[str] | None) -> Fact:
    if not match:
        return Fact([])
    if match["sentence"] is not None:
        return comma_names(text, Span(*match.span("sentence")), _BEFORE_A_HOLE)
    start, end = match.span("list")
    blank = _NEXT_HEADING.search(match["list"])
    return comma_names(text, Span(start, start + blank.start() if blank else end))
