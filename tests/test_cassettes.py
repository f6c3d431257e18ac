"""Tapes: recorded once, replayed for ever, and every way a tape can be wrong."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vcr.request import Request  # type: ignore[import-untyped]

from extractor.cassettes import Tape, body_sha, tape_path, transport
from extractor.errors import CassetteError, ModelError
from extractor.evidence import Record
from extractor.letter import Letter
from extractor.llm import ChatModel, Patience
from extractor.models import Question, Reply
from extractor.reading import nothing_read
from extractor.tapefile import Persister, from_tree, to_tree
from tests.loopback import Asked, Canned, ask_once, endpoint, message, refusal

KEY = "sk-secret-000111222"
DEAD = "http://127.0.0.1:9/v1"
PROMPT = "Fill the schema.\nCopy values exactly as printed.\n"
PRIVATE = "The patient is John Q. Public"


class Answer(Record):
    n: int


class Wider(Record):
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
    assert text.startswith("recorded:\n  date: '2026-01-02'\ninteractions:\n")
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
def test_a_retry_is_recorded_and_replayed_without_waiting(tmp_path: Path, headers: dict[str, str]) -> None:
    max_wait = {"retry_after": "0.1"} if headers.get("retry_after") else headers
    broken = Canned(200, b'{"id": "x", "cho', {"retry-after-ms": "1"})
    replies = [refusal(429, "rate_limit", **max_wait), refusal(500, **max_wait), broken, message()]
    with endpoint(replies) as server:
        assert run(tmp_path, server.url, [question("a")], "record")[0].transport_tries == 4
    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    path.write_text(path.read_text().replace("'0.1'", "'30'"))
    reply = run(tmp_path, DEAD, [question("a")])[0]
    assert reply.transport_tries == 4
    assert reply.seconds < 1


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
    with pytest.raises(CassetteError, match="recorded 2 time") as caught:
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


# ---- tapes that cannot answer ----------------------------------------------------------------


def recorded(root: Path) -> None:
    with endpoint([message()]) as server:
        run(root, server.url, [question("a", f"{PRIVATE}\nline two\n")], "record")


def failure(root: Path, asked: Question) -> CassetteError:
    with pytest.raises(CassetteError) as caught:
        run(root, DEAD, [asked])
    return caught.value


def test_a_missing_tape_says_what_and_how(tmp_path: Path) -> None:
    error = failure(tmp_path, question("dwc/1"))
    path = tmp_path / "imr@v1" / "openai__gpt-x" / "dwc__1.yaml"
    assert error.code == "missing_cassette"
    assert str(error).splitlines() == [
        "missing cassette: letter dwc/1 x prompt imr@v1 x model openai/gpt-x",
        f"  expected at {path}",
        "record it with: extractor record --prompt imr@v1 --model openai/gpt-x --letter dwc/1 [PATH of the letters]",
    ]
    assert not path.exists()


def test_a_stale_tape_shows_the_changed_lines_of_the_prompt(tmp_path: Path) -> None:
    recorded(tmp_path)
    asked = question("a", f"{PRIVATE}\nline two\n", instructions=PROMPT.replace("exactly", "verbatim"))
    error = failure(tmp_path, asked)
    assert error.code == "stale_cassette"
    assert str(error).splitlines()[2:] == [
        "  messages[0] (system): 2 changed lines",
        "    -Copy values exactly as printed.",
        "    +Copy values verbatim as printed.",
        "re-record with: extractor record --prompt imr@v1 --model openai/gpt-x --letter a [PATH of the letters]",
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
    "text",
    [
        "",
        "{}",
        "interactions: 3",
        "interactions: [{}]",
        "a: [b",
        "a: 'b\n\x00",
        "interactions: [{request: 1, response: 2}]",
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    path = tape_path(tmp_path, "imr@v1", "openai/gpt-x", "a")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    error = failure(tmp_path, question("a"))
    assert error.code == "broken_cassette"
    assert str(path) in error.message


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


# ---- the file --------------------------------------------------------------------------------

TEXTS = [
    "plain",
    "",
    "a\nb\n",
    "a\n\n",
    " leading\nb",
    "\nfirst line empty",
    "trailing \nblank",
    "cr\r\nlf",
    "nul\x00\n\x1b\x85\u2028\ufeff",
    "half \ud800 \ufffe",
    "{{ jinja }}\n{% x %}",
    '{"a":1}',
    '{"a": 1}',
    '{"a":1,"a":2}',
    "[]",
    "[1,\n2]",
    "yes",
    "1e3",
    "2026-01-02",
    "- item\n- item",
    "# not a comment\nb",
    "key: value\n---\n",
    "👩\u200d⚕️ “quotes”\nb",
    "\u00a0\n\u00a0b",
    "x" * 300 + "\n" + "y " * 200,
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back_unchanged(tmp_path: Path, text: str) -> None:
    value = {"messages": [{"content": text}], "same": text, "nested": [[text]]}
    assert through_a_file(tmp_path, json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body", [b"", b"null", b"not json", b"\xff\x00", b'{"a":1,"a":2}', b'{"\\ud800": 1}', b"[1, NaN]"]
)
def test_any_body_comes_back(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "t.yaml"
    save(path, body)
    _, responses, _ = Persister.load_cassette(str(path))
    assert body_sha(responses[0]["body"]["string"]) == body_sha(body)


@pytest.mark.parametrize("tag", ["$lines", "$json", "$escaped", "$plain"])
def test_our_own_tags_in_the_data_are_data(tag: str) -> None:
    for value in ({tag: ["a"]}, {tag: {tag: "b"}}, {tag: 1, "x": 2}):
        assert from_tree(to_tree(value)) == value


letters = st.text(st.characters() | st.sampled_from(" \n\t\r'\"{[:#-\\"), max_size=60)
values = st.recursive(
    letters | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(values)
def test_anything_comes_back_unchanged(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    wrapped = {"x": value}
    assert through_a_file(tmp_path_factory.getbasetemp(), json.dumps(wrapped).encode()) == wrapped


def save(path: Path, body: bytes) -> None:
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    request = Request("POST", "http://h/v1/chat/completions", body, {})
    Persister.save_cassette(str(path), {"requests": [request], "responses": [response], "metadata": {"d": 1}})


def through_a_file(folder: Path, body: bytes) -> Any:
    path = folder / "t.yaml"
    save(path, body)
    requests, responses, metadata = Persister.load_cassette(str(path))
    assert metadata == {"d": 1}
    assert json.loads(requests[0].body) == json.loads(responses[0]["body"]["string"])
    return json.loads(requests[0].body)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.yaml"
    save(path, b"{}")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "disk full")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="disk full"):
        save(path, b"[]")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["t.yaml"]


def test_equal_bodies_have_equal_hashes() -> None:
    assert body_sha(b'{"a": 1, "b": "\\u00e9"}') == body_sha('{"b":"é","a":1}'.encode())
    assert body_sha(b'{"a": "x"}') != body_sha(b'{"a": "x "}')
