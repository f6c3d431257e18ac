"""A Dask scheduler and workers as processes of this machine, and tasks for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from extractor.letters.documents import Document
from extractor.letters.workers.remote import read_on_worker
from tests.support.imr import ROOT
from tests.support.toy import wait_for

# What docs/many-machines.md asks for.
_SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
_QUIET = {"DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(message)s", "DASK_LOGGING__DISTRIBUTED": "critical"}


@dataclass
class Cluster:
    """A scheduler and its workers, each a process that can be killed."""

    file: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        words = ["--scheduler-file", str(self.file), "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        self.workers.append(_started("dask_worker", *words))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A scheduler of its own with so many workers of one thread."""
    file = folder / "scheduler.json"
    words = ["--scheduler-file", str(file), "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--no-show"]
    made = Cluster(file, _started("dask_scheduler", *words))
    try:
        wait_for(file.exists)
        for _ in range(workers):
            made.add_worker()
        yield made
    finally:
        for process in (*made.workers, made.scheduler):
            made.kill(process)


def _started(module: str, *words: str) -> subprocess.Popen[bytes]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **_QUIET, **_SETTINGS, "PYTHONPATH": str(ROOT)}, **quiet
    )


# ---- tasks, run by workers ---------------------------------------------------------------------


def order(log: Path, name: str, what: str = "read", seconds: float = 0.0) -> bytes:
    """A file that makes ``scripted`` do ``what``: ``read`` it, or ``kill`` its worker."""
    return json.dumps({"log": str(log), "name": name, "what": what, "seconds": seconds}).encode()


def scripted(kind: str, data: bytes, version: str) -> bytes:
    """A task that notes each file it is given, and does what is written there."""
    given = json.loads(data)
    note(Path(given["log"]), f"{given['name']} begun")
    time.sleep(given["seconds"])
    if given["what"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    note(Path(given["log"]), f"{given['name']} done")
    return read_on_worker(kind, data, version, lambda *file: Document(given["name"], "pdf"))


def note(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(f"{line}\n")
