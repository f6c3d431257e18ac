"""``extractor check``: validate answers from any source against the letters."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import AutoTypeOption, Exit, StrictOption, WorkspaceOption, print_err
from extractor.errors import UsageError
from extractor.json_text import json_line

# The code of a line that triggered a bug of ours.
_INTERNAL = "internal"


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
    order, with fresh evidence, findings and status. Wrong values that need no person are withheld: null in
    the answer, kept under "withheld". An id may come more than once. Exit code 1 if anything needs a
    look, 70 if a line met an internal error.

    Example: extractor check out/records.jsonl eval/imr/letters > checked.jsonl
    """
    opened = open_offline(workspace, letter_type, strict=strict)
    debug = bool(os.environ.get("EXTRACTOR_DEBUG"))
    statuses: Counter[str] = Counter()
    defects = 0
    for line in opened.check_lines(_lines(records), paths, debug=debug):
        statuses[line["status"]] += 1
        defects += (line.get("error") or {}).get("code") == _INTERNAL if line["status"] == "failed" else 0
        print(json_line(line))
    print_err(", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no lines")
    if defects:
        print_err(
            f"internal error on {defects} {'line' if defects == 1 else 'lines'}; EXTRACTOR_DEBUG=1 prints the traceback"
        )
        raise typer.Exit(Exit.INTERNAL)
    raise typer.Exit(Exit.LOOK if set(statuses) - {"accepted"} else Exit.FINE)


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
