"""The reference workspace's IMR letter type, its modules, and letters built for tests."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from extractor.letters.letter import Letter, letter_from_text
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import Reading
from extractor.models.offline import fill
from extractor.validator.checks import check
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = Workspace(ROOT)
IMR: LetterType = WORKSPACE.letter_type("imr")
LETTERS = ROOT / "eval" / "imr" / "letters"
GOLD = ROOT / "eval" / "imr" / "gold"
# Public letters that are not part of the project; tests that need them are skipped where they are not.
LENT = Path(os.environ.get("LETTERPROOF_LETTERS", "not-set"))


# Taken now: a test that unmounts workspaces must not make a second copy of these.
_MODULES = {
    name: importlib.import_module(f"_workspace_letterproof.schemas.imr.{name}")
    for name in ("forms", "guidelines", "reader", "verdict")
}


def module(name: str) -> ModuleType:
    """A module of the IMR letter type as the engine loaded it."""
    return _MODULES[name]


def read(text: str) -> Reading:
    return IMR.read(letter_from_text(text, letter_id="test"))


def gold(letter_id: str) -> dict[str, Any]:
    return json.loads((GOLD / f"{letter_id}.json").read_text("utf-8"))["answer"]


def bundled_ids() -> list[str]:
    return sorted(path.stem for path in GOLD.glob("*.json"))


def bundled(letter_id: str) -> Letter:
    return letter_from_text((LETTERS / f"{letter_id}.txt").read_bytes().decode(), letter_id=letter_id)


def codes(letter: Letter, answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(code, path) of every finding on an answer, information left out."""
    verdict = check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), IMR.read(letter))
    return [(finding.code, finding.path) for finding in verdict.findings if finding.severity != "info"]


def findings_on(text: str, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> list[Finding]:
    """The findings on the baseline's answer to a built letter, after a change."""
    letter = letter_from_text(text, letter_id="built")
    answer = json.loads(fill(IMR.schema, IMR.read(letter).root).model_dump_json())
    change(answer)
    return check(IMR, IMR.schema.model_validate_json(json.dumps(answer)), IMR.read(letter)).findings


# ---- built letters ---------------------------------------------------------------------------

HEADER = """
Case Number: CM16-0100200
Date Assigned: 12/05/2016 Date of Injury:  10/14/2016
Decision Date: 12/30/2016 UR Denial Date:  11/16/2016
Priority:  Standard Application
Received:
11/28/2016
"""
SUMMARY = """The injured worker is a 57 year old female, who sustained an industrial injury on 10-14-2016.
She was denied therapy before. The Utilization Review dated 11-16-16, denied the request."""
RATIONALE = "The records do not show a red flag. As such, this request is not medically necessary."
NOTHING = "The Claims Administrator did not cite any medical evidence for its decision."


def decision(
    heading: str = "Back brace",
    outcome: str = "Upheld",
    ca: str = NOTHING,
    mx: str = "Decision based on MTUS ACOEM Chapter 12 Low Back Complaints Page(s): 301.",
    rationale: str = RATIONALE,
) -> str:
    return (
        f"{heading}: {outcome}\n\nClaims Administrator guideline: {ca}\n\n"
        f"MAXIMUS guideline: {mx}\n\nDecision rationale: {rationale}\n"
    )


def imr_letter(
    *decisions: str,
    header: str = HEADER,
    credentials: str = "State(s) of Licensure: California, Arizona\nCertification(s)/Specialty: Family Practice, Surgery",
    summary: str = SUMMARY,
) -> str:
    parts = [
        header,
        "HOW THE IMR FINAL DETERMINATION WAS MADE\nMAXIMUS Federal Services sent the complete case file to an expert "
        "reviewer.\n\nThe Expert Reviewer has the following credentials:\n" + credentials,
        "CLINICAL CASE SUMMARY\nThe expert reviewer developed the following clinical case summary based on a review of "
        "the\ncase file, including all medical records:\n\n" + summary,
        "IMR ISSUES, DECISIONS AND RATIONALES\nThe Final Determination was based on decisions for the disputed "
        "items/services set forth below:",
        *(decisions or [decision()]),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


# ---- the same text as different PDF tools give it -----------------------------------------------


def doubled(text: str) -> str:
    """Every line end doubled, a paragraph's end a line that holds one blank."""
    return re.sub(r"\n", "\n\n", re.sub(r"(?m)^[^\S\n]*$", " ", text))


def without_blank_lines(text: str) -> str:
    return re.sub(r"\n\s*\n", "\n", text)


def with_trailing_blanks(text: str) -> str:
    return re.sub(r"\n", " \n", text)


def indented(text: str) -> str:
    return re.sub(r"(?m)^(?=.)", "    ", text)


def with_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def unwrapped(text: str) -> str:
    """Each paragraph on one line."""
    return re.sub(r"(?<=\S)\n(?=\S)", " ", text)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def as_it_is(text: str) -> str:
    return text


TOOLS: Sequence[Callable[[str], str]] = (
    as_it_is, doubled, without_blank_lines, with_trailing_blanks, indented, with_crlf, unwrapped,
)  # fmt: skip
