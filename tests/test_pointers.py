"""JSON pointers by example."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.pointers import field_path, is_within, parts_of, place_of, pointer_of, value_at

ANSWER = {"a/b": 1, "decisions": [{"item": "x", "pages": [{"first": 3}]}], "7": "seven", "": "empty"}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", ANSWER), ("/a~1b", 1), ("/decisions/0/item", "x"), ("/decisions/0/pages/0/first", 3), ("/7", "seven"),
        ("/", "empty"),
    ],
)  # fmt: skip
def test_the_value_at_a_pointer(pointer: str, value: Any) -> None:
    assert value_at(ANSWER, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["/b", "/decisions/1", "/decisions/-1", "/decisions/00", "/decisions/٠", "/decisions/²", "/7/0", "/a~1b/x"]
)  # fmt: skip
def test_a_pointer_that_leads_nowhere(pointer: str) -> None:
    with pytest.raises(LookupError):
        value_at(ANSWER, pointer)


@pytest.mark.parametrize(
    ("pointer", "holder", "key"),
    [
        ("/7", "", "7"),
        ("/a~1b", "", "a/b"),
        ("/new", "", "new"),
        ("/decisions/0", "/decisions", 0),
        ("/decisions/1", "/decisions", 1),
        ("/decisions/0/pages/0/first", "/decisions/0/pages/0", "first"),
    ],
)
def test_the_place_of_a_pointer(pointer: str, holder: str, key: str | int) -> None:
    assert place_of(ANSWER, pointer) == (value_at(ANSWER, holder), key)


@pytest.mark.parametrize(
    "pointer", ["", "/b/x", "/decisions/x", "/decisions/-1", "/decisions/٠", "/7/0", "/decisions/1/item"]
)
def test_a_place_that_is_nowhere(pointer: str) -> None:
    with pytest.raises(LookupError):
        place_of(ANSWER, pointer)


@pytest.mark.parametrize(
    ("pointer", "path"),
    [
        ("/decisions/0/outcome", "decisions/outcome"),
        ("", ""),
        ("/decisions", "decisions"),
        ("/decisions/12", "decisions"),
    ],
)
def test_the_field_names_of_a_pointer(pointer: str, path: str) -> None:
    assert field_path(pointer) == path


@pytest.mark.parametrize(("pointer", "inside"), [("/a", True), ("/a/0", True), ("/ab", False), ("", False)])
def test_inside_a_pointer(pointer: str, inside: bool) -> None:
    assert is_within(pointer, "/a") is inside


@given(st.lists(st.text()))
def test_parts_come_back_from_their_pointer(parts: list[str]) -> None:
    assert parts_of(pointer_of(parts)) == parts
