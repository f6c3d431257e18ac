"""What the baseline reads in the bundled letters, leaf by leaf. ``python -m tests.support.values`` rewrites it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from extractor import Extractor, Record
from tests.support.imr import ROOT

FILE = ROOT / "tests" / "runs" / "bundled_values.json"
# A longer text is kept as its hash.
_LONGEST = 80


def current_values() -> dict[str, dict[str, Any]]:
    """Status and values of each bundled letter, read without a language model."""
    with Extractor(ROOT, letter_type="imr", model="offline") as letters:
        records = letters.run(ROOT / "eval" / "imr" / "letters")
        return {record.letter_id: values_of(record) for record in sorted(records, key=lambda each: each.letter_id)}


def values_of(record: Record) -> dict[str, Any]:
    """The status under ``status``, and each leaf of the answer by its path."""
    return {"status": record.status, **{path: _short(value) for path, value in _leaves(record.answer, "")}}


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = list(node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ())
    if not children:
        yield path, node
    for name, child in children:
        yield from _leaves(child, f"{path}/{name}")


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= _LONGEST:
        return value
    return f"{len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    FILE.write_text(json.dumps(current_values(), ensure_ascii=False, indent=0, sort_keys=True) + "\n", "utf-8")
