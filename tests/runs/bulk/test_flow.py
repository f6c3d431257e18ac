"""Runs whose files take long to read and whose calls stay open: they hear interrupts and clocks, and lose nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import LetterError
from extractor.letters import read_ahead
from extractor.letters.letter import Letter, LetterFile, find_letters
from extractor.letters.workers.processes import close_workers
from extractor.models.limits import Limiter
from extractor.models.model import Question, Reply
from extractor.runs import bulk
from extractor.runs.bulk.stops import Refusals
from tests.support import makepdf
from tests.support.plans import BurstModel, memos, plan_of, tariff
from tests.support.toy import put

posix = pytest.mark.skipif(os.name == "nt", reason="there are no signals of this kind")


class SilentModel(BurstModel):
    """Answers the letters whose id is below ``until``, and calls ``then`` when it is asked about another."""

    until = "002"
    then: Callable[[], object] = staticmethod(lambda: None)

    async def ask(self, question: Question) -> Reply:
        if question.letter_id >= self.until:
            self.asked.append(question.letter_id)
            self.then()
            await asyncio.Event().wait()
        return await super().ask(question)


def silent(**more: Any) -> SilentModel:
    return SilentModel(tariff(), lambda text: 20, **more)


def run(files: Any, model: BurstModel, out: Path, **more: Any) -> bulk.Summary:
    return asyncio.run(bulk.run(files, plan_of(model), out, concurrency=4, **more))


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, no PDF is ever read."""
    gate, letters_in = threading.Event(), read_ahead.letters_in

    def read(file: LetterFile, starts: Any) -> Iterator[tuple[LetterFile, Letter | LetterError]]:
        if file.path.suffix == ".pdf":
            assert gate.wait(60)
        return letters_in(file, starts)

    monkeypatch.setattr(read_ahead, "letters_in", read)
    yield gate
    gate.set()


def with_scans(folder: Path, texts: int, scans: int) -> list[LetterFile]:
    scanned = [LetterFile(f"scan{n}", put(folder / f"scan{n}.pdf", "NAME: Scanned\n")) for n in range(scans)]
    return [*scanned, *memos(folder, texts)]


def signals(count: int, pause: float = 0.05) -> Callable[[], None]:
    """So many Ctrl-C from another thread."""

    def send() -> None:
        for _ in range(count):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(pause)

    return lambda: threading.Thread(target=send, daemon=True).start()


# ---- while files are read ------------------------------------------------------------------------


@posix
def test_texts_are_asked_and_an_interrupt_is_heard_while_scans_are_read(tmp_path: Path, stuck: threading.Event) -> None:
    """Six scans come first in the list and are never read: the texts behind them get their records."""
    heard: list[bool] = []
    files = with_scans(tmp_path / "in", texts=12, scans=6)
    model = BurstModel(tariff(), lambda text: 20)
    interrupt = signals(1)

    def on_progress(summary: bulk.Summary) -> None:
        if summary.done == 12:
            interrupt()

    summary = run(files, model, tmp_path / "out", on_progress=on_progress, on_interrupt=lambda: heard.append(True))
    assert (summary.statuses["accepted"], summary.left, heard) == (12, 6, [True])
    assert set(summary.next_letters) <= {f"scan{n}" for n in range(6)}
    stuck.set()
    again = run(files, model, tmp_path / "out")
    assert (again.skipped, again.left, again.total) == (12, 0, 18)


def test_max_minutes_ends_a_run_that_only_reads(tmp_path: Path, stuck: threading.Event) -> None:
    files = with_scans(tmp_path / "in", texts=2, scans=3)
    for model in ("test/bursts", "offline"):
        plan = plan_of(BurstModel(tariff(), lambda text: 20, name=model))
        options = bulk.Options(max_minutes=1.0 / 60)
        summary = asyncio.run(bulk.run(files, plan, tmp_path / model.replace("/", "-"), options=options))
        assert (summary.stopped, summary.statuses.total(), summary.left) == ("max_minutes", 2, 3)


def test_a_file_cut_off_in_the_middle_leaves_at_least_one_letter(tmp_path: Path) -> None:
    """Ten letters in one file, of which three are asked when time is over: the others are not forgotten."""
    path = put(tmp_path / "all.txt", "".join(f"NAME: N{n}\f" for n in range(10)))
    plan = plan_of(silent())
    many = replace(plan, letter_type=replace(plan.letter_type, starts=lambda text: [9 * n for n in range(10)]))
    options = bulk.Options(max_minutes=1.0 / 60, grace=0.1)
    summary = asyncio.run(bulk.run([LetterFile("all", path)], many, tmp_path / "out", concurrency=3, options=options))
    assert summary.statuses.total() == 0
    assert 4 <= summary.left <= 10
    assert {"all#1", "all#2", "all#3"} <= set(summary.next_letters)


