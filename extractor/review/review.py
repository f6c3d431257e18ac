"""One run under review: its queue, its letters as reviewed so far, and the actions on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from extractor.errors import UsageError
from extractor.letters.letter import Letter, Starts
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.review import corrections
from extractor.review.corrections import Proposed
from extractor.review.fields import leaf_input
from extractor.review.letters import Letters
from extractor.review.log import CHANGES, DECISIONS, Act, ConflictError, Log
from extractor.review.queue import Entry, Query, Queue, load, part_of
from extractor.review.state import State, answer_sha256, final_answer, fold
from extractor.runs.ledger import LedgerView
from extractor.runs.record import Record

# Limits of what a browser may send.
MOST_NOTE = 4_000
MOST_TYPED = 20_000
MOST_SPANS = 20


@dataclass(frozen=True)
class ReviewedLetter:
    """One letter as reviewed so far. ``record`` holds the final answer with fresh evidence and findings;
    ``letter`` is ``None`` if its text cannot be read, and ``note`` is the reason.
    """

    entry: Entry
    original: Record
    record: Record
    state: State
    letter: Letter | None
    note: str

    @property
    def version(self) -> str:
        """What a person has in front of her: the number of acts, and the answer's hash."""
        return f"{self.state.version}.{self.entry.answer_sha256[:16]}"


