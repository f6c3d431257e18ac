"""``dev.py run`` ends with a sentence that is true of its table."""

from __future__ import annotations

from typing import Any

import pytest

from extractor import Extractor
from tests.support.imr import LETTERS, ROOT
from tests.support.scripts import script

dev = script("dev")


def record(letter_id: str, status: str, *blames: str) -> dict[str, Any]:
    return {
        "letter_id": letter_id,
        "status": status,
        "findings": [{"severity": "error", "blame": blame, "code": "odd"} for blame in blames],
    }


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (
            [record("a", "needs_review", "letter"), record("b", "accepted")],
            ["1 of 2 letters are flagged", "in 1 of them"],
        ),
        ([record("a", "needs_review", "letter", "unclear")], ["1 of 1 letters", "in 0 of them", "; a: odd."]),
        ([record("a", "failed"), record("b", "needs_review", "letter")], ["1 of 2 letters", "; 1 failed"]),
    ],
)
def test_the_sentence_counts_the_records(records: list[dict[str, Any]], words: list[str]) -> None:
    sentence = dev.closing_words(records)
    assert all(each in sentence for each in words)


def test_the_sentence_of_the_bundled_letters() -> None:
    with Extractor(ROOT, model="offline") as opened:
        records = [each.as_dict() for each in opened.run(LETTERS)]
    assert dev.closing_words(records) == (
        "(12 of 45 letters are flagged for a person; in 6 of them the letter itself is at fault "
        "(blame: letter); form-2013: unread; numbered-shockwave-2013: unread; numbered-shoulder-2013: unread; "
        "winter-five-requests: unread; winter-knee-mri: unread; winter-opioids: unread. `extractor run` ends with exit code 1 then.)"
    )
