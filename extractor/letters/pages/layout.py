"""Words with places put into lines, as a person reads a page: row by row, each from left to right.

The order in which a file draws its words is not trusted; a table of labels and values comes out row
by row, whatever tool printed it. Nothing is joined or left out: a word is what was between blanks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from typing import NamedTuple

from extractor.letters.documents import Box, Document, Note, Size, Word
from extractor.letters.pages.columns import columns_in
from extractor.letters.spans import Span

# Shares of a line's height: what still is the same line, a gap as of a table, a gap that parts paragraphs.
_SAME_LINE = 0.55
_WIDE_GAP = 1.6
_PARAGRAPH_GAP = 0.4
# A line's distance from the one above, in units of what is usual on the page; of a few lines, in single ones.
_PARAGRAPH_PITCH = 1.45
_SINGLE = 1.15
# A scan this crooked (rise by run) has its lines straightened before they are separated.
_CROOKED = 0.002
# The separator between two cells of a table: more than one blank, so that it is visible.
_CELLS = "   "
# What the last line of a column ends with if its sentence does not go on in the next column.
_ENDS_OF_SENTENCES = ".:;!?"
# Characters of hidden words that a note keeps.
_MOST_QUOTED = 5000


class TextRun(NamedTuple):
    """One word at its place, in points from the top left corner of an upright page.

    ``turn`` is how many quarters its text is turned relative to the page. ``hidden`` are characters
    here that are invisible; ``covered`` if something is on top of them.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float | None = None
    turn: int = 0
    hidden: str = ""
    covered: bool = False

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Sheet:
    """One page before it is text: its size in points, its words in the order of the file, and its notes.

    ``tilt``: degrees by which the page was turned clockwise to be straight; places of words are on the straight page.
    """

    size: Size
    runs: Sequence[TextRun]
    notes: Sequence[Note] = ()
    is_scan: bool = False
    tilt: float = 0.0


@dataclass
class _Line:
    """Words side by side; ``middle`` is where the line would be if the page were straight."""

    runs: list[TextRun]
    middle: float = 0.0
    members: int = field(default=1)

    @property
    def height(self) -> float:
        return median(run.height for run in self.runs)

    @property
    def left(self) -> float:
        return min(run.left for run in self.runs)

    @property
    def right(self) -> float:
        return max(run.right for run in self.runs)


def document_of(sheets: Sequence[Sheet]) -> Document:
    """The document whose pages are ``sheets``. Notes on a whole page get that page as their span."""
    pieces: list[str] = []
    pages: list[Span] = []
    words: list[Word] = []
    notes: list[Note] = []
    at = 0
    for number, sheet in enumerate(sheets):
        text, placed, holes = _page_text(rows(sheet.runs), at)
        if number + 1 < len(sheets):
            text += "\f"
        page = Span(at, at + len(text))
        words += (Word(span, number, _box(run, sheet), run.confidence) for span, run in placed)
        notes += (note._replace(span=page) for note in sheet.notes)
        notes += holes
        pieces.append(text)
        pages.append(page)
        at = page.end
    origin = "ocr" if any(sheet.is_scan for sheet in sheets) else "pdf"
    sizes = tuple(sheet.size for sheet in sheets)
    return Document("".join(pieces), origin, tuple(pages), tuple(words), tuple(notes), sizes)


def _box(run: TextRun, sheet: Sheet) -> Box:
    """Where a word is on the page as it was scanned; on a tilted page its box stays upright."""
    size = sheet.size
    if sheet.tilt:
        angle = math.radians(sheet.tilt)
        x, y = (run.left + run.right - size.width) / 2, (run.top + run.bottom - size.height) / 2
        across = x * math.cos(angle) + y * math.sin(angle) - x
        down = y * math.cos(angle) - x * math.sin(angle) - y
        run = run._replace(
            left=run.left + across, top=run.top + down, right=run.right + across, bottom=run.bottom + down
        )
    width, height = size.width, size.height
    return Box(_share(run.left, width), _share(run.top, height), _share(run.right, width), _share(run.bottom, height))


def _share(edge: float, whole: float) -> float:
    share = edge / whole
    return 0.0 if share <= 0 else 1.0 if share >= 1 else round(share, 5)


# ---- rows --------------------------------------------------------------------------------------


def rows(runs: Iterable[TextRun]) -> list[list[TextRun]]:
    """The rows of a page from top to bottom, each from left to right; an empty row parts paragraphs.

    Writing turned against the rest, such as a stamp along the margin, comes last.
    """
    by_turn: dict[int, list[TextRun]] = {}
    for run in runs:
        by_turn.setdefault(run.turn % 4, []).append(run)
    found: list[list[TextRun]] = []
    for turn in sorted(by_turn):
        turned = [_upright(run, turn) for run in by_turn[turn]]
        back = dict(zip(map(id, turned), by_turn[turn], strict=True))
        if found:
            found.append([])
        found += [[back[id(run)] for run in row] for row in _rows(turned)]
    return found


def _upright(run: TextRun, turn: int) -> TextRun:
    """A run's place once the page is turned back, so that its text is upright."""
    left, top, right, bottom = run.left, run.top, run.right, run.bottom
    for _ in range(turn):
        left, top, right, bottom = top, -right, bottom, -left
    return run._replace(left=left, top=top, right=right, bottom=bottom)


