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
from extractor.runs.ledger.beside import RECORDS, is_made_from, refuse_shorter_ledger

_HINT = "free the disk and run again; nothing is lost, the ledger has it"


class Output(AbstractContextManager["Output"]):
    """The open file. Raises ``LedgerError`` when it cannot be written, or the ledger is damaged or has lost records.

    Opening it reads the ledger and the file whole; that takes some 3 seconds of processor time for 50,000 letters.
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.path = folder / RECORDS
        self.ledger = ledger
        self._stale = False

    def __enter__(self) -> Output:
        self.ledger.check()
        if not is_made_from(self.path, self.ledger):
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
        replaced = self._is_replaced()
        os.close(self._file)
        if kind is None and (self._stale or replaced):
            self.rewrite()

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

    def _is_replaced(self) -> bool:
        """Whether the file at ``path`` is no longer the one that was written, or has another length."""
        try:
            now = self.path.lstat()
        except OSError:
            return True
        return now.st_size != self._end or not os.path.samestat(now, os.fstat(self._file))

    def _cannot(self, error: OSError) -> LedgerError:
        return LedgerError(f"cannot write {self.path}: {error.strerror}", hint=_HINT)
