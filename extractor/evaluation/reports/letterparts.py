"""The part of a report that is about one letter: its errors, the findings, and its text with the evidence."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from extractor.display.pieces import Piece, pieces
from extractor.display.values import differing, value_text
from extractor.evaluation.flips import Flip
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scores.scoring import ERRORS, Leaf
from extractor.evaluation.scores.summary import LetterScore
from extractor.letters.spans import Span
from extractor.runs.record import Record

# A longer letter is cut: a report is to be opened, and the letter itself is on the disk.
MOST_TEXT = 60_000
_MOST_NAMES = 6
_FINDING = "finding: "
KINDS = ("broke", "changed", "fixed")


@dataclass(frozen=True)
class Cell:
    """A value as displayed: its words in parts, each with whether it differs from the gold, and its status."""

    parts: tuple[tuple[str, bool], ...]
    status: str

    @property
    def text(self) -> str:
        return "".join(part for part, _ in self.parts)

    @property
    def is_error(self) -> bool:
        return self.status in ERRORS


@dataclass(frozen=True)
class ValueRow:
    """One leaf of one letter: the gold value, and each run's.

    ``wrong``: in how many recordings it is an error, ``1 of 2 wrong``, for each run where letters have several.
    """

    letter_id: str
    path: str
    field: str
    kind: str
    gold: Cell
    cells: tuple[Cell, ...]
    protected: bool = False
    mark: str = ""
    debatable: str = ""
    wrong: tuple[str, ...] = ()

    @property
    def unanswered(self) -> bool:
        """Whether the row exists only because one run has no valid answer to this letter."""
        statuses = {cell.status for cell in self.cells}
        return "failed" in statuses and statuses <= {"failed", "match"}

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """What to look at first: what broke, on a protected field, by an answer."""
        kind = KINDS.index(self.kind) if self.kind in KINDS else len(KINDS)
        return kind, self.unanswered, not self.protected


@dataclass(frozen=True)
class RecordRows:
    """Rows that belong to one record of the gold; ``name`` is that record's first value."""

    path: str
    name: str
    rows: tuple[ValueRow, ...]


@dataclass(frozen=True)
class Words:
    """A marked stretch of the letter. ``look``: ``""`` is plain, else ``proof``, ``bad`` or ``odd``."""

    text: str
    look: str = ""
    title: str = ""
    mark: str = ""


@dataclass(frozen=True)
class LetterPart:
    """Everything displayed for one letter. ``scores`` and ``records`` hold one entry a run.

    ``rows`` are what differs between the runs, or the errors of the one; ``same`` the errors that both
    made; ``unanswered`` counts the rows that are not among them because a run has no answer at all.
    """

    number: int
    letter_id: str
    scores: tuple[LetterScore, ...]
    records: tuple[Record, ...]
    rows: tuple[RecordRows, ...]
    same: tuple[RecordRows, ...]
    unanswered: int = 0
    words: tuple[Words, ...] = ()
    note: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        return dict(Counter(row.kind for group in self.rows for row in group.rows))


def flip_rows(flips: Iterable[Flip], gold: Mapping[str, Gold]) -> list[ValueRow]:
    """The flips of a comparison as rows, in its order."""
    return [
        ValueRow(
            flip.letter_id,
            flip.path,
            flip.field,
            flip.kind,
            cell(flip.gold, "gold"),
            (cell(flip.a, flip.a_status, flip.gold), cell(flip.b, flip.b_status, flip.gold)),
            protected=flip.protected,
            debatable=_debatable(gold, flip.letter_id, flip.path, flip.debatable),
            wrong=tuple(f"{count} of {of} wrong" if of > 1 else "" for count, of in (flip.a_wrong, flip.b_wrong)),
        )
        for flip in flips
    ]


def error_row(letter_id: str, leaf: Leaf, gold: Mapping[str, Gold], *, runs: int = 1) -> ValueRow:
    """One error as a row; with two runs it is the same error in both."""
    got = cell(leaf.got, leaf.status, leaf.gold)
    kind = leaf.status if runs == 1 else "same"
    true = cell(leaf.gold, "gold")
    debatable = _debatable(gold, letter_id, leaf.path, leaf.debatable)
    return ValueRow(letter_id, leaf.path, leaf.field, kind, true, (got,) * runs, debatable=debatable)


def cell(found: Any, status: str, gold: Any = None) -> Cell:
    """A value as displayed; in a wrong one, the words that differ from the gold are marked."""
    text = value_text(found)
    if status == "wrong" and not isinstance(found, bool):
        return Cell(tuple(differing(text, value_text(gold))), status)
    return Cell(((text, False),) if text else (), status)


