"""Reviewer and worker: who a case is about, and who decided it."""

from __future__ import annotations

import re

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, scanned, search, squeeze

# ---- reviewer --------------------------------------------------------------------------------

STATES = (
    (
        "Alabama Alaska Arizona Arkansas California Colorado Connecticut Delaware Florida Georgia Hawaii Idaho "
        "Illinois Indiana Iowa Kansas Kentucky Louisiana Maine Maryland Massachusetts Michigan Minnesota Mississippi "
        "Missouri Montana Nebraska Nevada New_Hampshire New_Jersey New_Mexico New_York North_Carolina North_Dakota "
        "Ohio Oklahoma Oregon Pennsylvania Rhode_Island South_Carolina South_Dakota Tennessee Texas Utah Vermont "
        "Virginia Washington West_Virginia Wisconsin Wyoming District_of_Columbia Puerto_Rico"
    )
    .replace("_", r"\s+")
    .split()
)
_STATE = re.compile(r"\b(?:" + "|".join(sorted(STATES, key=len, reverse=True)) + r")\b")
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
# More characters than the name of a specialty has: the next part is in it.
_LONGEST = 120
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
    found = list(_STATE.finditer(text, *region))
    spans = tuple(Span(*match.span()) for match in found)
    rest = _NO_STATE.search(_STATE.sub(lambda match: " " * len(match[0]), region.of(text)))
    if rest and not found:
        return Fact([], (Span(region.start + rest.start(), region.end).trimmed(text),), certain=False)
    return Fact([squeeze(match[0]) for match in found], spans, certain=rest is None)


def _names(text: str, match: re.Match[str] | None) -> Fact:
    """Comma-joined names. "&" and "and" stay inside a name: "Public Health & General Preventive Medicine"."""
    if not match:
        return Fact([])
    group = next(name for name in ("list", "sentence") if match.groupdict().get(name) is not None)
    start, end = match.span(group)
    if group == "list" and (blank := re.search(r"\n[^\S\n]*\n[^\S\n]*\n?\s*[A-Z]{4}", text[start:end])):
        end = start + blank.start()
    spans: list[Span] = []
    at = start
    for cut in [*(m.start() for m in re.finditer(r"[,;]", text[start:end])), end - start]:
        span = Span(at, start + cut).trimmed(text)
        at = start + cut + 1
        # A name that was struck out leaves the word before it: "Foot and Ankle Surgery from".
        if group == "sentence" and (hole := _BEFORE_A_HOLE.search(span.of(text))):
            span = Span(span.start, span.start + hole.start())
        if span.start < span.end:
            spans.append(span)
    names = [squeeze(span.of(text)).rstrip(".") for span in spans]
    return Fact(names, tuple(spans), certain=all(map(_may_be_name, names)))


def _may_be_name(name: str) -> bool:
    return _LETTERS.search(name) is not None and len(name) <= _LONGEST


# ---- worker ----------------------------------------------------------------------------------

_AGE = r"(?P<age>\d{2,3})\s*-?\s*(?:(?:year|yr)s?\.?[\s-]*(?:of\s+age|olds?)|y\.?\s?/?o\b\.?)"
_SEX = r"(?P<sex>females?|males?|woman|man|lady|gentleman)"
_AGE_AND_SEX = re.compile(rf"\b{_AGE}(?:[\s,-]+(?:[A-Za-z]+[\s,-]+){{0,5}}?{_SEX}\b)?", re.IGNORECASE)
_OF_AN_AGE = re.compile(r"(?:years?|yrs?)\.?[\s-]*(?:of[\s-]+age|olds?)\b", re.IGNORECASE)
_SEX_ALONE = re.compile(
    rf"\b(?:worker|patient|claimant|applicant|employee|individual|IW)\s+(?:is|was)\s+an?\s+(?:[A-Za-z-]+\s+){{0,4}}?{_SEX}\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?P<female>she|her|hers|herself)\b|\b(?P<male>he|his|him|himself)\b", re.IGNORECASE)
_SEXES = {"f": "female", "w": "female", "l": "female", "m": "male", "g": "male"}


def read_age_and_sex(text: str, summary: Span) -> tuple[Fact, Fact]:
    """Age in years and sex; words of an age without a number that can be read make the age uncertain."""
    first = search(_AGE_AND_SEX, text, summary)
    if first:
        age = Fact(int(first["age"]), (Span(*first.span("age")),))
    else:
        unread = search(_OF_AN_AGE, text, summary)
        age = Fact(None, (Span(*unread.span()),), certain=False) if unread else Fact(None)
    sexed = first if first and first["sex"] else search(_SEX_ALONE, text, summary)
    if sexed:
        return age, Fact(_SEXES[sexed["sex"][0].lower()], (Span(*sexed.span("sex")),))
    return age, _sex_by_pronouns(text, summary)


def _sex_by_pronouns(text: str, summary: Span) -> Fact:
    """What the pronouns agree on; a summary that uses both is about more than one person."""
    found = list(_PRONOUN.finditer(text, summary.start, summary.end))
    kinds = {match.lastgroup for match in found}
    if len(kinds) != 1:
        return Fact(None, certain=not found)
    return Fact(kinds.pop(), (Span(*found[0].span()),), certain=len(found) > 1)
