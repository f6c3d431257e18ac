"""The run folder: one run at a time, equal letters asked once, nothing of the user's overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.runs.ledger import Ledger
from tests.support.loopback import endpoint
from tests.support.toy import MODEL, NOTES, cli, good_model, put, statuses, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


def test_equal_letters_are_asked_once(toy: Path) -> None:
    for name in ("b", "c", "d"):
        put(toy / f"letters/{name}.txt", NOTES["blue"])
    with endpoint(good_model) as server:
        assert cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url).code == 0
        assert len(server.asked) == 3
    assert set(statuses(toy / "out")) == {"b", "blue", "c", "d", "red", "slow"}


def test_two_runs_on_one_folder(toy: Path) -> None:
    with Ledger(toy / "out"):
        ran = cli("run", "letters", "--out", "out")
    assert ran.code == 2
    assert "another run is using" in ran.err


def test_records_of_another_origin_are_not_overwritten(toy: Path) -> None:
    put(toy / "out/records.jsonl", "mine\n")
    ran = cli("run", "letters", "--out", "out")
    assert ran.code == 2
    assert "run.db is missing" in ran.err
    assert (toy / "out/records.jsonl").read_text() == "mine\n"
