"""Several prompts and models: what is compared with what, and whether a prompt helps every model alike."""

from __future__ import annotations

import pytest

from extractor.errors import UsageError
from extractor.evaluation.breakdown import LetterGroups, break_down
from extractor.evaluation.reports.formats import as_text
from extractor.evaluation.reports.html import render_table
from extractor.evaluation.reports.parts import table_parts
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import LetterScore
from extractor.evaluation.selection import only_fields, only_letters
from extractor.evaluation.table import compare_many
from tests.support.evals import errors, is_protected, letter, run


def of(counts: list[int], version: str, model: str) -> Run:
    return errors(counts, prompt=f"toy@{version}", model=f"openai/{model}")


LARGE = of([1] * 8, "v1", "large"), of([0] * 8, "v2", "large")
SMALL = of([5] * 8, "v1", "small"), of([9, 9, 8, 8, 9, 8, 9, 8], "v2", "small")


@pytest.mark.parametrize(
    ("runs", "pairs"),
    [
        (
            [*LARGE, *SMALL],
            [
                ("openai/large", "toy@v1 large", "toy@v2 large"),
                ("openai/small", "toy@v1 small", "toy@v2 small"),
                ("toy@v1", "toy@v1 large", "toy@v1 small"),
                ("toy@v2", "toy@v2 large", "toy@v2 small"),
            ],
        ),
        (
            [LARGE[0], of([0] * 8, "v3", "large"), LARGE[1]],
            [("", "toy@v1 large", "toy@v3 large"), ("", "toy@v1 large", "toy@v2 large")],
        ),
        (
            [LARGE[0], SMALL[0], SMALL[1]],
            [("openai/small", "toy@v1 small", "toy@v2 small"), ("toy@v1", "toy@v1 large", "toy@v1 small")],
        ),
    ],
)
def test_prompts_are_compared_within_a_model_and_models_within_a_prompt(runs, pairs):
    def name(side):
        return f"{side.about['prompt']} {side.about['model'].removeprefix('openai/')}"

    found = compare_many(runs, is_protected).contrasts
    assert [(each.within, name(each.comparison.a), name(each.comparison.b)) for each in found] == pairs


def test_a_prompt_that_helps_one_model_and_not_the_other_is_named():
    table = compare_many([*LARGE, *SMALL], is_protected)
    [found] = table.interactions
    assert (found.a.mean, found.b.mean, found.difference.mean) == (-1, 3.5, 4.5)
    assert found.difference.p == 2 / 2**8
    assert found.p_adjusted == 5 * found.difference.p
    text = as_text(table_parts(table))
    assert "toy@v2 against toy@v1: \u22121.00 errors per letter, p = 0.008 with openai/large; +3.50" in text
    assert "The change is not the same with both models: it differs by +4.50" in text
    assert "It helps one model and not the other" in text
    page = render_table(table)
    assert "The change is not the same with both models" in page
    assert "<table>" in page
    assert table.as_dict()["interactions"][0]["difference"]["mean"] == 4.5


def test_a_prompt_that_does_the_same_with_both_models_shows_no_difference():
    small = of([3, 4] * 4, "v1", "small"), of([2, 3] * 4, "v2", "small")
    [found] = compare_many([*LARGE, *small], is_protected).interactions
    assert (found.a.mean, found.b.mean, found.difference.p) == (-1, -1, 1.0)
    text = as_text(table_parts(compare_many([*LARGE, *small], is_protected)))
    assert "No detectable difference between the models in what the change does" in text
    assert "It points the same way with both." in text


def reasons(pairs: list[tuple[str, str]], **about: str) -> Run:
    """One letter for each gold reason and the answer."""
    return run(
        [
            LetterScore(f"l{i}", "accepted", (Leaf("/reason", "reason", "match" if a == b else "wrong", a, b),))
            for i, (a, b) in enumerate(pairs)
        ],
        **about,
    )


def test_errors_by_tag_and_what_was_given_for_what():
    one = reasons([("x", "x"), ("x", "y"), ("y", "y")])
    other = reasons([("x", "y"), ("x", "y"), ("y", "y")], prompt="toy@v2")
    groups = LetterGroups({"long": ["l0", "l1"], "none": ["other"]}, {"smoke": ["l2"]}, frozenset({"reason"}))
    found = break_down([one, other], groups)
    assert [(each.kind, each.name, each.letters, each.errors) for each in found.slices] == [
        ("tag", "long", 2, (1, 2)),
        ("set", "smoke", 1, (0, 0)),
    ]
    assert [(each.gold, each.answer, each.counts) for each in found.confusions] == [
        ("x", "x", (1, 0)),
        ("x", "y", (1, 2)),
        ("y", "y", (1, 1)),
    ]


def test_a_part_of_a_run_has_the_figures_of_that_part():
    whole = run([letter(f"l{i}", {"/outcome": "match", "/head/day": "wrong" if i else "match"}) for i in range(3)])
    some = only_letters(whole, {"l0", "l1"}, is_protected)
    assert (some.summary["letters"], some.summary["errors"], list(some.about["gold"])) == (2, 1, ["l0", "l1"])
    for field, errors_left in (("outcome", 0), ("head", 2), ("head/day", 2)):
        assert only_fields(whole, [field], is_protected).summary["errors"] == errors_left
    with pytest.raises(UsageError, match="no field 'hea'"):
        only_fields(whole, ["hea"], is_protected)
