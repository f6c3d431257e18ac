"""The form of a declared letter type: its sections by their headings, its page marks, where it starts and ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from extractor.letters.spans import Span
from extractor.lettertypes.patterns import Searches, phrases

HEAD = "head"
WHOLE = "letter"
RECORD = "record"
# Regions that every declared type has: the text before the first heading, all of it, and a record's own words.
BUILT_IN = (HEAD, WHOLE, RECORD)

Wordings = str | tuple[str, ...]


class SectionPart(NamedTuple):
    """A heading and the text under it."""

    name: str
    heading: Span
    span: Span


@dataclass(frozen=True)
class Form:
    """How letters of one type are laid out.

    ``sections``: name to heading wordings, in which ``[...]`` holds optional letters. A heading is
    alone on its line, or before a tab or colon; a wording also counts in capitals. A section ends at the
    next heading, whatever the order.
    ``boundaries``: further headings, which only end a section.
    ``landmarks``: patterns that every letter of this type bears.
    ``required``: sections of which a letter of this type has at least one.
    ``starts``: a pattern at which a letter begins, so that a text with several is cut.
    ``closing``: a pattern at which the body of the letter ends (signatures, notices).
    ``running``: patterns of lines that belong to the page and not to the text (page marks).
    """

    sections: Mapping[str, Wordings] = field(default_factory=dict)
    boundaries: tuple[str, ...] = ()
    landmarks: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    starts: str = ""
    closing: str = ""
    running: tuple[str, ...] = ()

    def __hash__(self) -> int:
        return id(self)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every regular expression of the form."""
        return (*self.landmarks, self.starts, self.closing, *self.running)

    @cached_property
    def heading_pattern(self) -> str:
        """One pattern for all headings; the matched group identifies the heading. Empty for a form without headings."""
        named = [*self.sections.values(), *((boundary,) for boundary in self.boundaries)]
        if not named:
            return ""
        each = "|".join(f"(?P<h{i}>{_heading(wordings)})" for i, wordings in enumerate(named))
        return (
            rf"^[^\S\n]*(?:(?:[IVX]{{1,4}}|\d{{1,2}}|[A-Z])[.)][^\S\n]+)?(?:{each})[^\S\n]*(?:[.:]?[^\S\n]*$|(?=\t)|:)"
        )

    def parts(self, searches: Searches, body: Span) -> list[SectionPart]:
        """The sections of a letter in its own order; boundaries have no name. Raises ``SlowPatternError``."""
        names = [*self.sections, *("" for _ in self.boundaries)]
        found: list[tuple[str, Span]] = []
        for match in searches.all(self.heading_pattern, body) if self.heading_pattern else ():
            i = next(i for i in range(len(names)) if match[f"h{i}"] is not None)
            found.append((names[i], Span(match.start(f"h{i}"), match.end())))
        end = self._end(searches, Span(found[0][1].end, body.end)) if found else body.end
        found = [one for one in found if one[1].start < end]
        cuts = [*(heading.start for _, heading in found), end]
        return [
            SectionPart(name, heading, Span(heading.end, stop).trimmed(searches.text))
            for (name, heading), (_, stop) in zip(found, pairwise(cuts), strict=True)
        ]

    def _end(self, searches: Searches, within: Span) -> int:
        closing = searches.first(self.closing, within) if self.closing else None
        return closing.start() if closing else within.end

    def letter_starts(self, text: str) -> list[int]:
        """Where letters begin in a text that may hold several.

        A start line that is repeated word for word belongs to the same letter, on its next page.
        Raises ``SlowPatternError``.
        """
        starts: list[int] = []
        last = ""
        for match in Searches(text).all(self.starts, Span(0, len(text))) if self.starts else ():
            line = " ".join(text[match.start() : _line_end(text, match.end())].split())
            if line != last:
                starts.append(match.start())
            last = line
        return starts


def _heading(wordings: Wordings) -> str:
    texts = (wordings,) if isinstance(wordings, str) else wordings
    return phrases(dict.fromkeys(form for text in texts for form in (text, text.upper())))


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def regions_of(parts: Iterable[SectionPart], body: Span) -> dict[str, list[Span]]:
    """The spans of each named section, also of the head; a section with two headings has two."""
    listed = list(parts)
    head = Span(body.start, listed[0].heading.start if listed else body.end)
    regions: dict[str, list[Span]] = {WHOLE: [body], HEAD: [head]}
    for part in listed:
        if part.name and part.span.start < part.span.end:
            regions.setdefault(part.name, []).append(part.span)
    return regions


def hull(spans: Iterable[Span]) -> Span:
    """The smallest span around all of ``spans``."""
    listed = list(spans)
    return Span(min(span.start for span in listed), max(span.end for span in listed))
