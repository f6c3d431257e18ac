"""``extractor record``: which letters are asked, what is kept, and going on after an interruption."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.loopback import Asked, Canned, Endpoint, endpoint, message, refusal
from tests.support.toy import (
    MODEL,
    NOTES,
    Ran,
    carrier_in,
    cli,
    edit,
    forget_workspaces,
    good_model,
    is_correction,
    letter_in,
    put,
    right_answer,
    statuses,
    wait_for,
    write_toy,
)

KEY = "sk-secret-000111222"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of three letters and two prompt versions."""
    root = write_toy(tmp_path / "toy")
    edit(root / "workspace.toml", 'default_prompt = "parcel@v1"', 'default_prompt = "parcel@v1"\nletters = "letters"')
    prompt = (root / "prompts/parcel/v1.md").read_text("utf-8")
    put(root / "prompts/parcel/v2.md", prompt.replace("Fill", "Carefully fill"))
    monkeypatch.chdir(root)
    return root


def record(server: Endpoint, *words: object) -> Ran:
    return cli("record", "--model", MODEL, "--base-url", server.url, *words)


def asked(server: Endpoint) -> list[str]:
    """The carriers of the notes that were asked since the last look."""
    names = sorted(carrier_in(each) for each in server.asked)
    server.asked.clear()
    return names


def tape(toy: Path, letter: str, prompt: str = "parcel@v1") -> Path:
    return toy / "cassettes/parcel" / prompt / "openai__toy" / f"{letter}.yaml"


def another_day(toy: Path) -> None:
    path = toy / "letters/red.txt"
    put(path, path.read_bytes().replace(b"12/31/2019", b"12/30/2019"))


def make(kind: str, toy: Path) -> None:
    """Make the tape of the red note what ``kind`` demands."""
    path = tape(toy, "red")
    if kind == "missing":
        path.unlink()
    elif kind == "stale":
        another_day(toy)
    elif kind == "broken":
        put(path, path.read_bytes()[:-20])
    elif kind == "unplayed":
        text = path.read_text("utf-8")
        call = text[text.index("- request:") : text.rindex("...")]
        edit(path, "calls: 1", "calls: 2")
        edit(path, call, call + call.replace("PARCEL NOTE", "PARCEL MEMO"))


# ---- which letters are asked -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words", "names"),
    [
        ("fresh", [], []),
        ("fresh", ["--missing"], []),
        ("fresh", ["--stale"], []),
        ("fresh", ["--all"], ["Blue Van", "Red Cart", "Slow Boat"]),
        ("fresh", ["--all", "--letter", "slow"], ["Slow Boat"]),
        ("missing", [], ["Red Cart"]),
        ("missing", ["--missing"], ["Red Cart"]),
        ("missing", ["--stale"], []),
        ("stale", [], ["Red Cart"]),
        ("stale", ["--missing"], []),
        ("stale", ["--stale"], ["Red Cart"]),
        ("stale", ["--stale", "--letter", "blue"], []),
        ("stale", ["--missing", "--stale"], ["Red Cart"]),
        ("broken", [], ["Red Cart"]),
        ("broken", ["--missing"], []),
        ("unplayed", ["--stale"], ["Red Cart"]),
    ],
)
@pytest.mark.sample(5)
def test_which_letters_are_asked(toy: Path, server: Endpoint, kind: str, words: list[str], names: list[str]) -> None:
    assert record(server).code == 0
    assert asked(server) == ["Blue Van", "Red Cart", "Slow Boat"]
    make(kind, toy)
    dry = record(server, *words, "--dry-run")
    assert (dry.code, asked(server)) == (0, [])
    ran = record(server, *words)
    assert (ran.code, ran.out, asked(server)) == (0, "", names)
    assert f"{len(names)} of {len(names)} letters recorded" in ran.err
    assert [line.split(":")[0].split()[-1] for line in dry.out.splitlines() if line.startswith("parcel@")] == [
        {"Blue Van": "blue", "Red Cart": "red", "Slow Boat": "slow"}[name] for name in names
    ]
    if names:
        assert asked(server) == []
        assert record(server).err == "0 of 0 letters recorded; fresh before: 3\n"


