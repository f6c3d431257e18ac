"""The text of a letter, cut where marks begin and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractor import Span, TextMark


class MarkedText(NamedTuple):
    """A piece of a marked text: words of the letter, or a tag that begins or ends a mark."""

    text: str
    mark: TextMark | None = None
    end: bool = False


def marked_text(text: str, marks: Sequence[TextMark], within: Span) -> Iterator[MarkedText]:
    """The words of ``within`` with the tags of all marks that begin or end there, in order.

    Ends come before beginnings; of marks that begin together the longest comes first. A mark that
    starts before ``within`` is ended in it, but not started again.
    """
    events: list[tuple[int, int, int, TextMark]] = []
    for number, mark in enumerate(marks):
        if within.start <= mark.span.start < within.end:
            events.append((mark.span.start, 1, number, mark))
        if within.start < mark.span.end <= within.end:
            events.append((mark.span.end, 0, -number, mark))
    at = within.start
    for place, begins, _, mark in sorted(events, key=lambda event: event[:3]):
        if place > at:
            yield MarkedText(text[at:place])
        at = place
        yield MarkedText("", mark, end=not begins)
    if at < within.end:
        yield MarkedText(text[at : within.end])
