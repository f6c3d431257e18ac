"""The gate: every line passes or fails on facts."""

from __future__ import annotations

import dataclasses

import pytest

from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.gate import Gates, as_baseline, judge, load_baseline, load_gates
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
    line = judge(now, gates(baseline={"max_protected_broke": 0}), as_baseline(before), is_protected)[0]
    assert not line.passed
    assert "l /outcome: wrong" in line.told
    assert failed(errors([1]), gates(baseline={"max_protected_broke": 0, "protected": ["leaf"]}), errors([0]))


def test_a_letter_whose_gold_changed_is_not_held_against_the_baseline():
    before, now = errors([0, 0]), errors([3, 0], gold={"l00": "new", "l01": "sha"})
    lines = judge(now, gates(baseline={"max_broke": 0}), as_baseline(before), is_protected)
    assert all(line.passed for line in lines)
    assert "l00" in lines[-1].told


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
