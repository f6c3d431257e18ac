"""Batch files: what is asked is what ``run`` asks, what comes back makes what ``run`` makes of it."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.runs.batch import Book
from extractor.runs.batch.book import Asked
from extractor.runs.ledger import Ledger
from tests.support.batches import (
    BatchServer,
    Line,
    batch_endpoint,
    put_lines,
    requests_in,
    result,
    undone,
    vllm_result,
)
from tests.support.loopback import Asked as Seen
from tests.support.loopback import Canned, endpoint, message, refusal
from tests.support.toy import (
    MODEL,
    NOTES,
    Ran,
    cli,
    edit,
    good_model,
    is_correction,
    letter_in,
    put,
    records,
    right_answer,
    statuses,
    write_toy,
)

KEY = "sk-secret-of-the-test"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    return tmp_path / "toy"


def write(*words: object, url: str = "http://127.0.0.1:9/v1", out: str = "out") -> Ran:
    return cli("batch", "write", "letters", "--out", out, "--model", MODEL, "--base-url", url, *words)


def read(*results: object, out: str = "out") -> Ran:
    return cli("batch", "read", *results, "--out", out)


def request_files(toy: Path, out: str = "out") -> list[Path]:
    return sorted((toy / out / "batch").glob("requests-*.jsonl"))


def by_letter(requests: list[Line]) -> dict[str, Line]:
    """Requests by the letter's file name."""
    names = {text: stem for stem, text in NOTES.items()}
    return {names[request["body"]["messages"][1]["content"]]: request for request in requests}


def untimed(out: Path) -> list[dict[str, Any]]:
    found = records(out)
    for record in found:
        for attempt in record["attempts"]:
            assert attempt.pop("seconds") >= 0
    return found


def careless_model(number: int, asked: Seen) -> Canned:
    """Reads every note wrongly, and correctly after a correction."""
    answer = right_answer(letter_in(asked))
    if not is_correction(asked):
        answer["carrier"] = "Nobody"
    return message(json.dumps(answer))


def stubborn_model(number: int, asked: Seen) -> Canned:
    """Reads one note wrongly, even after corrections."""
    answer = right_answer(letter_in(asked))
    if "Slow" in letter_in(asked):
        answer["carrier"] = "Nobody"
    return message(json.dumps(answer))


def mixed_model(number: int, asked: Seen) -> Canned:
    """One good answer, one refusal, one note that is too long for it."""
    if "Slow" in letter_in(asked):
        return message(None, refusal="I cannot")
    if "Red" in letter_in(asked):
        return refusal(400, "", "maximum context length is 10 tokens")
    return good_model(number, asked)


# ---- writing ------------------------------------------------------------------------------------


def test_the_requests_are_byte_for_byte_what_run_sends(toy: Path) -> None:
    with endpoint(good_model) as server:
        assert cli("run", "letters", "--out", "live", "--model", MODEL, "--base-url", server.url).code == 0
        assert write(url=server.url).code == 0
    [path] = request_files(toy)
    lines = path.read_bytes().splitlines()
    bodies = []
    for line in lines:
        head, mark, body = line.partition(b',"body":')
        fields = json.loads(head + b"}")
        assert (mark, fields["method"], fields["url"]) == (b',"body":', "POST", "/v1/chat/completions")
        assert list(fields) == ["custom_id", "method", "url"]
        bodies.append(body.removesuffix(b"}"))
    assert sorted(bodies) == sorted(asked.raw for asked in server.asked)


def test_the_second_round_is_byte_for_byte_what_run_sends(toy: Path) -> None:
    with endpoint(careless_model) as server:
        assert cli("run", "letters", "--out", "live", "--model", MODEL, "--base-url", server.url).code == 0
        write(url=server.url)
        put_lines(toy / "r.jsonl", [result(each, careless_model) for each in requests_in(*request_files(toy))])
        assert read("r.jsonl").code == 4
        assert write(url=server.url).code == 0
    corrections = {
        line.partition(b',"body":')[2].removesuffix(b"}") for line in request_files(toy)[1].read_bytes().splitlines()
    }
    assert corrections == {asked.raw for asked in server.asked if is_correction(asked)}
    assert len(corrections) == 3


def test_custom_ids_carry_the_ledger_key(toy: Path) -> None:
    write()
    with Ledger(toy / "out"), Book(toy / "out") as book:
        keys = {row.id: row.ask_key for row in book.letters()}
    asked = {
        stem: Asked.of(request["custom_id"]) for stem, request in by_letter(requests_in(*request_files(toy))).items()
    }
    assert asked == {stem: Asked(key, 1) for stem, key in keys.items()}


