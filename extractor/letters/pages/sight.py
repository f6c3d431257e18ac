"""Which characters of a page are visible: painted, large enough, on the page, and in ink that contrasts.

A file's text may be white, hidden behind a picture or under a black bar. Invisible text is not part of the letter.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from extractor.letters.documents import Size
from extractor.letters.pages.ink import Picture, Place, picture_of
from extractor.letters.pages.layout import TextRun

# Text smaller than this (in points) is not meant to be read.
_SMALLEST = 2.5
# Fills with every color above this are light, visible only on something dark; with less alpha they are invisible.
_LIGHT = 200
_FAINTEST = 26
_FILLING_MODES = {0, 4}
_INVISIBLE_MODES = {3, 7}
# Words that are not painted belong to the ink under them if nearly all have some.
_OVER_INK = 0.9

# From left, bottom, right, top of a box as the library gives it.
ToDisplay = Callable[[float, float, float, float], Place]


@dataclass
class Token:
    """Characters between two blanks: what they are, where, and the number of the first on its page."""

    first: int
    characters: list[str]
    places: list[Place]

    @cached_property
    def place(self) -> Place:
        """The box around all characters; to be called when there are no more to come."""
        lefts, tops, rights, bottoms = zip(*self.places, strict=True)
        return min(lefts), min(tops), max(rights), max(bottoms)


class Style(NamedTuple):
    """How a word is painted: by which object, whether at all, and whether in a light color."""

    painter: int
    painted: bool = True
    light: bool = False


def styles_of(text_page: Any, words: Sequence[Token]) -> Iterator[Style]:
    """How each word is painted, judged by its first character."""
    known: dict[int, Style] = {}
    for word in words:
        painter = pdfium.FPDFText_GetTextObject(text_page, word.first)
        address = ctypes.addressof(painter.contents) if painter else 0
        if address not in known:
            known[address] = _style(painter, address) if painter else Style(0)
        yield known[address]


def _style(painter: Any, address: int) -> Style:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    has_color = pdfium.FPDFPageObj_GetFillColor(painter, red, green, blue, alpha)
    mode = pdfium.FPDFTextObj_GetTextRenderMode(painter)
    faint = bool(has_color) and alpha.value < _FAINTEST
    light = bool(has_color) and mode in _FILLING_MODES and min(red.value, green.value, blue.value) > _LIGHT
    return Style(address, mode not in _INVISIBLE_MODES and not faint, light)


def whole(word: Token) -> TextRun:
    """A word as one run."""
    return TextRun("".join(word.characters), *word.place)


class Painted(NamedTuple):
    """A picture on a page: its number in painting order, its position, and its dots per inch."""

    number: int
    place: Place
    dpi: float

    @property
    def area(self) -> float:
        left, top, right, bottom = self.place
        return (right - left) * (bottom - top)


@dataclass
class Look:
    """A page as it looks: its picture, in which order its objects are painted, and which of them are pictures.

    ``order`` numbers objects by their address.
    """

    page: Any
    picture: Picture
    size: Size
    order: Mapping[int, int]
    pictures: Sequence[Painted]

    def accompanied_by(self, words: Sequence[Token], styles: Sequence[Style]) -> bool:
        """Whether the words only accompany what the page shows: a picture that fills it, or letters drawn as lines.

        Then most of them are not painted, or are under that picture.
        """
        if not styles:
            return False
        if sum(picture.area for picture in self.pictures) >= self.size.width * self.size.height / 2:
            last = max(picture.number for picture in self.pictures)
            under = sum(not style.painted or self.order.get(style.painter, last) < last for style in styles)
            return under > len(styles) / 2
        unpainted = [word.place for word, style in zip(words, styles, strict=True) if not style.painted]
        if len(unpainted) <= len(styles) / 2:
            return False
        return sum(map(self.picture.differs, unpainted)) > _OVER_INK * len(unpainted)

    def visible(self, word: Token, style: Style, turn: int) -> list[TextRun]:
        """A word as one run, or, if part of it is invisible, runs for the visible parts and holes for the rest.

        Words that are painted but not visible are under something: they were redacted.
        """
        run = whole(word)
        if self._is_invisible(word.place, style, turn):
            return [run._replace(text="", hidden=run.text)]
        if self._is_under_picture(word.place, style):
            return [run._replace(text="", hidden=run.text, covered=True)]
        flags = _flags(word, turn, self.picture)
        if all(flags):
            return [run]
        return [
            part if visible else part._replace(text="", hidden=part.text, covered=not style.light)
            for part, visible in _parts(word, flags)
        ]

    def visible_on_scan(self, word: Token, turn: int) -> list[TextRun]:
        """The same for a word that only accompanies a scan: never painted, and maybe slightly off its ink.

        So only words under something dark count as covered.
        """
        flags = _flags(word, turn, self.picture)
        if all(flags):
            return [whole(word)]
        return [
            part._replace(text="", hidden=part.text, covered=True)
            if not visible and self.picture.is_dark(part[1:5])
            else part
            for part, visible in _parts(word, flags)
        ]

    def _is_invisible(self, place: Place, style: Style, turn: int) -> bool:
        """Whether a word is off the page, too small, not painted, or light on light."""
        left, top, right, bottom = place
        low = right - left if turn % 2 else bottom - top
        if right <= 0 or bottom <= 0 or left >= self.size.width or top >= self.size.height or low < _SMALLEST:
            return True
        return not style.painted or (style.light and not self.picture.is_dark(place))

    def _is_under_picture(self, place: Place, style: Style) -> bool:
        """Whether a picture covers a word and is opaque; a signature is not."""
        number = self.order.get(style.painter, len(self.order))
        if not any(number < over.number and _holds(over.place, place) for over in self.pictures):
            return False
        return self.picture.part(place) == self.without_text.part(place)

    @cached_property
    def without_text(self) -> Picture:
        """The page drawn without any of its text."""
        texts = [
            painter
            for number in range(pdfium.FPDFPage_CountObjects(self.page))
            for painter in _painters(pdfium.FPDFPage_GetObject(self.page, number))
            if pdfium.FPDFPageObj_GetType(painter) == pdfium.FPDF_PAGEOBJ_TEXT
        ]
        for text in texts:
            pdfium.FPDFPageObj_SetIsActive(text, False)
        try:
            return picture_of(self.page, self.size.width, self.size.height)
        finally:
            for text in texts:
                pdfium.FPDFPageObj_SetIsActive(text, True)


def _parts(word: Token, flags: Sequence[bool]) -> Iterator[tuple[TextRun, bool]]:
    """The pieces of a word, visible or not, in order."""
    for visible, group in groupby(range(len(flags)), key=flags.__getitem__):
        indices = list(group)
        yield whole(Token(0, [word.characters[i] for i in indices], [word.places[i] for i in indices])), visible


def _holds(outer: Place, inner: Place) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def _flags(word: Token, turn: int, picture: Picture) -> list[bool]:
    """For each character whether it is visible. A dot or dash counts as its neighbors do: it has too little ink."""
    quick = [False] * len(word.places) if turn % 2 else picture.visible(word.places)
    known = [visible for character, visible in zip(word.characters, quick, strict=True) if character.isalnum()]
    if known and all(known):
        return [True] * len(quick)
    flags_known = [
        visible or picture.differs(place if turn % 2 else _middle(place)) if character.isalnum() else None
        for character, place, visible in zip(word.characters, word.places, quick, strict=True)
    ]
    if False not in flags_known and True in flags_known:
        return [True] * len(flags_known)
    if not any(flag is not None for flag in flags_known):
        return [picture.differs(word.place)] * len(flags_known)
    last: bool | None = None
    for index, flag in enumerate(flags_known):
        last = flags_known[index] = last if flag is None else flag
    for index in reversed(range(len(flags_known))):
        last = flags_known[index] = last if flags_known[index] is None else flags_known[index]
    flags = [bool(flag) for flag in flags_known]
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
    """Whether more than one stray character is hidden: a single faint one between visible ones is an accident."""
    return len(flags) == 1 or any(not one and not other for one, other in pairwise(flags))


# ---- what is painted over what ---------------------------------------------------------------------


def painting(page: Any, to_display: ToDisplay) -> tuple[dict[int, int], list[Painted]]:
    """The objects of a page in the order in which they are painted, and the pictures among them."""
    order: dict[int, int] = {}
    pictures: list[Painted] = []
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        thing = pdfium.FPDFPage_GetObject(page, number)
        for painter in _painters(thing):
            order[ctypes.addressof(painter.contents)] = number
            is_picture = pdfium.FPDFPageObj_GetType(painter) == pdfium.FPDF_PAGEOBJ_IMAGE
            if is_picture and (place := _bounds(thing, to_display)):
                pictures.append(Painted(number, place, _resolution(painter, place)))
    return order, pictures


def _resolution(picture: Any, place: Place) -> float:
    """Dots an inch of a picture, the finer ones where a fax has two kinds; 0 where unknown."""
    across, down = ctypes.c_uint(), ctypes.c_uint()
    left, top, right, bottom = place
    if not pdfium.FPDFImageObj_GetImagePixelSize(picture, across, down) or right <= left or bottom <= top:
        return 0.0
    return 72 * max(across.value / (right - left), down.value / (bottom - top))


def _painters(thing: Any) -> Iterator[Any]:
    """What an object paints with: itself, or the objects of a form."""
    if pdfium.FPDFPageObj_GetType(thing) != pdfium.FPDF_PAGEOBJ_FORM:
        yield thing
        return
    for index in range(pdfium.FPDFFormObj_CountObjects(thing)):
        yield pdfium.FPDFFormObj_GetObject(thing, index)


def _bounds(thing: Any, to_display: ToDisplay) -> Place | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
        return None
    return to_display(left.value, bottom.value, right.value, top.value)
