"""The letters of a plain folder in little memory: names alone, until each has its turn.

A hundred thousand letters take 100 MB as ``LetterFile``, and 3 MB as names.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import pairwise
from pathlib import Path
from typing import overload

from extractor.letters.formats.archive import is_hidden
from extractor.letters.formats.kinds import BY_SUFFIX, suffix_of
from extractor.letters.places.names import printable, stem_of
from extractor.letters.places.sources import CONTAINERS, LetterFile, page_of

# Names sorted together: as separate objects they take five times the memory.
_PART = 4_096


class Names(Sequence[bytes]):
    """Many short byte strings as one long one."""

    def __init__(self, names: Iterable[bytes]) -> None:
        self._all = bytearray()
        self._starts = array("Q", [0])
        for name in names:
            self._all += name
            self._starts.append(len(self._all))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[bytes]: ...

    def __getitem__(self, at: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        at = range(len(self))[at]
        return bytes(self._all[self._starts[at] : self._starts[at + 1]])


class Listing(Sequence[LetterFile]):
    """Files below one folder, each a separate letter.

    ``names`` are their paths below it in UTF-8, with a NUL between stem and suffix: so their own order is that of
    the stems, which are the ids.
    """

    def __init__(self, folder: Path, names: Names) -> None:
        self._folder = folder
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> LetterFile: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[LetterFile]: ...

    def __getitem__(self, at: int | slice) -> LetterFile | Sequence[LetterFile]:
        if isinstance(at, slice):
            return [self[each] for each in range(len(self))[at]]
        stem, _, suffix = self._names[at].decode().partition("\0")
        return LetterFile(stem, self._folder / (stem + suffix))


def plain_listing(folder: Path) -> Listing | None:
    """All letters below a folder, as ``find_files`` finds them; ``None`` where finding them takes more than names.

    So it is for archives, mails, pages of one letter in several files, two forms of one letter, links,
    files that are passed over, and folders that may not be opened.
    """
    parts: list[Names] = []
    part: list[bytes] = []
    try:
        for name in _names(folder):
            if not _is_plain(name):
                return None
            stem = stem_of(name)
            part.append(f"{stem}\0{name[len(stem) :]}".encode())
            if len(part) == _PART:
                parts.append(Names(sorted(part)))
                part.clear()
    except (OSError, UnicodeError):  # an odd byte in a name is written otherwise in its id
        return None
    names = Names(merge(*parts, sorted(part)))
    if not names or any(one.partition(b"\0")[0] == other.partition(b"\0")[0] for one, other in pairwise(names)):
        return None
    return Listing(folder, names)


def _names(root: Path) -> Iterator[str]:
    prefixes = [""]
    while prefixes:
        prefix = prefixes.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    prefixes.append(f"{prefix}{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield prefix + entry.name
                else:
                    raise OSError(f"not a file: {entry.name}")


def _is_plain(name: str) -> bool:
    if printable(name) != name:
        return False
    suffix = suffix_of(name)
    _, mark, piece = stem_of(name).rpartition("#")
    return suffix in BY_SUFFIX and suffix not in CONTAINERS and not page_of(name) and not (mark and piece.isdigit())
