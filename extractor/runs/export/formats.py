"""The formats of tables: how rows get into a file. Each writes a row when it comes and keeps none, or few.

A cell that begins like a formula stays what it is: in csv an apostrophe goes in front, in xlsx it is
written as text and never as a formula; json lines and parquet know no formulas.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from extractor.errors import UsageError
from extractor.files import work_folder
from extractor.runs.export.cells import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, Cell, Column
from extractor.runs.export.tables import Table

Write = Callable[[Sequence[Cell]], None]
Opener = Callable[[BinaryIO, Sequence[Table], Path], AbstractContextManager[list[Write]]]

# Also full-width, as spreadsheets of East Asia read them; and small forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b")
ROW_GROUP = 5_000
# What a sheet and a cell of xlsx hold; the cell counts UTF-16 units.
SHEET_ROWS = 1_048_576
CELL_UNITS = 32_767
_CUT = " [cut]"
# Beyond this a number of xlsx, which is a double, would lose digits; before this day it has no dates.
_EXACT = 2**53
_FIRST_DAY = date(1900, 3, 1)


@contextmanager
def _csv(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    """RFC 4180: UTF-8, commas, CRLF."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.name for column in tables[0].columns)
    try:
        yield [lambda row: writer.writerow(map(_plain, row))]
    finally:
        text.detach()


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


@contextmanager
def _jsonl(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    names = [column.name for column in tables[0].columns]

    def write(row: Sequence[Cell]) -> None:
        line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str)
        file.write(line.encode() + b"\n")

    yield [write]


@contextmanager
def _parquet(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    with _needs("parquet", "pyarrow"):
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
        rows.append(row)
        if len(rows) == ROW_GROUP:
            flush()

    with parquet.ParquetWriter(file, schema) as writer:
        yield [write]
        if rows:
            flush()


@contextmanager
def _xlsx(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    with _needs("xlsx", "xlsxwriter"):
        import xlsxwriter  # type: ignore[import-untyped]
    # Its sheets are put together in files: beside the output, not in a folder that others may read.
    with work_folder(folder, "xlsx") as own:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(own)})
        formats = {"day": book.add_format({"num_format": "yyyy-mm-dd"}), "head": book.add_format({"bold": True})}
        try:
            yield [_sheet(book.add_worksheet(table.name[:31]), table.columns, formats) for table in tables]
        finally:
            # Also after an error, when the file is thrown away: its own files must be closed.
            _close(book)


def _close(book: Any) -> None:
    from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

    try:
        book.close()
    except FileCreateError as failed:
        # It wraps the error of the disk.
        raise failed.args[0] from None


def _sheet(sheet: Any, columns: Sequence[Column], formats: Mapping[str, Any]) -> Write:
    sheet.freeze_panes(1, 1)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column.name, formats["head"])
    numbers = count(1)

    def write(row: Sequence[Cell]) -> None:
        line = next(numbers)
        if line >= SHEET_ROWS:
            raise UsageError(f"a sheet of xlsx holds {SHEET_ROWS:,} rows", hint="use csv, jsonl or parquet")
        for number, cell in enumerate(row):
            if isinstance(cell, bool):
                sheet.write_boolean(line, number, cell)
            elif isinstance(cell, date) and cell >= _FIRST_DAY:
                sheet.write_datetime(line, number, cell, formats["day"])
            elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) <= _EXACT:
                sheet.write_number(line, number, cell)
            elif cell is not None and cell != "":
                sheet.write_string(line, number, _fitting(str(cell)))

    return write


def _fitting(text: str) -> str:
    """``text``, or as much of it as a cell holds and a mark that it was cut."""
    if len(text) * 2 > CELL_UNITS and len(text.encode("utf-16-le", "surrogatepass")) > CELL_UNITS * 2:
        units = text.encode("utf-16-le", "surrogatepass")[: (CELL_UNITS - len(_CUT)) * 2]
        return units.decode("utf-16-le", "ignore") + _CUT
    return text


@contextmanager
def _needs(to: str, library: str) -> Iterator[None]:
    """Around an import. Raises ``UsageError`` that names the extra if it fails."""
    try:
        yield
    except ImportError as missing:
        raise UsageError(
            f"{to} needs {library}, which cannot be imported",
            hint="pip install 'letterproof[export]', or --to csv",
        ) from missing


@dataclass(frozen=True)
class Format:
    """``open`` yields one writer of rows for each table; ``together``: one file holds all tables."""

    open: Opener
    together: bool = False


FORMATS = {
    "csv": Format(_csv),
    "xlsx": Format(_xlsx, together=True),
    "parquet": Format(_parquet),
    "jsonl": Format(_jsonl),
}
