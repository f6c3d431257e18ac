"""Quotes that are cut inside their sentence, and quotes that are not."""

from __future__ import annotations

import pytest

from extractor.letters.spans import Span
from extractor.lettertypes.evidence import Unit
from extractor.validator.quotes import follows_negation, is_whole

TEXT = (
    "Dr. Hill saw him twice. As such, the MRI, though cheap, is not medically necessary; it may be asked again.\n\n"
    "\u2022 The brace\nis fine\n\nThe (second) request is denied"
)


def place(words: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words))


@pytest.mark.parametrize(
    ("words", "unit", "whole"),
    [
        ("Dr. Hill saw him twice.", "sentence", True),
        ("Dr. Hill saw him twice", "sentence", True),
        ("Hill saw him twice.", "sentence", False),
        ("As such, the MRI, though cheap, is not medically necessary; it may be asked again.", "sentence", True),
        ("such, the MRI, though cheap, is not medically necessary; it may be asked again.", "sentence", False),
        ("the MRI, though cheap, is not medically necessary; it may be asked again.", "sentence", False),
        ("As such, the MRI, though cheap, is not medically necessary", "sentence", False),
        ("As such, the MRI, though cheap, is not medically necessary", "clause", True),
        ("the MRI, though cheap, is not medically necessary", "clause", True),
        ("MRI, though cheap, is not medically necessary", "clause", False),
        ("the MRI, though cheap, is not medically", "clause", False),
        ("though cheap", "words", True),
        ("MRI, though", "words", True),
        ("The brace\nis fine", "sentence", True),
        ("The (second) request is denied", "sentence", True),
        ("is fine", "sentence", False),
        ("The (second) request", "sentence", False),
    ],
)
def test_a_whole_sentence_or_clause(words: str, unit: Unit, whole: bool) -> None:
    assert is_whole(TEXT, place(words), Span(0, len(TEXT)), unit) is whole


@pytest.mark.parametrize(
    ("words", "cut"),
    [("medically necessary", True), ("not medically necessary", False), ("The brace", False)],
)
def test_a_negation_left_out(words: str, cut: bool) -> None:
    assert follows_negation(TEXT, [place(words)]) is cut