def test_a_change_of_prompt_schema_or_setting_is_found(toy: Path, server: Endpoint) -> None:
    record(server)
    for path, old, new, reason in (
        ("prompts/parcel/v1.md", "Fill the schema", "Fill in the schema", "messages[0] (system): 2 changed lines"),
        (
            "schemas/parcel/model.py",
            "carrier: Annotated[str | None",
            "carrier: Annotated[str",
            "response_format (schema)",
        ),
        ("workspace.toml", "tries = 1", "temperature = 0, tries = 1", "temperature: None recorded, 0 now"),
    ):
        edit(toy / path, old, new)
        forget_workspaces()
        ran = record(server, "--dry-run")
        assert ran.out.count(reason) == 3, path
        edit(toy / path, new, old)
        forget_workspaces()
    assert record(server, "--dry-run").out == "Fresh: 3. Nothing was asked.\n"


def test_checks_that_now_object_make_a_tape_stale(toy: Path, server: Endpoint) -> None:
    """What is sent in a second round depends on the checks: a first answer alone is no longer the whole way."""
    wrong = json.dumps({**right_answer(NOTES["red"]), "carrier": "Nobody"})
    with endpoint(lambda n, each: message(wrong) if not is_correction(each) else good_model(n, each)) as server:
        record(server, "--letter", "red", "--reask", "0")
        assert len(server.asked) == 1
        assert "red: stale (messages: 2 recorded, 4 now)" in record(server, "--letter", "red", "--dry-run").out
        record(server, "--letter", "red")
        assert [is_correction(each) for each in server.asked] == [False, False, True]
    assert record(server, "--letter", "red", "--dry-run").out == "Fresh: 1. Nothing was asked.\n"


@pytest.mark.parametrize(
    ("words", "versions"),
    [([], ["v1"]), (["parcel@v2"], ["v2"]), (["parcel@v2", "parcel@v1"], ["v1", "v2"]), (["all"], ["v1", "v2"])],
)
@pytest.mark.sample(1)
def test_several_prompt_versions(toy: Path, server: Endpoint, words: list[str], versions: list[str]) -> None:
    ran = record(server, *(word for version in words for word in ("--prompt", version)))
    assert ran.code == 0
    assert f"{3 * len(versions)} of {3 * len(versions)}: parcel@" in ran.err
    assert sorted(path.name for path in (toy / "cassettes/parcel").iterdir()) == [f"parcel@{v}" for v in versions]
    assert len(list((toy / "cassettes").rglob("*.yaml"))) == 3 * len(versions)


def test_one_bad_prompt_stops_all_before_anything_is_asked(toy: Path, server: Endpoint) -> None:
    put(toy / "prompts/parcel/released.toml", '[sha256]\nv2 = "0123"\n')
    for words in (["all"], ["parcel@v2"], ["parcel@v1", "parcel@v2"]):
        ran = record(server, *(word for version in words for word in ("--prompt", version)))
        assert (ran.code, server.asked) == (2, [])
        assert "v2.md was edited after its release" in ran.err
    assert record(server, "--prompt", "parcel@v1").code == 0


# ---- what would be asked ---------------------------------------------------------------------


