"""Runs that end before their last letter: stopped, killed, out of bounds, out of disk. Nothing is lost, nothing doubled."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from extractor.runs.ledger import store
from tests.support.loopback import Asked, Canned, Endpoint, endpoint, message, refusal
from tests.support.toy import (
    MODEL,
    NOTES,
    Ran,
    carrier_in,
    cli,
    edit,
    forget_workspaces,
    good_model,
    is_correction,
    letter_in,
    only_notes,
    put,
    records,
    right_answer,
    statuses,
    write_toy,
)
from tests.support.toy import wait_for as wait


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with three good letters."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


@pytest.fixture
def ten(toy: Path) -> Path:
    """Ten letters, 0 to 9."""
    only_notes(toy, map(str, range(10)))
    return toy


def asking(server: Endpoint, *words: object) -> Ran:
    return cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, *words)


def each_once(server: Endpoint, counted: Callable[[Asked], bool] = lambda asked: True) -> bool:
    """Whether every letter was asked about with one such call."""
    return set(Counter(map(carrier_in, filter(counted, server.asked))).values()) == {1}


# ---- stopped in the middle ---------------------------------------------------------------------


@contextmanager
def running(server: Endpoint) -> Iterator[subprocess.Popen[str]]:
    words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--concurrency", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "extractor", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_questions(server: Endpoint) -> dict[str, int]:
    return dict(sorted(Counter(carrier_in(asked) for asked in server.asked if not is_correction(asked)).items()))


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
def test_killed_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters 0-3 are done, 4 waits for its correction, 5 for its answer, 6 and 7 are not begun."""
    monkeypatch.chdir(write_toy(tmp_path))
    for i, old in enumerate([*NOTES, None, None, None, None, None]):
        put(tmp_path / f"letters/{i}.txt", f"PARCEL NOTE of {i}\nPARCEL {i}: delivered on 3/4/2020\n")
        (tmp_path / f"letters/{old}.txt").unlink(missing_ok=True)
    gate = threading.Event()

    def script(number: int, asked: Asked) -> Canned:
        answer = right_answer(letter_in(asked))
        if is_correction(asked) or carrier_in(asked) == "5":
            gate.wait(30)
        elif carrier_in(asked) == "4":
            answer["parcels"][0]["state"] = "lost"
        return message(json.dumps(answer))

    with endpoint(script) as server:
        with running(server) as process:
            wait(lambda: len(server.asked) == 7)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert statuses(tmp_path / "out") == dict.fromkeys("0123", "accepted")
        gate.set()
        again = asking(server, "--json")
    assert (again.code, again.json["skipped"], again.json["accepted"]) == (0, 4, 8)
    assert statuses(tmp_path / "out") == dict.fromkeys("01234567", "accepted")
    assert first_questions(server) == {"0": 1, "1": 1, "2": 1, "3": 1, "4": 1, "5": 2, "6": 1, "7": 1}
    assert [carrier_in(asked) for asked in server.asked if is_correction(asked)] == ["4", "4"]


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
@pytest.mark.parametrize(("signals", "done", "message"), [(1, 4, "left; run the same command again"), (2, 2, "")])
@pytest.mark.slow
def test_interrupted(toy: Path, signals: int, done: int, message: str) -> None:
    for path in (toy / "letters").iterdir():
        path.unlink()
    for i in range(6):
        put(toy / f"letters/{i}.txt", f"PARCEL NOTE of {i}\n")
    gate = threading.Event()

    def script(number: int, asked: Asked) -> Canned:
        if int(carrier_in(asked)) >= 2:
            gate.wait(30)
        return good_model(number, asked)

    with endpoint(script) as server, running(server) as process:
        wait(lambda: len(server.asked) == 4)
        for _ in range(signals):
            process.send_signal(signal.SIGINT)
            threading.Event().wait(0.3)
        if signals == 1:
            assert process.poll() is None
            gate.set()
        _, err = process.communicate(timeout=20)
        gate.set()
    assert process.returncode == 130
    assert message in err
    assert "Traceback" not in err
    assert len(server.asked) == 4
    assert statuses(toy / "out") == dict.fromkeys(map(str, range(done)), "accepted")


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
@pytest.mark.slow
def test_a_request_to_end_is_like_the_first_interrupt(ten: Path) -> None:
    gate = threading.Event()

    def script(number: int, asked: Asked) -> Canned:
        if int(carrier_in(asked)) >= 2:
            gate.wait(30)
        return good_model(number, asked)

    with endpoint(script) as server, running(server) as process:
        wait(lambda: len(server.asked) == 4)
        process.send_signal(signal.SIGTERM)
        threading.Event().wait(0.3)
        gate.set()
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert set(statuses(ten / "out")) == set("0123")


