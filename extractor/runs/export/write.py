"""From a run's records to files of tables, in one pass: no record is kept after its rows are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import UsageError
from extractor.files import output_file
from extractor.lettertypes.lettertype import LetterType
from extractor.runs.export.cells import Write
from extractor.runs.export.formats import FORMATS
from extractor.runs.export.table import Reviewed, Table
from extractor.runs.record import Record


@dataclass(frozen=True)
class Target:
    """One file, and the tables that it will hold."""

    path: Path
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Written:
    """One table that was written: its name, its file, and how many rows it has."""

    table: str
    path: Path
    rows: int


def targets(folder: Path, to: str, tables: Sequence[Table], out: Path | None = None, kind: str = "") -> list[Target]:
    """Where the tables go: ``out``, or files in ``folder`` that are named after their tables.

    Where a file holds one table and ``out`` is for several, it becomes ``NAME-TABLE.SUFFIX``. ``kind`` is put into
    the names where a run has several letter types.
    """
    prefix = f"{kind}-" if kind else ""
    if kind and out:
        out = out.with_name(f"{out.stem}-{kind}{out.suffix}")
    if FORMATS[to].together:
        name = tables[0].name if len(tables) == 1 else "tables"
        return [Target(out or folder / f"{prefix}{name}.{to}", tuple(tables))]
    if out and len(tables) == 1:
        return [Target(out, tuple(tables))]
    files = [folder / f"{prefix}{table.name}.{to}" for table in tables]
    if out:
        files = [out.with_name(f"{out.stem}-{table.name}{out.suffix}") for table in tables]
    return [Target(file, (table,)) for file, table in zip(files, tables, strict=True)]


def write_tables(
    records: Iterable[Reviewed],
    letter_type: LetterType | None,
    to: str,
    goals: Sequence[Target],
) -> list[Written]:
    """Write every record's rows. Each file is there whole, or as it was before. ``None``: of letters of no type.

    Raises ``UsageError`` if a file cannot be written, a library is missing, or a record was made
    with another schema.
    """
    with ExitStack() as stack:
        writers: list[tuple[Target, Table, Write]] = []
        for goal in goals:
            file = stack.enter_context(output_file(goal.path))
            opened = stack.enter_context(FORMATS[to].open(file, goal.tables, goal.path.parent))
            writers += ((goal, table, write) for table, write in zip(goal.tables, opened, strict=True))
        counts = [0] * len(writers)
        for reviewed in records:
            if letter_type is not None:
                _same_schema(reviewed.record, letter_type)
            for number, (_, table, write) in enumerate(writers):
                for row in table.rows(reviewed):
                    write(row)
                    counts[number] += 1
    return [Written(table.name, goal.path, rows) for (goal, table, _), rows in zip(writers, counts, strict=True)]


def _same_schema(record: Record, letter_type: LetterType) -> None:
    if record.letter_type != letter_type.name or record.schema_sha256 != letter_type.schema_sha256:
        raise UsageError(
            f"the record of {record.letter_id} was made with another schema than {letter_type.name} has now",
            hint="run the letters again into this folder, or name the workspace that made it",
        )
