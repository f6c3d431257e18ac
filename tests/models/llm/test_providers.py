"""Every provider's wire: what is sent, and what comes back."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from extractor.errors import CassetteError, TransportError
from extractor.models.cassettes import Tape, transport
from extractor.models.llm import open_model
from extractor.models.model import Correction, Reply
from tests.support.asking import EVERY_MODE, EVERY_WIRE, KEY, LETTERS, WIRES, Whole, Wire, asked, question
from tests.support.loopback import (
    Canned,
    ask_once,
    endpoint,
)

# ---- what all have in common -----------------------------------------------------------------


@pytest.mark.parametrize(("wire", "mode"), EVERY_MODE)
@pytest.mark.sample(8)
def test_the_letter_goes_byte_for_byte_and_the_answer_comes_back_as_it_is(wire: Wire, mode: str) -> None:
    async def ask_all(model: Any) -> list[Reply]:
        replies = [await model.ask(question(letter)) for letter in LETTERS.values()]
        await model.aclose()
        return replies

    answer = '{"n": "é \\n"}'
    with endpoint([wire.reply(mode, answer)]) as server:
        replies = asyncio.run(ask_all(wire.open(server, mode)))
    assert [each.text for each in replies] == [answer] * len(LETTERS)
    for (name, letter), each in zip(LETTERS.items(), server.asked, strict=True):
        assert wire.messages(each) == [("user", letter)], name
        assert each.path == wire.path
        assert "Fill the schema.\\n" in each.raw.decode()


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_corrections_follow_the_letter(wire: Wire) -> None:
    with endpoint([wire.reply("json_schema")]) as server:
        corrections = (Correction('{"n":', "broken"), Correction("{}", "n is missing"))
        asyncio.run(ask_once(wire.open(server), question(corrections=corrections)))
    assert wire.messages(server.asked[0]) == [
        ("user", "Dear reader"),
        ("assistant", '{"n":'),
        ("user", "broken"),
        ("assistant", "{}"),
        ("user", "n is missing"),
    ]


@pytest.mark.parametrize(("wire", "mode"), EVERY_MODE)
def test_the_schema_is_named_in_every_mode(wire: Wire, mode: str) -> None:
    raw = asked(wire, wire.reply(mode), mode).raw.decode()
    assert all(f'"{name}"' in raw.replace("\\", "") for name in Whole.model_fields)


HEADERS = {
    "openai": {"authorization": f"Bearer {KEY}"},
    "azure": {"api-key": KEY},
    "anthropic": {"authorization": f"Bearer {KEY}"},
    "gemini": {"x-goog-api-key": KEY},
}


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_the_key_stands_in_one_header_and_nowhere_else(wire: Wire) -> None:
    request = asked(wire, wire.reply("json_schema"))
    holding = {name: value for name, value in request.headers.items() if KEY in value}
    assert holding == HEADERS[wire.model.partition("/")[0]]
    assert KEY not in request.path + request.raw.decode()
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_model_reports_its_settings_but_no_key(wire: Wire) -> None:
    model = wire.at("http://user:word@host:1/v1?key=x", temperature=0.5)
    assert model.name == wire.model
    assert model.params["mode"] == "json_schema"
    assert model.params["temperature"] == 0.5
    assert model.params["base_url"].startswith("http://host:1/")
    assert "word" not in str(model.params)
    assert KEY not in str(model.params) + repr(vars(model))


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_letter_is_not_sent_on_to_another_address(wire: Wire) -> None:
    with endpoint([wire.reply("json_schema")]) as other:
        moved = Canned(307, b"", {"Location": other.root + wire.path})
        with endpoint([moved]) as server, pytest.raises(TransportError) as caught:
            asyncio.run(ask_once(wire.open(server), question()))
    assert (caught.value.code, len(server.asked), len(other.asked)) == ("moved", 1, 0)


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.sample(1)
def test_a_recording_replays_without_key_and_address(wire: Wire, tmp_path: Path) -> None:
    def tape(mode: str) -> Tape:
        return Tape(tmp_path, "a", "p@v1", wire.model, mode=mode)

    with endpoint([wire.reply("json_schema")]) as server:
        with mock.patch.dict(os.environ, {wire.key_variable: KEY}):
            recording = open_model(wire.model, base_url=wire.url(server), transport=transport())
        with tape("record") as recorded:
            first = asyncio.run(ask_once(recording, question()))
    assert KEY not in recorded.path.read_text("utf-8")
    replaying = open_model(wire.model, transport=transport(), replay=True)
    with tape("replay"):
        assert replace(asyncio.run(ask_once(replaying, question())), seconds=0) == replace(first, seconds=0)
    with tape("replay"), pytest.raises(CassetteError, match="stale cassette") as stale:
        asyncio.run(ask_once(replaying, question("another letter of John's")))
    assert "John" not in str(stale.value)


# ---- Azure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint_path", "version", "path"),
    [
        ("", None, "/openai/v1/chat/completions"),
        ("/", None, "/openai/v1/chat/completions"),
        ("/openai/v1", None, "/openai/v1/chat/completions"),
        ("/openai/v1/", "preview", "/openai/v1/chat/completions?api-version=preview"),
        ("", "2024-10-21", "/openai/deployments/m/chat/completions?api-version=2024-10-21"),
        ("/openai/v1/", "2024-10-21", "/openai/deployments/m/chat/completions?api-version=2024-10-21"),
    ],
)
def test_azure_addresses(endpoint_path: str, version: str | None, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = WIRES["azure"]
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    # A token of another sign-in must not take the key's place.
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "another")
    with endpoint([wire.reply("json_schema")]) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.root + endpoint_path)
        model = open_model("azure/m", params={"api_version": version} if version else {})
        asyncio.run(ask_once(model, question()))
    [request] = server.asked
    assert request.path == path
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers
    assert "api_version" not in request.body
    assert model.params.get("api_version") == version
