"""Tapes: recorded once, replayed for ever, and every way a tape can be wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from extractor.errors import CassetteError, ModelError
from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import StrictModel
from extractor.lettertypes.reading import nothing_read
from extractor.models.cassettes import Tape, tape_path, transport
from extractor.models.llm import ChatModel, Patience
from extractor.models.llm.retrying import RetryingModel
from extractor.models.model import Question, Reply
from tests.support.loopback import Asked, Canned, ask_once, endpoint, message, refusal

KEY = "sk-secret-000111222"
DEAD = "http://127.0.0.1:9/v1"
PROMPT = "Fill the schema.\nCopy values exactly as printed.\n"
PRIVATE = "The patient is John Q. Public"


class Answer(StrictModel):
    n: int


class Wider(StrictModel):
    n: int
    m: int


def question(letter_id: str, letter: str = "", **changed: Any) -> Question:
    text = letter or f"{PRIVATE}, letter {letter_id}"
    return Question(
        letter_id,
        text,
        changed.get("instructions", PROMPT),
        changed.get("schema", Answer),
        nothing_read(Letter(letter_id, text), ""),
    )


def tape(root: Path, letter_id: str, mode: str = "replay", **more: Any) -> Tape:
    return Tape(root, letter_id, "imr@v1", "openai/gpt-x", mode=mode, **more)


def run(root: Path, url: str, questions: Sequence[Question], mode: str = "replay", **more: Any) -> list[Reply]:
    """Ask all at once, each letter with its own tape."""

    async def one(model: ChatModel, asked: Question) -> Reply:
        with tape(root, asked.letter_id, mode, **more):
            return await model.ask(asked)

    async def every() -> list[Reply]:
        options: dict[str, Any] = {"params": {"temperature": 0}, "patience": Patience(tries=4, max_wait=5.0)}
        model = ChatModel("openai/gpt-x", model="gpt-x", base_url=url, api_key=KEY, transport=transport(), **options)
        try:
            return await asyncio.gather(*(one(model, asked) for asked in questions))
        finally:
            await model.aclose()

    return asyncio.run(every())


def echo(_: int, asked: Asked) -> Canned:
    return message(json.dumps({"echo": asked.body["messages"][1]["content"]}, indent=1))


# ---- record and replay -----------------------------------------------------------------------


def test_twenty_letters_at_once_are_replayed_with_the_server_dead(tmp_path: Path) -> None:
    questions = [question(f"dwc/{i:02}") for i in range(20)]
    with endpoint(echo) as server:
        live = run(tmp_path, server.url, questions, "record", recorded={"date": "2026-01-02", "engine": "1"})
    assert len(list(tmp_path.rglob("*.yaml"))) == 20
    replayed = run(tmp_path, DEAD, questions)
    assert [json.loads(reply.text)["echo"] for reply in replayed] == [asked.letter for asked in questions]
    assert [(r.text, r.usage, r.finish) for r in live] == [(r.text, r.usage, r.finish) for r in replayed]


def test_the_file_can_be_read(tmp_path: Path) -> None:
    letter = "RE: John Public  \r\nupheld \n\n\tindented\n"
    with endpoint([message('{"n":1}')]) as server:
        run(tmp_path, server.url, [question("a", letter)], "record", recorded={"date": "2026-01-02"})
    text = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a").read_text(encoding="utf-8")
    assert re.match(
        r"recorded:\n  date: '2026-01-02'\n  calls: 1\n  answers_sha256: [0-9a-f]{64}\ninteractions:\n", text
    )
    assert "          content: |\n            Fill the schema.\n            Copy values exactly as printed.\n" in text
    assert "            - \"RE: John Public  \\r\"\n            - 'upheld '\n" in text
    assert "              $json:\n                n: 1\n" in text
    assert "id: scrubbed\n" in text
    assert all(len(line) < 140 for line in text.splitlines())


def test_recording_again_changes_nothing_but_the_answer(tmp_path: Path) -> None:
    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    with endpoint([message()]) as server:
        run(tmp_path, server.url, [question("a")], "record")
        before = path.read_bytes()
        run(tmp_path, server.url, [question("a")], "record")
    assert path.read_bytes() == before


@pytest.mark.parametrize("headers", [{}, {"retry_after": "30"}, {"retry_after_ms": "20"}])
def test_a_retry_is_recorded_and_replayed_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    max_wait = {"retry_after": "0.1"} if headers.get("retry_after") else headers
    broken = Canned(200, b'{"id": "x", "cho', {"retry-after-ms": "1"})
    replies = [refusal(429, "rate_limit", **max_wait), refusal(500, **max_wait), broken, message()]
    with endpoint(replies) as server:
        assert run(tmp_path, server.url, [question("a")], "record")[0].transport_tries == 4
    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    path.write_text(path.read_text().replace("'0.1'", "'30'"))
    waits: list[float] = []
    sleep = RetryingModel._sleep

    async def counted(self: RetryingModel, seconds: float) -> None:
        waits.append(seconds)
        await sleep(self, min(seconds, 0.01))

    monkeypatch.setattr(RetryingModel, "_sleep", counted)
    reply = run(tmp_path, DEAD, [question("a")])[0]
    assert reply.transport_tries == 4
    assert waits == [0.0] * 3


def test_two_questions_in_one_tape_and_what_was_not_played(tmp_path: Path) -> None:
    async def ask(mode: str, url: str, letters: Sequence[str]) -> Tape:
        model = ChatModel("m", model="m", base_url=url, api_key=KEY, transport=transport(), patience=Patience(tries=1))
        with tape(tmp_path, "a", mode) as opened:
            for letter in letters:
                await ask_once(model, question("a", letter))
        return opened

    with endpoint(echo) as server:
        asyncio.run(ask("record", server.url, ["one", "two"]))
    assert asyncio.run(ask("replay", DEAD, ["two"])).unplayed == 1
    assert asyncio.run(ask("replay", DEAD, [])).unplayed == 0
    with pytest.raises(CassetteError, match="recorded 1 time") as caught:
        asyncio.run(ask("replay", DEAD, ["one", "one"]))
    assert caught.value.code == "used_up_cassette"


def test_a_compressed_reply_is_recorded_as_text(tmp_path: Path) -> None:
    packed = Canned(200, gzip.compress(message().body), {"Content-Encoding": "gzip"})
    with endpoint([packed]) as server:
        live = run(tmp_path, server.url, [question("a")], "record")
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert "total_tokens: 110" in next(tmp_path.rglob("*.yaml")).read_text()
    assert run(tmp_path, DEAD, [question("a")])[0].text == live[0].text


@pytest.mark.parametrize(
    ("replies", "kept"),
    [
        ([message('{"n": 2}', "length")], "new"),
        ([refusal(400, "context_length_exceeded")], "new"),
        ([refusal(500, retry_after_ms="0")], "old"),
        ([refusal(401)], "old"),
        ([Canned(200, message().body, cut=9)], "old"),
    ],
    ids=["an unusable answer", "a refused request", "a failing server", "a wrong key", "a lost connection"],
)
@pytest.mark.parametrize("caught_inside", [True, False])
def test_a_failed_recording_keeps_the_old_tape(
    tmp_path: Path, replies: list[Canned], kept: str, caught_inside: bool
) -> None:
    async def record(url: str) -> None:
        model = ChatModel(
            "m", model="m", base_url=url, api_key=KEY, transport=transport(), patience=Patience(tries=2, max_wait=0)
        )
        caught = contextlib.suppress(ModelError) if caught_inside else contextlib.nullcontext()
        with tape(tmp_path, "a", "record"), caught:
            await ask_once(model, question("a"))

    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    path.parent.mkdir(parents=True)
    path.write_text("old")
    with endpoint(replies) as server, contextlib.suppress(ModelError):
        asyncio.run(record(server.url))
    assert (path.read_text() == "old") is (kept == "old" or not caught_inside)
    assert [each.name for each in path.parent.iterdir()] == ["a.yaml"]


def test_a_tape_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "disk full")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(CassetteError, match=r"cannot write .*a\.yaml: disk full") as caught:
        recorded(tmp_path)
    assert caught.value.code == "unwritable_cassette"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# ---- tapes that cannot answer ----------------------------------------------------------------


def recorded(root: Path) -> str:
    """The command that recorded a tape."""
    with endpoint([message()]) as server:
        run(root, server.url, [question("a", f"{PRIVATE}\nline two\n")], "record")
        return f"extractor record --prompt imr@v1 --model openai/gpt-x --letter a --base-url {server.url}"


def failure(root: Path, asked: Question) -> CassetteError:
    with pytest.raises(CassetteError) as caught:
        run(root, DEAD, [asked])
    return caught.value


def test_a_missing_tape_names_itself_and_its_command(tmp_path: Path) -> None:
    error = failure(tmp_path, question("dwc/1"))
    path = tmp_path / "imr@v1" / "openai__gpt-x" / "dwc__1.yaml"
    assert error.code == "missing_cassette"
    assert str(error).splitlines() == [
        "missing cassette: letter dwc/1 x prompt imr@v1 x model openai/gpt-x",
        f"  expected at {path}",
        "record it with: extractor record --prompt imr@v1 --model openai/gpt-x --letter dwc/1",
    ]
    assert not path.exists()


def test_a_stale_tape_shows_the_changed_lines_of_the_prompt(tmp_path: Path) -> None:
    command = recorded(tmp_path)
    asked = question("a", f"{PRIVATE}\nline two\n", instructions=PROMPT.replace("exactly", "verbatim"))
    error = failure(tmp_path, asked)
    assert error.code == "stale_cassette"
    assert str(error).splitlines()[2:] == [
        "  messages[0] (system): 2 changed lines",
        "    -Copy values exactly as printed.",
        "    +Copy values verbatim as printed.",
        f"re-record with: {command}",
    ]


def test_a_stale_tape_shows_the_changed_schema(tmp_path: Path) -> None:
    recorded(tmp_path)
    text = str(failure(tmp_path, question("a", f"{PRIVATE}\nline two\n", schema=Wider)))
    assert text.splitlines()[2:-1] == [
        "  response_format (schema): 4 changed lines",
        '    -/json_schema/name: "Answer"',
        '    +/json_schema/name: "Wider"',
        '    +/json_schema/schema/properties/m/type: "integer"',
        '    +/json_schema/schema/required/1: "m"',
    ]


def test_a_stale_tape_shows_nothing_of_the_letter(tmp_path: Path) -> None:
    recorded(tmp_path)
    text = str(failure(tmp_path, question("a", f"{PRIVATE} \nline three\n")))
    assert "  messages[1] (user): 4 changed lines\n" in text
    assert "John" not in text
    assert "line" not in text.replace("changed lines", "")


def test_a_changed_parameter_is_named(tmp_path: Path) -> None:
    recorded(tmp_path)
    path = next(tmp_path.rglob("*.yaml"))
    path.write_text(path.read_text().replace("temperature: 0", "temperature: 1"))
    assert "  temperature: 1 recorded, 0 now\n" in str(failure(tmp_path, question("a", f"{PRIVATE}\nline two\n")))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"{}\n", "it holds no recorded calls"),
        (b"interactions: 3\n", "it holds no recorded calls"),
        (b"interactions: [{}]\n", "it holds no recorded calls"),
        (b"interactions: [{request: 1, response: 2}]\n", "it holds no recorded calls"),
        (b"recorded: 1\ninteractions: []\n", "it holds no recorded calls"),
        (b"recorded: {calls: 2}\ninteractions: []\n...\n", "it should hold 2 calls, not 0"),
        (b"recorded: {calls: 0}\ninteractions: []\n", "its end is missing"),
        (b"a: [b\n", "no YAML, line 2"),
        (b"a: 'b\n\x00\n", "no YAML text"),
        (b"\xff\xfe\x00\n", "no YAML text"),
        (b"interactions:\n- requ", "it ends in the middle of a line"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, data: bytes, why: str) -> None:
    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    error = failure(tmp_path, question("a"))
    assert error.code == "broken_cassette"
    assert str(error).splitlines() == [
        "broken cassette: letter a x prompt imr@v1 x model openai/gpt-x",
        f"  {path}: {why}",
        "re-record with: extractor record --prompt imr@v1 --model openai/gpt-x --letter a",
    ]


def test_a_recording_plays_at_another_address(tmp_path: Path) -> None:
    with endpoint([message()]) as server:
        run(tmp_path, server.url.replace("/v1", "/gateway/v2"), [question("a")], "record")
    assert run(tmp_path, DEAD, [question("a")])[0].text == '{"n": 1}'


def test_what_was_tried_is_kept_on_the_tape(tmp_path: Path) -> None:
    recorded(tmp_path)
    opened = tape(tmp_path, "a")
    assert opened.head["calls"] == 1
    assert tape(tmp_path, "b").head == {}

    async def ask() -> None:
        model = ChatModel("m", model="m", base_url=DEAD, api_key=KEY, transport=transport())
        with opened, pytest.raises(CassetteError):
            await ask_once(model, question("a"))

    asyncio.run(ask())
    assert opened.refused is not None
    assert (opened.refused.kind, len(opened.asked), opened.saved) == ("stale", 1, False)
    assert opened.refused.lines[0] == f"  {opened.path}"


def test_no_tape_no_request() -> None:
    async def ask() -> None:
        await ChatModel("m", model="m", base_url=DEAD, api_key=KEY, transport=transport()).ask(question("a"))

    with pytest.raises(CassetteError) as caught:
        asyncio.run(ask())
    assert caught.value.code == "no_cassette"


# ---- secrets ---------------------------------------------------------------------------------


def test_no_secret_reaches_a_tape(tmp_path: Path) -> None:
    text = f"Limit reached for organization org-AbC123dEf456 in project proj_9x8y7z, key {KEY}, req_0a1b2c3d4e5f"
    headers = {
        "Set-Cookie": "__cf_bm=cookie-secret",
        "openai-organization": "acme-secret",
        "x-request-id": "req_secret1",
        "retry-after-ms": "1",
    }
    limited = Canned(429, json.dumps({"error": {"message": text, "code": "rate_limit"}}).encode(), headers)
    echoing = Canned(200, message(f"risk-free, org-wide 2024, user-friendly; {KEY}").body, headers)
    with endpoint([limited, echoing]) as server:
        run(tmp_path, server.url, [question("a")], "record")
    written = next(tmp_path.rglob("*.yaml")).read_text()
    for secret in (
        "secret",
        "Bearer",
        "authorization",
        "AbC123",
        "9x8y7z",
        "0a1b2c",
        "cookie",
        "user-agent",
        "stainless",
    ):
        assert secret not in written, secret
    assert "organization org-scrubbed" in written
    assert "risk-free, org-wide 2024, user-friendly" in written


def test_secrets_in_the_address(tmp_path: Path) -> None:
    with endpoint([message()]) as server:

        async def ask() -> None:
            url = server.url.replace("//", "//user:hidden@") + "?api-key=hidden&api-version=1"
            model = ChatModel(
                "m", model="m", base_url=url, api_key=KEY, transport=transport(), patience=Patience(tries=1)
            )
            with tape(tmp_path, "a", "record"):
                await ask_once(model, question("a"))

        asyncio.run(ask())
    assert "hidden" not in next(tmp_path.rglob("*.yaml")).read_text()


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_a_key_that_a_reply_quotes_is_scrubbed(tmp_path: Path, header: str) -> None:
    key = "0123456789abcdef"

    async def ask(url: str) -> None:
        with tape(tmp_path, "a", "record"):
            recorder = transport()
            async with httpx2.AsyncClient() as recorder.live, httpx2.AsyncClient(transport=recorder) as client:
                sent = f"Bearer {key}" if header == "authorization" else key
                await client.post(f"{url}/chat/completions", json={}, headers={header: sent})

    with endpoint([message(f"your key is {key}")]) as server:
        asyncio.run(ask(server.url))
    written = next(tmp_path.rglob("*.yaml")).read_text()
    assert key not in written
    assert "your key is scrubbed" in written