def _rows(runs: Sequence[TextRun]) -> list[list[TextRun]]:
    lines = list(_chains(runs))
    slope = _slope(lines)
    for line in lines:
        line.middle = fmean(run.middle - slope * (run.left + run.right) / 2 for run in line.runs)
    merged: list[_Line] = []
    for line in sorted(lines, key=lambda line: line.middle):
        if merged and _same_row(merged[-1], line):
            last = merged[-1]
            last.middle = (last.middle * last.members + line.middle) / (last.members + 1)
            last.members += 1
            last.runs += line.runs
        else:
            merged.append(line)
    for line in merged:
        line.runs.sort(key=lambda run: run.left)
    return list(_in_order(merged))


def _in_order(lines: Sequence[_Line]) -> Iterator[list[TextRun]]:
    """Lines from top to bottom, and column by column where prose is set in columns."""
    at = 0
    for band in columns_in([line.runs for line in lines]):
        if band.start > at:
            yield from _with_paragraphs(lines[at : band.start])
            yield []
        runs = [run for line in lines[band.start : band.end] for run in line.runs]
        left = _rows([run for run in runs if run.left <= band.middle])
        yield from left
        if left[-1][-1].text[-1:] in _ENDS_OF_SENTENCES:
            yield []
        yield from _rows([run for run in runs if run.left > band.middle])
        if band.end < len(lines):
            yield []
        at = band.end
    yield from _with_paragraphs(lines[at:])


def _chains(runs: Sequence[TextRun]) -> Iterator[_Line]:
    """Words that follow each other in the file and on the page: pieces of lines."""
    chain: list[TextRun] = []
    for run in runs:
        if chain and not _follows(chain[-1], run):
            yield _Line(chain)
            chain = []
        chain.append(run)
    if chain:
        yield _Line(chain)


def _follows(one: TextRun, other: TextRun) -> bool:
    height = max(one.height, other.height)
    return other.left >= one.left and abs(other.middle - one.middle) < _SAME_LINE * height


def _slope(lines: Sequence[_Line]) -> float:
    """How much lines fall from left to right, as the median of the long ones; 0 for a straight page."""
    slopes = []
    for line in lines:
        first, last = line.runs[0], line.runs[-1]
        run = (last.left + last.right - first.left - first.right) / 2
        if run > 8 * line.height > 0:
            slopes.append((last.middle - first.middle) / run)
    slope = median(slopes) if len(slopes) > 2 else 0.0
    return slope if abs(slope) > _CROOKED else 0.0


def _same_row(row: _Line, line: _Line) -> bool:
    if line.middle - row.middle >= _SAME_LINE * max(row.height, line.height):
        return False
    # Two lines set close together are still two: words of one row are not above each other.
    shared = min(row.right, line.right) - max(row.left, line.left)
    if shared <= 0:
        return True
    over = sum(
        max(0.0, min(one.right, other.right) - max(one.left, other.left)) for one in row.runs for other in line.runs
    )
    return over < 0.3 * sum(run.right - run.left for run in line.runs)


def _with_paragraphs(lines: Sequence[_Line]) -> Iterator[list[TextRun]]:
    pitches = [below.middle - above.middle for above, below in pairwise(lines)]
    usual = median(pitches) if len(pitches) > 3 else 0.0
    above: _Line | None = None
    for line in lines:
        if above and _parts_paragraphs(above, line, usual):
            yield []
        yield line.runs
        above = line


def _parts_paragraphs(above: _Line, below: _Line, usual: float) -> bool:
    height = max(above.height, below.height)
    pitch = below.middle - above.middle
    return pitch > _PARAGRAPH_PITCH * (usual or _SINGLE * height) and pitch - height > _PARAGRAPH_GAP * height


# ---- text --------------------------------------------------------------------------------------


def _page_text(page: Sequence[Sequence[TextRun]], at: int) -> tuple[str, list[tuple[Span, TextRun]], list[Note]]:
    """A page's text, its words with their spans, and a note for each place where words were left out."""
    pieces: list[str] = []
    placed: list[tuple[Span, TextRun]] = []
    holes: list[tuple[int, list[TextRun]]] = []
    here = at
    for row in page:
        before: TextRun | None = None
        for run in row:
            if run.hidden:
                if not holes or holes[-1][0] != len(placed):
                    holes.append((len(placed), []))
                holes[-1][1].append(run)
            if not run.text:
                continue
            if before:
                pieces.append(_gap(before, run))
                here += len(pieces[-1])
            pieces.append(run.text)
            placed.append((Span(here, here + len(run.text)), run))
            here += len(run.text)
            before = run
        if before or not row:  # a row of nothing but hidden words leaves no line
            pieces.append("\n")
            here += 1
    return "".join(pieces), placed, [_hole_note(count, runs, placed, Span(at, here)) for count, runs in holes]


def _gap(one: TextRun, other: TextRun) -> str:
    return _CELLS if other.left - one.right > _WIDE_GAP * max(one.height, other.height) else " "


def _hole_note(count: int, runs: Sequence[TextRun], placed: Sequence[tuple[Span, TextRun]], page: Span) -> Note:
    """What was left out before word number ``count`` of a page: the note points at the place between two words."""
    start = placed[count - 1][0].end if count else page.start
    end = placed[count][0].start if count < len(placed) else page.end
    partly = any(run.text for run in runs)
    if partly:  # the word's visible part comes before the hole
        own = [span for span, run in placed if run in runs]
        start, end = min(start, own[0].start), max(end, own[-1].end)
    number = f"{len(runs)} word{'s' if len(runs) > 1 else ''}"
    if any(run.covered for run in runs):
        message = f"{number} that something covers can still be read by a program; left out as redacted"
        return Note("redacted_text", message, Span(start, end))
    message = f"{number} that are invisible on the page (white, tiny or off it) left out"
    return Note("hidden_text", message, Span(start, end), " ".join(run.hidden for run in runs)[:_MOST_QUOTED])