@given(key=st.binary(min_size=32, max_size=32).map(bytes.hex), number=st.integers(1, 6))
def test_custom_ids_go_there_and_back(key: str, number: int) -> None:
    custom_id = Asked(key, number).custom_id
    assert Asked.of(custom_id) == Asked(key, number)
    assert len(custom_id) <= 64
    assert custom_id.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("custom_id", [None, 7, "", "-", "-1", "request-1", "é" * 43 + "-1", "A" * 43, "A" * 43 + "-x", "A" * 44 + "=-1", "A" * 43 + "-01", {"a": 1}])  # fmt: skip
def test_foreign_custom_ids(custom_id: object) -> None:
    asked = Asked.of(custom_id)
    assert asked is None or len(asked.key) != 64


def test_files_are_split_at_the_limits(toy: Path) -> None:
    for number in range(7):
        put(toy / f"letters/n{number}.txt", f"PARCEL NOTE of Cart {number}\nPARCEL {number}: lost\n")
    ran = write("--max-requests", 4)
    assert [len(requests_in(path)) for path in request_files(toy)] == [4, 4, 2]
    assert "10 letters: 10 to ask" in ran.out
    size = max(len(line) for line in request_files(toy)[0].read_bytes().splitlines(keepends=True))
    write("--max-megabytes", 2 * size / 1e6, out="small")
    sizes = [path.stat().st_size for path in request_files(toy, "small")]
    assert len(sizes) >= 5
    assert max(sizes) <= 2 * size
    assert {line["custom_id"] for line in requests_in(*request_files(toy))} == {
        line["custom_id"] for line in requests_in(*request_files(toy, "small"))
    }


def test_a_request_larger_than_a_file_is_left_to_run(toy: Path) -> None:
    put(toy / "letters/long.txt", "PARCEL NOTE of Long Train\n" + "PARCEL 1: lost\n" * 2_000)
    ran = write("--max-megabytes", 0.02)
    assert ran.code == 1
    assert "1 larger than the file limit (use extractor run for these)" in ran.out
    assert len(requests_in(*request_files(toy))) == 3


def test_nothing_is_written_twice(toy: Path) -> None:
    for stem in ("b", "c"):
        put(toy / f"letters/{stem}.txt", NOTES["blue"])
    assert "5 letters: 3 to ask, 2 equal to one of these" in write().out
    ran = write()
    assert "5 letters: 5 in older files" in ran.out
    assert "--again" in ran.err
    assert "5 letters: 3 to ask, 2 equal to one of these" in write("--again").out
    assert len(request_files(toy)) == 2
    put_lines(toy / "r.jsonl", [result(each, good_model) for each in requests_in(request_files(toy)[1])])
    assert read("r.jsonl").code == 0
    assert "5 letters: 5 done already" in write().out
    assert set(statuses(toy / "out")) == {"b", "blue", "c", "red", "slow"}


def test_letters_that_run_did_are_skipped(toy: Path) -> None:
    with endpoint(good_model) as server:
        cli("run", "letters/blue.txt", "--out", "out", "--model", MODEL, "--base-url", server.url)
        assert "3 letters: 2 to ask, 1 done already" in write(url=server.url).out
        assert set(by_letter(requests_in(*request_files(toy)))) == {"red", "slow"}


def test_an_unreadable_letter_has_its_record(toy: Path) -> None:
    put(toy / "letters/empty.txt", "")
    ran = write()
    assert ran.code == 1
    assert "1 cannot be read" in ran.out
    assert statuses(toy / "out") == {"empty": "failed"}
    with endpoint(good_model) as server:
        cli("run", "letters", "--out", "live", "--model", MODEL, "--base-url", server.url)
    assert untimed(toy / "out") == [each for each in untimed(toy / "live") if each["letter_id"] == "empty"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "offline"], "offline asks nobody"),
        (["--model", "replay:openai/toy"], "asks nobody"),
        (["--model", "anthropic/x"], "batch files are OpenAI's, and anthropic/x is not"),
        (["--model", "openai-compatible/x", "--prompt", "parcel@v9"], "no prompt 'parcel@v9'"),
    ],
)
def test_what_has_no_batch_files(toy: Path, words: list[str], message: str) -> None:
    ran = cli("batch", "write", "letters", "--out", "out", *words)
    assert ran.code == 2
    assert message in ran.err