def _debatable(gold: Mapping[str, Gold], letter_id: str, path: str, debatable: bool) -> str:
    """Gold's note on the value, or on what holds it; empty if it is beyond argument."""
    if not debatable:
        return ""
    notes = gold[letter_id].debatable if letter_id in gold else {}
    above = [path, *(path[:i] for i in range(len(path) - 1, 0, -1) if path[i] == "/")]
    return next((notes[each] for each in above if each in notes), "gold marks it as debatable")


# ---- letters ------------------------------------------------------------------------------------


def letter_part(
    number: int,
    scores: Sequence[LetterScore],
    records: Sequence[Record],
    rows: tuple[Sequence[ValueRow], Sequence[ValueRow]],
    text: str | None,
) -> LetterPart:
    """One letter of one run, or of two. The text carries the evidence of the last run's answer."""
    score, record = scores[-1], records[-1]
    note = _no_text(record, text)
    words: tuple[Words, ...] = ()
    marks: dict[str, str] = {}
    if text is not None and not note:
        words, marks = _marked(f"l{number}", text, record, score, {row.path for each in rows for row in each})
        note = _text_note(record, text)
    names = _record_names(scores)
    changed, same = (
        _grouped([replace(row, mark=marks.get(row.path, "")) for row in each if not row.unanswered], names)
        for each in rows
    )
    unanswered = sum(row.unanswered for each in rows for row in each)
    return LetterPart(number, score.letter_id, tuple(scores), tuple(records), changed, same, unanswered, words, note)


def _no_text(record: Record, text: str | None) -> str:
    if text is None:
        return "The letter\u2019s text was not available when this page was made."
    if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != record.letter_sha256:
        return "The letter\u2019s text has changed since this run read it, so it is not displayed."
    return ""


def _text_note(record: Record, text: str) -> str:
    cut = f"These are the first {MOST_TEXT:,} of {len(text):,} characters. " if len(text) > MOST_TEXT else ""
    return cut + ("There is no valid answer, so nothing is marked." if record.answer is None else "")


def _marked(
    prefix: str, text: str, record: Record, score: LetterScore, wanted: set[str]
) -> tuple[tuple[Words, ...], dict[str, str]]:
    """The text in marked stretches, and the id of the first stretch of each wanted leaf's evidence."""
    where = {leaf.path: leaf.answer_path for leaf in score.leaves if leaf.answer_path in record.evidence}
    bad = {where[leaf.path] for leaf in score.errors if leaf.path in where}
    targets = {where[path] for path in wanted if path in where}
    first: dict[str, str] = {}
    words = []
    for i, piece in enumerate(pieces(text[:MOST_TEXT], [*_evidence_spans(record), *_odd_spans(record)])):
        starting = [path for path in piece.paths if path in targets and path not in first]
        mark = f"{prefix}m{i}" if starting else ""
        first.update(dict.fromkeys(starting, mark))
        words.append(Words(piece.text, _look(piece, bad), _title(piece), mark))
    return tuple(words), {path: first[where[path]] for path in wanted if where.get(path) in first}


def _evidence_spans(record: Record) -> list[tuple[str, Span]]:
    """Every span of a record's evidence with the path of the value that it proves."""
    return [(path, each.span) for path, found in record.evidence.items() for each in found]


def _odd_spans(record: Record) -> list[tuple[str, Span]]:
    """Where the findings point, under their codes."""
    return [(f"{_FINDING}{each.code}", each.span) for each in record.findings if each.span]


def _look(piece: Piece, bad: set[str]) -> str:
    if bad.intersection(piece.paths):
        return "bad"
    if any(path.startswith(_FINDING) for path in piece.paths):
        return "odd"
    return "proof" if piece.paths else ""


def _title(piece: Piece) -> str:
    names = [path.lstrip("/") for path in piece.paths]
    return "\n".join(names[:_MOST_NAMES]) + (f"\nand {len(names) - _MOST_NAMES} more" if names[_MOST_NAMES:] else "")


def _grouped(rows: Sequence[ValueRow], names: Mapping[str, str]) -> tuple[RecordRows, ...]:
    """Rows by the outermost record they are in, in their order."""
    return tuple(
        RecordRows(path, names.get(path, ""), tuple(own))
        for path, own in groupby(rows, key=lambda row: _outermost(row.path))
    )


def _record_names(scores: Sequence[LetterScore]) -> dict[str, str]:
    """The first text that gold holds of each outermost record, by which a person recognizes it."""
    found: dict[str, str] = {}
    for leaf in scores[-1].leaves:
        path = _outermost(leaf.path)
        value = leaf.gold if leaf.gold is not None else leaf.got
        if path and path not in found and isinstance(value, str):
            found[path] = value
    return found


def _outermost(path: str) -> str:
    parts = path.split("/")
    first = next((i for i, part in enumerate(parts[:-1]) if _is_index(part)), 0)
    return "/".join(parts[: first + 1])


def _is_index(part: str) -> bool:
    return part.removeprefix("+").isdecimal()
