"""The shape of the ledger's file, step by step; ``user_version`` counts the steps that were taken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from extractor.runs.ledger.rows import COLUMNS, TOKENS, checksum_sql
from extractor.runs.record import Record

_SMALLEST = 100_000_000
# The columns of ``letters`` before the fourth step.
_BEFORE_WITHHELD = COLUMNS["letters"][: COLUMNS["letters"].index("withheld")]


def _m001_letters_and_replies(db: sqlite3.Connection) -> None:
    db.execute(
        "CREATE TABLE letters (letter_id TEXT PRIMARY KEY, ask_key TEXT NOT NULL, check_key TEXT NOT NULL,"
        " status TEXT NOT NULL, record TEXT NOT NULL)"
    )
    db.execute(
        "CREATE TABLE replies (ask_key TEXT NOT NULL, number INTEGER NOT NULL, reply TEXT NOT NULL,"
        " PRIMARY KEY (ask_key, number))"
    )


def _m002_runs_and_rounds(db: sqlite3.Connection) -> None:
    """Records apart from the rest, so that counting reads no record; runs; replies in rounds.

    A round is the number of the run that asked again although there was an answer; 0 before any.
    """
    db.execute("ALTER TABLE letters RENAME TO old_letters")
    db.execute(
        "CREATE TABLE letters (letter_id TEXT PRIMARY KEY, ask_key TEXT NOT NULL, check_key TEXT NOT NULL,"
        " status TEXT NOT NULL, run INTEGER NOT NULL, at REAL NOT NULL, error TEXT, attempts INTEGER NOT NULL,"
        f" {', '.join(f'{name} INTEGER' for name in TOKENS)}, cost_e8 INTEGER) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE records (letter_id TEXT PRIMARY KEY, record TEXT NOT NULL)")
    places = ", ".join("?" * len(_BEFORE_WITHHELD))
    insert = f"INSERT INTO letters ({', '.join(_BEFORE_WITHHELD)}) VALUES ({places})"  # noqa: S608
    for letter_id, ask, check, record in db.execute("SELECT letter_id, ask_key, check_key, record FROM old_letters"):
        row = letter_row(Record.from_json(record), ask, check, run=0, at=0.0)
        db.execute(insert, row[: len(_BEFORE_WITHHELD)])
        db.execute("INSERT INTO records VALUES (?, ?)", (letter_id, record))
    db.execute("DROP TABLE old_letters")
    db.execute("ALTER TABLE replies ADD COLUMN round INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "CREATE TABLE runs (run INTEGER PRIMARY KEY, began REAL NOT NULL, ended REAL, plan TEXT NOT NULL,"
        " again TEXT NOT NULL, since INTEGER NOT NULL, told REAL NOT NULL, state TEXT NOT NULL)"
    )
    db.execute("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


def _m003_checksums(db: sqlite3.Connection) -> None:
    """Each row carries a checksum of its values."""
    db.execute("ALTER TABLE runs RENAME COLUMN told TO updated")
    for table in COLUMNS:
        db.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
        columns = _BEFORE_WITHHELD if table == "letters" else ()
        db.execute(f"UPDATE {table} SET checksum = {checksum_sql(table, columns)}")  # noqa: S608


def _m004_withheld(db: sqlite3.Connection) -> None:
    """Each letter carries the number of its withheld values. A damaged entry stays recognizable as one."""
    db.execute("ALTER TABLE letters ADD COLUMN withheld INTEGER NOT NULL DEFAULT 0")
    db.create_function("withheld_in", 1, _withheld_in)
    whole = f"checksum IS {checksum_sql('letters', _BEFORE_WITHHELD)}"
    db.execute(
        "UPDATE letters SET withheld = COALESCE((SELECT withheld_in(record) FROM records AS r"  # noqa: S608
        f" WHERE r.letter_id = letters.letter_id), 0) WHERE {whole}"
    )
    db.execute(f"UPDATE letters SET checksum = {checksum_sql('letters')} WHERE {whole}")  # noqa: S608


def _withheld_in(record: str) -> int:
    """How many values a stored record withholds. What cannot be read is found when the record is."""
    try:
        return len(json.loads(record).get("withheld") or {})
    except (ValueError, AttributeError):
        return 0


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _m001_letters_and_replies,
    _m002_runs_and_rounds,
    _m003_checksums,
    _m004_withheld,
)


def letter_row(record: Record, ask: str, check: str, *, run: int, at: float) -> tuple[Any, ...]:
    """The row of one record in the table ``letters``. Costs are whole hundred-millionths of a dollar."""
    cost = record.cost_usd
    return (
        record.letter_id,
        ask,
        check,
        record.status,
        run,
        at,
        record.error.code if record.error else None,
        len(record.attempts),
        *vars(record.usage).values(),
        None if cost is None else int(Decimal(str(cost)) * _SMALLEST),
        len(record.withheld),
    )


def dollars(cost_e8: int | None) -> Decimal:
    return Decimal(cost_e8 or 0) / _SMALLEST
