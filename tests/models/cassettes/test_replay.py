"""The recorded answers replay without a network, and are refused when they no longer fit."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.imr import GOLD, ROOT
from tests.support.toy import cli, edit, forget_workspaces, put, records

LETTERS = ROOT / "eval" / "imr" / "letters"
# They contradict themselves, speak to machines, or are of a form that is not taken apart.
ODD_LETTERS = {
    "dwc-2014-002",
    "form-2013",
    "injected-instructions",
    "injury-date-contradicts",
    "numbered-shockwave-2013",
    "numbered-shoulder-2013",
    "outcome-contradicts-rationale",
    "source-contradicts",
    "winter-five-requests",
    "winter-knee-mri",
    "winter-opioids",
    "wrist-studies-and-splint",
}


def replay(workspace: Path, out: Path, *words: object):
    return cli("run", workspace / "eval/imr/letters", "--replay", "--out", out, "--workspace", workspace, *words)


def test_the_recorded_answers_of_the_bundled_letters_are_checked_without_a_network(tmp_path: Path) -> None:
    ran = replay(ROOT, tmp_path)
    assert ran.code == 1
    found = {record["letter_id"]: record for record in records(tmp_path)}
    assert {name: record["status"] for name, record in found.items()} == {
        name: "needs_review" if name in ODD_LETTERS else "accepted" for name in found
    }
    assert len(found) == 45
    for name, record in found.items():
        gold = json.loads((GOLD / f"{name}.json").read_text("utf-8"))["answer"]
        outcomes = [(each["item"], each["outcome"]) for each in record["answer"]["decisions"]]
        assert outcomes == [(each["item"], each["outcome"]) for each in gold["decisions"]]
        assert (record["model"], record["prompt"]) == ("openai/answer-desk", "imr@v1")


def test_every_tape_says_what_answered() -> None:
    tapes = sorted((ROOT / "cassettes" / "imr" / "imr@v1" / "openai__answer-desk").glob("*.yaml"))
    assert {tape.stem.partition("___")[0] for tape in tapes} == {path.stem for path in GOLD.glob("*.json")}
    for tape in tapes:
        head = tape.read_text("utf-8")[:800]
        assert head.startswith("recorded:")
        assert re.search(r"answer\s+desk", head)
        assert re.search(r"only\s+the\s+request|from\s+the\s+request\s+alone", head)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The reference workspace under another name, free to be changed."""
    root = tmp_path / "copy"
    for part in ("workspace.toml", "prompts", "schemas", "eval", "cassettes"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, put_parent(root / part))
    edit(root / "workspace.toml", 'name = "letterproof"', 'name = "copy"')
    return root


def put_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_changed_letter_makes_its_tape_stale(copy: Path, tmp_path: Path) -> None:
    edit(copy / "eval/imr/letters/dwc-2014-000.txt", "56-year-old", "57-year-old")
    ran = replay(copy, tmp_path / "out")
    assert ran.code == 3
    assert "stale cassette: letter dwc-2014-000 x prompt imr@v1 x model openai/answer-desk" in ran.err
    assert "extractor record --prompt imr@v1 --model openai/answer-desk --letter dwc-2014-000" in ran.err
    assert "57-year-old" not in ran.err


def test_a_changed_schema_shows_its_changed_lines(copy: Path, tmp_path: Path) -> None:
    edit(copy / "schemas/imr/model.py", 'Sex = Literal["female", "male"]', 'Sex = Literal["female", "male", "other"]')
    forget_workspaces()
    ran = replay(copy, tmp_path / "out")
    assert ran.code == 3
    assert "response_format" in ran.err
    assert "other" in ran.err


def test_a_missing_tape_names_the_command(copy: Path, tmp_path: Path) -> None:
    (copy / "cassettes/imr/imr@v1/openai__answer-desk/dwc-2014-004.yaml").unlink()
    ran = replay(copy, tmp_path / "out")
    assert ran.code == 3
    assert "missing cassette: letter dwc-2014-004 x prompt imr@v1" in ran.err
    assert "--letter dwc-2014-004" in ran.err


def test_a_corrupt_tape_is_named(copy: Path, tmp_path: Path) -> None:
    put(copy / "cassettes/imr/imr@v1/openai__answer-desk/dwc-2014-003.yaml", "recorded: [")
    ran = replay(copy, tmp_path / "out")
    assert ran.code == 3
    assert "dwc-2014-003.yaml" in ran.err
