"""Where a decision's heading begins: right, or not certain; never wrong and certain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.reading import Block, Reading
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import IMR, TOOLS, decision, doubled, imr_letter, on_one_line, read, without_blank_lines

CASES = Path(__file__).parent / "cases" / "headings"
EVERY_TOOL = [*TOOLS, on_one_line]

ASKED = "Ten visits of aquatic therapy for the left ankle was the original request."
GIVEN = "Four visits of aquatic therapy was authorized by the Claims Administrator."
LEFT = "The remaining IMR eligible portion of the original request, six visits of aquatic therapy"
FORMULA = f"{ASKED} {GIVEN} {LEFT}"
SECOND = (
    "The Claims Administrator authorized an evaluation, leaving the original request IMR eligible. "
    "The original request, a day program"
)
VERDICT = "The remaining six visits are not medically necessary."


def wrapped(text: str, width: int = 95) -> str:
    """Each paragraph broken into lines, as letters are printed."""
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def _wrapped_line(line: str, width: int) -> str:
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\n".join(lines)


def headings(reading: Reading) -> list[tuple[str, bool]]:
    return [(block.facts["item"].value, block.facts["item"].certain) for block in reading.root.blocks["decisions"]]


def letter(rationale: str, *following: str, first: str = f"{FORMULA} is") -> str:
    brace = [decision(each, "Overturned", rationale="The request is medically necessary.") for each in following]
    return wrapped(imr_letter(decision(first, rationale=rationale), *brace))


# Each: the rationale of the first decision, and the headings behind it. All are read for certain.
RATIONALES = {
    "no repeat": (VERDICT, ["Lace-up ankle brace, left"]),
    "the formula once": (f"Requested treatment: {FORMULA}, is not medically necessary. {VERDICT}", ["Lace-up ankle brace"]),
    "the formula twice": (f"{FORMULA}, is asked for. He walks. {FORMULA}, fails. {VERDICT}", ["Lace-up ankle brace"]),
    "the formula three times": (f"{FORMULA}, is one. {FORMULA}, is two. {FORMULA}, is three. {VERDICT}", ["Brace"]),
    "the formula at the end": (f"He walks well. {FORMULA}, is not medically necessary.", ["Lace-up ankle brace"]),
    "its second wording": (f"{SECOND}, is not medically necessary. {VERDICT}", ["Lace-up ankle brace"]),
    "before another formula": (f"{FORMULA}, is not medically necessary. {VERDICT}", [f"{FORMULA} of the right ankle is"]),
    "before its second wording": (f"{FORMULA}, is not medically necessary. {VERDICT}", [f"{SECOND} is"]),
    "second wording before it": (f"{SECOND}, is not medically necessary.", [f"{FORMULA} is"]),
    "many headings": (f"{FORMULA}, is asked for. {VERDICT}", ["Brace", f"{SECOND} is", "Labs: EKG", f"{FORMULA} is"]),
    "an abbreviation in the heading": (VERDICT, ["Follow-up with Dr. Smith, vs. a walk-in visit"]),
    "a decimal and a count": (VERDICT, ["Norco 7.5/325 mg #60, day supply: 30"]),
}  # fmt: skip


@pytest.mark.parametrize("tool", EVERY_TOOL)
@pytest.mark.parametrize("kind", RATIONALES)
def test_a_formula_in_a_rationale_is_no_heading(kind: str, tool: Callable[[str], str]) -> None:
    rationale, following = RATIONALES[kind]
    assert headings(read(tool(letter(rationale, *following)))) == [
        (f"{FORMULA} is", True),
        *((each, True) for each in following),
    ]


@pytest.mark.parametrize("tool", EVERY_TOOL)
@pytest.mark.parametrize("kind", RATIONALES)
def test_a_heading_behind_its_rationale_on_one_line(kind: str, tool: Callable[[str], str]) -> None:
    rationale, following = RATIONALES[kind]
    text = letter(rationale, *following).replace(
        f"{rationale[-20:]}\n\n{following[0][:10]}", f"{rationale[-20:]} {following[0][:10]}"
    )
    assert [item for item, _ in headings(read(tool(text)))] == [f"{FORMULA} is", *following]


def page_break(text: str) -> str:
    """A page's end in the middle of the formula and of the next heading."""
    return text.replace("was the original", "was\n\n\n\nthe original").replace("Lace-up ankle", "Lace-up\n\n\fankle")


