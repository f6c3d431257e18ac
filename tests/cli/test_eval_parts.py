"""``extractor eval`` over some letters, tags and fields, over several models, and over time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import MODEL, add_gold, cli, good_model, letter_in, put, right_answer, write_toy

OTHER = "openai/other"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy workspace with gold, tags and two recorded models, of which the other takes lost parcels for delivered."""
    root = add_gold(write_toy(tmp_path / "w", "evalparts"))
    put(root / "eval/parcel/sets.toml", '[sets]\n[tags]\nlost = ["blue", "slow"]\none = ["red", "slow"]\n')
    monkeypatch.chdir(root)

    def hasty(number: int, asked: Asked) -> Canned:
        answer = right_answer(letter_in(asked))
        for parcel in answer["parcels"]:
            parcel["state"] = "delivered"
        return message(json.dumps(answer))

    for model, script in ((MODEL, good_model), (OTHER, hasty)):
        with endpoint(script) as server:
            words = ("--base-url", server.url, "--reask", "0")
            assert cli("record", "--model", model, *words).code == 0
    return root


def test_some_letters_tags_and_fields(bench: Path) -> None:
    def run(*words: str) -> dict:
        done = cli("eval", "run", "parcel@v1", "--model", f"replay:{OTHER}", "--reask", "0", "--format", "json", *words)
        assert done.code == 0, done.err
        return json.loads(done.out)

    for words, letters, errors in (
        ((), 3, 2),
        (("--letter", "red"), 1, 0),
        (("--tag", "lost"), 2, 2),
        (("--tag", "lost", "--tag", "one"), 1, 1),
        (("--field", "parcels/state"), 3, 2),
        (("--field", "carrier"), 3, 0),
    ):
        summary = run(*words)["summary"]
        assert (summary["letters"], summary["errors"]) == (letters, errors), words
    confusions = [(each["gold"], each["answer"], each["counts"]) for each in run()["breakdown"]["confusions"]]
    assert ("lost", "delivered", [2]) in confusions
    assert {each["name"]: each["errors"] for each in run()["breakdown"]["slices"]} == {"lost": [2], "one": [1]}
    for words, why in (
        (("--letter", "green"), "no letter 'green'"),
        (("--tag", "green"), "no tag 'green'"),
        (("--letter", "red", "--tag", "lost"), "no letter has all of that"),
        (("--field", "green"), "no field 'green'"),
    ):
        refused = cli("eval", "run", "parcel@v1", "--model", f"replay:{OTHER}", *words)
        assert refused.code == 2
        assert why in refused.err


def test_a_prompt_with_two_models(bench: Path) -> None:
    words = ("eval", "compare", "parcel@v1", "--model", f"replay:{MODEL}", "--model", f"replay:{OTHER}", "--reask", "0")
    done = cli(*words)
    assert done.code == 0, done.err
    assert f"{MODEL} -> {OTHER}" in done.out
    assert "broke (2)" in done.out


def test_a_live_run_names_reused_answers_and_fresh_asks_again(bench: Path) -> None:
    with endpoint(good_model) as server:
        words = ("eval", "run", "parcel@v1", "--model", MODEL, "--base-url", server.url)
        assert "kept by an earlier run" not in cli(*words).err
        again = cli(*words, "--repeat", "2")
        assert "3 of 6 answers kept by an earlier run and used again; ask anew: --fresh" in again.err
        assert len(server.asked) == 6
        assert cli(*words, "--repeat", "2", "--fresh").code == 0
        assert len(server.asked) == 12
    refused = cli("eval", "run", "parcel@v1", "--model", f"replay:{MODEL}", "--fresh")
    assert refused.code == 2
    assert "extractor record --all" in refused.err


def test_history_has_dates_and_a_trend(bench: Path) -> None:
    for model in (MODEL, OTHER):
        cli("eval", "run", "parcel@v1", "--model", f"replay:{model}", "--reask", "0")
    cli("eval", "run", "--model", "offline")
    listed = cli("eval", "history")
    assert "made" in listed.out
    assert len({head["made"][:4] for head in cli("eval", "history", "--json").json}) == 1
