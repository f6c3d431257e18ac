"""``local/FILE.gguf`` with a real llama.cpp and random weights: the process, its limits, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelError, UsageError
from extractor.models.llm import open_model
from extractor.models.llm.local import LocalModel
from extractor.models.model import Reply
from tests.support.asking import Whole, question
from tests.support.toy import cli, records, write_toy

# A wheel that does not load on this machine is as good as none.
pytest.importorskip("xllamacpp", exc_type=ImportError)
pytest.importorskip("gguf", exc_type=ImportError)

from tests.e2e.noise_model import write_noise_model

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_model(tmp_path_factory.mktemp("model") / "noise.gguf", seed=1)


@contextlib.contextmanager
def opened(weights: Path, **params: Any) -> Iterator[LocalModel]:
    model = open_model(f"local/{weights}", params={"threads": 1, "context": 8_192, "max_tokens": 2_000, **params})
    assert isinstance(model, LocalModel)
    yield model
    assert model.process is not None
    assert model.process._child is None


def pid_of(model: LocalModel) -> int:
    assert model.process is not None
    assert model.process._child is not None
    return model.process._child.pid


async def ask(model: LocalModel, *letters: str) -> list[Reply]:
    try:
        return [await model.ask(question(letter)) for letter in letters]
    finally:
        await model.aclose()


def test_an_answer_fits_the_schema_and_its_tokens_are_counted(weights: Path) -> None:
    with opened(weights) as model:
        first, second = asyncio.run(ask(model, "Dear reader", "Dear reader, once more"))
    for reply in (first, second):
        Whole.model_validate_json(reply.text)
        # A token of this model is a character.
        assert abs((reply.usage.output_tokens or 0) - len(reply.text)) < 20
        assert (reply.usage.input_tokens or 0) > len("Dear reader")
        assert reply.model == ""
    assert (second.usage.cached_tokens or 0) > 0


def test_a_letter_that_is_too_long_is_refused_before_anything_is_computed(weights: Path) -> None:
    with opened(weights) as model, pytest.raises(ModelError) as caught:
        asyncio.run(ask(model, "x" * 7_000))
    assert caught.value.code == "context_length"
    assert "tokens and the answer up to 2,000; the context has 8,192" in caught.value.message
    assert '[models."local/noise.gguf"] in workspace.toml' in caught.value.hint


def test_a_process_that_ends_is_started_again_once(weights: Path) -> None:
    async def work(model: LocalModel) -> None:
        try:
            for _ in range(2):
                await model.ask(question())
                os.kill(pid_of(model), signal.SIGKILL)
                await asyncio.sleep(0.2)
            with pytest.raises(UsageError, match=r"the process of noise\.gguf ended twice") as caught:
                await model.ask(question())
            assert "slots = 1" in caught.value.hint
        finally:
            await model.aclose()

    with opened(weights) as model:
        asyncio.run(work(model))


def test_the_process_ends_with_the_run_and_another_loop_gets_one_of_its_own(weights: Path) -> None:
    with opened(weights) as model:
        pids = []
        for _ in range(2):

            async def once() -> None:
                await model.ask(question())
                pids.append(pid_of(model))
                await model.aclose()

            asyncio.run(once())
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
    assert len(set(pids)) == 2


def test_tokens_are_counted_while_they_are_written(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So small a model answers before it would be looked at a first time.
    monkeypatch.setattr("extractor.models.llm.local._WATCH", 0.01)
    seen: list[tuple[int, int]] = []

    async def work(model: LocalModel) -> None:
        asking = asyncio.create_task(ask(model, *["Dear reader"] * 6))
        while not asking.done():
            seen.append((model.generating.letters, model.generating.written))
            await asyncio.sleep(0.01)
        await asking

    with opened(weights) as model:
        asyncio.run(work(model))
    assert max(letters for letters, _ in seen) == 1
    assert max(written for _, written in seen) > 0


def test_a_file_that_llama_cannot_load_is_named(weights: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(weights.read_bytes().replace(b"llama", b"lambs"))
    with opened(odd) as model, pytest.raises(UsageError) as caught:
        asyncio.run(ask(model, "Dear reader"))
    assert "llama.cpp cannot load odd.gguf" in caught.value.message
    assert str(tmp_path) not in str(caught.value)


def test_a_run_asks_it_like_any_model(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = write_toy(tmp_path)
    monkeypatch.setenv("LETTERPROOF_MODELS", str(weights.parent))
    with (toy / "workspace.toml").open("a") as file:
        file.write('\n[models."local/noise.gguf"]\nparams = { threads = 1, context = 8192, max_tokens = 2000 }\n')
    command = ["run", "letters", "--out", "out", "--model", "local/noise.gguf", "--max-cost", 0.01, "--reask", 0]
    ran = cli(*command, cwd=toy)
    assert "No cost: the model runs on this machine." in ran.out, ran.err
    written = records(toy / "out")
    assert len(written) == 3
    assert {record["model"].partition("@")[0] for record in written} == {"local/noise.gguf"}
    assert all(record["usage"]["output_tokens"] for record in written)
    assert str(weights.parent) not in json.dumps(written)
    assert cli(*command, "--json", cwd=toy).json["skipped"] == 3
