"""Mistakes that need no reader to be caught: they must be caught where it is certain of nothing.

Pages and dates that their section does not print, ranges that run backwards, verdicts cut inside
their sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from extractor.lettertypes.lettertype import Mistake
from extractor.lettertypes.reading import Reading, find_dates

from .planting import CUT, LIST, SIDES, VALUE, Answer, changed, dates, decisions


def verdict_cut_at_its_start(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, words in _verdicts(answer):
        for skipped in (1, 2):
            yield changed(answer, f"{path}/verdict", " ".join(words[skipped:]), CUT)


def verdict_cut_at_its_end(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, words in _verdicts(answer):
        yield changed(answer, f"{path}/verdict", " ".join(words[:-1]).rstrip(".,;"), CUT)


def _verdicts(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """Verdicts long enough to be cut, as words."""
    for path, one, _ in decisions(answer):
        words = (one["verdict"] or "").split()
        if len(words) > 5:
            yield path, words


def page_printed_nowhere(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    """Every page of a list shifted to one that its section does not print."""
    for path, pages, section in _printed_lists(answer, reading):
        for i, page in enumerate(pages):
            shifted = {"first": page["first"] + 7, "last": page["last"] + 7}
            if not any(re.search(rf"(?<!\d){number}(?!\d)", section) for number in shifted.values()):
                shifted_list = [*pages[:i], shifted, *pages[i + 1 :]]
                yield replace(changed(answer, path, shifted_list, LIST | {"not_in_text"}), uncertain=True)


def page_range_backwards(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, pages, _ in _printed_lists(answer, reading):
        for i, page in enumerate(pages):
            if page["first"] != page["last"]:
                backwards = [*pages[:i], {"first": page["last"], "last": page["first"]}, *pages[i + 1 :]]
                yield replace(changed(answer, path, backwards, LIST | {"not_in_text"}), uncertain=True)


def date_printed_nowhere(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    regions = reading.root.regions
    for path, day in dates(answer):
        region = regions.get("header" if path.startswith("/header") else "summary")
        printed = {found.value for found in find_dates(reading.letter.body, region)} if region else set()
        for days in (-7, 7):
            other = day + timedelta(days)
            if other not in printed:
                yield replace(changed(answer, path, other.isoformat(), VALUE), uncertain=True)


def _printed_lists(answer: Answer, reading: Reading) -> Iterator[tuple[str, list[dict[str, int]], str]]:
    """(path, pages, text of the section) of every list of pages whose section the reader knows."""
    text, blocks = reading.letter.body, reading.root.blocks["decisions"]
    for (path, one, _), block in zip(decisions(answer), blocks, strict=False):
        if rationale := block.regions.get("rationale"):
            yield f"{path}/rationale_pages", one["rationale_pages"], rationale.of(text)
        for side in SIDES:
            inner = block.blocks[side][0].blocks.get("citations", ()) if side in block.blocks else ()
            for k, (citation, its_block) in enumerate(zip(one[side]["citations"], inner, strict=False)):
                section = its_block.regions["citation"].of(text)
                yield f"{path}/{side}/citations/{k}/pages", citation["pages"], section
