"""Files of weights: which one a name means, what its header says, and what is wrong with others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelNameError
from extractor.models.local.weights import file_of, find_weights
from tests.support.gguf import QWEN, write_header


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LETTERPROOF_MODELS", raising=False)
    return write_header(tmp_path / "small.gguf")


def test_the_header_says_what_a_model_takes(model: Path) -> None:
    found = find_weights(str(model))
    assert (found.architecture, found.trained_context) == ("qwen2", 32_768)
    # Keys and values of 2 heads of 128 numbers, 2 bytes each, in 28 layers.
    assert found.cache_bytes == 28 * 2 * (128 + 128) * 2
    assert found.size == model.stat().st_size


@pytest.mark.parametrize(
    ("change", "bytes_of_a_token"),
    [
        ({"qwen2.attention.key_length": 64, "qwen2.attention.value_length": 32}, 28 * 2 * (64 + 32) * 2),
        ({"qwen2.attention.head_count_kv": [2] * 14 + [0] * 14}, 14 * 2 * (128 + 128) * 2),
        ({"general.architecture": "unheard-of"}, 0),
    ],
)
def test_what_a_token_takes_in_other_models(tmp_path: Path, change: dict[str, Any], bytes_of_a_token: int) -> None:
    assert find_weights(str(write_header(tmp_path / "m.gguf", {**QWEN, **change}))).cache_bytes == bytes_of_a_token


def test_a_name_is_the_same_on_every_machine(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()[:12]
    named = f"small.gguf@{digest}"
    monkeypatch.chdir(model.parent)
    assert find_weights(str(model)).name == find_weights("small.gguf").name == find_weights(named).name == named
    monkeypatch.chdir("/")
    monkeypatch.setenv("LETTERPROOF_MODELS", str(model.parent))
    assert find_weights(named).path == model
    assert {file_of(each) for each in ("a/small.gguf", "small.gguf", named)} == {"small.gguf"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no GGUF file"),
        (b"<html>not found</html>", "is no GGUF file"),
        (b"GGUF", "is incomplete or damaged: its header breaks off"),
        (b"GGUF" + b"\xff" * 400, "is incomplete or damaged: its header breaks off"),
    ],
)
def test_a_file_that_is_no_model(model: Path, content: bytes, message: str) -> None:
    model.write_bytes(content)
    with pytest.raises(ModelNameError, match=f"small.gguf {message}"):
        find_weights(str(model))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off(model: Path, share: float) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelNameError, match=r"small\.gguf is incomplete or damaged") as caught:
        find_weights(str(model))
    assert caught.value.hint == "download it again, and compare its hash"


def test_errors_name_the_file_and_no_folder(model: Path) -> None:
    for name, message in (
        (str(model.with_name("other.gguf")), "there is no file other.gguf"),
        (f"{model}@{'0' * 12}", "small.gguf is another file"),
        (str(model.parent), f"there is no file {model.parent.name}"),
    ):
        with pytest.raises(ModelNameError) as caught:
            find_weights(name)
        assert message in caught.value.message
        assert str(model.parent) not in str(caught.value)
