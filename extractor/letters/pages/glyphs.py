"""The words of a PDF page, character by character, with their boxes, and which of them are visible.

Only the library's per-character functions are used, not its text extraction, so that characters and
boxes always correspond.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from extractor.errors import LetterError
from extractor.letters.documents import Size
from extractor.letters.pages.ink import Picture, Place
from extractor.letters.pages.layout import TextRun
from extractor.letters.pages.sight import Look, ToDisplay, Token, painting, styles_of

# More than any page of a letter holds (about 3,000); a page with more is not a letter.
MOST_CHARACTERS = 200_000
# A character further from the one before than so many line heights begins a new word.
_FAR = 1.0
_GRID = 1_000_000
# A hyphen at a line's end arrives as one of the first two; whether it belongs to the word is not guessed.
_SPELLED = {0x02: "-", 0xFFFE: "-", 0x00: "\ufffd"}
_PRINTABLE = {code: chr(code) for code in range(0x21, 0x7F)}
_DROPPED = {0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF}


class Layer(NamedTuple):
    """The words of a page in points of the page turned by ``turned`` quarters, so that most text is upright.

    ``under_scan``: the words only accompany a picture of the page, as scanner software adds them;
    ``dpi`` are the dots an inch of the largest picture on it, 0 for none.
    """

    size: Size
    runs: list[TextRun]
    turned: int
    under_scan: bool
    dpi: float


def read_layer(page: Any, size: Size, picture: Picture) -> Layer:
    """The words of a page whose displayed size is ``size`` and whose look is ``picture``.

    Raises ``LetterError`` with code ``too_large`` for a page with absurdly many characters.
    """
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise LetterError("a page cannot be read", code="damaged", hint="export the letter again")
    try:
        to_display = _to_display(page, size)
        words = list(_words(text_page, to_display))
        styles = list(styles_of(text_page, words))
        page_turned = pdfium.FPDFPage_GetRotation(page)
        turns = [(_turn(text_page, word.first) + page_turned) % 4 for word in words]
        look = Look(page, picture, size, *painting(page, to_display))
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    weight: Counter[int] = Counter()
    for word, turn in zip(words, turns, strict=True):
        weight[turn] += len(word.characters)
    main = weight.most_common(1)[0][0] if weight else 0
    under_scan = look.accompanied_by(words, styles)
    runs = []
    for word, style, turn in zip(words, styles, turns, strict=True):
        for run in look.visible_on_scan(word, turn) if under_scan else look.visible(word, style, turn):
            runs.append(turned(run, main, size)._replace(turn=(turn - main) % 4) if main or turn else run)
    largest = max(look.pictures, key=lambda each: each.area, default=None)
    upright = Size(size.height, size.width, main) if main % 2 else size._replace(turned=main)
    return Layer(upright, runs, main, under_scan, largest.dpi if largest else 0.0)


def turned(run: TextRun, quarters: int, size: Size) -> TextRun:
    """``run`` on its page of ``size`` turned back by so many quarters (text turned clockwise becomes upright)."""
    left, top, right, bottom = run.left, run.top, run.right, run.bottom
    width, height = size.width, size.height
    for _ in range(quarters % 4):
        left, top, right, bottom = top, width - right, bottom, width - left
        width, height = height, width
    return run._replace(left=left, top=top, right=right, bottom=bottom)


# ---- characters ----------------------------------------------------------------------------------


def _words(text_page: Any, to_display: ToDisplay) -> Iterator[Token]:
    count = pdfium.FPDFText_CountChars(text_page)
    if count > MOST_CHARACTERS:
        raise LetterError(
            f"a page holds {count:,} characters; {MOST_CHARACTERS:,} are read",
            code="too_large",
            hint="this is hardly a letter; print it to a new PDF if it is",
        )
    unicode_at, box_at, box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox, pdfium.FS_RECTF()
    word: Token | None = None
    high = 0
    for index in range(count):
        code = unicode_at(text_page, index)
        character = _PRINTABLE.get(code)
        if character is None:
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
        elif high:
            high = 0
        box_at(text_page, index, box)
        place = to_display(box.left, box.bottom, box.right, box.top)
        if word and _is_far(word.places[-1], place):
            yield word
            word = None
        if word is None:
            word = Token(index, [], [])
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


def _to_display(page: Any, size: Size) -> ToDisplay:
    """From boxes as the library gives them to places on the page as displayed: cropped, turned, y down."""

    def point(x: float, y: float) -> tuple[float, float]:
        at_x, at_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, _GRID, _GRID, 0, x, y, at_x, at_y)
        return at_x.value * size.width / _GRID, at_y.value * size.height / _GRID

    # Three corners of a large square define the whole mapping; page boxes are turned by quarters only.
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
