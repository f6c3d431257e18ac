"""Every scored leaf of eval runs as a table: one row a leaf, answer and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from extractor.display.values import value_text
from extractor.evaluation.scored_run import Run
from extractor.files import output_file
from extractor.runs.export.cells import BOOLEAN, INTEGER, TEXT, Cell, Column
from extractor.runs.export.formats import FORMATS, format_for
from extractor.runs.export.table import Table

_COLUMNS = (
    Column("run"),
    Column("prompt"),
    Column("model"),
    Column("letter_id"),
    Column("recording", INTEGER),
    Column("record_status"),
    Column("path"),
    Column("field"),
    Column("status"),
    Column("is_error", BOOLEAN),
    Column("protected", BOOLEAN),
    Column("debatable", BOOLEAN),
    Column("gold", TEXT),
    Column("answer", TEXT),
)


def write_leaves(runs: Sequence[Run], path: Path, to: str | None, is_protected: Callable[[str], bool]) -> int:
    """Write the leaves of these runs to one file, and give the number of rows.

    ``to`` is a format of ``extractor export``; ``None``: as the file ends. Raises ``UsageError`` for an unknown
    format, a missing library, or a file that cannot be written.
    """
    chosen = FORMATS[format_for(to, path)]
    table = Table("leaves", _COLUMNS, lambda _: iter(()), key=("run", "letter_id", "recording", "path"))
    count = 0
    with (
        output_file(path, "name another --out file", parents=True) as file,
        chosen.open(file, [table], path.parent) as [write],
    ):
        for row in _rows(runs, is_protected):
            write(row)
            count += 1
    return count


def _rows(runs: Sequence[Run], is_protected: Callable[[str], bool]) -> Iterator[list[Cell]]:
    for run in runs:
        for letter in run.letters:
            for leaf in letter.leaves:
                yield [
                    run.id,
                    run.about["prompt"],
                    run.about["model"],
                    letter.letter_id,
                    letter.recording,
                    letter.status,
                    leaf.path,
                    leaf.field,
                    leaf.status,
                    leaf.is_error,
                    is_protected(leaf.field),
                    leaf.debatable,
                    value_text(leaf.gold) or None,
                    value_text(leaf.got) or None,
                ]
