"""One run at a time on one folder: a lock that the system releases when its process ends, for whatever reason."""

from __future__ import annotations

import os
import time
from pathlib import Path

from extractor.errors import LedgerError

try:
    import fcntl
except ImportError:  # Windows: two runs on one folder are not detected there
    fcntl = None  # type: ignore[assignment]

LOCK = "run.lock"


def locked(folder: Path) -> int:
    """The open lock file; closing it frees the folder. Raises ``LedgerError`` if it is taken."""
    handle = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    for more in (True, True, False):
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if more:
                # A process that only tests for a run holds the lock for a moment.
                time.sleep(0.05)
    os.close(handle)
    raise LedgerError(f"another run is using {folder}", hint="wait for it, or name another --out folder")


def running(folder: Path) -> bool:
    """Whether a run is using the folder now."""
    if fcntl is None:
        return False
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
