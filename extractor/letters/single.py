"""One letter: out of a file that may hold several, out of bytes, or out of text."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from extractor.errors import LetterError, UsageError
from extractor.letters.formats.kinds import kind_of, read_document
from extractor.letters.letter import (
    Letter,
    LetterFile,
    LetterIndex,
    Starts,
    find_letters,
    letter_of,
    letters_in,
    require_id,
)
from extractor.settings import require_path, wrong_kind

_NAMED = 5


def one_letter(
    path: Path, letter_id: str | None = None, starts: Starts | None = None
) -> tuple[LetterFile, Letter | LetterError]:
    """The letter that ``path`` holds, or the one of this id. Raises ``UsageError`` if that is not one letter."""
    files = find_letters([path])
    if letter_id is not None:
        file = LetterIndex(files, starts).get(letter_id)
        if file is None:
            raise UsageError(f"{path} holds no letter {letter_id!r}", hint=f"see: extractor text {path}")
        return next(letters_in(file))
    if len(files) > 1:
        raise UsageError(
            f"{path} holds {len(files)} letters", hint="choose one by its id (--letter ID), or run them all"
        )
    found = list(letters_in(files[0], starts))
    if len(found) > 1:
        ids = ", ".join(file.id for file, _ in found[:_NAMED])
        raise UsageError(f"{path} holds {len(found)} letters", hint=f"choose one by its id (--letter ID), e.g. {ids}")
    return found[0]


def read_letter(path: str | PathLike[str]) -> Letter:
    """The letter in a file of any kind that is read. Raises ``LetterError``, ``UsageError`` if it is not one letter."""
    _, found = one_letter(require_path("path", path))
    if isinstance(found, LetterError):
        raise found
    return found


def letter_from_bytes(data: bytes, name: str, letter_id: str | None = None) -> Letter:
    """The letter in the bytes of a file called ``name``, e.g. of an upload; its id is the name without its ending.

    A PDF or a scan is read in a separate process, as from a file. Raises ``LetterError`` if it cannot be read,
    ``UsageError`` for an archive or mailbox, which may hold many.
    """
    if not isinstance(data, bytes):
        raise wrong_kind("data", "bytes", data, hint="of text: letter_from_text; of a file: read_letter")
    require_id("name", name)
    if letter_id is not None:
        require_id("letter_id", letter_id)
    kind = kind_of(data, name)
    if kind in ("zip", "mail"):
        raise UsageError(f"{name} may hold many letters", hint="save it, and name the file")
    return letter_of(letter_id or Path(name).stem or name, read_document(data, name, kind))
