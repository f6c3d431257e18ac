"""``extractor check``: validate answers from any source against the letters."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import AutoTypeOption, Exit, StrictOption, WorkspaceOption, print_err
from extractor.display.values import place_name
from extractor.errors import UsageError
from extractor.json_text import json_line

# The code of a line that triggered a bug of ours.
_INTERNAL = "internal"
_LONGEST_ID = 80


def check_command(
    records: Annotated[
        Path, typer.Argument(help="Lines of records, or of {letter_id, answer}; - for stdin.", metavar="RECORDS")
    ],
    paths: Annotated[list[Path], typer.Argument(help="The letters: files or folders.", metavar="PATH...")],
    strict: StrictOption = False,
    letter_type: AutoTypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Validate answers against their letters, without any model.

    Reads record lines or bare {"letter_id": ..., "answer": ...} lines and prints the same lines, in
    order, with fresh evidence, findings and status; stderr gets a line for each that is not accepted.
    Wrong values that need no person are withheld: null in the answer, kept under "withheld". An id may
    come more than once. Exit code 1 if anything needs a look, 70 if a line met an internal error.

    Example: extractor check out/records.jsonl eval/imr/letters > checked.jsonl
    """
    opened = open_offline(workspace, letter_type, strict=strict)
    debug = bool(os.environ.get("EXTRACTOR_DEBUG"))
    statuses: Counter[str] = Counter()
    defects = 0
    lines = _NumberedLines(_lines(records))
    run_folder = records.parent if (records.parent / "run.db").is_file() else None
    for line in opened.check_lines(lines, paths, debug=debug, run_folder=run_folder):
        statuses[line["status"]] += 1
        defects += (line.get("error") or {}).get("code") == _INTERNAL if line["status"] == "failed" else 0
        print(json_line(line))
        if line["status"] != "accepted":
            print_err(_reason(lines.number, line))
    print_err(", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no lines")
    if defects:
        print_err(
            f"internal error on {defects} {'line' if defects == 1 else 'lines'}; EXTRACTOR_DEBUG=1 prints the traceback"
        )
        raise typer.Exit(Exit.INTERNAL)
    raise typer.Exit(Exit.LOOK if set(statuses) - {"accepted"} else Exit.FINE)


class _NumberedLines:
    """Lines, and the ``number`` of the one that was taken last."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.number = 0
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            yield line


def _reason(number: int, line: dict[str, Any]) -> str:
    """Why an answer is not accepted, in one line without words of the letter."""
    errors = [each for each in line["findings"] if each["severity"] == "error"]
    if error := line.get("error") if line["status"] == "failed" else None:
        why = f"{error['code']}: {error['message']}"
    elif errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        why = f"{errors[0]['code']} at {place_name(errors[0]['path'])}{more}"
    else:
        why = "see its findings"
    letter_id = line["letter_id"]
    name = repr(letter_id[:_LONGEST_ID]) if letter_id else "no letter_id"
    return f"line {number}: {name}: {line['status']}: {why}"


def _lines(path: Path) -> Iterator[str]:
    try:
        with sys.stdin if str(path) == "-" else path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if number == 1 and line.strip() and line.lstrip()[0] not in '{["':
                    raise UsageError(
                        f"{path} does not hold JSON lines", hint="RECORDS comes first, the letters after it"
                    )
                yield line
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name a file of JSON lines") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", hint="name a file of JSON lines") from error
