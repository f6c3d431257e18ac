"""Models in a process of the run, as far as it goes without llama.cpp: names, settings, errors, recordings."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from extractor.errors import ModelNameError, UsageError
from extractor.models.cassettes import Tape, transport
from extractor.models.llm import open_model
from extractor.models.model import Question
from extractor.models.prices import tariff
from extractor.workspace.workspace import Workspace
from tests.support.asking import question
from tests.support.gguf import write_header
from tests.support.loopback import message
from tests.support.toy import edit, write_toy


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "xllamacpp" else found(name))
    return write_header(tmp_path / "small.gguf")


def test_its_name_is_the_files_name_and_hash_and_its_settings_hold_for_every_machine(model: Path) -> None:
    opened = open_model(f"local/{model}", params={"threads": 1, "context": 4_096, "seed": 3})
    assert opened.name.startswith("local/small.gguf@")
    assert opened.params == {"mode": "json_schema_lengths", "temperature": 0.0, "max_tokens": 4_096, "seed": 3}
    assert str(model.parent) not in f"{opened.name} {opened.params}"
    assert tariff(None, "prices.toml", opened.name, opened.params).free == "the model runs on this machine"


def test_what_is_missing_is_named(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelNameError, match=r"there is no file none\.gguf"):
        open_model("local/none.gguf")
    with pytest.raises(ModelNameError, match="runs in this run's own process"):
        open_model(f"local/{model}", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(UsageError, match="unknown mode 'tools'"):
        open_model(f"local/{model}", params={"mode": "tools"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelNameError, match=r"model local/small.gguf needs xllamacpp") as caught:
        open_model(f"local/{model}")
    assert caught.value.hint == "install the extra: pip install 'letterproof[local]'"


def test_the_workspace_has_its_settings_under_its_files_name(tmp_path: Path) -> None:
    toy = write_toy(tmp_path)
    edit(
        toy / "workspace.toml", "[letter_types.", '[models."local/a.gguf"]\nparams = { threads = 1 }\n\n[letter_types.'
    )
    config = Workspace(toy).config
    for name in ("local/a.gguf", "local//models/a.gguf", "local/a.gguf@0123456789ab"):
        assert config.settings_of(name).params == {"threads": 1}
    assert config.settings_of("local/b.gguf").params == {}


def test_what_was_recorded_replays_without_the_file(model: Path, tmp_path: Path) -> None:
    live = open_model(f"local/{model}", transport=transport())
    name = live.name

    def tape(mode: str) -> Tape:
        return Tape(tmp_path, "a", "p@v1", name, mode=mode)

    async def ask(opened: Any, asked: Question) -> str:
        try:
            return str((await opened.ask(asked)).text)
        finally:
            await opened.aclose()

    live.network = answering(message('{"n": "1"}').body)  # type: ignore[method-assign]
    with tape("record"):
        assert asyncio.run(ask(live, question())) == '{"n": "1"}'
    model.unlink()
    replayed = open_model(name, transport=transport(), replay=True)
    assert replayed.name == name
    with tape("replay"):
        assert asyncio.run(ask(replayed, question())) == '{"n": "1"}'
    (written,) = tmp_path.rglob("*.yaml")
    assert str(model.parent) not in written.read_text()


def answering(body: bytes) -> Callable[[], httpx2.AsyncBaseTransport]:
    return lambda: httpx2.MockTransport(lambda _: httpx2.Response(200, content=body))
