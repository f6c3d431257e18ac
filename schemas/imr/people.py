"""Header, reviewer and worker: who and what the case is about, outside its decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, find_dates, scanned, squeeze

# ---- header ----------------------------------------------------------------------------------

_LABELS = {
    "case_number": rf"{scanned('Case')}\s+(?:{scanned('Number')}|No\.?|\#)\s*(?::|(?=CM))",
    "date_assigned": rf"{scanned('Date Assigned')}\s*:",
    "date_of_injury": rf"{scanned('Date of Injury')}\s*:",
    "decision_date": rf"{scanned('Decision Date')}\s*:|\b{scanned('Dated')}\s*:",
    "ur_denial_date": rf"{scanned('UR Denial Date')}\s*:|{scanned('Date of UR Decision')}\s*:",
    "priority": rf"{scanned('Priority')}\s*:",
    # The label is broken over two lines, and some tools put the value between its halves.
    "application_received": rf"{scanned('Application')}(?:\s+{scanned('Received')})?\s*:|\b{scanned('Received')}\s*:"
    rf"|\b{scanned('Application')}\b(?=\s+[\d/-]{{6,10}}\s+{scanned('Received')}\s*:)",
}
_LABEL = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _LABELS.items()), re.IGNORECASE)
_VALUES = {
    "case_number": re.compile(r"\bCM\s?\d{2}\s?-\s?\d{4,9}\b", re.IGNORECASE),
    "priority": re.compile(r"\b(?:Standard|Expedited|Regular|Urgent)\b", re.IGNORECASE),
}
_DATES = [name for name in _LABELS if name not in _VALUES]


def read_header(text: str, header: Span) -> dict[str, Fact]:
    """The case header. Every field is given; its value is ``None`` where the header does not hold it."""
    facts = {name: Fact(None) for name in _LABELS}
    labels = _labels(text, header)
    for name, pattern in _VALUES.items():
        if any(label == name for label, _ in labels) and (match := pattern.search(text, header.start, header.end)):
            facts[name] = Fact(squeeze(match[0]), (Span(*match.span()),))
    facts.update(_header_dates(text, header, labels))
    return facts


def _labels(text: str, header: Span) -> list[tuple[str, Span]]:
    found: list[tuple[str, Span]] = []
    for match in _LABEL.finditer(text, header.start, header.end):
        name = match.lastgroup or ""
        if name not in [known for known, _ in found]:
            found.append((name, Span(*match.span())))
        elif name == "application_received":  # its second half: the label ends here
            found = [(n, Span(s.start, match.end()) if n == name else s) for n, s in found]
    return found


def _header_dates(text: str, header: Span, labels: list[tuple[str, Span]]) -> Iterator[tuple[str, Fact]]:
    """Give each date label its date.

    In a well-ordered header a date follows its label. When a tool prints a column of labels and
    then the column of values, dates are handed out column by column, in order. Where dates are
    fewer than labels, some are left blank, and a date belongs to the label right before it.
    """
    dates = [(found.span, found.value) for found in find_dates(text, header)]
    named = [(span.start, name) for name, span in labels if name in _DATES]
    blanks = len(dates) < len(named)
    waiting: list[str] = []
    marks: list[tuple[int, str | tuple[Span, date]]] = [*named, *((span.start, (span, value)) for span, value in dates)]
    for _, mark in sorted(marks, key=lambda each: each[0]):
        if isinstance(mark, str):
            waiting.append(mark)
        elif waiting:
            yield waiting.pop(-1 if blanks else 0), Fact(mark[1], (mark[0],))
            if blanks:
                waiting.clear()


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
_LICENCE_END = re.compile(rf"{scanned('Certification')}|He/she|\.\s", re.IGNORECASE)
_CERTIFIED = re.compile(
    rf"{scanned('Certification(s)')}\s*/\s*{scanned('Specialty')}\s*:(?P<list>.*?)\Z"
    r"|(?:Board\s+Certified\s+(?:in\s+)?|\bis\s+Licensed\s+in\s+)(?P<told>.*?)(?=,?\s+(?:and\s+)?(?:is|has)\s+(?:licensed|a\s+subspecialty|subspecialt)|\.\s+He/she|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SUBSPECIALTY = re.compile(
    r"\bsubspecialt(?:y|ies)\s+(?:certificat\w+\s+)?(?:in|of)\s+(?P<told>.*?)(?=,?\s+and\s+is\s+licensed|,?\s+is\s+licensed|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)


_BEFORE_A_HOLE = re.compile(r"(?:^|\s+)(?:from|at|by|in|of|through|with)\Z", re.IGNORECASE)


def read_reviewer(text: str, reviewer: Span) -> dict[str, Fact]:
    """States of licensure, specialties and subspecialties, as printed (a list of 2016, or a sentence of 2014)."""
    return {
        "states": _states(text, reviewer),
        "specialties": _names(text, _CERTIFIED.search(text, reviewer.start, reviewer.end)),
        "subspecialties": _names(text, _SUBSPECIALTY.search(text, reviewer.start, reviewer.end)),
    }


def _states(text: str, reviewer: Span) -> Fact:
    licensed = _LICENSED.search(text, reviewer.start, reviewer.end)
    if not licensed:
        return Fact([])
    end = _LICENCE_END.search(text, licensed.end(), reviewer.end)
    found = list(_STATE.finditer(text, licensed.end(), end.start() if end else reviewer.end))
    return Fact([squeeze(match[0]) for match in found], tuple(Span(*match.span()) for match in found))


def _names(text: str, match: re.Match[str] | None) -> Fact:
    """Comma-joined names. "&" and "and" stay inside a name: "Public Health & General Preventive Medicine"."""
    if not match:
        return Fact([])
    group = next(name for name in ("list", "told") if match.groupdict().get(name) is not None)
    start, end = match.span(group)
    if group == "list" and (blank := re.search(r"\n[^\S\n]*\n[^\S\n]*\n?\s*[A-Z]{4}", text[start:end])):
        end = start + blank.start()
    spans: list[Span] = []
    at = start
    for cut in [*(m.start() for m in re.finditer(r"[,;]", text[start:end])), end - start]:
        span = Span(at, start + cut).trimmed(text)
        at = start + cut + 1
        # A name that was struck out leaves the word before it: "Foot and Ankle Surgery from".
        if group == "told" and (hole := _BEFORE_A_HOLE.search(span.of(text))):
            span = Span(span.start, span.start + hole.start())
        if span.start < span.end:
            spans.append(span)
    return Fact([squeeze(span.of(text)).rstrip(".") for span in spans], tuple(spans))


# ---- worker ----------------------------------------------------------------------------------

_AGE = r"(?P<age>\d{2,3})\s*-?\s*(?:(?:year|yr)s?\.?[\s-]*(?:of\s+age|olds?)|y\.?\s?/?o\b\.?)"
_SEX = r"(?P<sex>females?|males?|woman|man|lady|gentleman)"
_AGE_AND_SEX = re.compile(rf"\b{_AGE}(?:[\s,-]+(?:[A-Za-z]+[\s,-]+){{0,5}}?{_SEX}\b)?", re.IGNORECASE)
_SEX_ALONE = re.compile(
    rf"\b(?:worker|patient|claimant|applicant|employee|individual|IW)\s+(?:is|was)\s+an?\s+(?:[A-Za-z-]+\s+){{0,4}}?{_SEX}\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?P<female>she|her|hers|herself)\b|\b(?P<male>he|his|him|himself)\b", re.IGNORECASE)
_SEXES = {"f": "female", "w": "female", "l": "female", "m": "male", "g": "male"}


def read_age_and_sex(text: str, summary: Span) -> tuple[Fact, Fact]:
    first = _AGE_AND_SEX.search(text, summary.start, summary.end)
    age = Fact(int(first["age"]), (Span(*first.span("age")),)) if first else Fact(None)
    sexed = first if first and first["sex"] else _SEX_ALONE.search(text, summary.start, summary.end)
    if sexed:
        return age, Fact(_SEXES[sexed["sex"][0].lower()], (Span(*sexed.span("sex")),))
    return age, _sex_by_pronouns(text, summary)


def _sex_by_pronouns(text: str, summary: Span) -> Fact:
    """What the pronouns agree on; a summary that uses both speaks of more than one person."""
    found = list(_PRONOUN.finditer(text, summary.start, summary.end))
    kinds = {match.lastgroup for match in found}
    if len(kinds) != 1:
        return Fact(None, certain=not found)
    return Fact(kinds.pop(), (Span(*found[0].span()),), certain=len(found) > 1)
