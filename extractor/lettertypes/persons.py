"""A person in prose: age and sex, and the states of the US that a license names."""

from __future__ import annotations

import re

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, search

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
STATE = re.compile(r"\b(?:" + "|".join(sorted(STATES, key=len, reverse=True)) + r")\b")

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


def read_age_and_sex(text: str, region: Span) -> tuple[Fact, Fact]:
    """Age in years and sex; words of an age without a number that can be read make the age uncertain."""
    first = search(_AGE_AND_SEX, text, region)
    if first:
        age = Fact(int(first["age"]), (Span(*first.span("age")),))
    else:
        unread = search(_OF_AN_AGE, text, region)
        age = Fact(None, (Span(*unread.span()),), certain=False) if unread else Fact(None)
    sexed = first if first and first["sex"] else search(_SEX_ALONE, text, region)
    if sexed:
        return age, Fact(_SEXES[sexed["sex"][0].lower()], (Span(*sexed.span("sex")),))
    return age, _sex_by_pronouns(text, region)


def _sex_by_pronouns(text: str, region: Span) -> Fact:
    """What the pronouns agree on; a text that uses both is about more than one person."""
    found = list(_PRONOUN.finditer(text, *region))
    kinds = {match.lastgroup for match in found}
    if len(kinds) != 1:
        return Fact(None, certain=not found)
    return Fact(kinds.pop(), (Span(*found[0].span()),), certain=len(found) > 1)
