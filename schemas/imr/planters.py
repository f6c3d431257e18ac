"""Mistakes that models make on IMR letters, planted one at a time in true answers.

Each planter yields copies of an answer with one mistake. What is no mistake is not planted: a
page that the other side cites too, a quote that stands in both rationales, equal headings swapped.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import timedelta

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
from .planting import DATES, LIST, NULL, RECORD, SIDES, VALUE, Answer, changed, dates, decisions, page_lists, single
from .verdict import polarity

# ---- outcomes and decisions ------------------------------------------------------------------


def outcome_flipped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        other = "overturned" if one["outcome"] == "upheld" else "upheld"
        yield changed(answer, f"{path}/outcome", other, VALUE)


def outcome_of_another_decision(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    told = {one["outcome"] for one in answer["decisions"]}
    for path, one, _ in decisions(answer):
        for other in told - {one["outcome"]}:
            yield changed(answer, f"{path}/outcome", other, VALUE)


def decision_dropped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for _, _, i in decisions(answer):
        rest = [one for j, one in enumerate(answer["decisions"]) if j != i]
        yield changed(answer, "/decisions", rest, RECORD)


def decision_doubled(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for _, one, i in decisions(answer):
        more = [*answer["decisions"][: i + 1], one, *answer["decisions"][i + 1 :]]
        yield changed(answer, "/decisions", more, RECORD)


def decisions_merged(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for _, one, i in decisions(answer):
        if i + 1 < len(answer["decisions"]):
            following = answer["decisions"][i + 1]
            merged = {**one, "item": f"{one['item']} and {following['item']}"}
            rest = [*answer["decisions"][:i], merged, *answer["decisions"][i + 2 :]]
            yield changed(answer, "/decisions", rest, RECORD | VALUE)


def decisions_reordered(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for _, one, i in decisions(answer):
        if i + 1 < len(answer["decisions"]):
            following = answer["decisions"][i + 1]
            swapped = [*answer["decisions"][:i], following, one, *answer["decisions"][i + 2 :]]
            yield changed(answer, "/decisions", swapped, RECORD)


def decision_invented_from_summary(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    summary = reading.root.regions.get("summary")
    told = summary.of(reading.letter.body).split() if summary else []
    if len(told) > 12:
        invented = {**copy.deepcopy(answer["decisions"][-1]), "item": " ".join(told[6:10]).strip(".,;")}
        yield changed(answer, "/decisions", [*answer["decisions"], invented], RECORD)


def item_shortened(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        told = one["item"].split()
        if len(told) > 1:
            yield changed(answer, f"{path}/item", " ".join(told[:-1]), VALUE, "/decisions")
            yield changed(answer, f"{path}/item", " ".join(told[1:]), VALUE, "/decisions")


def item_of_a_neighbour(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, i in decisions(answer):
        for j in (i - 1, i + 1):
            if 0 <= j < len(answer["decisions"]) and fold(answer["decisions"][j]["item"]) != fold(one["item"]):
                other = answer["decisions"][j]["item"]
                yield changed(answer, f"{path}/item", other, VALUE | RECORD, "/decisions")


def item_number_changed(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for match in re.finditer(r"\d+", one["item"]):
            value = one["item"][: match.start()] + str(int(match[0]) + 1) + one["item"][match.end() :]
            yield changed(answer, f"{path}/item", value, VALUE, "/decisions")


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


def page_dropped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, pages, _ in page_lists(answer):
        for i in range(len(pages)):
            yield changed(answer, path, [*pages[:i], *pages[i + 1 :]], LIST)


def page_added(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, pages, _ in page_lists(answer):
        more = pages[-1]["last"] + 1 if pages else 12
        yield changed(answer, path, [*pages, single(more)], LIST | {"not_stated"})


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


# ---- dates and people ------------------------------------------------------------------------


def date_shifted_by_a_day(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, day in dates(answer):
        for days in (-1, 1):
            yield changed(answer, path, (day + timedelta(days)).isoformat(), VALUE)


def month_and_day_swapped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, day in dates(answer):
        if day.day <= 12 and day.day != day.month:
            yield changed(answer, path, day.replace(month=day.day, day=day.month).isoformat(), VALUE)


def date_of_another_field(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    known = list(dates(answer))
    for path, day in known:
        for other in sorted({value for _, value in known if value != day}):
            yield changed(answer, path, other.isoformat(), VALUE)


def age_changed(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    if (age := answer["worker"]["age"]) is not None:
        for other in (age + 1, age - 1, int(str(age)[::-1])):
            if 10 <= other <= 110 and other != age:
                yield changed(answer, "/worker/age", other, VALUE)


def sex_changed(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    if sex := answer["worker"]["sex"]:
        yield changed(answer, "/worker/sex", "male" if sex == "female" else "female", VALUE)


def credential_dropped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for name, told in answer["reviewer"].items():
        for i in range(len(told)):
            yield changed(answer, f"/reviewer/{name}", [*told[:i], *told[i + 1 :]], LIST)


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


def source_flipped(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, _, citation in page_lists(answer):
        where = path.removesuffix("pages") + "source"
        yield changed(answer, where, "mtus" if citation["source"] == "non_mtus" else "non_mtus", VALUE)


def basis_changed(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for side in SIDES:
            for basis in ("mtus", "outside_mtus", "both", "nothing"):
                if one[side]["basis"] not in (None, basis):
                    yield changed(answer, f"{path}/{side}/basis", basis, VALUE)


# ---- quotes ----------------------------------------------------------------------------------

_QUOTES = ("verdict", "reason_quote")
_NEGATION = re.compile(r"\bnot\s+|\bnon-?(?=certif)|\bno\s+", re.IGNORECASE)


def quote_without_its_negation(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for name in _QUOTES:
            quote = one[name]
            for match in _NEGATION.finditer(quote or ""):
                value = quote[: match.start()] + quote[match.end() :]
                codes = VALUE | {"quote_cut", "quote_too_short", "imr_verdict_against_outcome"}
                yield changed(answer, f"{path}/{name}", value, codes)


def quote_with_a_changed_digit(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        for name in _QUOTES:
            quote = one[name]
            for match in re.finditer(r"\d", quote or ""):
                value = quote[: match.start()] + str((int(match[0]) + 1) % 10) + quote[match.end() :]
                yield changed(answer, f"{path}/{name}", value, VALUE)


def quote_of_another_decision(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    text = reading.letter.body
    blocks = reading.root.blocks["decisions"]
    for path, one, i in decisions(answer):
        own = fold(blocks[i].regions["rationale"].of(text)) if "rationale" in blocks[i].regions else ""
        for name in _QUOTES:
            others = {other[name] for other in answer["decisions"]} - {one[name], None}
            for quote in sorted(others):
                if fold(quote) not in own:
                    yield changed(answer, f"{path}/{name}", quote, VALUE)


def quote_glued_from_two_places(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    for path, one, _ in decisions(answer):
        told = (one["verdict"] or "").split()
        if len(told) > 6:
            yield changed(answer, f"{path}/verdict", " ".join(told[:3] + told[4:]), VALUE)


# ---- nulls -----------------------------------------------------------------------------------


def null_for_a_value(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    quoted = frozenset({"quote_missing", "judgement_missing"})
    for part in ("header", "reviewer", "worker"):
        for name, value in answer[part].items():
            if value:
                yield changed(answer, f"/{part}/{name}", [] if isinstance(value, list) else None, NULL)
    if answer["ur_date"]:
        yield changed(answer, "/ur_date", None, NULL)
    for path, one, _ in decisions(answer):
        for name in ("disputed_portion", "verdict", "reason", "reason_quote"):
            if one[name] and (name != "verdict" or polarity(one[name])):  # faint words may be no verdict
                yield changed(answer, f"{path}/{name}", None, NULL | quoted)
        for side in SIDES:
            if one[side]["basis"]:
                yield changed(answer, f"{path}/{side}/basis", None, NULL)
            if one[side]["citations"]:
                yield changed(answer, f"{path}/{side}/citations", [], RECORD)


def value_for_a_null(answer: Answer, reading: Reading) -> Iterator[Mistake]:
    known = [day.isoformat() for _, day in dates(answer)] or ["2012-03-04"]
    for path in DATES:
        *way, last = path.split("/")[1:]
        if (answer[way[0]] if way else answer)[last] is None:
            yield changed(answer, path, known[0], VALUE)
    for path, value in (("/header/case_number", "CM14-0012345"), ("/header/priority", "Standard")):
        if answer["header"][path.split("/")[2]] is None:
            yield changed(answer, path, value, VALUE)
    for name, guess in (("age", 45), ("sex", "male")):
        if answer["worker"][name] is None:
            yield changed(answer, f"/worker/{name}", guess, VALUE)
    if not answer["reviewer"]["subspecialties"]:
        yield changed(answer, "/reviewer/subspecialties", ["Pain Medicine"], VALUE | LIST)
    for path, one, _ in decisions(answer):
        if one["disputed_portion"] is None:
            yield changed(answer, f"{path}/disputed_portion", one["item"], VALUE)


def _where_read(planter: Planter) -> Planter:
    """A part that the reader cannot take apart goes to a person in any case: there is nothing to catch."""
    return lambda answer, reading: (
        mistake for mistake in planter(answer, reading) if all(map(reading.took_apart, mistake.paths))
    )


PLANTERS: dict[str, Planter] = {
    planter.__name__: _where_read(planter)
    for planter in (
        outcome_flipped, outcome_of_another_decision, decision_dropped, decision_doubled, decisions_merged,
        decisions_reordered, decision_invented_from_summary, item_shortened, item_of_a_neighbour, item_number_changed,
        page_of_the_same_letter, pages_of_another_decision, sides_swapped, page_dropped, page_added, range_end_lost,
        range_widened, other_number_as_page, rationale_page_as_paragraph_page, date_shifted_by_a_day,
        month_and_day_swapped, date_of_another_field, age_changed, sex_changed, credential_dropped,
        citation_title_of_the_other_paragraph, source_flipped, basis_changed, quote_without_its_negation,
        quote_with_a_changed_digit, quote_of_another_decision, quote_glued_from_two_places,
        verdict_cut_at_its_start, verdict_cut_at_its_end, page_printed_nowhere, page_range_backwards,
        date_printed_nowhere, null_for_a_value, value_for_a_null,
    )
}  # fmt: skip
