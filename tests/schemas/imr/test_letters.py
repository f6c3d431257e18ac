"""Whole letters: the bundled ones against hand-made gold, and other public ones where they are present."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from extractor.letters.letter import letter_from_text
from extractor.letters.spans import fold
from extractor.lettertypes.reading import Block, Reading
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import GOLD, IMR, LENT, TOOLS, bundled, bundled_ids, gold, read, with_trailing_blanks

# Judgments; the baseline leaves them empty.
JUDGED = {"diagnoses", "treatment_category", "reason", "reason_quote"}
SIDES = ("claims_administrator", "maximus")
PROSE = ("2013", "winter 2013-14")
LENT_IDS = sorted(path.stem for path in LENT.glob("*.json")) if LENT.is_dir() else []
lent = pytest.mark.skipif(not LENT_IDS, reason="LETTERPROOF_LETTERS names no folder of letters with gold")


@pytest.mark.parametrize("letter_id", bundled_ids())
def test_the_reading_of_a_bundled_letter_is_its_gold(letter_id: str) -> None:
    reading = IMR.read(bundled(letter_id))
    filled = json.loads(fill(IMR.schema, reading.root).model_dump_json())
    assert _read(filled, reading) == _read(gold(letter_id), reading)


def _read(value: Any, reading: Reading, path: str = "") -> Any:
    """What a reader can know of an answer: no judgment, and no part that is left to a person."""
    if isinstance(value, dict):
        return {
            name: _read(inner, reading, f"{path}/{name}")
            for name, inner in value.items()
            if name not in JUDGED and not (name in SIDES and not reading.took_apart(f"{path}/{name}/citations"))
        }
    if isinstance(value, list):
        return [_read(inner, reading, f"{path}/{i}") for i, inner in enumerate(value)]
    return fold(value) if isinstance(value, str) else value


def test_only_the_paragraphs_of_the_prose_forms_are_left_to_a_person() -> None:
    left = Counter(
        path.stem
        for path in GOLD.glob("*.json")
        for i in range(len(gold(path.stem)["decisions"]))
        for side in SIDES
        if not IMR.read(bundled(path.stem)).took_apart(f"/decisions/{i}/{side}/citations")
    )
    prose = {path.stem for path in GOLD.glob("*.json") if IMR.read(bundled(path.stem)).form in PROSE}
    assert left == {letter_id: 2 * len(gold(letter_id)["decisions"]) for letter_id in prose}
    assert len(prose) == 6


def _text(letter_id: str) -> str:
    return (LENT / f"{letter_id}.txt").read_bytes().decode()


def _drop_trailing_blanks(text: str) -> str:
    return re.sub(r"[^\S\n]+\n", "\n", text)


@lent
@pytest.mark.parametrize("tool", [*TOOLS, _drop_trailing_blanks])
def test_other_letters_are_read_whole_as_every_tool_gives_them(tool: Callable[[str], str]) -> None:
    wrong = []
    for letter_id in LENT_IDS:
        text = _text(letter_id)
        if tool is not with_trailing_blanks:
            text = _drop_trailing_blanks(text) if tool.__name__ != "as_it_is" else text
        text = tool(text)
        gold = json.loads((LENT / f"{letter_id}.json").read_text("utf-8"))
        wrong += [f"{letter_id} {what}" for what in _differences(gold, read(text).root, text)]
    assert wrong == []


def _differences(gold: dict[str, Any], root: Block, text: str) -> list[str]:
    found: list[str] = []

    def compare(what: str, expected: Any, got: Any) -> None:
        if expected != got:
            found.append(what)

    header = root.blocks["header"][0].facts
    for name, value in gold["header"].items():
        got = header[name].value
        compare(f"header {name}", value, got.isoformat() if isinstance(got, date) else got)
    reviewer = root.blocks["reviewer"][0].facts
    compare("states", gold["reviewer"]["states_of_licensure"], reviewer["states"].value)
    compare("specialties", gold["reviewer"]["specialties"], reviewer["specialties"].value)
    worker = root.blocks["worker"][0].facts
    compare("age", gold["patient"]["age"], worker["age"].value)
    compare("sex", gold["patient"]["sex"], worker["sex"].value)
    injured = gold["injury_date_in_summary_if_it_contradicts_header"] or gold["header"]["date_of_injury"]
    compare(
        "injury in the summary", injured, worker["date_of_injury"].value and worker["date_of_injury"].value.isoformat()
    )
    decisions = root.blocks["decisions"]
    compare("number of decisions", gold["decision_count"], len(decisions))
    for expected, block in zip(gold["decisions"], decisions, strict=False):
        for what in _decision_differences(expected, block, text):
            found.append(f"decision {expected['n']} {what}")
    return found


def _decision_differences(gold: dict[str, Any], block: Block, text: str) -> list[str]:
    facts = block.facts
    portion = gold["item_in_dispute"] if gold["item_in_dispute"] != gold["item_heading"] else ""
    rationale = fold(block.regions["rationale"].of(text))
    checks = {
        "heading": fold(gold["item_heading"]) == fold(facts["item"].value),
        "disputed portion": fold(portion) == fold(facts["disputed_portion"].value or ""),
        "outcome": gold["outcome"] == facts["outcome"].value,
        "rationale": rationale.startswith(fold(gold["rationale_first_words"]))
        and rationale.endswith(fold(gold["rationale_last_words"])),
        "rationale pages": list(dict.fromkeys(gold["rationale_page_mentions"]))
        == _printed(facts["rationale_pages"].value),
    }
    for side in ("claims_administrator", "maximus"):
        guideline = block.blocks[side][0]
        pages = [page for each in guideline.blocks["citations"] for page in _printed(each.facts["pages"].value)]
        checks[f"{side} paragraph"] = fold(gold[f"{side}_guideline"]) == fold(guideline.span.of(text))
        checks[f"{side} pages"] = gold[f"{side}_pages"] == pages
        checks[f"{side} basis"] = guideline.facts["basis"].value is not None
    return [what for what, same in checks.items() if not same]


def _printed(pages: list[dict[str, int]]) -> list[str]:
    return [str(p["first"]) if p["first"] == p["last"] else f"{p['first']}-{p['last']}" for p in pages]


@lent
def test_the_baseline_raises_no_alarm_but_for_what_letters_contradict_themselves() -> None:
    alarms: Counter[tuple[str, str, str]] = Counter()
    for letter_id in LENT_IDS:
        letter = letter_from_text(_text(letter_id), letter_id=letter_id)
        reading = IMR.read(letter)
        for finding in check(IMR, fill(IMR.schema, reading.root), reading).findings:
            alarms[finding.code, finding.severity, finding.blame] += 1
    assert alarms == {
        ("imr_injury_date_contradicts", "error", "letter"): 1,
        ("imr_dates_out_of_order", "error", "letter"): 1,
        ("imr_ur_date_contradicts", "warning", "letter"): 3,
    }
