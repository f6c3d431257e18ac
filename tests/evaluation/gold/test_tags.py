"""The tags of the bundled letters, held against the letters and their gold."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.support.imr import GOLD, IMR, ROOT, bundled

TAGS: dict[str, list[str]] = tomllib.loads((ROOT / "eval/imr/sets.toml").read_text("utf-8"))["tags"]
LETTERS = sorted(path.stem for path in GOLD.glob("*.json"))
LENGTHS = {"short": range(700), "medium": range(700, 1200), "long": range(1200, 10_000)}
COUNTS = {"one-decision": range(1, 2), "two-to-five-decisions": range(2, 6), "more-than-five-decisions": range(6, 99)}
OUTCOMES = {"upheld": {"upheld"}, "overturned": {"overturned"}, "mixed": {"upheld", "overturned"}}


def test_tags_name_bundled_letters_once() -> None:
    for tag, letters in TAGS.items():
        assert letters == sorted(set(letters) & set(LETTERS)), tag


@pytest.mark.parametrize("letter_id", LETTERS)
def test_form_length_decisions_and_outcome_are_those_of_the_letter(letter_id: str) -> None:
    letter = bundled(letter_id)
    decisions = json.loads((GOLD / f"{letter_id}.json").read_text("utf-8"))["answer"]["decisions"]
    found = {tag for tag, letters in TAGS.items() if letter_id in letters}
    form = "form-" + IMR.read(letter).form.replace(" ", "-")
    assert {tag for tag in found if tag.startswith("form-")} == {form}
    words, outcomes = len(letter.text.split()), {each["outcome"] for each in decisions}
    assert found & set(LENGTHS) == {tag for tag, span in LENGTHS.items() if words in span}
    assert found & set(COUNTS) == {tag for tag, span in COUNTS.items() if len(decisions) in span}
    assert found & set(OUTCOMES) == {tag for tag, wanted in OUTCOMES.items() if wanted == outcomes}
