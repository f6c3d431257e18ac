"""A run folder whose files are links, pipes, folders, sockets or devices: every command that opens it refuses at once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from extractor.errors import LedgerError
from extractor.runs.ledger import Ledger, LedgerView
from tests.support.toy import cli, put, write_toy

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such entries there")

COMMANDS = {
    "run": ["run", "letters", "--out", "out"],
    "run --dry-run": ["run", "letters", "--out", "out", "--dry-run"],
    "run --only": ["run", "letters", "--out", "out", "--only", "failed"],
    "status": ["status", "out"],
    "export": ["export", "out"],
    "merge": ["merge", "out", "--out", "new"],
    "merge into": ["merge", "other", "--out", "out"],
    "review": ["review", "out", "--name", "me"],
    "gold from-review": ["gold", "from-review", "out", "--to", "gold"],
    "batch write": ["batch", "write", "letters", "--out", "out", "--model", "openai/toy"],
    "batch poll": ["batch", "poll", "--out", "out"],
    "batch read": ["batch", "read", "--out", "out"],
}
NAMES = ("run.db", "run.db-wal", "run.lock", "records.jsonl", "review.jsonl")
KINDS = ("pipe", "folder", "link", "link to nothing", "link to a device", "socket")


@contextmanager
def seconds(limit: int) -> Iterator[None]:
    """A command that waits for the other end of a pipe fails the test, and does not hang it."""

    def late(*_: object) -> NoReturn:
        raise AssertionError("the command waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(limit)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def put_odd(kind: str, at: Path) -> None:
    at.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(at)
    elif kind == "folder":
        at.mkdir()
    elif kind == "socket":
        with closing(socket.socket(socket.AF_UNIX)) as made:
            made.bind(os.path.relpath(at))
    elif kind == "link":
        at.symlink_to(put(at.parent.parent / "elsewhere/target", "mine"))
    else:
        at.symlink_to("/dev/zero" if kind == "link to a device" else at.parent / "nothing")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with two finished runs, ``out`` and ``other``."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    assert cli("run", "letters", "--out", "out").code == 0
    shutil.copytree("out", "other")
    return tmp_path / "toy"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sample(2)
def test_every_command_refuses(toy: Path, name: str) -> None:
    for kind in KINDS:
        out = toy / "out"
        shutil.rmtree(out)
        shutil.copytree("other", out)
        put_odd(kind, out / name)
        kept = {path: path.read_bytes() for path in out.iterdir() if path.is_file() and not path.is_symlink()}
        for command, words in COMMANDS.items():
            with seconds(60):
                ran = cli(*words)
            assert (ran.code, f"{name} is a" in ran.err) == (2, True), (command, kind, ran)
        assert {path: path.read_bytes() for path in kept} == kept
        assert sorted(path.name for path in out.iterdir()) == sorted({*(path.name for path in kept), name})
    assert [target.read_text() for target in toy.rglob("target")] == ["mine"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_library_refuses(toy: Path, kind: str) -> None:
    put_odd(kind, toy / "out/records.jsonl")
    for opened in (Ledger, LedgerView):
        with seconds(60), pytest.raises(LedgerError, match=r"records\.jsonl is a"):
            opened(toy / "out")
