"""``--second-model`` on the command line: which models it may be, live and from cassettes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import MODEL, NOTES, cli, edit, good_model, letter_in, put, records, right_answer, write_toy

OTHER = "openai/other"
GUIDED = """\
---
title: Guided
why: For tests.
strategy: skeleton
---
Fill the schema.
"""


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with three good letters."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


def loses_a_parcel(number: int, asked: Asked) -> Canned:
    """A model that answers about the blue note that its first parcel is lost, however often it is asked."""
    answer = right_answer(letter_in(asked))
    if "Blue Van" in letter_in(asked):
        answer["parcels"][0]["state"] = "lost"
    return message(json.dumps(answer))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", MODEL, "--second-model", MODEL), "is the same model"),
        (("--model", "openai/gpt-5", "--second-model", "azure/GPT-5-2026-01-31"), "is the same model"),
        (("--model", "replay:openai/x", "--second-model", "replay:openai/x"), "is the same model"),
        (("--second-model", MODEL), "needs two language models"),
        (("--model", MODEL, "--second-model", "offline"), "needs two language models"),
        (("--model", MODEL, "--second-prompt", "parcel@v1"), "need a second model"),
        (("--model", MODEL, "--second-base-url", "http://127.0.0.1:9/v1"), "need a second model"),
        (("--model", MODEL, "--second-model", f"replay:{OTHER}"), "only the second model"),
        (("--model", MODEL, "--second-model", OTHER, "--second-prompt", "parcel@v9"), "parcel@v9"),
        (("--model", MODEL, "--second-model", OTHER, "--second-prompt", "parcel@v2"), "would not read for itself"),
    ],
)
def test_what_a_second_model_may_be(toy: Path, words: tuple[str, ...], message: str) -> None:
    put(toy / "prompts/parcel/v2.md", GUIDED)
    for command in (("run", "letters", "--out", "out"), ("extract", "letters/blue.txt")):
        ran = cli(*command, *words)
        assert ran.code == 2
        assert message in ran.err
        assert "Traceback" not in ran.err


def test_only_what_is_flagged_goes_to_the_second_model(toy: Path) -> None:
    with endpoint(loses_a_parcel) as first, endpoint(good_model) as second:
        ran = cli(
            "run", "letters", "--out", "out", "--model", MODEL, "--base-url", first.url,
            "--second-model", OTHER, "--second-base-url", second.url,
        )  # fmt: skip
        one = cli(
            "extract", "letters/blue.txt", "--model", MODEL, "--base-url", first.url,
            "--second-model", OTHER, "--second-base-url", second.url,
        )  # fmt: skip
    assert (ran.code, one.code) == (1, 1)
    assert [letter_in(asked) for asked in second.asked] == [NOTES["blue"]] * 2
    assert [len(asked.body["messages"]) for asked in second.asked] == [2, 2]
    blue, red, slow = records(toy / "out")
    assert [each["status"] for each in (blue, red, slow)] == ["needs_review", "accepted", "accepted"]
    assert blue["second"]["answer"] == right_answer(NOTES["blue"])
    assert blue["second"]["values"] == {"/parcels/0/state": "delivered"}
    assert [each["model"] for each in blue["attempts"]] == [MODEL, MODEL, OTHER]
    assert blue["answer"] == one.json["answer"]
    assert blue["second"] == one.json["second"]
    assert not {"second"} & {*red, *slow}


def test_a_dry_run_counts_the_second_model(toy: Path) -> None:
    ran = cli("run", "letters", "--out", "out", "--model", MODEL, "--second-model", OTHER, "--dry-run")
    assert "3 calls (9 at most, with --reask 1 and --second-model)" in ran.out
    assert f"{OTHER} is asked about letters that are flagged" in ran.out


def test_a_budget_needs_both_prices(toy: Path) -> None:
    put(toy / "prices.toml", f'as_of = 2026-01-01\n[models."{MODEL}"]\ninput = 1\noutput = 1\nsource = "a"\n')
    words = ("run", "letters", "--out", "out", "--model", MODEL, "--max-cost", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "k")
        ran = cli(*words, "--second-model", OTHER)
    assert ran.code == 2
    assert f"unknown price for {OTHER}" in ran.err


def test_both_models_are_replayed(toy: Path) -> None:
    edit(toy / "workspace.toml", 'default_prompt = "parcel@v1"', 'default_prompt = "parcel@v1"\nletters = "letters"')
    with endpoint(loses_a_parcel) as first, endpoint(good_model) as second:
        assert cli("record", "--model", MODEL, "--base-url", first.url).code == 0
        assert cli("record", "--model", OTHER, "--base-url", second.url, "--letter", "red").code == 0
        words = ("run", "letters", "--out", "out", "--model", MODEL, "--base-url", first.url, "--replay")
        missing = cli(*words, "--second-model", OTHER, "--second-base-url", second.url)
        assert missing.code == 3
        assert f"extractor record --prompt parcel@v1 --model {OTHER} --letter blue" in missing.err
        assert cli("record", "--model", OTHER, "--base-url", second.url, "--letter", "blue").code == 0
        asked = len(first.asked) + len(second.asked)
        ran = cli(*words, "--second-model", OTHER, "--second-base-url", second.url)
        assert len(first.asked) + len(second.asked) == asked
    assert ran.code == 1, ran.err
    blue, *_ = records(toy / "out")
    assert blue["second"]["values"] == {"/parcels/0/state": "delivered"}
