"""Page ranges by example."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from extractor.display.values import value_text
from extractor.lettertypes.page_ranges import PageRange, is_page_range, page_range_text, pages_in
from tests.support.imr import IMR


@pytest.mark.parametrize(
    ("first", "last", "text", "pages"),
    [(301, 301, "301", [301]), (177, 179, "177-179", [177, 178, 179]), (9, 7, "9-7", []), (9999, 9999, "9999", [9999])],
)
def test_a_range(first: int, last: int, text: str, pages: list[int]) -> None:
    value = {"first": first, "last": last}
    assert str(PageRange(**value)) == page_range_text(value) == text
    assert value_text(value) == text.replace("-", "\u2013")
    assert list(pages_in(value)) == pages
    assert is_page_range(value)


@pytest.mark.parametrize("value", [{}, {"first": 1}, {"first": 1, "last": 2, "of": 3}, [1, 2], None, "1-2"])
def test_what_is_none(value: Any) -> None:
    assert not is_page_range(value)


@pytest.mark.parametrize("value", [{"first": 0, "last": 1}, {"first": 1, "last": 10_000}, {"first": "1", "last": 1}])
def test_what_the_schema_refuses(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PageRange.model_validate(value)


def test_the_imr_schema_uses_it() -> None:
    assert IMR.json_schema["$defs"]["PageRange"] == PageRange.model_json_schema()
