"""The words that a PDF page carries, character by character, at their places, and which of them can be seen.

The library's per-character functions are used and not its text: that is the one way in which
characters and boxes cannot drift apart.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from extractor.errors import LetterError
from extractor.ingest.documents import Size
from extractor.ingest.ink import Picture, Place
from extractor.ingest.layout import Run

# More than any page of a letter holds (about 3,000); what lies over it is no letter.
MOST_CHARACTERS = 200_000
# A character further from the one before than so many line heights begins a new word.
_FAR = 1.0
# Writing lower than this (points) is not written to be read.
_SMALLEST = 2.5
# Fills with every colour above this are light, seen only on something dark; with less alpha they are not seen.
_LIGHT = 200
_FAINTEST = 26
_FILLING_MODES = {0, 4}
_INVISIBLE_MODES = {3, 7}
_GRID = 1_000_000
# A hyphen at a line's end comes as one of the first two; what it was in the word is not guessed.
_SPELLED = {0x02: "-", 0xFFFE: "-", 0x00: "\ufffd"}
_DROPPED = {0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF}


class Layer(NamedTuple):
    """The words of a page in points of the page turned by ``turned`` quarters, so that most writing stands upright.

    ``under_scan`` says that the words only accompany a picture of the page, as a scanner's software adds them.
    """

    size: Size
    runs: list[Run]
    turned: int
    under_scan: bool


@dataclass
class _Word:
    """Characters between two blanks: what they are, where, and the number of the first on its page."""

    first: int
    characters: list[str]
    places: list[Place]

    @property
    def place(self) -> Place:
        lefts, tops, rights, bottoms = zip(*self.places, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


def read_layer(page: Any, size: Size, picture: Picture) -> Layer:
    """The words of a page whose displayed size is ``size`` and whose look is ``picture``.

    Raises ``LetterError`` with code ``too_large`` for a page with absurdly many characters.
    """
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise LetterError("a page cannot be read", code="damaged", hint="export the letter again")
    try:
        words = list(_words(text_page, _to_display(page, size)))
        styles = list(_styles(text_page, words))
        page_turned = pdfium.FPDFPage_GetRotation(page)
        turns = [(_turn(text_page, word.first) + page_turned) % 4 for word in words]
        under_scan = _accompanies_scan(page, size, styles)
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    weight: Counter[int] = Counter()
    for word, turn in zip(words, turns, strict=True):
        weight[turn] += len(word.characters)
    main = weight.most_common(1)[0][0] if weight else 0
    runs = []
    for word, style, turn in zip(words, styles, turns, strict=True):
        for run in [_whole(word)] if under_scan else _seen(word, style, turn, size, picture):
            runs.append(turned(run, main, size)._replace(turn=(turn - main) % 4) if main or turn else run)
    return Layer(Size(size.height, size.width) if main % 2 else size, runs, main, under_scan)


def turned(run: Run, quarters: int, size: Size) -> Run:
    """``run`` on its page of ``size`` turned back by so many quarters (what was turned clockwise stands upright)."""
    left, top, right, bottom = run.left, run.top, run.right, run.bottom
    width, height = size
    for _ in range(quarters % 4):
        left, top, right, bottom = top, width - right, bottom, width - left
        width, height = height, width
    return run._replace(left=left, top=top, right=right, bottom=bottom)


# ---- characters ----------------------------------------------------------------------------------


def _words(text_page: Any, to_display: Callable[[float, float, float, float], Place]) -> Iterator[_Word]:
    count = pdfium.FPDFText_CountChars(text_page)
    if count > MOST_CHARACTERS:
        raise LetterError(
            f"a page holds {count:,} characters; {MOST_CHARACTERS:,} are read",
            code="too_large",
            hint="this is hardly a letter; print it to a new PDF if it is",
        )
    unicode_at, box_at, box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox, pdfium.FS_RECTF()
    word: _Word | None = None
    high = 0
    for index in range(count):
        code = unicode_at(text_page, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        character = _character(code, high)
        high = 0
        if character.isspace():
            if word:
                yield word
                word = None
            continue
        if not character:
            continue
        box_at(text_page, index, box)
        place = to_display(box.left, box.bottom, box.right, box.top)
        if word and _is_far(word.places[-1], place):
            yield word
            word = None
        if word is None:
            word = _Word(index, [], [])
        word.characters.append(character)
        word.places.append(place)
    if word:
        yield word


def _character(code: int, high: int) -> str:
    if 0xDC00 <= code < 0xE000:
        return chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00) if high else "\ufffd"
    if code in _SPELLED:
        return _SPELLED[code]
    if code in _DROPPED:
        return ""
    return chr(code) if code >= 0x20 and code != 0x7F else " "


def _is_far(one: Place, other: Place) -> bool:
    if one[1] < other[3] and other[1] < one[3] and abs(other[0] - one[2]) < other[3] - other[1]:
        return False  # nearly all: side by side
    across = max(other[0] - one[2], one[0] - other[2])
    down = max(other[1] - one[3], one[1] - other[3])
    height = max(min(one[3] - one[1], one[2] - one[0]), min(other[3] - other[1], other[2] - other[0]), 1.0)
    return max(across, down) > _FAR * height


def _to_display(page: Any, size: Size) -> Callable[[float, float, float, float], Place]:
    """From boxes as the library gives them to places on the page as displayed: cropped, turned, y down."""

    def point(x: float, y: float) -> tuple[float, float]:
        at_x, at_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, at_x, at_y)
        return at_x.value * size.width / _GRID, at_y.value * size.height / _GRID

    # Three corners of a large square tell the whole mapping; page boxes are turned by quarters only.
    (e, f), (ax, ay), (bx, by) = point(0, 0), point(1000, 0), point(0, 1000)
    a, b, c, d = (ax - e) / 1000, (ay - f) / 1000, (bx - e) / 1000, (by - f) / 1000

    def upright(left: float, bottom: float, right: float, top: float) -> Place:
        return a * left + e, d * top + f, a * right + e, d * bottom + f

    def place(left: float, bottom: float, right: float, top: float) -> Place:
        x0, y0 = a * left + c * bottom + e, b * left + d * bottom + f
        x1, y1 = a * right + c * top + e, b * right + d * top + f
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    return upright if a > 0 and d < 0 and b == c == 0 else place


def _turn(text_page: Any, index: int) -> int:
    """Clockwise quarters by which a character is turned on its page."""
    angle: float = pdfium.FPDFText_GetCharAngle(text_page, index)
    return round(angle / (math.pi / 2)) if angle > 0 else 0


# ---- what can be seen ----------------------------------------------------------------------------


class _Style(NamedTuple):
    """How a word is painted: by which object, whether at all, and whether in a light colour."""

    painter: int
    painted: bool = True
    light: bool = False


def _styles(text_page: Any, words: Sequence[_Word]) -> Iterator[_Style]:
    """How each word is painted, as its first character tells."""
    known: dict[int, _Style] = {}
    for word in words:
        painter = pdfium.FPDFText_GetTextObject(text_page, word.first)
        address = ctypes.addressof(painter.contents) if painter else 0
        if address not in known:
            known[address] = _style(painter, address) if painter else _Style(0)
        yield known[address]


def _style(painter: Any, address: int) -> _Style:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    told = pdfium.FPDFPageObj_GetFillColor(painter, red, green, blue, alpha)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(painter)
    faint = bool(told) and alpha.value < _FAINTEST
    light = bool(told) and mode in _FILLING_MODES and min(red.value, green.value, blue.value) > _LIGHT
    return _Style(address, mode not in _INVISIBLE_MODES and not faint, light)


def _whole(word: _Word) -> Run:
    return Run("".join(word.characters), *word.place)


def _seen(word: _Word, style: _Style, turn: int, size: Size, picture: Picture) -> list[Run]:
    """A word as one run, or, where part of it cannot be seen, a run for what can and holes for the rest."""
    whole = _whole(word)
    low = whole.right - whole.left if turn % 2 else whole.bottom - whole.top
    off = whole.right <= 0 or whole.bottom <= 0 or whole.left >= size.width or whole.top >= size.height
    if off or low < _SMALLEST or not style.painted or (style.light and not picture.is_dark(word.place)):
        return [whole._replace(text="", hidden=whole.text)]
    flags = _flags(word, turn, picture)
    if all(flags):
        return [whole]
    runs = []
    for seen, group in groupby(range(len(flags)), key=flags.__getitem__):
        indices = list(group)
        part = _Word(0, [word.characters[i] for i in indices], [word.places[i] for i in indices])
        run = _whole(part)
        runs.append(run if seen else run._replace(text="", hidden=run.text, covered=picture.is_dark(part.place)))
    return runs


def _flags(word: _Word, turn: int, picture: Picture) -> list[bool]:
    """For each character whether it can be seen. A dot or dash is as its neighbours are: it has too little ink."""
    quick = [False] * len(word.places) if turn % 2 else picture.seen(word.places)
    told = [
        seen or picture.differs(place if turn % 2 else _middle(place)) if character.isalnum() else None
        for character, place, seen in zip(word.characters, word.places, quick, strict=True)
    ]
    if False not in told and True in told:
        return [True] * len(told)
    if not any(flag is not None for flag in told):
        return [picture.differs(word.place)] * len(told)
    last: bool | None = None
    for index, flag in enumerate(told):
        last = told[index] = last if flag is None else flag
    for index in reversed(range(len(told))):
        last = told[index] = last if told[index] is None else told[index]
    flags = [bool(flag) for flag in told]
    if not _lasting(flags):
        return [True] * len(flags)
    # What covers a word often ends inside a character.
    for order in (range(1, len(flags)), range(len(flags) - 2, -1, -1)):
        for index in order:
            beside = flags[index - order.step]
            flags[index] = flags[index] and (beside or not picture.is_dark(word.places[index]))
    return flags


def _middle(place: Place) -> Place:
    left, top, right, bottom = place
    height = bottom - top
    return left, top + height / 4, right, bottom - height / 4


def _lasting(flags: Sequence[bool]) -> bool:
    """Whether more than one stray character is hidden: a single faint one between seen ones is no secret."""
    return len(flags) == 1 or any(not one and not other for one, other in pairwise(flags))


# ---- scans with a text layer ---------------------------------------------------------------------


def _accompanies_scan(page: Any, size: Size, styles: Sequence[_Style]) -> bool:
    """Whether most words are invisible or lie beneath a picture that fills the page."""
    if not styles:
        return False
    order: dict[int, int] = {}
    covered, last = 0.0, -1
    for index in range(pdfium.FPDFPage_CountObjects(page)):
        for painter, is_picture in _painters(pdfium.FPDFPage_GetObject(page, index)):
            order[ctypes.addressof(painter.contents)] = index
            if is_picture:
                covered += _area(painter)
                last = index
    if covered < size.width * size.height / 2:
        return False
    beneath = sum(not style.painted or order.get(style.painter, last) < last for style in styles)
    return beneath > len(styles) / 2


def _painters(thing: Any) -> Iterator[tuple[Any, bool]]:
    kind = pdfium.FPDFPageObj_GetType(thing)
    if kind == pdfium.FPDF_PAGEOBJ_FORM:
        for index in range(pdfium.FPDFFormObj_CountObjects(thing)):
            inner = pdfium.FPDFFormObj_GetObject(thing, index)
            yield inner, False
            if pdfium.FPDFPageObj_GetType(inner) == pdfium.FPDF_PAGEOBJ_IMAGE:
                yield thing, True
    else:
        yield thing, kind == pdfium.FPDF_PAGEOBJ_IMAGE


def _area(thing: Any) -> float:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
        return 0.0
    return abs(right.value - left.value) * abs(top.value - bottom.value)
