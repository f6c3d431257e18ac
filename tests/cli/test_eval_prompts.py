"""Prompts with examples, prompts without a version, halves of the gold, and the table of leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import MODEL, NOTES, PROMPT, add_gold, cli, good_model, put, right_answer, write_toy


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy workspace with gold, recorded for one prompt."""
    root = add_gold(write_toy(tmp_path / "w", "evalprompts"))
    monkeypatch.chdir(root)
    record("parcel@v1")
    return root


def record(prompt: str) -> None:
    with endpoint(good_model) as server:
        done = cli("record", "--model", MODEL, "--base-url", server.url, "--prompt", prompt)
        assert done.code == 0, done.err


def test_examples_are_neither_scored_nor_leaks(bench: Path) -> None:
    shown = PROMPT.replace("why:", "examples: [blue]\nwhy:") + f"For example: {NOTES['blue']}"
    put(bench / "prompts/parcel/v2.md", shown)
    record("parcel@v2")
    assert cli("cassettes", "status", "--strict").code == 0
    done = cli("eval", "run", "parcel@v2", "--format", "json")
    assert done.code == 0, done.err
    assert sorted(json.loads(done.out)["about"]["gold"]) == ["red", "slow"]
    assert cli("eval", "leaks").code == 0
    compared = cli("eval", "compare", "parcel@v1", "parcel@v2")
    assert compared.code == 0
    assert "blue (an example of the prompt of B)" in compared.out
    put(bench / "prompts/parcel/v3.md", shown.replace("examples: [blue]\n", ""))
    assert cli("eval", "leaks").code == 1
    put(bench / "prompts/parcel/v3.md", shown.replace("[blue]", "[green]"))
    refused = cli("eval", "run", "parcel@v3", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1")
    assert refused.code == 2
    assert "names the example 'green', which has no gold" in refused.err


def test_a_draft_is_scored_before_it_has_a_version(bench: Path) -> None:
    put(bench / "drafts/terse.md", PROMPT.replace("You read one parcel note.", "Terse."))
    refused = cli("eval", "run", "drafts/terse.md")
    assert refused.code == 2
    assert "is a draft, which has no recordings" in refused.err
    systems: list[str] = []

    def script(number: int, asked: Asked) -> Canned:
        systems.append(asked.body["messages"][0]["content"])
        return good_model(number, asked)

    with endpoint(script) as server:
        done = cli("eval", "run", "drafts/terse.md", "--model", MODEL, "--base-url", server.url)
    assert done.code == 0, done.err
    assert "parcel@draft-terse with openai/toy makes 0 errors in 3 letters" in done.out
    assert len(systems) == 3
    assert all("Terse." in each for each in systems)
    assert cli("eval", "run", "drafts/none.md", "--model", MODEL).code == 2


def test_the_gate_judges_by_the_test_half_and_looks_at_it_are_counted(bench: Path) -> None:
    halves = '[sets]\n[halves]\ndevelopment = ["blue"]\ntest = ["red", "slow"]\n'
    put(bench / "eval/parcel/sets.toml", halves)
    put(bench / "eval/parcel/gates.toml", "[floor]\nrecall = 0.9\n")
    assert cli("eval", "gate", "--format", "json").code == 0
    [folder] = [each for each in (bench / "runs/parcel").iterdir() if each.is_dir()]
    assert folder.name.startswith("test--parcel@v1")
    counted = json.loads((bench / "runs/parcel/looks.json").read_text("utf-8"))
    assert list(counted) == [folder.name]
    assert cli("eval", "run", "--set", "development").code == 0
    assert cli("eval", "run", "--set", "test").code == 0
    assert json.loads((bench / "runs/parcel/looks.json").read_text("utf-8")) == counted
    put(bench / "runs/parcel/looks.json", json.dumps({f"run {i}": "2026-11-01" for i in range(5)}))
    ran = cli("eval", "run", "--set", "test")
    assert "the test half has been looked at with 6 different runs since 2026-11-01" in ran.err
    put(bench / "eval/parcel/sets.toml", halves.replace('["blue"]', '["red"]'))
    assert "has 'red' in both halves" in cli("eval", "run").err


def test_leaves_as_a_table(bench: Path) -> None:
    wrong = {**right_answer(NOTES["red"]), "carrier": "=1+1"}
    with endpoint([message(json.dumps(wrong))]) as server:
        words = ("--letter", "red", "--all", "--reask", "0")
        assert cli("record", "--model", MODEL, "--base-url", server.url, *words).code == 0
    done = cli("eval", "export", "parcel@v1", "--reask", "0", "--out", "out/leaves.csv")
    assert done.code == 0, done.err
    with (bench / "out/leaves.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert done.out == f"{len(rows)} rows in out/leaves.csv\n"
    assert {row["letter_id"] for row in rows} == {"blue", "red", "slow"}
    [row] = [row for row in rows if (row["letter_id"], row["path"]) == ("red", "/carrier")]
    assert (row["gold"], row["status"] in ("wrong", "omitted"), row["is_error"]) == ("Red Cart", True, "true")
    assert cli("eval", "export", "parcel@v1", "--out", "leaves.pdf").code == 2
