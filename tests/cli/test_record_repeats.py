"""``extractor record --repeat`` and ``--note``: several recordings of a letter, each with its own note."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.loopback import Endpoint
from tests.support.toy import MODEL, Ran, carrier_in, cli, edit, write_toy

KEY = "sk-secret-000111222"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of three letters."""
    root = write_toy(tmp_path / "toy")
    edit(root / "workspace.toml", 'default_prompt = "parcel@v1"', 'default_prompt = "parcel@v1"\nletters = "letters"')
    monkeypatch.chdir(root)
    return root


def record(server: Endpoint, *words: object) -> Ran:
    return cli("record", "--model", MODEL, "--base-url", server.url, *words)


def asked(server: Endpoint) -> list[str]:
    return sorted(carrier_in(each) for each in server.asked)


def tape(toy: Path, name: str) -> Path:
    return toy / "cassettes/parcel/parcel@v1/openai__toy" / f"{name}.yaml"


def test_a_second_reader_adds_a_recording_of_each_letter(toy: Path, server: Endpoint) -> None:
    record(server, "--note", "first reader")
    server.asked.clear()
    assert "parcel@v1 red (recording 2): missing" in record(server, "--repeat", "2", "--dry-run").out
    ran = record(server, "--repeat", "2", "--note", "second reader")
    assert ran.code == 0
    assert "3 of 3 recordings recorded; fresh before: 3" in ran.err
    assert asked(server) == ["Blue Van", "Red Cart", "Slow Boat"]
    heads = [yaml.safe_load(tape(toy, name).read_text("utf-8"))["recorded"] for name in ("red", "red___2")]
    assert [(head["endpoint"], head.get("recording")) for head in heads] == [
        ("first reader", None),
        ("second reader", 2),
    ]
    assert record(server, "--repeat", "2").err == "0 of 0 recordings recorded; fresh before: 6\n"
    assert record(server, "--repeat", "3", "--letter", "red").err.endswith(
        "1 of 1 recordings recorded; fresh before: 2\n"
    )


@pytest.mark.parametrize("note", [f"asked with {KEY}", "Bearer abcdefgh"])
def test_a_note_that_holds_a_secret_is_refused(toy: Path, server: Endpoint, note: str) -> None:
    ran = record(server, "--note", note)
    assert (ran.code, server.asked) == (2, [])
    assert "--note holds what looks like a secret" in ran.err
    assert note not in ran.err
