"""The ledger of a run folder: what was asked, what came back, and each letter's record.

Stdlib SQLite, one row a letter. A letter is skipped when the hash of everything that made its
record is unchanged; when only the checks changed, it is checked anew from the stored replies.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from extractor.errors import LedgerError
from extractor.models import Reply, Usage
from extractor.offline import NAME as OFFLINE
from extractor.records import ENGINE, Plan

try:
    import fcntl
except ImportError:  # Windows: two runs on one folder are not told there
    fcntl = None  # type: ignore[assignment]

FILE = "run.db"
LOCK = "run.lock"


def _m001_letters_and_replies(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE letters (letter_id TEXT PRIMARY KEY, ask_key TEXT NOT NULL, check_key TEXT NOT NULL,"
        " status TEXT NOT NULL, record TEXT NOT NULL)"
    )
    db.execute(
        "CREATE TABLE replies (ask_key TEXT NOT NULL, number INTEGER NOT NULL, reply TEXT NOT NULL,"
        " PRIMARY KEY (ask_key, number))"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_m001_letters_and_replies,)


class Keys(NamedTuple):
    """``ask``: all that decides what the model would say. ``check``: that, and what decides the verdict on it."""

    ask: str
    check: str


def keys_of(letter_sha256: str, plan: Plan) -> Keys:
    """The keys of one letter under one plan, as hex digests."""
    ask = _digest(
        letter_sha256,
        plan.prompt.sha256 if plan.prompt else "",
        plan.letter_type.schema_sha256,
        plan.model.name,
        json.dumps(plan.model.params, sort_keys=True, default=str),
    )
    return Keys(ask, _digest(ask, ENGINE, str(plan.letter_type.checks_version), str(plan.reasks)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


class Ledger(AbstractContextManager["Ledger"]):
    """The open ledger of one run folder; private to the user. Raises ``LedgerError`` if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(folder / LOCK)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            hint = "name another --out folder, or free this one"
            why = error.strerror if isinstance(error, OSError) else error
            raise LedgerError(f"cannot use {folder}: {why}", hint=hint) from error

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a run has been here."""
        return (folder / FILE).exists()

    def _migrate(self) -> None:
        done = self._db.execute("PRAGMA user_version").fetchone()[0]
        if done > len(MIGRATIONS):
            raise LedgerError(f"{self.path} was written by a newer version", hint="update letterproof")
        for number, migrate in enumerate(MIGRATIONS[done:], done + 1):
            self._db.execute("BEGIN IMMEDIATE")
            migrate(self._db)
            self._db.execute(f"PRAGMA user_version = {number}")
            self._db.execute("COMMIT")

    def is_done(self, letter_id: str, keys: Keys) -> bool:
        """Whether this letter's record is finished and nothing that made it has changed."""
        row = self._db.execute("SELECT check_key FROM letters WHERE letter_id = ?", (letter_id,)).fetchone()
        return row is not None and row[0] == keys.check

    def replies(self, keys: Keys) -> list[Reply]:
        """Stored raw replies to exactly this question, in order."""
        rows = self._db.execute("SELECT reply FROM replies WHERE ask_key = ? ORDER BY number", (keys.ask,))
        return [_reply_from(json.loads(row[0])) for row in rows]

    def store_reply(self, keys: Keys, reply: Reply) -> None:
        """Keep one raw reply, before it is parsed. The baseline's replies cost nothing and are not kept."""
        self._write(
            "INSERT INTO replies SELECT ?, COALESCE(MAX(number), 0) + 1, ? FROM replies WHERE ask_key = ?",
            (keys.ask, json.dumps(asdict(reply)), keys.ask),
        )

    def store_record(self, record: dict[str, Any], keys: Keys) -> None:
        """Keep one finished record, in place of an older one of the same letter."""
        self._write(
            "INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?, ?)",
            (record["letter_id"], keys.ask, keys.check, record["status"], json.dumps(record, ensure_ascii=False)),
        )

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.Error as error:
            hint = "free the disk and run again; what is in the ledger is kept"
            raise LedgerError(f"cannot write {self.path}: {error}", hint=hint) from error

    def records(self) -> Iterator[str]:
        """Every record as JSON text, by letter id."""
        for row in self._db.execute("SELECT record FROM letters ORDER BY letter_id"):
            yield row[0]

    def __exit__(self, *exc: object) -> None:
        self._db.close()
        os.close(self._lock)


def _locked(path: Path) -> int:
    """An open file that only one run holds; the system frees it when the run ends, however it ends."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise LedgerError(
                f"another run is using {path.parent}", hint="wait for it, or name another --out folder"
            ) from None
    return handle


def keeps_replies(plan: Plan) -> bool:
    """Whether a plan's replies are worth keeping."""
    return plan.model.name != OFFLINE


def _reply_from(data: dict[str, Any]) -> Reply:
    return Reply(**{**data, "usage": Usage(**data["usage"])})
