"""A run's review as one page for mailing: nothing to load, nothing to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extractor.review import pages
from extractor.review.log import now
from extractor.review.queue import Query

if TYPE_CHECKING:
    from extractor.review.review import Desk

# Mail limits the size of a page; further letters get one line each.
MOST_LETTERS = 100


def sheet(desk: Desk, most: int = MOST_LETTERS) -> str:
    """The page: flagged and reviewed letters with their text, what needs a person first; the others in a table."""
    detailed = [entry for entry in desk.queue.entries if entry.flagged or desk.state(entry).live][:most]
    keys = {entry.key for entry in detailed}
    return pages.sheet(
        title=f"Review of {desk.folder.name}",
        folder=desk.folder.name or str(desk.folder.resolve()),
        at=now(),
        overall=desk.queue.counts(Query(part="all"), desk.part),
        letters=[pages.sheet_letter(desk.kind, desk.letter_of(entry)) for entry in detailed],
        others=[entry for entry in desk.queue.entries if entry.key not in keys],
    )
