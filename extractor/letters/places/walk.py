"""All files below a folder: one odd entry never ends the search, and no link leads out of the folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from extractor.letters.formats.archive import is_hidden
from extractor.letters.places.names import printable
from extractor.letters.places.passed import Passed, Reason


def walk(root: Path, passed: Passed) -> Iterator[tuple[str, Path]]:
    """Regular files below ``root`` with their names there, in the order of the names, folder by folder.

    Hidden entries are left out. Links to files inside ``root`` are followed; other links, folders
    that may not be opened, pipes, sockets and devices are passed over.
    """
    inside = root.resolve()
    # An explicit stack: the depth of folders must not matter.
    waiting = [_entries(root, "", passed)]
    while waiting:
        entry, prefix = next(waiting[-1], (None, ""))
        if entry is None:
            waiting.pop()
            continue
        name, path = prefix + printable(entry.name), Path(entry.path)
        try:
            if entry.is_symlink():
                if _leads_to_file(path, name, inside, passed):
                    yield name, path
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(_entries(path, f"{name}/", passed))
            elif entry.is_file(follow_symlinks=False):
                yield name, path
            else:
                passed.over("special", name)
        except OSError as error:
            passed.over(_reason(error), name)


def _entries(folder: Path, prefix: str, passed: Passed) -> Iterator[tuple[os.DirEntry[str], str]]:
    try:
        with os.scandir(folder) as entries:
            inner = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        passed.over(_reason(error), prefix.rstrip("/") or printable(str(folder)))
        return
    for entry in inner:
        if not is_hidden(entry.name):
            yield entry, prefix


def _reason(error: OSError) -> Reason:
    return "too_long" if error.errno == errno.ENAMETOOLONG else "closed"


def _leads_to_file(link: Path, name: str, inside: Path, passed: Passed) -> bool:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # a loop is a RuntimeError before Python 3.13
        passed.over("broken", name)
        return False
    if not target.is_relative_to(inside):
        passed.over("outside", name)
    elif target.is_dir():
        passed.over("folder_link", name)
    elif not target.is_file():
        passed.over("special", name)
    else:
        passed.linked = True
        return True
    return False
