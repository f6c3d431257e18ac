"""Two runs compared: what flipped, and which conclusions are justified."""

from __future__ import annotations

import dataclasses
import json

import pytest

from extractor.errors import UsageError
from extractor.evaluation.compare import compare
from extractor.evaluation.reports.formats import as_junit, as_markdown, as_text
from extractor.evaluation.reports.parts import compare_parts, run_parts, table_parts
from extractor.evaluation.reports.sentences import compare_headline, compare_warnings
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore
from extractor.evaluation.table import compare_many
from tests.support.evals import ABOUT, errors, is_protected, leaf, letter, run

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
    assert [flip.kind for flip in found.flips] == ([kind] if kind else [])
    assert all(flip.protected for flip in found.flips)


def test_a_leaf_that_only_one_run_has_flips():
    a = run([letter("one", {"/items/0": "match"})])
    b = run([letter("one", {"/items/0": "match", "/items/+1": "invented"})])
    assert [(flip.path, flip.kind) for flip in compare(a, b, is_protected).flips] == [("/items/+1", "broke")]


def test_change_is_second_minus_first():
    found = compare(errors([3] * 8), errors([2, 1, 2, 1, 2, 1, 2, 1], prompt="toy@v2"), is_protected)
    assert found.change.mean == -1.5
    assert found.change.low < -1.5 < found.change.high < 0
    assert found.change.p == 2 / 2**8
    assert found.counts == {"fixed": 12, "broke": 0, "changed": 0}
    assert compare_headline(found) == "toy@v2 makes 1.50 errors fewer per letter than toy@v1, p = 0.008"


def test_letters_fully_right_are_compared_by_mcnemar():
    found = compare(errors([0, 0, 1, 1, 1, 1, 1, 2]), errors([0, 1, 0, 0, 0, 0, 0, 2], prompt="toy@v2"), is_protected)
    right = found.letters_right
    assert (right.fixed, right.broke) == (5, 1)
    assert right.p == pytest.approx(2 * (1 + 6) / 2**6)


def test_below_six_letters_flips_are_all_there_is_to_say():
    found = compare(errors([3] * 5), errors([0] * 5, prompt="toy@v2"), is_protected)
    assert not found.is_tested
    assert found.change.p is None
    assert "5 letters are too few for a test" in compare_headline(found)
    assert len(found.flips) == 15


def test_no_difference_is_never_called_equal():
    report = as_text(compare_parts(compare(errors([1] * 6), errors([1] * 6, prompt="toy@v2"), is_protected)))
    assert "No detectable difference" in report
    assert "equal" not in report


def test_what_was_never_seen_may_still_happen():
    found = compare(errors([1] * 10), errors([0] * 10, prompt="toy@v2"), is_protected)
    bounds = {(bound.run, bound.what): bound.up_to for bound in found.zero_bounds}
    assert bounds["b", "invented values"] == pytest.approx(0.2589, abs=1e-4)


REFUSED = [
    ("another scorer", errors([1, 2], scorer=9), "another version of the scorer", "rescore"),
    ("gold that changed", errors([1, 2], gold={"l00": "sha", "l01": "new"}), "different gold of l01", "rescore"),
    ("another letter type", errors([1, 2], letter_type="imr"), "different letter types", "one letter type"),
]


@pytest.mark.parametrize(("what", "other", "message", "hint"), REFUSED, ids=[row[0] for row in REFUSED])
def test_runs_that_do_not_pair_are_refused(what, other, message, hint):
    with pytest.raises(UsageError, match=message) as refused:
        compare(errors([1, 2]), other, is_protected)
    assert hint in refused.value.hint


def test_runs_without_a_common_letter_are_refused():
    one, other = run([letter("one", {"/outcome": "match"})]), run([letter("other", {"/outcome": "match"})])
    with pytest.raises(UsageError, match="no letter in common"):
        compare(one, other, is_protected)


