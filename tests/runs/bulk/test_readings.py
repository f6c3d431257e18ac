"""What a run read in PDF files is kept in its folder: later runs, checks and reviews read no page again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from extractor.letters.letter import find_letters
from extractor.letters.workers import processes
from extractor.letters.workers.reading_cache import FOLDER, ReadingCache
from extractor.review.letters import Letters
from tests.support.makepdf import typeset
from tests.support.reviews import record_of
from tests.support.toy import MODEL, NOTES, cli, put, statuses, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace whose letters are PDF files; they were run once, into ``out``."""
    root = write_toy(tmp_path / "toy")
    monkeypatch.chdir(root)
    for stem, text in NOTES.items():
        (root / f"letters/{stem}.txt").unlink()
        put(root / f"letters/{stem}.pdf", typeset(text))
    assert cli("run", "letters", "--out", "out", "--model", "offline").code == 0
    return root


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that reader processes are given from now on."""
    names: list[str] = []
    answer = processes._answer

    def counted(order: dict[str, Any], data: bytes, limits: processes.WorkerLimits) -> dict[str, Any]:
        names.append(Path(order["name"]).name)
        return answer(order, data, limits)

    monkeypatch.setattr(processes, "_answer", counted)
    return names


def test_no_file_is_read_twice(toy: Path, read: list[str]) -> None:
    assert cli("run", "letters", "--out", "out", "--model", "offline", "--force").code == 0
    assert cli("check", "out/records.jsonl", "letters").code == 0
    assert cli("run", "letters", "--out", "out", "--model", "offline", "--force", "--dry-run").code == 0
    # Another model's forecast estimates tokens from the letters.
    live = ("--model", MODEL, "--dry-run")
    assert cli("run", "letters", "--out", "out", *live).code == 0
    letters = Letters([[toy / "letters"]], list(NOTES), reader=ReadingCache(toy / "out" / FOLDER))
    assert letters.get(record_of(toy / "out", "blue"))[0]
    assert read == []


def test_a_moved_file_is_not_read_again_and_a_changed_one_is(toy: Path, read: list[str]) -> None:
    shutil.move("letters", "moved")
    put(toy / "moved/blue.pdf", typeset(NOTES["blue"] + "\nA line more.\n"))
    assert cli("run", "moved", "--out", "out", "--model", "offline").code == 0
    assert read == ["blue.pdf"]
    assert set(statuses(toy / "out")) == {file.id for file in find_letters([toy / "moved"])}


def test_a_forecast_writes_nothing(toy: Path, read: list[str]) -> None:
    shutil.rmtree(toy / "out" / FOLDER)
    assert cli("run", "letters", "--out", "out", "--model", "offline", "--force", "--dry-run").code == 0
    assert len(read) == len(NOTES)
    assert not (toy / "out" / FOLDER).exists()


def test_a_folder_of_readings_may_be_deleted(toy: Path, read: list[str]) -> None:
    shutil.rmtree(toy / "out" / FOLDER)
    assert cli("run", "letters", "--out", "out", "--model", "offline").code == 0
    assert sorted(read) == sorted(f"{stem}.pdf" for stem in NOTES)
