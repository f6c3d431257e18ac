"""docs/letter-type.md: its files are written and its commands run, in order."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support.toy import cli, put

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "letter-type.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_leads_from_letters_to_a_measured_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = ""
    for _, path, text in _BLOCK.findall(PAGE):
        if path:
            put(tmp_path / path, text)
            continue
        for line in text.splitlines():
            command, *words = shlex.split(line)
            if command == "cp":
                shutil.copy(*words)
                continue
            ran = cli(*words)
            assert ran.code == 0, (line, ran.err)
            out = ran.out
    found = re.search(r"(\d+) mistakes planted, (\d+) caught", out)
    assert found
    assert int(found[1]) == int(found[2]) > 40
    records = [json.loads(line) for line in (tmp_path / "out" / "records.jsonl").read_text("utf-8").splitlines()]
    assert [record["status"] for record in records] == ["accepted", "accepted"]


def test_a_draft_proposes_what_recurs(tmp_path: Path) -> None:
    letters = {path: text for _, path, text in _BLOCK.findall(PAGE) if path.startswith("letters/")}
    for path, text in letters.items():
        put(tmp_path / path, text)
    assert cli("init", tmp_path / "own", "--type", "notice", "--from", tmp_path / "letters").code == 0
    draft = (tmp_path / "own" / "schemas" / "notice.py").read_text("utf-8")
    for line in ('"charges": "CHARGES"', 'After("Account:")', "date | None", 'After("Status:")', "WATER"):
        assert line in draft
    record = json.loads(cli("extract", tmp_path / "letters/stone.txt", "--workspace", tmp_path / "own").out)
    assert record["answer"]["account"] == "NM-5120"
    assert record["answer"]["date"] == "2020-05-09"
    assert record["answer"]["charges"] == ["Water for the spring is due: $80."]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--type", "notice"], "--type and --from belong together"),
        (["--type", "No", "--from", "letters"], "cannot name a letter type"),
        (["--type", "notice", "--from", "letters"], "no heading or label recurs"),
        (["--type", "notice", "--from", "empty"], "no letter"),
    ],
)
def test_what_cannot_be_drafted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "letters" / "one.txt", "dear sir, hello\n")
    (tmp_path / "empty").mkdir()
    ran = cli("init", "own", *words)
    assert ran.code == 2
    assert message in ran.err
    assert not (tmp_path / "own").exists()
