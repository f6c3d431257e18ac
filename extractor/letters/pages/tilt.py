"""How much a scanned page is tilted, and the page straightened: Tesseract loses dates from two degrees on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from PIL import Image, ImageFilter

# Degrees: how far a page is looked at.
_MOST = 6.0
# Steps by which the tilt is approached, each around the best one before.
_STEPS = (1.0, 0.5, 0.25, 0.1)
# Pixels across in which lines are still apart.
_ACROSS = 640
_INK = 160
# The share of a page of print that is ink is far below this.
_MOST_INK = 0.5
# A tilt is believed if the lines are so much more distinct than without it.
_CLEARER = 1.1
# A picture of two tones: the share of pixels in between.
_BETWEEN = 0.02
_SOFT = 0.9


def tilt_of(image: Image.Image) -> float:
    """Degrees by which the lines of a gray page rise to the right, from -6 to 6; 0 where it has none to measure.

    The rows of a straight page are either full of ink or empty; pages that lie on their side are measured by columns.
    """
    small = image.resize((_ACROSS, max(1, image.height * _ACROSS // image.width)), Image.Resampling.BOX)
    ink = small.point(lambda value: 255 * (value < _INK))
    if ink.histogram()[255] > _MOST_INK * ink.width * ink.height:
        return 0.0
    known: dict[float, float] = {}

    def clearness(angle: float) -> float:
        if angle not in known:
            known[angle] = _clearness(ink.rotate(-angle))
        return known[angle]

    best = max(_around(0.0, _MOST, _STEPS[0]), key=clearness)
    for step, before in zip(_STEPS[1:], _STEPS, strict=False):
        best = max(_around(best, before, step), key=clearness)
    return best if clearness(best) > _CLEARER * clearness(0.0) else 0.0


def _around(middle: float, reach: float, step: float) -> Iterator[float]:
    count = round(reach / step)
    yield from (round(middle + number * step, 3) for number in range(-count, count + 1))


def _clearness(ink: Image.Image) -> float:
    """How much the ink of rows, or that of columns, differs from one to the next."""
    across = ink.resize((1, ink.height), Image.Resampling.BOX).tobytes()
    down = ink.resize((ink.width, 1), Image.Resampling.BOX).tobytes()
    return max(sum((one - other) ** 2 for one, other in pairwise(sums)) / len(sums) for sums in (across, down))


def straightened(image: Image.Image, tilt: float) -> Image.Image:
    """A gray page turned back by ``tilt`` degrees, of the same size. Two tones are softened first: else edges fray."""
    tones = image.histogram()
    if sum(tones[32:224]) < _BETWEEN * sum(tones):
        image = image.filter(ImageFilter.GaussianBlur(_SOFT))
    return image.rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=255)
