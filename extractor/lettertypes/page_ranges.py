"""Page ranges: one class for every letter type, and their plain JSON form ``{"first": 177, "last": 179}``."""

from __future__ import annotations

from typing import Annotated, Any, TypeGuard

from pydantic import Field

from extractor.lettertypes.evidence import StrictModel

PageNumber = Annotated[int, Field(ge=1, le=9999)]
_KEYS = frozenset({"first", "last"})


class PageRange(StrictModel):
    """Cited pages of a guideline, inclusive; a single page has first = last."""

    first: PageNumber
    last: PageNumber

    def __str__(self) -> str:
        return page_range_text(self.model_dump())


def is_page_range(value: Any) -> TypeGuard[dict[str, int]]:
    """Whether a plain JSON value is a page range."""
    return isinstance(value, dict) and value.keys() == _KEYS


def page_range_text(value: dict[str, int], dash: str = "-") -> str:
    """``177-179``, or ``301`` for a single page."""
    first, last = value["first"], value["last"]
    return str(first) if first == last else f"{first}{dash}{last}"


def pages_in(value: dict[str, int]) -> range:
    """The pages of a range; none if it ends before it begins."""
    return range(value["first"], value["last"] + 1)
