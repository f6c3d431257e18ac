"""Headings and labels as no form has them: a true answer is never blamed, a wrong one never accepted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import Finding, status_of
from extractor.lettertypes.reading import Reading
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import IMR, as_it_is, decision, imr_letter, unwrapped, without_blank_lines

BRACE = "Lace-up ankle brace, left"
HEADING = f"{BRACE}: Overturned"
WEIGHED = "Four visits suffice to teach a program. The remaining six visits are not medically necessary."
GRANTED = "The guideline supports a brace while ligaments heal. The request is medically necessary."
LETTER = imr_letter(
    decision("Aquatic therapy", rationale=WEIGHED),
    decision(BRACE, "Overturned", rationale=GRANTED),
    decision("Knee MRI"),
)
LABELS = ("Claims Administrator guideline:", "MAXIMUS guideline:", "Decision rationale:")


def _true() -> dict[str, Any]:
    reading = IMR.read(letter_from_text(LETTER, letter_id="plain"))
    return dict(json.loads(fill(IMR.schema, reading.root).model_dump_json()))


TRUE = _true()


def headed(new: str) -> str:
    """The letter with another line for the second heading."""
    return LETTER.replace(HEADING, new)


def labelled(*new: str, from_second: bool = False) -> str:
    """The letter with other labels; ``from_second``: only in the second decision."""
    before, after = LETTER.split(HEADING)
    for old, label in zip(LABELS, new, strict=True):
        before = before if from_second else before.replace(old, label)
        after = after.replace(old, label, 1 if from_second else -1)
    return before + HEADING + after


# Each is a way to print the second heading: in other letters, marked, numbered, or broken by lines and pages.
HEADINGS = [
    # capitals, no colon
    HEADING.upper(), f"{BRACE.upper()}: Overturned", f"{BRACE} Overturned", f"{BRACE} Overturned".upper(),
    f"{BRACE} - Overturned", f"{BRACE}-Overturned", f"{BRACE}, Overturned", f"{BRACE}. Overturned.", f"{BRACE} (Overturned)",
    f"{BRACE} = Overturned", f"{BRACE}\tOverturned", f"{BRACE}          Overturned", HEADING.lower(), f"{BRACE}: overturned",
    f"{BRACE} is Overturned", f"{BRACE} is overturned", f"{BRACE}: the decision is Overturned", f"{BRACE}: [X] Overturned",
    f"Overturned: {BRACE}", f"OVERTURNED\n{BRACE}", f"{BRACE}: O v e r t u r n e d", f"{BRACE}: 0verturned",
    f"{BRACE}: Partially Overturned", f"{BRACE}: Overturned in part", f"{BRACE}: Overturned (see below)",
    f"{BRACE}\nOutcome: Overturned", f"{BRACE}\nDecision: Overturned", f"{BRACE}:\n\nOverturned", f"{BRACE}\n\nOverturned",
    # numbers and names of the item
    f"2. {HEADING}", f"2 . {HEADING}", f"2) {HEADING}", f"(2) {HEADING}", f"II. {HEADING}", f"l. {HEADING}", f"B. {HEADING}",
    f"ISSUE 2 of 3: {HEADING}", f"ISSUE 2 of 3\n{HEADING}", f"ISSUE 2 of 3\n\n{HEADING}", f"Issue #2: {HEADING}",
    f"IMR Issue 2 - {HEADING}", f"Item/Service 2: {HEADING}", f"Disputed item: {HEADING}", f"Treatment request 2: {HEADING}",
    # markup
    f"**{HEADING}**", f"**{BRACE}**: Overturned", f"**{BRACE}:** Overturned", f"__{HEADING}__", f"<b>{HEADING}</b>",
    f"## {HEADING}", f"\u2022 {HEADING}", f'"{BRACE}": Overturned', f"{HEADING}\n{'-' * 30}", f"{'_' * 30}\n{HEADING}",
    # lines and pages
    "Lace-up ankle\nbrace, left: Overturned", "LACE-UP ANKLE\nBRACE, LEFT OVERTURNED", "Lace-up ankle\n\nbrace, left: Overturned",
    "Lace-up ankle\n\n\f\nbrace, left: Overturned", f"\f{HEADING}", f"Page 3\n\f{HEADING}", f"Page 3 of 5\n\n{HEADING}",
    f"Final Determination Letter for IMR Case Number CM16-0100200    3\n\f{HEADING}",
]  # fmt: skip
LETTERS = {
    **{repr(new): headed(new) for new in HEADINGS},
    "behind its rationale": LETTER.replace(f"{WEIGHED}\n\n{BRACE}", f"{WEIGHED} {BRACE}"),
    "behind its rationale, no colon": LETTER.replace(f"{WEIGHED}\n\n{HEADING}", f"{WEIGHED} {BRACE} Overturned"),
    "behind a rationale without a full stop": LETTER.replace(f"{WEIGHED}\n\n{BRACE}", f"{WEIGHED[:-1]} {BRACE}"),
    "labels in capitals": labelled(*(label.upper() for label in LABELS)),
    "labels without a colon": labelled(*(label[:-1] for label in LABELS)),
    "one decision's labels without a colon": labelled(*(label[:-1] for label in LABELS), from_second=True),
    "one decision's first label without a colon": labelled(LABELS[0][:-1], *LABELS[1:], from_second=True),
    "one decision's rationale has another label": labelled(*LABELS[:2], "Rationale:", from_second=True),
    "labels in bold": labelled(*(f"**{label}**" for label in LABELS)),
    "labels over two lines": labelled(*(label.replace(" ", "\n") for label in LABELS)),
    "labels over two pages": labelled(*(label.replace(" ", "\n\n\f\n") for label in LABELS)),
    "sections in small letters": LETTER.replace("CLINICAL CASE SUMMARY", "Clinical Case Summary:")
    .replace("HOW THE IMR FINAL DETERMINATION WAS MADE", "How the IMR Final Determination Was Made")
    .replace("IMR ISSUES, DECISIONS AND RATIONALES", "IMR Issues, Decisions and Rationales"),
}


def _read(text: str) -> Reading:
    return IMR.read(letter_from_text(text, letter_id="built"))


def _findings(reading: Reading, answer: dict[str, Any]) -> list[Finding]:
    return check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), reading).findings


def _as_printed(text: str) -> dict[str, Any]:
    """The true answer, its second item in the case in which this letter prints it."""
    answer = copy.deepcopy(TRUE)
    flat = " ".join(text.split())
    answer["decisions"][1]["item"] = next(
        (item for item in (BRACE, BRACE.upper(), BRACE.lower()) if item in flat), BRACE
    )
    if WEIGHED not in flat:
        answer["decisions"][0]["verdict"] = TRUE["decisions"][0]["verdict"].rstrip(".")
    return answer


@pytest.mark.parametrize(
    "tool",
    [
        as_it_is,
        pytest.param(unwrapped, marks=pytest.mark.slow),
        pytest.param(without_blank_lines, marks=pytest.mark.slow),
    ],
)
def test_no_look_alike_blames_a_true_answer_or_passes_a_wrong_one(tool: Callable[[str], str]) -> None:
    blamed, passed = {}, []
    for name, text in LETTERS.items():
        reading, answer = _read(tool(text)), _as_printed(text)
        if found := [
            (f.code, f.path) for f in _findings(reading, answer) if f.severity != "info" and f.blame == "answer"
        ]:
            blamed[name] = found
        flipped, cut, dropped = (copy.deepcopy(answer) for _ in range(3))
        flipped["decisions"][1]["outcome"] = "upheld"
        cut["decisions"][1]["item"] = answer["decisions"][1]["item"].rsplit(" ", 1)[0]
        del dropped["decisions"][1]
        passed += [
            (name, wrong) for wrong in (flipped, cut, dropped) if status_of(_findings(reading, wrong)) == "accepted"
        ]
    assert (blamed, passed) == ({}, [])


def test_the_plain_letter_is_accepted_and_each_mistake_in_it_blamed() -> None:
    assert _findings(_read(LETTER), TRUE) == []
    wrong = copy.deepcopy(TRUE)
    wrong["decisions"].append({**TRUE["decisions"][1], "item": "A second brace"})
    assert [(f.code, f.blame) for f in _findings(_read(LETTER), wrong)] == [("record_extra", "answer")]


def test_a_line_break_in_an_answered_value_is_a_blank() -> None:
    broken = copy.deepcopy(TRUE)
    broken["decisions"][1]["item"] = "Lace-up ankle\nbrace,  left"
    assert _findings(_read(LETTER), broken) == []