class Desk:
    """The letters of one type of the run in ``folder``, reviewed by ``name``.

    ``places`` and ``starts`` as in ``Letters``. Raises ``LedgerError`` or ``UsageError`` if it cannot be.
    """

    def __init__(
        self,
        folder: Path,
        kind: LetterType,
        places: Sequence[Sequence[Path]],
        name: str,
        starts: Starts | None = None,
    ) -> None:
        self.folder, self.kind, self.name = folder, kind, name
        self.log = Log(folder)
        self._stamp: object = None
        self.load()
        wanted = [entry.letter_id for entry in self.queue.entries]
        self.letters = Letters(places, wanted, starts or kind.starts, ReadingCache(folder / FOLDER))

    def load(self) -> None:
        """Reload the run's records if the run wrote since the last time."""
        stamp = _stamp(self.folder)
        if stamp == self._stamp:
            return
        with LedgerView(self.folder) as view:
            self.queue: Queue = load(self.kind, _of_schema(view.records(), self.kind))
        self._stamp = stamp

    def refresh(self) -> None:
        """Take over what other reviewers and the run wrote."""
        self.load()
        self.log.refresh()

    # ---- reading -------------------------------------------------------------------------------------

    def state(self, entry: Entry) -> State:
        return fold(self.log.of(entry.letter_id), entry.answer_sha256)

    def part(self, entry: Entry) -> str:
        """Which part of the queue an entry is in now."""
        return part_of(entry, self.state(entry))

    def letter_of(self, entry: Entry) -> ReviewedLetter:
        """One letter as reviewed so far."""
        original = self._original(entry)
        letter, note = self.letters.get(original)
        state = self.state(entry)
        record = original
        if state.changes:
            answer = final_answer(original.answer, state.changes)
            if letter:
                record = corrections.checked(self.kind, letter, original, answer)
            else:
                findings = tuple(map(Finding.from_dict, state.changes[-1].findings))
                record = replace(original, answer=answer, evidence={}, findings=findings)
            if state.filled:
                record = replace(record, error=None)
        return ReviewedLetter(entry, original, record, state, letter, note)

    def read(self, entry: Entry) -> None:
        """Read a letter into the cache; may be called from any thread."""
        self.letters.get(self._original(entry))

    def read_ahead(self, entry: Entry) -> None:
        """Start reading the letter that comes next."""
        self.letters.read_ahead(self._original(entry))

    def picture(self, entry: Entry, page: int) -> bytes:
        """The picture of one page, as ``Letters.picture`` gives it; may be called from any thread."""
        return self.letters.picture(self._original(entry), page)

    def _original(self, entry: Entry) -> Record:
        """A letter's record as the run made it. Raises ``ConflictError`` if the queue has an older one."""
        with LedgerView(self.folder) as view:
            original = view.record(entry.letter_id)
        if original is None or answer_sha256(original) != entry.answer_sha256:
            raise ConflictError(())
        return original

    def entry(self, key: str) -> Entry | None:
        return self.queue.by_key.get(key)

    def neighbors(self, entry: Entry, query: Query) -> tuple[Entry | None, Entry | None]:
        return self.queue.neighbors(entry.key, query, self.part)

    # ---- acting --------------------------------------------------------------------------------------

    def proposed(self, reviewed: ReviewedLetter, path: str, text: str | None) -> Proposed:
        """The effect of a correction. Raises ``UsageError`` in plain words if it cannot be made."""
        if reviewed.letter is None or reviewed.record.answer is None:
            raise UsageError("there is no answer to correct" if reviewed.letter else reviewed.note)
        return corrections.correction(self.kind, reviewed.letter, reviewed.record, path, text)

    def act(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        """Carry out a browser's request and log it. Raises ``UsageError``, ``LookupError`` or ``ConflictError``."""
        name = str(request.get("act"))
        if request.get("version") != reviewed.version:
            known = str(request.get("version", "")).partition(".")[0]
            acts = self.log.of(reviewed.entry.letter_id)
            raise ConflictError(acts[int(known) :] if known.isascii() and known.isdecimal() and len(known) < 8 else ())
        builders = {"evidence": self._evidence, "comment": self._comment, "undo": self._undo}
        if name in DECISIONS:
            found = self._decision(reviewed, name)
        elif name in CHANGES:
            found = self._change(reviewed, name, request)
        elif name in builders:
            found = builders[name](reviewed, request)
        else:
            raise UsageError("no such act")
        return self.log.append(found, reviewed.state.version)

    def _bare(self, reviewed: ReviewedLetter, name: str, **more: Any) -> Act:
        return Act(
            letter_id=reviewed.entry.letter_id,
            number=0,
            act=name,
            at="",
            by=self.name,
            letter_sha256=reviewed.original.letter_sha256,
            answer_sha256=reviewed.entry.answer_sha256,
            **more,
        )

    def _decision(self, reviewed: ReviewedLetter, name: str) -> Act:
        if name == "accept" and (reviewed.letter is None or reviewed.record.answer is None):
            raise UsageError(reviewed.note or "there is no answer to accept")
        return self._bare(reviewed, name, old=reviewed.state.decided or None, new=name)

    def _change(self, reviewed: ReviewedLetter, name: str, request: Mapping[str, Any]) -> Act:
        path = "" if name == "fill" else _text(request, "path", 500)
        if name == "fill" and reviewed.letter is not None:
            found = corrections.filled(self.kind, reviewed.letter, reviewed.record)
        elif name == "correct":
            text = None if request.get("text") is None else _text(request, "text", MOST_TYPED)
            found = self.proposed(reviewed, path, text)
        elif reviewed.letter is None or reviewed.record.answer is None:
            raise UsageError(reviewed.note or "there is no answer to correct")
        else:
            make = corrections.addition if name == "add" else corrections.removal
            found = make(self.kind, reviewed.letter, reviewed.record, path)
        if name == "correct" and found.old == found.new:
            raise UsageError("the field has that value already")
        return self._bare(
            reviewed,
            name,
            path=found.path,
            old=found.old,
            new=found.new,
            findings=tuple(each.as_dict() for each in found.record.findings),
        )

    def _evidence(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        path = _text(request, "path", 500)
        if reviewed.letter is None or reviewed.record.answer is None:
            raise UsageError(reviewed.note or "there is no answer to mark evidence for")
        leaf_input(self.kind, reviewed.record.answer, path)
        spans = _spans(request.get("spans"), len(reviewed.letter.text))
        old = [[each.start, each.end] for each in reviewed.record.evidence.get(path, ())]
        old = [list(span) for span in reviewed.state.evidence().get(path, ())] or old
        return self._bare(reviewed, "evidence", path=path, spans=spans, old=old, new=[list(span) for span in spans])

    def _comment(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        path = _text(request, "path", 500) if request.get("path") else ""
        if path:
            leaf_input(self.kind, reviewed.record.answer, path)
        note = _text(request, "note", MOST_NOTE).strip()
        if not note:
            raise UsageError("a comment needs text")
        return self._bare(reviewed, "comment", path=path, note=note)

    def _undo(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        last = reviewed.state.last
        if last is None:
            raise UsageError("nothing to undo on this letter")
        return self._bare(reviewed, "undo", path=last.path, old=last.new, new=last.old, undoes=last.number)


def _as_logged(record: Record) -> tuple[dict[str, Any], ...]:
    return tuple(finding.as_dict() for finding in record.findings)


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


def _of_schema(records: Iterable[Record], kind: LetterType) -> Iterator[Record]:
    """The records of one letter type. Raises ``UsageError`` if they were made with another schema of it."""
    own = 0
    others: set[str] = set()
    for record in records:
        if record.letter_type != kind.name:
            others.add(record.letter_type)
            continue
        if own == 0 and record.schema_sha256 != kind.schema_sha256:
            raise UsageError(
                f"the records were made with another schema than {kind.name} has now",
                hint="run the letters again into this folder, or name the workspace that made it",
            )
        own += 1
        yield record
    if others and not own:
        raise UsageError(f"no record is of the letter type {kind.name}", hint=f"--type: {', '.join(sorted(others))}")


def _stamp(folder: Path) -> object:
    """What changes when a run writes its ledger."""
    found = []
    for name in ("run.db", "run.db-wal"):
        try:
            stats = (folder / name).stat()
            found.append((stats.st_size, stats.st_mtime_ns if name == "run.db" else 0))
        except OSError:
            found.append((0, 0))
    return tuple(found)
