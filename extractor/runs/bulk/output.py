"""``records.jsonl``: one line a letter, whole at every moment, in the order of the letter ids when a run ends.

The ledger holds the records; this file is made from it. While a run goes on, records of new letters
are added line by line; a record that replaces an older one waits for the end, so that no
letter ever has two lines.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from extractor.errors import LedgerError, UsageError
from extractor.files import whole_file
from extractor.runs.ledger import Ledger
from extractor.runs.ledger.beside import RECORDS, refuse_shorter_ledger

_NOTE = "records"
_HINT = "free the disk and run again; nothing is lost, the ledger has it"


class Output(AbstractContextManager["Output"]):
    """The open file. Raises ``LedgerError`` when it cannot be written."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.path = folder / RECORDS
        self.ledger = ledger
        self._stale = False

    def __enter__(self) -> Output:
        as_left = self.ledger.fact(_NOTE)
        # Forgotten until the end: after a kill nothing claims that the file holds what the ledger holds.
        self.ledger.note(_NOTE, None)
        if as_left is None or as_left != self._stamp():
            self.ledger.check()
            refuse_shorter_ledger(self.ledger, self.path.parent)
            self.rewrite()
        self._last = self.ledger.last_id()
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            self._end = os.fstat(self._file).st_size
        except OSError as error:
            raise self._cannot(error) from error
        return self

    def add(self, letter_id: str, line: str, *, replaces: bool) -> None:
        """Put a record that is in the ledger into the file; one that ``replaces`` another when the run ends."""
        if replaces:
            self._stale = True
            return
        data = line.encode() + b"\n"
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            # Half a line is worse than none: the ledger has it.
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise self._cannot(error) from error
        self._end += len(data)
        self._stale = self._stale or letter_id < self._last
        self._last = max(self._last, letter_id)

    def __exit__(self, kind: object, *exc: object) -> None:
        os.close(self._file)
        if kind is not None:
            return
        if self._stale:
            self.rewrite()
        self.ledger.note(_NOTE, self._stamp())

    def rewrite(self) -> None:
        """Rebuild the file from the ledger, in order, one record at a time."""
        try:
            with whole_file(self.path, _HINT) as file:
                for line in self.ledger.lines():
                    file.write(line.encode())
                    file.write(b"\n")
        except LedgerError:
            raise
        except UsageError as error:
            raise LedgerError(error.message, hint=error.hint) from error
        self._stale = False

    def _stamp(self) -> list[float] | None:
        """Size, times and extents that change with the file, and with the ledger if someone else writes it."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return [found.st_size, found.st_mtime_ns, *self.ledger.extent()]

    def _cannot(self, error: OSError) -> LedgerError:
        return LedgerError(f"cannot write {self.path}: {error.strerror}", hint=_HINT)
