"""Lines of answers from any source, each checked against its letter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from extractor.errors import LetterError
from extractor.json_text import strict_json
from extractor.letters.letter import Letter, LetterIndex, letter_in
from extractor.letters.workers.page_readers import PageReader, pages_read_by
from extractor.lettertypes.findings import Status
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.mixed import only_or_type_of
from extractor.runs.answers import check_line

# The code of a line that triggered a bug of ours.
INTERNAL = "internal"


class LineChecker:
    """Checks lines against the letters of ``index``; ``strict``: no wrong value is withheld.

    PDF files and scans are read by ``reader``, e.g. a cache of what a run read.

    Of several letter types, a line is of the one that it names, or else of the one that recognizes its letter.
    With ``debug`` a bug that a line triggers is raised; without, that line fails, and the others are checked.
    """

    def __init__(
        self,
        letter_types: Sequence[LetterType],
        index: LetterIndex,
        *,
        strict: bool = False,
        debug: bool = False,
        reader: PageReader | None = None,
    ) -> None:
        self._reader = reader
        self._types, self._index = letter_types, index
        self._strict, self._debug = strict, debug
        # Equal ids mostly follow each other.
        self._last: Letter | None = None

    def check(self, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Each line that is not blank, with fresh evidence, findings and status.

        Lines are records, or hold ``letter_id`` and ``answer``. One that cannot be checked is ``failed``, with the
        reason under ``error``.
        """
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield self._checked(number, line)

    def _checked(self, number: int, text: str) -> dict[str, Any]:
        try:
            line = strict_json(text)
            if not isinstance(line, dict) or not isinstance(line.get("letter_id"), str):
                raise ValueError
        except ValueError:
            reason = f"line {number} is not a JSON object with a letter_id"
            return _failed({"letter_id": None, "answer": None}, "bad_line", reason)
        try:
            letter = self._letter(line["letter_id"])
            checked = check_line(line, letter, self._type(line, letter), strict=self._strict)
            return {**line, **_error_of(line, checked.status), **checked.as_dict()}
        except LetterError as error:
            return _failed(line, error.code, error.message)
        except Exception as error:  # a bug triggered by one line must not affect the others
            if self._debug:
                raise
            return _failed(line, INTERNAL, f"internal error: {type(error).__name__}")

    def _type(self, line: Mapping[str, Any], letter: Letter) -> LetterType:
        named = next((kind for kind in self._types if kind.name == line.get("letter_type")), None)
        return named or only_or_type_of(letter, self._types)

    def _letter(self, letter_id: str) -> Letter:
        if self._last is None or self._last.id != letter_id:
            with pages_read_by(self._reader):
                file = self._index.get(letter_id)
                if file is None:
                    raise LetterError(
                        "no letter has this id; name the folder its id was made from", code="letter_not_found"
                    )
                self._last = letter_in(file)
        return self._last


def _error_of(line: Mapping[str, Any], status: Status) -> dict[str, Any]:
    """The line's ``error``: only a letter without a valid answer has one, and only in a record's form."""
    return {} if "error" not in line or (status == "failed" and _is_failure(line["error"])) else {"error": None}


def _is_failure(given: object) -> bool:
    return (
        isinstance(given, dict)
        and {"code", "message"} <= set(given) <= {"code", "message", "hint"}
        and all(isinstance(each, str) for each in given.values())
    )


def _failed(line: dict[str, Any], code: str, message: str) -> dict[str, Any]:
    fresh = {"status": "failed", "evidence": {}, "proof": {}, "withheld": {}, "findings": []}
    return {**line, **fresh, "error": {"code": code, "message": message}}
