"""The table that ``run`` prints for people, fitted to the width of the terminal.

Where a line a row fits, it is a table. Where it does not, each letter takes several lines, so that status,
outcome and findings are always readable: only long texts are cut, at their end. Letters that failed come before
it where many of them did for one reason.
"""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from extractor import LetterType, Record
from extractor.cli.shared.failures import MOST_APART, failure_lines, screen_width
from extractor.display.terminal import raw_stream, terminal_safe
from extractor.pointers import is_within

_TEXT = 48
_GUTTER = 20


def print_table(records: Sequence[Record], letter_type: LetterType) -> None:
    """Print records with their status, the letter type's columns and their findings; as wide as it gets in a pipe."""
    many = _many_failed(records)
    if many:
        print("failed")
        for line in failure_lines(many, screen_width()):
            print(line)
    rows = [row for record in records if record.letter_id not in many for row in _rows(record, letter_type)]
    if not rows:
        return
    table = _table(rows)
    stream = raw_stream(sys.stdout)
    console = Console(file=stream)
    width = Measurement.get(console, console.options.update(max_width=100_000), table).maximum
    if width <= console.width or not sys.stdout.isatty():
        Console(width=width, file=stream).print(table)
    else:
        for line in _blocks(rows, console.width):
            print(line)


def _many_failed(records: Sequence[Record]) -> dict[str, str]:
    """The reasons of failed letters, if there are so many of one reason that each in its row would hide the rest."""
    failed = {record.letter_id: _why_failed(record) for record in records if record.status == "failed"}
    codes = Counter(record.error.code for record in records if record.status == "failed" and record.error)
    return failed if max(codes.values(), default=0) > MOST_APART else {}


def _table(rows: Sequence[dict[str, str]]) -> Table:
    named = dict.fromkeys(name for row in rows for name in row)
    headings = [*(name for name in named if name != "findings"), "findings"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_shortened(row.get(heading, ""), heading)) for heading in headings))
    return table


def _shortened(value: str, heading: str) -> str:
    return value if heading == "findings" else _cut(value, _TEXT)


def _blocks(rows: Sequence[dict[str, str]], width: int) -> Iterator[str]:
    """Several lines a letter: status and id, then for each row its first column beside its second, and the others."""
    for row in rows:
        cells = dict(row)
        findings = cells.pop("findings")
        if "letter" in cells:
            yield _cut(f"{cells.pop('status'):<12}  {cells.pop('letter')}", width)
        names = [name for name, value in cells.items() if value]
        lead = cells[names.pop(0)] if names and len(cells[names[0]]) <= _GUTTER else ""
        text = cells[names.pop(0)] if names else ""
        if lead or text:
            yield _cut(f"  {lead:<10}  {text}", width)
        if names:
            yield from _indented("; ".join(f"{name} {cells[name]}" for name in names), width)
        if findings:
            yield from _indented(findings, width)


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=" " * 14, subsequent_indent=" " * 16)


def _cut(value: str, width: int) -> str:
    return value if cell_len(value) <= width else set_cell_size(value, width - 1).rstrip() + "\u2026"


def _rows(record: Record, letter_type: LetterType) -> Iterator[dict[str, str]]:
    answer_rows = letter_type.rows(record.answer) if letter_type.rows and record.answer else []
    for i, row in enumerate(answer_rows or [{}]):
        first = {"status": record.status, "letter": record.letter_id} if i == 0 else {}
        findings = _findings_of(record, i, len(answer_rows)) if row else _why_failed(record)
        yield {name: terminal_safe(value) for name, value in {**first, **row, "findings": findings}.items()}


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
    return str(error) if error else "; ".join(errors[:3])
