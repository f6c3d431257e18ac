"""The state of a run: its progress lines, and ``extractor status`` from another terminal."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from extractor.cli.shared import progress
from extractor.cli.shared.progress import Progress, compact, duration, fitting, parts
from extractor.models.model import Generating
from extractor.runs.bulk import Summary
from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import MODEL, carrier_in, cli, good_model, only_notes, put, wait_for, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with ten good letters."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    only_notes(tmp_path / "toy", map(str, range(10)))
    return tmp_path / "toy"


def status() -> dict[str, Any]:
    ran = cli("status", "out", "--json")
    assert ran.code == 0, ran.err
    report: dict[str, Any] = ran.json
    return report


# ---- status --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such locks there")
def test_a_run_that_goes_on(toy: Path) -> None:
    gate = threading.Event()

    def script(number: int, asked: Asked) -> Canned:
        if int(carrier_in(asked)) >= 4:
            gate.wait(60)
        return good_model(number, asked)

    with endpoint(script) as server:
        words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--concurrency", "3"]
        command = [sys.executable, "-m", "extractor", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            wait_for(lambda: len(server.asked) == 7, 60)
            wait_for(lambda: (status()["run"]["in_flight"], status()["run"]["done"]) == (3, 4))
            report = status()
            lines = cli("status", "out").out.splitlines()
            process.send_signal(signal.SIGKILL)
            process.communicate()
        gate.set()
        assert (report["state"], report["run"]["done"], report["run"]["letters"], report["run"]["left"]) == (
            "running",
            4,
            10,
            6,
        )
        assert (report["run"]["calls"], report["run"]["input_tokens"], report["run"]["model"]) == (4, 400, MODEL)
        assert report["run"]["seconds_ago"] < 60
        assert report["records"] == {"letters": 4, "accepted": 4, "needs_review": 0, "failed": 0}
        assert lines[0] == "out: a run is active"
        assert lines[1].startswith(f"model {MODEL}, prompt parcel@v1; began 20")
        assert lines[2].startswith("4 of 10 letters, 4 accepted, 0 needs_review, 0 failed")
        assert "3 in flight" in lines[2]
        assert status()["state"] == "killed"
        assert "the same command continues it" in cli("status", "out").out
        assert cli(*words).code == 0
    assert (status()["state"], status()["run"]["number"], status()["run"]["skipped"]) == ("finished", 2, 4)


def test_a_run_that_has_ended(toy: Path) -> None:
    put(toy / "letters/empty.txt", "")
    with endpoint(
        lambda n, asked: message("{", finish="length") if carrier_in(asked) == "3" else good_model(n, asked)
    ) as server:
        cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url)
    report = status()
    assert (report["state"], report["run"]["left"], report["run"]["stopped"]) == ("finished", 0, None)
    assert report["errors"] == {"empty": 1, "truncated": 1}
    assert report["usage"]["input_tokens"] == 1000
    assert report["cost_usd"] is None
    *_, records, errors, cut, empty, tokens = cli("status", "out").out.splitlines()
    assert [records, errors, tokens] == [
        "records: 11: 9 accepted, 0 needs_review, 2 failed",
        "failed: 1 empty, 1 truncated",
        "tokens: 1,000 in, 100 out; cost unknown",
    ]
    assert cut.startswith("  3: the answer was cut off at the token limit; raise the limit")
    assert empty.startswith("  empty: ")


@pytest.mark.parametrize(
    ("words", "state", "message"),
    [
        (["--max-minutes", "0"], "stopped", "the last run stopped: --max-minutes are over"),
        (["--limit", "3"], "finished", "the last run is finished"),
    ],
)
def test_a_run_that_stopped(toy: Path, words: list[str], state: str, message: str) -> None:
    cli("run", "letters", "--out", "out", *words)
    assert status()["state"] == state
    assert message in cli("status", "out").out


def test_an_endpoint_that_is_down(toy: Path) -> None:
    cli("run", "letters", "--limit", "2", "--out", "out", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1")
    assert (status()["state"], status()["run"]["unanswered"]) == ("incomplete", 2)


def test_no_run_at_all(toy: Path) -> None:
    assert cli("status", "letters").code == 2
    assert cli("status", "nowhere").code == 2


# ---- progress ------------------------------------------------------------------------------------


def summary(**more: Any) -> Summary:
    made = Summary(total=50_000, calls=12_000, input_tokens=60_000_000, output_tokens=9_000_000, **more)
    made.statuses.update(accepted=11_000, needs_review=980, failed=20)
    return made


def test_the_figures_of_a_line() -> None:
    made = summary(in_flight=64, refusals=3)
    state = {**made.state(), "letters_per_second": 16.67, "seconds_left": 2280, "cost_usd": 40.5}
    assert ", ".join(parts(state, held=12.0)) == (
        "12,000 of 50,000 letters, 11,000 accepted, 980 needs_review, 20 failed, 16.7/s, 38 min left,"
        " 69.00M tokens, $40.50, 64 in flight, waiting 12 s for the endpoint's limit, 3 calls refused"
    )
    assert fitting(parts(state), 80) == "12,000 of 50,000 letters, 11,000 accepted, 980 needs_review, 20 failed, 16.7/s"


def test_a_local_model_shows_how_far_it_is() -> None:
    made = summary(generating=Generating(letters=1, read=1_558, written=211))
    assert "now 1,558 tokens read, 211 written" in parts(made.state())
    assert not [part for part in parts(summary().state()) if "written" in part]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (40, "40 s"), (119, "119 s"), (120, "2 min"), (3900, "1 h 05 min"), (None, "0 s")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(950, "950"), (9_999, "9,999"), (12_345, "12.3k"), (4_560_000, "4.56M")])
def test_large_numbers(number: float, text: str) -> None:
    assert compact(number) == text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_live_line_on_a_terminal() -> None:
    screen = Terminal()
    with (
        mock.patch.object(sys, "stderr", screen),
        mock.patch.object(progress, "_LIVE_EVERY", 0.0),
        mock.patch.dict(os.environ, {"COLUMNS": "70"}),
        Progress() as live,
    ):
        live.update(summary())
        live.line("stopping")
        live.update(summary())
    assert "\n" not in screen.getvalue().replace("stopping\n", "")
    lines = [line for line in screen.getvalue().split("\r\x1b[K") if line.strip()]
    assert lines[0].startswith("0:00  12,000 of 50,000 letters, 11,000 accepted")
    assert lines[1] == "stopping\n"
    assert all(len(line) < 70 for line in lines)


@pytest.mark.parametrize(("stream", "pace"), [(Terminal, "_LIVE_EVERY"), (io.StringIO, "_PLAIN_EVERY")])
def test_the_line_moves_on_while_nothing_is_reported(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], pace: str
) -> None:
    screen = stream()
    monkeypatch.setattr(progress, "_TICK", 0.001)
    monkeypatch.setattr(progress, pace, 0.0)
    with mock.patch.object(sys, "stderr", screen), Progress():
        wait_for(lambda: screen.getvalue().count("looking for letters") >= 3)


def test_letters_are_counted_before_a_run() -> None:
    screen = Terminal()
    with (
        mock.patch.object(sys, "stderr", screen),
        mock.patch.object(progress, "_LIVE_EVERY", 0.0),
        Progress() as live,
    ):
        live.count(1)
        live.count(1_200)
    assert [line for line in screen.getvalue().split("\r\x1b[K") if line.strip()][-2:] == [
        "0:00  1 letter read",
        "0:00  1,200 letters read",
    ]


def test_plain_lines_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    out = io.StringIO()
    made = Summary(total=5_000)
    with mock.patch.object(sys, "stderr", out), Progress() as plain:
        for _ in range(2_500):
            made.statuses["accepted"] += 1
            plain.update(made)
        clock[0] += 10
        plain.update(made)
        plain.update(made)
    assert [line.split(",")[0:2] for line in out.getvalue().splitlines()] == [
        ["1", "000 of 5"], ["2", "000 of 5"], ["2", "500 of 5"],
    ]  # fmt: skip


@pytest.mark.slow
def test_a_run_says_plain_lines(toy: Path) -> None:
    for i in range(10, 1_100):
        put(toy / f"letters/{i}.txt", f"PARCEL NOTE of {i}\n")
    ran = cli("run", "letters", "--out", "out", "--model", "offline", "--json")
    assert json.loads(ran.out)["accepted"] == 1_100
    assert "1,000 of 1,100 letters, 1,000 accepted" in ran.err


def test_a_run_with_another_model_says_what_happens_to_the_records(toy: Path) -> None:
    with endpoint(good_model) as server:
        assert cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url).code == 0
        again = cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url)
    assert "the last run in" not in again.err
    offline = cli("run", "letters", "--out", "out")
    assert (
        f"the last run in out was with {MODEL}; with offline the records of these letters are replaced" in offline.err
    )
