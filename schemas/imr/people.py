"""Header, reviewer and worker: the facts about one case that stand outside its decisions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from extractor.reading import Fact, FoundDate, find_dates, squeeze, words
from extractor.spans import Span

# ---- header ----------------------------------------------------------------------------------

_LABELS = {
    "case_number": r"Case\s+(?:Number|No\.?|\#)\s*(?::|(?=CM))",
    "date_assigned": r"Date\s+Assigned\s*:",
    "date_of_injury": r"Date\s+of\s+Injury\s*:",
    "decision_date": r"Decision\s+Date\s*:|\bDated\s*:",
    "ur_denial_date": r"UR\s+Denial\s+Date\s*:|Date\s+of\s+UR\s+Decision\s*:",
    "priority": r"Priority\s*:",
    # The label is broken over two lines, and some tools put the value between its halves.
    "application_received": r"Application(?:\s+Received)?\s*:|\bReceived\s*:"
    r"|\bApplication\b(?=\s+[\d/-]{6,10}\s+Received\s*:)",
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
_LICENSED = re.compile(r"State\(s\)\s+of\s+Licensure\s*:|\blicensed\s+to\s+practice\s+in\b", re.IGNORECASE)
_LICENCE_END = re.compile(r"Certification|He/she|\.\s", re.IGNORECASE)
_CERTIFIED = re.compile(
    r"Certification\(s\)\s*/\s*Specialty\s*:(?P<list>.*?)\Z"
    r"|(?:Board\s+Certified\s+(?:in\s+)?|\bis\s+Licensed\s+in\s+)(?P<told>.*?)(?=,?\s+(?:and\s+)?(?:is|has)\s+(?:licensed|a\s+subspecialty|subspecialt)|\.\s+He/she|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SUBSPECIALTY = re.compile(
    r"\bsubspecialt(?:y|ies)\s+(?:certificat\w+\s+)?(?:in|of)\s+(?P<told>.*?)(?=,?\s+and\s+is\s+licensed|,?\s+is\s+licensed|\.\s|\Z)",
    re.IGNORECASE | re.DOTALL,
)


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
_INJURED = re.compile(
    words("date of injury")
    + r"|\bDOI\b|"
    + words("injury date")
    + r"|\binjur(?:y|ies|ed)\b(?!\s+(?:worker|employee|person))[^.]{0,80}?\b(?:on|of|from|dated?)\b|\bclaim\s+from\b|"
    + words("incident on")
    + r"|\binjury\b",
    re.IGNORECASE,
)
# Between the injury and its date stands no other event, and no sentence ends.
_ANOTHER_EVENT = re.compile(
    r"[.;](?!\d)\s|\b(?:seen|note[ds]?|reports?|evaluat|visit|exam|treat|dated?\s+of\s+service)", re.IGNORECASE
)


def read_worker(text: str, summary: Span) -> dict[str, Fact]:
    """Age, sex and injury date as the clinical case summary tells them."""
    age, sex = _age_and_sex(text, summary)
    return {"age": age, "sex": sex, "date_of_injury": _injury_date(text, summary)}


def _age_and_sex(text: str, summary: Span) -> tuple[Fact, Fact]:
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


def _injury_date(text: str, summary: Span) -> Fact:
    for match in _INJURED.finditer(text, summary.start, summary.end):
        found = next(find_dates(text, Span(match.end(), min(match.end() + 60, summary.end))), None)
        if found and not _ANOTHER_EVENT.search(text, match.start(), found.span.start):
            return Fact(found.value, (found.span,))
    return Fact(None)


# ---- utilization review ------------------------------------------------------------------------

_UR = r"(?:utilization\s+review(?:er)?(?:\s*\(UR\))?|\bUR\b)"
_REFUSED = r"(?:non-?\s*certified|denied|modified|partially\s+(?:certified|approved))"
# Each ends right before the date. What names the utilization review counts before what only tells of a refusal.
_UR_DATE = (
    re.compile(rf"{_UR}\s*\(?", re.IGNORECASE),
    re.compile(rf"{_UR}[^.]{{0,60}}?\b(?:dated|date\s+of|on|of)\s+(?=\S*\d|[A-Z][a-z]+\s+\d)", re.IGNORECASE),
)
_REFUSAL_DATE = re.compile(
    rf"\b(?:previous(?:ly)?|prior)\b[^.]{{0,40}}?\b(?:determination|{_REFUSED})[^.]{{0,30}}?\b(?:on|dated)\s+(?=\S*\d)"
    rf"|\b(?:treatment|requests?|services?)\s+(?:was|were)\s+(?:previously\s+)?{_REFUSED}\s+on\s+",
    re.IGNORECASE,
)
_DATE_OF_UR = re.compile(
    rf"\bOn\s+(?P<date>[^.]{{6,20}}?),?\s+(?:the\s+)?(?:{_UR}"
    rf"|(?:the|an?)\s+request[^.]{{0,160}}?(?<!that)\s+(?:was|were)\s+{_REFUSED}\s+by\s+(?:the\s+)?{_UR})",
    re.IGNORECASE,
)
_REVIEWED_BY = re.compile(r"\breviewed\s+by\s+(?:the\s+)?(?:utilization\s+review\s*\()?\Z", re.IGNORECASE)
_OF_REFUSAL = re.compile(rf"{_UR}|{_REFUSED}|\bdetermination\b", re.IGNORECASE)


def read_ur_date(text: str, summary: Span) -> Fact:
    """The date of the utilization review's decision as told in the summary.

    Certain if the summary tells one date, or never speaks of a refusal at all.
    """
    told = [match for pattern in _UR_DATE for match in pattern.finditer(text, summary.start, summary.end)]
    # "the report reviewed by Utilization Review was dated ..." is the report's date.
    places = [m.end() for m in told if not _REVIEWED_BY.search(text[max(0, m.start() - 40) : m.start()])]
    places += [m.start("date") for m in _DATE_OF_UR.finditer(text, summary.start, summary.end)]
    found = _dates_at(text, places, summary)
    if not found:
        refusals = _REFUSAL_DATE.finditer(text, summary.start, summary.end)
        found = _dates_at(text, [m.end() for m in refusals], summary)
    if not found:
        return Fact(None, certain=not _OF_REFUSAL.search(text, summary.start, summary.end))
    first = min(found, key=lambda date: date.span.start)
    return Fact(first.value, (first.span,), certain=len({date.value for date in found}) == 1)


def _dates_at(text: str, places: list[int], summary: Span) -> list[FoundDate]:
    """The dates that begin right at ``places``."""
    nearest = ((at, next(find_dates(text, Span(at, min(at + 24, summary.end))), None)) for at in places)
    return [date for at, date in nearest if date and date.span.start - at < 3]
