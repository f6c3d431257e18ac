"""Two dates of the clinical case summary: when the worker was injured, and when the request was refused.

Each date of the summary is judged by the words before and after it in its own sentence. If none is
read although one occurs beside words of injury or refusal, the reading is not certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from extractor.lettertypes.dated import DateInProse, dates_beside, no_date
from extractor.lettertypes.reading import Fact, FoundDate


def _pattern(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# ---- injury ----------------------------------------------------------------------------------

_INJURY_HINTS = ("injur", "doi", "d/i", "accident", "incident", "hurt", "trauma", "loss", "onset", "claim")
_INJURY_WORD = _pattern(
    r"injur|\bDOI\b|\bD/I\b|\baccident|\bincident\b|\bhurt\b|\btrauma|\bdate\s+of\s+loss\b|\bonset\b|\bclaim\b"
)
# The event and its date are close together. First the wordings that name the injury, then other events.
_INJURED = _pattern(
    r"\b(?:injury|DOI|D/I|date\s+of\s+loss|claim\s+(?:from|of))\b[^.]{0,60}\Z",
    r"\binjur(?:y|ies|ed)\b(?!\s+(?:worker|employee|person))[^.]{0,80}?\b(?:on|of|from|dated?)\b[^.]{0,60}\Z",
    r"\b(?:accident|incident|event)\s+(?:of|on|dated|from|that\s+occurred\s+on)\s+\Z",
    r"\bhurt\b[^.]{0,60}\bon\s+\Z",
)
_ON = _pattern(r"\bon\s+\Z")
_WAS_INJURED = _pattern(
    r",?\s+(?:the|this|he|she)\b[^.]{0,60}?\b(?:was\s+injured|injured\s+(?:his|her|the)|hurt\s+(?:his|her|the)"
    r"|(?:sustained|suffered|incurred)\b[^.]{0,40}?\binjur)"
)
# No other event comes between the injury and its date.
_ANOTHER_EVENT = _pattern(r"[;]|\b(?:seen|note[ds]?|reports?|evaluat|visit|exam|treat|dated?\s+of\s+service)")
_LAST_INJURY_WORD = _pattern(
    r".*(?:\binjur(?:y|ies|ed)\b(?!\s+(?:worker|employee|person))|\b(?:DOI|D/I|accident|incident|event|hurt|loss|claim)\b)"
)
# A cumulative injury is dated from and to; two injuries have two dates.
_ANOTHER_DATE = _pattern(r"\s*(?:to|through|thru|and|&|[-\u2013])\s*\d{1,2}[-/]\d{1,2}[-/]\d{2}")


def read_injury_date(dates: Sequence[DateInProse]) -> Fact:
    """The date of injury stated in the summary; the first, if there are several."""
    beside = dates_beside(dates, _INJURY_HINTS, _INJURY_WORD)
    for each in beside:
        if not each.broken and _is_injury(each):
            return Fact(each.date.value, (each.date.span,), certain=not _ANOTHER_DATE.match(each.after))
    return no_date(beside)


def _is_injury(each: DateInProse) -> bool:
    if _ON.search(each.before) and _WAS_INJURED.match(each.after):
        return True
    if not _INJURED.search(each.before):
        return False
    word = _LAST_INJURY_WORD.match(each.before.replace("\n", " "))
    return not _ANOTHER_EVENT.search(each.before, word.end() if word else 0)


# ---- utilization review ------------------------------------------------------------------------

_UR = r"(?:utilization\s+review(?:er)?(?:\s*\(UR\))?|\bUR\b)"
_ADMINISTRATOR = r"\b(?:claims\s+(?:administrator|adjuster|examiner)|(?:insurance\s+)?carrier|insurer)\b"
_REFUSED = (
    r"(?:non-?\s*certified|not\s+certified|denied|modified|partially\s+(?:certified|approved)"
    r"|did\s+not\s+(?:certify|approve|authorize)|deemed\s+not\s+medically\s+necessary)"
)
_WAS_REFUSED = rf"(?:was|were)\s+(?:all\s+|both\s+|each\s+|then\s+|previously\s+)?{_REFUSED}"
_REFUSAL_HINTS = (
    "utilization", "ur ", "ur\n", "ur)", "denied", "denial", "modified", "certif", "administrator", "adjuster",
    "examiner", "carrier", "insurer", "determination", "deemed", "reviewed", "approve", "authorize",
)  # fmt: skip
_REFUSAL_WORD = _pattern(
    _UR,
    _ADMINISTRATOR,
    _REFUSED,
    r"\bdenials?\b",
    r"\bdetermination\b",
    r"\bnon-?certification\b",
    r"\bpreviously\s+reviewed\b",
)
# Words that end right before the date. Wordings that name who refused take precedence over a bare refusal.
_NAMED_BEFORE = _pattern(
    rf"{_UR}\s*\(?\s*\Z",
    rf"{_UR}[^.;]{{0,100}}?\b(?:dated|date\s+of|on|of)\s+\Z",
    rf"{_ADMINISTRATOR}[^.;]{{0,80}}?{_REFUSED}[^.;]{{0,100}}?\bon\s+\Z",
    r"\b(?:denial|non-?certification|adverse\s+determination)(?:\s+letter)?\s+(?:was\s+made\s+)?(?:dated|of|on)\s+\Z",
)
_REFUSAL_BEFORE = _pattern(
    rf"\b(?:previous(?:ly)?|prior)\b[^.]{{0,40}}?\b(?:determination|{_REFUSED})[^.]{{0,30}}?\b(?:on|dated)\s+\Z",
    rf"\b(?:treatments?|requests?|services?|items?|case|it|they|both|all\s+\w+)\s+{_WAS_REFUSED}\s+on\s+\Z",
)
# "The determination of DATE denied ...".
_OF_DETERMINATION = _pattern(r"\b(?:determination|decision)\s+(?:of|dated)\s+\Z")
_REFUSES = _pattern(rf",?\s+(?:has\s+|had\s+)?{_REFUSED}")
# "On DATE utilization review denied ...", "By letter of DATE, ...", "The DATE utilization review".
_BEGINS = _pattern(r"(?:\bon|\bthe|\boriginal|\b(?:letter|notice|decision|determination)\s+(?:of|dated))\s+\Z")
_NAMED_AFTER = _pattern(
    rf",?\s+(?:the\s+)?{_UR}",
    rf",?\s+(?:the\s+)?{_ADMINISTRATOR}[^.;]{{0,120}}?{_REFUSED}",
    rf",?\s+(?:the|an?|all|both|these|this|it|they)\b[^.]{{0,160}}?(?<!that)\s+{_WAS_REFUSED}\s+by\s+(?:the\s+)?(?:{_UR}|{_ADMINISTRATOR})",
)
_REFUSAL_AFTER = _pattern(
    rf",?\s+(?:all|both|these|this|it|they|the\s+requests?|the\s+requested)\b[^.;]{{0,160}}?(?<!that)\s+{_WAS_REFUSED}"
)
# A date of something else: the report that was reviewed, the request, the appeal, an earlier request.
_OF_SOMETHING_ELSE = _pattern(
    r"\breviewed\s+by\s+(?:the\s+)?(?:utilization\s+review|UR\b)[^.]*\Z",
    r"\b(?:re-?consideration|appeal|re-?review)\s+(?:of|on|dated)\s+\Z",
    r"\b(?:request|authorization|taken|performed|done|obtained|seen|visit|exam\w*|note|evaluation|films?|x-?rays?|studies|injection)"
    r"\s+(?:of|dated)\s+\Z",
    r"\b(?:taken|performed|done|obtained|seen|received|signed|submitted|requested|examined|dispensed)\s+on\s+\Z",
    r"\b(?:earlier|initial|first|former)\s+(?:\w+\s+)?requests?\b[^.]*\Z",
)
_NOT_AT_ISSUE = _pattern(r"\b(?:neither|none)\b[^.]{0,40}\bat\s+issue\b|\bnot\s+(?:at\s+issue|in\s+dispute)\b")


def read_ur_date(dates: Sequence[DateInProse]) -> Fact:
    """The date of the utilization review's decision; of the first, if it was reconsidered.

    Certain if the summary states one such date, or none beside a word of refusal.
    """
    beside = dates_beside(dates, _REFUSAL_HINTS, _REFUSAL_WORD)
    readable = [each for each in beside if not each.broken]
    for is_refusal in (_is_named, _is_bare_refusal):
        if found := _found(readable, is_refusal):
            first = found[0]
            return Fact(first.value, (first.span,), certain=len({date.value for date in found}) == 1)
    return no_date(beside)


def _found(beside: Sequence[DateInProse], is_refusal: Callable[[DateInProse], bool]) -> list[FoundDate]:
    return [
        each.date
        for each in beside
        if is_refusal(each) and not _OF_SOMETHING_ELSE.search(each.before) and not _NOT_AT_ISSUE.search(each.after)
    ]


def _is_named(each: DateInProse) -> bool:
    begins = _BEGINS.search(each.before) and _NAMED_AFTER.match(each.after)
    return bool(begins or _NAMED_BEFORE.search(each.before))


def _is_bare_refusal(each: DateInProse) -> bool:
    begins = _ON.search(each.before) and _REFUSAL_AFTER.match(each.after)
    determined = _OF_DETERMINATION.search(each.before) and _REFUSES.match(each.after)
    return bool(begins or determined or _REFUSAL_BEFORE.search(each.before))
