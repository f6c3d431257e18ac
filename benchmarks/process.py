"""A command as a process of its own: its cost, measured from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_EVERY = 0.05


@dataclass(frozen=True)
class Used:
    """``cpu`` and ``wall`` in seconds, ``cpu`` with children that ended; ``peak_mb`` of the process alone,
    ``with_children_mb`` the most that it and its children held together; ``code`` as ``subprocess`` returns it.
    """

    cpu: float
    wall: float
    peak_mb: float
    with_children_mb: float
    code: int
    out: str
    err: str


def measured(
    words: Sequence[Any], env: Mapping[str, str] | None = None, kill_when: Callable[[], bool] | None = None
) -> Used:
    """Run a command to its end, or kill it and all its children (-9) as soon as ``kill_when`` returns true."""
    began = time.perf_counter()
    peak = together = 0.0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            list(map(str, words)), stdout=out, stderr=err, cwd=ROOT, start_new_session=True,
            env={**os.environ, "OPENAI_API_KEY": "none", **(env or {})},
        )  # fmt: skip
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            # The kernel's own peak of an ended child holds what its parent had when it forked.
            peak = max(peak, _held(process.pid, "VmHWM"))
            together = max(together, sum(_held(each, "VmRSS") for each in (process.pid, *_children(process.pid))))
            if kill_when and kill_when():
                os.killpg(process.pid, signal.SIGKILL)
                kill_when = None
            time.sleep(_EVERY)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Used(
            usage.ru_utime + usage.ru_stime, time.perf_counter() - began, peak, max(peak, together),
            process.returncode, out.read(), err.read(),
        )  # fmt: skip


def _held(pid: int, name: str) -> float:
    """Megabytes by ``/proc``; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def _children(pid: int) -> list[int]:
    try:
        children = " ".join(each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return []
    found = [int(each) for each in children.split()]
    return found + [deeper for each in found for deeper in _children(each)]
