"""What reviewers did: ``review.jsonl`` in the run folder, one line an act, never rewritten.

Every line names its letter, its time and its author, and holds the values before and after. A
letter's version is its number of acts: an act made on an older version is refused. Lines are chained by
hash, so a line that was edited, moved, removed or written by something else is detected.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractor.engine import ENGINE
from extractor.errors import ExtractorError, LedgerError

try:
    import fcntl
except ImportError:  # Windows: two reviewers who act at the same moment are not kept apart there
    fcntl = None  # type: ignore[assignment]

FILE = "review.jsonl"
DECISIONS = ("accept", "reject", "skip")
CHANGES = ("fill", "correct", "add", "remove")
ACTS = (*DECISIONS, *CHANGES, "evidence", "comment", "undo")
# Why a letter is rejected.
REASONS = {
    "wrong_answer": "the answer is wrong beyond correction",
    "unreadable": "the letter cannot be read",
    "other_letter": "not a letter of this type",
    "incomplete": "pages of the letter are missing",
    "contradiction": "the letter contradicts itself",
    "duplicate": "the letter is in the run twice",
    "other": "another reason",
}
# Bytes of one line: an act repeats the findings of its letter, and at most an answer before and after.
MOST_LINE = 16_000_000
# What the first line gives as the hash of the line before it.
START = hashlib.sha256(b"").hexdigest()
_SEAL = re.compile(rb', "previous": "([0-9a-f]{64})", "sha256": "([0-9a-f]{64})"\}')
_TEXTS = (
    "letter_id", "act", "at", "by", "answer_sha256", "path", "note", "engine", "source", "reason", "batch", "audit",
)  # fmt: skip


@dataclass(frozen=True)
class Act:
    """One act of one person on one letter.

    ``number`` counts the acts of its letter from 1. ``path`` is a JSON pointer into the answer, ``""``
    for the whole letter. A ``fill`` gives a whole answer where the model gave none. ``old`` and ``new``
    are the value before and after; ``spans`` are raw ``[start, end)`` ranges of marked evidence;
    ``findings`` those of the answer after a change; ``undoes`` the number of the act that
    an undo takes back. ``letter_sha256`` and ``answer_sha256`` name what the person saw.

    ``source``: where a corrected value comes from: ``letter`` (taken from the finding), the name of a second
    model, or ``""``, typed in. ``reason``: why a letter is rejected, a key of ``REASONS``. ``open_errors``:
    errors of the answer that were left when the letter was accepted, each with ``code`` and ``path``.
    ``batch`` joins acts that were made as one. ``audit`` names the audit the act belongs to. ``blind``: made
    without sight of what others did; such acts count only once two people agree or a third one decides.
    """

    letter_id: str
    number: int
    act: str
    at: str
    by: str
    letter_sha256: str | None
    answer_sha256: str
    path: str = ""
    old: Any = None
    new: Any = None
    spans: tuple[tuple[int, int], ...] = ()
    note: str = ""
    findings: tuple[Mapping[str, Any], ...] = ()
    undoes: int | None = None
    engine: str = ENGINE
    source: str = ""
    reason: str = ""
    open_errors: tuple[Mapping[str, str], ...] = ()
    batch: str = ""
    audit: str = ""
    blind: bool = False

    def is_beside(self, other: Act) -> bool:
        """Whether the authors of two acts on a letter see each other's: those of a blind review do not."""
        return self.blind == other.blind and (not self.blind or self.by == other.by)

    def line(self, previous: str) -> bytes:
        """The act as a line of the log, after the line with the hash ``previous``; ends with a hash of its own."""
        try:
            text = json.dumps(asdict(self), ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character of a letter
            text = json.dumps(asdict(self)).encode()
        body = text[:-1] + f', "previous": "{previous}"'.encode()
        return body + f', "sha256": "{hashlib.sha256(body).hexdigest()}"}}\n'.encode()


class ConflictError(ExtractorError):
    """Someone else acted on the letter after it was displayed; ``since`` is what they did."""

    code = "conflict"

    def __init__(self, since: Sequence[Act]) -> None:
        super().__init__("the letter was changed after you opened it", hint="look at its present state")
        self.since = tuple(since)


class Log:
    """The log of one run folder, followed as others append to it.

    Raises ``LedgerError``, with the number of the line, if the file cannot be read or written, is a link
    or a device, or holds a line that no review wrote, or not in this place.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.acts: dict[str, list[Act]] = {}
        self.in_order: list[Act] = []
        self._at = 0
        self._lines = 0
        self._last = START
        self._chained = False
        self.refresh()

    def refresh(self) -> None:
        """Read what was appended since."""
        try:
            handle = self._open(os.O_RDONLY)
        except FileNotFoundError:
            if self._at:
                raise self._shortened() from None
            return
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            if fcntl is not None:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(handle, fcntl.LOCK_SH)
            self._read(handle)
        finally:
            os.close(handle)

    def of(self, letter_id: str) -> Sequence[Act]:
        """The acts on one letter, in their order."""
        return self.acts.get(letter_id, ())

    def open_acts(self, letter_id: str) -> Sequence[Act]:
        """The acts on one letter that everybody sees: not those of a blind review."""
        return [act for act in self.of(letter_id) if not act.blind]

    def append(self, act: Act, version: int) -> Act:
        """Add one act to a letter that its author has seen up to ``version``; returns it with number and time.

        On disk when this returns. ``version`` counts the acts that its author could see. Raises
        ``ConflictError`` if the letter has moved on since.
        """
        return self.append_all([(act, version)])[0]

    def append_all(self, acts: Sequence[tuple[Act, int]]) -> list[Act]:
        """Add acts on several letters, all of them or none; otherwise as ``append``."""
        with self._locked() as handle:
            self._read(handle)
            stamped, lines, last = [], [], self._last
            for act, version in acts:
                known = self.of(act.letter_id)
                beside = [each for each in known if each.is_beside(act)]
                if len(beside) != version:
                    raise ConflictError(beside[version:])
                stamped.append(replace(act, number=len(known) + 1, at=now()))
                lines.append(stamped[-1].line(last))
                last = lines[-1][-67:-3].decode()
            self._write(handle, b"".join(lines))
            self._read(handle)
        return stamped

    def _open(self, flags: int) -> int:
        """Open the log itself: never through a link, and only if it is a regular file."""
        more = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(self.path, flags | more, 0o600)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise self._no_file() from error
            raise
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise self._no_file()
        return handle

    def _read(self, handle: int) -> None:
        """Read the lines from ``_at`` on; the caller holds a lock, so that no line is half written."""
        try:
            with os.fdopen(os.dup(handle), "rb") as file:
                if os.fstat(handle).st_size < self._at:
                    raise self._shortened()
                file.seek(self._at)
                while line := file.readline(MOST_LINE):
                    self._take(line)
        except OSError as error:
            raise self._unreadable(error) from error

    def _take(self, line: bytes) -> None:
        number = self._lines + 1
        if not line.endswith(b"\n"):
            raise self._broken(number, "is cut off")
        text = line[:-1]
        seal = _SEAL.search(text, max(0, len(text) - 160))
        sealed = seal is not None and seal.end() == len(text)
        act = _act(text, sealed=sealed)
        if act is None:
            raise self._broken(number, "is not an act of a review")
        if seal is not None and sealed:
            if hashlib.sha256(text[: seal.start(2) - len(', "sha256": "')]).hexdigest() != seal[2].decode():
                raise self._broken(number, "was changed after it was written")
            if seal[1].decode() != self._last:
                raise self._broken(number, f"does not follow line {number - 1}: a line was changed, moved or removed")
        elif self._chained:
            raise self._broken(number, "has no hash, unlike the lines before it: no review wrote it")
        self._last = seal[2].decode() if seal is not None and sealed else hashlib.sha256(text).hexdigest()
        self._chained = sealed
        self._lines, self._at = number, self._at + len(line)
        self.acts.setdefault(act.letter_id, []).append(act)
        self.in_order.append(act)

    def _write(self, handle: int, line: bytes) -> None:
        size = os.fstat(handle).st_size
        try:
            if os.write(handle, line) != len(line):
                raise OSError(None, "the disk took only a part")
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, size)
            raise LedgerError(
                f"cannot write {self.path}: {error.strerror}", hint="free the disk; nothing of this act was kept"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            handle = self._open(os.O_CREAT | os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise LedgerError(
                f"cannot write {self.path}: {error.strerror}", hint="make the run folder writable"
            ) from error
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    # ---- faults of the file -------------------------------------------------------------

    def _broken(self, number: int, what: str) -> LedgerError:
        hint = f"restore {FILE} from a copy, or keep only what comes before that line: head -n {number - 1} {FILE}"
        return LedgerError(f"line {number} of {self.path} {what}", hint=hint)

    def _shortened(self) -> LedgerError:
        return LedgerError(
            f"{self.path} lost lines after line {self._lines} was read",
            hint=f"restore {FILE} from a copy, then start again",
        )

    def _no_file(self) -> LedgerError:
        return LedgerError(f"{self.path} is a link, a pipe or a device, not a file", hint="move it away")

    def _unreadable(self, error: OSError) -> LedgerError:
        return LedgerError(f"cannot read {self.path}: {error.strerror}", hint="make it readable, or name a copy")


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _act(line: bytes, *, sealed: bool) -> Act | None:
    try:
        data = json.loads(line)
        for name in ("previous", "sha256") if sealed else ():
            del data[name]
        data["spans"] = tuple((int(start), int(end)) for start, end in data["spans"])
        data["findings"] = tuple(dict(each) for each in data["findings"])
        data["open_errors"] = tuple(dict(each) for each in data.get("open_errors", ()))
        act = Act(**data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    texts = all(isinstance(getattr(act, name), str) for name in _TEXTS)
    fits = texts and type(act.number) is int and type(act.blind) is bool and act.act in ACTS
    return act if fits else None
