"""What may come out of one named file, however containers nest in it: members, bytes, and time to unpack them.

An archive of archives of archives holds a million members in a megabyte. So what is taken out of a
named file is counted as a whole, and in proportion to the file's size.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from extractor.errors import LetterError
from extractor.letters.formats.archive import MAX_MEMBERS

# A letter takes more bytes of a file than this, also in an archive of archives.
_BYTES_A_MEMBER = 50
_FEW_MEMBERS = 10_000
# Text packs to a twentieth, and is counted once in each archive that contains it.
_RATIO = 40
_FEW_BYTES = 200_000_000
# Processor seconds: some, and one for each so many bytes of the file.
_FEW_SECONDS = 60.0
_BYTES_A_SECOND = 1_000_000


class SpentError(LetterError):
    """A named file holds more than may be taken out of it: ``too_many_members`` or ``zip_bomb``."""


@dataclass
class UnpackBudget:
    """What may still be taken out of one file: members, ``size`` in bytes, and processor seconds.

    A container that is read again is not counted again.
    """

    members: int
    size: int
    seconds: float
    _counted: set[object] = field(default_factory=set)

    def take(self, key: object, name: str, *, members: int = 0, size: int = 0, seconds: float = 0.0) -> None:
        """Take a container's members and bytes; ``key`` is its location. Raises ``SpentError`` if it is too much."""
        if key in self._counted:
            return
        if members > self.members:
            raise _spent(name, "more members than its size allows", "too_many_members")
        if size > self.size or seconds > self.seconds:
            raise _spent(name, "more than may be unpacked from a file of its size", "zip_bomb")
        self._counted.add(key)
        self.members -= members
        self.size -= size
        self.seconds -= seconds


def budget_of(path: Path) -> UnpackBudget:
    """The one budget of a named file, as long as the file does not change."""
    try:
        found = path.stat()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise LetterError(message, code="unreadable", hint="check that it exists and may be read") from error
    return _budget(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=64)
def _budget(path: Path, changed: int, size: int) -> UnpackBudget:
    return UnpackBudget(
        members=min(MAX_MEMBERS, max(_FEW_MEMBERS, size // _BYTES_A_MEMBER)),
        size=max(_FEW_BYTES, _RATIO * size),
        seconds=_FEW_SECONDS + size / _BYTES_A_SECOND,
    )


def _spent(name: str, what: str, code: str) -> SpentError:
    message = f"the containers in {name} hold {what}"
    return SpentError(message, code=code, hint="unpack it by hand, and name the folder")
