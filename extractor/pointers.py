"""JSON pointers (RFC 6901) into an answer: ``/decisions/0/outcome``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

# Array indices are ASCII digits without leading zeros; digits of other scripts are not indices.
_INDEX = re.compile(r"0|[1-9][0-9]*", re.ASCII)


def pointer_of(parts: Iterable[str | int]) -> str:
    """The pointer that leads through ``parts``; ``""`` for the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(pointer: str) -> list[str]:
    """The unescaped parts of a pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def is_index(part: str) -> bool:
    """Whether a part of a pointer may be an array index."""
    return _INDEX.fullmatch(part) is not None


def value_at(document: Any, pointer: str) -> Any:
    """The value at ``pointer``. Raises ``LookupError`` if there is none."""
    found = document
    for part in parts_of(pointer):
        if isinstance(found, list) and is_index(part):
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part]
        else:
            raise LookupError(pointer)
    return found


def place_of(document: Any, pointer: str) -> tuple[Any, Any]:
    """The list or object that holds what ``pointer`` is at, and its index or key there.

    Whether it holds anything at that key is not looked at. Raises ``LookupError`` if the pointer leads nowhere.
    """
    if not pointer:
        raise LookupError(pointer)
    *way, last = parts_of(pointer)
    holder = value_at(document, pointer_of(way))
    if isinstance(holder, list) and is_index(last):
        return holder, int(last)
    if isinstance(holder, dict):
        return holder, last
    raise LookupError(pointer)


def field_path(pointer: str) -> str:
    """The field names of a pointer, without indices: ``decisions/outcome``."""
    return "/".join(part for part in parts_of(pointer) if not is_index(part))


def is_within(pointer: str, outer: str) -> bool:
    """Whether ``pointer`` is ``outer`` or leads to something inside it."""
    return pointer == outer or pointer.startswith(f"{outer}/")