# ---- while calls are open ------------------------------------------------------------------------


@posix
def test_the_second_interrupt_cancels_calls(tmp_path: Path) -> None:
    files = memos(tmp_path / "in", 6)
    model = silent()
    model.then = lambda: signals(2)() if len(model.asked) == 6 else None
    summary = run(files, model, tmp_path / "out")
    assert (summary.interrupted, summary.stopped, summary.left) == (True, "interrupted", 4)
    assert summary.statuses == {"accepted": 2}
    assert sorted(summary.next_letters) == ["002", "003", "004", "005"]
    model.until = "999"
    again = run(files, model, tmp_path / "out")
    assert (again.skipped, again.left, again.counts["accepted"]) == (2, 0, 6)


def test_out_of_time_calls_are_cancelled_after_the_grace(tmp_path: Path) -> None:
    model = silent()
    options = bulk.Options(max_minutes=0.5 / 60, grace=0.1)
    summary = run(memos(tmp_path / "in", 6), model, tmp_path / "out", options=options)
    assert (summary.stopped, summary.left, summary.statuses) == ("max_minutes", 4, {"accepted": 2})


def test_what_was_answered_before_the_end_is_not_asked_again(tmp_path: Path) -> None:
    """Every letter's first answer is in and its correction is open when time is over: only corrections are left."""

    class NoCorrection(BurstModel):
        async def ask(self, question: Question) -> Reply:
            if question.corrections and not self.params:
                await asyncio.Event().wait()
            return await super().ask(question)

    files = memos(tmp_path / "in", 4)
    model = NoCorrection(tariff(), lambda text: 20, lambda text: True)
    summary = run(files, model, tmp_path / "out", options=bulk.Options(max_minutes=1.0 / 60, grace=0.1))
    assert (summary.left, len(model.asked)) == (4, 4)
    again = BurstModel(tariff(), lambda text: 20, lambda text: True)
    assert run(files, again, tmp_path / "out").counts == {"accepted": 4}
    assert sorted(again.asked) == ["000", "001", "002", "003"]


# ---- an endpoint that only refuses ---------------------------------------------------------------


@dataclass
class Refusing(BurstModel):
    """Every call is refused, and waits for its next turn."""

    limiter: Limiter | None = None

    async def ask(self, question: Question) -> Reply:
        assert self.limiter is not None
        while True:
            call = await self.limiter.permit(100)
            self.limiter.refused(call, {}, 0.05, 1.0)


def test_a_run_that_only_meets_refusals_ends(tmp_path: Path) -> None:
    model = Refusing(tariff(), lambda text: 20)
    summary = run(memos(tmp_path / "in", 5), model, tmp_path / "out", options=bulk.Options(refused_for=0.5))
    assert (summary.stopped, summary.left, summary.statuses.total()) == ("refused", 5, 0)
    assert summary.refusals > 0


def test_refusals_count_from_the_first_after_the_last_answer() -> None:
    class Seen:
        last_answer, refusals = 0.0, 0

    limiter: Any = Seen()
    refused = Refusals(limiter)
    assert refused.seconds(100) == 0  # nothing was asked: files are being read
    limiter.refusals = 1
    assert [refused.seconds(now) for now in (110, 150)] == [0, 40]
    limiter.last_answer = 160.0
    assert refused.seconds(160) == 0
    assert refused.seconds(300) == 0  # a slow call, no refusal
    limiter.refusals = 2
    assert [refused.seconds(now) for now in (310, 330)] == [0, 20]


# ---- real scans ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_the_loop_never_waits_for_real_scans(tmp_path: Path) -> None:
    """A ticker in the run's loop is never late by what reading a scan takes, which is seconds."""
    page = makepdf.pictures(makepdf.typeset("NAME: Scanned\nThis letter was printed and scanned.\n" * 12))[0]
    put(tmp_path / "in/text.txt", "NAME: Text\n")
    for number in range(4):
        put(tmp_path / f"in/{number}.tif", makepdf.tiff([page]))
    late: list[float] = []

    async def ticked() -> bulk.Summary:
        async def tick() -> None:
            while True:
                due = time.perf_counter() + 0.005
                await asyncio.sleep(0.005)
                late.append(time.perf_counter() - due)

        ticker = asyncio.create_task(tick())
        model = BurstModel(tariff(), lambda text: 20)
        try:
            return await bulk.run(find_letters([tmp_path / "in"]), plan_of(model), tmp_path / "out")
        finally:
            ticker.cancel()

    summary = asyncio.run(ticked())
    close_workers()
    assert (summary.statuses.total(), summary.left) == (5, 0)
    # Far above what a busy machine adds, far below one page.
    assert sorted(late)[-1] < 1.0
    assert len(late) > 50
