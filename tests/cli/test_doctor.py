"""extractor doctor --model: which modes an endpoint knows, and what to write into workspace.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.cli.doctor import _KEYS
from extractor.models.llm import KEY_VARIABLES
from tests.support.asking import EVERY_WIRE, KEY, Wire
from tests.support.loopback import Asked, Canned, endpoint, message, refusal
from tests.support.toy import Ran, cli, put, write_toy

READY = '{"word": "ready", "sign": "x", "number": null}'
MODEL = "openai-compatible/m"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_toy(tmp_path))
    return tmp_path


def format_of(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = asked.body.get("response_format", {})
    return found


def tool(asked: Asked) -> Canned:
    name = asked.body["tools"][0]["function"]["name"]
    return message(None, tool_calls=[{"id": "c", "function": {"name": name, "arguments": READY}}])


# What kinds of endpoint there are: each answers what it knows and refuses, or overhears, the rest.


def knows_all(asked: Asked) -> Canned:
    return tool(asked) if "tools" in asked.body else message(READY)


def no_lengths(asked: Asked) -> Canned:
    return refusal(400, "invalid_json_schema") if "minLength" in json.dumps(format_of(asked)) else knows_all(asked)


def no_strict(asked: Asked) -> Canned:
    strict = format_of(asked).get("json_schema", {}).get("strict")
    return refusal(400, "unknown_parameter", "strict is not supported") if strict else knows_all(asked)


def no_response_format(asked: Asked) -> Canned:
    return refusal(422, "extra_forbidden") if format_of(asked) else knows_all(asked)


def only_json(asked: Asked) -> Canned:
    if "tools" in asked.body:
        return Canned(500, b'{"error": {"message": "tools"}}')
    return message(READY) if format_of(asked)["type"] == "json_object" else refusal(404, "no_endpoint")


def deaf(asked: Asked) -> Canned:
    """Takes every request for one about the weather."""
    return message('{"weather": "fine"}')


def only_words_understood(asked: Asked) -> Canned:
    return message(READY) if "json_schema" in asked.body["messages"][0]["content"] else message("It is fine.")


ENDPOINTS: dict[str, tuple[Callable[[Asked], Canned], list[str], str]] = {
    "knows all": (
        knows_all,
        ["json_schema", "json_schema_lengths", "json_schema_loose", "tools", "json"],
        "json_schema_lengths",
    ),
    "refuses lengths": (no_lengths, ["json_schema", "json_schema_loose", "tools", "json"], "json_schema"),
    "refuses strict": (no_strict, ["json_schema_loose", "tools", "json"], "json_schema_loose"),
    "refuses response_format": (no_response_format, ["tools"], "tools"),
    "has only json": (only_json, ["json"], "json"),
    "overhears the schema": (only_words_understood, ["json"], "json"),
}


def doctor(script: Callable[[Asked], Canned], *words: object, model: str = MODEL) -> tuple[Ran, dict[str, Any]]:
    """doctor's rows about an endpoint, by name."""
    with endpoint(lambda _, asked: script(asked)) as server:
        ran = cli("doctor", "--model", model, "--base-url", server.url, "--json", *words)
        plain = cli("doctor", "--model", model, "--base-url", server.url, *words)
    assert ran.code == plain.code
    return plain, {row["what"]: {**row, "url": server.url} for row in ran.json}


@pytest.mark.parametrize(("script", "working", "best"), ENDPOINTS.values(), ids=list(ENDPOINTS))
@pytest.mark.sample(2)
def test_what_an_endpoint_knows(toy: Path, script: Callable[[Asked], Canned], working: list[str], best: str) -> None:
    ran, rows = doctor(script)
    assert ran.code == 0, ran.out
    modes = {what.rpartition(" ")[2]: row["is"] for what, row in rows.items() if what.startswith(f"{MODEL} in mode ")}
    assert [mode for mode, result in modes.items() if result == "answers as asked"] == working
    assert len(modes) == 5
    advice = rows[f"mode for {MODEL}"]
    assert advice["is"].partition(",")[0] == best
    if best != "json_schema":
        toml = tomllib.loads(advice["do"].partition("\n")[2])
        assert toml == {"models": {MODEL: {"base_url": advice["url"], "mode": best}}}
        assert f'mode = "{best}"' in ran.out


