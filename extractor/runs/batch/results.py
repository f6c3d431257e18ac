"""Result files, line by line: OpenAI's output and error files, and those of vLLM's ``run-batch``.

``{"custom_id": ..., "response": {"status_code": ..., "body": ...} | null, "error": ... | null}``
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import UsageError
from extractor.runs.batch.book import Asked

BROKEN, CUT, FOREIGN = "broken", "cut", "foreign"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Line:
    """One line: the request it answers and the result, or why it cannot be used.

    ``fault``: ``broken`` (no result), ``cut`` (the last line, broken off), ``foreign`` (a custom id that
    is not ours), or empty.
    """

    number: int
    asked: Asked | None = None
    response: Any = None
    error: Any = None
    fault: str = ""


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of one file, blank ones left out. Raises ``UsageError`` if it cannot be read."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                text = raw.removeprefix(_MARK).strip() if number == 1 else raw.strip()
                if text:
                    yield _line(number, text, whole=raw.endswith(b"\n"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name result files (.jsonl)") from error


def _line(number: int, text: bytes, *, whole: bool) -> Line:
    try:
        result = json.loads(text)
    except (ValueError, RecursionError):
        return Line(number, fault=BROKEN if whole else CUT)
    if not isinstance(result, dict) or not result.keys() & {"response", "error"}:
        return Line(number, fault=BROKEN)
    asked = Asked.of(result.get("custom_id"))
    if asked is None:
        return Line(number, fault=FOREIGN)
    return Line(number, asked, result.get("response"), result.get("error"))
