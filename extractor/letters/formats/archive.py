"""Zip archives, read in memory and not believed: neither their members' names nor their sizes.

Nothing is ever written to disk. Sizes are counted while members are unpacked, whatever the
archive's directory lists.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from extractor.errors import LetterError

# An archive with more members is not a folder of letters.
MAX_MEMBERS = 100_000
# A member may unpack to this many bytes.
MAX_MEMBER = 200_000_000
# Text packs to a twentieth; only what is made to burst packs to a two-hundredth.
MAX_RATIO = 200
_SMALL = 1_000_000
# What a directory of that many members takes; it is held in memory as a whole.
MAX_DIRECTORY = 20_000_000
_TAIL = 70_000
_CHUNK = 1 << 16
# Other methods can turn one chunk into gigabytes before it can be counted.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Member(NamedTuple):
    """One file in a container, not yet read: its place there, its name, and why it will not be read, if so."""

    number: int
    name: str
    problem: LetterError | None = None


class Archive:
    """An open zip archive. Raises ``LetterError``: ``damaged``, ``too_many_members``, ``zip_bomb``."""

    def __init__(self, source: Path | bytes, name: str) -> None:
        self.name = name
        try:
            with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
                held = file.seek(0, io.SEEK_END)
                file.seek(max(0, held - _TAIL))
                if _directory_size(file.read()) > MAX_DIRECTORY:
                    raise _too_many(name)
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
            self._infos = self._zip.infolist()
        except _BROKEN as error:
            raise LetterError(
                f"{name} is not a zip archive that can be read", code="damaged", hint="make it again; it may be cut off"
            ) from error
        if len(self._infos) > MAX_MEMBERS:
            raise _too_many(name)
        if sum(info.compress_size for info in self._infos) > held:
            raise LetterError(
                f"members of {name} overlap", code="zip_bomb", hint="ask who made it; it is not an ordinary zip"
            )
        self.count = len(self._infos)
        # According to its directory; a member never unpacks to more than is stated there.
        self.unpacked = sum(info.file_size for info in self._infos)
        self._names = [info.orig_filename.replace("\\", "/") for info in self._infos]
        self._first = {each: number for number, each in reversed(list(enumerate(self._names)))}

    def members(self) -> Iterator[Member]:
        """All files, in the archive's order; folders, hidden files and what systems put beside files are left out."""
        for number, (info, name) in enumerate(zip(self._infos, self._names, strict=True)):
            # Not ``is_dir``: it fails where a name begins with NUL.
            if not info.filename.endswith("/") and not (is_safe(name) and is_hidden(name)):
                yield Member(number, name, self._problem(number))

    def _problem(self, number: int) -> LetterError | None:
        info, name = self._infos[number], self._names[number]
        if not is_safe(name):
            return _refused(self.name, "a member's name leads out of the archive", "unsafe_name")
        if stat.S_ISLNK(info.external_attr >> 16):
            return _refused(self.name, "a member is a link", "unsafe_name")
        if info.flag_bits & 1:
            return _refused(self.name, "a member is encrypted", "encrypted", "unpack it with its password")
        if self._first[name] != number:
            return _refused(self.name, "two members have one name; this is the later one", "duplicate_name")
        if info.compress_type not in _METHODS:
            return _refused(self.name, "a member is packed by a method that is not read", "unsupported_type")
        return None

    def read(self, number: int, name: str | None = None, limit: int = MAX_MEMBER) -> bytes:
        """One member's bytes; ``name`` is its name when it was listed.

        Raises ``LetterError``: its problem, ``damaged``, ``too_large``, ``zip_bomb``, or ``unreadable`` if
        another member is there now.
        """
        if name is not None and (number >= len(self._names) or self._names[number] != name):
            raise _refused(self.name, "it has changed since it was listed", "unreadable", "run again")
        if problem := self._problem(number):
            raise problem
        info = self._infos[number]
        # The directory is trusted only where it incriminates the member.
        _check_size(info.file_size, self.name, limit, info.compress_size)
        try:
            with self._zip.open(info) as file:
                return _counted(file, self.name, limit, info.compress_size)
        except _BROKEN as error:
            message = f"a member of {self.name} cannot be unpacked"
            raise LetterError(message, code="damaged", hint="make the archive again") from error

    def find(self, name: str) -> int | None:
        """The place of the first member of this name, in any capitals."""
        wanted = name.lower()
        return next((number for number, each in enumerate(self._names) if each.lower() == wanted), None)


def _counted(file: IO[bytes], name: str, limit: int, packed: int) -> bytes:
    """All of a member, unpacked chunk by chunk and no further than allowed."""
    chunks: list[bytes] = []
    size = 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        _check_size(size, name, limit, packed)
        chunks.append(chunk)
    return b"".join(chunks)


def _check_size(size: int, name: str, limit: int, packed: int) -> None:
    if size > _SMALL and size > MAX_RATIO * max(1, packed):
        raise _refused(name, f"a member unpacks to more than {MAX_RATIO} times its size", "zip_bomb")
    if size > limit:
        raise _refused(name, f"a member is larger than {limit:,} bytes", "too_large", "split it into letters")


def _directory_size(tail: bytes) -> int:
    """Bytes of the archive's directory, according to its last record; 0 if there is none."""
    at = tail.rfind(b"PK\x05\x06")
    wide = tail.rfind(b"PK\x06\x06")
    if 0 <= wide <= len(tail) - 48:
        return int(struct.unpack_from("<Q", tail, wide + 40)[0])
    return int(struct.unpack_from("<L", tail, at + 12)[0]) if 0 <= at <= len(tail) - 16 else 0


def _too_many(name: str) -> LetterError:
    message = f"{name} has more than {MAX_MEMBERS:,} members"
    return LetterError(message, code="too_many_members", hint="split it into several archives")


def is_safe(name: str) -> bool:
    """Whether a member's name stays below the folder it would be unpacked to."""
    return not (name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/") or "\0" in name or not name)


def is_hidden(name: str) -> bool:
    """Whether a path below a folder is hidden."""
    return any(part.startswith((".", "__MACOSX")) and part != "." for part in name.split("/"))


def _refused(
    archive: str, what: str, code: str, hint: str = "make the archive again, or unpack it by hand"
) -> LetterError:
    return LetterError(f"{archive}: {what}", code=code, hint=hint)
