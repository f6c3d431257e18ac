"""The tables of the ledger, and the checksum that each row carries: a changed byte is found when the row is read."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from extractor.errors import LedgerError
from extractor.models.model import Usage

TOKENS = tuple(Usage().as_dict())
COLUMNS: dict[str, tuple[str, ...]] = {
    "letters": (
        "letter_id", "ask_key", "check_key", "status", "run", "at", "error", "attempts", *TOKENS, "cost_e8", "withheld",
    ),
    "records": ("letter_id", "record"),
    "replies": ("ask_key", "number", "reply", "round"),
    "runs": ("run", "began", "ended", "plan", "again", "since", "updated", "state"),
    "facts": ("name", "value"),
}  # fmt: skip
RESTORE = "restore run.db from a copy; or move the folder away and run again"


def checksum(*values: Any) -> bytes:
    """Eight bytes that change with any value of a row, or its type."""
    return hashlib.blake2b(repr(values).encode(), digest_size=8).digest()


def prepare(db: sqlite3.Connection) -> None:
    """Make ``checksum`` callable from SQL on this connection."""
    db.create_function("checksum_of", -1, checksum, deterministic=True)


def checksum_sql(table: str, columns: Sequence[str] = ()) -> str:
    """The checksum of a row of ``table`` as an SQL expression; ``columns`` are those of an older version."""
    return f"checksum_of({', '.join(columns or COLUMNS[table])})"


def insert_sql(table: str) -> str:
    """The statement that puts a row, checksum last, in place of an older one."""
    columns = (*COLUMNS[table], "checksum")
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def sound(path: Path, table: str, rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """The rows of ``table`` without their checksums. Raises ``LedgerError`` at the first that is damaged."""
    for *values, stored in rows:
        if stored != checksum(*values):
            raise damaged(path, table, values[0])
        yield tuple(values)


def damaged(path: Path, table: str, key: object) -> LedgerError:
    """The error of a row whose bytes have changed on the disk."""
    what = {
        "letters": f"the entry of letter {key}",
        "records": f"the record of letter {key}",
        "replies": "a stored reply",
    }
    return LedgerError(
        f"{path} is damaged: {what.get(table, 'a row of ' + table)} has changed on the disk", hint=RESTORE
    )


def lost(path: Path, table: str, letter_id: str) -> LedgerError:
    """The error of a letter that has a row in only one of ``letters`` and ``records``."""
    what = {"letters": "entry", "records": "record"}[table]
    return LedgerError(f"{path} is damaged: the {what} of letter {letter_id} is missing", hint=RESTORE)


def unusable(path: Path, doing: str, error: Exception) -> LedgerError:
    """What SQLite could not do with the ledger; ``doing`` is ``read``, ``write`` or ``use``."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        hint = RESTORE
    elif doing == "write":
        hint = "free the disk and run again; what is in the ledger is kept"
    else:
        hint = "wait if another program holds it; else restore it from a copy, or name another folder"
    return LedgerError(f"cannot {doing} {path}: {error}", hint=hint)
