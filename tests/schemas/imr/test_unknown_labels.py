"""Labels that are not the form's: what stands behind them is never silence, and no true answer is blamed for it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.lettertypes.findings import status_of
from extractor.validator.checks import check
from tests.support.imr import IMR, bundled, gold

PARTLY, MIXED = "partly-authorized", "mixed-outcomes"


def outcome(letter_id: str, change: tuple[str, str], answer: dict[str, Any]) -> tuple[str, set[str]]:
    """The status of an answer to a changed letter, and the paths at which the answer is blamed."""
    text = bundled(letter_id).text
    changed = re.sub(change[0], change[1], text)
    assert changed != text
    filled = IMR.schema.model_validate_json(json.dumps(answer))
    found = check(IMR, filled, IMR.read(letter_from_text(changed, letter_id=letter_id))).findings
    blamed = {f.path for f in found if f.severity == "error" and f.blame == "answer"}
    return status_of(found), blamed


def without(letter_id: str, *path: str) -> dict[str, Any]:
    """The true answer with null, or an empty list, at a path."""
    answer = gold(letter_id)
    place: Any = answer
    for step in path[:-1]:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[path[-1]] = [] if isinstance(place[path[-1]], list) else None
    return answer


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ((r"UR Denial Date:", "UR Decision Date:"), "ur_denial_date"),
        ((r"UR Denial Date:", "Non-Certified On:"), "ur_denial_date"),
        ((r"Decision Date:", "Date of Decision:"), "decision_date"),
        ((r"Date of Injury:", "DOI:"), "date_of_injury"),
        ((r"Date Assigned:", "Assigned"), "date_assigned"),
        ((r"(Date Assigned|Date of Injury|Decision Date|UR Denial Date|Priority|Case Number):", r"\1"), "decision_date"),
        ((r"(Date Assigned|Date of Injury|Decision Date|UR Denial Date|Priority|Case Number):", r"\1 |"), "date_assigned"),
    ],
)  # fmt: skip
def test_a_date_behind_another_label_of_the_header(change: tuple[str, str], field: str) -> None:
    assert outcome(PARTLY, change, gold(PARTLY)) == ("needs_review", set())
    status, _ = outcome(PARTLY, change, without(PARTLY, "header", field))
    assert status == "needs_review", "a null for a date that is printed"


@pytest.mark.parametrize("heading", ["CASE SUMMARY", "Summary of the records"])
def test_a_summary_under_another_heading(heading: str) -> None:
    change = ("CLINICAL CASE SUMMARY", heading)
    assert outcome(PARTLY, change, gold(PARTLY)) == ("needs_review", set())
    assert outcome(PARTLY, change, without(PARTLY, "ur_date"))[0] == "needs_review"


@pytest.mark.parametrize(
    ("letter_id", "change"),
    [
        (PARTLY, ("MAXIMUS guideline:", "IMR guideline:")),
        (PARTLY, ("MAXIMUS guideline:", "MAXIMUS guideline")),
        (MIXED, ("Decision rationale:", "Rationale:")),
        (MIXED, ("Decision rationale:", "Decision rationale")),
        # Statements in other words, beside one in the form's.
        (MIXED, ("Decision based on MTUS", "Decision based upon MTUS")),
        (MIXED, ("Decision based on MTUS", "Based on the MTUS")),
        (PARTLY, (r"Section\(s\):", "Sec.")),
        # Pages under another word.
        (MIXED, (r"Page\(s\):", "at")),
        (MIXED, (r"Page\(s\):", "Seite")),
    ],
)
def test_guideline_paragraphs_under_other_labels(letter_id: str, change: tuple[str, str]) -> None:
    assert outcome(letter_id, change, gold(letter_id)) == ("needs_review", set())


HEADING = r"(?m)^([^\n]{3,200}: *(?:Upheld|Overturned))(?= *$)"


@pytest.mark.parametrize("mark", ["1. ", "#2 ", "\u2022 ", "- ", "## ", "> ", '"', "Issue 3: ", "Disputed item 1 - "])
def test_a_mark_before_a_heading(mark: str) -> None:
    """Whether it belongs to the item is for a person; neither form is blamed."""
    assert outcome(MIXED, (HEADING, mark + r"\1"), gold(MIXED)) == ("needs_review", set())


@pytest.mark.parametrize("label", ["Outcome", "Decision", "Determination"])
def test_an_outcome_with_a_label_of_its_own(label: str) -> None:
    change = (r"(?m):\s*(Upheld|Overturned)(?= *$)", rf"\n{label}: \1")
    assert outcome(MIXED, change, gold(MIXED)) == ("needs_review", set())


@pytest.mark.parametrize("title", ["Low Back Complaints 2004", "ACOEM Chapter 12", "9792.24.2", "Version 21.0"])
def test_a_title_that_ends_in_a_number_of_its_own_is_certain(title: str) -> None:
    text = bundled(MIXED).text.replace("Page(s):", "").replace("ACOEM Chapter 12", title, 1)
    sides = [
        side
        for decision in IMR.read(letter_from_text(text, letter_id="m")).root.blocks["decisions"]
        for name in ("claims_administrator", "maximus")
        for side in decision.blocks[name]
    ]
    found = [c for side in sides for c in side.blocks["citations"] if c.facts["title"].value.endswith(title)]
    assert all(citation.facts["pages"].certain for citation in found)
