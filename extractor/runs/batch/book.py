"""The database of a run folder's batch files: which letters they cover, and the state of each file.

Stdlib SQLite, beside the request files. It holds no letter text and no API key: letters are named by
id and hash, the endpoint's files and batches by their ids. Answers are kept only in the ledger.
"""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import LedgerError, ModelError, TransportError
from extractor.files import refuse_odd_files

FOLDER = "batch"
FILE = "batch.db"
_VERSION = 1
_TABLES = """
CREATE TABLE writes (number INTEGER PRIMARY KEY, options TEXT NOT NULL, paths TEXT NOT NULL);
CREATE TABLE letters (letter_id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, ask_key TEXT NOT NULL, write INTEGER NOT NULL);
CREATE TABLE requests (ask_key TEXT NOT NULL, number INTEGER NOT NULL, file INTEGER NOT NULL, error TEXT,
  PRIMARY KEY (ask_key, number));
CREATE INDEX requests_of_file ON requests (file);
CREATE TABLE files (number INTEGER PRIMARY KEY, requests INTEGER NOT NULL, bytes INTEGER NOT NULL, upload_id TEXT,
  tried INTEGER NOT NULL DEFAULT 0, batch_id TEXT, status TEXT, total INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, output_id TEXT, error_id TEXT,
  problems TEXT NOT NULL DEFAULT '', fetched INTEGER NOT NULL DEFAULT 0);
"""


class Asked(NamedTuple):
    """One request: the ledger's key of its letter's question, and the number of the reply that is wanted.

    1 is the first question; 2 and later are corrections of the previous reply.
    """

    key: str
    number: int

    @property
    def custom_id(self) -> str:
        """The full key and the number, short enough for any endpoint."""
        return f"{urlsafe_b64encode(bytes.fromhex(self.key)).decode().rstrip('=')}-{self.number}"

    @classmethod
    def of(cls, custom_id: object) -> Asked | None:
        """The request that a custom id names; ``None`` for one that is not ours."""
        if not isinstance(custom_id, str):
            return None
        key, _, number = custom_id.rpartition("-")
        try:
            asked = cls(urlsafe_b64decode(f"{key}=").hex(), int(number))
        except ValueError:
            return None
        return asked if asked.custom_id == custom_id else None


@dataclass(frozen=True)
class BatchOptions:
    """The settings of a ``write`` that later commands need; ``base_url`` without user and password."""

    workspace: str
    letter_type: str
    model: str
    prompt: str
    base_url: str | None
    reasks: int


class LetterRow(NamedTuple):
    """A letter in a request file: its text hash, and the ``write`` that added it."""

    id: str
    sha256: str
    ask_key: str
    write: int


@dataclass(frozen=True)
class Write:
    """One ``write``: its settings, and where it found its letters."""

    number: int
    options: BatchOptions
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class NewFile:
    """A request file that was written, and the requests in it."""

    number: int
    bytes: int
    requests: Sequence[Asked]


@dataclass(frozen=True)
class FileRow:
    """A request file and its state at the endpoint.

    ``tried``: 1 if its batch may have been started; ``fetched``: 1 if its results were downloaded.
    """

    number: int
    requests: int
    bytes: int
    upload_id: str | None
    tried: int
    batch_id: str | None
    status: str | None
    total: int
    completed: int
    failed: int
    output_id: str | None
    error_id: str | None
    problems: str
    fetched: int

    @property
    def name(self) -> str:
        return request_file(self.number)

    @property
    def results(self) -> dict[str, str]:
        """Result file names, and their file ids at the endpoint."""
        named = {"output": self.output_id, "errors": self.error_id}
        return {f"{kind}-{self.number:04}.jsonl": file_id for kind, file_id in named.items() if file_id}


def request_file(number: int) -> str:
    """The name of a request file."""
    return f"requests-{number:04}.jsonl"


