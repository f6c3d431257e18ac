"""``extractor check``: validate answers from any source against the letters."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.shared.opening import open_workspace
from extractor.cli.shared.options import Exit, StrictOption, TypeOption, WorkspaceOption, print_err
from extractor.errors import LetterError, UsageError
from extractor.json_text import json_line, strict_json
from extractor.letters.letter import Letter, LetterIndex, find_letters, read_letter
from extractor.lettertypes.lettertype import LetterType
from extractor.runs.answers import as_given, check_answer
from extractor.runs.record import SecondAnswer

# The code of a line that triggered a bug of ours.
INTERNAL = "internal"


def check_command(
    records: Annotated[
        Path, typer.Argument(help="Lines of records, or of {letter_id, answer}; - for stdin.", metavar="RECORDS")
    ],
    paths: Annotated[list[Path], typer.Argument(help="The letters: files or folders.", metavar="PATH...")],
    strict: StrictOption = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Validate answers against their letters, without any model.

    Reads record lines or bare {"letter_id": ..., "answer": ...} lines and prints the same lines, in
    order, with fresh evidence, findings and status. Wrong values that need no person are withheld: null in
    the answer, kept under "withheld". An id may come more than once. Exit code 1 if anything needs a
    look, 70 if a line met an internal error.

    Example: extractor check out/records.jsonl eval/imr/letters > checked.jsonl
    """
    kind = open_workspace(workspace).letter_type(letter_type)
    letters = _Letters(LetterIndex(find_letters(paths), kind.starts))
    statuses: Counter[str] = Counter()
    defects = 0
    for number, text in _lines(records):
        line = _checked(number, text, letters, kind, strict=strict)
        statuses[line["status"]] += 1
        defects += (line.get("error") or {}).get("code") == INTERNAL if line["status"] == "failed" else 0
        print(json_line(line))
    print_err(", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no lines")
    if defects:
        print_err(
            f"internal error on {defects} {'line' if defects == 1 else 'lines'}; EXTRACTOR_DEBUG=1 prints the traceback"
        )
        raise typer.Exit(Exit.INTERNAL)
    raise typer.Exit(Exit.LOOK if set(statuses) - {"accepted"} else Exit.FINE)


class _Letters:
    """Letters by id, the last one kept: equal ids mostly follow each other."""

    def __init__(self, index: LetterIndex) -> None:
        self.index = index
        self.last: Letter | None = None

    def get(self, letter_id: str) -> Letter:
        if self.last is None or self.last.id != letter_id:
            file = self.index.get(letter_id)
            if file is None:
                raise LetterError(
                    "no letter has this id; name the folder its id was made from", code="letter_not_found"
                )
            self.last = read_letter(file)
        return self.last


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with sys.stdin if str(path) == "-" else path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if number == 1 and line.strip() and line.lstrip()[0] not in '{["':
                    raise UsageError(
                        f"{path} does not hold JSON lines", hint="RECORDS comes first, the letters after it"
                    )
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name a file of JSON lines") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", hint="name a file of JSON lines") from error


def _checked(number: int, text: str, letters: _Letters, kind: LetterType, *, strict: bool) -> dict[str, Any]:
    try:
        line = strict_json(text)
        if not isinstance(line, dict) or not isinstance(line.get("letter_id"), str):
            raise ValueError
    except ValueError:
        return _failed(
            {"letter_id": None, "answer": None}, "bad_line", f"line {number} is not a JSON object with a letter_id"
        )
    try:
        letter = letters.get(line["letter_id"])
        made_from = line.get("letter_sha256")
        checked = check_answer(
            as_given(line),
            letter,
            kind,
            made_from=made_from if isinstance(made_from, str) else None,
            model=line.get("model"),
            strict=strict,
            second=SecondAnswer.of_line(line),
        )
        return {**line, **checked.as_dict()}
    except LetterError as error:
        return _failed(line, error.code, error.message)
    except Exception as error:  # a bug triggered by one line must not affect the others
        if os.environ.get("EXTRACTOR_DEBUG"):
            raise
        return _failed(line, INTERNAL, f"internal error: {type(error).__name__}")


def _failed(line: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    fresh = {"status": "failed", "evidence": {}, "proof": {}, "withheld": {}, "findings": []}
    return {**line, **fresh, "error": {"code": code, "message": message}}
