"""One run under review: its queue, its letters as reviewed so far, and the actions on them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from extractor.errors import UsageError
from extractor.letters.letter import Letter, Starts
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.review import acts, corrections
from extractor.review.acts import Author
from extractor.review.audit import Audit, audited
from extractor.review.blind import own_acts, settled, tracks
from extractor.review.corrections import Proposed
from extractor.review.fields import OtherAnswer
from extractor.review.letters import Letters
from extractor.review.log import Act, ConflictError, Log
from extractor.review.queue import Entry, Query, Queue, key_of, load, part_of
from extractor.review.state import State, answer_sha256, final_answer, fold
from extractor.runs.ledger import LedgerView
from extractor.runs.record import Record


@dataclass(frozen=True)
class ReviewedLetter:
    """One letter as reviewed so far. ``record`` holds the final answer with fresh evidence and findings;
    ``letter`` is ``None`` if its text cannot be read, and ``note`` is the reason. ``hides_checks``: its status and
    findings are not displayed, because it is audited. ``opinions``: the answers of blind reviewers who differ.
    """

    entry: Entry
    original: Record
    record: Record
    state: State
    letter: Letter | None
    note: str
    hides_checks: bool = False
    opinions: tuple[OtherAnswer, ...] = ()

    @property
    def version(self) -> str:
        """What a person has in front of her: the number of acts, and the answer's hash."""
        return f"{self.state.version}.{self.entry.answer_sha256[:16]}"


class Desk:
    """The letters of one type of the run in ``folder``, reviewed by ``name``.

    ``places`` and ``starts`` as in ``Letters``. In an ``audit``, the letters are its sample, in its order, and
    nothing is displayed of what the checks or other people made of them. ``blind``: acts of others are not seen,
    nor do others see these.

    Raises ``LedgerError`` or ``UsageError`` if it cannot be.
    """

    def __init__(
        self,
        folder: Path,
        kind: LetterType,
        places: Sequence[Sequence[Path]],
        name: str,
        starts: Starts | None = None,
        *,
        audit: Audit | None = None,
        blind: bool = False,
    ) -> None:
        self.folder, self.kind, self.audit = folder, kind, audit
        self.author = Author(name, blind=blind, audit=audit.name if audit else "")
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
            queue = load(self.kind, _of_schema(view.records(), self.kind))
        self.queue: Queue = queue.sample([each.letter_id for each in self.audit.letters]) if self.audit else queue
        self._stamp = stamp

    def refresh(self) -> None:
        """Take over what other reviewers and the run wrote."""
        self.load()
        self.log.refresh()

    # ---- reading -------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The reviewer's name."""
        return self.author.name

    def acts(self, letter_id: str) -> Sequence[Act]:
        """The acts on a letter that this reviewer sees and that count for the version of the letter."""
        return own_acts(self.log.of(letter_id), self.name) if self.author.blind else self.log.open_acts(letter_id)

    def state(self, entry: Entry) -> State:
        return self._seen(self._whole_state(entry))

    def _seen(self, state: State) -> State:
        return audited(state, self.audit.name) if self.audit else state

    def _whole_state(self, entry: Entry) -> State:
        if self.author.blind:
            return fold(self.acts(entry.letter_id), entry.answer_sha256)
        return settled(self.log.of(entry.letter_id), entry.answer_sha256)

    def _opinions(self, entry: Entry, original: Record, seen: State) -> tuple[OtherAnswer, ...]:
        """The answers of people who differ, for the one who settles it."""
        if not seen.differing:
            return ()
        done = tracks(self.log.of(entry.letter_id), entry.answer_sha256)
        return tuple(OtherAnswer(each.by, final_answer(original.answer, each.state.changes)) for each in done)

    def part(self, entry: Entry) -> str:
        """Which part of the queue an entry is in now."""
        return part_of(entry, self.state(entry))

    def letter_of(self, entry: Entry) -> ReviewedLetter:
        """One letter as reviewed so far."""
        original = self._original(entry)
        letter, note = self.letters.get(original)
        state = self._whole_state(entry)
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
        seen = self._seen(state)
        opinions = self._opinions(entry, original, seen)
        return ReviewedLetter(entry, original, record, seen, letter, note, bool(self.audit), opinions)

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

    def alike(self, query: Query) -> list[Entry]:
        """Of the undecided letters that fit a query, those that have only warnings of its code."""
        if not query.code:
            return []
        fitting = self.queue.matching(query, self.part)
        open_parts = ("todo", "unflagged")
        return [each for each in fitting if each.only_warning == query.code and self.part(each) in open_parts]

    # ---- acting --------------------------------------------------------------------------------------

    def proposed(self, reviewed: ReviewedLetter, path: str, text: str | None) -> Proposed:
        """The effect of a correction. Raises ``UsageError`` in plain words if it cannot be made."""
        if reviewed.letter is None or reviewed.record.answer is None:
            raise UsageError("there is no answer to correct" if reviewed.letter else reviewed.note)
        return corrections.correction(self.kind, reviewed.letter, reviewed.record, path, text)

    def act(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        """Carry out a browser's request and log it.

        Raises ``UsageError``, ``LookupError``, ``ConflictError``, or ``OpenErrors`` where the request must be
        confirmed.
        """
        found = self._built(reviewed, request)
        return self.log.append(found, reviewed.state.version)

    def act_on_all(self, requests: Sequence[tuple[Entry, str]], name: str) -> list[Act]:
        """The same act on several letters, each with the version that was displayed; all of them or none."""
        batch = secrets.token_hex(8)
        found_acts = []
        for entry, version in requests:
            reviewed = self.letter_of(entry)
            built = self._built(reviewed, {"act": name, "version": version})
            found_acts.append((replace(built, batch=batch), reviewed.state.version))
        return self.log.append_all(found_acts)

    def undo_last(self) -> list[Act]:
        """Undo this reviewer's last act, on whichever letter; acts made as one are undone as one.

        Raises ``UsageError`` if there is none, or someone else has acted on its letter since.
        """
        for act in reversed(self.log.in_order):
            entry = self.entry(key_of(act.letter_id))
            if act.by != self.author.name or act.act == "undo" or entry is None or not self._is_own(act):
                continue
            if act in self.state(entry).live:
                break
        else:
            raise UsageError("there is no act of yours to undo")
        joined = [each for each in self.log.in_order if each.batch == act.batch] if act.batch else [act]
        undone = []
        for each in joined:
            entry = self.entry(key_of(each.letter_id))
            state = self.state(entry) if entry else State()
            if entry is None or each not in state.live:
                continue
            if state.last != each:
                raise UsageError(f"{each.letter_id} was changed after your act; open it, and undo there")
            undone.append((acts.undoing(self.author, entry, each), state.version))
        return self.log.append_all(undone)

    def _is_own(self, act: Act) -> bool:
        return act.blind == self.author.blind and act.audit == self.author.audit

    def _built(self, reviewed: ReviewedLetter, request: Mapping[str, Any]) -> Act:
        if request.get("version") != reviewed.version:
            known = str(request.get("version", "")).partition(".")[0]
            since = self.acts(reviewed.entry.letter_id)
            raise ConflictError(since[int(known) :] if known.isascii() and known.isdecimal() and len(known) < 8 else ())
        return acts.build(self.kind, self.author, reviewed, request)


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