NOT_COMPARED = [
    ("no answer yet", dataclasses.replace(errors([1] * 7), unanswered={"l07": "timeout"}), errors([0] * 8, prompt="toy@v2"), {"l07": "no answer in A; "}),
    ("another set", errors([1] * 7), errors([0] * 8, prompt="toy@v2"), {"l07": "not in A"}),
    ("neither has one", dataclasses.replace(errors([1] * 7), unanswered={"l07": "timeout"}), dataclasses.replace(errors([0] * 7, prompt="toy@v2"), unanswered={"l07": "timeout"}), {"l07": "no answer in A; no answer in B"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "a", "b", "left_out"), NOT_COMPARED, ids=[row[0] for row in NOT_COMPARED])
def test_incomplete_runs_are_compared_over_what_both_have_with_a_warning(what, a, b, left_out):
    for each in (a, b):
        each.about["gold"].update({"l07": "sha"} if "l07" in each.unanswered else {})
    found = compare(a, b, is_protected)
    assert found.not_compared == {letter: why.removesuffix("; ") for letter, why in left_out.items()}
    assert (found.letters, found.change.mean, found.b.summary["letters"]) == (7, -1, 7)
    assert "Incomplete: 1 letter is not compared: l07" in compare_warnings(found)[0]
    assert compare_warnings(found)[0] in as_text(compare_parts(found))


def test_letters_that_failed_are_named_and_the_comparison_without_them_given():
    lost = letter("l00", {f"/leaf/{i}": "failed" for i in range(9)}, status="failed")
    a = run([letter(f"l{i:02}", {"/leaf/0": "wrong"}) for i in range(8)])
    b = run([lost, *(letter(f"l{i:02}", {"/leaf/0": "match"}) for i in range(1, 8))], prompt="toy@v2")
    found = compare(a, b, is_protected)
    assert compare_headline(found).endswith("; 1 letter failed under toy@v2 (l00)")
    assert (found.change.mean, found.both_answered.letters, found.both_answered.mean) == (1 / 8, 7, -1)
    assert "The result depends on letters without a valid answer." in compare_warnings(found)
    assert compare(a, a, is_protected).both_answered is None


def test_debatable_values_are_counted_apart():
    def scored(statuses, **about):
        leaves = [
            [dataclasses.replace(leaf(f"/leaf/{j}", status), debatable=j == 0) for j, status in enumerate(each)]
            for each in statuses
        ]
        return run([LetterScore(f"l{i}", "accepted", tuple(each)) for i, each in enumerate(leaves)], **about)

    a = scored([("match", "wrong")] + [("match", "match")] * 7)
    b = scored([("wrong", "match")] + [("wrong", "match")] * 7, prompt="toy@v2")
    found = compare(a, b, is_protected)
    assert (found.change.mean, found.undebated.mean) == (7 / 8, -1 / 8)
    assert (found.count("broke"), found.count("broke", debatable=True), found.count("fixed", debatable=True)) == (
        8,
        8,
        0,
    )
    assert "The result depends on values that gold calls debatable." in compare_warnings(found)
    for form in (as_text, as_markdown):
        report = form(compare_parts(found))
        assert "1 value fixed, 8 broke (8 debatable)" in report.replace("\\", "")
        assert "without debatable values" in report


INVENTED = [
    ("the same at another index", ["X", "Y"], ["Y", "X"], []),
    ("the same, with other blanks", ["X  Z"], ["X Z"], []),
    ("another one", ["X"], ["Y"], ["changed"]),
    ("one more", ["X"], ["Z", "X"], ["broke"]),
    ("one less", ["X", "Y"], ["Y"], ["fixed"]),
]


@pytest.mark.parametrize(("what", "a", "b", "kinds"), INVENTED, ids=[row[0] for row in INVENTED])
def test_invented_records_pair_by_what_they_say(what, a, b, kinds):
    def invented(names):
        return tuple(Leaf(f"/items/+{i}/name", "items/name", "invented", None, name) for i, name in enumerate(names))

    one, other = (run([LetterScore("l", "accepted", invented(names))]) for names in (a, b))
    assert [flip.kind for flip in compare(one, other, is_protected).flips] == kinds


def test_a_comparison_is_plain_json():
    found = compare(errors([3] * 8), errors([1, 2] * 4, prompt="toy@v2"), is_protected).as_dict()
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, default=None))
    assert (found["version"], found["letters"], found["change"]["mean"]) == (3, 8, -1.5)


def test_three_runs_in_one_table_name_their_multiplicity():
    runs = [errors([3] * 8), errors([2] * 8, prompt="toy@v2"), errors([3] * 7 + [2], prompt="toy@v3")]
    found = compare_many(runs, is_protected)
    one, other = found.contrasts
    assert one.p_adjusted == pytest.approx(2 * one.comparison.change.p)
    assert other.p_adjusted == 1.0
    assert found.interactions == ()
    report = as_text(table_parts(found))
    assert "2 tests were made on the same letters" in report
    assert "p (Holm)" in report


def test_every_share_stands_beside_its_counts():
    report = as_text(run_parts(errors([0, 1, 2])))
    assert "90.0% (27 of 30)" in report


def test_markdown_shows_a_letters_words_without_reading_them():
    bad = letter("<b>|x|", {"/outcome": "wrong"})
    report = as_markdown(run_parts(run([bad])))
    assert "\\<b\\>\\|x\\|" in report


def test_junit_has_a_case_a_letter():
    report = as_junit(dataclasses.replace(errors([0, 2]), unanswered={"l07": "timeout"}), "toy@v1")
    assert 'tests="3"' in report
    assert 'failures="1"' in report
    assert 'errors="1"' in report
    assert "/leaf/0: wrong" in report


def test_runs_are_named_by_what_tells_them_apart():
    same = compare(errors([1] * 6), errors([2] * 6, model="openai/other"), is_protected)
    assert as_text(compare_parts(same)).startswith("openai/toy -> openai/other")
    assert ABOUT["model"] == "openai/toy"
