"""``extractor run``: many letters in, one line each out, whatever happens on the way."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.loopback import Asked, Canned, Endpoint, endpoint, message, refusal
from tests.support.toy import (
    INIT_V2,
    MODEL,
    NOTES,
    ROOT,
    Ran,
    carrier_in,
    cli,
    edit,
    forget_workspaces,
    good_model,
    is_correction,
    letter_in,
    put,
    records,
    right_answer,
    statuses,
    write_toy,
)

KEYS = {
    "letter_id", "letter_sha256", "letter_type", "status", "answer", "evidence", "findings", "model", "prompt",
    "prompt_sha256", "schema_sha256", "engine", "attempts", "usage", "cost_usd", "error",
    "proof", "withheld", "record_version", "source",
}  # fmt: skip
FINDING_KEYS = {"code", "path", "severity", "blame", "message", "expected", "got", "span"}
DEAD = "http://127.0.0.1:9/v1"
INIT = "schemas/parcel/__init__.py"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with three good letters."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


def run(*words: object) -> Ran:
    return cli("run", "letters", "--out", "out", *words)


def asking(server: Endpoint, *words: object) -> Ran:
    return run("--model", MODEL, "--base-url", server.url, *words)


# ---- offline ---------------------------------------------------------------------------------


def test_reference_letters(tmp_path: Path) -> None:
    letters = sorted((ROOT / "eval/imr/letters").glob("dwc-2014-*.txt"))
    ran = cli("run", *letters, "--out", tmp_path, "--model", "offline", "--workspace", ROOT)
    found = records(tmp_path)
    assert ran.code == 1
    assert statuses(tmp_path) == {
        "dwc-2014-000": "accepted",
        "dwc-2014-001": "accepted",
        "dwc-2014-002": "needs_review",
        "dwc-2014-003": "accepted",
        "dwc-2014-004": "accepted",
    }
    assert all(set(record) == KEYS | {"form"} for record in found)
    assert [record["form"] for record in found] == [*["2014-15"] * 4, "2014-17"]
    assert all(set(finding) == FINDING_KEYS for record in found for finding in record["findings"])
    assert [len(record["answer"]["decisions"]) for record in found] == [1, 1, 2, 5, 1]
    assert {record["cost_usd"] for record in found} == {0.0}
    assert "5 letters: 4 accepted, 1 needs_review, 0 failed." in ran.out
    for record in found:
        text = (ROOT / "eval/imr/letters" / f"{record['letter_id']}.txt").read_bytes().decode()
        for spans in record["evidence"].values():
            assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)


def test_a_record(toy: Path) -> None:
    assert run().code == 0
    [blue, red, slow] = records(toy / "out")
    assert [blue["letter_id"], red["letter_id"], slow["letter_id"]] == ["blue", "red", "slow"]
    assert set(blue) == KEYS
    assert (blue["status"], blue["letter_type"], blue["model"], blue["prompt"], blue["error"]) == (
        "accepted", "parcel", "offline", None, None,
    )  # fmt: skip
    assert blue["answer"] == right_answer(NOTES["blue"])
    assert blue["evidence"]["/parcels/0/on"] == [{"start": 48, "end": 56, "letter_page": None, "text": "3/4/2020"}]
    assert red["evidence"]["/carrier"][0]["text"] == "Red Cart"
    assert [finding["code"] for finding in blue["findings"]] == ["baseline"]


def test_exit_code_is_1_if_something_needs_a_look(toy: Path) -> None:
    put(toy / "letters/bill.txt", "An invoice.")
    assert run().code == 1
    assert statuses(toy / "out") == {"bill": "needs_review", "blue": "accepted", "red": "accepted", "slow": "accepted"}


def test_bad_letters_fail_alone(toy: Path) -> None:
    put(toy / "letters/empty.txt", "")
    put(toy / "letters/photo.txt", bytes(500))
    ran = run()
    found = {record["letter_id"]: record for record in records(toy / "out")}
    assert ran.code == 1
    assert {name: record["status"] for name, record in found.items()} == {
        "blue": "accepted", "empty": "failed", "photo": "failed", "red": "accepted", "slow": "accepted",
    }  # fmt: skip
    assert all(set(record) == KEYS for record in found.values())
    assert (found["empty"]["error"]["code"], found["photo"]["error"]["code"]) == ("empty", "binary")
    assert found["empty"]["answer"] is None
    assert found["empty"]["letter_sha256"] is None
    assert run().code == 1
    assert statuses(toy / "out") == {name: record["status"] for name, record in found.items()}


def test_a_second_run_skips_what_is_done(toy: Path) -> None:
    assert run("--json").json["skipped"] == 0
    before = (toy / "out/records.jsonl").read_bytes()
    ran = run("--json")
    assert (ran.code, ran.json["skipped"], ran.json["accepted"]) == (0, 3, 3)
    assert (toy / "out/records.jsonl").read_bytes() == before


def test_a_changed_letter_is_done_again(toy: Path) -> None:
    run()
    edit(toy / "letters/slow.txt", "lost", "delivered on 1/2/2021")
    assert run("--json").json["skipped"] == 2
    assert [record["answer"]["parcels"][0]["on"] for record in records(toy / "out")] == [
        "2020-03-04", "2019-12-31", "2021-01-02",
    ]  # fmt: skip


def test_more_letters_can_be_added(toy: Path) -> None:
    cli("run", "letters/blue.txt", "--out", "out")
    assert list(statuses(toy / "out")) == ["blue"]
    assert run("--json").json["skipped"] == 1
    assert list(statuses(toy / "out")) == ["blue", "red", "slow"]


def test_json_report(toy: Path) -> None:
    put(toy / "letters/empty.txt", "")
    report = run("--json").json
    assert report.pop("seconds") >= 0
    assert set(report.pop("usage").values()) == {None}
    assert report.pop("now") == {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0, "refused_calls": 0}
    assert report == {
        "letters": 4, "accepted": 3, "needs_review": 0, "failed": 1, "skipped": 0, "doubled": 0, "unanswered": {},
        "withheld": {"values": 0, "letters": 0}, "left": 0, "stopped": None, "interrupted": False, "records": str(Path("out/records.jsonl")),
        "cost_usd": 0.0, "cost_usd_known": 0.0, "cost_unknown": None, "replayed": False, "missing": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "spoil", [lambda whole: whole[:-9], lambda whole: whole + b'{"letter_id": "bl', lambda whole: b""]
)
def test_a_torn_file_is_healed(toy: Path, spoil: Callable[[bytes], bytes]) -> None:
    run()
    path = toy / "out/records.jsonl"
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert run("--json").json["skipped"] == 3
    assert path.read_bytes() == whole


@pytest.mark.skipif(os.name == "nt", reason="no such modes there")
def test_results_are_private(toy: Path) -> None:
    old = os.umask(0)
    try:
        run()
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (toy / "out", *(toy / "out").iterdir())}
    assert modes == {"out": 0o700, "records.jsonl": 0o600, "run.db": 0o600, "run.lock": 0o600}


def test_changed_checks_only_check_again(toy: Path) -> None:
    with endpoint(good_model) as server:
        assert asking(server).code == 0
        assert len(server.asked) == 3
        put(toy / INIT, INIT_V2)
        forget_workspaces()
        assert asking(server, "--json").json["skipped"] == 0
        assert len(server.asked) == 3
    codes = {record["letter_id"]: [f["code"] for f in record["findings"]] for record in records(toy / "out")}
    assert codes == {"blue": ["parcel_lost"], "red": [], "slow": ["parcel_lost"]}


def test_a_changed_prompt_or_model_asks_again(toy: Path) -> None:
    put(toy / "prompts/parcel/v2.md", "---\ntitle: B\nwhy: C\n---\nRead the note.\n")
    with endpoint(good_model) as server:
        for words, asked in [([], 3), ([], 3), (["--prompt", "parcel@v2"], 6), (["--model", "openai/other"], 9)]:
            assert asking(server, *words).code == 0
            assert len(server.asked) == asked
    assert {(record["prompt"], record["model"]) for record in records(toy / "out")} == {("parcel@v1", "openai/other")}


# ---- asked over the wire -----------------------------------------------------------------------


def test_what_is_wrong_is_asked_again_once(toy: Path) -> None:
    def script(number: int, asked: Asked) -> Canned:
        answer = right_answer(letter_in(asked))
        if carrier_in(asked) == "Red Cart" and not is_correction(asked):
            answer["parcels"][0]["state"] = "lost"
        if carrier_in(asked) == "Slow Boat":
            answer["carrier"] = "Fast Boat"
        return message(json.dumps(answer))

    with endpoint(script) as server:
        assert asking(server).code == 1
    assert Counter(map(carrier_in, server.asked)) == {"Blue Van": 1, "Red Cart": 2, "Slow Boat": 2}
    found = {record["letter_id"]: record for record in records(toy / "out")}
    assert {name: (record["status"], len(record["attempts"])) for name, record in found.items()} == {
        "blue": ("accepted", 1),
        "red": ("accepted", 2),
        "slow": ("needs_review", 2),
    }
    assert found["red"]["usage"] == {
        "input_tokens": 200, "output_tokens": 20, "cached_tokens": 128, "reasoning_tokens": None, "cache_write_tokens": None,
    }  # fmt: skip
    correction = next(asked for asked in server.asked if is_correction(asked)).body["messages"][3]["content"]
    assert "value_differs" in correction or "not_in_text" in correction
    assert "Boat" not in correction
    assert "Cart" not in correction


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (message("Sure! Here it is"), "invalid_answer"),
        (message('{"carrier": null, "carrier": null, "parcels": []}'), "invalid_answer"),
        (message(None, refusal="no"), "refusal"),
        (message('{"carrier"', finish="length"), "truncated"),
        (refusal(400, "odd"), "bad_request"),
    ],
)
def test_no_usable_answer_fails_one_letter(toy: Path, reply: Canned, code: str) -> None:
    with endpoint(lambda n, asked: reply if carrier_in(asked) == "Red Cart" else good_model(n, asked)) as server:
        assert asking(server).code == 1
    assert statuses(toy / "out") == {"blue": "accepted", "red": "failed", "slow": "accepted"}
    assert records(toy / "out")[1]["error"]["code"] == code


def test_a_paid_reply_that_is_no_answer_is_not_paid_again(toy: Path) -> None:
    with endpoint([message('{"carrier"', finish="length")]) as server:
        asking(server)
        put(toy / INIT, INIT_V2)
        forget_workspaces()
        asking(server)
        assert len(server.asked) == 3


def test_a_schema_that_cannot_be_sent_is_refused_at_once(toy: Path) -> None:
    edit(toy / "schemas/parcel/model.py", "number: Annotated[str,", "number: Annotated[str | dict[str, str],")
    ran = run("--model", MODEL, "--base-url", DEAD)
    assert ran.code == 2
    assert "free-form" in ran.err or "unknown keys" in ran.err


def test_unreachable(toy: Path) -> None:
    ran = run("--model", MODEL, "--base-url", DEAD)
    assert ran.code == 4
    assert f"3 letters were not answered. First: cannot reach {DEAD}" in ran.err
    assert "3 letters are left; run the same command again" in ran.err
    assert records(toy / "out") == []
    with endpoint(good_model) as server:
        assert asking(server).code == 0
    assert statuses(toy / "out") == {"blue": "accepted", "red": "accepted", "slow": "accepted"}


def test_a_dead_endpoint_does_not_burn_through_the_list(toy: Path) -> None:
    for i in range(40):
        put(toy / f"letters/{i}.txt", f"PARCEL NOTE of {i}\n")
    with endpoint([refusal(503)]) as server:
        ran = asking(server, "--concurrency", 2, "--json")
    assert ran.code == 4
    assert 5 <= len(server.asked) <= 6
    assert {error["code"] for error in ran.json["unanswered"].values()} == {"server"}


# ---- wrong usage ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "openai/gpt-x"], "no key for model 'openai/gpt-x'\n  set OPENAI_API_KEY"),
        (["--model", "acme/gpt"], "unknown model 'acme/gpt'\n  known: offline, replay:NAME, openai/NAME"),
        (["--model", "openai/"], "unknown model 'openai/'"),
        (["--model", MODEL, "--base-url", "127.0.0.1:9"], "http://HOST:PORT/v1"),
        (["--model", MODEL, "--base-url", DEAD, "--prompt", "parcel@v7"], "known: parcel@v1"),
        (["--base-url", DEAD], "a base URL or a prompt needs a model"),
        (["--type", "postcard"], "known: parcel"),
        (["--workspace", "letters"], "workspace.toml"),
        (["--replay"], "no answers are recorded for parcel@v1"),
        (["nowhere"], "no such file or folder: nowhere"),
        (["--out", "workspace.toml"], "cannot use workspace.toml"),
        (["--concurrency", "0"], "concurrency: 0"),
    ],
)
def test_wrong_usage(toy: Path, words: list[str], message: str) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert message in ran.err
    assert ran.out == ""
    assert not (toy / "out").exists() or not list((toy / "out").iterdir())


def test_prompt_of_another_letter_type(toy: Path) -> None:
    ran = run("--model", MODEL, "--base-url", DEAD, "--prompt", "postcard@v1")
    assert (ran.code, "no prompt 'postcard@v1'" in ran.err) == (2, True)
