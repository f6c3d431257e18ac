"""Shards: four runs side by side, made into one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from extractor.runs.ledger import Ledger
from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import (
    INIT_V2,
    MODEL,
    NOTES,
    Ran,
    carrier_in,
    cli,
    edit,
    forget_workspaces,
    good_model,
    only_notes,
    put,
    records,
    statuses,
    write_toy,
)

LETTERS = [f"{i:02d}" for i in range(30)]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with thirty good letters, two of them of equal text."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    only_notes(tmp_path / "toy", LETTERS)
    put(tmp_path / "toy/letters/copy.txt", "PARCEL NOTE of 00\nPARCEL 00: delivered on 3/4/2020\n")
    return tmp_path / "toy"


def run(url: str, *words: object, out: str = "out") -> Ran:
    return cli("run", "letters", "--out", out, "--model", MODEL, "--base-url", url, *words)


@pytest.mark.slow
def test_four_processes_make_one_folder(toy: Path) -> None:
    with endpoint(good_model) as server:
        words = ["run", "letters", "--model", MODEL, "--base-url", server.url, "--json"]
        shards = [
            subprocess.Popen(
                [sys.executable, "-m", "extractor", *words, "--shard", f"{i}/4", "--out", f"out-{i}"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for i in (1, 2, 3, 4)
        ]  # fmt: skip
        outputs = [shard.communicate(timeout=100) for shard in shards]
        assert [shard.returncode for shard in shards] == [0, 0, 0, 0], outputs
        assert sum(json.loads(out)["letters"] for out, _ in outputs) == 31
        merged = cli("merge", "out-1", "out-2", "out-3", "out-4", "--out", "out", "--json")
        assert merged.code == 0
        assert (merged.json["letters"], merged.json["accepted"], merged.json["conflicts"]) == (31, 31, [])
        assert sum(merged.json["folders"].values()) == 31
        # The new folder is a run like any other: nothing is asked, and a changed check has its answers.
        asked = len(server.asked)
        assert run(server.url, "--json").json["skipped"] == 31
        put(toy / "schemas/parcel/__init__.py", INIT_V2)
        forget_workspaces()
        assert run(server.url, "--json").json["skipped"] == 0
        assert len(server.asked) == asked
    found = records(toy / "out")
    assert [record["letter_id"] for record in found] == [*LETTERS, "copy"]
    assert all(record["answer"]["carrier"] == record["letter_id"].replace("copy", "00") for record in found)


def test_records_of_shards_are_those_of_one_run(toy: Path) -> None:
    for i in (1, 2, 3):
        cli("run", "letters", "--shard", f"{i}/3", "--out", f"out-{i}")
    cli("run", "letters", "--out", "whole")
    ran = cli("merge", "out-3", "out-1", "out-2", "--out", "out")
    assert (
        ran.out.splitlines()[-1]
        == f"31 letters: 31 accepted, 0 needs_review, 0 failed. Records: {Path('out/records.jsonl')}"
    )
    same = [{**record, "attempts": None} for record in records(toy / "out")]
    assert same == [{**record, "attempts": None} for record in records(toy / "whole")]


def one_wrong(number: int, asked: Asked) -> Canned:
    return message('{"carrier": "Nobody", "parcels": []}') if carrier_in(asked) == "05" else good_model(number, asked)


def test_of_two_records_the_newer_stays_and_conflicts_are_reported(toy: Path) -> None:
    put(toy / "prompts/parcel/v2.md", "---\ntitle: B\nwhy: C\n---\nRead the note.\n")
    with endpoint(one_wrong) as server:
        run(server.url, "--limit", 8, out="a")
        server.script = good_model
        run(server.url, "--limit", 10, "--prompt", "parcel@v2", out="b")
        run(server.url, "--limit", 3, out="c")
    # The order of the words does not matter, the time of the records does.
    ran = cli("merge", "b", "c", "a", "--out", "out")
    assert ran.code == 0
    assert "8 letters differ between two folders; the newer record was used: 00, 01, 02, 03, 04, ..." in ran.err
    prompts = {record["letter_id"]: record["prompt"] for record in records(toy / "out")}
    assert prompts == {name: "parcel@v1" if int(name) < 3 else "parcel@v2" for name in LETTERS[:10]}
    assert set(statuses(toy / "out").values()) == {"accepted"}
    with Ledger(toy / "a") as a, Ledger(toy / "b") as b, Ledger(toy / "c") as c, Ledger(toy / "out") as out:
        assert replies(out) == replies(a) + replies(b) + replies(c)


def replies(ledger: Ledger) -> int:
    return int(ledger._db.execute("SELECT COUNT(*) FROM replies").fetchone()[0])


def test_a_crash_gives_way_to_any_other_record(toy: Path) -> None:
    with endpoint(good_model) as server:
        run(server.url, "--limit", 2, out="a")
        edit(
            toy / "schemas/parcel/reader.py",
            "    carrier = _CARRIER",
            '    assert "of 01" not in letter.text\n    carrier = _CARRIER',
        )
        forget_workspaces()
        run(server.url, "--limit", 2, out="b")
    assert statuses(toy / "b") == {"00": "accepted", "01": "failed"}
    cli("merge", "a", "b", "--out", "out")
    assert statuses(toy / "out") == {"00": "accepted", "01": "accepted"}


def test_equal_texts_asked_in_two_shards_keep_both_answers(toy: Path) -> None:
    with endpoint(good_model) as server:
        cli("run", "letters/00.txt", "--out", "a", "--model", MODEL, "--base-url", server.url)
        cli("run", "letters/copy.txt", "--out", "b", "--model", MODEL, "--base-url", server.url)
        assert cli("merge", "a", "b", "--out", "out").code == 0
        put(toy / "schemas/parcel/__init__.py", INIT_V2)
        forget_workspaces()
        assert run(server.url, "--sample", 0, "--json").code == 0
        cli("run", "letters/00.txt", "letters/copy.txt", "--out", "out", "--model", MODEL, "--base-url", server.url)
        assert len(server.asked) == 2
    assert statuses(toy / "out") == {"00": "accepted", "copy": "accepted"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "nowhere", "--out", "out"], "no run in nowhere"),
        (["a", "letters", "--out", "out"], "no run in letters"),
        (["a", "--out", "a"], "a holds a run already"),
        (["a", "--out", "mine"], "run.db is missing"),
    ],
)
def test_what_cannot_be_merged(toy: Path, words: list[str], message: str) -> None:
    cli("run", "letters", "--limit", 1, "--out", "a")
    put(toy / "mine/records.jsonl", "mine\n")
    ran = cli("merge", *words)
    assert (ran.code, message in ran.err) == (2, True), ran.err
    assert (toy / "mine/records.jsonl").read_text() == "mine\n"
    assert not (toy / "out/run.db").exists()


def test_a_folder_where_a_run_goes_on_is_not_merged(toy: Path) -> None:
    cli("run", "letters", "--limit", 1, "--out", "a")
    with Ledger(toy / "a"):
        ran = cli("merge", "a", "--out", "out")
    assert (ran.code, "another run is using a" in ran.err) == (2, True)


def test_what_a_killed_merge_left_is_cleared_away(toy: Path) -> None:
    cli("run", "letters", "--limit", 2, "--out", "a")
    put(toy / "out/merge.part/run.db", "half")
    assert cli("merge", "a", "--out", "out").code == 0
    assert sorted(path.name for path in (toy / "out").iterdir()) == ["records.jsonl", "run.db"]
    assert Counter(statuses(toy / "out").values()) == {"accepted": 2}
    assert cli("status", "out").out.splitlines()[:2] == ["out: the last run is finished", "merged from a"]
    assert NOTES
