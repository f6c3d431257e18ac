"""Files that are written whole or not at all, private to the user: they hold words of letters."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from extractor.errors import LedgerError, UsageError

try:
    import fcntl
except ImportError:  # Windows: parts of killed commands stay there
    fcntl = None  # type: ignore[assignment]

# What a run folder is made of: written by run, batch, merge and review, and by nothing else.
RUN_FILES = frozenset(
    [
        *("run.db", "run.db-wal", "run.db-shm", "run.db-journal", "run.lock"),
        *("records.jsonl", "review.jsonl", "audits.jsonl", "batch.db"),
    ]
)
_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part", re.DOTALL)
_HINT = "free the disk, or name another place"


def output_file(
    path: Path, hint: str = _HINT, *, private: bool = True, parents: bool = False
) -> AbstractContextManager[BinaryIO]:
    """``whole_file`` for a file that the user named: files of a run are refused.

    With ``parents`` the folders above it are made. Raises ``UsageError``.
    """
    _refuse_run_file(path)
    if parents:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        except OSError as error:
            raise UsageError(f"cannot write {_short(path)}: {error.strerror}", hint=hint) from error
    return whole_file(path, hint, private=private)


@contextmanager
def whole_file(path: Path, hint: str = _HINT, *, private: bool = True) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends; after an error ``path`` is unchanged.

    ``path`` is a file or nothing yet: never a link, a device, a pipe or a folder. What a killed
    command left half written beside it is removed. Raises ``UsageError`` with ``hint`` if it cannot be written.
    """
    temporary: Path | None = None
    try:
        mode = _mode(path, private)
        _remove_parts(path.parent)
        # In the same folder, because a move is atomic only within one file system.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield file
            file.flush()
            temporary.chmod(mode)
            os.fsync(file.fileno())
            temporary.replace(path)
        temporary = None
    except OSError as error:
        raise UsageError(f"cannot write {_short(path)}: {error.strerror or error}", hint=hint) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def work_folder(folder: Path, name: str) -> Iterator[Path]:
    """A private folder in ``folder`` for files that are not whole yet; it is removed when the block ends.

    What the block moves out of it stays; the folder itself may be moved too. What a killed command left of
    such folders is removed first. Raises ``OSError``.
    """
    _remove_parts(folder)
    work = Path(tempfile.mkdtemp(dir=folder, prefix=f".{name[:60]}.", suffix=".part"))
    handle = os.open(work, os.O_RDONLY) if fcntl is not None else None
    try:
        if handle is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def is_part(path: Path) -> bool:
    """Whether a path is named like a file or folder that is not whole yet."""
    return _PART.fullmatch(path.name) is not None


def refuse_odd_files(folder: Path) -> None:
    """Raise ``LedgerError`` if a file of the run in ``folder`` is a link, a pipe or a device.

    A link leads elsewhere, and opening a pipe waits for its other end. Every opening of a run folder calls this first.
    """
    for name in sorted(RUN_FILES):
        path = folder / name
        try:
            what = _odd_kind(path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            hint = "make the folder readable, or name another one"
            raise LedgerError(f"cannot read {_short(path)}: {error.strerror}", hint=hint) from error
        if what:
            raise LedgerError(f"{path} is {what}, not a file", hint="move it away, or name another folder")


def text_of(path: Path) -> str:
    """The UTF-8 text of a file. Raises ``OSError``, also for a pipe or a device: it never waits for another end."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        if what := _odd_kind(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
        return file.read().decode()


def _mode(path: Path, private: bool) -> int:
    """The mode of the new file. Raises ``UsageError`` if no file can be written at ``path``."""
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return 0o600 if private else 0o644
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if what := _odd_kind(found):
        hint = "name the file that it leads to" if stat.S_ISLNK(found) else "name a file"
        raise UsageError(f"cannot write {_short(path)}: it is {what}", hint=hint)
    return 0o600 if private else stat.S_IMODE(found)


def _odd_kind(mode: int) -> str:
    """What is there, in words; empty for a file."""
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "")


def _refuse_run_file(path: Path) -> None:
    inside_batch = (path.parent / "batch.db").exists()
    if (path.name.casefold() in RUN_FILES and (path.exists() or (path.parent / "run.db").exists())) or inside_batch:
        raise UsageError(f"{path} is a file of a run, or among them", hint="name another file")


def _remove_parts(folder: Path) -> None:
    """Remove what killed commands left half written. A part that is being written is locked."""
    if fcntl is None:
        return
    with os.scandir(folder) as entries:
        parts = [
            (entry.path, entry.is_dir(follow_symlinks=False))
            for entry in entries
            if _PART.fullmatch(entry.name)
            and (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
        ]
    for part, is_folder in parts:
        with suppress(OSError):
            handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(part) if is_folder else os.unlink(part)
            finally:
                os.close(handle)


def _short(path: Path) -> str:
    name = str(path)
    return name if len(name) <= 400 else f"{name[:400]}..."
