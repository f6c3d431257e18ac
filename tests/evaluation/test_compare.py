"""Two runs held against each other: what flipped, and what may be said about it."""

from __future__ import annotations

import dataclasses

import pytest

from extractor.errors import UsageError
from extractor.evaluation.compare import compare, compare_many
from extractor.evaluation.reports.report import (
    as_junit,
    as_markdown,
    as_text,
    compare_parts,
    headline,
    many_parts,
    run_parts,
)
from tests.support.evals import ABOUT, errors, is_protected, letter, run

FLIPS = [
    ("right in both", "match", "match", None),
    ("wrong in both, the same", "wrong", "wrong", None),
    ("silent in both", "absent", "absent", None),
    ("fixed", "wrong", "match", "fixed"),
    ("broke", "match", "omitted", "broke"),
    ("wrong, then left out", "wrong", "omitted", "changed"),
    ("no longer invented", "invented", "absent", "fixed"),
    ("the letter failed", "match", "failed", "broke"),
]


@pytest.mark.parametrize(("what", "before", "after", "kind"), FLIPS, ids=[row[0] for row in FLIPS])
def test_a_leaf_flips_or_not(what, before, after, kind):
    a, b = run([letter("one", {"/outcome": before})]), run([letter("one", {"/outcome": after})], prompt="toy@v2")
    found = compare(a, b, is_protected)
    assert [flip["kind"] for flip in found["flips"]] == ([kind] if kind else [])
    assert all(flip["protected"] for flip in found["flips"])


def test_a_leaf_that_only_one_run_has_flips():
    a = run([letter("one", {"/items/0": "match"})])
    b = run([letter("one", {"/items/0": "match", "/items/+1": "invented"})])
    assert [(flip["path"], flip["kind"]) for flip in compare(a, b, is_protected)["flips"]] == [("/items/+1", "broke")]


def test_change_is_second_minus_first():
    found = compare(errors([3] * 8), errors([2, 1, 2, 1, 2, 1, 2, 1], prompt="toy@v2"), is_protected)
    tests = found["tests"]["errors"]
    assert tests["mean"] == -1.5
    assert tests["low"] < -1.5 < tests["high"] < 0
    assert tests["p"] == 2 / 2**8
    assert found["counts"] == {"fixed": 12, "broke": 0, "changed": 0}
    assert headline(found).startswith("The second makes fewer errors per letter: -1.50 [")


def test_letters_fully_right_are_compared_by_mcnemar():
    found = compare(errors([0, 0, 1, 1, 1, 1, 1, 2]), errors([0, 1, 0, 0, 0, 0, 0, 2], prompt="toy@v2"), is_protected)
    right = found["tests"]["letters_right"]
    assert (right["fixed"], right["broke"]) == (5, 1)
    assert right["p"] == pytest.approx(2 * (1 + 6) / 2**6)


def test_below_six_letters_flips_are_all_there_is_to_say():
    found = compare(errors([3] * 5), errors([0] * 5, prompt="toy@v2"), is_protected)
    assert found["tests"] is None
    assert headline(found).startswith("With fewer than 6 letters no exact test can reach p = 0.05")
    assert len(found["flips"]) == 15


def test_no_difference_is_never_called_equal():
    told = as_text(compare_parts(compare(errors([1] * 6), errors([1] * 6, prompt="toy@v2"), is_protected)))
    assert "No detectable difference" in told
    assert "equal" not in told


def test_what_was_never_seen_may_still_happen():
    found = compare(errors([1] * 10), errors([0] * 10, prompt="toy@v2"), is_protected)
    bounds = {(bound["run"], bound["what"]): bound["up_to"] for bound in found["zero_bounds"]}
    assert bounds["b", "invented values"] == pytest.approx(0.2589, abs=1e-4)


INCOMPLETE = dataclasses.replace(errors([1, 2]), unanswered={"l07": "timeout"})
REFUSED = [
    ("an incomplete run", INCOMPLETE, "is incomplete: no answer for l07", "a missing answer is no wrong answer"),
    ("another scorer", errors([1, 2], scorer=9), "another version of the scorer", "rescore"),
    ("other letters", errors([1, 2, 3]), "over different letters: l02", "rescore"),
    ("gold that changed", errors([1, 2], gold={"l00": "sha", "l01": "new"}), "different gold of l01", "rescore"),
    ("another letter type", errors([1, 2], letter_type="imr"), "different letter types", "one letter type"),
]


@pytest.mark.parametrize(("what", "other", "message", "hint"), REFUSED, ids=[row[0] for row in REFUSED])
def test_runs_that_do_not_pair_are_refused(what, other, message, hint):
    with pytest.raises(UsageError, match=message) as refused:
        compare(errors([1, 2]), other, is_protected)
    assert hint in refused.value.hint


def test_three_runs_in_one_table_name_their_multiplicity():
    runs = [errors([3] * 8), errors([2] * 8, prompt="toy@v2"), errors([3] * 7 + [2], prompt="toy@v3")]
    found = compare_many(runs, is_protected)
    one, other = found["against_first"]
    assert one["p_adjusted"] == pytest.approx(2 * one["tests"]["errors"]["p"])
    assert other["p_adjusted"] == 1.0
    told = as_text(many_parts(found))
    assert "2 comparisons were made on the same letters" in told
    assert "p (Holm)" in told


def test_every_share_stands_beside_its_counts():
    told = as_text(run_parts(errors([0, 1, 2])))
    assert "27/30" in told
    assert "90.0%" in told


def test_markdown_shows_a_letters_words_without_reading_them():
    bad = letter("<b>|x|", {"/outcome": "wrong"})
    told = as_markdown(run_parts(run([bad])))
    assert "\\<b\\>\\|x\\|" in told


def test_junit_has_a_case_a_letter():
    told = as_junit(dataclasses.replace(errors([0, 2]), unanswered={"l07": "timeout"}), "toy@v1")
    assert 'tests="3"' in told
    assert 'failures="1"' in told
    assert 'errors="1"' in told
    assert "/leaf/0: wrong" in told


def test_runs_are_named_by_what_tells_them_apart():
    same = compare(errors([1] * 6), errors([2] * 6, model="openai/other"), is_protected)
    assert as_text(compare_parts(same)).startswith("openai/toy -> openai/other")
    assert ABOUT["model"] == "openai/toy"
