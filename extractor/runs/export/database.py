"""Tables as one SQLite database, which Datasette, sqlite-utils and every SQL tool open.

``letters`` has the letter id as its key, and the other tables refer to it. Each table with text to look for has a
full-text index beside it (``decisions_fts``), which Datasette finds by itself.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from extractor.errors import UsageError
from extractor.files import work_folder
from extractor.runs.export.cells import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, Cell, Write, whole_characters
from extractor.runs.export.table import LETTER_ID, LETTERS, Table

_TYPES = {TEXT: "TEXT", DATE: "TEXT", INTEGER: "INTEGER", BOOLEAN: "INTEGER", NUMBER: "REAL"}


@contextmanager
def open_sqlite(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    """A writer of rows for each table. Dates are ISO texts, truth values 0 and 1.

    Raises ``UsageError`` for what SQLite cannot hold: an integer of more than 64 bits, or two columns whose names
    differ only in capitals.
    """
    with work_folder(folder, "sqlite") as own:
        path = own / "tables.sqlite"
        try:
            # Nobody reads this file before it is whole: a journal would protect nothing.
            with closing(sqlite3.connect(path, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode = OFF")
                db.execute("PRAGMA synchronous = OFF")
                db.execute("BEGIN")
                has_letters = any(table.name == LETTERS for table in tables)
                for table in tables:
                    db.execute(_create(table, has_letters))
                yield [_writer(db, table) for table in tables]
                for table in tables:
                    _finish(db, table)
                db.execute("COMMIT")
        except OverflowError:
            raise UsageError("a number is too large for sqlite", hint="use csv, jsonl or xlsx") from None
        except sqlite3.Error as error:
            raise UsageError(f"the database cannot be written: {error}", hint="free the disk, or use csv") from error
        with path.open("rb") as made:
            shutil.copyfileobj(made, file)


def _create(table: Table, has_letters: bool) -> str:
    columns = [f"{_quoted(column.name)} {_TYPES[column.kind]}" for column in table.columns]
    if table.key:
        columns.append(f"PRIMARY KEY ({', '.join(map(_quoted, table.key))})")
    if has_letters and table.name != LETTERS:
        columns.append(f"FOREIGN KEY ({LETTER_ID}) REFERENCES {LETTERS} ({LETTER_ID})")
    return f"CREATE TABLE {_quoted(table.name)} ({', '.join(columns)})"


def _writer(db: sqlite3.Connection, table: Table) -> Write:
    insert = f"INSERT INTO {_quoted(table.name)} VALUES ({', '.join('?' * len(table.columns))})"  # noqa: S608

    def write(row: Sequence[Cell]) -> None:
        db.execute(insert, [_stored(cell) for cell in row])

    return write


def _stored(cell: Cell) -> str | int | float | None:
    if isinstance(cell, str):
        return whole_characters(cell)
    return cell if cell is None or isinstance(cell, int | float) else str(cell)


def _finish(db: sqlite3.Connection, table: Table) -> None:
    """Indexes, once all rows are there."""
    if table.name != LETTERS and not table.key:
        db.execute(f"CREATE INDEX {_quoted(f'{table.name}_letter')} ON {_quoted(table.name)} ({LETTER_ID})")
    if not table.searched:
        return
    index = _quoted(f"{table.name}_fts")
    columns = ", ".join(map(_quoted, table.searched))
    # With the table as its content, the index holds no second copy of the text.
    db.execute(f"CREATE VIRTUAL TABLE {index} USING FTS5 ({columns}, content={_quoted(table.name)})")
    db.execute(f"INSERT INTO {index} ({index}) VALUES ('rebuild')")  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