# What text and tools may do; the reading must be right or uncertain.
DAMAGES: dict[str, Callable[[str], str]] = {
    "no full stop at the end": lambda text: text.replace(VERDICT, VERDICT.rstrip(".")),
    "no full stop, no blank lines": lambda text: without_blank_lines(text.replace(VERDICT, VERDICT.rstrip("."))),
    "no full stop, one line": lambda text: on_one_line(text.replace(VERDICT, VERDICT.rstrip("."))),
    "a page break inside": page_break,
    "doubled twice": lambda text: doubled(doubled(text)),
    "a line for each word": lambda text: "\n".join(text.split()),
    "blank lines everywhere": lambda text: text.replace("\n", "\n\n"),
    "blank lines nowhere but before the heading": lambda text: without_blank_lines(text).replace("\nLace", "\n\nLace"),
    "a small first letter": lambda text: text.replace("Lace-up", "lace-up"),
    "no verdict": lambda text: text.replace(VERDICT, "Four suffice."),
    "a phrase before the heading": lambda text: text.replace(VERDICT, f"{VERDICT} Six visits."),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["the formula once", "the formula twice", "second wording before it", "no repeat"])
def test_a_damaged_letter_is_read_right_or_not_for_certain(kind: str, damage: str) -> None:
    rationale, following = RATIONALES[kind]
    text = DAMAGES[damage](letter(f"{rationale} {VERDICT}", *following))
    found = headings(read(text))
    true = [f"{FORMULA} is", *following]
    wrong = [item for item, certain in found if certain and item.casefold() not in {each.casefold() for each in true}]
    assert wrong == []
    if len(found) < len(true):
        assert any(odd.severity == "error" for odd in read(text).oddities)


@pytest.mark.parametrize(
    "heading",
    [
        "The request is not medically necessary. Brace",
        "See the Claims Administrator guideline, brace",
        " ".join(["brace"] * 90),
        " ".join(["brace"] * 400),
    ],
)
def test_what_cannot_be_a_heading_is_not_certain(heading: str) -> None:
    text = imr_letter(decision(heading), decision("Last one"))
    first, last = headings(read(text))
    assert first[0] != heading or not first[1]
    assert last == ("Last one", True)


def test_a_decision_without_a_rationale_is_not_certain() -> None:
    text = imr_letter(decision("First"), decision("Second").replace("Decision rationale:", "Reasons."))
    assert headings(read(text)) == [("First", True), ("Second", False)]


# ---- what becomes of an uncertain heading ---------------------------------------------------------------

# The layout says "brace", the sentence says more: neither is certain.
OPEN = letter(VERDICT.rstrip("."), "Lace-up ankle brace, left")


def _decisions(text: str) -> list[Block]:
    return list(read(text).root.blocks["decisions"])


def _findings(text: str, change: Callable[[dict[str, Any]], Any]) -> list[tuple[str, str, str]]:
    reading = IMR.read(letter_from_text(text, letter_id="built"))
    answer = json.loads(fill(IMR.schema, reading.root).model_dump_json())
    change(answer)
    found = check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), reading).findings
    return [(finding.code, finding.path, finding.blame) for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("item", ["Lace-up ankle brace, left", f"{VERDICT.rstrip('.')} Lace-up ankle brace, left"])
def test_an_uncertain_heading_goes_to_a_person_and_blames_nobody(item: str) -> None:
    def change(answer: dict[str, Any]) -> None:
        answer["decisions"][1]["item"] = item
        answer["decisions"][0]["verdict"] = VERDICT.rstrip(".")

    found = _findings(OPEN, change)
    assert ("imr_heading_unclear", "/decisions/1/item", "unclear") in found
    assert {blame for _, _, blame in found} == {"unclear"}


def test_the_text_before_an_uncertain_heading_is_not_certain() -> None:
    before = _decisions(OPEN)[0]
    assert not before.facts["verdict"].certain
    assert not before.facts["rationale_pages"].certain


@pytest.mark.parametrize("tool", EVERY_TOOL)
@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("*.txt")))
def test_small_inputs_that_were_read_wrong(name: str, tool: Callable[[str], str]) -> None:
    text = tool((CASES / name).read_bytes().decode())
    asked = (
        "Ten visits of aquatic therapy for the left ankle was the original request. Four visits of aquatic therapy "
        "for the left ankle was authorized by the Claims Administrator. The remaining IMR eligible portion of the "
        "original request, six visits of aquatic therapy for the left ankle is"
    )
    assert headings(read(text)) == [(asked, True), ("Lace-up ankle brace, left", True)]
    assert [block.facts["disputed_portion"].value for block in _decisions(text)] == [
        "six visits of aquatic therapy for the left ankle", None,
    ]  # fmt: skip
    assert _findings(text, lambda answer: None) == []
