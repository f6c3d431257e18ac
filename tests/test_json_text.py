"""JSON as text: what strict reading refuses, and that every string can be written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.json_text import DuplicateKeyError, StrictJSONError, json_line, strict_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": Infinity}', "-Infinity", "[" * 100_000, "1" * 5_000, "'a'"])
def test_refused_without_quoting_the_text(text: str) -> None:
    with pytest.raises(StrictJSONError) as caught:
        strict_json(text)
    assert str(caught.value).startswith("not valid JSON")
    assert len(str(caught.value)) < 60


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '[{"a": {"b": 1, "b": 2}}]'])
def test_a_key_given_twice(text: str) -> None:
    with pytest.raises(DuplicateKeyError):
        strict_json(text)


@given(JSON)
def test_a_value_comes_back_from_its_line(value: Any) -> None:
    line = json_line(value)
    assert "\n" not in line
    assert strict_json(line) == value


@given(st.text(st.sampled_from("\ud800\ud801A\u2028")))
def test_half_a_surrogate_pair_is_written_escaped(text: str) -> None:
    assert json.loads(json_line(text).encode()) == text