@pytest.mark.slow
def test_an_offline_run_can_be_interrupted(ten: Path) -> None:
    for i in range(10, 3000):
        put(ten / f"letters/{i}.txt", f"PARCEL NOTE of {i}\n")
    command = [sys.executable, "-m", "extractor", "run", "letters", "--out", "out"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait(lambda: (ten / "out/records.jsonl").exists() and (ten / "out/records.jsonl").stat().st_size > 0)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "letters are left" in err
    assert 0 < len(statuses(ten / "out")) < 3000


# ---- out of bounds -----------------------------------------------------------------------------


def price(server: Endpoint) -> None:
    """One answer of ``good_model`` costs a cent."""
    table = f'as_of = 2026-11-06\n[models."{MODEL}"]\ninput = 100\noutput = 0\ncached_input = 100\nsource = "x"\n'
    put(Path("prices.toml"), f'{table}base_url = "{server.url}"\n')


def test_max_cost_is_not_passed(ten: Path) -> None:
    with endpoint(good_model) as server:
        price(server)
        ran = asking(server, "--max-cost", "0.045", "--concurrency", "2", "--json")
        assert (ran.code, ran.json["stopped"], ran.json["cost_usd"]) == (4, "max_cost", 0.04)
        assert (len(server.asked), ran.json["left"]) == (4, 6)
        again = asking(server, "--max-cost", "0.065", "--concurrency", "1", "--json")
        assert (again.code, again.json["accepted"], again.json["now"]["cost_usd"]) == (0, 10, 0.06)
        assert each_once(server)


def test_what_is_left_at_max_cost(ten: Path) -> None:
    with endpoint(good_model) as server:
        price(server)
        ran = asking(server, "--max-cost", "0.035", "--concurrency", "1")
    assert ran.code == 4
    assert (
        "stopped: the cost would go beyond --max-cost: the next call may cost up to $0.0125, and $0.0050 are left"
        in ran.err
    )
    assert "7 letters are left; run the same command again to continue (next: 3, 4, 5, 6, 7, ...)" in ran.err
    assert f"next: extractor run letters --out out --model {MODEL} --base-url {server.url} --max-cost 0.035" in ran.err


def test_a_first_letter_that_does_not_fit_is_not_begun(ten: Path) -> None:
    with endpoint(good_model) as server:
        price(server)
        ran = asking(server, "--max-cost", "0.009")
        assert (ran.code, server.asked) == (4, [])
    assert "stopped: the cost would go beyond --max-cost: the next call may cost up to $0.0" in ran.err
    assert "10 letters are left" in ran.err


def test_max_cost_needs_a_price(ten: Path) -> None:
    with endpoint(good_model) as server:
        ran = asking(server, "--max-cost", "1")
        assert (ran.code, server.asked) == (2, [])
        assert "--max-cost cannot be kept: unknown price for openai/toy" in ran.err
        price(server)
        silent = asking_without_usage(server)
    assert (silent.code, silent.json["stopped"], silent.json["accepted"]) == (4, "cost_unknown", 1)


def asking_without_usage(server: Endpoint) -> Ran:
    def script(number: int, asked: Asked) -> Canned:
        body = json.loads(good_model(number, asked).body)
        return Canned(body=json.dumps({**body, "usage": None}).encode())

    server.script = script
    return asking(server, "--max-cost", "1", "--concurrency", "1", "--json")


def test_max_minutes(ten: Path) -> None:
    def script(number: int, asked: Asked) -> Canned:
        time.sleep(0.3)
        return good_model(number, asked)

    with endpoint(script) as server:
        ran = asking(server, "--max-minutes", "0.012", "--concurrency", "1", "--json")
        assert (ran.code, ran.json["stopped"]) == (4, "max_minutes")
        assert 1 <= ran.json["accepted"] == len(server.asked) <= 4
        assert asking(server, "--json").json["accepted"] == 10
        assert each_once(server)


def test_max_minutes_offline(ten: Path) -> None:
    ran = cli("run", "letters", "--out", "out", "--max-minutes", "0", "--json")
    assert (ran.code, ran.json["stopped"]) == (4, "max_minutes")
    assert ran.json["accepted"] + ran.json["left"] == 10


def test_max_failures(ten: Path) -> None:
    def script(number: int, asked: Asked) -> Canned:
        return message("{", finish="length") if int(carrier_in(asked)) % 2 else good_model(number, asked)

    with endpoint(script) as server:
        ran = asking(server, "--max-failures", "2", "--concurrency", "1", "--json")
    assert (ran.code, ran.json["stopped"], ran.json["failed"], ran.json["left"]) == (4, "max_failures", 2, 6)


def test_a_wrong_key_stops_the_run_at_once(ten: Path) -> None:
    with endpoint([refusal(401, "invalid_api_key")]) as server:
        ran = asking(server)
        assert (ran.code, len(server.asked)) == (4, 1)
    assert "the endpoint does not accept the key" in ran.err
    assert "10 letters are left" in ran.err


def test_what_waits_for_its_turn_is_not_asked_after_a_stop(ten: Path) -> None:
    """One call a minute: the first is answered, the others wait for their turn when the run is stopped."""
    with endpoint(good_model) as server:
        ran = asking(server, "--rpm", "1", "--concurrency", "4", "--max-minutes", "0.02", "--json")
    assert (ran.code, ran.json["accepted"], len(server.asked)) == (4, 1, 1)
    assert ran.json["unanswered"] == {}


def wrong_at_first(number: int, asked: Asked) -> Canned:
    if not is_correction(asked):
        return message(json.dumps({**right_answer(letter_in(asked)), "carrier": "Nobody"}))
    return good_model(number, asked)


def test_a_letter_with_an_answer_gets_its_correction_also_after_a_stop(ten: Path) -> None:
    def script(number: int, asked: Asked) -> Canned:
        return message("{", finish="length") if carrier_in(asked) == "0" else slowly(number, asked)

    def slowly(number: int, asked: Asked) -> Canned:
        time.sleep(0.5)
        return wrong_at_first(number, asked)

    with endpoint(script) as server:
        ran = asking(server, "--max-failures", "1", "--concurrency", "2", "--json")
    assert (ran.code, ran.json["stopped"], ran.json["failed"]) == (4, "max_failures", 1)
    assert ran.json["accepted"] == sum(map(is_correction, server.asked))


def test_a_correction_that_does_not_fit_into_max_cost_waits_for_the_next_run(ten: Path) -> None:
    with endpoint(wrong_at_first) as server:
        price(server)
        ran = asking(server, "--max-cost", "0.04", "--concurrency", "1", "--json")
        assert (ran.code, ran.json["stopped"], ran.json["now"]["cost_usd"]) == (4, "max_cost", 0.03)
        assert (ran.json["accepted"], ran.json["left"], len(server.asked)) == (1, 9, 3)
        again = asking(server, "--json")
        assert (again.json["accepted"], again.json["now"]["calls"]) == (10, 17)
    assert each_once(server, is_correction)
    assert each_once(server, lambda asked: not is_correction(asked))


# ---- the folder, the disk, a defect ------------------------------------------------------------


def test_a_defect_met_by_one_letter_costs_no_other(ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(
        ten / "schemas/parcel/reader.py",
        "    carrier = _CARRIER",
        '    assert "of 4" not in letter.text\n    carrier = _CARRIER',
    )
    with endpoint(good_model) as server:
        ran = asking(server, "--json")
        assert (ran.code, ran.json["accepted"], ran.json["failed"]) == (1, 9, 1)
        assert records(ten / "out")[4]["error"] == {"code": "internal", "message": "internal error: AssertionError"}
        edit(ten / "schemas/parcel/reader.py", '    assert "of 4" not in letter.text\n', "")
        forget_workspaces()
        assert asking(server, "--json").json["accepted"] == 10
        assert each_once(server)


def test_a_locked_database_ends_the_run_and_loses_nothing(ten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY", 0.3)
    other: list[sqlite3.Connection] = []

    def script(number: int, asked: Asked) -> Canned:
        if number == 3:
            other.append(sqlite3.connect(ten / "out/run.db", check_same_thread=False))
            other[0].execute("BEGIN EXCLUSIVE")
        return good_model(number, asked)

    with endpoint(script) as server:
        ran = asking(server, "--concurrency", "1")
        assert ran.code == 2
        assert "run.db: database is locked" in ran.err
        asked = len(server.asked)
        with closing(other[0]):
            other[0].rollback()
        assert asking(server, "--json").json["accepted"] == 10
    counted = Counter(map(carrier_in, server.asked))
    # Only the answers that could not be kept were paid for again.
    assert asked == 4
    assert counted == {**dict.fromkeys("0123456789", 1), "3": 2}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_full_disk(ten: Path) -> None:
    """No file may grow beyond 200 kB, as on a full disk: first the ledger's log fails, then nothing is half."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    code = limit + "from extractor.cli.app import main; main()"
    with endpoint(fat) as server:
        words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--concurrency", "1"]
        full = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        assert (full.returncode, full.stdout) == (2, "")
        assert "error: cannot write out/run.db: " in full.stderr
        assert "free the disk and run again" in full.stderr
        assert 0 < len(statuses(ten / "out")) < 10
        asked = len(server.asked)
        assert asking(server, "--json").json["accepted"] == 10
        # The answer that did not fit was lost, no other.
        assert len(server.asked) in (10, 11)
        assert asked < 10


def fat(number: int, asked: Asked) -> Canned:
    """A good answer in 30 kB."""
    answer = json.dumps(right_answer(letter_in(asked)))
    return message(answer + " " * 30_000)


@pytest.mark.parametrize("written", [0, 7])
def test_a_line_that_does_not_fit_is_no_half_line(ten: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    real = os.write
    room = [3]

    def write(handle: int, data: Any) -> int:
        if bytes(data[:12]) != b'{"letter_id"' and room[0] > 0:
            return real(handle, data)
        room[0] -= 1
        if room[0] > 0:
            return real(handle, data)
        if room[0] == 0 and written:
            return real(handle, data[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    ran = cli("run", "letters", "--out", "out")
    monkeypatch.undo()
    os.chdir(ten)
    assert ran.code == 2
    assert "cannot write out/records.jsonl: No space left on device" in ran.err
    assert len(statuses(ten / "out")) == 2
    assert cli("run", "letters", "--out", "out", "--json").json["accepted"] == 10
    assert len(statuses(ten / "out")) == 10


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unwritable for root")
def test_an_unwritable_folder(ten: Path) -> None:
    (ten / "out").mkdir(mode=0o500)
    ran = cli("run", "letters", "--out", "out")
    assert (ran.code, "cannot use out: Permission denied" in ran.err) == (2, True)


def test_a_folder_that_is_a_file(ten: Path) -> None:
    put(ten / "out", "mine")
    ran = cli("run", "letters", "--out", "out")
    assert (ran.code, "cannot use out: " in ran.err) == (2, True)
    assert (ten / "out").read_text() == "mine"


def test_a_rewrite_that_fails_leaves_the_old_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("run", "letters", "--out", "out")
    before = (toy / "out/records.jsonl").read_bytes()
    edit(toy / "letters/slow.txt", "lost", "delivered on 1/2/2021")

    def replace(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    ran = cli("run", "letters", "--out", "out")
    monkeypatch.undo()
    os.chdir(toy)
    assert (ran.code, (toy / "out/records.jsonl").read_bytes()) == (2, before)
    assert not (toy / "out/records.jsonl.part").exists()
    assert cli("run", "letters", "--out", "out", "--json").json["skipped"] == 3
    assert records(toy / "out")[2]["answer"]["parcels"][0]["on"] == "2021-01-02"
