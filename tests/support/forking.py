"""Commands in processes that end at a chosen change to their files, as if killed there.

A server process imports everything once and forks for each command, so that a trial costs no start-up. In the
forked process an audit hook counts the changes it makes below its folder (files opened for writing, renamed,
removed; folders made; statements of SQLite) and sends itself SIGKILL just before the chosen one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
_SQL = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|COMMIT)", re.IGNORECASE)


@dataclass(frozen=True)
class Ended:
    """What became of one command: its exit code (-9 if killed), what it printed, and the changes it made in order."""

    code: int
    text: str
    changes: tuple[str, ...]


@dataclass
class Forking:
    """The server of such processes; one command at a time."""

    process: subprocess.Popen[str]
    log: Path

    def start(self, root: Path, *words: str, **limits: Any) -> int:
        """Start a command in ``root``; returns its process id.

        ``limits``: ``stop_at`` (killed before that change; 0: never), ``env`` (further variables), ``out`` (where
        standard output goes, in place of the log), ``free`` (files that it may still open; ``None``: any number).
        """
        assert self.process.stdin
        self.log.write_text("")
        request = {"cwd": str(root), "words": words, "log": str(self.log), "limits": limits}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._number()

    def printed(self) -> str:
        """What the command has printed so far."""
        return self.log.read_text("utf-8", "replace")

    def end(self) -> Ended:
        """Wait for the end of the command that was started."""
        code = self._number()
        return Ended(code, self.printed(), tuple(_changes(self.log).read_text("utf-8").splitlines()))

    def run(self, root: Path, *words: str, **limits: Any) -> Ended:
        """Start a command and wait for its end."""
        self.start(root, *words, **limits)
        return self.end()

    def _number(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())


@contextmanager
def forking(folder: Path) -> Iterator[Forking]:
    """A running server that keeps its logs in ``folder``."""
    words = [sys.executable, "-m", "tests.support.forking"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Forking(process, folder / "log")
        assert process.stdin
        process.stdin.close()


def spread(count: int, most: int) -> list[int]:
    """At most so many of the numbers 1 to ``count``, evenly spread, with both ends."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (most - 1)) for i in range(most)})


# ---- inside the server and its children -----------------------------------------------------------


def _changes(log: Path) -> Path:
    return log.with_suffix(".changes")


class _Hook:
    """Counts the changes, and ends the process before the chosen one."""

    def __init__(self, root: str, log: Path, stop_at: int) -> None:
        self.root, self.stop_at, self.count = root, stop_at, 0
        self.out = os.open(_changes(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = args
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (mode is None and flags & _WRITES):
                self.change("open", path)
        elif event in _EVENTS:
            self.change(event, args[0])

    def statement(self, text: str) -> None:
        if found := _SQL.match(text):
            self.add(f"sql {found[1].upper()}")

    def change(self, event: str, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            where = os.path.join(self.root, os.fsdecode(path))
            if where.startswith(self.root + os.sep):
                self.add(f"{event} {os.path.relpath(where, self.root)!a}")

    def add(self, change: str) -> None:
        self.count += 1
        if self.count == self.stop_at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(self.out, f"{change}\n".encode())


def _import_all() -> None:
    import extractor

    for module in pkgutil.walk_packages(extractor.__path__, "extractor."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):
                importlib.import_module(module.name)


def _child(cwd: str, words: list[str], log: str, limits: dict[str, Any]) -> None:
    from extractor.cli.app import main

    os.chdir(cwd)
    os.environ.update(limits.get("env") or {})
    sys.dont_write_bytecode = True
    for handle, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, limits.get("out") or log, os.O_WRONLY | os.O_APPEND),
        (2, log, os.O_WRONLY | os.O_APPEND),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, handle)
        os.close(opened)
    sys.argv = ["extractor", *words]
    hook = _Hook(os.path.realpath(cwd), Path(log), limits.get("stop_at", 0))
    sys.addaudithook(hook)
    connect = sqlite3.connect

    def traced(*words: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*words, **named)
        connection.set_trace_callback(hook.statement)
        return connection

    sqlite3.connect = traced  # type: ignore[assignment]
    if limits.get("free") is not None:
        _hold_all_but(limits["free"])
    main()


def _hold_all_but(free: int) -> None:
    """Let this process open so many files more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    with suppress(OSError):
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    for handle in held[:free]:
        os.close(handle)


def _serve() -> None:
    _import_all()
    gc.freeze()  # or every child copies what it only looks through
    for line in sys.stdin:
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            _child(**json.loads(line))
            sys.exit(0)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
