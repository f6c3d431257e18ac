"""Whether the text of a PDF matches its pages, or is noise from a font that maps its glyphs wrongly."""

from __future__ import annotations

import re

# The commonest words of English prose; about three words in ten of any letter are among them.
_COMMON = frozenset(
    word
    for line in (
        "the of and to in a is that for it was on with as be by at this are or an from not which",
        "have has had were but he she",
    )
    for word in line.split()
)
_MARKS = ".,;:!?()[]\"'\u2018\u2019\u201c\u201d"
_PLAIN = re.compile(r"[^\W\d_]?[a-z\u00df-\u00ff]+")
_VOWEL = re.compile(r"[aeiouy\u00e0-\u00ff]")

# Measured: born-digital letters 0.26 to 0.35, good OCR 0.27 to 0.31, a very bad fax 0.17 to 0.22, a
# font without names for its letters 0.00, a page read upside down 0.02.
DOUBTFUL = 0.15
_NO_LANGUAGE = 0.05
# Fewer are not enough to judge: a few lines of a table hold no prose.
_FEW_WORDS = 20


def common_share(text: str) -> float:
    """The share of ``text``'s whitespace-separated words that are common English (0 to 1); 0 for no words."""
    tokens = [token.strip(_MARKS) for token in text.lower().split()]
    return sum(token in _COMMON for token in tokens) / len(tokens) if tokens else 0.0


def is_doubtful(text: str) -> bool:
    """Whether a text is long enough to be judged and does not look like English prose."""
    return len(text.split()) >= _FEW_WORDS and common_share(text) < DOUBTFUL


def is_garbage(text: str) -> bool:
    """Whether a doubtful text is not even of words: prose of another language is, and so is a table."""
    tokens = [token.strip(_MARKS) for token in text.split()]
    tokens = [token for token in tokens if not token[:1].isdigit()]
    if len(tokens) < _FEW_WORDS:
        return False
    plain = sum(1 for token in tokens if _PLAIN.fullmatch(token) and _VOWEL.search(token))
    return common_share(text) < _NO_LANGUAGE and plain < len(tokens) / 2
