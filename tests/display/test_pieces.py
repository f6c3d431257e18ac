"""A text cut along spans that overlap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.display.pieces import Piece, pieces
from extractor.letters.spans import Span


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
