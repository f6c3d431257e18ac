"""The letters of a run: where their files are, and whether their text is still what the run read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread

from extractor.errors import LetterError, UsageError
from extractor.letters.letter import Letter, LetterFile, LetterIndex, Starts, find_letters, letter_in
from extractor.letters.places.pictures import page_picture
from extractor.letters.workers.page_readers import PageReader, pages_read_by
from extractor.runs.record import Record

_KEPT = 32
# Pictures of pages, of some hundred kilobytes each.
_KEPT_PICTURES = 48

# What changes when a letter's files do.
Stamp = tuple[tuple[int, int], ...]


class Letters:
    """Letters by id, read when wanted, from any thread; only what was found at the start can be read.

    ``places`` are the files and folders each run was given; a letter is taken from the first that has it. PDF files
    and scans are read by ``reader``. Raises ``UsageError`` if none of the records' letters is there.
    """

    def __init__(
        self,
        places: Sequence[Sequence[Path]],
        wanted: Sequence[str],
        starts: Starts | None = None,
        reader: PageReader | None = None,
    ) -> None:
        self._reader = reader
        self._files: dict[str, LetterFile] = {}
        self.missing = list(wanted)
        trouble = []
        for paths in places:
            try:
                index = LetterIndex(find_letters(paths), starts)
            except UsageError as error:
                trouble.append(error.message)
                continue
            with pages_read_by(reader):
                self._files |= {letter_id: file for letter_id in self.missing if (file := index.get(letter_id))}
            self.missing = [letter_id for letter_id in self.missing if letter_id not in self._files]
            if not self.missing:
                break
        if wanted and not self._files:
            listed = ", ".join(str(path) for paths in places for path in paths)
            raise UsageError(
                "; ".join(trouble) or f"none of the run's letters is in {listed}",
                hint="name the files or folders that the run was given: --letters PATH",
            )
        self._read = lru_cache(maxsize=_KEPT)(self._read_from_disk)
        self._drawn = lru_cache(maxsize=_KEPT_PICTURES)(_drawn)
        self._locks: dict[str, Lock] = {}
        self._ahead = Lock()

    def get(self, record: Record) -> tuple[Letter | None, str]:
        """The letter a record was made from; ``None``, with the reason in plain words, if it cannot be read."""
        file = self._files.get(record.letter_id)
        if file is None:
            return None, "The letter\u2019s file was not found; start again and name its folder with --letters."
        try:
            # A letter that is being read is waited for, not read twice.
            with self._locks.setdefault(file.id, Lock()):
                letter = self._read(file, _stamp(file))
        except LetterError as error:
            if error.code == "unreadable":
                return None, "The letter\u2019s file is gone, or may not be opened; put it back to look at it."
            return None, f"The letter cannot be read ({error.code})."
        if letter.sha256 != record.letter_sha256:
            return None, "The letter\u2019s text has changed since the run read it; run it again, then review it."
        return letter, ""

    def _read_from_disk(self, file: LetterFile, stamp: Stamp) -> Letter:
        with pages_read_by(self._reader):
            return letter_in(file)

    def read_ahead(self, record: Record) -> None:
        """Begin to read a letter that will be wanted next: a scan takes seconds a page. One at a time."""

        def read() -> None:
            try:
                self.get(record)
            finally:
                self._ahead.release()

        if self._ahead.acquire(blocking=False):
            Thread(target=read, name="reading ahead", daemon=True).start()

    def picture(self, record: Record, page: int) -> bytes:
        """The 1-based page of a record's letter as PNG, of files whose pages are known.

        Raises ``UsageError`` if the letter cannot be read, ``LetterError`` if the page cannot be drawn,
        ``LookupError`` if the letter has no such page.
        """
        letter, note = self.get(record)
        if letter is None:
            raise UsageError(note)
        if not 1 <= page <= len(letter.sizes):
            raise LookupError(page)
        file = self._files[record.letter_id]
        return self._drawn(file, _stamp(file), letter.first_page + page - 1, letter.sizes[page - 1].turned)


def _drawn(file: LetterFile, stamp: Stamp, page: int, turned: int) -> bytes:
    return page_picture(file, page, turned)


def _stamp(file: LetterFile) -> Stamp:
    found = []
    for path in (file.path, *(place.path for place in file.rest)):
        try:
            stats = path.stat()
            found.append((stats.st_mtime_ns, stats.st_size))
        except OSError:
            found.append((0, 0))
    return tuple(found)
