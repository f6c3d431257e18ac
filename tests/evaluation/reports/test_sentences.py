"""Figures and sentences of the report: what they state, and what they never state."""

from __future__ import annotations

import pytest

from extractor.evaluation.compare import LetterErrors, compare
from extractor.evaluation.reports import figures, sentences
from tests.support.evals import errors, is_protected


def compared(a, b):
    one, other = errors(a, prompt="toy@v1"), errors(b, prompt="toy@v2")
    return compare(one, other, is_protected)


@pytest.mark.parametrize(
    ("a", "b", "headline"),
    [
        ([3] * 8, [1, 2] * 4, "toy@v2 makes 1.50 errors fewer per letter than toy@v1, p = 0.008"),
        ([1, 2] * 4, [3] * 8, "toy@v2 makes 1.50 errors more per letter than toy@v1, p = 0.008"),
        ([2] * 8, [2] * 8, "No detectable difference between toy@v1 and toy@v2 in errors per letter, p = 1.000"),
        (
            [2] * 8,
            [1] * 4 + [2] * 4,
            "No detectable difference between toy@v1 and toy@v2 in errors per letter, p = 0.125",
        ),
        ([2] * 5, [1] * 5, "5 values fixed, 0 broke; 5 letters are too few for a test"),
        ([2], [2], "No value changed between right and wrong; 1 letter is too few for a test"),
    ],
)
def test_headlines(a, b, headline):
    assert sentences.compare_headline(compared(a, b)) == headline


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        (
            [3] * 8,
            [1, 2] * 4,
            "The mean change is \u22121.50 errors per letter, 95% interval [\u22122.00, \u22121.00], over 8 letters",
        ),
        ([3] * 8, [2] * 8, "All 8 letters change by the same number, so there is no spread"),
        ([2] * 8, [2] * 8, "None of 8 letters has a different number of errors."),
        ([2] * 8, [1] * 4 + [2] * 4, "Only 4 letters differ in the number of errors: no p below 0.125 was possible."),
        ([2] * 5, [1] * 5, "p would be 0.0625"),
    ],
)
def test_what_the_headline_rests_on(a, b, sentence):
    assert sentence in " ".join(sentences.compare_detail(compared(a, b)))


@pytest.mark.parametrize("a", [[2] * 8, [1, 0] * 4, [0] * 8])
def test_two_runs_are_never_called_equal(a):
    compared_alike = compared(a, a)
    text = " ".join([sentences.compare_headline(compared_alike), *sentences.compare_detail(compared_alike)]).lower()
    assert "equal" not in text
    assert "identical" not in text
    assert "no detectable difference" in text


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ([3] * 8, [1, 2] * 4, "would detect with 80% power (simulated) is about"),
        ([3] * 8, [3] * 3 + [2] * 5, "5 letters differ: fewer than 6 are too few to estimate"),
        ([3] * 8, [3] * 8, "0 letters differ"),
    ],
)
def test_the_smallest_detectable_change(a, b, sentence):
    assert sentence in sentences.detectable(compared(a, b))


# ---- what is drawn ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([], (0, 1)),
        ([0, 0], (0, 1)),
        ([1], (0, 1)),
        ([4, 2], (0, 1, 2, 3, 4)),
        ([7], (0, 2, 4, 6)),
        ([168, 3], (0, 50, 100, 150)),
    ],
)
def test_ticks_of_an_axis(values, ticks):
    found = figures.axis(values)
    assert found.ticks == ticks
    assert found.at(0) == "2.00%"
    assert found.at(max([1, *values])) == "98.00%"


def test_one_far_letter_does_not_press_the_others_flat():
    crowd = [0, 1, 2, 3] * 10
    assert not figures.axis(crowd, by_root=True).root
    far = figures.axis([*crowd, 77], by_root=True)
    assert far.root
    assert far.ticks[0] == 0
    assert far.at(77) == "98.00%"
    assert float(far.at(1)[:-1]) > 12


def per_letter(*pairs):
    return [LetterErrors(f"l{i}", a, b) for i, (a, b) in enumerate(pairs)]


def test_of_many_letters_those_that_changed_most_are_drawn():
    rows = per_letter((1, 1), (5, 0), (0, 1), (0, 3), (2, 2))
    drawn, note = figures.drawn(rows, 2)
    assert [row.letter_id for row in drawn] == ["l1", "l3"]
    assert note == "Drawn: the 2 letters of 5 that changed most; 1 more changed by less; 2 have the same count in both."
    assert figures.drawn(rows) == (rows, "")


def test_the_letters_of_one_run_with_most_errors_are_drawn():
    errors_of = {"l0": 1, "l1": 0, "l2": 9, "l3": 1}
    assert figures.worst(errors_of) == ({"l2": 9, "l0": 1, "l3": 1}, "")
    assert figures.worst(errors_of, 2) == ({"l2": 9, "l0": 1}, "Drawn: the 2 letters with most errors of 3 with any.")


def test_all_letters_by_their_change():
    found = figures.changes(per_letter((1, 1), (50, 0), (9, 1), (0, 1), (0, 1)))
    assert found[0] == ("\u22126 or less", -6, 2)
    assert found[-1] == ("+1", 1, 2)
    assert sum(letters for _, _, letters in found) == 5


@pytest.mark.parametrize(
    ("a", "b"), [([3] * 8, [1, 2] * 4), ([3] * 8, [2] * 8), ([2] * 8, [2] * 8), ([9] + [0] * 9, [0] * 10)]
)
def test_the_effect_stays_on_its_axis(a, b):
    found = figures.effect(compared(a, b).change)
    drawn = [found.zero, found.mean, *(each for each in (found.low, found.high) if each), *(x for x, _ in found.ticks)]
    assert all(0 <= float(each[:-1]) <= 100 for each in drawn)
    assert found.zero == "50.00%"
    assert len({label for _, label in found.ticks}) == len(found.ticks)
