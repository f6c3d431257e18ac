"""What a model is sent about its former reply: where it is in question, in which direction, and how to answer.

A message never holds words of the letter or what the reader reads: a model that is shown the wanted value
repeats it. It states what a check found, which may be wrong, and asks for the same value again if it is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel

from extractor.letters.spans import fold
from extractor.lettertypes.evidence import Stated, Verbatim
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.leaves import leaf_at
from extractor.pointers import is_index, is_within, parts_of

_MOST_LINES = 30

_WHOLE = """\
A check of your answer against the letter found these mistakes:
{lines}
Read the letter again at these places and send the whole corrected answer. Copy words exactly as printed."""

_DOUBTED = """\
A program compared your answer with the letter. It can be wrong. In question:
{lines}
Read the letter again at these places and send the whole answer once more: with these values corrected, and the \
same value again wherever the letter bears it out. Copy words exactly as printed."""

_PATCH = """\
A program compared your answer with the letter. It can be wrong. Values in question, with what it found:
{lines}
Read the letter again at these places. Send only these values, each with its number and the name of its field: the \
corrected value, or the same value again if the letter bears it out. Copy words exactly as printed."""

_BROKEN_PATCH = """\
Your last reply is not of the form that was asked for. Of your first answer, send only these values, each with its \
number and the name of its field:
{lines}"""


def whole_message(findings: Sequence[Finding]) -> str:
    """The message of prompts whose corrections are whole answers: codes, paths and what to do."""
    return _WHOLE.format(lines=_listed([f"- {f.path or '/'}: {f.code}: {f.message}" for f in findings]))


def doubts_message(findings: Sequence[Finding]) -> str:
    """The message of prompts with patches, where only the whole answer can correct what was found."""
    return _DOUBTED.format(lines=_listed([f"- {f.path or '/'}: {direction(f)}" for f in findings]))


def patch_message(schema: type[BaseModel], targets: Sequence[str], findings: Sequence[Finding]) -> str:
    """The message that asks for single values, numbered in the order of ``targets``."""
    found: dict[str, list[str]] = defaultdict(list)
    for finding in findings:
        target = next(target for target in targets if is_within(finding.path, target))
        found[target].append(direction(finding))
    lines = [
        f"{number}. {_place(schema, target)}: {'; '.join(dict.fromkeys(found[target]))}"
        for number, target in enumerate(targets, 1)
    ]
    return _PATCH.format(lines="\n".join(lines))


def broken_patch_message(schema: type[BaseModel], targets: Sequence[str]) -> str:
    """The message about a reply that is no patch."""
    lines = [f"{number}. {_place(schema, target)}" for number, target in enumerate(targets, 1)]
    return _BROKEN_PATCH.format(lines="\n".join(lines))


def _listed(lines: Sequence[str]) -> str:
    shown = list(lines[:_MOST_LINES])
    if len(lines) > _MOST_LINES:
        shown.append(f"- and {len(lines) - _MOST_LINES} more of these kinds")
    return "\n".join(shown)


def _place(schema: type[BaseModel], path: str) -> str:
    """A value's pointer, its field, and the part of the letter to look in."""
    leaf = leaf_at(schema, path)
    marker = leaf.spec.marker if leaf else None
    where = f", in the {marker.within}" if isinstance(marker, Verbatim | Stated) else ""
    return f"{path} (field {parts_of(path)[-1]}{where})"


# ---- directions ----------------------------------------------------------------------------------


def direction(finding: Finding) -> str:
    """What a check found at one value, without the value itself; the finding's own message for codes of a letter type.

    Counts entries of lists from 1.
    """
    words = DIRECTIONS.get(finding.code)
    if words is None:
        return finding.message
    return words if isinstance(words, str) else words(finding)


def _entry(finding: Finding) -> str:
    """The entry of a list that a finding points at, or its value."""
    last = parts_of(finding.path)[-1] if finding.path else ""
    return f"entry {int(last) + 1}" if is_index(last) else "your value"


def _differs(finding: Finding) -> str:
    got, expected = finding.got, finding.expected
    if isinstance(got, str) and isinstance(expected, str):
        mine, theirs = fold(got), fold(expected)
        if mine in theirs:
            return "your value is there, and more words were found to belong to it"
        if theirs in mine:
            return "your value is there, and fewer of its words were found to belong to it"
    return "another value was found there"


DIRECTIONS: Mapping[str, str | Callable[[Finding], str]] = {
    "not_in_text": lambda finding: f"{_entry(finding)} was not found there",
    "value_differs": _differs,
    "null_but_stated": "you gave none, and one was found there",
    "not_stated": "you gave a value, and none was found there",
    "list_item_missing": "an entry was found there that your list lacks",
    "list_item_extra": lambda finding: f"{_entry(finding)} was not found there",
    "list_order": "the same entries were found in another order",
    "record_missing": "a part was found that no entry covers",
    "record_extra": lambda finding: f"no part was found that {_entry(finding)} covers",
    "record_doubled": lambda finding: f"{_entry(finding)} covers the same part as another",
    "record_order": "the parts were found in another order",
    "quote_too_short": lambda finding: f"{_entry(finding)} has too few words for a quote",
    "odd_characters": lambda finding: f"{_entry(finding)} holds invisible or disguised characters",
    "quote_cut": lambda finding: f"{_entry(finding)} begins or ends inside its sentence, or follows a negation",
    "quote_elsewhere": "the quoted words were not found there, or do not give this value",
    "quote_missing": "the words that the value beside it rests on are missing",
    "judgement_missing": "words are quoted for it, and it is not given",
}
