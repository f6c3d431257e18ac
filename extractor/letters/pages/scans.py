"""A picture of a page into a sheet of words, and what a person should know of how sure that is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from PIL import Image, ImageChops, ImageFilter

from extractor.letters.documents import Document, Note, Size
from extractor.letters.pages.glyphs import turned
from extractor.letters.pages.layout import Sheet
from extractor.letters.pages.tesseract import Recognized, recognized
from extractor.letters.pages.tilt import straightened, tilt_of

# Degrees from which a page is straightened.
LEAST_TILT = 0.5
# Mean confidence of a page's words. Measured: from 93 on at most 1.3 % of the characters are wrong;
# 85 to 90 means 3 to 5 %, and below 85 no page can be trusted.
GOOD = 93.0
POOR = 85.0
# Digits read with less confidence than this are wrong in one case of four.
SURE_DIGITS = 90.0
# Below this resolution (dots an inch) the filters take strokes away with the speckles.
_FILTERABLE = 150
# The mean of nine dots, one of which is black, of twenty-five, two of which are, and of forty-nine.
_LONE_DOT = 226
_LONE_PAIR = 234
_LONELY = 244
# The share of lonely dots from which a page is speckled. Measured: none in clean print, 0.0003 in copies of copies,
# whose thin strokes are broken, and 0.003 where one dot in 250 is wrong.
_SPECKLED = 0.0006
_WHITE, _PALE, _DARK = 245, 200, 190
# A word or two on a page; a blank page has less.
_LEAST_INK = 0.00005
_STRIP = 200
_DIGIT = re.compile(r"\d")


def _enlarged(image: Image.Image) -> Image.Image:
    clean = image.filter(ImageFilter.MedianFilter(3))
    return clean.resize((clean.width * 3 // 2, clean.height * 3 // 2), Image.Resampling.BICUBIC)


# What is tried on a page that reads badly: against specks, against thin strokes (a copy of a copy), against
# the steps of a fax. Each helps its own kind of page and harms the others; confidence decides which helped.
_CURES: tuple[tuple[float, Callable[[Image.Image], Image.Image]], ...] = (
    (GOOD, lambda image: image.filter(ImageFilter.MedianFilter(3))),
    (GOOD, lambda image: image.filter(ImageFilter.MinFilter(3))),
    (GOOD, lambda image: image.filter(ImageFilter.GaussianBlur(0.7))),
    (POOR, _enlarged),
)


def read_scan(image: Image.Image, dpi: int, alive: Callable[[], None]) -> Sheet:
    """The words of a gray picture of one page, at ``dpi`` dots an inch.

    A tilted page is straightened first. A page that reads badly is read again with each cure until it reads well;
    the best try counts.
    """
    filterable = dpi >= _FILTERABLE
    if filterable and _on_white_paper(image) and is_speckled(image):
        image = cleaned(image)
    if filterable and not _has_ink(image):
        return _sheet(Recognized([], 0), image, dpi, 1.0)
    tilt = tilt_of(image)
    if abs(tilt) >= LEAST_TILT:
        image = straightened(image, tilt)
    else:
        tilt = 0.0
    best, scale = recognized(image, dpi), 1.0
    alive()
    # Print that lies on its side or upside down is read with a confidence of 30 to 45.
    if turned_over := best.confidence < POOR:
        words = recognized(image, dpi, any_side_up=True)
        alive()
        if turned_over := _surely_read(words) > _surely_read(best):
            best = words
    for enough, cure in _CURES if filterable else ():
        if best.confidence >= enough:
            continue
        cured = cure(image)
        words = recognized(cured, round(dpi * cured.width / image.width), any_side_up=turned_over)
        alive()
        if _surely_read(words) > _surely_read(best):
            best, scale = words, cured.width / image.width
    sheet = replace(_sheet(best, image, dpi, scale), tilt=tilt)
    if best.runs:
        return sheet
    lost = Note("unread_page", "something is on this page, and OCR found no words in it", severity="error")
    return replace(sheet, notes=(lost,))


def despeckled(image: Image.Image) -> Image.Image:
    """A gray picture without isolated black dots; anything two dots large stays."""
    return _without_lone(image, 1, _LONE_DOT)


def cleaned(image: Image.Image) -> Image.Image:
    """The same without isolated pairs of dots either: OCR loses periods among them.

    A full stop is three dots large in the smallest print at the lowest resolution that is filtered.
    """
    return _without_lone(despeckled(image), 2, _LONE_PAIR)


def _without_lone(image: Image.Image, radius: int, lightest: int) -> Image.Image:
    """Whiten small isolated specks of ink; pale halos, as JPEG leaves them, do not count as ink."""
    ink = image.point(lambda value: 255 if value >= _PALE else value)
    alone = ink.filter(ImageFilter.BoxBlur(radius)).point(lambda value: 255 * (lightest <= value < 255))
    clean = image.copy()
    clean.paste(255, (0, 0, *image.size), alone)
    return clean


def is_speckled(image: Image.Image) -> bool:
    """Whether there are dots far from any print. If not, those near print belong to its thin strokes."""
    ink = image.point(lambda value: 255 if value >= _PALE else value)
    lonely = ink.filter(ImageFilter.BoxBlur(3)).point(lambda value: 255 * (value >= _LONELY))
    dark = ink.point(lambda value: 255 * (value < _PALE))
    return ImageChops.darker(lonely, dark).histogram()[255] > image.width * image.height * _SPECKLED


def _on_white_paper(image: Image.Image) -> bool:
    """Whether most of a picture is white. In grain, no dot is isolated."""
    return sum(image.histogram()[_WHITE:]) > image.width * image.height / 2


def _has_ink(image: Image.Image) -> bool:
    """Whether there is anything on the page besides specks. The filter is slow: most pages need it for a strip only."""
    wanted, dark = image.width * image.height * _LEAST_INK, 0
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        dark += sum(strip.filter(ImageFilter.MedianFilter(3)).histogram()[:_DARK])
        if dark > wanted:
            return True
    return False


def _surely_read(words: Recognized) -> float:
    """Characters read, weighted by their word's confidence: an attempt that reads little is no improvement."""
    return sum(len(run.text) * ((run.confidence or 0.0) / 100) ** 2 for run in words.runs)


