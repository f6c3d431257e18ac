"""The formats of tables: how rows get into a file. Each writes a row when it comes and keeps none, or few.

A cell that begins like a formula stays what it is: in csv an apostrophe goes in front, in xlsx it is
written as text and never as a formula; the other formats know no formulas.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from extractor.errors import UsageError
from extractor.runs.export.cells import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    Cell,
    Write,
    needed,
    whole_characters,
)
from extractor.runs.export.database import open_sqlite
from extractor.runs.export.excel_text import guarded
from extractor.runs.export.sheets import open_xlsx
from extractor.runs.export.table import ALL, BOTH, Table

Opener = Callable[[BinaryIO, Sequence[Table], Path], AbstractContextManager[list[Write]]]

ROW_GROUP = 5_000


@contextmanager
def _csv(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    """RFC 4180: commas, CRLF. UTF-8 with a byte order mark, without which Excel takes it for another encoding."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in tables[0].columns)
    try:
        yield [lambda row: writer.writerow(map(_plain, row))]
    finally:
        text.detach()


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        return guarded(whole_characters(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


@contextmanager
def _jsonl(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    names = [column.name for column in tables[0].columns]

    def write(row: Sequence[Cell]) -> None:
        data = dict(zip(names, row, strict=True))
        try:
            line = json.dumps(data, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:  # half a character: escaped it survives
            line = json.dumps(data, default=str).encode()
        file.write(line + b"\n")

    yield [write]


@contextmanager
def _parquet(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    with needed("parquet", "pyarrow"):
        import pyarrow  # type: ignore[import-untyped]
        from pyarrow import parquet
    kinds = {
        TEXT: pyarrow.string(),
        INTEGER: pyarrow.int64(),
        NUMBER: pyarrow.float64(),
        BOOLEAN: pyarrow.bool_(),
        DATE: pyarrow.date32(),
    }
    columns = tables[0].columns
    schema = pyarrow.schema([(column.name, kinds[column.kind]) for column in columns])
    rows: list[Sequence[Cell]] = []

    def flush() -> None:
        try:
            arrays = [
                pyarrow.array(cells, kind.type) for cells, kind in zip(zip(*rows, strict=True), schema, strict=True)
            ]
        except (OverflowError, pyarrow.ArrowInvalid):
            raise UsageError("a number is too large for parquet", hint="use csv, jsonl or xlsx") from None
        writer.write_table(pyarrow.table(arrays, schema=schema))
        rows.clear()

    def write(row: Sequence[Cell]) -> None:
        rows.append([whole_characters(cell) if isinstance(cell, str) else cell for cell in row])
        if len(rows) == ROW_GROUP:
            flush()

    with parquet.ParquetWriter(file, schema) as writer:
        yield [write]
        if rows:
            flush()


@dataclass(frozen=True)
class Format:
    """``open`` yields one writer of rows for each table; ``together``: one file holds all tables.

    ``suffixes``: the endings of such files, the usual one first. ``rows``: the tables that are written if none are
    named.
    """

    open: Opener
    suffixes: tuple[str, ...]
    together: bool = False
    rows: str = BOTH


FORMATS = {
    "csv": Format(_csv, ("csv",)),
    "xlsx": Format(open_xlsx, ("xlsx",), together=True),
    "parquet": Format(_parquet, ("parquet",)),
    "jsonl": Format(_jsonl, ("jsonl", "ndjson")),
    "sqlite": Format(open_sqlite, ("sqlite", "sqlite3", "db"), together=True, rows=ALL),
}


def format_for(to: str | None, out: Path | None) -> str:
    """The name of the format to write: ``to``, else as ``out`` ends, else csv.

    Raises ``UsageError`` for an unknown format or ending, and for an ending that belongs to another format.
    """
    known = ", ".join(FORMATS)
    if to is not None and to not in FORMATS:
        raise UsageError(f"unknown format {to!r}", hint=f"--to: {known}")
    if out is None:
        return to or "csv"
    if out.name in ("", "..") or out.is_dir():
        raise UsageError(f"--out {out} is a folder", hint="name a file in it, e.g. --out tables.xlsx")
    suffix = out.suffix.lower().lstrip(".")
    meant = next((name for name, each in FORMATS.items() if suffix in each.suffixes), None)
    if to and meant in (None, to):
        return to
    if to:
        raise UsageError(
            f"{out.name} is named like a file of {meant}, and {to} is asked for",
            hint=f"end its name in .{FORMATS[to].suffixes[0]}, or leave out --to",
        )
    if meant is None:
        what = f"ends in .{suffix}, which is no format of tables" if suffix else "has no ending that names a format"
        raise UsageError(f"{out.name} {what}", hint=f"name the format: --to {known}")
    return meant
