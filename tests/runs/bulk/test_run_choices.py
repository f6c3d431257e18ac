"""Which letters a run takes, which it asks again, and its forecast."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.loopback import Asked, Canned, Endpoint, endpoint, message
from tests.support.toy import (
    INIT_V2,
    MODEL,
    NOTES,
    ROOT,
    Ran,
    carrier_in,
    cli,
    forget_workspaces,
    good_model,
    only_notes,
    put,
    records,
    statuses,
    wait_for,
    write_toy,
)

LETTERS = [f"{i:02d}" for i in range(40)]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with forty good letters."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    only_notes(tmp_path / "toy", LETTERS)
    return tmp_path / "toy"


def run(*words: object, out: str = "out") -> Ran:
    return cli("run", "letters", "--out", out, *words)


def asking(server: Endpoint, *words: object) -> Ran:
    return run("--model", MODEL, "--base-url", server.url, *words)


def taken(*words: object, out: str = "out") -> list[str]:
    assert run(*words, out=out).code == 0
    return list(statuses(Path(out)))


def asked_now(server: Endpoint, *words: object) -> Counter[str]:
    """Which letters a run asks about, and how often."""
    before = len(server.asked)
    ran = asking(server, *words)
    assert ran.code in (0, 1), ran.err
    return Counter(map(carrier_in, server.asked[before:]))


# ---- some of the letters -----------------------------------------------------------------------


def test_limit(toy: Path) -> None:
    assert taken("--limit", 3) == ["00", "01", "02"]
    assert taken("--limit", 5) == ["00", "01", "02", "03", "04"]
    assert taken("--limit", 0, out="none") == []
    assert taken("--limit", 99, out="all") == LETTERS


def test_a_sample_depends_on_the_seed_alone(toy: Path) -> None:
    first = taken("--sample", 10, "--seed", 1, out="a")
    assert len(first) == 10
    assert taken("--sample", 10, "--seed", 1, out="b") == first
    assert taken("--sample", 10, "--seed", 2, out="c") != first
    assert set(first) < set(taken("--sample", 20, "--seed", 1, out="d"))
    assert taken("--sample", 99, out="e") == LETTERS
    put(toy / "letters/zz.txt", NOTES["red"])
    later = set(taken("--sample", 10, "--seed", 1, out="f"))
    assert len(later - set(first)) <= 1


def test_shards_are_disjoint_and_whole(toy: Path) -> None:
    parts = [taken("--shard", f"{i}/4", out=f"out-{i}") for i in (1, 2, 3, 4)]
    assert sorted(name for part in parts for name in part) == LETTERS
    assert all(parts)
    sampled = [set(taken("--sample", 12, "--shard", f"{i}/2", out=f"s-{i}")) for i in (1, 2)]
    assert sampled[0] | sampled[1] == set(taken("--sample", 12, out="s"))


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1", "a/b", "1/0", "1-4"])
def test_no_shard(toy: Path, shard: str) -> None:
    ran = run("--shard", shard)
    assert (ran.code, "is not a shard" in ran.err) == (2, True)


def some_fail(number: int, asked: Asked) -> Canned:
    """Letters 00 to 02 are cut off, 03 and 04 are read wrongly."""
    letter = int(carrier_in(asked))
    if letter < 3:
        return message("{", finish="length")
    return message('{"carrier": "Nobody", "parcels": []}') if letter < 5 else good_model(number, asked)


def test_only(toy: Path) -> None:
    put(toy / "prompts/parcel/v2.md", "---\ntitle: B\nwhy: C\n---\nRead the note.\n")
    with endpoint(some_fail) as server:
        assert sum(asked_now(server).values()) == 42
        assert asked_now(server, "--only", "failed") == {}
        server.script = good_model
        assert set(asked_now(server, "--only", "needs_review", "--prompt", "parcel@v2")) == {"03", "04"}
        report = asking(server, "--only", "failed", "--json").json
        assert (report["letters"], report["failed"], report["skipped"]) == (3, 3, 3)
        assert asking(server, "--only", "needs_review", "--json").json["letters"] == 0
    assert Counter(statuses(toy / "out").values()) == {"accepted": 37, "failed": 3}
    assert Counter(record["prompt"] for record in records(toy / "out")) == {"parcel@v1": 38, "parcel@v2": 2}


def test_only_needs_a_run(toy: Path) -> None:
    ran = run("--only", "failed")
    assert (ran.code, "no run in out" in ran.err) == (2, True)
    assert run("--only", "lost").code == 2


# ---- asked again -------------------------------------------------------------------------------


def test_retry_failed(toy: Path) -> None:
    with endpoint(some_fail) as server:
        ran = asking(server)
        assert (
            f"next: extractor run letters --out out --model {MODEL} --base-url {server.url} --retry failed" in ran.err
        )
        assert asked_now(server) == {}
        assert asked_now(server, "--retry", "failed") == {"00": 1, "01": 1, "02": 1}
        server.script = good_model
        assert asked_now(server, "--retry", "failed") == {"00": 1, "01": 1, "02": 1}
        assert asked_now(server, "--retry", "failed") == {}
        assert asked_now(server) == {}
    assert Counter(statuses(toy / "out").values()) == {"accepted": 38, "needs_review": 2}


def test_force_asks_anew_and_keeps_the_newer_answer(toy: Path) -> None:
    def wrong(number: int, asked: Asked) -> Canned:
        return message('{"carrier": "Nobody", "parcels": []}')

    with endpoint(good_model) as server:
        assert asked_now(server) == dict.fromkeys(LETTERS, 1)
        server.script = wrong
        assert asked_now(server, "--force", "--limit", 4) == dict.fromkeys(LETTERS[:4], 2)
        assert set(statuses(toy / "out").values()) == {"accepted", "needs_review"}
        assert asked_now(server) == {}
        # The newer answer is the one that is rechecked.
        put(toy / "schemas/parcel/__init__.py", INIT_V2)
        forget_workspaces()
        assert asked_now(server) == {}
    assert [name for name, status in statuses(toy / "out").items() if status != "accepted"] == LETTERS[:4]


@pytest.mark.slow
def test_force_asks_equal_letters_once(toy: Path) -> None:
    for name in ("x", "y", "z"):
        put(toy / f"letters/{name}.txt", NOTES["red"])
    with endpoint(good_model) as server:
        asking(server)
        assert asked_now(server, "--force") == dict.fromkeys([*LETTERS, "Red Cart"], 1)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
def test_force_cut_short_goes_on_where_it_stopped(toy: Path) -> None:
    gate = threading.Event()

    def script(number: int, asked: Asked) -> Canned:
        if number >= 60:
            gate.wait(30)
        return good_model(number, asked)

    with endpoint(script) as server:
        asking(server)
        words = ["letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--concurrency", "2", "--force"]
        with subprocess.Popen(
            [sys.executable, "-m", "extractor", "run", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            wait_for(lambda: len(server.asked) == 62)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        gate.set()
        assert sum(asked_now(server, "--force").values()) == 20
        assert Counter(map(carrier_in, server.asked[40:])).total() == 42
        assert asked_now(server, "--force") == dict.fromkeys(LETTERS, 1)


def test_force_and_retry_contradict(toy: Path) -> None:
    assert run("--force", "--retry", "failed").code == 2


# ---- what would be done ------------------------------------------------------------------------

TABLE = """\
as_of = 2026-11-06
[models."openai/toy"]
input = 1
cached_input = 0.5
output = 10
source = "x"
"""


def would(*words: object) -> dict[str, Any]:
    forecast: dict[str, Any] = run("--model", MODEL, "--dry-run", "--json", *words).json
    return forecast


def test_a_dry_run_asks_nothing_writes_nothing_and_needs_no_key(toy: Path) -> None:
    put(toy / "prices.toml", TABLE)
    ran = run("--model", MODEL, "--dry-run")
    assert ran.code == 0
    assert not (toy / "out").exists()
    lines = ran.out.splitlines()
    assert lines[0] == "40 letters: 40 to ask."
    assert lines[1] == "40 calls (80 at most, with --reask 1), estimated from the size of the requests."
    assert lines[2].startswith("About ")
    assert lines[3].endswith(", at list prices as of 2026-11-06.")
    assert lines[4] == "Nothing was asked."
    report = would()
    assert (report["calls"], report["most_calls"], report["measured"]) == (40, 80, 0)
    # A request is the schema (some 800 bytes) and a letter (some 50); an answer is some 70 bytes.
    assert 40 * 150 < report["input_tokens"] < 40 * 400
    assert 40 * 10 < report["output_tokens"] < 40 * 60
    assert report["cost_usd"] == pytest.approx((report["input_tokens"] + 10 * report["output_tokens"]) / 1e6, rel=0.1)


def test_a_dry_run_knows_what_is_done(toy: Path) -> None:
    put(toy / "letters/copy.txt", (toy / "letters/39.txt").read_text())
    put(toy / "letters/empty.txt", "")
    with endpoint(good_model) as server:
        asking(server, "--limit", 10)
        asked = len(server.asked)
        base = ("--base-url", server.url)
        forecast = would(*base)
        assert {name: forecast[name] for name in ("letters", "done", "recheck", "copies", "unreadable", "calls")} == {
            "letters": 42, "done": 10, "recheck": 0, "copies": 1, "unreadable": 1, "calls": 30,
        }  # fmt: skip
        assert would(*base, "--force")["calls"] == 40
        assert would(*base, "--limit", 10)["calls"] == 0
        put(toy / "schemas/parcel/__init__.py", INIT_V2)
        forget_workspaces()
        forecast = would(*base)
        assert (forecast["done"], forecast["recheck"], forecast["calls"]) == (0, 10, 30)
        assert len(server.asked) == asked
    assert "Cost unknown: unknown price for openai/toy" in run("--model", MODEL, "--dry-run").out


def test_a_dry_run_is_put_right_by_what_was_measured(toy: Path) -> None:
    """Each answer of the endpoint reports 100 tokens in (64 of them cached) and 10 out."""
    with endpoint(good_model) as server:
        put(toy / "prices.toml", f'{TABLE}base_url = "{server.url}"\n')
        asking(server, "--sample", 10)
        forecast = would("--base-url", server.url)
        bill = asking(server, "--json").json
    assert (forecast["calls"], forecast["measured"]) == (30, 10)
    assert forecast["input_tokens"] == pytest.approx(3000, rel=0.02)
    assert forecast["output_tokens"] == pytest.approx(300, rel=0.02)
    assert forecast["cached_tokens"] == pytest.approx(30 * 64, rel=0.02)
    assert forecast["cost_usd"] == pytest.approx(30 * (36 + 32 + 100) / 1e6, rel=0.02)
    assert forecast["cost_usd"] == pytest.approx(bill["now"]["cost_usd"], rel=0.02)


def test_a_dry_run_states_what_a_cache_could_serve() -> None:
    """All letters share schema and prompt of imr@v1: 11,000 bytes and more, so some 3,000 tokens each."""
    command = ["run", ROOT / "eval/imr/letters", "--limit", 4, "--out", "none", "--workspace", ROOT, "--dry-run"]
    command += ["--prompt", "imr@v1", "--model", MODEL, "--base-url", "http://127.0.0.1:1"]
    report = cli(*command, "--json").json
    assert 3 * 2_000 < report["cached_tokens"] < report["input_tokens"] - 2_000
    assert f"(at best {report['cached_tokens']:,} from the endpoint's cache)" in cli(*command).out


def test_a_dry_run_counts_corrections_that_were_measured(toy: Path) -> None:
    with endpoint(lambda n, asked: message('{"carrier": "Nobody", "parcels": []}')) as server:
        asking(server, "--limit", 4)
        assert would("--base-url", server.url)["input_tokens"] == pytest.approx(36 * 200, rel=0.02)


def test_a_dry_run_of_the_baseline(toy: Path) -> None:
    assert run("--dry-run").out.splitlines() == ["40 letters: 40 to read.", "Nothing was asked."]
    run("--limit", 30)
    assert json.loads(run("--dry-run", "--json").out)["done"] == 30
