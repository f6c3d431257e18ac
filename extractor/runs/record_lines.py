"""Records as they are kept: a line of JSON each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

from extractor.errors import RecordError, UsageError
from extractor.runs.record import Record
from extractor.settings import require_path


def read_records(path: str | PathLike[str]) -> Sequence[Record]:
    """The records of a ``records.jsonl``. Raises ``RecordError`` naming the line that is not one."""
    return list(_records(require_path("path", path)))


def _records(path: Path) -> Iterator[Record]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield Record.from_json(line)
                except RecordError as error:
                    raise RecordError(f"{path}, line {number}: {error.message}", hint=error.hint) from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name the records.jsonl of a run") from error
