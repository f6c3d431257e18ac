"""Reading a ledger, also while a run is writing it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from extractor.errors import LedgerError, RecordError
from extractor.files import refuse_odd_files
from extractor.models.model import Reply, Usage
from extractor.runs.ledger.keys import Keys
from extractor.runs.ledger.migrations import MIGRATIONS, dollars
from extractor.runs.ledger.rows import COLUMNS, RESTORE, TOKENS, checksum_sql, damaged, lost, prepare, sound, unusable
from extractor.runs.record import Record

FILE = "run.db"
# The fact that holds the letters without a file.
MISSING = "missing"
# Which finished letters a run does again: none, the failed, all.
AGAIN = ("nothing", "failed", "all")
# How long to wait for another program that holds the database, in seconds.
BUSY = 30.0


class LedgerEntry(NamedTuple):
    """One letter in the ledger: the ``check`` key of its record, its status, and the run that made it."""

    check_key: str
    status: str
    run: int


def is_again(before: LedgerEntry | None, again: str, since: int) -> bool:
    """Whether to ask about a letter again even if there is an answer; ``again`` is one of ``AGAIN``.

    Letters done in the run ``since`` or later are not done again.
    """
    if again == "nothing" or (again == "failed" and (before is None or before.status != "failed")):
        return False
    return before is None or before.run < since


@dataclass(frozen=True)
class Totals:
    """Sums over letters. Letters of equal text under one plan are asked about once, and counted once.

    ``asked`` questions, ``unpriced`` of them without a known cost; ``usd`` is the sum of the others.
    """

    usage: Usage = field(default_factory=Usage)
    asked: int = 0
    unpriced: int = 0
    usd: Decimal = Decimal(0)


class WithheldCount(NamedTuple):
    """How many values are withheld, and in how many letters."""

    values: int = 0
    letters: int = 0


@dataclass(frozen=True)
class Latest:
    """The newest run of a folder: its number, unix times, and its last report of itself."""

    run: int
    began: float
    ended: float | None
    updated: float
    again: str
    since: int
    plan: str
    state: dict[str, Any]


class LedgerView(AbstractContextManager["LedgerView"]):
    """A ledger open for reading. Raises ``LedgerError`` if there is none, or it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._checked = False
        refuse_odd_files(folder)
        if not self.path.exists():
            raise LedgerError(f"no run in {folder}", hint="name the --out folder of a run")
        try:
            self._db, version = self._open("mode=ro")
        except sqlite3.Error as error:
            log = self.path.with_name(f"{FILE}-wal")
            if log.exists() and log.stat().st_size:
                raise unusable(self.path, "read", error) from error
            try:
                # The folder is read-only: nobody else writes there either, and the file is complete.
                self._db, version = self._open("immutable=1")
            except sqlite3.Error:
                raise unusable(self.path, "read", error) from error
        if version != len(MIGRATIONS):
            self._db.close()
            raise self._other_version(version)

    def _other_version(self, version: int) -> LedgerError:
        if version == 0:
            return LedgerError(f"{self.path} is empty", hint=RESTORE)
        if version > len(MIGRATIONS):
            return LedgerError(f"{self.path} was written by a newer version", hint="update letterproof")
        hint = "give the command of the run again: it brings the folder up to date"
        return LedgerError(f"{self.path} was written by an older version", hint=hint)

    def _open(self, how: str) -> tuple[sqlite3.Connection, int]:
        db = sqlite3.connect(f"file:{quote(os.fsencode(self.path.resolve()))}?{how}", uri=True, timeout=BUSY)
        try:
            prepare(db)
            return db, db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error:
            db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; objects already read remain valid."""
        self._db.close()

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            for row in self._db.execute(statement, values):  # noqa: UP028  a cursor is not closed after its database
                yield row
        except sqlite3.Error as error:
            raise unusable(self.path, "read", error) from error

    def _row(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        return next(self._rows(statement, values), None)

    def _sound(self, table: str, which: str = "", values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Whole rows of a table, each checked against its checksum."""
        statement = f"SELECT {', '.join(COLUMNS[table])}, checksum FROM {table} {which}"  # noqa: S608
        yield from sound(self.path, table, self._rows(statement, values))

    def _check_letters(self) -> None:
        """Raise ``LedgerError`` if an entry is damaged or lost: sums and counts do not verify each one."""
        if not self._checked:
            self._refuse_damaged("letters")
            if self._row("SELECT (SELECT COUNT(*) FROM letters) = (SELECT COUNT(*) FROM records)") == (0,):
                self._refuse_unpaired()
            self._checked = True

    def _refuse_unpaired(self) -> None:
        """Raise ``LedgerError`` at the first letter that has an entry but no record, or a record but no entry."""
        for one, other in (("letters", "records"), ("records", "letters")):
            row = self._row(
                f"SELECT letter_id FROM {one} WHERE letter_id NOT IN (SELECT letter_id FROM {other}) LIMIT 1"  # noqa: S608
            )
            if row:
                raise lost(self.path, other, row[0])

    def _refuse_damaged(self, table: str) -> None:
        statement = f"SELECT {COLUMNS[table][0]} FROM {table} WHERE checksum IS NOT {checksum_sql(table)} LIMIT 1"  # noqa: S608
        row = self._row(statement)
        if row:
            raise damaged(self.path, table, row[0])

    def check(self) -> None:
        """Read all of it, but for stored replies, and raise ``LedgerError`` if anything is damaged or lacking."""
        problem = self._row("PRAGMA quick_check(1)")
        if problem != ("ok",):
            raise unusable(self.path, "use", sqlite3.DatabaseError("its tables do not fit together"))
        for table in ("letters", "records"):
            self._refuse_damaged(table)
        self._refuse_unpaired()

    def knows(self, letter_id: str) -> bool:
        """Whether a letter has a record."""
        return self._row("SELECT 1 FROM records WHERE letter_id = ?", (letter_id,)) is not None

    def entry(self, letter_id: str) -> LedgerEntry | None:
        """A letter's entry; ``None`` if it has no record."""
        for _, _, check_key, status, run, *_ in self._sound("letters", "WHERE letter_id = ?", (letter_id,)):
            return LedgerEntry(check_key, status, run)
        return None

    def holds(self, file_id: str, status: str) -> bool:
        """Whether the letter of a file, or one of the letters in it (``file#2``, ``file/part``), has this status."""
        row = self._row(
            "SELECT EXISTS (SELECT 1 FROM letters WHERE status = ? AND (letter_id = ?"
            " OR (letter_id > ? || '#' AND letter_id < ? || '$')"
            " OR (letter_id > ? || '/' AND letter_id < ? || '0')))",
            (status, *[file_id] * 5),
        )
        return row == (1,)

    def took(self, letter_id: str, keys: Keys) -> Totals | None:
        """Tokens and cost of the answers to exactly this question; ``None`` if the letter's record has none."""
        totals = self._totals("WHERE letter_id = ? AND ask_key = ? AND attempts > 0", (letter_id, keys.ask))
        return totals if totals.asked else None

    def since(self, plan: str, again: str) -> int:
        """The number of the run from which letters done ``again`` count as done: usually the next run's.

        An interrupted run that does letters again is continued: what it did is not done twice.
        """
        last = self.latest()
        if last is None:
            return 1
        cut_short = last.ended is None or last.state.get("left")
        return last.since if cut_short and (last.again, last.plan) == (again, plan) else last.run + 1

    def replies(self, keys: Keys, since: int = 0) -> list[Reply]:
        """Stored raw replies to exactly this question, in order: those of its newest round, if that is not too old."""
        rows = self._sound(
            "replies",
            "WHERE ask_key = ? AND round >= ?"
            " AND round = (SELECT MAX(round) FROM replies WHERE ask_key = ?) ORDER BY number",
            (keys.ask, since, keys.ask),
        )
        return [_reply_from(self._json("replies", reply)) for _, _, reply, _ in rows]

    def failed_records(self, most: int) -> list[Record]:
        """The first records without an answer, by letter id."""
        failed = "WHERE letter_id IN (SELECT letter_id FROM letters WHERE status = 'failed')"
        return [
            self._record(line) for _, line in self._sound("records", f"{failed} ORDER BY letter_id LIMIT ?", (most,))
        ]

    def records(self) -> Iterator[Record]:
        """Every record, by letter id. Raises ``LedgerError`` if a letter's entry or record is damaged or lost."""
        self._check_letters()
        return map(self._record, self.lines())

    def letter_types(self) -> list[str]:
        """The names of the letter types that records are of, in order."""
        rows = self._rows("SELECT DISTINCT json_extract(record, '$.letter_type') FROM records ORDER BY 1")
        return [name for (name,) in rows]

    def lines(self) -> Iterator[str]:
        """Every record as its line of JSON, by letter id."""
        for _, line in self._sound("records", "ORDER BY letter_id"):
            yield line

    def extent(self) -> tuple[int, float]:
        """How many records there are, and when the newest was made, in unix time."""
        [(count, newest)] = self._rows("SELECT COUNT(*), MAX(at) FROM letters")
        return count, newest or 0.0

    def last_id(self) -> str:
        """The last letter id in the order of ``records``; empty if there is none."""
        [(last,)] = self._rows("SELECT MAX(letter_id) FROM letters")
        return str(last or "")

    def record(self, letter_id: str) -> Record | None:
        """One letter's record; ``None`` if it has none."""
        found = self._sound("records", "WHERE letter_id = ?", (letter_id,))
        return next((self._record(line) for _, line in found), None)

    def counts(self) -> Counter[str]:
        """How many letters of each status."""
        self._check_letters()
        return Counter(dict(self._rows("SELECT status, COUNT(*) FROM letters GROUP BY status")))

    def withheld(self) -> WithheldCount:
        """What the records of all letters withhold."""
        self._check_letters()
        return self._withheld()

    def totals(self) -> Totals:
        """Tokens and cost of all records."""
        self._check_letters()
        return self._totals()

    def errors(self) -> Counter[str]:
        """Why letters failed: how many of each code."""
        self._check_letters()
        return Counter(dict(self._rows("SELECT error, COUNT(*) FROM letters WHERE error IS NOT NULL GROUP BY error")))

    def latest(self) -> Latest | None:
        """The newest run; ``None`` in a folder that was only merged, or comes from an older version."""
        for run, began, ended, plan, again, since, updated, state in self._sound("runs", "ORDER BY run DESC LIMIT 1"):
            return Latest(run, began, ended, updated, again, since, plan, self._json("runs", state))
        return None

    def paths(self) -> list[list[Path]]:
        """The paths of each run's letters, the newest run first; runs that did not store them are left out."""
        states = (self._json("runs", row[-1]) for row in self._sound("runs", "ORDER BY run DESC"))
        return [[Path(path) for path in state["paths"]] for state in states if state.get("paths")]

    def missing(self) -> list[str]:
        """The letters with a record whose file was gone or renamed when all letters were last looked at, by id."""
        found = next(iter(self._sound("facts", "WHERE name = ?", (MISSING,))), None)
        return list(self._json("facts", found[1])) if found else []

    def _withheld(self, which: str = "") -> WithheldCount:
        [row] = self._rows(f"SELECT COALESCE(SUM(withheld), 0), COALESCE(SUM(withheld > 0), 0) FROM letters {which}")  # noqa: S608
        return WithheldCount(*row)

    def _totals(self, which: str = "", values: tuple[Any, ...] = ()) -> Totals:
        sums = ", ".join(f"SUM({name})" for name in TOKENS)
        # Unreadable letters were never asked about: no attempt, and a cost of 0. After a crash nobody knows.
        [row] = self._rows(
            f"SELECT COUNT(*), SUM(cost_e8 IS NULL), SUM(cost_e8), {sums} FROM"  # noqa: S608
            f" (SELECT MIN(letter_id), * FROM letters {which} GROUP BY ask_key)"
            " WHERE attempts > 0 OR cost_e8 IS NULL",
            values,
        )
        return Totals(Usage(*row[3:]), row[0], row[1] or 0, dollars(row[2]))

    def _record(self, line: str) -> Record:
        try:
            return Record.from_json(line)
        except RecordError:
            raise damaged(self.path, "records", "") from None

    def _json(self, table: str, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError, RecursionError):
            raise damaged(self.path, table, "") from None


def _reply_from(data: dict[str, Any]) -> Reply:
    return Reply(**{**data, "usage": Usage(**data["usage"])})
