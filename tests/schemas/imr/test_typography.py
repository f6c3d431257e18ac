"""The same letter in other characters: the same values, the same verdict, the same mistakes caught."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pytest

from extractor.letters.letter import Letter, find_letters, letter_from_text, letters_in
from extractor.letters.spans import fold
from extractor.lettertypes.reading import Reading
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import GOLD, IMR, bundled, gold
from tests.support.typography import CHANGES, retyped

CASES = Path(__file__).parent / "cases" / "typography"
# Warnings on the characters themselves.
OF_CHARACTERS = {"odd_control", "odd_invisible", "odd_script"}
LETTER_IDS = sorted(path.stem for path in GOLD.glob("*.json"))


def values(reading: Reading) -> Any:
    """What was read, whatever characters the values are printed in."""
    return plain(json.loads(fill(IMR.schema, reading.root).model_dump_json()))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return fold(value) if isinstance(value, str) else value


def findings(reading: Reading, answer: Any) -> set[tuple[str, str, str]]:
    verdict = check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), reading)
    return {(f.code, f.path, f.severity) for f in verdict.findings if f.code not in OF_CHARACTERS}


def same_letter(letter: Letter, text: str) -> Letter:
    assert text != letter.text
    return letter_from_text(text, letter_id=letter.id)


@pytest.mark.parametrize("letter_id", LETTER_IDS)
@pytest.mark.sample(8)
def test_a_letter_in_other_characters_is_the_same_letter(letter_id: str) -> None:
    letter = bundled(letter_id)
    true, known = gold(letter_id), IMR.read(letter)
    seed = LETTER_IDS.index(letter_id)
    kind = list(CHANGES)[seed % len(CHANGES)]
    for text in (retyped(letter.text, seed, kind), retyped(letter.text, seed), retyped(letter.text, seed, *CHANGES)):
        reading = IMR.read(same_letter(letter, text)) if text != letter.text else known
        assert values(reading) == values(known)
        assert findings(reading, true) == findings(known, true)
        assert findings(reading, in_other_characters(true, seed)) == findings(known, true)


def in_other_characters(answer: Any, seed: int) -> Any:
    """The words of an answer as a model may copy them; dates and categories stay what they are."""
    if isinstance(answer, dict):
        return {
            name: inner if "date" in name or name in FIXED else in_other_characters(inner, seed)
            for name, inner in answer.items()
        }
    if isinstance(answer, list):
        return [in_other_characters(inner, seed) for inner in answer]
    if not isinstance(answer, str):
        return answer
    # Common dashes and blanks; invisible and disguised characters are an error of the answer.
    random, kinds = Random(seed), {" ": " \u00a0\u2009\u202f", "-": "-\u2010\u2011\u2012\u2013\u2014"}
    return "".join(random.choice(kinds.get(each, each)) for each in answer)


FIXED = {"outcome", "source", "basis", "sex", "treatment_category", "reason", "application_received"}


@pytest.mark.parametrize("letter_id", LETTER_IDS)
@pytest.mark.sample(5)
def test_mistakes_in_a_letter_of_other_characters_are_caught(letter_id: str) -> None:
    letter, random = bundled(letter_id), Random(letter_id)
    reading = IMR.read(same_letter(letter, retyped(letter.text, 7, *CHANGES)))
    every = list(chain.from_iterable(planter(gold(letter_id), reading) for planter in IMR.planters.values()))
    every = [mistake for mistake in every if not mistake.paths[0].endswith("/rationale_pages")]  # may be uncertain
    missed = []
    for mistake in random.sample(every, min(20, len(every))):
        verdict = check(IMR, IMR.schema.model_validate_json(json.dumps(mistake.answer)), reading)
        caught = any(f.severity == "error" and f.code in mistake.codes for f in verdict.findings)
        missed += [] if caught else [(mistake.paths[0], sorted(mistake.codes))]
    assert missed == []


# ---- small inputs ------------------------------------------------------------------------------------


def case(name: str) -> Reading:
    [file] = find_letters([CASES / name])
    [(_, letter)] = letters_in(file, IMR.starts)
    assert isinstance(letter, Letter)
    return IMR.read(letter)


@pytest.mark.parametrize(
    ("name", "control"),
    [
        ("fullwidth_half.txt", "plain-control.html"),
        ("nbsp.txt", "plain-control.html"),
        ("soft-hyphen-in-label.txt", "plain-control.html"),
        ("zwsp-in-page-range.txt", "plain-control.html"),
        ("emoji-crlf.txt", "plain-control.html"),
        ("hyphenated.html", "plain-control.html"),
        ("softhyphen.pdf", "plain-control.html"),
        ("ligatures.pdf", "plain-control.html"),
        ("nbhyphen-2011.pdf", "control.pdf"),
        ("case-number-nbhyphen.txt", "control.pdf"),
    ],
)
def test_a_file_in_other_characters_reads_like_its_control(name: str, control: str) -> None:
    assert values(case(name)) == values(case(control))


def answers(name: str) -> Iterator[Any]:
    for line in (CASES / name).read_text("utf-8").splitlines():
        yield json.loads(line)["answer"]


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("*.jsonl")))
def test_right_answers_are_accepted_and_wrong_ones_refused(name: str) -> None:
    stem, right = name.removesuffix(".jsonl").replace("-right", ".right").replace("-wrong", ".wrong").split(".")
    [answer] = answers(name)
    errors = {finding for finding in findings(case(f"{stem}.txt"), answer) if finding[2] == "error"}
    assert bool(errors) == (right == "wrong")


def test_accents_read_alike_composed_or_not() -> None:
    reading = case("nfd.txt")
    title = reading.root.blocks["decisions"][2].blocks["claims_administrator"][0].blocks["citations"][0].facts["title"]
    assert "sympt\u00f4mes" in title.value
    assert "sympto\u0302mes" in title.spans[0].of(reading.letter.text)
