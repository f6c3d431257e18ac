"""What an IMR letter must satisfy beyond "each value is in its place".

Each rule is ``(record, block, letter, path) -> findings``. A rule blames the letter only where the answer
copied it faithfully; an unfaithful answer has findings of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from extractor.letters.letter import Letter
from extractor.letters.spans import fold
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import Rule
from extractor.lettertypes.reading import Block

from .guidelines import chapter_of
from .model import Citation, Decision, Header, ImrLetter, Reviewer, Worker
from .verdict import polarity

CODES = {
    "imr_outcome_against_rationale": "The heading's outcome and the rationale's verdict point opposite ways.",
    "imr_verdict_against_outcome": "The quoted verdict sentence points against the outcome.",
    "imr_injury_date_contradicts": "Header and summary state different dates of injury.",
    "imr_ur_date_contradicts": "Header and summary state different dates of the utilization review.",
    "imr_dates_out_of_order": "Two dates of the case header are in an impossible order.",
    "imr_ur_date_before_injury": "The utilization review is dated on or before the injury.",
    "imr_decision_without_outcome": "Guideline paragraphs are not preceded by a heading that ends in an outcome.",
    "imr_paragraph_missing": "A decision lacks a guideline paragraph or its rationale; the letter may be cut off.",
    "imr_heading_unclear": "It is not certain where a decision's heading begins, or that it is a heading at all.",
    "imr_value_unread": "The text in this value's place cannot be read as a value.",
    "imr_stray_outcome": "A line reads like a decision's heading, but no decision follows it.",
    "imr_source_contradicts": "A citation printed as outside the MTUS names the MTUS itself.",
    "imr_page_outside_chapter": "A cited page lies outside the chapter it is cited from.",
    "imr_page_range_backwards": "A cited page range ends before it begins.",
    "imr_page_list_mended": "A page list is damaged in the text; its pages were repaired, or could not be.",
}

# The two statements that a finding compares: ``expected`` and ``got``.
SIDES: Mapping[str, tuple[str, str]] = {
    "imr_injury_date_contradicts": ("header", "summary"),
    "imr_ur_date_contradicts": ("header", "summary"),
    "imr_outcome_against_rationale": ("rationale", "heading"),
    "imr_verdict_against_outcome": ("outcome", "sentence"),
    "imr_dates_out_of_order": ("other date", "this date"),
    "imr_page_outside_chapter": ("chapter", "cited"),
}


def heading_certain(decision: Decision, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """A heading that may begin elsewhere needs a person, whatever the answer."""
    item = block.facts["item"]
    if not item.certain:
        message = "layout and sentences do not agree where this heading begins, or it cannot be a heading"
        yield Finding(
            "imr_heading_unclear", f"{path}/item", "error", "unclear", message,
            expected=item.value, got=decision.item, span=item.spans[0],
        )  # fmt: skip


def nothing_unread(record: BaseModel, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """Words after a label that were not understood are not the same as no value: a person must look."""
    for name, fact in block.facts.items():
        unread = fact.spans and fact.value in (None, [])
        if not fact.certain and (unread or isinstance(record, Header | Reviewer)):
            yield Finding(
                "imr_value_unread", f"{path}/{name}", "error", "unclear",
                "the text in this value's place cannot be read for certain",
                expected=fact.value, got=getattr(record, name), span=fact.spans[0] if fact.spans else block.span,
            )  # fmt: skip


def outcome_agrees_with_rationale(decision: Decision, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """The heading's outcome and the rationale's verdict must not contradict each other."""
    outcome = block.facts["outcome"]
    verdict = block.facts.get("verdict")
    matches_letter = outcome.value == decision.outcome
    # A verdict copied from the letter is not the mistake: either the outcome is, or the letter contradicts itself.
    own = verdict and verdict.certain and fold(decision.verdict or "") == fold(verdict.value or "")
    if (
        decision.verdict
        and not own
        and (points_to := polarity(fold(decision.verdict)))
        and points_to != decision.outcome
    ):
        yield Finding(
            "imr_verdict_against_outcome",
            f"{path}/verdict",
            "error",
            "unclear" if matches_letter else "answer",
            "the quoted sentence points the other way than the outcome",
            expected=decision.outcome,
            got=points_to,
            span=letter.folded.find(decision.verdict, block.span),
        )
    if verdict and verdict.value and decision.outcome == outcome.value:
        points_to = polarity(verdict.value)
        if points_to and points_to != outcome.value:
            yield Finding(
                "imr_outcome_against_rationale",
                f"{path}/outcome",
                "error",
                "letter",
                "the heading and the rationale's verdict point opposite ways",
                expected=points_to,
                got=outcome.value,
                span=verdict.spans[0],
            )


def dates_agree(answer: ImrLetter, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """Dates stated twice must agree, and the case's dates must be in order."""
    header = block.blocks["header"][0].facts
    worker = block.blocks["worker"][0].facts
    pairs: list[tuple[str, str, date | None, date | None, Any]] = [
        (
            "imr_injury_date_contradicts",
            "/header/date_of_injury",
            answer.header.date_of_injury,
            answer.worker.date_of_injury,
            worker.get("date_of_injury"),
        ),
        (
            "imr_ur_date_contradicts",
            "/ur_date",
            answer.header.ur_denial_date,
            answer.ur_date,
            block.facts.get("ur_date"),
        ),
    ]
    for code, where, first, second, fact in pairs:
        if first and second and first != second and fact and fact.value == second:
            injury = code == "imr_injury_date_contradicts"
            yield Finding(
                code, where, "error" if injury else "warning", "letter", "header and summary state different dates",
                expected=first, got=second, span=fact.spans[0],
            )  # fmt: skip
    injured = answer.worker.date_of_injury or answer.header.date_of_injury
    decided = answer.header.decision_date
    if answer.ur_date and decided and answer.ur_date > decided and block.facts["ur_date"].value == answer.ur_date:
        yield Finding(
            "imr_dates_out_of_order", "/ur_date", "error", "letter", "ur_date is after decision_date",
            expected=decided, got=answer.ur_date, span=block.facts["ur_date"].spans[0],
        )  # fmt: skip
    if answer.ur_date and injured and answer.ur_date <= injured:
        fact = block.facts.get("ur_date")
        as_printed = fact is not None and fact.value == answer.ur_date
        yield Finding(
            "imr_ur_date_before_injury", "/ur_date", "error", "letter" if as_printed else "answer",
            "a utilization review cannot be dated on or before the injury", got=answer.ur_date,
            span=fact.spans[0] if fact and fact.spans else None,
        )  # fmt: skip
    order = ("date_of_injury", "ur_denial_date", "application_received", "date_assigned", "decision_date")
    known = [(name, getattr(answer.header, name)) for name in order if getattr(answer.header, name)]
    for (before, first), (after, second) in pairwise(known):
        if first > second and header[before].value == first and header[after].value == second:
            yield Finding(
                "imr_dates_out_of_order", f"/header/{after}", "error", "letter", f"{after} is before {before}",
                expected=first, got=second, span=header[after].spans[0],
            )  # fmt: skip


