"""Runs over letters of several types: ``--type auto``."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from extractor.letters.letter import find_letters
from extractor.models.model import Question, Reply, Usage
from extractor.models.offline import values
from extractor.runs import bulk
from extractor.runs.plan import Plan
from extractor.workspace.session import find_prompt, plan_spec
from extractor.workspace.workspace import Workspace
from tests.support.bva import BVA, OWN, ROOT
from tests.support.imr import IMR
from tests.support.toy import cli, put, records

PANEL, CUT = "panel-of-three", "mixed-outcomes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "in/panel.txt", (OWN / "letters" / f"{PANEL}.txt").read_bytes())
    put(tmp_path / "in/review.txt", (ROOT / "eval/imr/letters" / f"{CUT}.txt").read_bytes())
    put(tmp_path / "in/cake.txt", "Dear Sir,\nthank you for the cake.")
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def run(folder: Path, *more: str) -> dict[str, Any]:
    words = ["run", folder / "in", "--type", "auto", "--out", folder / "out", "--workspace", ROOT, "--json", *more]
    return dict(json.loads(cli(*words).out))


def test_each_letter_has_the_record_of_its_type(folder: Path) -> None:
    report = run(folder)
    assert report["types"] == {"bva": 1, "imr": 1, "unassigned": 1}
    assert report["failed"] == 1
    found = {record["letter_id"]: record for record in records(folder / "out")}
    assert {name: record["letter_type"] for name, record in found.items()} == {
        "panel": "bva",
        "review": "imr",
        "cake": "unassigned",
    }
    assert found["cake"]["error"]["code"] == "no_letter_type"
    assert found["cake"]["schema_sha256"] is None
    # A second run has nothing to do, whatever a letter's type is.
    again = run(folder)
    assert (again["skipped"], again["types"]) == (3, report["types"])
    dry = run(folder, "--dry-run", "--force")
    assert (dry["letters"], dry["calls"], dry["unassigned"]) == (3, 2, 1)


def test_each_type_has_its_tables(folder: Path) -> None:
    run(folder)
    ran = cli("export", folder / "out", "--workspace", ROOT)
    assert ran.code == 0, ran.err
    names = sorted(path.name for path in (folder / "out").glob("*.csv"))
    assert names == [
        "bva-conclusions.csv",
        "bva-letters.csv",
        "bva-order.csv",
        "imr-decisions.csv",
        "imr-letters.csv",
        "unassigned.csv",
    ]
    assert [row["letter_id"] for row in rows(folder / "out/imr-letters.csv")] == ["review"]
    assert [(row["letter_id"], row["error"]) for row in rows(folder / "out/unassigned.csv")] == [
        ("cake", "no_letter_type")
    ]
    # One type alone keeps the plain names; a table that only one type has is that type's.
    assert cli("export", folder / "out", "--workspace", ROOT, "--type", "bva", "--rows", "order").code == 0
    assert {row["letter_id"] for row in rows(folder / "out/order.csv")} == {"panel"}
    refused = cli("export", folder / "out", "--workspace", ROOT, "--rows", "cakes")
    assert refused.code == 2
    assert "no table 'cakes'" in refused.err


def test_lines_are_checked_by_the_type_they_name_or_bear(folder: Path) -> None:
    run(folder)
    lines = [{**one, "letter_type": None} for one in records(folder / "out") if one["answer"]]
    put(folder / "bare.jsonl", "\n".join(map(json.dumps, lines)))
    ran = cli("check", folder / "bare.jsonl", folder / "in", "--type", "auto", "--workspace", ROOT)
    checked = [json.loads(line) for line in ran.out.splitlines()]
    assert {line["letter_id"]: line["letter_type"] for line in checked} == {"panel": "bva", "review": "imr"}
    assert {line["status"] for line in checked} == {"accepted"}


@pytest.mark.parametrize("words", [["text", "in"], ["batch", "write", "in"], ["record"], ["review", "in"], ["schema"]])
def test_other_commands_are_about_one_type(folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(folder)
    ran = cli(*words, "--type", "auto", "--workspace", ROOT)
    assert ran.code == 2
    assert "about one letter type" in ran.err


def test_one_letter(folder: Path) -> None:
    ran = cli("extract", folder / "in/panel.txt", "--type", "auto", "--workspace", ROOT)
    assert json.loads(ran.out)["letter_type"] == "bva"
    ran = cli("extract", folder / "in/cake.txt", "--type", "auto", "--workspace", ROOT)
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (1, "no_letter_type")


@dataclass
class Reader:
    """A model that answers with what the letter's own type reads, and keeps what it was asked."""

    name: str = "test/reader"
    params: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)

    async def ask(self, question: Question) -> Reply:
        self.asked[question.letter_id] = question.instructions
        schema = next(kind.schema for kind in (IMR, BVA) if kind.schema is question.schema)
        return Reply(to_json(values(schema, question.reading.root)).decode(), Usage(10, 10))

    def stop_retrying(self) -> None:
        """Nothing is retried."""

    async def aclose(self) -> None:
        """Nothing is open."""


def test_each_letter_is_asked_about_with_its_types_prompt(folder: Path) -> None:
    workspace, model = Workspace(ROOT), Reader()
    imr, bva = (Plan(kind, model, find_prompt(workspace, kind.name, None), reasks=0) for kind in (IMR, BVA))
    plan = replace(imr, others=(bva,))
    summary = asyncio.run(bulk.run(find_letters([folder / "in"]), plan, folder / "out"))
    assert imr.prompt
    assert bva.prompt
    assert model.asked == {"panel": bva.prompt.text, "review": imr.prompt.text}
    assert summary.types == {"bva": 1, "imr": 1, "unassigned": 1}
    assert {one["letter_id"]: one["prompt"] for one in records(folder / "out")} == {
        "panel": bva.prompt.id,
        "review": imr.prompt.id,
        "cake": None,
    }


@pytest.mark.parametrize(
    ("prompt", "opened"),
    [(None, {"imr": "imr@v1", "bva": "bva@v1"}), ("bva@v2", {"imr": "imr@v1", "bva": "bva@v2"})],
)
def test_a_named_prompt_is_for_its_own_type(
    prompt: str | None, opened: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor.workspace.session._chat_model", lambda *args, **settings: Reader())
    spec = plan_spec(Workspace(ROOT), letter_type="auto", model="openai/none", prompt=prompt)
    plan = spec.open(keyless=True).plan
    assert {each.letter_type.name: each.prompt.id for each in plan.by_type if each.prompt} == opened
    assert len({id(each.model) for each in plan.by_type}) == 1
