"""``extractor cassettes status`` where not everything is recorded, and ``extractor cassettes seal``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.loopback import Endpoint
from tests.support.toy import MODEL, Ran, add_gold, cli, edit, put, write_toy

OTHER = "openai/other"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of three letters with gold, recorded for the model that is replayed."""
    root = add_gold(write_toy(tmp_path / "toy", "partly"))
    edit(root / "workspace.toml", 'default_model = "offline"', f'default_model = "offline"\nreplay_model = "{MODEL}"')
    monkeypatch.chdir(root)
    return root


def record(server: Endpoint, model: str, *words: object) -> None:
    assert cli("record", "--model", model, "--base-url", server.url, *words).code == 0


def status(*words: object) -> Ran:
    return cli("cassettes", "status", *words)


def test_a_second_model_may_be_recorded_in_part(toy: Path, server: Endpoint) -> None:
    record(server, MODEL)
    record(server, OTHER, "--letter", "red")
    ran = status("--strict")
    assert ran.code == 0
    assert f"partly recorded: prompt parcel@v1 x model {OTHER}: 1 of 3 letters\n" in ran.out
    [partly] = status("--json").json["partly_recorded"]
    assert (partly["model"], partly["recorded"], partly["letters"]) == (OTHER, 1, 3)
    assert partly["command"].startswith(f"extractor record --prompt parcel@v1 --model {OTHER} --base-url")
    assert status("--strict", "--model", OTHER).code == 3
    assert cli("eval", "run", "parcel@v1").code == 0


def test_a_model_with_a_baseline_must_be_whole(toy: Path, server: Endpoint) -> None:
    record(server, MODEL)
    record(server, OTHER)
    assert cli("eval", "bless", "parcel@v1", "--model", f"replay:{OTHER}").code == 0
    assert status("--strict").code == 0
    (toy / "cassettes/parcel/parcel@v1/openai__other/red.yaml").unlink()
    ran = status("--strict")
    assert ran.code == 3
    assert f"missing: letter red x prompt parcel@v1 x model {OTHER}" in ran.out


def test_second_recordings_may_be_partial_and_are_held_to_what_is_asked_now(toy: Path, server: Endpoint) -> None:
    record(server, MODEL)
    record(server, MODEL, "--repeat", "2", "--letter", "red")
    ran = status("--strict")
    assert ran.code == 0
    assert f"partly recorded: prompt parcel@v1 x model {MODEL}, recording 2: 1 of 3 letters\n" in ran.out
    edit(toy / "letters/red.txt", "12/31/2019", "12/30/2019")
    stale = [row["recording"] for row in status("--json").json["cassettes"] if row["state"] == "stale"]
    assert stale == [1, 2]


def test_a_prompt_that_was_never_recorded_fails_a_strict_status(toy: Path, server: Endpoint) -> None:
    record(server, MODEL)
    put(toy / "prompts/parcel/v2.md", (toy / "prompts/parcel/v1.md").read_bytes())
    ran = status("--strict")
    assert ran.code == 3
    assert (
        f"never recorded: prompt parcel@v2\n  record it with: extractor record --prompt parcel@v2 --model {MODEL}"
        in (ran.out)
    )
    assert (status().code, status("--strict", "--prompt", "parcel@v1").code) == (0, 0)
    refused = cli("eval", "run", "parcel@v2")
    assert refused.code == 2
    assert "extractor record --prompt parcel@v2" in refused.err


def test_a_cassette_without_a_hash_of_its_answers_is_sealed(toy: Path, server: Endpoint) -> None:
    record(server, MODEL)
    path = toy / "cassettes/parcel/parcel@v1/openai__toy/red.yaml"
    before = path.read_text("utf-8")
    lines = before.splitlines(keepends=True)
    put(path, "".join(line for line in lines if "answers_sha256" not in line))
    ran = status("--strict")
    assert ran.code == 3
    assert "1 cassettes hold no hash of their answers" in ran.out
    assert cli("cassettes", "seal").out == "1 of 3 cassettes sealed\n"
    assert sorted(path.read_text("utf-8").splitlines()) == sorted(before.splitlines())
    assert status("--strict").code == 0
