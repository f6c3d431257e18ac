"""A browser's request as an act for the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractor.display.values import plural
from extractor.errors import ExtractorError, UsageError
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.review import corrections, taking
from extractor.review.inputs import leaf_input
from extractor.review.log import CHANGES, DECISIONS, REASONS, Act
from extractor.review.selection import snapped
from extractor.review.taking import Taken
from extractor.runs.record import Record

if TYPE_CHECKING:
    from extractor.review.queue import Entry
    from extractor.review.review import ReviewedLetter

# Limits of what a browser may send.
MOST_NOTE = 4_000
MOST_TYPED = 20_000
MOST_SPANS = 20


@dataclass(frozen=True)
class Author:
    """Who acts, and how: ``blind`` to what others did, or in the audit of this name."""

    name: str
    blind: bool = False
    audit: str = ""


class OpenErrors(ExtractorError):
    """A letter is accepted although the checks hold values of its answer to be wrong: to be confirmed."""

    code = "open_errors"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(
            f"{plural(len(findings), 'error')} of the answer would stay open",
            hint="correct the fields, or accept once more",
        )
        self.findings = findings


def open_errors(record: Record) -> tuple[Finding, ...]:
    """The errors of a record that are the answer's own."""
    return tuple(each for each in record.findings if each.severity == "error" and each.blame == "answer")


