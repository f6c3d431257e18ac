"""Values of an answer in the reading's terms, and how they are compared with it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from extractor.letters.spans import fold


def is_silent(value: Any) -> bool:
    """Null, or an empty list: the claim that the letter states no value."""
    return value is None or value == []


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same words."""
    return one == other or fold(one) == fold(other)


def plain_item(item: Any) -> Any:
    """A record as the reading holds it; any other value as it is."""
    return item.model_dump() if isinstance(item, BaseModel) else item


def plain_items(value: Any) -> Any:
    """A value or, of a list, each of its elements as the reading holds them."""
    return [plain_item(item) for item in value] if isinstance(value, list) else plain_item(value)
