"""The gate: every line passes or fails on facts."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree

import pytest

from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.gate import Gates, as_baseline, is_worse, judge, load_baseline, load_gates
from extractor.evaluation.reports.gate_report import gate_junit, gate_markdown, gate_text
from tests.support.evals import errors, is_protected, letter, run


def gates(floor=None, baseline=None) -> Gates:
    return Gates.model_validate({"floor": floor or {}, "baseline": {"max_protected_broke": None, **(baseline or {})}})


def failed(now, rules, before=None) -> list[str]:
    lines = judge(now, rules, as_baseline(before) if before else None, is_protected)
    return [line.name for line in lines if not line.passed]


FLOORS = [
    ("precision met exactly", errors([1, 1]), {"precision": 0.9}, []),
    ("precision missed", errors([1, 2]), {"precision": 0.9}, ["floor.precision"]),
    ("recall missed", errors([1, 2]), {"recall": 0.9}, ["floor.recall"]),
    ("letters right missed", errors([0, 2]), {"letters_right": 0.51}, ["floor.letters_right"]),
    ("letters right met", errors([0, 2]), {"letters_right": 0.5}, []),
    ("errors per letter", errors([1, 2]), {"errors_per_letter": 1.4}, ["floor.errors_per_letter"]),
    ("a failed letter", run([letter("l", {"/leaf": "failed"}, status="failed")]), {"failed_letters": 0}, ["floor.failed_letters"]),
    ("a silent error", run([letter("l", {"/outcome": "wrong"})]), {"silent_errors": 0}, ["floor.silent_errors"]),
    (
        "a flagged error is not silent",
        run([letter("l", {"/outcome": "wrong"}, status="needs_review")]),
        {"silent_errors": 0},
        [],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "now", "floor", "expected"), FLOORS, ids=[row[0] for row in FLOORS])
def test_floors(what, now, floor, expected):
    assert failed(now, gates(floor)) == expected


AGAINST = [
    ("nothing broke", [1, 1], [1, 1], {"max_broke": 0}, []),
    ("one leaf broke, none may", [1, 1], [1, 2], {"max_broke": 0}, ["baseline.max_broke"]),
    ("one leaf broke, one may", [1, 1], [1, 2], {"max_broke": 1}, []),
    ("what was fixed does not pay for what broke", [5, 0], [0, 1], {"max_broke": 0}, ["baseline.max_broke"]),
    ("errors rose within bounds", [1, 1], [1, 2], {"max_errors_per_letter_rise": 0.5}, []),
    ("errors rose beyond", [1, 1], [2, 2], {"max_errors_per_letter_rise": 0.5}, ["baseline.max_errors_per_letter_rise"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "before", "now", "rules", "expected"), AGAINST, ids=[row[0] for row in AGAINST])
def test_against_a_baseline(what, before, now, rules, expected):
    assert failed(errors(now), gates(baseline=rules), errors(before)) == expected


def test_a_protected_leaf_that_broke_is_named():
    before, now = run([letter("l", {"/outcome": "match"})]), run([letter("l", {"/outcome": "wrong"})])
    [line] = [
        each
        for each in judge(now, gates(baseline={"max_protected_broke": 0}), as_baseline(before), is_protected)
        if each.name == "baseline.max_protected_broke"
    ]
    assert not line.passed
    assert "l /outcome: wrong" in line.detail
    assert failed(errors([1]), gates(baseline={"max_protected_broke": 0, "protected": ["leaf"]}), errors([0]))


SCORED = errors([0, 0])
SUBTRACTED = [
    ("nothing", SCORED, {}, []),
    ("a letter is gone", errors([0]), {}, ["baseline.letters"]),
    ("all letters are gone", errors([0], gold={"l00": "sha", "l09": "sha"}), {"gold": {"old": "sha"}}, ["baseline.letters", "baseline.letters"]),
    ("the baseline is empty", SCORED, {"gold": {}}, ["baseline.letters"]),
    ("gold changed", errors([3, 0], gold={"l00": "new", "l01": "sha"}), {}, ["baseline.gold"]),
    ("another scorer", SCORED, {"scorer": 9}, ["baseline.scorer"]),
    ("another schema", SCORED, {"schema_sha256": "x"}, ["baseline.schema_sha256"]),
    ("other checks", SCORED, {"checks_version": 9}, ["baseline.checks_version"]),
    ("another re-ask setting", SCORED, {"reasks": 0}, ["baseline.reasks"]),
    ("other parameters", SCORED, {"params": {"temperature": 1}}, ["baseline.params"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "now", "about", "names"), SUBTRACTED, ids=[row[0] for row in SUBTRACTED])
def test_the_gate_is_not_passed_by_subtraction(what, now, about, names):
    """What makes the gate judge less is a line of its own: a warning, and a failure of a strict gate."""
    before = as_baseline(SCORED)
    before["about"] = {**before["about"], **about}
    lines = judge(now, gates({"recall": 0}, {"max_broke": 0}), before, is_protected)
    assert [line.name for line in lines if line.weakened] == names
    assert all(line.holds(strict=False) for line in lines)
    assert all(line.holds(strict=True) for line in lines) == (not names)


def test_a_missing_baseline_and_an_empty_gates_file_fail_a_strict_gate():
    lines = judge(SCORED, gates(), None, is_protected)
    assert [(line.name, line.holds(strict=False), line.holds(strict=True)) for line in lines] == [
        ("floor", True, False),
        ("baseline", True, False),
    ]


def test_new_letters_are_named_and_do_not_fail():
    lines = judge(errors([0, 5, 5]), gates({"recall": 0}, {"max_broke": 5}), as_baseline(errors([0, 0])), is_protected)
    [line] = [each for each in lines if each.name == "baseline.new_letters"]
    assert line.holds(strict=True)
    assert "l02" in line.detail


WORSE = [
    ("the same", [1, 1], [1, 1], ""),
    ("better", [1, 1], [0, 1], ""),
    ("more errors", [1, 1], [1, 2], "3 errors instead of 2"),
    ("a letter less", [1, 1, 1], [1, 1], "1 letter no longer scored"),
]


@pytest.mark.parametrize(("what", "before", "now", "why"), WORSE, ids=[row[0] for row in WORSE])
def test_a_run_that_lowers_the_bar_is_known(what, before, now, why):
    assert is_worse(errors(now), as_baseline(errors(before)), is_protected) == why


def test_a_protected_value_that_broke_lowers_the_bar_at_equal_errors():
    before = run([letter("l", {"/outcome": "match", "/leaf": "wrong"})])
    now = run([letter("l", {"/outcome": "wrong", "/leaf": "match"})])
    assert is_worse(now, as_baseline(before), is_protected) == "1 protected value broke"


def test_the_reports_of_a_gate_hold_no_words_of_letters():
    before, now = run([letter("l", {"/outcome": "match"})]), run([letter("l", {"/outcome": "wrong"})])
    lines = {"toy@v1": judge(now, gates({"recall": 0.5}), as_baseline(before), is_protected)}
    lines["toy@v1"] += judge(now, gates(baseline={"max_broke": 0}), as_baseline(before), is_protected)
    suite = ElementTree.fromstring(gate_junit(lines, strict=False).partition("\n")[2]).find("testsuite")
    assert suite.get("failures") == "2"
    assert "l /outcome: wrong" in suite.find("testcase/failure[@message]").text or suite.findall(".//failure")[1].text
    markdown = gate_markdown(lines, strict=False)
    assert markdown.startswith("Gate for toy@v1: 2 lines failed")
    assert "FAIL" in gate_text(lines, strict=False)
    for report in (markdown, gate_junit(lines, strict=False), gate_text(lines, strict=False)):
        assert not re.search(r"\bg\b|\bx\b", report), "values of gold and answer"


@pytest.mark.parametrize(
    ("before", "now", "passed"), [(0.10, 0.12, True), (0.10, 0.121, False), (None, 0.5, True), (0.1, None, True)]
)
def test_cost(before, now, passed):
    def costing(usd):
        return run([letter("l", {"/leaf": "match"}, cost_usd=usd)])

    assert failed(costing(now), gates(baseline={"max_cost_rise": 0.2}), costing(before)) == (
        [] if passed else ["baseline.max_cost_rise"]
    )


def test_an_incomplete_run_is_neither_judged_nor_blessed():
    half = dataclasses.replace(errors([1]), unanswered={"l05": "timeout"})
    with pytest.raises(UsageError, match="incomplete"):
        judge(half, gates(), None, is_protected)
    with pytest.raises(UsageError, match="incomplete"):
        as_baseline(half)


def test_a_baseline_holds_no_words_of_a_letter():
    kept = str(as_baseline(run([letter("l", {"/outcome": "wrong"})])))
    assert "/outcome" in kept
    assert "'g'" not in kept
    assert "'x'" not in kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[floor]\nrecal = 0.9", "floor.recal"),
        ("[floor]\nrecall = 90", "floor.recall"),
        ("floor", "not valid TOML"),
    ],
)
def test_a_broken_gates_file_is_told(tmp_path, text, message):
    path = tmp_path / "gates.toml"
    path.write_text(text)
    with pytest.raises(WorkspaceError, match=message):
        load_gates(path)


def test_a_broken_baseline_is_told(tmp_path):
    path = tmp_path / "b.json"
    assert load_baseline(path) is None
    path.write_text("{}")
    with pytest.raises(WorkspaceError, match="not a baseline"):
        load_baseline(path)
