"""The measure of the validator: what it is held to, and that it can fail."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extractor.gold import load_gold
from extractor.letter import Letter
from extractor.planted import measure
from extractor.reading import Block, Reading
from tests.imr import GOLD, IMR, LETTERS, ROOT, imr_letter
from tests.toy import cli

PAIRS = [(pair.letter, pair.answer) for pair in load_gold(LETTERS, GOLD, IMR)]


def test_every_mistake_planted_in_gold_is_caught_at_its_place() -> None:
    report = measure(IMR, PAIRS)
    assert {kind: tally.missed for kind, tally in report.kinds.items() if tally.missed} == {}
    assert report.false_alarms == []
    assert report.letter_errors == ["dwc-2014-002 /decisions/1/maximus/citations/0/pages/1 imr_page_outside_chapter"]
    assert report.planted > 600
    right, planted = report.protected
    assert right == planted > 300
    # Two kinds need mixed outcomes or digits in a quote, which these five letters do not have.
    empty = {kind for kind, tally in report.kinds.items() if not tally.planted}
    assert empty == {"outcome_of_another_decision", "quote_with_a_changed_digit"}


def test_a_validator_that_is_sure_of_nothing_is_found_out() -> None:
    def unsure(letter: Letter) -> Reading:
        reading = IMR.read(letter)
        return replace(reading, root=_unsure(reading.root))

    report = measure(replace(IMR, read=unsure, rules={}), PAIRS, kinds=["outcome_flipped", "age_changed"])
    assert [(tally.planted > 0, tally.right) for tally in report.kinds.values()] == [(True, 0), (True, 0)]


def _unsure(block: Block) -> Block:
    return replace(
        block,
        facts={name: replace(fact, certain=False) for name, fact in block.facts.items()},
        blocks={name: [_unsure(each) for each in blocks] for name, blocks in block.blocks.items()},
    )


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text(imr_letter(), "utf-8")
    words = ("eval", "planted", "--kind", "outcome_flipped", "--baseline", tmp_path, "--workspace", ROOT)
    told = cli(*words, "--json")
    assert told.code == 0
    report = json.loads(told.out)
    assert (report["gold"], report["baseline"], report["planted"], report["caught_right"]) == (5, 1, 11, 11)
    assert "11 mistakes planted, 11 caught" in cli(*words).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "nonsense"], "no kind 'nonsense'"),
        (["--baseline", "nowhere"], "no such file or folder"),
    ],
)
def test_wrong_usage(words: list[str], said: str) -> None:
    ran = cli("eval", "planted", "--workspace", ROOT, *words)
    assert ran.code == 2
    assert said in ran.err
