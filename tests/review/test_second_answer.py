"""What a second model answered is shown beside the value it was asked about."""

from __future__ import annotations

import re
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
    html = page(tmp_path, second)
    witnesses = html.partition('<dl class="witnesses"')[2].partition("</dl>")[0]
    rows = [" ".join(re.sub("<[^>]+>", " ", each).split()) for each in witnesses.split("</div>")[:-1]]
    assert [row.removeprefix('aria-label="Who says what"> ') for row in rows] == [
        "openai/toy lost",
        "the reading delivered",
        "openai/other &lt;b&gt;delivered Take it",
    ]


def test_one_answer_alone(tmp_path: Path) -> None:
    assert 'class="witnesses"' not in page(tmp_path, None)


def test_the_second_models_value_is_taken(tmp_path: Path) -> None:
    second = SecondAnswer("openai/other", answer={}, values={"/parcels/0/state": "delivered"})
    page(tmp_path, second)
    desk = desk_of(tmp_path)
    [entry] = [each for each in desk.queue.entries if each.letter_id == "blue"]
    reviewed = desk.letter_of(entry)
    act = desk.act(
        reviewed, {"act": "take", "from": "openai/other", "path": "/parcels/0/state", "version": reviewed.version}
    )
    assert (act.act, act.new, act.source) == ("correct", "delivered", "openai/other")
