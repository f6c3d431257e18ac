"""Evidence in the text: cutting along spans that overlap, and finding whose evidence a leaf's is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.display.pieces import Piece, pieces
from extractor.evaluation.marks import places
from extractor.evaluation.scores.scoring import Leaf, score
from extractor.letters.spans import Span
from tests.support.evalpages import Note, gold, note


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([], [("abcdef", "")], id="nothing"),
        pytest.param([("p", 2, 4)], [("ab", ""), ("cd", "p"), ("ef", "")], id="one"),
        pytest.param([("p", 0, 6)], [("abcdef", "p")], id="all"),
        pytest.param([("p", 0, 4), ("q", 2, 6)], [("ab", "p"), ("cd", "pq"), ("ef", "q")], id="overlap"),
        pytest.param([("p", 0, 6), ("q", 2, 4)], [("ab", "p"), ("cd", "pq"), ("ef", "p")], id="nested"),
        pytest.param([("p", 1, 3), ("q", 3, 5)], [("a", ""), ("bc", "p"), ("de", "q"), ("f", "")], id="touching"),
        pytest.param([("p", 1, 3), ("p", 1, 3)], [("a", ""), ("bc", "p"), ("def", "")], id="twice the same"),
        pytest.param([("p", 4, 99), ("q", 50, 60)], [("abcd", ""), ("ef", "p")], id="beyond the text"),
        pytest.param([("p", 3, 3), ("q", 5, 2)], [("abcdef", "")], id="empty spans"),
    ],
)
def test_pieces(spans, expected):
    found = pieces("abcdef", [(path, Span(start, end)) for path, start, end in spans])
    assert found == [Piece(text, tuple(paths)) for text, paths in expected]


SPANS = st.lists(
    st.tuples(st.sampled_from("pqrs"), st.builds(Span, st.integers(0, 40), st.integers(0, 40))), max_size=12
)


@given(text=st.text(max_size=30), spans=SPANS)
def test_pieces_are_the_text_and_every_character_has_its_spans(text, spans):
    found = pieces(text, spans)
    assert "".join(piece.text for piece in found) == text
    covered = [set(piece.paths) for piece in found for _ in piece.text]
    assert covered == [{path for path, span in spans if span.start <= i < span.end} for i in range(len(text))]
    assert all(piece.text for piece in found)


TRUE = note(("12", "delivered", "3-4"), ("13", "lost", ""), ("14", "lost", "7"), marks=["fragile", "heavy"])


def placed(answer):
    return places(score(Note, gold("x", TRUE), answer), answer)


def test_an_answer_in_the_order_of_the_gold_has_its_evidence_at_the_same_paths():
    found = placed(TRUE)
    assert found["/parcels/2/pages"] == "/parcels/2/pages"
    assert found["/carrier"] == "/carrier"


def test_the_elements_of_a_plain_list_stand_at_the_list():
    assert placed(TRUE)["/marks/1"] == "/marks"


def test_records_in_another_order_are_found_by_what_they_hold():
    found = placed(note(("14", "burnt", "7"), ("12", "delivered", "3-4"), ("13", "lost", "")))
    assert found["/parcels/0/state"] == "/parcels/1/state"
    assert found["/parcels/1/state"] == "/parcels/2/state"
    assert found["/parcels/2/state"] == "/parcels/0/state"


def test_records_that_one_side_lacks():
    found = placed(note(("13", "lost", ""), ("99", "stolen", "1")))
    assert found["/parcels/1/number"] == "/parcels/0/number"
    assert found["/parcels/+1/state"] == "/parcels/1/state"
    assert not [path for path in found if path.startswith(("/parcels/0/", "/parcels/2/"))]


def test_two_records_alike_are_not_one():
    twice = note(("12", "lost", ""), ("12", "lost", ""))
    found = places(score(Note, gold("x", twice), twice), twice)
    assert {found["/parcels/0/state"], found["/parcels/1/state"]} == {"/parcels/0/state", "/parcels/1/state"}


def test_no_answer_has_no_places():
    assert places(score(Note, gold("x", TRUE), None), None) == {}


def test_gold_of_another_shape_has_leaves_that_the_answer_has_not():
    leaves = [*score(Note, gold("x", TRUE), TRUE), Leaf("/parcels/0/all/pages", "parcels/all/pages", "match", 1, 1)]
    found = places(leaves, TRUE)
    assert found["/parcels/0/state"] == "/parcels/0/state"
