"""What planters share: a correct answer with one value changed, and its decisions, page lists and dates one by one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from extractor.lettertypes.lettertype import Mistake

Answer = Mapping[str, Any]
SIDES = ("claims_administrator", "maximus")
LIST = frozenset({"list_item_missing", "list_item_extra", "list_order"})
VALUE = frozenset({"value_differs", "not_in_text", "not_stated", "imr_ur_date_before_injury"})
RECORD = frozenset({"record_missing", "record_extra", "record_doubled", "record_order"})
CUT = frozenset({"quote_cut", "quote_too_short", "not_in_text"})
NULL = frozenset({"null_but_stated", "list_item_missing"})


def changed(answer: Answer, path: str, value: Any, codes: frozenset[str], *also: str) -> Mistake:
    """A copy of ``answer`` with ``value`` at the JSON pointer ``path``."""
    made = copy.deepcopy(dict(answer))
    *way, last = path.split("/")[1:]
    place: Any = made
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return Mistake(made, (path, *also), codes)


def decisions(answer: Answer) -> Iterator[tuple[str, dict[str, Any], int]]:
    for i, one in enumerate(answer["decisions"]):
        yield f"/decisions/{i}", one, i


def page_lists(answer: Answer) -> Iterator[tuple[str, list[dict[str, int]], dict[str, Any]]]:
    """(path, pages, citation) of every citation of every paragraph."""
    for path, one, _ in decisions(answer):
        for side in SIDES:
            for k, citation in enumerate(one[side]["citations"]):
                yield f"{path}/{side}/citations/{k}/pages", citation["pages"], citation


def single(page: int) -> dict[str, int]:
    return {"first": page, "last": page}


DATES = (
    "/header/date_assigned", "/header/date_of_injury", "/header/decision_date", "/header/ur_denial_date",
    "/header/application_received", "/worker/date_of_injury", "/ur_date",
)  # fmt: skip


def dates(answer: Answer) -> Iterator[tuple[str, date]]:
    for path in DATES:
        value: Any = answer
        for step in path.split("/")[1:]:
            value = value[step]
        if value:
            yield path, date.fromisoformat(value)
