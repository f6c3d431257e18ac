"""Answers from any source checked against their letters: the result can always be written."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from extractor.letters.letter import Letter, letter_from_text
from extractor.lettertypes.findings import Finding
from extractor.models.offline import values
from extractor.runs import answer_lines
from extractor.runs.answers import CheckedAnswer, check_answer
from extractor.validator.checks import check
from tests.support.imr import IMR, LETTERS, bundled
from tests.support.toy import cli

CASES = Path(__file__).with_name("cases")
BUNDLED = sorted(path.stem for path in LETTERS.glob("*.txt"))


def the_case() -> tuple[Letter, Any]:
    folder = CASES / "check-crash"
    answer = json.loads((folder / "answer.jsonl").read_text("utf-8"))["answer"]
    return letter_from_text((folder / "l00000004.txt").read_bytes().decode(), letter_id="l00000004"), answer


def test_pages_that_the_letter_does_not_name_are_a_finding_in_plain_json() -> None:
    letter, answer = the_case()
    checked = check_answer(answer, letter, IMR)
    found = [each for each in checked.findings if each.path.startswith("/decisions/1/rationale_pages")]
    assert [each.code for each in found] == ["list_item_extra", "list_item_missing"]
    finding = found[0]
    assert finding.got == {"first": 285, "last": 286}
    assert json.loads(json.dumps(checked.as_dict()))["findings"][0]["got"] == finding.got


def test_one_bad_line_does_not_end_a_check(tmp_path: Path) -> None:
    folder = CASES / "check-crash"
    line = (folder / "answer.jsonl").read_text("utf-8").strip()
    lines = tmp_path / "lines.jsonl"
    lines.write_text(f"{line}\nnot json\n{line}\n", "utf-8")
    ran = cli("check", lines, folder, "--workspace", Path(__file__).parents[2])
    assert [each["status"] == "failed" for each in ran.lines] == [False, True, False]
    assert ran.code == 1


def test_a_defect_met_by_one_line_costs_only_that_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letter_id = BUNDLED[0]
    lines = tmp_path / "lines.jsonl"
    lines.write_text(f'{{"letter_id": "{letter_id}", "answer": {{}}}}\n' * 3, "utf-8")
    real, calls = answer_lines.check_line, iter(range(3))

    def broken(*given: Any, **options: Any) -> CheckedAnswer:
        if next(calls) == 1:
            raise TypeError("words of a letter")
        return real(*given, **options)

    monkeypatch.setattr(answer_lines, "check_line", broken)
    ran = cli("check", lines, LETTERS, "--workspace", Path(__file__).parents[2])
    assert [(each.get("error") or {}).get("code") for each in ran.lines] == [None, "internal", None]
    assert ran.code == 70
    assert "words of a letter" not in ran.out + ran.err


def test_a_model_named_by_no_text_is_no_reason_to_stop() -> None:
    letter, answer = the_case()
    assert check_answer(answer, letter, IMR, model=["odd"]).findings == check_answer(answer, letter, IMR).findings


@pytest.mark.parametrize("letter_id", BUNDLED)
@pytest.mark.sample(5)
def test_the_findings_on_every_planted_answer_can_be_written(letter_id: str) -> None:
    reading = IMR.read(bundled(letter_id))
    read = json.loads(json.dumps(values(IMR.schema, reading.root), default=str))
    truth = IMR.schema.model_validate_json(json.dumps(read)).model_dump(mode="json")
    for kind, planter in IMR.planters.items():
        for mistake in islice(planter(truth, reading), 12):
            verdict = check(IMR, IMR.schema.model_validate_json(json.dumps(mistake.answer)), reading)
            assert all(
                Finding.from_dict(json.loads(json.dumps(found.as_dict()))) == found for found in verdict.findings
            ), kind
