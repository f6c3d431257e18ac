"""The letters of a run: where they lie, and whether they still say what the run read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from extractor.errors import LetterError, UsageError
from extractor.letter import Letter, LetterFile, LetterIndex, Starts, find_letters, read_letter

_KEPT = 32


class Letters:
    """Letters by id, read when wanted; only what was found at the start can be read.

    Raises ``UsageError`` if none of the records' letters lies under ``paths``.
    """

    def __init__(self, paths: Sequence[Path], wanted: Sequence[str], starts: Starts | None = None) -> None:
        index = LetterIndex(find_letters(paths), starts)
        self._files = {letter_id: file for letter_id in wanted if (file := index.get(letter_id))}
        self.missing = [letter_id for letter_id in wanted if letter_id not in self._files]
        if wanted and not self._files:
            listed = ", ".join(map(str, paths))
            raise UsageError(
                f"none of the run's letters is in {listed}",
                hint="name the files or folders that the run was given: --letters PATH",
            )
        self._read = lru_cache(maxsize=_KEPT)(read_letter)

    def file(self, letter_id: str) -> LetterFile | None:
        return self._files.get(letter_id)

    def get(self, record: Mapping[str, Any]) -> tuple[Letter | None, str]:
        """The letter that a record was made from; ``None`` with the reason in plain words if it is not at hand."""
        file = self.file(record["letter_id"])
        if file is None:
            return None, "The letter\u2019s file was not found; start again and name its folder with --letters."
        try:
            letter = self._read(file)
        except LetterError as error:
            return None, f"The letter cannot be read ({error.code})."
        if letter.sha256 != record["letter_sha256"]:
            self._read.cache_clear()  # it may be put back
            return None, "The letter\u2019s text has changed since the run read it; run it again, then review it."
        return letter, ""
