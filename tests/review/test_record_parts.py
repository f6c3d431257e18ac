"""Which parts of a long record are folded."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from extractor.review.fields import Group, NumberedFinding, RecordView


def group(number: int, flagged: str) -> Group:
    finding = NumberedFinding(
        0, "code", flagged, "answer", "", "", "", ("", ""), "", f"/many/{number}", None, takes=False
    )
    return Group(f"/many/{number}", f"many {number}", "", 1, (), (finding,) if flagged else ())


@pytest.mark.parametrize(
    ("count", "flagged", "is_open"),
    [
        (8, {3: "error"}, range(8)),
        (9, {3: "error"}, [3]),
        (9, {3: "error", 5: "warning"}, [3, 5]),
        (9, {3: "error", 5: "info"}, [3]),
        (9, {}, range(9)),
        (9, {5: "info"}, range(9)),
    ],
)
def test_parts_without_findings_are_folded_where_others_have_some(
    count: int, flagged: dict[int, str], is_open: Iterable[int]
) -> None:
    groups = []
    for number in range(count):
        groups += [
            group(number, ""),
            Group(f"/many/{number}/side", "side", "", 2, (), group(0, flagged.get(number, "")).findings),
        ]
    view = RecordView((), tuple(groups))
    assert [part.number for part in view.parts if part.is_open] == list(is_open)
    assert view.has_many_parts == (count > 8)
    assert all(len(part.groups) == 2 for part in view.parts)