def source_agrees(citation: Citation, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """Some letters print "Non-MTUS Citation MTUS: ACOEM": it is copied faithfully and flagged."""
    if citation.source == "non_mtus" and re.match(r"(?:CA\s+)?MTUS\b", fold(citation.title)):
        yield Finding(
            "imr_source_contradicts",
            f"{path}/source",
            "warning",
            "letter",
            "printed under Non-MTUS, but the text names the MTUS",
            got=citation.source,
            span=block.span,
        )


def pages_possible(citation: Citation, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """Faithfully copied pages must be possible: ranges run forward and lie in the cited chapter."""
    fact = block.facts["pages"]
    if not fact.certain or [page.model_dump() for page in citation.pages] != fact.value:
        return
    chapter = chapter_of(fold(citation.title)) if citation.pages else None
    for i, page in enumerate(citation.pages):
        where = f"{path}/pages/{i}"
        if page.last < page.first:
            yield Finding(
                "imr_page_range_backwards", where, "error", "letter", "the range ends before it begins",
                got=str(page), span=fact.spans[i],
            )  # fmt: skip
        elif chapter and not chapter.holds(page.first, page.last):
            yield Finding(
                "imr_page_outside_chapter", where, "error", "letter",
                f"{chapter.name} has pages {chapter.first} to {chapter.last}",
                expected=f"{chapter.first}-{chapter.last}", got=str(page), span=fact.spans[i],
            )  # fmt: skip


def pages_whole(record: Citation | Decision, block: Block, letter: Letter, path: str) -> Iterator[Finding]:
    """A page list that a scan or a PDF tool broke is repaired if that is certain; a warning points it out."""
    if repaired := block.regions.get("repaired"):
        leaf = "pages" if isinstance(record, Citation) else "rationale_pages"
        yield Finding(
            "imr_page_list_mended",
            f"{path}/{leaf}",
            "warning",
            "letter",
            "this page list is damaged in the text",
            expected=block.facts[leaf].value,
            span=repaired,
        )


RULES: Mapping[type[BaseModel], tuple[Rule, ...]] = {
    ImrLetter: (nothing_unread, dates_agree),
    Header: (nothing_unread,),
    Reviewer: (nothing_unread,),
    Worker: (nothing_unread,),
    Decision: (heading_certain, outcome_agrees_with_rationale, pages_whole),
    Citation: (source_agrees, pages_possible, pages_whole),
}
