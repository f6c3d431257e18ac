"""Pictures of a letter's pages, for a person to look at."""

from __future__ import annotations

from extractor.errors import LetterError
from extractor.letters.formats.kinds import kind_of
from extractor.letters.places.contents import bytes_at, place_of
from extractor.letters.places.sources import LetterFile
from extractor.letters.workers.processes import draw_in_process

_DRAWN = ("pdf", "image")


def page_picture(file: LetterFile, page: int, turned: int = 0) -> bytes:
    """A 0-based page of the PDF or picture files that hold a letter, as PNG, upright and in gray.

    ``page`` counts through all its files, also pages of other letters in them; ``turned`` is that of ``Size``.
    Drawn in a worker process. Raises ``LetterError``: as for reading, and ``no_page`` where there is none.
    """
    for place in (place_of(file), *file.rest):
        data, name = bytes_at(place), str(place)
        kind = kind_of(data, name)
        if kind not in _DRAWN:
            raise LetterError(f"{name} has no pages that can be drawn", code="no_page", hint="read its text")
        drawn, pages = draw_in_process(kind, data, name, page, turned)
        if drawn:
            return drawn
        page -= pages
    raise LetterError(f"{place_of(file)} has no such page", code="no_page", hint="it may have changed; run again")
