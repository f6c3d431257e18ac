"""Spans point at raw words, and folding makes nothing alike but blanks, dashes and quotation marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.reading_view import FoldedText
from extractor.letters.spans import Span, equal_when_joined, fold

MESS = st.text(alphabet="ab1Z9.,:()-\u2013\u2014\u201c\u201d\"'\u2019 \t\n\r\f\u00a0\u2003", max_size=80)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("Non-\n MTUS", "Non-MTUS"),
        ("114 \u2013117", "114-117"),
        ("  two\t\n words ", "two words"),
        ("\u201cquoted\u201d worker\u2019s", '"quoted" worker\'s'),
        ("Case Kept", "Case Kept"),
        ("", ""),
    ],
)
def test_fold(raw: str, folded: str) -> None:
    assert fold(raw) == folded


@pytest.mark.parametrize(
    ("text", "needle", "found"),
    [
        ("Page(s): 301.", "301", "301"),
        ("Page(s): 301.", "30", None),
        ("Page(s): 301.", "01", None),
        ("is not\n medically necessary", "is not medically necessary", "is not\n medically necessary"),
        ("is not medically necessary", "is medically necessary", None),
        ("7.5mg", "7.5 mg", None),
        ("Low Back - MRI", "Low Back-MRI", "Low Back - MRI"),
        ("Upheld", "upheld", None),
        ("5 \u2013 10", "5-10", "5 \u2013 10"),
        ("anything", "  ", None),
    ],
)
def test_find(text: str, needle: str, found: str | None) -> None:
    span = FoldedText(text).find(needle)
    assert (span.of(text) if span else None) == found


def test_find_stays_within_its_region() -> None:
    text = "one two one"
    assert FoldedText(text).find("one", Span(2, 11)) == Span(8, 11)
    assert FoldedText(text).find("one", Span(4, 7)) is None
    assert list(FoldedText(text).find_all("one")) == [Span(0, 3), Span(8, 11)]


@given(MESS)
def test_the_view_is_the_folded_text(raw: str) -> None:
    assert FoldedText(raw).view.strip(" ") == fold(raw)


@given(MESS, st.data())
def test_what_stands_in_the_text_is_found_there(raw: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(raw)))
    span = Span(start, data.draw(st.integers(start, len(raw)))).trimmed(raw)
    words = span.of(raw)
    cuts_a_word = (
        (span.start > 0 and raw[span.start - 1 : span.start + 1].isalnum())
        or (span.end < len(raw) and raw[span.end - 1 : span.end + 1].isalnum())
    )  # fmt: skip
    if not fold(words) or cuts_a_word:
        return
    found = FoldedText(raw).find(words, span)
    assert found is not None
    assert fold(found.of(raw)) == fold(words)
    assert span.covers(found)


@given(MESS, MESS)
def test_every_span_lies_in_the_text_and_says_the_needle(raw: str, needle: str) -> None:
    for span in FoldedText(raw).find_all(needle):
        assert 0 <= span.start < span.end <= len(raw)
        assert fold(span.of(raw)) == fold(needle)


@given(st.text(alphabet="abc1 \n-", max_size=40))
def test_trimmed_holds_the_same_words(raw: str) -> None:
    span = Span(0, len(raw)).trimmed(raw)
    assert span.of(raw) == raw.strip()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["Initial Care, and Shoulder"], ["Initial Care", "Shoulder"], True),
        (["Forearm", "Wrist, & Hand"], ["Forearm, Wrist, & Hand"], True),
        (["Forearm, Wrist, & Hand"], ["Forearm", "Wrist", "Hand"], True),
        (["Opioids", "criteria for use"], ["Opioids,\ncriteria for use"], True),
        (["Special Studies and Diagnostic Considerations"], ["Special Studies", "Diagnostic Considerations"], True),
        (["A", "B"], ["B", "A"], False),
        (["Initial Care"], ["Initial Care", "Shoulder"], False),
        (["Section 3.3.9"], ["Section 3.3.8"], False),
        (["Opioids not for use"], ["Opioids for use"], False),
        (["Hand Therapy"], ["Hand", "Therapy"], False),
        (["Standing"], ["St", "ing"], False),
        ([], [], True),
        ([], ["A"], False),
    ],
)
def test_lists_of_names_cut_at_other_places(one: list[str], other: list[str], same: bool) -> None:
    assert equal_when_joined(one, other) is same
    assert equal_when_joined(other, one) is same
