"""Several recordings of one letter: the letter counts once, with the mean of its recordings."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from extractor.evaluation import stats
from extractor.evaluation.compare import compare
from extractor.evaluation.flips import aligned
from extractor.evaluation.gate import Gates, as_baseline, broke, judge
from extractor.evaluation.repeats import spread_of
from extractor.evaluation.reports.formats import as_text
from extractor.evaluation.reports.parts import compare_parts, run_parts
from extractor.evaluation.scored_run import Run, load, save
from tests.support.evals import is_protected, leaf, letter, run


def repeated(statuses: list[list[str]], **about: str) -> Run:
    """One letter for each list, one recording of it for each status of its only value."""
    return run(
        [
            letter(f"l{i:02}", {"/outcome": status}, recording=number)
            for i, each in enumerate(statuses)
            for number, status in enumerate(each, start=1)
        ],
        **about,
    )


@pytest.mark.parametrize(
    ("statuses", "errors", "right", "answers"),
    [
        ([["match"], ["wrong"]], 1, [1, 2], 2),
        ([["match", "match"], ["wrong", "wrong"]], 1, [1, 2], 4),
        ([["match", "wrong"], ["wrong", "wrong"]], 1.5, [0.5, 2], 4),
        ([["match", "wrong"], ["wrong"]], 1.5, [0.5, 2], 3),
        ([["match", "match", "wrong"], ["match"]], pytest.approx(1 / 3), [pytest.approx(5 / 3), 2], 4),
    ],
)
def test_figures_are_those_of_one_pass(statuses, errors, right, answers):
    summary = repeated(statuses).summary
    assert (summary["letters"], summary["answers"], summary["errors"]) == (2, answers, errors)
    assert summary["letters_right"] == right
    assert summary["precision"] == right
    assert summary["fields"]["outcome"]["wrong"] == errors


def test_the_same_recording_twice_changes_no_figure_and_no_test():
    a, b = [["match"]] * 6 + [["wrong"]] * 2, [["wrong"]] * 7 + [["match"]]
    once = compare(repeated(a), repeated(b, prompt="toy@v2"), is_protected)
    twice = compare(repeated([2 * s for s in a]), repeated([2 * s for s in b], prompt="toy@v2"), is_protected)
    for name in ("change", "letters_right", "per_letter", "fields", "precision", "counts"):
        assert getattr(once, name) == getattr(twice, name), name
    assert twice.spread["a"].within == 0
    assert once.spread == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("a", "b", "kind", "shares"),
    [
        ("wm", "mm", "fixed", ((1, 2), (0, 2))),
        ("mm", "wm", "broke", ((0, 2), (1, 2))),
        ("wm", "ww", "broke", ((1, 2), (2, 2))),
        ("wm", "mw", None, None),
        ("m", "mw", "broke", ((0, 1), (1, 2))),
        ("w", "ww", None, None),
    ],
)
def test_a_flip_is_a_change_in_how_often_a_value_is_wrong(a, b, kind, shares):
    names = {"w": "wrong", "m": "match"}
    one, other = (repeated([[names[each] for each in side]]) for side in (a, b))
    found = compare(one, other, is_protected).flips
    assert [(flip.kind, (flip.a_wrong, flip.b_wrong)) for flip in found] == ([(kind, shares)] if kind else [])


def test_what_several_answers_invented_goes_together_by_its_value():
    def extra(path: str, value: str):
        return leaf(path, "invented") if value == "x" else leaf(path, "match", None, value)

    one = [leaf("/outcome"), extra("/list/+0", "x"), extra("/list/+1", "y")]
    other = [extra("/list/+0", "y"), leaf("/outcome", "wrong")]
    third = [extra("/list/+0", "z")]
    rows = [tuple(each and each.got for each in row) for row in aligned([one, other, third])]
    assert rows == [("g", "x", None), ("y", "y", None), ("x", None, "z")]


def test_the_spread_names_flaky_values_and_the_errors_of_each_recording():
    found = spread_of(repeated([["match", "wrong"], ["wrong", "wrong"], ["match"]]), is_protected)
    assert (found.letters, found.letters_with_all, found.errors) == (2, 2, (1, 2))
    assert found.within == pytest.approx(0.5)
    assert [(each.letter_id, each.path, each.wrong, each.recordings) for each in found.flaky] == [
        ("l00", "/outcome", 1, 2)
    ]
    assert found.flaky[0].protected


def test_reports_list_flaky_values():
    one = repeated([["match", "wrong"]] + [["match", "match"]] * 6)
    text = as_text(run_parts(one, spread_of(one, is_protected)))
    assert "toy@v1 with openai/toy makes 0.5 errors in 7 letters (mean over 2 recordings)" in text
    assert "errors by recording, over the 7 letters with all 2: 0 and 1." in text
    assert "right in some recordings and wrong in others (1)" in text
    compared = as_text(compare_parts(compare(one, repeated([["match"]] * 7, prompt="toy@v2"), is_protected)))
    assert "x (1 of 2 wrong)" in compared
    assert "The runs have different numbers of recordings (14 answers under toy@v1, 7 under toy@v2)" in compared


def test_a_run_with_recordings_is_kept_and_read_back(tmp_path):
    made = repeated([["match", "wrong"], ["wrong"]])
    back = load(save(made, tmp_path))
    assert [(each.letter_id, each.recording, len(each.errors)) for each in back.letters] == [
        ("l00", 1, 0),
        ("l00", 2, 1),
        ("l01", 1, 1),
    ]
    assert back.id == made.id


def test_the_gate_takes_the_recordings_of_a_letter_together():
    gates = Gates.model_validate(
        {"floor": {"failed_letters": 0}, "baseline": {"max_broke": 0, "max_protected_broke": 9}}
    )
    blessed = as_baseline(repeated([["match", "wrong"], ["match", "match"]]))
    assert blessed["errors"] == {"l00": ["/outcome"]}
    assert blessed["recordings"] == {"l00": 2, "l01": 2}
    same = repeated([["wrong", "match"], ["match", "match"]])
    assert all(line.holds(strict=True) for line in judge(same, gates, blessed, is_protected))
    half = repeated([["match", "match"], ["match", "wrong"]])
    assert [(each.place, each.share) for each in broke(half, blessed)] == [
        ("l01 /outcome (recording 2)", Fraction(1, 2))
    ]
    lines = {line.name: line for line in judge(half, gates, blessed, is_protected)}
    assert not lines["baseline.max_broke"].passed
    assert lines["baseline.max_broke"].detail.startswith("0.5 right under the baseline and wrong now, at most 0")
    fewer = {line.name: line for line in judge(repeated([["match"], ["match"]]), gates, blessed, is_protected)}
    assert not fewer["baseline.recordings"].holds(strict=True)
    more = {line.name: line for line in judge(same, gates, as_baseline(repeated([["wrong"], ["match"]])), is_protected)}
    assert more["baseline.recordings"].holds(strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("recordings", [(1, 1), (2, 2), (2, 1), (3, 1)])
def test_the_test_rejects_a_true_null_at_most_as_often_as_it_says(recordings):
    """Letters differ in difficulty; both prompts are alike, but may be recorded unequally often."""
    chance = random.Random(7)
    rejected = 0
    for _ in range(2000):
        changes = []
        for _ in range(25):
            difficulty = chance.betavariate(0.4, 4)
            means = [
                Fraction(sum(chance.random() < difficulty for _ in range(12 * count)), count) for count in recordings
            ]
            changes.append(means[1] - means[0])
        rejected += stats.sign_flip(stats.whole_steps(changes)[0]) <= 0.05
    assert rejected / 2000 <= 0.062
