"""A value that is longer than its field flags its leaf, and fails neither the reply nor the letter."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from extractor.lettertypes.evidence import StrictModel, Unchecked
from extractor.models.offline import values
from extractor.models.overlong import parse_answer
from extractor.models.strategy import Plain
from tests.support.imr import IMR, decision, imr_letter, read


class Note(StrictModel):
    title: Annotated[str | None, Field(max_length=5), Unchecked("a test")]
    names: Annotated[list[Annotated[str, Field(max_length=3)]], Field(max_length=2), Unchecked("a test")]
    count: Annotated[int, Unchecked("a test")]


def note(**changes: Any) -> str:
    return json.dumps({"title": "short", "names": ["a", "b"], "count": 1, **changes})


@pytest.mark.parametrize(
    ("changes", "paths", "kept"),
    [
        ({}, [], {}),
        ({"title": "longer than five"}, ["/title"], {"title": "longe"}),
        ({"names": ["a", "b", "c"]}, ["/names"], {"names": ["a", "b"]}),
        ({"names": ["a", "bbbb"]}, ["/names/1"], {"names": ["a", "bbb"]}),
        ({"names": ["a", "bbbb", "c"], "title": "longer"}, ["/names/1", "/names", "/title"], {"names": ["a", "bbb"], "title": "longe"}),
    ],
)  # fmt: skip
def test_what_is_too_long_is_cut_and_flagged(changes: dict[str, Any], paths: list[str], kept: dict[str, Any]) -> None:
    answer, findings = parse_answer(Note, note(**changes))
    assert answer.model_dump() == {**json.loads(note()), **kept}
    assert sorted(finding.path for finding in findings) == sorted(paths)
    assert {(f.code, f.severity, f.blame) for f in findings} <= {("too_long", "error", "unclear")}


@pytest.mark.parametrize("changes", [{"count": "one"}, {"count": "one", "title": "longer"}, {"more": 1}, {"names": 1}])
def test_every_other_fault_is_still_one(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse_answer(Note, note(**changes))


def test_a_heading_longer_than_its_field_does_not_fail_the_letter() -> None:
    reading = read(imr_letter(decision(" ".join(["brace"] * 400)), decision("Second")))
    reply = json.dumps(values(IMR.schema, reading.root), default=str)
    answer, findings, _ = Plain(IMR).answer(reply, reading)
    assert [finding.path for finding in findings] == ["/decisions/0/item"]
    assert len(answer.decisions[0].item) == 1900  # type: ignore[attr-defined]
    assert answer.decisions[1].item == "Second"  # type: ignore[attr-defined]
