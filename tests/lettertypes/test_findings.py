"""Findings hold plain JSON values, whatever they are made of."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from pydantic import BaseModel

from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding, plain


class Pages(BaseModel):
    first: int
    last: int
    on: date | None = None


class Side(enum.Enum):
    LEFT = "left"


@dataclass(frozen=True)
class Point:
    x: int
    on: date


class Odd:
    def __repr__(self) -> str:
        return "odd"


@pytest.mark.parametrize(
    ("value", "json_value"),
    [
        (None, None),
        ("Upheld", "Upheld"),
        (7, 7),
        (True, True),
        (0.5, 0.5),
        (date(2014, 3, 7), "2014-03-07"),
        (datetime(2014, 3, 7, 8, 30), "2014-03-07T08:30:00"),
        (Decimal("1250.10"), "1250.10"),
        (Pages(first=3, last=4), {"first": 3, "last": 4, "on": None}),
        ([Pages(first=3, last=3, on=date(2014, 3, 7))], [{"first": 3, "last": 3, "on": "2014-03-07"}]),
        ({"pages": (Pages(first=1, last=2),)}, {"pages": [{"first": 1, "last": 2, "on": None}]}),
        (Side.LEFT, "left"),
        (Point(1, date(2014, 3, 7)), {"x": 1, "on": "2014-03-07"}),
        (Span(3, 9), [3, 9]),
        (frozenset({"a"}), ["a"]),
        (PurePosixPath("a/b"), "a/b"),
        (b"\xff", "_w=="),
        (float("nan"), "nan"),
        ({"a": [float("inf")]}, {"a": ["inf"]}),
        (Odd(), "odd"),
        ("half \ud800", "half \ud800"),
        (["half \ud800"], ["half \ud800"]),
    ],
    ids=repr,
)
def test_values_become_plain_json(value: Any, json_value: Any) -> None:
    finding = Finding(
        "value_differs", "/pages", "error", "answer", "wrong", expected=value, got=[value], span=Span(1, 2)
    )
    assert (finding.expected, finding.got) == (json_value, [json_value])
    assert plain(finding.expected) == finding.expected
    assert Finding.from_dict(json.loads(json.dumps(finding.as_dict()))) == finding
