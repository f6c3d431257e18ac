"""Tilted scans: how much, straightened, and where their words are on the page as it was scanned."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from extractor.letters.documents import Size
from extractor.letters.pages.layout import Sheet, TextRun, document_of
from extractor.letters.pages.tilt import straightened, tilt_of

SIZE = (850, 1100)


def page(tones: int = 256) -> Image.Image:
    """A page of lines of words, as black bars, at 100 dots an inch."""
    image = Image.new("L", SIZE, 255)
    draw = ImageDraw.Draw(image)
    for line in range(40):
        for word in range(9 - line % 3):
            left = 90 + word * 75
            draw.rectangle((left, 100 + line * 22, left + 40 + (7 * word + line) % 25, 110 + line * 22), fill=0)
    return image if tones > 2 else image.convert("1").convert("L")


def tilted(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)


@pytest.mark.parametrize("degrees", [0.0, 0.5, -0.7, 1.0, 2.0, -3.0, 5.0])
@pytest.mark.parametrize("quarter", [None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180])
def test_a_tilt_is_measured_also_on_pages_that_are_turned(degrees: float, quarter: Image.Transpose | None) -> None:
    scanned = tilted(page(), degrees)
    found = tilt_of(scanned if quarter is None else scanned.transpose(quarter))
    assert found == pytest.approx(degrees, abs=0.15)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_page_without_lines_has_no_tilt(shade: int) -> None:
    assert tilt_of(Image.new("L", SIZE, shade)) == 0.0


@pytest.mark.parametrize("tones", [2, 256])
def test_a_straightened_page_has_no_tilt_left(tones: int) -> None:
    scanned = tilted(page(tones), 2.0)
    assert abs(tilt_of(straightened(scanned, 2.0))) <= 0.1


@pytest.mark.parametrize("degrees", [-4.0, 0.0, 2.0])
@pytest.mark.parametrize(("left", "top"), [(100, 150), (600, 150), (120, 900), (640, 880)])
def test_a_words_box_is_where_the_scan_has_its_ink(degrees: float, left: int, top: int) -> None:
    scanned = Image.new("L", SIZE, 255)
    ImageDraw.Draw(scanned).rectangle((left, top, left + 60, top + 12), fill=0)
    ink = tilted(scanned, degrees).point(lambda value: 255 * (value < 128)).getbbox()
    assert ink is not None
    run = TextRun("word", left, top, left + 60, top + 12)
    [word] = document_of([Sheet(Size(*map(float, SIZE)), [run], is_scan=True, tilt=degrees)]).words
    x, y = (word.box.left + word.box.right) / 2 * SIZE[0], (word.box.top + word.box.bottom) / 2 * SIZE[1]
    assert (x, y) == pytest.approx(((ink[0] + ink[2]) / 2, (ink[1] + ink[3]) / 2), abs=1.5)