def test_writing_needs_no_key_and_keeps_none(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("batch", "write", "letters", "--out", "plain", "--model", MODEL).code == 0
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert write(url="http://user:word@127.0.0.1:9/v1").code == 0
    for path in (toy / "out").rglob("*"):
        assert path.is_dir() or not any(each in path.read_bytes() for each in (KEY.encode(), b"user:word"))


def test_files_are_private(toy: Path) -> None:
    write()
    for path in [toy / "out/batch", *(toy / "out/batch").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_full_disk_leaves_no_half_file(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    calls = []

    def full(handle: int) -> None:
        # Only request files count, while they are being written.
        parts = {part.stat().st_ino for part in (toy / "out/batch").glob(".*.part")}
        if os.fstat(handle).st_ino in parts:
            calls.append(handle)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    ran = write("--max-requests", 2)
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert [path.name for path in (toy / "out/batch").glob("*.jsonl")] == ["requests-0001.jsonl"]
    assert list((toy / "out/batch").glob(".*")) == []
    assert "3 letters: 1 to ask, 2 in older files" in write("--max-requests", 2).out
    assert len(requests_in(*request_files(toy))) == 3


def test_a_kill_between_file_and_book(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is there and nobody knows of it: the next one takes its place."""

    def killed(self: Book, *args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Book, "keep", killed)
    assert write().code == 130
    monkeypatch.undo()
    monkeypatch.chdir(toy)
    assert len(request_files(toy)) == 1
    assert "3 letters: 3 to ask" in write().out
    assert len(requests_in(*request_files(toy))) == 3


def test_a_folder_of_another_origin(toy: Path) -> None:
    put(toy / "out/records.jsonl", "mine\n")
    ran = write()
    assert ran.code == 2
    assert "run.db is missing" in ran.err
    assert (toy / "out/records.jsonl").read_text() == "mine\n"


# ---- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [result, vllm_result])
@pytest.mark.parametrize("script", [good_model, stubborn_model, careless_model, mixed_model])
@pytest.mark.sample(3)
def test_the_records_are_those_of_run(toy: Path, script: Any, shape: Callable[..., Line]) -> None:
    with endpoint(script) as server:
        live = cli("run", "letters", "--out", "live", "--model", MODEL, "--base-url", server.url)
        write(url=server.url)
        done = 0
        while True:
            lines = [shape(each, script) for each in requests_in(*request_files(toy)[done:])]
            done = len(request_files(toy))
            ran = read(put_lines(toy / "r.jsonl", lines))
            if ran.code != 4:
                break
            write(url=server.url)
        calls = len(server.asked)
        assert ran.code == live.code
        assert untimed(toy / "out") == untimed(toy / "live")
        assert len(requests_in(*request_files(toy))) == calls
        # Nothing is left: run has nothing to ask.
        assert cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url).code == live.code
        assert len(server.asked) == calls
        assert untimed(toy / "out") == untimed(toy / "live")


def test_run_finishes_the_second_round_live(toy: Path) -> None:
    with endpoint(careless_model) as server:
        write(url=server.url)
        put_lines(toy / "r.jsonl", [result(each, careless_model) for each in requests_in(*request_files(toy))])
        ran = read("r.jsonl")
        assert ran.code == 4
        assert "left: 3 with findings that go back to the model" in ran.err
        assert set(statuses(toy / "out").values()) == {"needs_review"}
        assert cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url).code == 0
        assert [is_correction(asked) for asked in server.asked] == [True] * 3
    assert [len(record["attempts"]) for record in records(toy / "out")] == [2, 2, 2]


def test_without_reasks_the_first_answer_is_final(toy: Path) -> None:
    write("--reask", 0)
    put_lines(toy / "r.jsonl", [result(each, careless_model) for each in requests_in(*request_files(toy))])
    ran = read("r.jsonl")
    assert ran.code == 1
    assert "3 letters: 0 accepted, 3 needs_review, 0 failed" in ran.out
    assert "left" not in ran.err


def lines_of(toy: Path) -> dict[str, Line]:
    write()
    return {stem: result(each, good_model) for stem, each in by_letter(requests_in(*request_files(toy))).items()}


def dumped(line: Line) -> str:
    return json.dumps(line) + "\n"


HURT: dict[str, tuple[Callable[[Line, Line, Line], list[Line | str]], str, set[str], int]] = {
    # name: (lines made of the three good ones, the report on the lines, letters with a record, exit code)
    "all": (lambda a, b, c: [a, b, c], "3 lines: 3 answers\n", {"blue", "red", "slow"}, 0),
    "in any order": (lambda a, b, c: [c, a, b], "3 lines: 3 answers\n", {"blue", "red", "slow"}, 0),
    "half filled": (lambda a, b, c: [a], "1 line: 1 answers\n", {"blue"}, 4),
    "empty": (lambda a, b, c: [], "0 lines: 0 answers\n", set(), 4),
    "doubled": (lambda a, b, c: [a, a, b, c, b], "5 lines: 3 answers, 2 answered before\n", {"blue", "red", "slow"}, 0),
    "blank lines": (lambda a, b, c: [a, "\n", " \r\n", b, c], "3 lines: 3 answers\n", {"blue", "red", "slow"}, 0),
    "no newline at the end": (
        lambda a, b, c: [a, b, dumped(c)[:-1]],
        "3 lines: 3 answers\n",
        {"blue", "red", "slow"},
        0,
    ),
    "a byte order mark": (
        lambda a, b, c: ["\ufeff" + dumped(a), b, c],
        "3 lines: 3 answers\n",
        {"blue", "red", "slow"},
        0,
    ),
    "cut off": (
        lambda a, b, c: [a, b, dumped(c)[:-40]],
        "3 lines: 2 answers, 1 cut off at the end\n",
        {"blue", "red"},
        4,
    ),
    "no JSON": (
        lambda a, b, c: ["<html>\n", a, "[1]\n", "7\n", '{"a": 1}\n', b, c],
        "7 lines: 3 answers, 4 that are not results\n",
        {"blue", "red", "slow"},
        0,
    ),
    "foreign": (
        lambda a, b, c: [a, {**b, "custom_id": "request-1"}, {**b, "custom_id": None}, {**b, "custom_id": Asked("ab" * 32, 1).custom_id}, c],
        "5 lines: 2 answers, 3 of other requests\n",
        {"blue", "slow"},
        4,
    ),
    "an answer to a correction nobody sent": (
        lambda a, b, c: [a, b, c, {**c, "custom_id": c["custom_id"][:-1] + "2"}],
        "4 lines: 3 answers, 1 of other requests\n",
        {"blue", "red", "slow"},
        0,
    ),
    "expired": (
        lambda a, b, c: [a, undone(b), undone(c)],
        "3 lines: 1 answers, 2 errors (batch_expired 2)\n",
        {"blue"},
        4,
    ),
    "an error, then the answer": (
        lambda a, b, c: [undone(b), a, b, c],
        "4 lines: 3 answers, 1 errors (batch_expired 1)\n",
        {"blue", "red", "slow"},
        0,
    ),
    "the answer, then an error": (
        lambda a, b, c: [b, undone(b), a, c],
        "4 lines: 3 answers, 1 answered before\n",
        {"blue", "red", "slow"},
        0,
    ),
    "a busy endpoint": (
        lambda a, b, c: [a, b, {**c, "response": {"status_code": 429, "body": {"error": {"code": "rate_limit"}}}}],
        "3 lines: 2 answers, 1 errors (rate_limited 1)\n",
        {"blue", "red"},
        4,
    ),
    "a failing endpoint": (
        lambda a, b, c: [a, b, {**c, "response": {"status_code": 503, "body": None}, "error": "EngineDeadError()"}],
        "3 lines: 2 answers, 1 errors (server 1)\n",
        {"blue", "red"},
        4,
    ),
    "no body": (
        lambda a, b, c: [a, b, {**c, "response": {"status_code": 200, "body": None}}],
        "3 lines: 2 answers, 1 errors (bad_gateway_body 1)\n",
        {"blue", "red"},
        4,
    ),
    "odd parts": (
        lambda a, b, c: [{**a, "response": []}, {**b, "response": {"status_code": "200"}}, {**c, "response": None, "error": {"code": "a b " * 99}}],
        "3 lines: 0 answers, 3 errors (batch_error 3)\n",
        set(),
        4,
    ),
    "a request that the endpoint refused permanently": (
        lambda a, b, c: [a, b, {**c, "response": {"status_code": 400, "body": {"error": {"code": "bad"}}}}],
        "3 lines: 2 answers, 1 errors (bad_request 1)\n",
        {"blue", "red", "slow"},
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HURT)
@pytest.mark.sample(8)
def test_result_files_as_they_come(toy: Path, name: str) -> None:
    make, report, done, code = HURT[name]
    lines = lines_of(toy)
    path = put_lines(toy / "r.jsonl", make(lines["blue"], lines["red"], lines["slow"]))
    ran = read(path)
    assert ran.out.startswith(report)
    assert ran.code == code
    assert set(statuses(toy / "out")) == done
    assert ("next: " in ran.err) == (code == 4)
    # Read again, a file changes nothing, and the missing lines complete the rest.
    before = (toy / "out/records.jsonl").read_bytes()
    again = read(path)
    assert again.code == code
    assert " 0 answers" in again.out
    assert (toy / "out/records.jsonl").read_bytes() == before
    assert read(put_lines(toy / "all.jsonl", list(lines.values()))).code == 0
    assert statuses(toy / "out") == {"blue": "accepted", "red": "accepted", "slow": "accepted"}
    with sqlite3.connect(toy / "out/run.db") as db:
        assert db.execute("SELECT COUNT(*) FROM replies").fetchone() == (3,)


ODD_REPLIES: dict[str, Callable[[Any], Any]] = {
    "tool calls are an object": lambda body: with_message(body, tool_calls={"a": 1}),
    "tool calls are a number": lambda body: with_message(body, tool_calls=7),
    "choices are a number": lambda body: {**body, "choices": 7},
    "a message of numbers": lambda body: {**body, "choices": [{"message": [1, 2]}]},
    "a reason that is an object": lambda body: {**body, "choices": [{"finish_reason": {"a": 1}}]},
    "counts that no ledger holds": lambda body: {**body, "choices": [], "usage": {"prompt_tokens": 10**30}},
}


def with_message(body: Any, **parts: Any) -> Any:
    return {**body, "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": None, **parts}}]}


@pytest.mark.parametrize("name", ODD_REPLIES)
def test_an_odd_reply_is_kept_and_costs_only_its_own_letter(toy: Path, name: str) -> None:
    lines = lines_of(toy)
    odd = json.loads(json.dumps(lines["blue"]))
    odd["response"]["body"] = ODD_REPLIES[name](odd["response"]["body"])
    ran = read(put_lines(toy / "r.jsonl", [odd, lines["red"], lines["slow"]]))
    assert ran.out.startswith("3 lines: 3 answers\n")
    found = statuses(toy / "out")
    assert (found.pop("blue"), found) == ("failed", {"red": "accepted", "slow": "accepted"})
    with sqlite3.connect(toy / "out/run.db") as db:
        assert db.execute("SELECT COUNT(*) FROM replies").fetchone() == (3,)
    # What was answered is not asked again.
    write()
    assert len(request_files(toy)) == 1


def test_several_files_at_once(toy: Path) -> None:
    lines = lines_of(toy)
    one = put_lines(toy / "1.jsonl", [lines["blue"], undone(lines["red"])])
    two = put_lines(toy / "2.jsonl", [lines["red"], lines["slow"]])
    ran = cli("batch", "read", one, two, "--out", "out", "--json")
    assert ran.code == 0
    assert ran.json | {"lines": 4, "answers": 3, "errors": {"batch_expired": 1}, "accepted": 3, "left": 0} == ran.json


def test_what_is_left_is_asked_by_the_next_write(toy: Path) -> None:
    lines = lines_of(toy)
    ran = read(put_lines(toy / "r.jsonl", [lines["blue"], undone(lines["red"])]))
    assert "left: 1 without an answer, 1 to be asked again (batch_expired 1)" in ran.err
    again = [
        line.removeprefix("next: extractor ")
        for line in ran.err.splitlines()
        if line.startswith("next: extractor batch write")
    ]
    assert len(again) == 2
    assert again[1] == f"{again[0]} --again (if no more results will come)"
    # The command that it names asks just that.
    assert "1 to ask, 1 in older files, 1 done already" in cli(*again[0].split()).out
    assert set(by_letter(requests_in(request_files(toy)[1]))) == {"red"}
    assert "2 to ask, 1 done already" in cli(*again[1].split(" (")[0].split()).out


def test_a_kill_between_answer_and_record_loses_nothing(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(toy)
    path = put_lines(toy / "r.jsonl", list(lines.values()))
    real = Ledger.store_record
    kept = []

    def killed(self: Ledger, record: dict[str, Any], keys: Any) -> Any:
        kept.append(record)
        if len(kept) == 2:
            raise KeyboardInterrupt
        return real(self, record, keys)

    monkeypatch.setattr(Ledger, "store_record", killed)
    assert read(path).code == 130
    monkeypatch.undo()
    monkeypatch.chdir(toy)
    ran = read(path)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "3 lines: 0 answers, 3 answered before")
    assert set(statuses(toy / "out").values()) == {"accepted"}


def test_a_changed_prompt_keeps_the_answers_and_reports_it(toy: Path) -> None:
    lines = lines_of(toy)
    edit(toy / "prompts/parcel/v1.md", "Fill the schema", "Fill all of the schema")
    ran = read(put_lines(toy / "r.jsonl", list(lines.values())))
    assert ran.code == 4
    assert "left: 3 asked with another prompt, model or schema" in ran.err
    assert statuses(toy / "out") == {}
    edit(toy / "prompts/parcel/v1.md", "Fill all of the schema", "Fill the schema")
    ran = read(toy / "r.jsonl")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "3 lines: 0 answers, 3 answered before")


def test_letters_that_moved_changed_or_went(toy: Path) -> None:
    lines = lines_of(toy)
    path = put_lines(toy / "r.jsonl", list(lines.values()))
    (toy / "letters").rename(toy / "moved")
    ran = read(path)
    assert ran.code == 2
    assert "--letters" in ran.err
    put(toy / "moved/red.txt", NOTES["red"] + "more")
    (toy / "moved/slow.txt").unlink()
    ran = cli("batch", "read", path, "--out", "out", "--letters", "moved")
    assert ran.code == 4
    assert "left: 1 changed since they were asked, 1 not found any more" in ran.err
    assert statuses(toy / "out") == {"blue": "accepted"}


def test_two_writes_of_two_folders(toy: Path) -> None:
    put(toy / "more/new.txt", "PARCEL NOTE of New Cart\nPARCEL 1: lost\n")
    write()
    assert (
        cli("batch", "write", "more", "--out", "out", "--model", MODEL, "--base-url", "http://127.0.0.1:9/v1").code == 0
    )
    lines = [result(each, good_model) for each in requests_in(*request_files(toy))]
    assert read(put_lines(toy / "r.jsonl", lines)).code == 0
    assert set(statuses(toy / "out")) == {"blue", "new", "red", "slow"}


def test_a_defect_met_by_one_letter(toy: Path) -> None:
    lines = lines_of(toy)
    edit(
        toy / "schemas/parcel/reader.py",
        "    carrier = _CARRIER",
        "    assert 'Slow' not in letter.text\n    carrier = _CARRIER",
    )
    from tests.support.toy import forget_workspaces

    forget_workspaces()
    ran = read(put_lines(toy / "r.jsonl", list(lines.values())))
    assert ran.code == 1
    assert statuses(toy / "out") == {"blue": "accepted", "red": "accepted", "slow": "failed"}
    assert "Slow" not in ran.err + ran.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["read", "r.jsonl", "--out", "none"], "none holds no batch files"),
        (["read", "r.jsonl", "--out", "out"], "cannot read r.jsonl: No such file or directory"),
        (["read", "--out", "out"], "no result files"),
        (["submit", "--out", "none"], "none holds no batch files"),
        (["poll", "--out", "none"], "none holds no batch files"),
        (["fetch", "--out", "letters"], "letters holds no batch files"),
    ],
)
def test_what_cannot_be_done(toy: Path, words: list[str], message: str) -> None:
    write()
    ran = cli("batch", *words)
    assert ran.code == 2
    assert message in ran.err


def test_two_at_one_folder(toy: Path) -> None:
    write()
    put_lines(toy / "r.jsonl", [])
    with Ledger(toy / "out"):
        for ran in (write(), read("r.jsonl")):
            assert ran.code == 2
            assert "another run is using" in ran.err


# ---- an endpoint --------------------------------------------------------------------------------


@pytest.fixture
def keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def submitted(toy: Path, server: BatchServer, *words: object) -> Ran:
    write(*words, url=server.url)
    return cli("batch", "submit", "--out", "out")


def test_from_letters_to_records_by_an_endpoint(toy: Path, keyed: None) -> None:
    with batch_endpoint(careless_model) as server:
        ran = submitted(toy, server, "--max-requests", 2)
        assert (ran.code, len(server.batches)) == (0, 2)
        assert server.names == ["requests-0001.jsonl", "requests-0002.jsonl"]
        assert [server.files[each.upload] for each in server.batches] == [
            path.read_bytes() for path in request_files(toy)
        ]
        assert cli("batch", "submit", "--out", "out").err.startswith("0 batches started")
        assert len(server.batches) == 2
        first, second = cli("batch", "poll", "--out", "out"), cli("batch", "poll", "--out", "out")
        assert (first.code, second.code) == (4, 0)
        assert "requests-0001.jsonl: in_progress, 0 of 2 answered (batch_0)" in first.out
        assert "requests-0002.jsonl: completed, 1 of 1 answered (batch_1)" in second.out
        fetched = cli("batch", "fetch", "--out", "out")
        assert (fetched.code, len(fetched.out.splitlines())) == (0, 2)
        assert cli("batch", "fetch", "--out", "out").out == ""
        ran = read()
        assert ran.code == 4
        assert "left: 3 with findings that go back to the model" in ran.err
        # The second round.
        submitted(toy, server)
        assert cli("batch", "poll", "--out", "out", "--wait", "--every", 1).code == 0
        assert cli("batch", "fetch", "--out", "out").code == 0
        ran = read()
        assert (ran.code, ran.out.splitlines()[0]) == (0, "6 lines: 3 answers, 3 answered before")
    assert set(statuses(toy / "out").values()) == {"accepted"}
    for method, path, headers in server.seen:
        assert headers["authorization"] == f"Bearer {KEY}", (method, path)
    for path in (toy / "out").rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("end", ["expired", "cancelled"])
@pytest.mark.sample(1)
def test_a_batch_that_ends_halfway(toy: Path, keyed: None, end: str) -> None:
    with batch_endpoint(good_model) as server:
        server.ways = [[end], ["completed"]]
        submitted(toy, server)
        assert cli("batch", "poll", "--out", "out").code == 1
        assert cli("batch", "fetch", "--out", "out").code == 0
        assert sorted(path.name for path in (toy / "out/batch").glob("*-0001.jsonl")) == [
            "errors-0001.jsonl", "output-0001.jsonl", "requests-0001.jsonl",
        ]  # fmt: skip
        ran = read()
        assert ran.out.startswith(f"3 lines: 1 answers, 2 errors (batch_{end} 2)")
        assert f"left: 2 to be asked again (batch_{end} 2)" in ran.err
        assert "2 to ask, 1 done already" in write(url=server.url).out
        assert cli("batch", "submit", "--out", "out").code == 0
        assert cli("batch", "fetch", "--out", "out").code == 0
        assert read().code == 0
    assert set(statuses(toy / "out").values()) == {"accepted"}
    assert sum(len(server.files[each.upload].splitlines()) for each in server.batches) == 5


def test_a_refused_batch_is_started_again(toy: Path, keyed: None) -> None:
    with batch_endpoint(good_model) as server:
        server.ways = [["failed"], ["completed"]]
        submitted(toy, server)
        ran = cli("batch", "poll", "--out", "out")
        assert ran.code == 1
        assert "requests-0001.jsonl: failed, 0 of 3 answered (batch_0): token_limit_exceeded" in ran.out
        assert "extractor batch submit" in ran.err
        assert cli("batch", "submit", "--out", "out").code == 0
        assert [each.upload for each in server.batches] == ["file-0", "file-0"]
        assert cli("batch", "fetch", "--out", "out").code == 0
        assert read().code == 0


def test_a_start_that_was_not_heard_of_is_found(toy: Path, keyed: None) -> None:
    """The endpoint starts the batch, and the connection breaks: no second one is paid for."""
    with batch_endpoint(good_model) as server:
        server.deaf = 1
        ran = submitted(toy, server)
        assert ran.code == 4
        assert len(server.batches) == 1
        assert cli("batch", "submit", "--out", "out").code == 0
        assert len(server.batches) == 1
        assert cli("batch", "fetch", "--out", "out").code == 4
        assert cli("batch", "fetch", "--out", "out").code == 0
        assert read().code == 0


def test_it_is_found_behind_newer_ones(toy: Path, keyed: None) -> None:
    with batch_endpoint(good_model) as server:
        server.deaf = 1
        assert submitted(toy, server).code == 4
        for number in range(5):
            server.start(f"file-of-others-{number}")
        assert cli("batch", "submit", "--out", "out").code == 0
        assert cli("batch", "poll", "--out", "out").out.count("(batch_0)") == 1
        assert len(server.batches) == 6


def test_between_tries_too(toy: Path, keyed: None) -> None:
    edit(toy / "workspace.toml", "tries = 1", "tries = 3")
    with batch_endpoint(good_model) as server:
        server.deaf = 1
        assert submitted(toy, server).code == 0
        assert len(server.batches) == 1


def test_a_kill_between_upload_and_start(toy: Path, keyed: None) -> None:
    with batch_endpoint(good_model) as server:
        server.trouble = lambda method, path: Canned(503) if (method, path) == ("POST", "/batches") else None
        assert submitted(toy, server).code == 4
        assert (len(server.files), len(server.batches)) == (1, 0)
        server.trouble = lambda method, path: None
        assert cli("batch", "submit", "--out", "out").code == 0
        assert (len(server.files), len(server.batches)) == (1, 1)


@pytest.mark.parametrize(
    ("canned", "code", "message"),
    [
        (refusal(401, "invalid_api_key"), 4, "does not accept the key"),
        (refusal(429, "rate_limit"), 4, "slow down"),
        (refusal(500), 4, "the endpoint failed"),
        (refusal(404), 2, "extractor batch read RESULT --out DIR"),
        (refusal(400, "billing_hard_limit_reached"), 2, "billing_hard_limit_reached"),
        (Canned(body=b"<html>"), 4, "no JSON object"),
        (Canned(body=b"{}"), 4, "names no id"),
        (Canned(302, headers={"Location": "http://127.0.0.1:9/"}), 4, "points somewhere else"),
        (Canned(reset=True), 4, "hung up"),
    ],
)
@pytest.mark.parametrize("step", ["submit", "poll"])
@pytest.mark.sample(6)
def test_an_endpoint_in_trouble(toy: Path, keyed: None, step: str, canned: Canned, code: int, message: str) -> None:
    with batch_endpoint(good_model) as server:
        write(url=server.url)
        if step == "poll":
            assert cli("batch", "submit", "--out", "out").code == 0
        server.trouble = lambda method, path: canned
        ran = cli("batch", step, "--out", "out")
        assert (ran.code, message in ran.err) == (code, True), ran.err
        assert KEY not in ran.err
        server.trouble = lambda method, path: None
        assert cli("batch", "submit", "--out", "out").code == 0
        assert len(server.batches) == 1


def test_what_was_answered_since_is_not_paid_twice(toy: Path, keyed: None) -> None:
    with endpoint(good_model) as live, batch_endpoint(good_model) as server:
        write(url=live.url)
        cli("run", "letters/red.txt", "--out", "out", "--model", MODEL, "--base-url", live.url)
        ran = cli("batch", "submit", "--out", "out", "--base-url", server.url)
        assert ran.code == 1
        assert "requests-0001.jsonl is not sent: only 2 of its 3 requests are still unanswered" in ran.err
        assert server.batches == []
        assert "2 to ask, 1 done already" in write("--again", url=live.url).out
        ran = cli("batch", "submit", "--out", "out", "--base-url", server.url)
        assert (ran.code, server.names) == (0, ["requests-0002.jsonl"])


def test_a_call_that_may_help_is_made_again(toy: Path, keyed: None) -> None:
    edit(toy / "workspace.toml", "tries = 1", "tries = 3")
    failures = iter([refusal(429, retry_after="0"), Canned(500), None] * 2)
    with batch_endpoint(good_model) as server:
        server.trouble = lambda method, path: next(failures, None)
        assert submitted(toy, server).code == 0
        assert len(server.batches) == 1


def test_a_download_that_breaks_off_leaves_no_file(toy: Path, keyed: None) -> None:
    with batch_endpoint(good_model) as server:
        server.ways = [["completed"]]
        submitted(toy, server)
        cli("batch", "poll", "--out", "out")
        server.trouble = lambda method, path: (
            Canned(body=b"x" * 100_000, cut=70_000) if path.endswith("/content") else None
        )
        assert cli("batch", "fetch", "--out", "out").code == 4
        assert [path.name for path in (toy / "out/batch").iterdir() if path.name.startswith((".", "out"))] == []
        server.trouble = lambda method, path: None
        assert cli("batch", "fetch", "--out", "out").code == 0
        assert read().code == 0


def test_nothing_was_submitted(toy: Path, keyed: None) -> None:
    write()
    for step in ("poll", "fetch"):
        ran = cli("batch", step, "--out", "out")
        assert ran.code == 2
        assert "extractor batch submit" in ran.err


def test_the_endpoint_needs_the_key(toy: Path) -> None:
    assert cli("batch", "write", "letters", "--out", "out", "--model", MODEL).code == 0
    ran = cli("batch", "submit", "--out", "out")
    assert ran.code == 2
    assert "OPENAI_API_KEY" in ran.err


def test_azure_has_its_own_header_and_no_dated_address(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with batch_endpoint(good_model) as server:
        root = server.url.removesuffix("/v1")
        words = ("letters", "--out", "out", "--model", "azure/toy", "--base-url", root)
        assert cli("batch", "write", *words).code == 0
        # This server speaks at another path: what was sent is what counts.
        assert cli("batch", "submit", "--out", "out").code == 2
        [(method, path, headers)] = server.seen
        assert (method, path, headers["api-key"]) == ("POST", "/openai/v1/files", KEY)
        assert "authorization" not in headers
        edit(toy / "workspace.toml", '[models."openai/toy"]', '[models."azure/toy"]')
        edit(toy / "workspace.toml", "tries = 1", 'api_version = "2024-10-21", tries = 1')
        ran = cli("batch", "submit", "--out", "out")
        assert ran.code == 2
        assert "leave out api_version" in ran.err


def test_a_request_file_that_is_gone(toy: Path, keyed: None) -> None:
    with batch_endpoint(good_model) as server:
        write(url=server.url)
        request_files(toy)[0].unlink()
        ran = cli("batch", "submit", "--out", "out")
        assert ran.code == 2
        assert "--again" in ran.err
