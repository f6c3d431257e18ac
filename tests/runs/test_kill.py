"""A run that is killed again and again: every letter has one line in the end, and only calls in flight are paid again."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.crowd import Crowd, crowd, good, write_notes
from tests.support.loopback import Asked, Canned
from tests.support.toy import MODEL, records, statuses, wait_for, write_toy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="no such signals there"),
]

LETTERS = 240
KILLS = 24
AT_ONCE = 8


def start(server: Crowd) -> subprocess.Popen[str]:
    words = [
        "run",
        "letters",
        "--out",
        "out",
        "--model",
        MODEL,
        "--base-url",
        server.url,
        "--concurrency",
        str(AT_ONCE),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "extractor", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_killed_at_random_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_toy(tmp_path))
    for path in (tmp_path / "letters").iterdir():
        path.unlink()
    write_notes(tmp_path / "letters", LETTERS)
    chance = random.Random(24)
    # After each kill: calls made so far that left no answer in the ledger.
    lost = [0]
    with crowd(lambda asked: slowly(asked, chance)) as server:
        for _ in range(KILLS):
            before = len(server.begun)
            with start(server) as process:
                wait_for(lambda before=before: len(server.begun) > before, 60)  # type: ignore[misc]
                time.sleep(chance.uniform(0.0, 0.35))
                process.send_signal(signal.SIGKILL)
                process.communicate()
            assert process.returncode == -signal.SIGKILL, "the run ended before it was killed: take more letters"
            wait_for(lambda: server.in_flight == 0)
            lost.append(server.asked.total() - answers(tmp_path / "out"))
            whole_lines(tmp_path / "out")
        with start(server) as process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert [record["letter_id"] for record in records(tmp_path / "out")] == [f"{i:04d}" for i in range(LETTERS)]
    assert set(statuses(tmp_path / "out").values()) == {"accepted"}
    assert all(0 <= after - before <= AT_ONCE for before, after in pairwise(lost))
    # Nothing was asked again but that.
    assert server.asked.total() == LETTERS + lost[-1]
    assert max(lost) > 0


def answers(out: Path) -> int:
    """Questions whose answer is in the ledger."""
    with closing(sqlite3.connect(out / "run.db")) as db:
        return int(db.execute("SELECT COUNT(DISTINCT ask_key) FROM replies").fetchone()[0])


def slowly(asked: Asked, chance: random.Random) -> Canned:
    return good(asked, delay=chance.uniform(0.05, 0.2))


def whole_lines(out: Path) -> None:
    """At any moment every line but perhaps the last is whole, and no letter has two."""
    lines = (out / "records.jsonl").read_text("utf-8").split("\n")[:-1]
    ids = [line.split('"', 4)[3] for line in lines]
    assert all(line.startswith('{"letter_id":') and line.endswith("}") for line in lines)
    assert len(ids) == len(set(ids))
