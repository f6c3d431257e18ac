"""Hand-made runs for the tests of comparison, gate and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore, summarise
from extractor.runs.record import Attempt, Record

ABOUT: dict[str, Any] = {
    "set": "gold",
    "letter_type": "toy",
    "prompt": "toy@v1",
    "prompt_sha256": "0" * 64,
    "schema_sha256": "1" * 64,
    "model": "openai/toy",
    "params": {},
    "reasks": 1,
    "engine": "0",
    "checks_version": 1,
    "scorer": 1,
}
PROTECTED = ("outcome",)
ATTEMPT = Attempt()


def is_protected(field: str) -> bool:
    return field in PROTECTED


def leaf(path: str, status: str = "match", gold: Any = "g", got: Any = "g") -> Leaf:
    """One leaf; its field is its path without numbers."""
    field = "/".join(part for part in path.split("/") if part and not part.lstrip("+").isdigit())
    gold = None if status in ("invented", "absent") else gold
    got = None if status in ("omitted", "failed", "absent") else "x" if status in ("wrong", "invented") else got
    return Leaf(path, field, status, gold, got)  # type: ignore[arg-type]


def letter(letter_id: str, leaves: Mapping[str, str], *, status: str = "accepted", **more: Any) -> LetterScore:
    """``leaves``: statuses by path."""
    found = tuple(leaf(path, each) for path, each in leaves.items())
    return LetterScore(letter_id, status, found, attempts=more.pop("attempts", (ATTEMPT,)), **more)


def run(letters: list[LetterScore], **about: Any) -> Run:
    """A complete run over these letters."""
    head = {**ABOUT, "gold": {each.letter_id: "sha" for each in letters}, **about}
    records = tuple(Record(each.letter_id, None, "toy", each.status) for each in letters)
    return Run(head, tuple(letters), records, summarise(letters, is_protected))


def errors(counts: list[int], **about: Any) -> Run:
    """A run of letters with so many errors of ten leaves each."""
    return run(
        [
            letter(f"l{i:02}", {f"/leaf/{j}": "wrong" if j < count else "match" for j in range(10)})
            for i, count in enumerate(counts)
        ],
        **about,
    )
