"""The shape of the ledger's file, step by step; ``user_version`` counts the steps that were taken."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from extractor.runs.ledger.rows import COLUMNS, TOKENS, checksum_sql
from extractor.runs.record import Record

_SMALLEST = 100_000_000


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
    places = ", ".join("?" * len(COLUMNS["letters"]))
    insert = f"INSERT INTO letters ({', '.join(COLUMNS['letters'])}) VALUES ({places})"  # noqa: S608
    for letter_id, ask, check, record in db.execute("SELECT letter_id, ask_key, check_key, record FROM old_letters"):
        db.execute(insert, letter_row(Record.from_json(record), ask, check, run=0, at=0.0))
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
        db.execute(f"UPDATE {table} SET checksum = {checksum_sql(table)}")  # noqa: S608


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _m001_letters_and_replies,
    _m002_runs_and_rounds,
    _m003_checksums,
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
    )


def dollars(cost_e8: int | None) -> Decimal:
    return Decimal(cost_e8 or 0) / _SMALLEST
