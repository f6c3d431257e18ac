"""Letters: finding them on disk and reading them without changing a character."""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from extractor.errors import LetterError, UsageError
from extractor.spans import FoldedText, Span

SUFFIXES = (".txt",)
_PDF = "make text of a PDF first, e.g. pdftotext -layout FILE.pdf"
MAX_BYTES = 20_000_000

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Letter:
    """One document.

    ``text`` is the raw text, exactly as decoded from the file (line ends included). ``pages``
    are raw spans of the letter's own pages where the text marks them (form feeds), else empty.
    """

    id: str
    text: str
    pages: tuple[Span, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def folded(self) -> FoldedText:
        """The view that matching runs on."""
        return FoldedText(self.text)

    def page_of(self, offset: int) -> int | None:
        """1-based letter page of a raw offset; ``None`` where the text marks no pages."""
        if not self.pages:
            return None
        return bisect_right(self._page_starts, offset)

    @cached_property
    def _page_starts(self) -> list[int]:
        return [page.start for page in self.pages]


class LetterFile(NamedTuple):
    """A letter not yet read: its id and where it lies."""

    id: str
    path: Path


def find_letters(paths: Iterable[Path]) -> list[LetterFile]:
    """All letters among files and folders (searched recursively), in a stable order.

    A letter's id is its path below the folder that was named, without the suffix; for a file
    named directly, its stem. Equal ids get the parent folder's name in front.

    Raises ``UsageError`` for a path that does not exist, and when no letter is found at all.
    """
    named = list(paths)
    found: dict[Path, str] = {}
    for path in named:
        if not _exists(path):
            hint = "name letter files (.txt) or folders that hold them"
            raise UsageError(f"no such file or folder: {_printable(str(path))}", hint=hint)
        for file, letter_id in _letters_below(path):
            found.setdefault(file.resolve(), _printable(letter_id))
    if not found:
        listed = ", ".join(map(str, named)) or "(nothing named)"
        raise UsageError(f"no letters in {listed}", hint=f"letters are files that end in {', '.join(SUFFIXES)}; {_PDF}")
    return sorted(_told_apart(found))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # e.g. a name too long for the disk
        return False


def _printable(name: str) -> str:
    """A file name that is not valid UTF-8 made so, its odd bytes as ``\\xNN``: ids stand in JSON and SQLite."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _letters_below(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_file():
        yield path, path.stem
        return
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if file.suffix.lower() in SUFFIXES and file.is_file() and not hidden:
            yield file, relative.with_suffix("").as_posix()


def _told_apart(found: dict[Path, str]) -> Iterator[LetterFile]:
    """Give files with equal ids their parent folders' names in front, as many as it takes; at last the whole name."""
    ids = dict(found)
    for depth in range(1, 20):
        times = Counter(ids.values())
        if max(times.values()) == 1:
            break
        for path, letter_id in ids.items():
            if times[letter_id] > 1:
                ids[path] = _printable("/".join((*path.parent.parts[-depth:], path.stem)).lstrip("/"))
    times = Counter(ids.values())
    for path, letter_id in ids.items():
        yield LetterFile(letter_id if times[letter_id] == 1 else _printable(str(path).lstrip("/")), path)


def read_letter(file: LetterFile) -> Letter:
    """Read one text file.

    Encodings: UTF-8 and UTF-16 by their marks, else UTF-8, else Windows-1252.

    Raises ``LetterError`` with code ``unreadable``, ``too_large``, ``empty``, ``binary`` or ``encoding``.
    """
    try:
        if file.path.stat().st_size > MAX_BYTES:
            raise LetterError(
                f"{file.path} is larger than {MAX_BYTES:,} bytes", code="too_large", hint="split it into letters"
            )
        data = file.path.read_bytes()
    except OSError as error:
        raise LetterError(
            f"cannot read {file.path}: {error.strerror}", code="unreadable", hint="check that it exists and may be read"
        ) from error
    return letter_from_text(file.id, _decode(data, file.path), str(file.path))


def letter_from_text(letter_id: str, text: str, name: str = "the text") -> Letter:
    """A letter from text already in memory. Raises ``LetterError`` if it holds no words or is binary."""
    if not text.strip():
        raise LetterError(f"{name} is empty", code="empty", hint="remove it, or export it again")
    if len(_CONTROL.findall(text)) > 8 + len(text) // 100:
        raise LetterError(f"{name} is not text", code="binary", hint="export the letter as text (.txt, UTF-8)")
    return Letter(letter_id, text, _pages(text))


def _decode(data: bytes, path: Path) -> str:
    if data.startswith(b"%PDF-"):
        raise LetterError(f"{path} is a PDF", code="pdf", hint=_PDF)
    encoding = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        pass
    if data.count(0) > len(data) // 100:
        raise LetterError(f"{path} is not text", code="binary", hint="export the letter as text (.txt, UTF-8)")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise LetterError(
            f"{path} is neither UTF-8, UTF-16 nor Windows-1252 text (byte {error.start})",
            code="encoding",
            hint="save it as UTF-8",
        ) from error


def _pages(text: str) -> tuple[Span, ...]:
    """Pages as form feeds part them; blank pages count, but those behind the last words do not."""
    end = len(text.rstrip())
    cuts = [match.end() for match in re.finditer("\f", text) if match.start() < end]
    if not cuts:
        return ()
    starts = [0, *cuts]
    return tuple(Span(start, stop) for start, stop in zip(starts, [*cuts, len(text)], strict=True))