def build(kind: LetterType, author: Author, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
    """The act that a request asks for. Raises ``UsageError``, ``LookupError`` or ``OpenErrors``."""
    name = str(request.get("act"))
    if name in DECISIONS:
        return _decision(author, reviewed, name, request)
    if name in CHANGES:
        return _change(kind, author, reviewed, name, request)
    if name not in _BUILDERS:
        raise UsageError("no such act")
    return _BUILDERS[name](kind, author, reviewed, request)


def undoing(author: Author, entry: Entry, last: Act) -> Act:
    """The act that takes back ``last``."""
    return Act(
        letter_id=entry.letter_id, number=0, act="undo", at="", by=author.name, letter_sha256=last.letter_sha256,
        answer_sha256=entry.answer_sha256, path=last.path, old=last.new, new=last.old, undoes=last.number,
        blind=author.blind, audit=author.audit,
    )  # fmt: skip


def _bare(author: Author, reviewed: ReviewedLetter, name: str, **more: Any) -> Act:
    return Act(
        letter_id=reviewed.entry.letter_id,
        number=0,
        act=name,
        at="",
        by=author.name,
        letter_sha256=reviewed.original.letter_sha256,
        answer_sha256=reviewed.entry.answer_sha256,
        blind=author.blind,
        audit=author.audit,
        **more,
    )


def _decision(author: Author, reviewed: ReviewedLetter, name: str, request: Mapping[str, Any]) -> Act:
    old = reviewed.state.decided or None
    if name == "reject":
        reason = _text(request, "reason", 40) if request.get("reason") else ""
        if reason and reason not in REASONS:
            raise UsageError(f"a reason is one of: {', '.join(REASONS)}")
        return _bare(author, reviewed, name, old=old, new=name, reason=reason)
    if name == "skip":
        return _bare(author, reviewed, name, old=old, new=name)
    if reviewed.letter is None or reviewed.record.answer is None:
        raise UsageError(reviewed.note or "there is no answer to accept")
    left = open_errors(reviewed.record)
    if left and not author.audit and request.get("confirmed") is not True:
        raise OpenErrors(left)
    named = tuple({"code": each.code, "path": each.path} for each in left)
    return _bare(author, reviewed, name, old=old, new=name, open_errors=named)


def _change(kind: LetterType, author: Author, reviewed: ReviewedLetter, name: str, request: Mapping[str, Any]) -> Act:
    letter, record = reviewed.letter, reviewed.record
    if letter is None or (record.answer is None and name != "fill"):
        raise UsageError(reviewed.note or "there is no answer to correct")
    if name == "fill":
        found = corrections.filled(kind, letter, record)
    elif name == "correct":
        text = None if request.get("text") is None else _text(request, "text", MOST_TYPED)
        found = corrections.correction(kind, letter, record, _text(request, "path", 500), text)
    else:
        make = corrections.addition if name == "add" else corrections.removal
        found = make(kind, letter, record, _text(request, "path", 500))
    return _changing(author, reviewed, Taken(name, found), "")


def _taking(kind: LetterType, author: Author, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
    """What the letter says, by a finding's number; or what another witness gave, by a path and its name."""
    letter, record = reviewed.letter, reviewed.record
    if letter is None or record.answer is None:
        raise UsageError(reviewed.note or "there is no answer to correct")
    if request.get("from"):
        name, path = _text(request, "from", 200), _text(request, "path", 500)
        return _changing(
            author, reviewed, taking.witness_value(kind, letter, record, path, name, reviewed.opinions), name
        )
    number = request.get("finding")
    if type(number) is not int or not 0 <= number < len(record.findings):
        raise LookupError(number)
    return _changing(author, reviewed, taking.taken(kind, letter, record, record.findings[number]), "letter")


def _changing(author: Author, reviewed: ReviewedLetter, found: Taken, source: str) -> Act:
    change = found.change
    if found.act == "correct" and change.old == change.new:
        raise UsageError("the field has that value already")
    findings = tuple(each.as_dict() for each in change.record.findings)
    return _bare(
        author, reviewed, found.act, path=change.path, old=change.old, new=change.new, findings=findings, source=source
    )


def _evidence(kind: LetterType, author: Author, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
    path = _text(request, "path", 500)
    if reviewed.letter is None or reviewed.record.answer is None:
        raise UsageError(reviewed.note or "there is no answer to mark evidence for")
    leaf_input(kind, reviewed.record.answer, path)
    text = reviewed.letter.text
    spans = tuple(snapped(text, *span) for span in _spans(request.get("spans"), len(text)))
    old = [[each.start, each.end] for each in reviewed.record.evidence.get(path, ())]
    old = [list(span) for span in reviewed.state.evidence().get(path, ())] or old
    return _bare(author, reviewed, "evidence", path=path, spans=spans, old=old, new=[list(span) for span in spans])


def _comment(kind: LetterType, author: Author, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
    path = _text(request, "path", 500) if request.get("path") else ""
    if path:
        leaf_input(kind, reviewed.record.answer, path)
    note = _text(request, "note", MOST_NOTE).strip()
    if not note:
        raise UsageError("a comment needs text")
    return _bare(author, reviewed, "comment", path=path, note=note)


def _undo(kind: LetterType, author: Author, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
    last = reviewed.state.last
    if last is None or last.blind != author.blind:
        raise UsageError("nothing to undo on this letter")
    return undoing(author, reviewed.entry, last)


_Builder = Callable[[LetterType, Author, "ReviewedLetter", Mapping[str, Any]], Act]
_BUILDERS: Mapping[str, _Builder] = {"take": _taking, "evidence": _evidence, "comment": _comment, "undo": _undo}


def _text(request: Mapping[str, Any], name: str, most: int) -> str:
    text = request.get(name)
    if not isinstance(text, str):
        raise UsageError(f"{name} must be text")
    if len(text) > most:
        raise UsageError(f"{name} is longer than {most:,} characters")
    return text


def _spans(pairs: Any, size: int) -> tuple[tuple[int, int], ...]:
    try:
        spans = tuple((start, end) for start, end in pairs)
    except (TypeError, ValueError):
        raise UsageError("spans must be pairs of offsets") from None
    for start, end in spans:
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= size:
            raise UsageError("a span lies outside the letter")
    if not 0 < len(spans) <= MOST_SPANS:
        raise UsageError(f"from 1 to {MOST_SPANS} spans")
    return spans
