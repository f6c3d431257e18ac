"""Tables as sheets of one xlsx file: typed cells, a frozen and filtered heading, columns as wide as their cells."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from extractor.errors import UsageError
from extractor.files import work_folder
from extractor.runs.export.cells import Cell, Column, Write, needed, whole_characters
from extractor.runs.export.table import Table

# What a sheet and a cell of xlsx hold; the cell counts UTF-16 units.
SHEET_ROWS = 1_048_576
CELL_UNITS = 32_767
_CUT = " [cut]"
# Beyond this a number of xlsx, which is a double, would lose digits; before this day it has no dates.
_EXACT = 2**53
_FIRST_DAY = date(1900, 3, 1)
# Widths in characters: a narrow column is still readable, and a long text does not push the others off the screen.
_NARROWEST, _WIDEST, _FILTER_BUTTON = 8, 50, 3
_NAME_UNITS = 31


@contextmanager
def open_xlsx(file: BinaryIO, tables: Sequence[Table], folder: Path) -> Iterator[list[Write]]:
    """A writer of rows for each table."""
    with needed("xlsx", "xlsxwriter"):
        import xlsxwriter  # type: ignore[import-untyped]
    # Its sheets are put together in files: beside the output, not in a folder that others may read.
    with work_folder(folder, "xlsx") as own:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": str(own)})
        day, head = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"bold": True})
        try:
            sheets = [
                _Sheet(book.add_worksheet(table.name[:_NAME_UNITS]), table.columns, day, head) for table in tables
            ]
            yield [sheet.write for sheet in sheets]
            for sheet in sheets:
                sheet.fit()
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


class _Sheet:
    """One sheet that is being written: its last line, and the longest cell of each column so far."""

    def __init__(self, sheet: Any, columns: Sequence[Column], day: Any, head: Any) -> None:
        self._sheet, self._day = sheet, day
        self._line = 0
        self._widths = [len(column.name) + _FILTER_BUTTON for column in columns]
        sheet.freeze_panes(1, 1)
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.name, head)

    def write(self, row: Sequence[Cell]) -> None:
        self._line += 1
        if self._line >= SHEET_ROWS:
            raise UsageError(f"a sheet of xlsx holds {SHEET_ROWS:,} rows", hint="use csv, jsonl, parquet or sqlite")
        for number, cell in enumerate(row):
            if cell is not None and cell != "":
                self._widths[number] = max(self._widths[number], self._write(number, cell))

    def _write(self, number: int, cell: Cell) -> int:
        """Write one cell of the line; gives its length in characters."""
        sheet, line = self._sheet, self._line
        if isinstance(cell, bool):
            sheet.write_boolean(line, number, cell)
        elif isinstance(cell, date) and cell >= _FIRST_DAY:
            sheet.write_datetime(line, number, cell, self._day)
        elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) <= _EXACT:
            sheet.write_number(line, number, cell)
        else:
            text = str(cell)
            sheet.write_string(line, number, _fitting(whole_characters(text)))
            return len(text)
        return len(str(cell))

    def fit(self) -> None:
        """Set the widths of the columns, and a filter on the heading."""
        for number, width in enumerate(self._widths):
            self._sheet.set_column(number, number, min(max(width + 1, _NARROWEST), _WIDEST))
        self._sheet.autofilter(0, 0, self._line, len(self._widths) - 1)


def _fitting(text: str) -> str:
    """``text``, or as much of it as a cell holds and a mark that it was cut."""
    if len(text) * 2 > CELL_UNITS and len(text.encode("utf-16-le")) > CELL_UNITS * 2:
        units = text.encode("utf-16-le")[: (CELL_UNITS - len(_CUT)) * 2]
        return units.decode("utf-16-le", "ignore") + _CUT
    return text
