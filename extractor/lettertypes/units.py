"""The units of a section: paragraphs, numbered items, bullets, sentences, lines; each as a span.

Letters come wrapped at a column, with empty lines between paragraphs, and unwrapped, one paragraph
a line; their lines tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from extractor.letters.spans import Span
from extractor.lettertypes.places import Unit

_TERMINAL = re.compile(r"[.:;!?][\"'\u201d\u2019)\]]*\s*\Z")
_GAP = re.compile(r"\n[^\S\n]*(?:\n\s*)+")
_NUMBER = r"(?P<number>\d{1,3})[.)][^\S\n]+(?=\S)"
_BULLET_MARK = r"(?:[\u2022\u00b7\u25aa\u25cf*\u2013-]|o(?=\t))[^\S\n]+(?=\S)"
_NUMBERED, _BULLET = (re.compile(rf"(?m)^[^\S\n]*{mark}") for mark in (_NUMBER, _BULLET_MARK))
_MARK = re.compile(rf"{_NUMBER}|{_BULLET_MARK}")
_NOT_WORDS = re.compile(r"[\W_]*\Z")
# A full stop after one of these ends no sentence.
_ABBREVIATED = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Hon|Messrs|St|Ste|Mt|Ft|No|Nos|Nr|v|vs|cf|e\.g|i\.e|al|etc|Inc|Co|Corp|Ltd|Jr|Sr|Sgt|Capt|Lt"
    r"|Col|Gen|Maj|Dept|Reg|Fed|Cir|App|Vet|Sec|Art|Ch|Fig|Vol|pp?|para|approx|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)"
    r"|(?<![\w'\u2019])[A-Z]|\b[A-Z](?:\.[A-Z])+|\bU\.S\.C(?:\.A)?|\bC\.F\.R)\.\Z"
)
_LONGEST_ABBREVIATION = 16
_LONGEST_WORD = 7
_STOP = re.compile(r"[.!?][\"'\u201d\u2019)\]]*\s+(?=[\"'\u201c\u2018(\[]*[A-Z0-9\u00a7])")


def units(text: str, within: Span, unit: Unit, page_marks: Sequence[Span] = ()) -> list[Span]:
    """The units of a section, in order, without numbers and bullets in front; none is empty.

    ``page_marks`` are lines that were blanked: the gap they leave does not end an unfinished paragraph.
    """
    within = _from_line_start(text, within)
    if unit == "line":
        found = _between(text, within, [m.start() for m in re.finditer(r"\n", text[within.start : within.end])])
    elif unit == "item":
        found = list(_items(text, within, page_marks))
    elif unit == "bullet":
        found = list(_marked(text, within, [m.span() for m in _BULLET.finditer(text, within.start, within.end)]))
    else:
        found = [_unnumbered(text, span) for span in paragraphs(text, within, page_marks)]
        if unit == "sentence":
            found = [sentence for span in found for sentence in sentences(text, span)]
    return [span for span in found if not _NOT_WORDS.match(text, span.start, span.end)]


def paragraphs(text: str, within: Span, page_marks: Sequence[Span] = ()) -> list[Span]:
    """The paragraphs of a section: between empty lines, or each line where lines are not wrapped."""
    cuts, joined = [], []
    for match in _GAP.finditer(text, within.start, within.end):
        marked = any(match.start() <= mark.start < match.end() for mark in page_marks)
        if marked and _goes_on(text, within.start, match):
            joined.append(Span(*match.span()))
        else:
            cuts.append(match.start() - within.start)
    found: list[Span] = []
    for span in _between(text, within, cuts):
        found += [span] if _is_wrapped(text, span) else _between(text, span, _newlines(text, span, joined))
    return [span for span in found if span.start < span.end]


def _goes_on(text: str, start: int, gap: re.Match[str]) -> bool:
    before = text[max(start, gap.start() - 12) : gap.start()]
    return not _TERMINAL.search(before) or text[gap.end() : gap.end() + 1].islower()


def _newlines(text: str, span: Span, joined: Sequence[Span]) -> list[int]:
    offsets = (match.start() for match in re.finditer(r"\n", span.of(text)))
    return [at for at in offsets if not any(gap.start <= span.start + at < gap.end for gap in joined)]


def _is_wrapped(text: str, span: Span) -> bool:
    """Whether a line of this block goes on in the next one."""
    lines = [line.strip() for line in span.of(text).split("\n")]
    return any(
        following[:1].islower() or (len(line) >= 50 and not _TERMINAL.search(line))
        for line, following in pairwise(lines)
        if line and following
    )


def _between(text: str, within: Span, cuts: Sequence[int]) -> list[Span]:
    """``within`` cut at offsets that count from its start, each piece without blanks around it."""
    edges = [within.start, *(within.start + cut for cut in cuts), within.end]
    return [Span(a, b).trimmed(text) for a, b in pairwise(edges)]


def _unnumbered(text: str, span: Span) -> Span:
    """A paragraph without the number or bullet in front of it."""
    match = _MARK.match(text, span.start, span.end)
    return Span(match.end(), span.end) if match else span


def _from_line_start(text: str, span: Span) -> Span:
    """``span`` with the blanks before it on its first line: a line's start is looked for by what is before it."""
    start = span.start
    while start and text[start - 1].isspace() and text[start - 1] != "\n":
        start -= 1
    return Span(start, span.end)


