"""The ledger compared with ``records.jsonl`` beside it: the file is made from the ledger, which must know all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from extractor.errors import LedgerError
from extractor.files import refuse_odd_files
from extractor.runs.ledger.view import FILE, LedgerView

RECORDS = "records.jsonl"
_ID = re.compile(rb'\{"letter_id":("(?:[^"\\]|\\.)*+")')


def refuse_foreign_records(folder: Path) -> None:
    """Raise ``LedgerError`` if files of the folder lead elsewhere, or the ledger beside records is missing or empty."""
    records, ledger = folder / RECORDS, folder / FILE
    refuse_odd_files(folder)
    if not records.exists():
        return
    if not ledger.exists():
        raise LedgerError(
            f"{records} is not from a run that can be resumed: its {FILE} is missing",
            hint="name another --out folder, or move that file away",
        )
    if records.stat().st_size and not ledger.stat().st_size:
        raise LedgerError(f"{ledger} is empty, but {RECORDS} beside it is not", hint=_hint(records))


def is_made_from(records: Path, ledger: LedgerView) -> bool:
    """Whether the file holds exactly the ledger's lines, in order. Raises ``LedgerError`` at a damaged row.

    Reads both: sizes and times do not change with every byte, and a copy may keep them.
    """
    try:
        with records.open("rb") as file:
            for line in ledger.lines():
                expected = line.encode() + b"\n"
                if file.read(len(expected)) != expected:
                    return False
            return not file.read(1)
    except OSError:
        return False


def refuse_shorter_ledger(ledger: LedgerView, folder: Path) -> None:
    """Raise ``LedgerError`` if ``records.jsonl`` holds a letter unknown to the ledger, or a line that is no record.

    Such a ledger was emptied, cut short, restored from an older copy, or copied while a run was
    writing it. A last line without an end is what a kill leaves, and is passed over.
    """
    records = folder / RECORDS
    missing = [letter_id for letter_id in _ids(records) if not ledger.knows(letter_id)]
    if missing:
        more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        raise LedgerError(f"{ledger.path} has no record of {missing[0]}{more}, but {records} has", hint=_hint(records))


def _hint(records: Path) -> str:
    return f"restore {FILE} from a copy; or move {records.name} away to go on with what the ledger knows"


def _ids(records: Path) -> Iterator[str]:
    try:
        with records.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.endswith(b"\n"):
                    yield _id_of(line, f"{records}:{number}")
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(
            f"cannot read {records}: {error.strerror}", hint="make it readable, or move it away"
        ) from error


def _id_of(line: bytes, where: str) -> str:
    match = _ID.match(line)
    try:
        found = json.loads(match[1]) if match else json.loads(line)["letter_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    if not isinstance(found, str):
        raise LedgerError(
            f"{where} is no record, so no run wrote it", hint="move the file away; the next run makes it again"
        )
    return found
