"""What reviewers did: ``review.jsonl`` in the run folder, one line an act, never rewritten.

Every line names its letter, its time and who did it, and says what was there before and after. How
many acts a letter has is its version: who wants to add one must know them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from extractor.errors import ExtractorError, LedgerError
from extractor.runs.plan import ENGINE

try:
    import fcntl
except ImportError:  # Windows: two reviewers at one moment are not told apart there
    fcntl = None  # type: ignore[assignment]

FILE = "review.jsonl"
DECISIONS = ("accept", "reject", "skip")
CHANGES = ("fill", "correct", "add", "remove")
ACTS = (*DECISIONS, *CHANGES, "evidence", "comment", "undo")


@dataclass(frozen=True)
class Act:
    """One act of one person on one letter.

    ``number`` counts the acts of its letter from 1. ``path`` is a JSON pointer into the answer, ``""``
    for the whole letter. A ``fill`` gives a whole answer where the model gave none. ``old`` and ``new``
    are the value before and after; ``spans`` are raw ``[start, end)`` ranges of marked evidence;
    ``findings`` what the checks said of the answer after a change; ``undoes`` the number of the act that
    an undo takes back. ``letter_sha256`` and ``answer_sha256`` name what the person saw.
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

    def line(self) -> bytes:
        """The act as it stands in the log."""
        try:
            return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError:  # half a character of a letter
            return json.dumps(asdict(self)).encode() + b"\n"


class ConflictError(ExtractorError):
    """Someone else acted on the letter since it was shown; ``since`` is what they did."""

    code = "conflict"

    def __init__(self, since: Sequence[Act]) -> None:
        super().__init__("the letter was changed since it was shown", hint="look at it as it is now")
        self.since = tuple(since)


class Log:
    """The log of one run folder, followed as others append to it.

    ``unread`` counts lines that are not acts, e.g. one that a crash cut off. Raises ``LedgerError``
    if the file cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.acts: dict[str, list[Act]] = {}
        self.unread = 0
        self._at = 0
        self.refresh()

    def refresh(self) -> None:
        """Take in what was appended since."""
        try:
            if not self.path.exists():
                return
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._at:  # not ours to ask why
                    self._at, self.unread = 0, 0
                    self.acts.clear()
                file.seek(self._at)
                self._take(file.read())
        except OSError as error:
            raise LedgerError(f"cannot read {self.path}: {error.strerror}", hint="free it, or name a copy") from error

    def _take(self, data: bytes) -> None:
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.split(b"\n"):
            if not line.strip():
                continue
            act = _act(line)
            if act is None:
                self.unread += 1
            else:
                self.acts.setdefault(act.letter_id, []).append(act)

    def of(self, letter_id: str) -> Sequence[Act]:
        """The acts on one letter, in their order."""
        return self.acts.get(letter_id, ())

    def append(self, act: Act, version: int) -> Act:
        """Add one act to a letter that its author has seen up to ``version``; returns it with number and time.

        On disk when this returns. Raises ``ConflictError`` if the letter has moved on since.
        """
        with self._locked() as handle:
            self.refresh()
            known = self.of(act.letter_id)
            if len(known) != version:
                raise ConflictError(known[version:])
            stamped = replace(act, number=version + 1, at=now())
            self._write(handle, stamped.line())
            self.refresh()
        return stamped

    def _write(self, handle: int, line: bytes) -> None:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n" if hasattr(os, "pread") else False
        data = (b"\n" if torn else b"") + line
        try:
            if os.write(handle, data) != len(data):
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
            handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
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


def now() -> str:
    """The time as the log tells it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _act(line: bytes) -> Act | None:
    try:
        data = json.loads(line)
        data["spans"] = tuple((int(start), int(end)) for start, end in data["spans"])
        data["findings"] = tuple(data["findings"])
        act = Act(**data)
    except (ValueError, TypeError, KeyError):
        return None
    return act if act.act in ACTS else None
