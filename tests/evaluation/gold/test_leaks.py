"""Whether a prompt holds words of the letters it is scored on."""

from __future__ import annotations

import pytest

from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.gold.leaks import find_leaks
from extractor.letters.letter import LetterFile, letter_from_text

LETTER = """The claimant slipped on a wet loading dock in March and fell onto \nthe left hip. The Claims
Administrator did not base their decision on the MTUS. A walker was asked for."""
GOLD = [Gold(LetterFile("hip", None), letter_from_text(LETTER, letter_id="hip"), {})]
FORM = ["did not base their decision on the MTUS"]

PROMPTS = [
    ("words of its own", "Read the letter and fill the schema; copy words as printed, and never guess.", None),
    ("seven words in a row", "Such as: slipped on a wet loading dock in", None),
    (
        "eight words in a row",
        "Such as: slipped on a wet loading dock in March.",
        "slipped on a wet loading dock in march",
    ),
    (
        "over a line break, in capitals, with other punctuation",
        "DOCK IN MARCH, AND FELL ONTO THE LEFT HIP",
        "dock in march and fell onto the left hip",
    ),
    ("a phrase of the form", "Some say: did not base their decision on the MTUS.", None),
    (
        "a phrase of the form with the letter's words behind it",
        "their decision on the MTUS. A walker was asked for.",
        "their decision on the mtus a walker was asked for",
    ),
]


@pytest.mark.parametrize(("what", "prompt", "leak"), PROMPTS, ids=[row[0] for row in PROMPTS])
def test_runs_of_a_letters_words(what, prompt, leak):
    found = find_leaks({"p@v1": prompt}, GOLD, FORM)
    assert [(one.prompt, one.letter_id, one.words) for one in found] == ([("p@v1", "hip", leak)] if leak else [])


def test_two_runs_of_one_letter_are_told_apart():
    prompt = f"{LETTER[:70]} ... and then ... {LETTER[-60:]}"
    assert len(find_leaks({"p@v1": prompt}, GOLD)) == 2
