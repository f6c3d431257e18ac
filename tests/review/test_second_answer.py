"""What a second model answered is shown beside the value it was asked about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from extractor.review.pages import letter_page
from extractor.review.queue import Query
from extractor.runs.record import SecondAnswer
from tests.support.reviews import desk_of, lost, record_of, store, write_run


def page(root: Path, second: SecondAnswer | None) -> str:
    out = write_run(root, {"blue": lost})
    store(out, replace(record_of(out, "blue"), second=second))
    desk = desk_of(root)
    [entry] = [each for each in desk.queue.entries if each.letter_id == "blue"]
    return letter_page(desk, desk.letter_of(entry), Query()).html


def test_both_answers_are_displayed_side_by_side(tmp_path: Path) -> None:
    second = SecondAnswer("openai/other", answer={}, values={"/parcels/0/state": "<b>delivered"})
    assert page(tmp_path, second).count("openai/other answered &lt;b&gt;delivered") == 1


def test_one_answer_alone(tmp_path: Path) -> None:
    assert "answered" not in page(tmp_path, None)