class Book(AbstractContextManager["Book"]):
    """The open book of one run folder. Raises ``LedgerError`` if it cannot be used, or is not there and not ``new``."""

    def __init__(self, run_folder: Path, *, new: bool = False) -> None:
        self.folder = run_folder / FOLDER
        path = self.folder / FILE
        refuse_odd_files(run_folder)
        refuse_odd_files(self.folder)
        if not new and not path.exists():
            raise LedgerError(
                f"{run_folder} holds no batch files", hint="write them: extractor batch write PATH --out DIR"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise LedgerError(
                f"cannot use {path}: {why}", hint="name another --out folder, or free this one"
            ) from error
        if version > _VERSION:
            self._db.close()
            raise LedgerError(f"{path} was written by a newer version", hint="update letterproof")

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    def _do(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            hint = "free the disk and give the same command again"
            raise LedgerError(f"cannot write {self.folder / FILE}: {error}", hint=hint) from error

    # ---- writes and letters ---------------------------------------------------------------------

    def next_write(self) -> int:
        """The number of the next ``write``."""
        number: int = self._do("SELECT COALESCE(MAX(number), 0) + 1 FROM writes").fetchone()[0]
        return number

    def keep(self, write: Write, letters: Iterable[LetterRow], file: NewFile | None = None) -> None:
        """Store some letters of a ``write`` and its finished request file, in one transaction.

        A request from an older file moves to this one.
        """
        self._do("BEGIN IMMEDIATE")
        try:
            paths = json.dumps([str(path) for path in write.paths])
            row = (write.number, json.dumps(asdict(write.options)), paths)
            self._do("INSERT OR IGNORE INTO writes VALUES (?, ?, ?)", row)
            for letter in letters:
                self._do("INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?)", letter)
            if file:
                values = (file.number, len(file.requests), file.bytes)
                self._do("INSERT INTO files (number, requests, bytes) VALUES (?, ?, ?)", values)
                for asked in file.requests:
                    self._do("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, NULL)", (*asked, file.number))
            self._do("COMMIT")
        except BaseException:
            self._db.rollback()
            raise

    def options(self) -> BatchOptions:
        """The settings of the last ``write``."""
        row = self._do("SELECT options FROM writes ORDER BY number DESC LIMIT 1").fetchone()
        if row is None:
            raise LedgerError(f"{self.folder} holds no batch files", hint="extractor batch write did not end: again")
        return BatchOptions(**json.loads(row[0]))

    def paths(self, write: int) -> list[Path]:
        row = self._do("SELECT paths FROM writes WHERE number = ?", (write,)).fetchone()
        return [Path(path) for path in json.loads(row[0])]

    def last_paths(self) -> list[Path]:
        """Where the last ``write`` found its letters."""
        return self.paths(self.next_write() - 1)

    def letters(self) -> Iterator[LetterRow]:
        """All letters, those of one ``write`` together."""
        for row in self._do("SELECT * FROM letters ORDER BY write, letter_id"):
            yield LetterRow(*row)

    # ---- requests and their files ---------------------------------------------------------------

    def next_file(self) -> int:
        """The number of the next request file."""
        number: int = self._do("SELECT COALESCE(MAX(number), 0) + 1 FROM files").fetchone()[0]
        return number

    def knows(self, asked: Asked) -> bool:
        """Whether a request was ever written."""
        return self._do("SELECT 1 FROM requests WHERE ask_key = ? AND number = ?", asked).fetchone() is not None

    def requests(self, file: int) -> Iterator[Asked]:
        """The requests of a file that are not in a newer one."""
        for row in self._do("SELECT ask_key, number FROM requests WHERE file = ?", (file,)):
            yield Asked(*row)

    def error(self, asked: Asked) -> ModelError | None:
        """The error that a result file reported for a request, if any."""
        row = self._do("SELECT error FROM requests WHERE ask_key = ? AND number = ?", asked).fetchone()
        if row is None or row[0] is None:
            return None
        fields = json.loads(row[0])
        kind = TransportError if fields.pop("again") else ModelError
        return kind(fields["message"], hint=fields["hint"], code=fields["code"])

    def set_error(self, asked: Asked, error: ModelError) -> None:
        again = isinstance(error, TransportError)
        fields = {"again": again, "code": error.code, "message": error.message, "hint": error.hint}
        self._do("UPDATE requests SET error = ? WHERE ask_key = ? AND number = ?", (json.dumps(fields), *asked))

    def files(self) -> list[FileRow]:
        """All request files, in the order of their numbers."""
        rows = self._do("SELECT * FROM files ORDER BY number").fetchall()
        return [FileRow(*row) for row in rows]

    def set_file(self, number: int, **values: str | int | None) -> None:
        """Update columns of a request file."""
        columns = ", ".join(f"{column} = ?" for column in values)
        self._do(f"UPDATE files SET {columns} WHERE number = ?", (*values.values(), number))  # noqa: S608
