"""Mistakes that models make on IMR letters, planted one at a time in correct answers.

Each planter yields copies of an answer with one mistake. Changes that are not mistakes are not planted: a
page that the other side cites too, a quote found in both rationales, equal headings swapped.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from extractor.letters.spans import fold
from extractor.lettertypes.lettertype import Mistake, Planter
from extractor.lettertypes.reading import Reading

from .lock_planters import (
    date_printed_nowhere,
    page_printed_nowhere,
    page_range_backwards,
    verdict_cut_at_its_end,
    verdict_cut_at_its_start,
)
from .planting import LIST, RECORD, SIDES, VALUE, Answer, changed, decisions, page_lists, single

# ---- outcomes and decisions ------------------------------------------------------------------


def decision_invented_from_summary(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    summary = reading.root.regions.get("summary")
    words = summary.of(reading.letter.body).split() if summary else []
    if len(words) > 12:
        invented = {**copy.deepcopy(answer["decisions"][-1]), "item": " ".join(words[6:10]).strip(".,;")}
        yield changed(answer, "/decisions", [*answer["decisions"], invented], RECORD)


# ---- pages -----------------------------------------------------------------------------------


def page_of_the_same_letter(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    every = {page["first"] for _, pages, _ in page_lists(answer) for page in pages}
    for path, pages, _ in page_lists(answer):
        for i, page in enumerate(pages):
            for other in sorted(every - {p["first"] for p in pages}):
                pages_now = [*pages[:i], single(other), *pages[i + 1 :]]
                yield changed(answer, path, pages_now, LIST)
            yield changed(answer, path, [*pages[:i], single(page["first"] + 1), *pages[i + 1 :]], LIST)


def pages_of_another_decision(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    lists = list(page_lists(answer))
    for path, pages, _ in lists:
        for other_path, other, _ in lists:
            if other != pages and path.split("/")[2] != other_path.split("/")[2]:
                yield changed(answer, path, other, LIST)


def sides_swapped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, i in decisions(answer):
        first, second = (one[side]["citations"] for side in SIDES)
        if first and second and first[0]["pages"] != second[0]["pages"]:
            made = copy.deepcopy(dict(answer))
            sides = [made["decisions"][i][side]["citations"][0] for side in SIDES]
            sides[0]["pages"], sides[1]["pages"] = sides[1]["pages"], sides[0]["pages"]
            paths = tuple(f"{path}/{side}/citations/0/pages" for side in SIDES)
            yield Mistake(made, paths, LIST)


def range_end_lost(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, pages, _ in page_lists(answer):
        for i, page in enumerate(pages):
            if page["last"] != page["first"]:
                yield changed(answer, path, [*pages[:i], single(page["first"]), *pages[i + 1 :]], LIST)


def range_widened(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, pages, _ in page_lists(answer):
        for i, page in enumerate(pages):
            wider = {"first": page["first"], "last": page["last"] + 2}
            yield changed(answer, path, [*pages[:i], wider, *pages[i + 1 :]], LIST)


def other_number_as_page(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    """A chapter, a year or a section number taken for a page."""
    for path, pages, citation in page_lists(answer):
        known = {page["first"] for page in pages}
        for number in re.findall(r"(?<![\d.])\d{1,4}(?![\d.])", " ".join([citation["title"], *citation["sections"]])):
            if int(number) > 0 and int(number) not in known:
                yield changed(answer, path, [*pages, single(int(number))], LIST)


def rationale_page_as_paragraph_page(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for side in SIDES:
            for k, citation in enumerate(one[side]["citations"]):
                for page in one["rationale_pages"]:
                    if page not in citation["pages"]:
                        where = f"{path}/{side}/citations/{k}/pages"
                        yield changed(answer, where, [*citation["pages"], page], LIST)


# ---- citations -------------------------------------------------------------------------------


def citation_title_of_the_other_paragraph(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for side, other in (SIDES, SIDES[::-1]):
            own = {fold(citation["title"]) for citation in one[side]["citations"]}
            for k in range(len(one[side]["citations"])):
                for citation in one[other]["citations"]:
                    if fold(citation["title"]) not in own:
                        where = f"{path}/{side}/citations"
                        title = citation["title"]
                        yield changed(answer, f"{where}/{k}/title", title, VALUE | RECORD, where)


# ---- quotes ----------------------------------------------------------------------------------

_QUOTES = ("verdict", "reason_quote")
_NEGATION = re.compile(r"\bnot\s+|\bnon-?(?=certif)|\bno\s+", re.IGNORECASE)


def quote_glued_from_two_places(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        words = (one["verdict"] or "").split()
        if len(words) > 6:
            yield changed(answer, f"{path}/verdict", " ".join(words[:3] + words[4:]), VALUE)


def _where_read(planter: Planter) -> Planter:
    """Parts that the reader cannot parse need review in any case, so there is nothing to catch."""
    return lambda answer, reading: (
        mistake for mistake in planter(answer, reading) if all(map(reading.took_apart, mistake.paths))
    )


PLANTERS: dict[str, Planter] = {
    planter.__name__: _where_read(planter)
    for planter in (
        decision_invented_from_summary, page_of_the_same_letter, pages_of_another_decision, sides_swapped, range_end_lost, range_widened, other_number_as_page, rationale_page_as_paragraph_page, citation_title_of_the_other_paragraph, quote_glued_from_two_places, verdict_cut_at_its_start, verdict_cut_at_its_end, page_printed_nowhere, page_range_backwards, date_printed_nowhere,
    )
}  # fmt: skip