def test_a_dry_run_says_why_how_many_and_asks_nothing(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with endpoint(good_model) as server:
        record(server, "--letter", "blue")
        record(server, "--letter", "red")
    another_day(toy)
    ran = cli("record", "--model", MODEL, "--dry-run", "--prompt", "all")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    tokens = [int(line.partition("about ")[2].split()[0].replace(",", "")) for line in lines[:5]]
    assert [line.partition("; 1 call, 2 at most, about ")[0] for line in lines[:5]] == [
        "parcel@v1 red: stale (messages[1] (user): 2 changed lines)",
        "parcel@v1 slow: missing",
        "parcel@v2 blue: missing",
        "parcel@v2 red: missing",
        "parcel@v2 slow: missing",
    ]
    assert lines[5:] == [
        "5 letters to ask: 5 calls, 10 at most (tries after a failed call not counted).",
        f"About {sum(tokens):,} tokens in for the first calls: an estimate, bytes of the requests / 4.",
        "Fresh: 1. Nothing was asked.",
    ]
    with endpoint(good_model) as server:
        record(server, "--letter", "slow")
        assert len(server.asked[0].raw) // 4 == tokens[1]


def test_without_reasks_each_letter_is_one_call(toy: Path) -> None:
    out = cli("record", "--model", MODEL, "--dry-run", "--reask", "0", "--letter", "red").out
    assert "red: missing; 1 call, about" in out
    assert "1 letter to ask: 1 call (tries" in out


# ---- what is kept ----------------------------------------------------------------------------


def test_the_recorded_block_is_complete(toy: Path, server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    url = server.url.replace("//", "//user:hidden@") + "?token=hidden"
    cli("record", "--model", MODEL, "--base-url", url, "--letter", "red", "--note", "a loopback server")
    text = tape(toy, "red").read_text("utf-8")
    assert "hidden" not in text
    assert KEY not in text
    head = yaml.safe_load(text)["recorded"]
    for name in ("letter_sha256", "prompt_sha256", "schema_sha256", "answers_sha256"):
        assert len(head.pop(name)) == 64
    versions = head.pop("versions")
    assert list(versions) == ["openai", "instructor", "pydantic"]
    assert all(each[0].isdigit() for each in versions.values())
    assert head.pop("date") == time.strftime("%Y-%m-%d", time.gmtime())
    assert 0 <= head.pop("seconds") < 20
    assert head.pop("engine")
    assert head == {
        "endpoint": "a loopback server",
        "letter": "red",
        "prompt": "parcel@v1",
        "model": MODEL,
        "base_url": server.url,
        "params": {"mode": "json_schema"},
        "reask": 1,
        "calls": 1,
    }


def test_the_endpoint_is_recorded_without_a_password(toy: Path, server: Endpoint) -> None:
    cli("record", "--model", MODEL, "--base-url", server.url.replace("//", "//user:hidden@"), "--letter", "red")
    assert f"endpoint: {server.url}\n" in tape(toy, "red").read_text("utf-8")
    assert "hidden" not in tape(toy, "red").read_text("utf-8")


def test_what_was_recorded_plays_without_a_network(toy: Path, server: Endpoint) -> None:
    record(server)
    assert cli("run", "letters", "--replay", "--out", "out").code == 0
    assert statuses(toy / "out") == {"blue": "accepted", "red": "accepted", "slow": "accepted"}


@pytest.mark.slow
def test_a_letter_elsewhere_is_named_in_the_command(toy: Path, server: Endpoint) -> None:
    path = put(toy.resolve() / "more/in here/pink.txt", NOTES["red"].replace("Red", "Pink"))
    for named, arguments in (("more", ["in here/pink", str(path.parent.parent)]), (path, ["pink", str(path)])):
        ran = cli("run", named, "--model", f"replay:{MODEL}", "--out", f"out-{arguments[0][:2]}")
        assert ran.code == 3
        command = shlex.split(ran.err.partition("record it with: extractor ")[2].splitlines()[0])
        assert command == ["record", "--prompt", "parcel@v1", "--model", MODEL, "--letter", *arguments]
        assert cli(*command, "--base-url", server.url).code == 0
        assert cli("run", named, "--model", f"replay:{MODEL}", "--out", f"out-{arguments[0][:2]}").code == 0


# ---- failures --------------------------------------------------------------------------------


def failing_for(carrier: str, how: Canned, when: Callable[[Asked], bool] = lambda _: True):
    return lambda n, each: how if carrier_in(each) == carrier and when(each) else good_model(n, each)


def test_a_failed_letter_keeps_its_old_tape_and_the_others_go_on(toy: Path, server: Endpoint) -> None:
    record(server)
    before = tape(toy, "red").read_bytes()
    with endpoint(failing_for("Red Cart", refusal(500))) as broken:
        ran = record(broken, "--all")
    assert ran.code == 4
    assert ": parcel@v1 red: not recorded: the endpoint failed" in ran.err
    assert "2 of 3 letters recorded" in ran.err
    assert tape(toy, "red").read_bytes() == before


def test_a_second_round_that_fails_is_not_taken_for_recorded(toy: Path, server: Endpoint) -> None:
    def script(n: int, each: Asked) -> Canned:
        if carrier_in(each) != "Red Cart":
            return good_model(n, each)
        wrong = json.dumps({**right_answer(letter_in(each)), "carrier": "Nobody"})
        return refusal(500) if is_correction(each) else message(wrong)

    with endpoint(script) as broken:
        ran = record(broken)
    assert ran.code == 4
    assert "red: not recorded: the last call did not get through" in ran.err
    assert not tape(toy, "red").exists()
    assert record(server).code == 0
    assert asked(server) == ["Red Cart"]


def test_an_endpoint_that_is_down_is_given_up(toy: Path) -> None:
    for i in range(20):
        put(toy / f"letters/{i:02}.txt", NOTES["blue"].replace("Blue", f"No {i}"))
    with endpoint([refusal(401)]) as server:
        ran = record(server, "--concurrency", "1")
        assert len(server.asked) == 5
    assert (ran.code, ran.err.count("not recorded")) == (4, 5)
    assert "gave up after 5 failures in a row" in ran.err
    assert "0 of 23 letters recorded" in ran.err


def test_a_letter_that_cannot_be_read_does_not_stop_the_others(toy: Path, server: Endpoint) -> None:
    put(toy / "letters/empty.txt", "")
    ran = record(server)
    assert ran.code == 4
    assert "empty.txt is empty" in ran.err
    assert asked(server) == ["Blue Van", "Red Cart", "Slow Boat"]


def test_a_model_that_fails_is_an_answer_too(toy: Path) -> None:
    with endpoint([refusal(400, "context_length_exceeded")]) as server:
        ran = record(server, "--letter", "red")
        assert ran.code == 0
        assert "red: failed" in ran.err
        assert record(server, "--letter", "red").err == "0 of 0 letters recorded; fresh before: 1\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--all", "--missing"], "--all asks every letter"),
        (["--all", "--stale"], "--all asks every letter"),
        (["--prompt", "parcel@v9"], "no prompt 'parcel@v9'"),
        (["--model", f"replay:{MODEL}"], f"replay:{MODEL} answers are not recorded"),
        (["--model", "offline", "--dry-run"], "offline answers are not recorded"),
        (["--model", "acme/x", "--dry-run"], "unknown model 'acme/x'"),
    ],
)
def test_a_usage_error_is_explained(toy: Path, words: list[str], message: str) -> None:
    ran = cli("record", *words) if "--model" in words else cli("record", "--model", MODEL, *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


# ---- going on --------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.slow
def test_an_interrupted_recording_goes_on_with_the_same_command(toy: Path) -> None:
    def slow(n: int, each: Asked) -> Canned:
        reply = good_model(n, each)
        return (
            Canned(reply.status, reply.body, reply.headers, delay=60.0)
            if carrier_in(each) == "Slow Boat" and n < 3
            else reply
        )

    with endpoint(slow) as server:
        words = ["record", "--model", MODEL, "--base-url", server.url]
        command: list[Any] = [sys.executable, "-m", "extractor", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=toy) as running:
            wait_for(lambda: tape(toy, "blue").exists() and tape(toy, "red").exists() and len(server.asked) == 3)
            running.send_signal(signal.SIGINT)
            message = running.stderr.read() if running.stderr else ""
        assert running.returncode == 130
        assert "2 of 3 letters recorded; the same command goes on from here" in message
        assert not tape(toy, "slow").exists()
        assert not list(toy.rglob("*.tmp"))
        server.asked.clear()
        server.script = good_model
        assert cli(*words).code == 0
        assert asked(server) == ["Slow Boat"]
