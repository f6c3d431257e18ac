"""Planted mistakes under each quote: the true one, the most plausible wrong one, and none."""

from __future__ import annotations

from collections import Counter

import pytest

from extractor.evaluation.scores.planted import measure, mistakes_in, verdict_on
from extractor.evaluation.scores.planted_quotes import true_quotes, under_each_quote
from extractor.lettertypes.mistake import Mistake
from extractor.lettertypes.wrong_values import put
from tests.support.bva import BVA, own

LETTER_ID = "two-dispositions-in-one-sentence"
READING, GOLD = own(LETTER_ID)
VERDICT = verdict_on(BVA, GOLD, READING)
QUOTES = true_quotes(BVA.schema, READING.letter, VERDICT.evidence)


def test_the_true_quotes_are_of_the_stated_values() -> None:
    assert QUOTES["/order/0/disposition"] == "granted"
    assert QUOTES["/conclusions/0/statutes"] == "1110, 5107"
    assert not [path for path in QUOTES if path.endswith(("/sentence", "/text")) or path.startswith("/judges")]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        # The nearest clause that does say it.
        ("/order/0/disposition", "denied", "denied"),
        ("/order/0/disposition", "reopened", None),
        ("/header/decision_date", "2012-05-03", "May 3, 2012"),
        ("/header/decision_date", "2012-05-04", None),
        ("/conclusions/1/statutes", ["5110"], "5110"),
        ("/conclusions/1/statutes", [], None),
    ],
)
def test_the_most_plausible_wrong_quote(path: str, value: object, words: str | None) -> None:
    mistake = Mistake(put(GOLD, path, value), (path,), frozenset())
    quoted = under_each_quote(BVA.schema, READING.letter, GOLD, mistake, QUOTES, VERDICT.evidence)
    kinds = {each.kind: each.quotes.get(path) for each in quoted}
    assert kinds.get("wrong quote") == words
    if value:
        assert (kinds["no quote"], kinds["true quote"]) == (None, QUOTES[path])
    else:
        assert kinds == {}


def test_a_mistake_in_copied_words_needs_no_quote() -> None:
    path = "/order/0/sentence"
    mistake = Mistake(put(GOLD, path, "x"), (path,), frozenset())
    assert not list(under_each_quote(BVA.schema, READING.letter, GOLD, mistake, QUOTES, VERDICT.evidence))


def test_each_mistake_is_counted_under_every_quote() -> None:
    report = measure(BVA, [(READING.letter, GOLD)], ["enum_flipped", "record_dropped"], quoted=True)
    planted = Counter(kind for kind, _ in mistakes_in(BVA, ["enum_flipped"], GOLD, READING))["enum_flipped"]
    assert report.quoted["true quote"].planted == report.quoted["no quote"].planted == planted
    assert report.quoted["wrong quote"].planted == planted  # each word is in some other clause
    assert all(tally.right == tally.planted for tally in report.quoted.values())
    assert report.false_alarms == []
    assert not any(tally.planted for tally in measure(BVA, [(READING.letter, GOLD)], ["enum_flipped"]).quoted.values())
