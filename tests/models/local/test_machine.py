"""What a machine bears: threads, slots and context of a local model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from extractor.errors import UsageError
from extractor.models.local.machine import Placement, free_memory, physical_cores, placement
from extractor.models.local.weights import Weights

GIB = 2**30
SMALL = Weights(Path("small.gguf"), "small.gguf@0", GIB, "qwen2", 32_768, 28 * 1024)
LARGE = Weights(Path("large.gguf"), "large.gguf@0", 5 * GIB, "llama", 131_072, 128 * 1024)
SHORT = Weights(Path("short.gguf"), "short.gguf@0", GIB, "gpt2", 2_048, 28 * 1024)
ODD = Weights(Path("odd.gguf"), "odd.gguf@0", GIB, "unknown", 0, 0)


@pytest.mark.parametrize(
    ("weights", "settings", "cores", "memory", "placed"),
    [
        (SMALL, {}, 2, 16 * GIB, Placement(2, 1, 16_384)),
        (SMALL, {}, 8, 16 * GIB, Placement(8, 2, 16_384)),
        (SMALL, {}, 64, 256 * GIB, Placement(64, 4, 16_384)),
        # One context of 16,384 tokens takes 2 GiB: 3 free beside the weights bear one, 1 free a shorter one.
        (LARGE, {}, 16, 9 * GIB, Placement(16, 1, 16_384)),
        (LARGE, {}, 16, 6 * GIB, Placement(16, 1, 4_915)),
        (LARGE, {}, 16, 2 * GIB, Placement(16, 1, 4_096)),
        (SHORT, {}, 4, 16 * GIB, Placement(4, 1, 2_048)),
        (ODD, {}, 4, 16 * GIB, Placement(4, 1, 16_384)),
        (SMALL, {"threads": 3, "slots": 5, "context": 32_768}, 64, GIB, Placement(3, 5, 32_768)),
    ],
)
def test_placements(weights: Weights, settings: dict[str, Any], cores: int, memory: int, placed: Placement) -> None:
    assert placement(weights, settings, cores, memory) == placed


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"context": 65_536}, "small.gguf was trained for a context of 32,768 tokens", "give at most 32768"),
        ({"threads": 0}, "threads must be a positive whole number", "docs/providers.md"),
        ({"slots": "2"}, "slots must be a positive whole number", "docs/providers.md"),
        ({"context": True}, "context must be a positive whole number", "docs/providers.md"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        placement(SMALL, settings, 2, 16 * GIB)
    assert hint in caught.value.hint


def test_this_machine_has_something() -> None:
    assert physical_cores() >= 1
    assert free_memory() > 0
