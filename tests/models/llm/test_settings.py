"""From a name and workspace.toml to the wire: providers, keys, addresses, parameters."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelNameError, UsageError
from extractor.models.llm import KEY_VARIABLES, MODES, modes_of, open_model
from extractor.workspace.workspace import ModelConfig
from tests.support.asking import EVERY_WIRE, KEY, WIRES, Wire, question
from tests.support.gguf import write_header
from tests.support.loopback import ask_once, endpoint, message
from tests.support.toy import NOTES, ROOT, cli, edit, put, right_answer, write_toy

RIGHT = json.dumps(right_answer(NOTES["red"]))
ADDRESSES = {
    "openai": "OPENAI_BASE_URL",
    "azure": "AZURE_OPENAI_ENDPOINT",
    "anthropic": "ANTHROPIC_BASE_URL",
    "gemini": "GOOGLE_GEMINI_BASE_URL",
}
ANTHROPIC = [case for case in EVERY_WIRE if case.id == "anthropic"]
GEMINI = [case for case in EVERY_WIRE if case.id == "gemini"]

# ---- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "base_url", "message"),
    [
        ("gpt-x", None, "known: offline"),
        ("other/gpt-x", None, "openai/NAME"),
        ("openai/", None, "unknown model"),
        ("openai/gpt-x", None, "set OPENAI_API_KEY, or give the base URL"),
        ("openai-compatible/m", None, "--base-url"),
        ("openai/m", "localhost:8000", "http://HOST:PORT"),
        ("openai/m", "http://:x", "http://HOST:PORT"),
        ("azure/m", None, "AZURE_OPENAI_ENDPOINT"),
        ("azure/m", "https://x.openai.azure.com", "set AZURE_OPENAI_API_KEY"),
        ("anthropic/m", None, "set ANTHROPIC_API_KEY"),
        ("gemini/m", None, "set GEMINI_API_KEY"),
    ],
)
def test_names_that_cannot_be_used(name: str, base_url: str | None, message: str) -> None:
    for module in {"anthropic/m": ("anthropic",), "gemini/m": ("google.genai", "jsonref")}.get(name, ()):
        pytest.importorskip(module)
    with pytest.raises(ModelNameError) as caught:
        open_model(name, base_url=base_url)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("anthropic/m", "anthropic", "anthropic"),
        ("gemini/m", "google.genai", "gemini"),
        ("gemini/m", "jsonref", "gemini"),
    ],
)
def test_a_missing_sdk_names_its_extra(name: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModelNameError) as caught:
        open_model(name, base_url="http://127.0.0.1:1")
    assert f"pip install 'letterproof[{extra}]'" in caught.value.hint


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_malformed_key_is_not_printed(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = wire.key_variable
    monkeypatch.setenv(variable, "sk-gehe\u00efm")
    with pytest.raises(ModelNameError) as caught:
        open_model(wire.model, base_url="http://127.0.0.1:1")
    assert variable in str(caught.value)
    assert "gehe" not in str(caught.value)


@pytest.mark.parametrize("wire", GEMINI)
def test_the_first_key_that_is_set_counts(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    with endpoint([wire.reply("json_schema")]) as server:
        for key in ("", "another-key"):
            monkeypatch.setenv("GEMINI_API_KEY", key)
            asyncio.run(ask_once(open_model("gemini/m", base_url=server.root), question()))
    assert [each.headers["x-goog-api-key"] for each in server.asked] == [KEY, "another-key"]


def test_a_server_without_a_key() -> None:
    with endpoint([message()]) as server:
        model = open_model("openai/qwen/7b", base_url=server.url, params={"mode": "json", "tries": 1, "top_p": 1})
        asyncio.run(ask_once(model, question()))
    assert model.name == "openai/qwen/7b"
    assert model.params == {"mode": "json", "base_url": server.url, "top_p": 1}
    assert server.asked[0].body["model"] == "qwen/7b"
    assert server.asked[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_the_address_may_come_from_the_environment(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, KEY)
    with endpoint([wire.reply("json_schema")]) as server:
        monkeypatch.setenv(ADDRESSES[wire.model.partition("/")[0]], wire.url(server))
        asyncio.run(ask_once(open_model(wire.model), question()))
    assert server.asked[0].path == wire.path


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_replay_needs_neither_key_nor_address(wire: Wire) -> None:
    assert open_model(wire.model, replay=True).params["mode"] == "json_schema"


def test_a_replay_reports_the_recorded_settings() -> None:
    assert open_model("openai/m", replay=True).params == {"mode": "json_schema"}


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize("params", [{"mode": "strict"}, {"tools": []}])
def test_settings_that_cannot_be_used(wire: Wire, params: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        wire.at("http://127.0.0.1:1/v1", **params)


@pytest.mark.parametrize("wire", GEMINI)
def test_a_parameter_that_gemini_has_not_is_named(wire: Wire) -> None:
    with pytest.raises(UsageError, match="do not fit Gemini: max_tokens"):
        wire.at("http://127.0.0.1:1", max_tokens=5)


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_the_modes_of_a_provider(wire: Wire) -> None:
    assert modes_of(wire.model) == wire.modes


# ---- parameters of workspace.toml ------------------------------------------------------------

# As they are written, and as they must be in the request, with the provider's own names.
PARAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": (
        'temperature = 0.25, seed = 7, reasoning_effort = "low", max_completion_tokens = 900, logit_bias = { 5 = -1 }',
        {
            "temperature": 0.25,
            "seed": 7,
            "reasoning_effort": "low",
            "max_completion_tokens": 900,
            "logit_bias": {"5": -1},
        },
    ),
    "azure": (
        'temperature = 0.25, seed = 7, max_completion_tokens = 900, api_version = "2024-10-21"',
        {"temperature": 0.25, "seed": 7, "max_completion_tokens": 900},
    ),
    "anthropic": (
        'temperature = 0.25, top_k = 3, max_tokens = 900, thinking = { type = "disabled" }, output_config = { effort = "low" }',
        {"temperature": 0.25, "top_k": 3, "max_tokens": 900, "thinking": {"type": "disabled"}},
    ),
    "gemini": (
        "temperature = 0.25, seed = 7, max_output_tokens = 900, top_k = 3, thinking_config = { thinking_budget = 0 }",
        {
            "temperature": 0.25,
            "seed": 7,
            "maxOutputTokens": 900,
            "topK": 3,
            "thinkingConfig": {"thinking_budget": 0},
        },
    ),
}


def toy(root: Path, wire: Wire, settings: str) -> Path:
    """A workspace with these settings of the model."""
    write_toy(root)
    config = (root / "workspace.toml").read_text("utf-8")
    put(root / "workspace.toml", f'{config}\n[models."{wire.model}"]\n{settings}\n')
    return root


def extract(root: Path, wire: Wire, *words: object) -> Any:
    return cli("extract", root / "letters/red.txt", "--model", wire.model, "--workspace", root, *words)


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_parameters_reach_the_wire(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, KEY)
    provider = wire.model.partition("/")[0]
    written, sent = PARAMS[provider]
    with endpoint([wire.answer(RIGHT)]) as server:
        root = toy(tmp_path, wire, f'base_url = "{wire.url(server)}"\nparams = {{ {written} }}')
        ran = extract(root, wire)
    assert ran.json["status"] == "accepted", ran.err
    [asked] = server.asked
    body = asked.body
    held = body["generationConfig"] if provider == "gemini" else body
    assert {name: held.get(name) for name in sent} == sent
    assert not {"api_version", "mode", "timeout", "tries", "base_url", "params"} & set(body)
    if provider == "azure":
        assert asked.path == "/openai/deployments/m/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_the_mode_reaches_the_wire(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, KEY)
    with endpoint([wire.reply("tools", RIGHT)]) as server:
        root = toy(tmp_path, wire, 'mode = "tools"')
        ran = extract(root, wire, "--base-url", wire.url(server))
    assert ran.json["status"] == "accepted", ran.err
    assert "tools" in server.asked[0].body


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_timeout_and_tries_are_ours(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wire.key_variable, KEY)
    with endpoint([replace(wire.answer(RIGHT), delay=1.0)]) as server:
        root = toy(tmp_path, wire, "timeout = 0.2\nparams = { tries = 2, max_wait = 0.01 }")
        ran = extract(root, wire, "--base-url", wire.url(server))
    assert (ran.code, len(server.asked)) == (4, 2)
    assert "within 0.2 s" in ran.err
    assert not {"timeout", "tries", "max_wait"} & set(server.asked[0].body)


@pytest.mark.parametrize("wire", ANTHROPIC)
def test_anthropic_gets_a_limit_if_none_is_set(wire: Wire) -> None:
    assert wire.at("http://127.0.0.1:1").params["max_tokens"] == 16_000


def test_a_setting_that_cannot_be_used_is_a_mistake_of_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    root = toy(tmp_path, WIRES["openai"], 'mode = "strict"')
    ran = extract(root, WIRES["openai"])
    assert ran.code == 2
    assert "modes of openai/m: json_schema, json_schema_lengths" in ran.err
    edit(root / "workspace.toml", 'mode = "strict"', "params = { stream = true }")
    assert "set by the engine: stream" in extract(root, WIRES["openai"]).err


# ---- the document ----------------------------------------------------------------------------

DOCUMENT = (ROOT / "docs" / "providers.md").read_text("utf-8")


def test_the_document_names_every_provider_variable_extra_and_mode() -> None:
    for name in (
        *KEY_VARIABLES,
        *ADDRESSES.values(),
        "letterproof[anthropic]",
        "letterproof[gemini]",
        "letterproof[local]",
    ):
        assert name in DOCUMENT, name
    for wire in WIRES.values():
        assert f"--model {wire.model.partition('/')[0]}/" in DOCUMENT
    for mode in MODES:
        assert f"| `{mode}` |" in DOCUMENT


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL))
def test_the_settings_in_the_document_can_be_used(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEY_VARIABLES:
        monkeypatch.setenv(variable, KEY)
    [(name, settings)] = tomllib.loads(block)["models"].items()
    config = ModelConfig.model_validate(settings)
    try:
        modes_of(name)
    except ModelNameError as missing:
        pytest.skip(missing.message)
    if name.startswith("local/"):
        write_header(tmp_path / name.removeprefix("local/"))
        monkeypatch.setenv("LETTERPROOF_MODELS", str(tmp_path))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
        assert open_model(name, params=config.params).params["max_tokens"] == 4096
        return
    url = config.base_url or "http://127.0.0.1:1"
    params = {**config.params, "mode": config.mode, "timeout": config.timeout}
    assert open_model(name, base_url=url, params=params).params["mode"] == config.mode
