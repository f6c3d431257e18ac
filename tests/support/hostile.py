"""Replies as nobody would send them: JSON values of any kind, and good replies with one part exchanged."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

_TEXTS = st.sampled_from(["", " ", "stop", "{}", '{"n": 1}', "[" * 3000, "\ud800", "\x00", "9" * 5000, "x" * 2000])
_NUMBERS = st.sampled_from([0, -1, 3, 10**30, 1.5, float("nan"), float("inf")])


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBERS,
    _TEXTS,
    st.builds(_nested, st.sampled_from([1, 50, 400])),
    st.recursive(
        st.none() | _NUMBERS | _TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, good: dict[str, Any]) -> dict[str, Any]:
    """``good`` with one to three of its parts exchanged for an odd value, or left out."""
    changed = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in _places(changed) if path]))
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        if draw(st.booleans()):
            holder[path[-1]] = draw(ODD_VALUES)
        else:
            del holder[path[-1]]
    return changed


def as_bytes(value: Any) -> bytes:
    """A value as the body of a reply."""
    return json.dumps(value).encode()
