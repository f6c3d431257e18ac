"""Items of a list in prose: where a diagnosis or another name may begin and end.

An item begins and ends at punctuation, at a new line with a capital, or beside a word that belongs to the
sentence and not to the name: "and", "with", "was", a participle. "plantar" before "fasciitis" is a piece of one.
"""

from __future__ import annotations

import re

from extractor.letters.spans import Span

# No item begins or ends with one of these.
_JOINTS = (
    "and|or|nor|but|with|without|in|on|at|by|to|from|for|into|as|than|that|which|who|the|is|are|was|were|has|have|had|"
    "after|before|since|due|because"
)
# These may come right before or after an item, without being a part of it.
_AROUND = (
    rf"{_JOINTS}|a|an|her|his|their|its|this|these|those|be|been|being|having|includes?|consists?|shows?|suffers|reveals?|"
    r"reports?|notes?|demonstrates?|remains?|diagnos[ei]s|secondary|status|post|s/p|versus|vs|following|when|while|per|"
    r"during|until|also"
)
_JOINT = re.compile(rf"{_JOINTS}|of")
_BEHIND = re.compile(_AROUND)
_BEFORE = re.compile(rf"{_AROUND}|of")
_PARTICIPLE = re.compile(r"[a-z]+(?:ed|ing)\Z")
_WORDS = re.compile(r"[\w/'-]+")
# A hyphen without blanks joins; a dash between blanks and a slash separate.
_WORD_BEFORE = re.compile(r"(\w(?:[\w/'-]*[\w'-])?)(\s*)\Z")
_WORD_BEHIND = re.compile(r"(\s*)([-']*\w[\w/'-]*)")
# Characters considered before and after an item.
_NEAR = 80


def is_whole_item(text: str, place: Span, region: Span) -> bool:
    """Whether the words at ``place`` begin and end where an item of a list in ``region`` may."""
    words = [word.lower() for word in _WORDS.findall(place.of(text))]
    if not words or _JOINT.fullmatch(words[0]) or _JOINT.fullmatch(words[-1]):
        return False
    before = _WORD_BEFORE.search(text[max(region.start, place.start - _NEAR) : place.start])
    if before and not _may_be_next(before[1], _BEFORE) and not _is_new_line(before[2], text[place.start]):
        return False
    behind = _WORD_BEHIND.match(text, place.end, min(region.end, place.end + _NEAR))
    return not behind or _may_be_next(behind[2], _BEHIND) or _is_new_line(behind[1], behind[2][0])


def _may_be_next(word: str, known: re.Pattern[str]) -> bool:
    """A word of the sentence, a participle, or a number or code of a numbered list."""
    lower = word.lower()
    return bool(known.fullmatch(lower) or _PARTICIPLE.match(lower)) or any(map(str.isdigit, word))


def _is_new_line(blanks: str, following: str) -> bool:
    return "\n" in blanks and (following.isupper() or following.isdigit())
