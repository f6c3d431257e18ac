"""Writing a ledger: one run at a time, each letter kept the moment it is done."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from extractor.errors import LedgerError
from extractor.files import refuse_odd_files
from extractor.models.model import Reply
from extractor.runs.ledger.keys import Keys
from extractor.runs.ledger.lock import locked
from extractor.runs.ledger.migrations import MIGRATIONS, letter_row
from extractor.runs.ledger.rows import checksum, insert_sql, prepare, unusable
from extractor.runs.ledger.view import BUSY, FILE, MISSING, LedgerView, Totals, WithheldCount
from extractor.runs.record import Record

_IS_HANDLED = "letter_id IN (SELECT letter_id FROM handled)"
_HANDLED = f"WHERE {_IS_HANDLED}"
# Pages of the log that are moved into the file at once; each move waits for the disk.
_CHECKPOINT = 4_000


class Ledger(LedgerView):
    """The open ledger of one run folder; private to the user. Raises ``LedgerError`` if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.run = 0
        self._checked = True
        refuse_odd_files(folder)
        with ExitStack() as undone:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock = locked(folder)
                undone.callback(os.close, self._lock)
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
                self._db = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None)
                undone.callback(self._db.close)
                self._prepare()
            except (OSError, sqlite3.Error, ValueError, TypeError, KeyError) as error:
                if isinstance(error, OSError):
                    hint = "name another --out folder, or free this one"
                    raise LedgerError(f"cannot use {folder}: {error.strerror}", hint=hint) from error
                raise unusable(self.path, "use", error) from error
            undone.pop_all()

    def _prepare(self) -> None:
        prepare(self._db)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT}")
        self._migrate()
        self._db.execute("CREATE TEMP TABLE handled (letter_id TEXT PRIMARY KEY) WITHOUT ROWID")
        # Written in the letters' order and read once: kept on disk.
        self._db.execute("PRAGMA temp.cache_size = -128")

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether the folder has a ledger. Raises ``LedgerError`` if a file in it is a link, a pipe or a device."""
        refuse_odd_files(folder)
        return (folder / FILE).exists()

    def __exit__(self, *exc: object) -> None:
        self._db.close()
        os.close(self._lock)

    def _migrate(self) -> None:
        done = self._db.execute("PRAGMA user_version").fetchone()[0]
        if done > len(MIGRATIONS):
            raise LedgerError(f"{self.path} was written by a newer version", hint="update letterproof")
        for number, migrate in enumerate(MIGRATIONS[done:], done + 1):
            self._db.execute("BEGIN IMMEDIATE")
            migrate(self._db)
            self._db.execute(f"PRAGMA user_version = {number}")
            self._db.execute("COMMIT")

    def _write(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.Error as error:
            self._give_up_waiting()
            raise unusable(self.path, "write", error) from error

    def _put(self, table: str, *values: Any) -> None:
        """Put one row, in place of an older one with its key."""
        self._write(insert_sql(table), (*values, checksum(*values)))

    def _give_up_waiting(self) -> None:
        # The database has been locked for long enough: the letters in flight must not each wait as long.
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA busy_timeout = 100")

    # ---- runs ------------------------------------------------------------------------------------

    def begin(self, plan: str, again: str, state: Mapping[str, Any]) -> int:
        """Record the start of a run; returns ``since``."""
        since, last = self.since(plan, again), self.latest()
        self.run = (last.run if last else 0) + 1
        now = time.time()
        self._put("runs", self.run, now, None, plan, again, since, now, json.dumps(state))
        return since

    def save_state(self, state: Mapping[str, Any], *, ended: bool = False) -> None:
        """Store the run's progress, for `extractor status`."""
        now = time.time()
        for run, began, _, plan, again, since, *_ in list(self._sound("runs", "WHERE run = ?", (self.run,))):
            self._put("runs", run, began, now if ended else None, plan, again, since, now, json.dumps(state))

    # ---- letters ---------------------------------------------------------------------------------

    def is_done(self, letter_id: str, keys: Keys) -> bool:
        """Whether this letter's record is finished and nothing that made it has changed."""
        entry = self.entry(letter_id)
        return entry is not None and entry.check_key == keys.check

    def store_reply(self, keys: Keys, reply: Reply, since: int = 0) -> None:
        """Keep one raw reply, before it is parsed; in the round ``since``, if the newest one is older."""
        [(number, newest)] = self._rows(
            "SELECT COALESCE(MAX(number), 0) + 1, COALESCE(MAX(round), 0) FROM replies WHERE ask_key = ?", (keys.ask,)
        )
        text = json.dumps({**vars(reply), "usage": vars(reply.usage)})
        self._put("replies", keys.ask, number, text, max(newest, since))

    def store_record(self, record: Record, keys: Keys) -> str:
        """Keep one finished record, in place of an older one of the same letter. Returns it as JSON text."""
        line, letter_id = record.as_json(), record.letter_id
        try:
            self._db.execute("BEGIN IMMEDIATE")
            entry = letter_row(record, *keys, run=self.run, at=time.time())
            self._db.execute(insert_sql("letters"), (*entry, checksum(*entry)))
            self._db.execute(insert_sql("records"), (letter_id, line, checksum(letter_id, line)))
            self._db.execute("INSERT OR IGNORE INTO handled VALUES (?)", (letter_id,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            self._give_up_waiting()
            raise unusable(self.path, "write", error) from error
        return line

    # ---- the letters of this run -----------------------------------------------------------------

    def handled(self, letter_id: str) -> None:
        """Count a letter that was already done as one of this run."""
        self._write("INSERT OR IGNORE INTO handled VALUES (?)", (letter_id,))

    def unhandled(self) -> list[str]:
        """The letters with a record that are none of this run's, by id."""
        return [name for (name,) in self._rows(f"SELECT letter_id FROM letters WHERE NOT {_IS_HANDLED} ORDER BY 1")]  # noqa: S608

    def store_missing(self, letter_ids: Sequence[str]) -> None:
        """Keep which letters with a record have no file any more."""
        self._put("facts", MISSING, json.dumps(letter_ids))

    def handled_counts(self) -> Counter[str]:
        """How many letters of this run have each status."""
        rows = self._rows(f"SELECT status, COUNT(*) FROM letters {_HANDLED} GROUP BY status")  # noqa: S608
        return Counter(dict(rows))

    def handled_withheld(self) -> WithheldCount:
        """What the records of this run's letters withhold."""
        return self._withheld(_HANDLED)

    def handled_types(self) -> Counter[str]:
        """How many letters of this run are of each letter type."""
        rows = self._rows(
            f"SELECT json_extract(record, '$.letter_type'), COUNT(*) FROM records {_HANDLED} GROUP BY 1"  # noqa: S608
        )
        return Counter(dict(rows))

    def handled_totals(self) -> Totals:
        """Tokens and cost of this run's letters, whenever their records were made."""
        return self._totals(_HANDLED)

    def handled_doubled(self) -> int:
        """How many letters of this run have the text of another one of them."""
        [(letters, texts)] = self._rows(
            f"SELECT COUNT(*), COUNT(DISTINCT ask_key) FROM letters {_HANDLED} AND attempts > 0"  # noqa: S608
        )
        return int(letters - texts)

    def handled_records(self, most: int) -> list[Record]:
        """The first records of this run's letters: failed ones, then flagged ones, then the others, by letter id."""
        status = "(SELECT status FROM letters WHERE letters.letter_id = records.letter_id)"
        rank = f"CASE {status} WHEN 'failed' THEN 0 WHEN 'needs_review' THEN 1 ELSE 2 END"
        rows = self._sound("records", f"{_HANDLED} ORDER BY {rank}, letter_id LIMIT ?", (most,))
        return [self._record(line) for _, line in rows]

    def unpriced(self) -> Record | None:
        """The first record of this run's letters whose cost is not known."""
        rows = self._sound(
            "records",
            f"{_HANDLED} AND letter_id IN (SELECT letter_id FROM letters WHERE cost_e8 IS NULL)"  # noqa: S608
            " ORDER BY letter_id LIMIT 1",
        )
        return next((self._record(line) for _, line in rows), None)
