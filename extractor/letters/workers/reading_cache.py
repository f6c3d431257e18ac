"""Readings of PDF files and pictures, kept in a folder: no page is recognized twice.

One file a reading, named by a hash of the file's bytes, its kind and the reader's version. A reading that was
changed on the disk, or half written, is found by its hash and read again. Moving or renaming a letter changes
nothing. The folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from extractor.errors import LedgerError, LetterError
from extractor.letters.documents import Document
from extractor.letters.workers.frames import LONGEST, packed, unpacked
from extractor.letters.workers.page_readers import PageReader
from extractor.letters.workers.processes import read_in_process
from extractor.letters.workers.reader_version import reader_version

# The folder's name in a run folder.
FOLDER = "readings"
# Bytes that a folder of readings may take: about 60,000 scanned letters of six pages.
LIMIT = 4_000_000_000
# The least recently used readings go until this share of the limit is left.
_KEPT_SHARE = 0.9
# Failures that cost as much as a reading and are as certain.
_CERTAIN = frozenset({"no_text", "garbage_text"})
_DIGEST = 32
_SUFFIX, _PART = ".reading", ".part"
# What a killed run left half written is removed after so many seconds.
_OLD_PART = 3600.0


class _Entry(NamedTuple):
    used: float
    size: int
    path: Path


class ReadingCache:
    """A ``PageReader`` that keeps what ``reader`` finds; may be called from any thread and by several processes.

    ``limit`` bounds the folder in bytes; without ``keeps``, nothing is written there. A folder that cannot be
    written costs the readings, and no letter.
    Raises ``LedgerError`` if ``folder`` is a link or a file.
    """

    def __init__(
        self,
        folder: Path,
        reader: PageReader = read_in_process,
        limit: int = LIMIT,
        version: Callable[[], str] = reader_version,
        *,
        keeps: bool = True,
    ) -> None:
        self._keeps = keeps
        self.folder, self.limit = folder, limit
        self._reader, self._version = reader, version
        self._lock = Lock()
        # Counted when the first reading is written.
        self._size: int | None = None
        with suppress(FileNotFoundError, NotADirectoryError):
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise LedgerError(f"{folder} is not a folder", hint="move it away, or name another run folder")

    def __call__(self, kind: str, data: bytes, name: str) -> Document:
        """The kept reading of these bytes, or else ``reader``'s, which is then kept. Raises as ``reader`` does."""
        path = self._path(kind, data)
        kept = self._kept(path)
        if kept is not None:
            found = _opened(kept, name)
            if isinstance(found, LetterError):
                raise found
            if found is not None:
                return found
        try:
            document = self._reader(kind, data, name)
        except LetterError as error:
            if error.code in _CERTAIN:
                self._keep(path, {"code": error.code, "message": error.message, "hint": error.hint, "name": name})
            raise
        self._keep(path, {"document": packed(document)})
        return document

    def _path(self, kind: str, data: bytes) -> Path:
        digest = hashlib.sha256(f"{kind}\n{self._version()}\n".encode())
        digest.update(hashlib.sha256(data).digest())
        key = digest.hexdigest()
        return self.folder / key[:2] / (key[2:] + _SUFFIX)

    def _kept(self, path: Path) -> dict[str, Any] | None:
        """What a file holds; ``None`` if there is none, or not what was written."""
        try:
            data = path.read_bytes()
        except OSError:
            return None
        payload = data[_DIGEST:]
        if hashlib.sha256(payload).digest() != data[:_DIGEST]:
            return None
        if self._keeps:
            with suppress(OSError):
                os.utime(path)
        unpacker = zlib.decompressobj()
        kept: dict[str, Any] = json.loads(unpacker.decompress(payload, LONGEST))
        return kept

    def _keep(self, path: Path, kept: dict[str, Any]) -> None:
        if not self._keeps:
            return
        payload = zlib.compress(json.dumps(kept).encode(), 6)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(dir=path.parent, suffix=_PART)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(hashlib.sha256(payload).digest() + payload)
                os.replace(part, path)
            except OSError:
                with suppress(OSError):
                    os.unlink(part)
                raise
            self._added(_DIGEST + len(payload))

    def _added(self, size: int) -> None:
        """Count what was written; over the limit, remove the readings that were not used for longest."""
        with self._lock:
            if self._size is None:
                self._size = sum(entry.size for entry in self._entries())
            else:
                self._size += size
            if self._size <= self.limit:
                return
            entries = sorted(self._entries())
            self._size = sum(entry.size for entry in entries)
            for entry in entries:
                if self._size <= _KEPT_SHARE * self.limit:
                    return
                with suppress(OSError):
                    entry.path.unlink()
                self._size -= entry.size

    def _entries(self) -> Iterator[_Entry]:
        for shelf in self.folder.iterdir():
            for path in shelf.iterdir() if shelf.is_dir() else ():
                with suppress(OSError):
                    found = path.stat()
                    if path.suffix == _PART and time.time() - found.st_mtime > _OLD_PART:
                        path.unlink()
                    elif path.suffix == _SUFFIX:
                        yield _Entry(found.st_mtime, found.st_size, path)


def _opened(kept: dict[str, Any], name: str) -> Document | LetterError | None:
    try:
        if "document" in kept:
            return unpacked(kept["document"])
        message = kept["message"].replace(kept["name"], name)
        return LetterError(message, code=kept["code"], hint=kept["hint"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
