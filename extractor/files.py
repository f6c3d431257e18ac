"""Files that are written whole or not at all, private to the user: they hold words of letters."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from extractor.errors import UsageError


@contextmanager
def whole_file(path: Path, hint: str = "free the disk, or name another place") -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends; after an error ``path`` is what it was.

    Raises ``UsageError`` with ``hint`` if it cannot be written.
    """
    temporary: Path | None = None
    try:
        # Made for the user alone; in the same folder, because a file moves at once only on its own disk.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}", hint=hint) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
