"""What the letter says becomes the correction, and only where the checks agree."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import UsageError
from extractor.letters.letter import Letter, LetterFile, letter_in
from extractor.lettertypes.findings import Finding
from extractor.models.offline import values
from extractor.review.selection import snapped
from extractor.review.taking import has_value, taken
from extractor.runs.answers import check_answer, recheck
from extractor.runs.record import Record
from tests.support.imr import IMR, LETTERS
from tests.support.reviews import desk_of, doubled, dropped, kind_of, lost, record_of, write_run


@pytest.fixture(scope="module")
def two_decisions() -> tuple[Letter, dict[str, Any]]:
    letter = letter_in(LetterFile("mixed-outcomes", LETTERS / "mixed-outcomes.txt"))
    return letter, json.loads(json.dumps(values(IMR.schema, IMR.read(letter).root), default=str))


Spoil = Callable[[dict[str, Any]], None]


def first(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["decisions"][0]
    return found


def pages_of(answer: dict[str, Any]) -> list[dict[str, int]]:
    sides = (side["citations"] for one in answer["decisions"] for side in (one["claims_administrator"], one["maximus"]))
    found: list[dict[str, int]] = next(cited["pages"] for side in sides for cited in side if cited["pages"])
    return found


def other_outcome(answer: dict[str, Any]) -> None:
    one = first(answer)
    one["outcome"] = "upheld" if one["outcome"] == "overturned" else "overturned"


WRONG: dict[str, Spoil] = {
    "an outcome": other_outcome,
    "a date": lambda answer: answer["header"].update(decision_date="1999-01-01"),
    "an age left out": lambda answer: answer["worker"].update(age=None),
    "an item cut": lambda answer: first(answer).update(item=first(answer)["item"].rsplit(" ", 1)[0]),
    "a page changed": lambda answer: pages_of(answer)[0].update(first=1, last=1),
    "a page left out": lambda answer: pages_of(answer).pop(),
    "a page too many": lambda answer: pages_of(answer).append({"first": 999, "last": 999}),
    "a decision left out": lambda answer: answer["decisions"].pop(),
    "a decision doubled": lambda answer: answer["decisions"].append(dict(first(answer))),
    "decisions in another order": lambda answer: answer["decisions"].reverse(),
}


@pytest.mark.parametrize("name", WRONG)
def test_taking_the_findings_one_after_the_other_gives_the_right_answer(
    two_decisions: tuple[Letter, dict[str, Any]], name: str
) -> None:
    letter, right = two_decisions
    wrong = copy.deepcopy(right)
    WRONG[name](wrong)
    assert wrong != right
    checked = check_answer(wrong, letter, IMR, strict=True)
    record = Record(letter.id, letter.sha256, "imr", checked.status, wrong, findings=checked.findings, model="m")
    for _ in range(4):
        open_ones = [each for each in record.findings if each.severity == "error" and each.blame == "answer"]
        if not open_ones:
            break
        record = taken(IMR, letter, record, open_ones[0]).change.record
    assert record.answer == right


@pytest.mark.parametrize(
    ("spoil", "act", "path"),
    [
        (lost, "correct", "/parcels/0/state"),
        (dropped, "add", "/parcels/1"),
        (doubled, "remove", "/parcels/2"),
        (lambda answer: answer["parcels"].reverse(), "correct", "/parcels"),
        (lambda answer: answer["parcels"][1].update(on="2020-03-04"), "correct", "/parcels/1/on"),
    ],
)
def test_findings_of_fields_and_of_records(tmp_path: Path, spoil: Spoil, act: str, path: str) -> None:
    out = write_run(tmp_path, {"blue": spoil})
    record = record_of(out, "blue")
    letter, _ = desk_of(tmp_path).letters.get(record)
    assert letter is not None
    record = recheck(record, letter, kind_of(tmp_path), strict=True)
    found = taken(kind_of(tmp_path), letter, record, next(each for each in record.findings if has_value(each)))
    assert (found.act, found.change.path, found.change.record.errors) == (act, path, ())


@pytest.mark.parametrize(
    "finding",
    [
        Finding("imr_injury_date_contradicts", "/ur_date", "error", "letter", "", "2014-01-01", "2014-02-01"),
        Finding("quote_cut", "/ur_date", "error", "answer", "", None, "x"),
        Finding("unread", "", "error", "unclear", "", ["x"]),
        Finding("from_reading", "/ur_date", "info", "answer", "", "2014-01-01"),
    ],
)
def test_what_names_no_value_is_not_taken(finding: Finding) -> None:
    assert not has_value(finding)


def test_a_value_the_checks_reject_is_not_taken(tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    record = record_of(out, "blue")
    letter, _ = desk_of(tmp_path).letters.get(record)
    assert letter is not None
    rule = Finding("own_rule", "/carrier", "error", "answer", "compare", "Red Cart", "Blue Van")
    with pytest.raises(UsageError, match="the checks do not agree"):
        taken(kind_of(tmp_path), letter, record, rule)
    assert record.answer == record_of(out, "blue").answer


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("deliv[ere]d on time", "delivered"),
        ("[delivered ]on time", "delivered"),
        ("delivered[ on ti]me", "on time"),
        ("pages 17[7-17]9.", "177-179"),
        ("a[ ]b", " "),
        ("[\U0001f69a] van", "\U0001f69a"),
        ("caf[\u00e9]s", "caf\u00e9s"),
        ("[(a)] b", "(a)"),
    ],
)
def test_a_selection_snaps_to_words(marked: str, words: str) -> None:
    start, end = marked.index("["), marked.index("]") - 1
    text = marked.replace("[", "").replace("]", "")
    first, last = snapped(text, start, end)
    assert text[first:last] == words
    assert snapped(text, first, last) == (first, last)
