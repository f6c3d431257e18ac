"""Files of weights in the GGUF format: which file a name means, and what its header says.

The layout is that of the GGUF specification, version 2 and 3 (little-endian): magic, counts, metadata, tensor
descriptions, then the tensors. Only the header is read here.
"""

from __future__ import annotations

import functools
import hashlib
import math
import mmap
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.errors import ModelNameError

# The folder where files are looked for that are not where the name says.
FOLDER_VARIABLE = "LETTERPROOF_MODELS"
_MAGIC = b"GGUF"
_HASH = re.compile(r"(.+)@([0-9a-f]{12})")
_SHORT = 12
_MOST_ENTRIES = 1_000_000
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# Elements and bytes of a block, by the number of a tensor's type; of others only the beginning is checked.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 30: (1, 2),
}  # fmt: skip
# A key and a value of two bytes each for every number of a head.
_CACHE_BYTES = 2


@dataclass(frozen=True)
class Weights:
    """One file of weights.

    ``name`` is the file's name and the beginning of its hash, the same on every machine. ``trained_context``: tokens
    that the model was trained for, ``cache_bytes``: memory that one token takes while it is in the context; 0 where the
    header does not say.
    """

    path: Path
    name: str
    size: int
    architecture: str
    trained_context: int
    cache_bytes: int


def find_weights(name: str) -> Weights:
    """The file that ``FILE.gguf`` or ``FILE.gguf@HASH`` means: a path, or a name in the folder ``LETTERPROOF_MODELS``.

    Raises ``ModelNameError`` if there is no such file, if it is incomplete or no GGUF file, or if it has another hash.
    """
    match = _HASH.fullmatch(name)
    wanted, expected = (match[1], match[2]) if match else (name, "")
    path = _existing(wanted)
    try:
        weights = _read(path)
        digest = _sha256(path)[:_SHORT]
    except OSError as error:
        raise ModelNameError(
            f"cannot read {path.name}: {error.strerror}", hint="check the file's permissions"
        ) from error
    if expected not in ("", digest):
        hint = "use the file that was named, or leave out the part from @ on"
        raise ModelNameError(f"{path.name} is another file: its hash begins with {digest}", hint=hint)
    return Weights(path, f"{path.name}@{digest}", *weights)


def file_of(name: str) -> str:
    """The file name in a local model's name, without folders and hash."""
    match = _HASH.fullmatch(name)
    return Path(match[1] if match else name).name


def _existing(wanted: str) -> Path:
    path = Path(wanted).expanduser()
    if path.is_file():
        return path.resolve()
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and (found := Path(folder).expanduser() / wanted).is_file():
        return found.resolve()
    hint = f"write the path of a GGUF file, e.g. local/models/NAME.gguf, or name its folder in {FOLDER_VARIABLE}"
    raise ModelNameError(f"there is no file {path.name}", hint=hint)


def _sha256(path: Path) -> str:
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@functools.cache
def _digest(path: Path, size: int, changed: int) -> str:
    """Computed once; size and time are arguments so that a file that was replaced is read again."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> tuple[int, str, int, int]:
    """Size, architecture, trained context, and bytes of a token in the context. Raises ``ModelNameError``."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            hint = "name a file of weights in the GGUF format; other formats are converted with tools of llama.cpp"
            raise ModelNameError(f"{path.name} is no GGUF file", hint=hint)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                header = _Header(data)
                about, least = header.metadata(), header.end()
            except (struct.error, UnicodeDecodeError, ValueError, IndexError):
                raise _incomplete(path.name, "its header breaks off") from None
    if size < least:
        raise _incomplete(path.name, f"{size:,} bytes, {least:,} expected")
    architecture = str(about.get("general.architecture", "unknown"))
    return size, architecture, _count(about, f"{architecture}.context_length"), _cache_bytes(about, architecture)


def _incomplete(name: str, why: str) -> ModelNameError:
    return ModelNameError(f"{name} is incomplete or damaged: {why}", hint="download it again, and compare its hash")


def _cache_bytes(about: Mapping[str, Any], architecture: str) -> int:
    def of(name: str) -> Any:
        return about.get(f"{architecture}.{name}")

    heads = _count(about, f"{architecture}.attention.head_count")
    kept = of("attention.head_count_kv") or heads
    layers = _count(about, f"{architecture}.block_count")
    total = sum(kept) if isinstance(kept, list) else layers * kept
    size = _count(about, f"{architecture}.embedding_length") // max(heads, 1)
    numbers = (of("attention.key_length") or size) + (of("attention.value_length") or size)
    return int(total * numbers * _CACHE_BYTES)


def _count(about: Mapping[str, Any], key: str) -> int:
    value = about.get(key)
    # Some models have a value for each layer.
    value = max(value, default=0) if isinstance(value, list) else value
    return value if isinstance(value, int) and value > 0 else 0


class _Header:
    """A cursor over a header."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 4
        version = self._number("I")
        if version not in (2, 3):
            raise ValueError("unknown version")
        self._tensors, self._entries = self._number("Q"), self._number("Q")
        if max(self._tensors, self._entries) > _MOST_ENTRIES:
            raise ValueError("too many entries")
        self._alignment = 32

    def metadata(self) -> dict[str, Any]:
        """The metadata; of long lists, such as the vocabulary, only that they are there."""
        found = {}
        for _ in range(self._entries):
            key = self._text()
            found[key] = self._value(self._number("I"))
        self._alignment = int(found.get("general.alignment", self._alignment)) or self._alignment
        return found

    def end(self) -> int:
        """The least size of the whole file, by its tensors. To be called after ``metadata``."""
        last = 0
        for _ in range(self._tensors):
            self._text()
            shape = [self._number("Q") for _ in range(min(self._number("I"), 8))]
            kind, offset = self._number("I"), self._number("Q")
            elements, size = _BLOCKS.get(kind, (1, 0))
            last = max(last, offset + math.prod(shape) // elements * size)
        start = -(-self._at // self._alignment) * self._alignment
        return start + last

    def _number(self, kind: str) -> Any:
        size = struct.calcsize(f"<{kind}")
        (value,) = struct.unpack_from(f"<{kind}", self._data, self._at)
        self._at += size
        return value

    def _text(self) -> str:
        size = self._number("Q")
        if size > len(self._data) - self._at:
            raise ValueError("a text beyond the end")
        self._at += size
        return self._data[self._at - size : self._at].decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._number(_SCALARS.get(kind, "?unknown"))
        inner, count = self._number("I"), self._number("Q")
        if inner in _SCALARS and count > 10_000:
            self._at += struct.calcsize(f"<{_SCALARS[inner]}") * count
            return []
        if count > len(self._data):
            raise ValueError("a list beyond the end")
        return [self._value(inner) for _ in range(count)]
