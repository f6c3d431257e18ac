"""Check marks: of several options behind boxes, the words of those that are not chosen are no statement of the letter.

In ``☐ Upheld ☒ Overturned`` only the second word counts. Marks come as characters, as letters in brackets, or on
a line (``__ Upheld _X_ Overturned``), before their words or behind them, beside each other or one below the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from extractor.letters.spans import Span

# The characters from U+F000 on are those of the fonts Wingdings and Wingdings 2 in Word documents and PDF files.
_EMPTY = (
    "\u2610\u25a1\u25a2\u25fb\u25fd\u2b1c\u25cb\u25ef\u274f\u2750\u2751\u2752\uf02a\uf06f\uf070\uf071\uf072\uf0a1\uf0a8"
)
_TICK = "\u2611\u25a0\u25a3\u25cf\u25c9\u2b24\u29bf\u2713\u2714\u2705\uf052\uf0fc\uf0fe"
# A box with a cross is chosen on most forms, and rejected where others have a tick.
_CROSSED_BOX = "\u2612\u22a0\uf053\uf054\uf0fd"
_CROSS = "\u2715\u2716\u2717\u2718\u274c\uf0fb"
_MARK = re.compile(
    # Boxes without words between them are what a font prints for characters it does not have.
    rf"(?P<empty>(?<![{_EMPTY}])[{_EMPTY}](?![{_EMPTY}])|(?<![\w\])])(?:\[[ _]{{0,3}}\]|\([ _]{{1,3}}\)))"
    rf"|(?P<tick>[{_TICK}]|(?<![\w\])])(?:\[ ?[xX\u2713\u2714*] ?\]|\( ?[xX\u2713\u2714] ?\))|(?<![\w])_+[xX]_+)"
    rf"|(?P<crossed>[{_CROSSED_BOX}])"
    rf"|(?P<cross>[{_CROSS}])"
    r"|(?P<line>(?<!\w)_{2,12}(?![\w]))"
)
# Where a mark may begin. Most letters have none, and this is found out in a tenth of the time.
_BEGINNING = re.compile(rf"[{_EMPTY}{_TICK}{_CROSSED_BOX}{_CROSS}\[(_](?:(?<![\[(_])|[ _\]xX*\u2713\u2714])")
_LINE = re.compile(r"[^\n\r\f]+")
# More blanks than between two words: what is beyond belongs to something else.
_GAP = re.compile(r"(?<=\S)(?:[ \u00a0]{3,}|[ \u00a0]*\t)")
_ENDS_OF_LABELS = re.compile(r"[:;][ \u00a0]|\t|[ \u00a0]{3,}")
_NO_WORDS = re.compile(r"[\s.,;:)]*\Z")


@dataclass(frozen=True)
class _Mark:
    kind: str
    text: str
    span: Span
    line: Span


@dataclass
class _Group:
    """Marks on one line, or on lines that follow each other."""

    marks: list[_Mark] = field(default_factory=list)

    def has(self, kind: str) -> bool:
        return any(mark.kind == kind for mark in self.marks)

    @property
    def chosen(self) -> frozenset[str] | None:
        """The kinds of marks that choose, here; ``None`` where that cannot be known."""
        if self.has("tick"):
            return None if self.has("crossed") or self.has("cross") else frozenset({"tick"})
        if self.has("crossed"):
            return None if self.has("cross") else frozenset({"crossed"})
        return frozenset({"cross"}) if self.has("cross") and self.has("empty") else frozenset()

    @property
    def is_choice(self) -> bool:
        """Whether the empty marks are options that were not taken, and no bullets of a list."""
        empty = [(mark.line, mark.text) for mark in self.marks if mark.kind == "empty"]
        return bool(self.chosen) or (self.chosen is not None and len(empty) > len(set(empty)))

    def is_single(self, mark: _Mark) -> bool:
        """Whether a chosen mark is the only one among its options: those of its line, or of lines with one each."""
        alone = Counter(each.line for each in self.marks)
        among = [
            each
            for each in self.marks
            if each.kind == mark.kind and (each.line == mark.line or alone[each.line] == alone[mark.line] == 1)
        ]
        return len(among) == 1


def unchosen(text: str) -> list[Span]:
    """The spans of options that are not chosen, with their marks, and of the marks of single chosen ones; in order."""
    if not _BEGINNING.search(text) or not _MARK.search(text):
        return []
    return sorted(span for group in _groups(text) if group.is_choice for span in _blanks(text, group))


def _groups(text: str) -> Iterator[_Group]:
    group = _Group()
    for line in _LINE.finditer(text):
        if not line[0].strip():
            continue
        marks = [
            _Mark(str(match.lastgroup), match[0], Span(*match.span()), Span(*line.span()))
            for match in _MARK.finditer(text, *line.span())
        ]
        if not marks:
            yield group
            group = _Group()
        group.marks += marks
    yield group


def _blanks(text: str, group: _Group) -> Iterator[Span]:
    chosen = group.chosen or frozenset()
    # Blank lines are for signatures and dates too.
    empty = {"empty"} | ({"line"} if "tick" in chosen else set())
    by_line: dict[Span, list[_Mark]] = {}
    for mark in group.marks:
        if mark.kind in chosen or mark.kind in empty:
            by_line.setdefault(mark.line, []).append(mark)
    behind = _are_behind(text, by_line)
    for line, marks in by_line.items():
        for number, mark in enumerate(marks):
            if mark.kind in chosen:
                # With two chosen, a value that can be only one of them must not look as if it were stated.
                if group.is_single(mark):
                    yield mark.span
            elif behind:
                before = marks[number - 1].span.end if number else line.start
                yield Span(_start_of_option(text, before, mark), mark.span.end)
            else:
                end = marks[number + 1].span.start if number + 1 < len(marks) else line.end
                yield Span(mark.span.start, _end_of_option(text, mark, end))


def _are_behind(text: str, by_line: dict[Span, list[_Mark]]) -> bool:
    """Whether marks come after their words: nothing follows the last one of a line, and words precede the first."""
    return all(
        _NO_WORDS.match(text[marks[-1].span.end : line.end])
        and not _NO_WORDS.match(text[line.start : marks[0].span.start])
        for line, marks in by_line.items()
    )


def _start_of_option(text: str, start: int, mark: _Mark) -> int:
    ends = [match.end() for match in _ENDS_OF_LABELS.finditer(text, start, mark.span.start)]
    words = [end for end in ends if text[end : mark.span.start].strip()]
    return max(words, default=start)


def _end_of_option(text: str, mark: _Mark, end: int) -> int:
    words = re.compile(r"\S").search(text, mark.span.end, end)
    gap = _GAP.search(text, words.start(), end) if words else None
    return gap.start() if gap else end
