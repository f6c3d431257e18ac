"""Two dates of the clinical case summary: when the worker was injured, and when the request was refused.

Each date of the summary is judged by the words before and after it in its own sentence. If none is
read although one occurs beside words of injury or refusal, the reading is not certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.reading import Fact, FoundDate, find_dates

# Characters of the sentence considered on either side of a date.
_REACH = 220
_SENTENCE_END = re.compile(r"[.?!][\"')\u201d]*\s+(?=[A-Z0-9\"(\u201c]|\Z)")


class SummaryDate(NamedTuple):
    """One date of the summary, and the words of its sentence on both sides."""

    date: FoundDate
    before: str
    after: str


def summary_dates(text: str, summary: Span) -> list[SummaryDate]:
    """Every date of the summary with its sentence, in order."""
    return [_in_sentence(text, summary, found) for found in find_dates(text, summary)]


def _in_sentence(text: str, summary: Span, found: FoundDate) -> SummaryDate:
    before = text[max(summary.start, found.span.start - _REACH) : found.span.start]
    cut = max((end.end() for end in _SENTENCE_END.finditer(before)), default=0)
    after = text[found.span.end : min(summary.end, found.span.end + _REACH)]
    ended = _SENTENCE_END.search(after)
    return SummaryDate(found, before[cut:], after[: ended.start()] if ended else after)


def _beside(dates: Sequence[SummaryDate], hints: Sequence[str], words: re.Pattern[str]) -> list[SummaryDate]:
    """The dates with one of ``words`` in their sentence; ``hints`` are substrings that rule a sentence out quickly."""
    found = []
    for each in dates:
        sentence = f"{each.before} {each.after}"
        lower = sentence.lower()
        if any(hint in lower for hint in hints) and words.search(sentence):
            found.append(each)
    return found


# A damaged date keeps its shape, with letters or signs among the digits. The pattern starts with a character
# class instead of a lookbehind, which makes the search fast.
_PART = r"[\dlIO|?#*\u25a1\ufffd]"
_BROKEN_DATE = re.compile(rf"{_PART}{_PART}{{0,3}}[/-]{_PART}{{1,4}}(?:[/-]{_PART}{{2,4}})?(?![\w/-])")
_UNKNOWN = re.compile(r"[?#*\u25a1\ufffd]")
_MIXED = re.compile(r"(?=.*\d).*[lIO|]")


def broken_dates(text: str, summary: Span) -> list[SummaryDate]:
    """Text in the shape of a date that cannot be read as one, with its sentence; the date values are placeholders."""
    return [
        _in_sentence(text, summary, FoundDate(date.min, Span(*match.span())))
        for match in _BROKEN_DATE.finditer(text, *summary)
        if _is_broken(match[0]) and not re.match(r"[\w/-]", text[match.start() - 1 : match.start()])
    ]


def _is_broken(found: str) -> bool:
    if "?" in found and not found.strip("?/-"):
        return True
    return len(re.findall("[/-]", found)) == 2 and bool(_UNKNOWN.search(found) or _MIXED.match(found))


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


def read_injury_date(dates: Sequence[SummaryDate], broken: Sequence[SummaryDate] = ()) -> Fact:
    """The date of injury stated in the summary; the first, if there are several."""
    beside = _beside(dates, _INJURY_HINTS, _INJURY_WORD)
    for each in beside:
        if _is_injury(each):
            return Fact(each.date.value, (each.date.span,), certain=not _ANOTHER_DATE.match(each.after))
    return _silence(beside, _beside(broken, _INJURY_HINTS, _INJURY_WORD))


def _silence(beside: Sequence[SummaryDate], broken: Sequence[SummaryDate]) -> Fact:
    """No date was read: certain if none, readable or damaged, occurs beside words of the event."""
    return Fact(None, tuple(each.date.span for each in broken[:1]), certain=not beside and not broken)


def _is_injury(each: SummaryDate) -> bool:
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


def read_ur_date(dates: Sequence[SummaryDate], broken: Sequence[SummaryDate] = ()) -> Fact:
    """The date of the utilization review's decision; of the first, if it was reconsidered.

    Certain if the summary states one such date, or none beside a word of refusal.
    """
    beside = _beside(dates, _REFUSAL_HINTS, _REFUSAL_WORD)
    for is_refusal in (_is_named, _is_bare_refusal):
        if found := _found(beside, is_refusal):
            first = found[0]
            return Fact(first.value, (first.span,), certain=len({date.value for date in found}) == 1)
    return _silence(beside, _beside(broken, _REFUSAL_HINTS, _REFUSAL_WORD))


def _found(beside: Sequence[SummaryDate], is_refusal: Callable[[SummaryDate], bool]) -> list[FoundDate]:
    return [
        each.date
        for each in beside
        if is_refusal(each) and not _OF_SOMETHING_ELSE.search(each.before) and not _NOT_AT_ISSUE.search(each.after)
    ]


def _is_named(each: SummaryDate) -> bool:
    begins = _BEGINS.search(each.before) and _NAMED_AFTER.match(each.after)
    return bool(begins or _NAMED_BEFORE.search(each.before))


def _is_bare_refusal(each: SummaryDate) -> bool:
    begins = _ON.search(each.before) and _REFUSAL_AFTER.match(each.after)
    return bool(begins or _REFUSAL_BEFORE.search(each.before))
