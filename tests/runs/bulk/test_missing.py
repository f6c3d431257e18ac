"""Files that were moved, renamed or removed after a run: their records are named, left out of tables, and not lost."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.support.loopback import endpoint
from tests.support.toy import MODEL, cli, good_model, only_notes, put, records, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with the letters a, b and c, which were run once."""
    root = write_toy(tmp_path / "toy")
    monkeypatch.chdir(root)
    only_notes(root, ["a", "b", "c"])
    run("letters")
    return root


def run(*words: object) -> str:
    ran = cli("run", *words, "--out", "out", "--model", "offline")
    assert ran.code in (0, 1), ran.err
    return ran.out


def exported(*more: str) -> list[str]:
    assert cli("export", "out", "--to", "csv", "--rows", "letters", *more).code == 0
    with open("out/letters.csv", encoding="utf-8-sig", newline="") as file:
        return [row["letter_id"] for row in csv.DictReader(file)]


def test_a_renamed_letter_is_named_and_exported_once(toy: Path) -> None:
    (toy / "letters/b.txt").rename(toy / "letters/new.txt")
    assert "1 record has no letter any more, because files were moved, renamed or removed: b." in run("letters")
    assert exported() == ["a", "c", "new"]
    assert exported("--missing") == ["a", "b", "c", "new"]
    assert [record["letter_id"] for record in records(toy / "out")] == ["a", "b", "c", "new"]
    assert "without a letter: 1" in cli("status", "out").out


def test_a_letter_that_comes_back_is_exported_again(toy: Path) -> None:
    shutil.move("letters/b.txt", "elsewhere.txt")
    run("letters")
    assert exported() == ["a", "c"]
    shutil.move("elsewhere.txt", "letters/b.txt")
    assert "no letter any more" not in run("letters")
    assert exported() == ["a", "b", "c"]


def test_a_moved_folder_keeps_its_letters(toy: Path) -> None:
    shutil.move("letters", "moved")
    assert "no letter any more" not in run("moved")
    shutil.move("moved", "letters")
    put(toy / "deep/one/x.txt", "")
    shutil.move("letters", "deep/letters")
    (toy / "deep/one/x.txt").unlink()
    assert "3 records have no letter any more" in run("deep")
    assert exported() == ["letters/a", "letters/b", "letters/c"]


@pytest.mark.parametrize("part", [("--limit", "1"), ("--sample", "1"), ("--shard", "1/2"), ("letters/a.txt",)])
def test_a_run_over_a_part_of_the_letters_finds_none_missing(toy: Path, part: tuple[str, ...]) -> None:
    words = part if part[0].startswith("letters") else ("letters", *part)
    assert "no letter any more" not in run(*words)
    assert exported() == ["a", "b", "c"]


def test_letters_of_another_folder_are_not_missing(toy: Path) -> None:
    put(toy / "more/d.txt", "PARCEL NOTE of d\nPARCEL d: delivered on 3/4/2020\n")
    assert "no letter any more" not in run("more")
    assert exported() == ["a", "b", "c", "d"]


def test_a_renamed_letter_is_not_paid_for_twice(toy: Path) -> None:
    with endpoint(good_model) as server:
        words = ("--out", "asked", "--model", MODEL, "--base-url", server.url)
        assert cli("run", "letters", *words).code in (0, 1)
        paid = len(server.asked)
        (toy / "letters/b.txt").rename(toy / "letters/new.txt")
        ran = cli("run", "letters", *words, "--json")
    assert len(server.asked) == paid == 3
    assert ran.json["missing"] == ["b"]
    assert ran.json["now"]["calls"] == 0
