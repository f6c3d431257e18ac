"""What ``benchmarks/results.py`` counts, by example; no checker, no recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.checker_tallies import on_answers, on_planted, own_admitted, planted_values, touches
from benchmarks.field_checkers import PrintedValue, printed_values
from benchmarks.result_sets import share, tally
from benchmarks.results import table
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scores.summary import LetterScore
from extractor.letters.letter import LetterFile
from tests.support.evals import leaf
from tests.support.imr import IMR, ROOT, bundled, gold

LETTER = bundled("dwc-2014-002")
TRUE = gold(LETTER.id)
GOLD = Gold(LetterFile(LETTER.id, ROOT / "eval/imr/letters/dwc-2014-002.txt"), LETTER, TRUE)
WRONG = {**TRUE, "ur_date": "2001-02-03"}


def score(status: str, withheld: dict[str, Any] | None = None, **statuses: str) -> LetterScore:
    """One letter with leaves by field, ``__`` for ``/``."""
    paths = {f"/{name.replace('__', '/')}": each for name, each in statuses.items()}
    leaves = tuple(replace(leaf(path, each), answer_path=path) for path, each in paths.items())
    return LetterScore("l", status, leaves, withheld=withheld or {})


@pytest.mark.parametrize(
    ("letter", "counts"),
    [
        (score("accepted", ur_date="match"), {"accepted": 1, "right": 1, "right_admitted": 1}),
        (score("needs_review", ur_date="match"), {"needless": 1, "right": 1}),
        (score("needs_review", ur_date="wrong"), {"wrong": 1, "wrong_protected": 1}),
        (score("needs_review", header__priority="wrong"), {"wrong": 1, "needless": 1}),
        (
            score("accepted", ur_date="wrong", header__priority="omitted"),
            {"accepted": 1, "wrong": 2, "wrong_protected": 1, "escaped": 2, "escaped_protected": 1},
        ),
        # A withheld value has not passed; a right one that was withheld is not admitted either.
        (score("accepted", {"/header/priority": "x"}, header__priority="omitted"), {"accepted": 1, "withheld": 1}),
        (
            score("accepted", {"/header/priority": "g"}, header__priority="omitted"),
            {"accepted": 1, "withheld": 1, "withheld_right": 1, "right": 1},
        ),
        (score("failed", ur_date="failed"), {"failed": 1, "wrong": 1, "wrong_protected": 1}),
    ],
)
def test_what_becomes_of_a_letter(letter: LetterScore, counts: dict[str, int]) -> None:
    total = vars(tally(IMR, [letter]))
    assert {name: count for name, count in total.items() if count and name not in ("letters", "examples")} == counts


class Credulous:
    """A checker that believes what it finds in the letter, or everything."""

    package = "test"
    cannot_express = ""

    def __init__(self, *, all_of_it: bool) -> None:
        self.name = "credulous"
        self._all = all_of_it

    def admitted(self, values: Sequence[PrintedValue], text: str) -> list[bool]:
        return [self._all or one.words in text for one in values]


def test_a_checker_on_answers() -> None:
    found = on_answers(Credulous(all_of_it=True), IMR, {LETTER.id: GOLD}, {LETTER.id: WRONG})
    assert (found.wrong, found.wrong_admitted, found.letters_flagged) == (1, 1, 0)
    assert found.right_admitted == found.values - 1
    found = on_answers(Credulous(all_of_it=False), IMR, {LETTER.id: GOLD}, {LETTER.id: WRONG})
    assert (found.wrong, found.wrong_admitted, found.letters_flagged) == (1, 0, 1)


def test_planted_wrong_values() -> None:
    planted = planted_values(IMR, [GOLD], 12, seed=3)
    assert planted == planted_values(IMR, [GOLD], 12, seed=3)
    assert len(planted) == 12
    for one in planted:
        true = {value.path: value.words for value in printed_values(TRUE, LETTER.text)}
        assert one.values
        assert all(true.get(value.path) != value.words for value in one.values)
    everything = sum(len(one.values) for one in planted)
    assert on_planted(Credulous(all_of_it=True), IMR, planted) == (everything, everything)
    assert on_planted(None, IMR, planted) == (0, everything)


def test_our_own_checks_admit_what_is_neither_flagged_nor_withheld() -> None:
    values = printed_values(WRONG, LETTER.text)
    refused = [one.path for one, used in zip(values, own_admitted(IMR, LETTER, WRONG, values), strict=True) if not used]
    # Page 340 lies outside the chapter it is cited from: the letter is to blame, and a person looks.
    assert refused == ["/ur_date", "/decisions/1/maximus/citations/0/pages/1"]


@pytest.mark.parametrize(
    ("flagged", "path", "is_touched"),
    [("/a", "/a", True), ("/a", "/a/0", True), ("/a/0/b", "/a", True), ("", "/a", True), ("/a", "/ab", False)],
)
def test_what_a_finding_touches(flagged: str, path: str, is_touched: bool) -> None:
    assert touches(flagged, path) == is_touched


def test_shares_and_tables() -> None:
    # Clopper and Pearson: 0 of 10 is at most 30.8 %, 5 of 10 from 18.7 to 81.3.
    assert share(0, 10) == "0 of 10 (0.0 %, 0.0 to 30.8)"
    assert share(5, 10) == "5 of 10 (50.0 %, 18.7 to 81.3)"
    assert share(0, 0) == "0 of 0"
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n|---|--:|\n| 1 | 2 |\n"
