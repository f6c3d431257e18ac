"""Selected words, snapped to whole ones: a hand that slips leaves half a word."""

from __future__ import annotations


def snapped(text: str, start: int, end: int) -> tuple[int, int]:
    """The range of whole words that ``[start, end)`` touches, without the blanks around them.

    A range of blanks alone stays as it is.
    """
    blank = text[start:end]
    if not blank.strip():
        return start, end
    start += len(blank) - len(blank.lstrip())
    end -= len(blank) - len(blank.rstrip())
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end
