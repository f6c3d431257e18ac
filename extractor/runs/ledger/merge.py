"""Merging one ledger into another."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import LedgerError
from extractor.runs.ledger.beside import refuse_shorter_ledger
from extractor.runs.ledger.rows import COLUMNS, checksum_sql
from extractor.runs.ledger.store import Ledger
from extractor.runs.ledger.view import FILE


@dataclass(frozen=True)
class Absorbed:
    """One merged ledger: its letters, how many were taken over, and those with another record in the target."""

    letters: int
    taken: int
    conflicts: tuple[str, ...]


def absorb(into: Ledger, folder: Path) -> Absorbed:
    """Merge all letters and replies of the run folder ``folder`` into ``into``; no run may be using it.

    Of two records of one letter the newer stays; a crash's record yields to any other. They are in
    conflict if they were made differently: another text, prompt, model, schema or checks. All
    replies are kept, the newer source's as the newer round. Raises ``LedgerError``.
    """
    with Ledger(folder) as source:  # brings it up to date, and keeps others away
        source.check()
        refuse_shorter_ledger(source, folder)
        try:
            into._db.execute("ATTACH ? AS other", (os.fsencode(folder / FILE),))
            try:
                into._db.execute("BEGIN IMMEDIATE")
                done = _absorb(into._db)
                into._db.execute("COMMIT")
            finally:
                if into._db.in_transaction:
                    into._db.execute("ROLLBACK")
                into._db.execute("DETACH other")
        except sqlite3.Error as error:
            raise LedgerError(f"cannot merge {folder}: {error}", hint="free the disk, then merge again") from error
    return done


def _absorb(db: sqlite3.Connection) -> Absorbed:
    _renumber_runs(db)
    conflicts: list[str] = []
    letters = taken = 0
    db.execute("CREATE TEMP TABLE IF NOT EXISTS newer (letter_id TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute("DELETE FROM newer")
    rows = db.execute(
        "SELECT o.letter_id, o.check_key, o.at, m.check_key, m.at FROM other.letters AS o"
        " LEFT JOIN main.letters AS m USING (letter_id) ORDER BY o.letter_id"
    )
    for letter_id, key, at, known_key, known_at in rows:
        letters += 1
        if known_key is not None and known_key != key:
            conflicts.append(letter_id)
        if known_key is None or (key != "", at) > (known_key != "", known_at):
            db.execute("INSERT INTO newer VALUES (?)", (letter_id,))
            taken += 1
    for table in ("letters", "records"):
        db.execute(
            f"INSERT OR REPLACE INTO main.{table} SELECT * FROM other.{table}"  # noqa: S608
            " WHERE letter_id IN (SELECT letter_id FROM newer)"
        )
    db.execute(
        "UPDATE main.letters SET run = (SELECT new FROM renumbered WHERE old = run)"
        " WHERE letter_id IN (SELECT letter_id FROM newer)"
    )
    db.execute(
        f"UPDATE main.letters SET checksum = {checksum_sql('letters')}"  # noqa: S608
        " WHERE letter_id IN (SELECT letter_id FROM newer)"
    )
    _insert(
        db,
        "replies",
        "SELECT ask_key,"
        " number + COALESCE((SELECT MAX(number) FROM main.replies AS m WHERE m.ask_key = o.ask_key), 0) AS number,"
        " reply, (SELECT new FROM renumbered WHERE old = round) AS round FROM other.replies AS o",
    )
    return Absorbed(letters, taken, tuple(conflicts))


def _renumber_runs(db: sqlite3.Connection) -> None:
    """Give the runs of the other ledger, and its rounds, numbers after all of ours."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS renumbered (old INTEGER PRIMARY KEY, new INTEGER)")
    db.execute("DELETE FROM renumbered")
    [highest] = db.execute(
        "SELECT MAX(COALESCE((SELECT MAX(run) FROM main.runs), 0), COALESCE((SELECT MAX(run) FROM main.letters), 0),"
        " COALESCE((SELECT MAX(round) FROM main.replies), 0))"
    ).fetchone()
    numbers = db.execute(
        "SELECT 0 UNION SELECT run FROM other.runs UNION SELECT run FROM other.letters"
        " UNION SELECT round FROM other.replies ORDER BY 1"
    ).fetchall()
    for i, (number,) in enumerate(numbers, highest + 1):
        db.execute("INSERT INTO renumbered VALUES (?, ?)", (number, i))
    _insert(
        db,
        "runs",
        "SELECT n.new AS run, began, ended, plan, again, (SELECT new FROM renumbered WHERE old = since) AS since,"
        " updated, state FROM other.runs AS r JOIN renumbered AS n ON n.old = r.run",
    )


def _insert(db: sqlite3.Connection, table: str, rows: str) -> None:
    """Insert what ``rows`` selects, each row with its own checksum."""
    columns = ", ".join(COLUMNS[table])
    db.execute(
        f"INSERT INTO main.{table} ({columns}, checksum) SELECT {columns}, {checksum_sql(table)} FROM ({rows})"  # noqa: S608
    )
