"""Files with the header of a GGUF model, written by hand after the format's specification."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

# As a model of 1.5 billion parameters has them.
QWEN = {
    "general.architecture": "qwen2",
    "qwen2.context_length": 32_768,
    "qwen2.block_count": 28,
    "qwen2.embedding_length": 1_536,
    "qwen2.attention.head_count": 12,
    "qwen2.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ["a", "b"],
    "tokenizer.ggml.scores": [0.0] * 20_000,
}


def write_header(path: Path, about: dict[str, Any] = QWEN, *, values: int = 64, version: int = 3) -> Path:
    """A model with one tensor of so many 32-bit values."""
    data = b"GGUF" + struct.pack("<IQQ", version, 1, len(about))
    for key, value in about.items():
        data += _text(key) + _typed(value)
    data += _text("output.weight") + struct.pack("<IQIQ", 1, values, 0, 0)
    data += bytes(-len(data) % 32)
    path.write_bytes(data + bytes(4 * values))
    return path


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _typed(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    kind = "f" if isinstance(value[0], float) else "I"
    return struct.pack(f"<IIQ{len(value)}{kind}", 9, 6 if kind == "f" else 4, len(value), *value)
