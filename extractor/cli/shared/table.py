"""The table that ``run`` prints for people: a line a record, cut to the width of the terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extractor import LetterType, Record
from extractor.display.terminal import raw_stream, terminal_safe
from extractor.pointers import is_within

# Piped output has no width: lines are as long as this allows, and one record's row is one line.
PIPED_WIDTH = 200
_ITEM = 48


def print_table(records: Sequence[Record], letter_type: LetterType) -> None:
    """Print records with the letter type's columns, their status and their findings."""
    rows = [row for record in records for row in _rows(record, letter_type)]
    headings = list(dict.fromkeys(name for row in rows for name in row))
    piped = not sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        # The findings give way first: what was read must stay readable beside them.
        wide = heading == "findings"
        needed = min(_ITEM, max(len(row.get(heading, "")) for row in rows))
        table.add_column(
            heading,
            no_wrap=piped or not wide,
            overflow="ellipsis" if piped or not wide else "fold",
            min_width=None if wide or not piped else max(needed, len(heading)),
        )
    for row in rows:
        table.add_row(*(Text(terminal_safe(row.get(heading, ""))) for heading in headings))
    Console(width=PIPED_WIDTH if piped else None, file=raw_stream(sys.stdout)).print(table)


def _rows(record: Record, letter_type: LetterType) -> list[dict[str, str]]:
    answer_rows = letter_type.rows(record.answer) if letter_type.rows and record.answer else []
    rows = []
    for i, row in enumerate(answer_rows or [{}]):
        first = {"letter": record.letter_id, "status": record.status} if i == 0 else {}
        shown = {name: _cut(value) for name, value in row.items()}
        findings = _findings_of(record, i, len(answer_rows)) if row else _why_failed(record)
        rows.append({**first, **shown, "findings": findings})
    return rows


def _cut(value: str) -> str:
    return value if len(value) <= _ITEM else value[: _ITEM - 1] + "\u2026"


def _findings_of(record: Record, i: int, rows: int) -> str:
    """Codes of the findings on row i; the letter's other findings are on its first row."""
    counts: Counter[str] = Counter()
    for finding in record.findings:
        parts = finding.path.split("/")
        row = int(parts[2]) if len(parts) > 2 and parts[2].isdigit() and int(parts[2]) < rows else 0
        if row == i and finding.severity != "info":
            is_withheld = any(is_within(finding.path, path) for path in record.withheld)
            weight = "withheld" if is_withheld and finding.severity == "warning" else finding.severity
            counts[f"{weight}: {finding.code} ({finding.blame})"] += 1
    return ", ".join(f"{text} x{times}" if times > 1 else text for text, times in counts.items())


def _why_failed(record: Record) -> str:
    error = record.error
    errors = [finding.message for finding in record.findings if finding.severity == "error"]
    return error.message if error else "; ".join(errors[:3])
