"""``extractor check``: hold anyone's answers against the letters."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.shared.options import Exit, TypeOption, WorkspaceOption, open_workspace, say
from extractor.errors import LetterError, UsageError
from extractor.letters.letter import Letter, LetterIndex, find_letters, read_letter
from extractor.lettertypes.lettertype import LetterType
from extractor.runs.pipeline import recheck, strict_json


def check_command(
    records: Annotated[
        Path, typer.Argument(help="Lines of records, or of {letter_id, answer}; - for stdin.", metavar="RECORDS")
    ],
    paths: Annotated[list[Path], typer.Argument(help="The letters: files or folders.", metavar="PATH...")],
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Validate answers against their letters, without any model.

    Reads record lines or bare {"letter_id": ..., "answer": ...} lines and prints the same lines, in
    order, with fresh evidence, findings and status. An id may come more than once. Exit code 1 if
    anything needs a look.

    Example: extractor check out/records.jsonl eval/imr/letters > checked.jsonl
    """
    kind = open_workspace(workspace).letter_type(letter_type)
    letters = _Letters(LetterIndex(find_letters(paths), kind.starts))
    statuses: dict[str, int] = {}
    for number, text in _lines(records):
        line = _checked(number, text, letters, kind)
        statuses[line["status"]] = statuses.get(line["status"], 0) + 1
        print(_as_line(line))
    say(", ".join(f"{count} {status}" for status, count in sorted(statuses.items())) or "no lines")
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


def _checked(number: int, text: str, letters: _Letters, kind: LetterType) -> dict[str, Any]:
    try:
        line = strict_json(text)
        if not isinstance(line, dict) or not isinstance(line.get("letter_id"), str):
            raise ValueError
    except (ValueError, RecursionError):
        return _failed(
            {"letter_id": None, "answer": None}, "bad_line", f"line {number} is not a JSON object with a letter_id"
        )
    try:
        return recheck(line, letters.get(line["letter_id"]), kind)
    except LetterError as error:
        return _failed(line, error.code, error.message)


def _as_line(line: dict[str, Any]) -> str:
    readable = json.dumps(line, ensure_ascii=False)
    # Half a surrogate pair cannot be printed; escaped it can.
    return readable if _encodes(readable) else json.dumps(line)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _failed(line: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    return {**line, "status": "failed", "evidence": {}, "findings": [], "error": {"code": code, "message": message}}
