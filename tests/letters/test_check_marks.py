"""Options behind boxes: only the chosen words count, and where that is in doubt none is taken for chosen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.letters.check_marks import _BEGINNING, _MARK, unchosen
from extractor.letters.letter import letter_from_text
from extractor.letters.reading_view import blanked

# What is read of a text, blanks aside.
TABLE = [
    # marks before their words
    ("MRI: ☐ Upheld ☒ Overturned", "MRI: Overturned"),
    ("MRI: ☑ Upheld ☐ Overturned", "MRI: Upheld"),
    ("MRI: □ Upheld ■ Overturned", "MRI: Overturned"),
    ("MRI: ○ Upheld ● Overturned", "MRI: Overturned"),
    ("MRI: [ ] Upheld [X] Overturned", "MRI: Overturned"),
    ("MRI: [x] Upheld [] Overturned", "MRI: Upheld"),
    ("MRI: (X) Upheld ( ) Overturned", "MRI: Upheld"),
    ("MRI: __ Upheld _X_ Overturned", "MRI: Overturned"),
    ("MRI: \uf0a8 Upheld \uf0fe Overturned", "MRI: Overturned"),
    ("MRI: \uf06f Upheld \uf0fd Overturned", "MRI: Overturned"),
    ("MRI: ✔ Upheld ❏ Overturned", "MRI: Upheld"),
    ("MRI: ❏ Upheld ✘ Overturned", "MRI: Overturned"),
    # behind their words
    ("MRI: Upheld ☐ Overturned ☒", "MRI: Overturned"),
    ("Priority:\tRegular [X]\tExpedited [ ]", "Priority: Regular"),
    # one below the other
    ("MRI:\n☐ Upheld\n☒ Overturned\nRationale", "MRI: Overturned Rationale"),
    ("MRI:\r\n\r\n[X] Upheld\r\n\r\n[ ] Overturned\r\n", "MRI: Upheld"),
    # what is beyond a wide gap is no part of an option
    ("Outcome: ☒ Upheld   ☐ Overturned   Date: 1/2/2014", "Outcome: Upheld Date: 1/2/2014"),
    # nothing is chosen
    ("MRI: ☐ Upheld ☐ Overturned", "MRI:"),
    ("MRI: [ ] Upheld [ ] Overturned", "MRI:"),
    # two are: no outcome may look as if it stood alone
    ("MRI: ☒ Upheld ☒ Overturned", "MRI: ☒ Upheld ☒ Overturned"),
    ("MRI:\n☒ Upheld\n☒ Overturned", "MRI: ☒ Upheld ☒ Overturned"),
    ("Source: ☒ MTUS ☒ ODG ☐ ACOEM", "Source: ☒ MTUS ☒ ODG"),
    # a cross beside a tick may reject
    ("MRI: ☑ Upheld ☒ Overturned", "MRI: ☑ Upheld ☒ Overturned"),
    ("✓ Upheld ✗ Overturned", "✓ Upheld ✗ Overturned"),
    # no options
    ("□ physical therapy\n□ an MRI", "□ physical therapy □ an MRI"),
    ("Signature ______ Date ____", "Signature ______ Date ____"),
    ("f(x) = [ ] and ( )", "f(x) = [ ] and ( )"),
    ("Section(s): 9792.20 [sic]", "Section(s): 9792.20 [sic]"),
    ("pain ✗ 3 days", "pain ✗ 3 days"),
    # characters that a font lacks
    ("Case Number: □□□", "Case Number: □□□"),
    ("Pages: □□ illegible", "Pages: □□ illegible"),
]


@pytest.mark.parametrize(("text", "read"), TABLE, ids=[text for text, _ in TABLE])
def test_only_chosen_words_are_read(text: str, read: str) -> None:
    assert " ".join(blanked(text, unchosen(text)).split()) == read


def test_the_view_and_the_folded_text_of_a_letter_hold_only_what_is_chosen() -> None:
    letter = letter_from_text("MRI: ☐ Upheld ☒ Overturned\n", letter_id="a")
    assert letter.view.text.split() == letter.body.split() == ["MRI:", "Overturned"]
    assert letter.folded.find("Upheld") is None
    found = letter.folded.find("Overturned")
    assert found is not None
    assert found.of(letter.text) == "Overturned"


@given(st.text(alphabet="☐☒☑✗[]()xX_ \tab:\n", max_size=60))
def test_spans_are_in_order_and_end_on_their_line(text: str) -> None:
    spans = unchosen(text)
    assert all(span.start < span.end and "\n" not in text[span.start : span.end] for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert len(blanked(text, spans)) == len(text)


@given(st.text("[]()_ xX*ab\n\u2713\u2714\u2610\u2612\u2715\uf0fc", max_size=12))
def test_every_mark_has_a_beginning_that_is_looked_for_first(text: str) -> None:
    assert _BEGINNING.search(text) or not _MARK.search(text)
