"""The reading view: what prints alike reads alike, and every span of it leads back to the raw text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.letter import letter_from_text
from extractor.letters.reading_view import FoldedText, ReadingView
from extractor.letters.spans import Span, fold
from extractor.letters.typography import normalize

PRINTED = {
    "a dash": ("CM16\u20119041873", "CM16-9041873"),
    "every dash": ("1\u20102\u20113\u20124\u20135\u20146\u20157\u22128\ufe589\ufe631\uff0d2", "1-2-3-4-5-6-7-8-9-1-2"),
    "a soft hyphen in a word": ("Pag\u00ade(s): 303", "Page(s): 303"),
    "a soft hyphen at a line's end": ("Claims Admini\u00ad\r\n  strator", "Claims Administrator"),
    "a soft hyphen printed as a hyphen": ("177\u00ad179, L4\u00ad5", "177-179, L4-5"),
    "a page range over a line's end": ("177\u00ad\n179", "177-\n179"),
    "marks without width": ("290\u200b-\u2060291\ufeff, \u200e303", "290-291, 303"),
    "other blanks": ("Page(s):\u00a0303,\u20092\u202fmm\u3000x", "Page(s): 303, 2 mm x"),
    "other line ends": ("one\u2028two\u2029three\u0085four", "one\ntwo\nthree\nfour"),
    "full width": ("\uff30\uff41\uff47\uff45\uff08\uff53\uff09\uff1a \uff13\uff10\uff11", "Page(s): 301"),
    "ligatures": ("De\ufb01ned di\ufb03cult o\ufb00er \ufb02oor su\ufb04e", "Defined difficult offer floor suffle"),
    "decomposed accents": ("sprai\u0301n, sympto\u0302mes", "spra\u00edn, sympt\u00f4mes"),
    "an accent behind a mark without width": ("e\u200b\u0301", "\u00e9"),
    "quotation marks": ("\u2018a\u2019 \u201cb\u201d \u00abc\u00bb", '\'a\' "b" "c"'),
    "fractions": ("7\u204410, \u2158, 1\u00bd", "7/10, 4/5, 1 1/2"),
    "what must stay": ("\u00b2 \u00b0C \u03b1 \u0430 \u2075 not NOT", "\u00b2 \u00b0C \u03b1 \u0430 \u2075 not NOT"),
}


@pytest.mark.parametrize("kind", PRINTED)
def test_the_plain_form(kind: str) -> None:
    raw, plain = PRINTED[kind]
    assert normalize(raw) == plain
    assert ReadingView.of(raw).text == plain
    assert letter_from_text(raw, letter_id="x").view.text == plain


def test_an_ascii_text_is_its_own_view() -> None:
    raw = "Page(s): 301"
    view = ReadingView.of(raw)
    assert view.text is raw
    assert view.to_raw(Span(2, 5)) == view.from_raw(Span(2, 5)) == Span(2, 5)


@pytest.mark.parametrize(
    ("raw", "needle", "words"),
    [
        ("an o\ufb03ce\u00ad visit", "office", "o\ufb03ce"),
        ("Pag\u00ade(s): 290\u200b-291.", "290-291", "290\u200b-291"),
        ("Pag\u00ade(s): 290\u200b-291.", "Page(s)", "Pag\u00ade(s)"),
        ("see \u200bCM16\u20119041873\u200b now", "CM16-9041873", "CM16\u20119041873"),
        ("\ufeffCase", "Case", "Case"),
        ("spra\u0131\u0301\u0302n sprai\u0301n", "spra\u00edn", "sprai\u0301n"),
    ],
)
def test_found_words_are_the_raw_ones(raw: str, needle: str, words: str) -> None:
    span = FoldedText(raw).find(needle)
    assert span is not None
    assert span.of(raw) == words


_TEXT = st.text(
    st.sampled_from("ab1 9-.\n\r\u00a0\u200b\u00ad\u2011\u2013\ufb01\ufb03\u0301e\uff13\u2019`\u00bd\U0001f469")
)


@given(_TEXT)
def test_a_plain_text_is_its_own_plain_form(raw: str) -> None:
    plain = normalize(raw)
    assert ReadingView.of(raw).text == plain
    assert normalize(plain) == plain
    assert fold(fold(raw)) == fold(raw) == fold(plain)


@given(_TEXT, st.data())
def test_a_span_of_the_view_leads_to_raw_words_that_read_the_same(raw: str, data: st.DataObject) -> None:
    view = ReadingView.of(raw)
    start = data.draw(st.integers(0, len(view.text)))
    span = Span(start, data.draw(st.integers(start, len(view.text))))
    back = view.to_raw(span)
    assert 0 <= back.start <= back.end <= len(raw)
    shown = view.from_raw(back)
    assert shown.covers(span) or not span.of(view.text)
    # Only a whole ligature, fraction or accented letter can be more than was asked for.
    assert len(shown.of(view.text)) - len(span.of(view.text)) <= 2 * 4


@given(_TEXT, _TEXT)
def test_raw_spans_keep_their_order_in_the_view(first: str, second: str) -> None:
    raw = first + second
    view = ReadingView.of(raw)
    one, two = view.from_raw(Span(0, len(first))), view.from_raw(Span(len(first), len(raw)))
    assert one.start == 0
    assert one.start <= one.end
    assert two.start <= two.end == len(view.text)
    assert two.start <= one.end or one.end == two.start


def test_running_lines_are_known_in_any_characters() -> None:
    pages = [f"{words}\nPage\u00a0{n}\u2002of 3" for n, words in enumerate(("One way", "or another", "it ends"), 1)]
    letter = letter_from_text("\f".join(pages), letter_id="x")
    assert [span.of(letter.text) for span in letter.running_lines] == [f"Page\u00a0{n}\u2002of 3" for n in (1, 2, 3)]
    assert "of 3" not in letter.view.text
    assert len(letter.body) == len(letter.text)
