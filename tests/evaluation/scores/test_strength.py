"""The strength of each leaf, over two letters with gold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extractor.evaluation.scores.strength import LeafStrength, measure_strength
from tests.support.imr import IMR, bundled, gold

NAMES = ("dwc-2014-000", "partly-authorized")


def strength(*kinds: str) -> dict[str, LeafStrength]:
    planters = {kind: IMR.planters[kind] for kind in kinds}
    return measure_strength(replace(IMR, planters=planters), [(bundled(name), gold(name)) for name in NAMES])


def test_each_leaf_with_its_level_its_mistakes_and_what_nobody_checks() -> None:
    pytest.importorskip("scipy")
    leaves = strength("enum_flipped", "verdict_cut_at_its_start")
    decisions = sum(len(gold(name)["decisions"]) for name in NAMES)
    outcome = leaves["decisions/outcome"]
    assert (outcome.protected, dict(outcome.levels), outcome.silent) == (True, {"place": decisions}, 0)
    assert outcome.planted >= decisions
    assert outcome.bounds[0] == 0
    assert 0 < outcome.bounds[1] < 1
    assert leaves["decisions/verdict"].planted > 0
    assert leaves["decisions/treatment_category"].planted == 0
    assert "reason_quote" in leaves["decisions/reason"].unchecked
    assert leaves["decisions/treatment_category"].unchecked
    assert sum(leaf.false_alarms for leaf in leaves.values()) == 0


@pytest.mark.slow
def test_a_check_that_is_gone_lets_mistakes_pass_in_silence() -> None:
    """A reader without a view of the outcome cannot know that one is flipped."""

    def blind(letter):  # type: ignore[no-untyped-def]
        reading = IMR.read(letter)
        blocks = [
            replace(block, facts={name: fact for name, fact in block.facts.items() if name != "outcome"})
            for block in reading.root.blocks["decisions"]
        ]
        return replace(reading, root=replace(reading.root, blocks={**reading.root.blocks, "decisions": blocks}))

    planters = {"enum_flipped": IMR.planters["enum_flipped"]}
    kind = replace(IMR, read=blind, rules={}, planters=planters)
    outcome = measure_strength(kind, [(bundled(name), gold(name)) for name in NAMES])["decisions/outcome"]
    assert outcome.silent == outcome.planted > 0
    assert set(outcome.levels) == {"nothing"}