@pytest.mark.slow
def test_the_advice_works_when_it_is_followed(toy: Path) -> None:
    _, rows = doctor(no_response_format)
    advice = rows[f"mode for {MODEL}"]
    put(toy / "workspace.toml", (toy / "workspace.toml").read_text() + advice["do"].partition("\n")[2])
    _, rows = doctor(no_response_format)
    assert rows[f"mode for {MODEL}"]["is"] == "tools, as configured"
    assert rows[f"mode for {MODEL}"]["do"] == ""


@pytest.mark.slow
def test_lengths_are_advised_for_ones_own_server_only(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    _, rows = doctor(knows_all, model="azure/m")
    assert rows["mode for azure/m"]["is"] == "json_schema, as configured"
    _, rows = doctor(knows_all, model="openai/m")
    assert rows["mode for openai/m"]["is"] == "json_schema_lengths"


def test_the_probe_uses_the_settings_of_the_model(toy: Path) -> None:
    settings = f'\n[models."{MODEL}"]\nparams = {{ temperature = 0.5 }}\n'
    put(toy / "workspace.toml", (toy / "workspace.toml").read_text() + settings)
    seen: list[Asked] = []
    doctor(lambda asked: [seen.append(asked), knows_all(asked)][1])
    assert {asked.body["temperature"] for asked in seen} == {0.5}


TROUBLE: dict[str, tuple[Canned, str, int]] = {
    "wrong key": (refusal(401), "does not accept the key", 1),
    "no quota": (refusal(429, "insufficient_quota"), "quota is used up", 1),
    "unknown model": (refusal(404, "model_not_found"), "in every mode: the endpoint knows no such model", 5),
    "refuses all": (refusal(400, "bad"), "in every mode: the endpoint refused the request", 5),
    "always down": (refusal(500), "in every mode: the endpoint failed", 10),
}


@pytest.mark.parametrize(("reply", "message", "calls"), TROUBLE.values(), ids=list(TROUBLE))
@pytest.mark.sample(2)
def test_a_fault_that_is_not_the_modes_is_reported_once(toy: Path, reply: Canned, message: str, calls: int) -> None:
    with endpoint([reply]) as server:
        ran = cli("doctor", "--model", MODEL, "--base-url", server.url, "--json")
    assert (ran.code, len(server.asked)) == (1, calls)
    [row] = [row for row in ran.json if MODEL in row["what"]]
    assert (row["ok"], message in row["is"]) == (False, True)
    assert row["do"]


def test_an_endpoint_that_never_answers_in_the_schema(toy: Path) -> None:
    ran, rows = doctor(deaf)
    assert ran.code == 1
    assert rows[MODEL]["is"] == "in every mode: answers, but not in the schema"


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.sample(1)
def test_every_provider_is_probed_in_its_own_modes(wire: Wire, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, KEY)

    def script(_: int, asked: Asked) -> Canned:
        return wire.reply("tools" if "tools" in asked.body else "json_schema", READY)

    with endpoint(script) as server:
        ran = cli("doctor", "--model", wire.model, "--base-url", wire.url(server), "--json")
    assert ran.code == 0, ran.out
    modes = [row["what"] for row in ran.json if row["what"].startswith(f"{wire.model} in mode ")]
    assert modes == [f"{wire.model} in mode {mode}" for mode in wire.modes]
    assert len(server.asked) == len(wire.modes)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nobody/m", "unknown model"),
        ("openai/m", "no key for model"),
        ("openai-compatible/m", "needs an address"),
        ("replay:openai/m", "answers from cassettes"),
        ("openai/answer-desk", "answers are written at an answer desk"),
    ],
)
def test_models_that_cannot_be_probed(toy: Path, model: str, message: str) -> None:
    rows = cli("doctor", "--model", model, "--json").json
    assert message in rows[-1]["is"]


def test_every_key_is_set_or_not_set_and_never_printed(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _KEYS == KEY_VARIABLES
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    ran = cli("doctor", "--json")
    keys = {row["what"]: row["is"] for row in ran.json if row["what"] in _KEYS}
    assert keys == {**dict.fromkeys(_KEYS, "not set"), "ANTHROPIC_API_KEY": "set"}
    assert KEY not in ran.out + ran.err
