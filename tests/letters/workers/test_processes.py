"""Reader processes: one that dies or hangs is one letter's error, and the next letter is read."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import LetterError
from extractor.letters.workers import processes as workers
from extractor.letters.workers.processes import WorkerLimits, close_workers, read_in_process, read_pdf
from tests.support import hostilepdf
from tests.support.imr import LETTERS
from tests.support.makepdf import drawn, typeset

LETTER = typeset((LETTERS / "all-overturned.txt").read_text("utf-8"))
posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this kind")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    close_workers()
    yield
    close_workers()


def processes() -> list[int]:
    return [worker._process.pid for worker in workers._pool._idle]


def test_a_worker_is_kept_for_the_next_file() -> None:
    first = read_pdf(LETTER, "a.pdf")
    [pid] = processes()
    assert read_pdf(LETTER, "b.pdf") == first
    assert processes() == [pid]


@posix
def test_a_worker_that_died_meanwhile_is_replaced() -> None:
    read_pdf(LETTER, "a.pdf")
    [pid] = processes()
    os.kill(pid, signal.SIGKILL)
    assert read_pdf(LETTER, "b.pdf").text.startswith("Case Number:")
    assert processes() != [pid]


def test_a_worker_is_replaced_after_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "FILES_PER_WORKER", 2)
    read_pdf(LETTER, "a.pdf")
    assert len(processes()) == 1
    read_pdf(LETTER, "b.pdf")
    assert processes() == []


@posix
@pytest.mark.parametrize("limits", [WorkerLimits(step=0.3), WorkerLimits(total=0.3)])
def test_a_file_that_takes_too_long_is_given_up(limits: WorkerLimits) -> None:
    started = time.monotonic()
    with pytest.raises(LetterError) as raised:
        read_in_process("pdf", hostilepdf.nested_forms(), "folder/slow.pdf", limits)
    assert raised.value.code == "timeout"
    assert "folder/slow.pdf was given up after 0.3 seconds" in raised.value.message
    assert time.monotonic() - started < 10
    assert processes() == []


@posix
def test_a_file_gets_no_more_memory_than_its_limit() -> None:
    with pytest.raises(LetterError) as raised:
        read_in_process("pdf", hostilepdf.stream_bomb(512), "bomb.pdf", WorkerLimits(memory=300 << 20))
    assert raised.value.code in ("worker_crashed", "too_large")
    assert raised.value.hint


@posix
def test_what_an_earlier_file_left_behind_is_not_the_next_ones_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A used worker that dies gets a second try in a new one; a new one that dies does not."""
    read_pdf(LETTER, "a.pdf")
    [worker] = workers._pool._idle
    ask = workers._Worker.ask
    asked = []

    def dying(self: workers._Worker, order: dict[str, Any], data: bytes) -> object:
        asked.append(self)
        if self is worker:
            self.kill()
        return ask(self, order, data)

    monkeypatch.setattr(workers._Worker, "ask", dying)
    assert read_pdf(LETTER, "b.pdf").text.startswith("Case Number:")
    assert len(asked) == 2
    assert asked[1] is not worker


@pytest.mark.slow
def test_many_threads_share_a_few_workers() -> None:
    letters = {f"{n}.pdf": drawn(lambda canvas, n=n: canvas.drawString(72, 700, f"Letter {n}")) for n in range(24)}
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda item: read_pdf(item[1], item[0]).text, letters.items()))
    assert texts == [f"Letter {n}\n" for n in range(24)]
    assert len(processes()) <= workers.MAX_WORKERS


def test_closing_ends_the_processes_and_the_next_file_starts_one() -> None:
    read_pdf(LETTER, "a.pdf")
    [worker] = workers._pool._idle
    close_workers()
    assert not worker.alive
    assert read_pdf(LETTER, "b.pdf").text


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
def test_workers_know_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-workers")
    read_pdf(LETTER, "a.pdf")
    [pid] = processes()
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"OMP_THREAD_LIMIT=1" in environment
    assert b"sk-not-for-workers" not in environment


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_starts_workers_of_its_own() -> None:
    read_pdf(LETTER, "a.pdf")
    [pid] = processes()
    child = os.fork()
    if not child:
        try:
            same = read_pdf(LETTER, "b.pdf").text.startswith("Case Number:") and processes() != [pid]
            close_workers()
            os._exit(0 if same else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert read_pdf(LETTER, "c.pdf").text
    assert processes() == [pid]


def test_an_interrupt_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    begin = workers._Worker.__init__

    def noted(self: workers._Worker, limits: WorkerLimits) -> None:
        begin(self, limits)
        started.append(self)

    def interrupted(pipe: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr(workers._Worker, "__init__", noted)
    monkeypatch.setattr(workers, "read_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_pdf(LETTER, "a.pdf")
    assert not started[0].alive
    assert processes() == []


def test_an_unknown_task_is_no_crash() -> None:
    with pytest.raises(LetterError) as raised:
        read_in_process("unknown", LETTER, "a.pdf")
    assert raised.value.message == "a.pdf cannot be read (KeyError)"