def _sheet(words: Recognized, image: Image.Image, dpi: int, scale: float) -> Sheet:
    """The sheet in points, upright."""
    unit = 72 / dpi
    scanned = Size(image.width * unit, image.height * unit)
    runs = []
    for run in words.runs:
        left, top, right, bottom = (pixels * unit / scale for pixels in run[1:5])
        placed = run._replace(left=left, top=top, right=right, bottom=bottom)
        runs.append(turned(placed, words.turned, scanned))
    size = (
        Size(scanned.height, scanned.width, words.turned) if words.turned % 2 else scanned._replace(turned=words.turned)
    )
    return Sheet(size, runs, tuple(_notes(words)), is_scan=True)


def _notes(words: Recognized) -> Iterator[Note]:
    if words.runs and words.confidence < POOR:
        message = f"a poor scan: OCR confidence in this page's words is {words.confidence:.0f} %, below {POOR:.0f} %"
        yield Note("poor_scan", message, severity="error")
    if words.turned:
        degrees = (4 - words.turned) % 4 * 90
        message = f"the page is turned; it was read after turning it clockwise by {degrees} degrees"
        yield Note("turned_page", message, severity="info")


def with_unsure_digits(document: Document) -> Document:
    """The document with a note on each word that has digits with low OCR confidence."""
    notes = [
        Note("unsure_digits", f"OCR confidence in these digits is only {word.confidence:.0f} %", word.span)
        for word in document.words
        if word.confidence is not None
        and word.confidence < SURE_DIGITS
        and _DIGIT.search(document.text, word.span.start, word.span.end)
    ]
    if not notes:
        return document
    return replace(document, notes=(*document.notes, *notes))