def _items(text: str, within: Span, page_marks: Sequence[Span]) -> Iterator[Span]:
    """Numbered items where the numbers run on from 1, else paragraphs.

    What comes before the first number is a unit only if it does not introduce the list. Behind the
    last item, a further paragraph is a unit of its own unless it goes on with the item.
    """
    marks = _running_numbers(text, within)
    if not marks:
        yield from (_unnumbered(text, span) for span in paragraphs(text, within, page_marks))
        return
    for span in paragraphs(text, Span(within.start, marks[0][0]), page_marks):
        if not span.of(text).endswith(":"):
            yield span
    *first, final = _marked(text, within, marks)
    yield from first
    whole, *rest = paragraphs(text, final, page_marks) or [final]
    for span in rest:
        if span.of(text)[0].islower() or span.of(text)[0] in "(\u2022*-":
            whole = Span(whole.start, span.end)
        else:
            yield whole
            whole = span
    yield whole


def _running_numbers(text: str, within: Span) -> list[tuple[int, int]]:
    """Where items begin: numbers at the start of a line that run on from 1; a number may be missed or repeated."""
    marks: list[tuple[int, int]] = []
    last = 0
    for match in _NUMBERED.finditer(text, within.start, within.end):
        number = int(match["number"])
        before = text[max(within.start, match.start() - 200) : match.start()].rstrip()
        starts_anew = not before or _TERMINAL.search(before[-12:]) or "\n\n" in text[match.start() - 2 : match.start()]
        if starts_anew and (number == 1 if not marks else last <= number <= last + 2):
            marks.append(match.span())
            last = number
    return marks


def _marked(text: str, within: Span, marks: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """From the end of each mark to the next."""
    for i, (_, end) in enumerate(marks):
        stop = marks[i + 1][0] if i + 1 < len(marks) else within.end
        yield Span(end, stop).trimmed(text)


def sentences(text: str, within: Span) -> list[Span]:
    """The sentences of a paragraph. Abbreviations, initials and citations of law end none."""
    cuts = []
    for match in _STOP.finditer(text, within.start, within.end):
        if text[match.start()] == "." and _is_abbreviated(text, within.start, match.start()):
            continue
        cuts.append(match.end() - within.start)
    return _between(text, within, cuts)


def _is_abbreviated(text: str, start: int, stop: int) -> bool:
    """Whether the full stop at ``stop`` ends an abbreviation; most words before one are too long for that."""
    if text[max(start, stop - _LONGEST_WORD) : stop].isalpha() and stop - start >= _LONGEST_WORD:
        return False
    return _ABBREVIATED.search(text, max(start, stop - _LONGEST_ABBREVIATION), stop + 1) is not None
