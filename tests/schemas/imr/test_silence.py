"""A null is never accepted where there is text that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from extractor.letters.letter import Letter, letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.reading import Block
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import GOLD, IMR, bundled, decision, findings_on, imr_letter, read

UNREADABLE = ("??-??", "see attached", "l2/3l/2O13", "[illegible]", "#", "1O/??/2016", "\u25a1\u25a1\u25a1")
LETTER_IDS = sorted(path.stem for path in GOLD.glob("*.json"))
# Behind these labels any words are a value: they are copied as printed.
ANY_WORDS = {"specialties", "subspecialties", "sections", "title"}


def labeled(block: Block, path: str = "") -> Iterator[tuple[str, tuple[Span, ...]]]:
    """(path, spans) of every value after a label or in a known wording."""
    for name, fact in block.facts.items():
        if fact.value not in (None, []) and name not in (
            "item",
            "outcome",
            "verdict",
            "disputed_portion",
            "source",
            "basis",
        ):
            yield f"{path}/{name}", fact.spans
    for name, inner in block.blocks.items():
        for number, each in enumerate(inner):
            yield from labeled(each, f"{path}/{name}/{number}")


def without(letter: Letter, spans: tuple[Span, ...], unreadable: str) -> str:
    """The letter with an unreadable thing where the values were."""
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    return letter.text[:first] + unreadable + letter.text[last:]


def baseline_errors(text: str) -> list[Finding]:
    """What is wrong with the reading's own answer: nulls where it found nothing."""
    reading = read(text)
    answer = IMR.schema.model_validate_json(fill(IMR.schema, reading.root).model_dump_json())
    return [finding for finding in check(IMR, answer, reading).findings if finding.severity == "error"]


@pytest.mark.parametrize("letter_id", LETTER_IDS)
@pytest.mark.sample(10)
def test_no_unreadable_value_is_accepted_as_null(letter_id: str) -> None:
    letter = bundled(letter_id)
    known = {(finding.code, finding.path) for finding in baseline_errors(letter.text)}
    silent = []
    for number, (path, spans) in enumerate(labeled(IMR.read(letter).root)):
        name = path.rsplit("/", 1)[-1]
        if name in ANY_WORDS or name in ("sex", "rationale_pages"):
            continue
        unreadable = UNREADABLE[number % len(UNREADABLE)]
        if name in ("age", "date_of_injury", "ur_date") and path.startswith(("/worker", "/ur_date")):
            unreadable = "??" if name == "age" else "??-??-2013"
        errors = {(finding.code, finding.path) for finding in baseline_errors(without(letter, spans, unreadable))}
        if not errors - known and not _stated_elsewhere(letter, path, spans, unreadable):
            silent.append((path, unreadable))
    assert silent == []


def _stated_elsewhere(letter: Letter, path: str, spans: tuple[Span, ...], unreadable: str) -> bool:
    """Whether the letter has the value in another place of the same part, where it is read then."""
    found = dict(labeled(read(without(letter, spans, unreadable)).root))
    return path in found


HEADER_LABELS = {
    "case_number": "Case Number: {}",
    "date_assigned": "Date Assigned: {} Date of Injury: 10/14/2016",
    "date_of_injury": "Date Assigned: 01/11/2017 Date of Injury: {}",
    "decision_date": "Decision Date:\n{}",
    "ur_denial_date": "Decision Date: 02/03/2017 UR Denial Date: {}",
    "priority": "Priority: {} Application\nReceived: 01/05/2017",
    "application_received": "Priority: Standard Application\nReceived:\n{}",
}


@pytest.mark.parametrize("unreadable", UNREADABLE)
@pytest.mark.parametrize("name", HEADER_LABELS)
def test_a_label_with_something_unreadable_behind_it(name: str, unreadable: str) -> None:
    text = imr_letter(header=HEADER_LABELS[name].format(unreadable))
    fact = read(text).root.blocks["header"][0].facts[name]
    assert (fact.value, fact.certain) == (None, False)
    assert fact.spans[0].of(text) in f"{unreadable} Application"
    errors = [(finding.code, finding.path, finding.blame) for finding in baseline_errors(text)]
    assert errors == [("imr_value_unread", f"/header/{name}", "unclear")]


@pytest.mark.parametrize("printed", ["", " ", "_____", "N/A", "none", "not given"])
@pytest.mark.parametrize("name", HEADER_LABELS)
def test_a_label_with_nothing_behind_it_is_silent(name: str, printed: str) -> None:
    text = imr_letter(header=HEADER_LABELS[name].format(printed))
    fact = read(text).root.blocks["header"][0].facts[name]
    assert (fact.value, fact.certain) == (None, True)
    assert baseline_errors(text) == []


COLUMNS = "Case Number:\nDate Assigned:\nDecision Date:\nPriority:\n\n{}\n"


@pytest.mark.parametrize(
    ("values", "certain"),
    [
        (
            "CM16-0100200\n12/05/2016\n12/30/2016\nStandard",
            {"case_number", "date_assigned", "decision_date", "priority"},
        ),
        ("CM16-0100200\n??-??\n12/30/2016\nStandard", {"case_number", "decision_date", "priority"}),
        ("CM16-0100200\n12/30/2016\nStandard", set()),
        ("12/05/2016\nCM16-0100200\n12/30/2016\nStandard", set()),
    ],
)
def test_columns_of_labels_and_values(values: str, certain: set[str]) -> None:
    facts = read(imr_letter(header=COLUMNS.format(values))).root.blocks["header"][0].facts
    printed = ("case_number", "date_assigned", "decision_date", "priority")
    assert {name for name in printed if facts[name].certain} == certain


def errors_of(text: str) -> set[tuple[str, str]]:
    return {(finding.code, finding.path) for finding in findings_on(text) if finding.severity == "error"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (imr_letter(credentials="State(s) of Licensure: ??-??\nCertification(s)/Specialty: Surgery"), "/reviewer/states"),
        (imr_letter(credentials="State(s) of Licensure: California, ??\nCertification(s)/Specialty: Surgery"), "/reviewer/states"),
        (imr_letter(credentials="State(s) of Licensure: Texas\nCertification(s)/Specialty: ??-??"), "/reviewer/specialties"),
        (imr_letter(credentials="see attached"), "/reviewer/states"),
        (imr_letter(summary="The injured worker is a ?? year old female."), "/worker/age"),
        (imr_letter(summary="He was injured on ??-??-2013, lifting."), "/worker/date_of_injury"),
        (imr_letter(summary="The utilization review dated l2/3l/2O13 denied it."), "/ur_date"),
    ],
)  # fmt: skip
def test_words_in_which_nothing_is_recognized(text: str, path: str) -> None:
    assert ("imr_value_unread", path) in errors_of(text)


PAGES = "Decision based on MTUS ACOEM Chapter 12 Low Back Complaints Page(s): {}"


@pytest.mark.parametrize(
    ("printed", "certain"),
    [
        ("301, 305.", True),
        ("301 and 305.", True),
        ("301; 305", True),
        ("301-303.", True),
        ("(301).", False),
        ("301 / 305.", False),
        ("301 | 305.", False),
        ("301+305.", False),
        ("301 \u00b7 305.", False),
        ("301* 305.", False),
        ("301 \u25a1 305.", False),
        ("??-??", False),
        ("see attached", False),
        ("l2/3l/2O13", False),
        ("n/a", True),
        ("", True),
    ],
)
def test_a_page_list_with_a_sign_that_is_no_separator(printed: str, certain: bool) -> None:
    text = imr_letter(decision(mx=PAGES.format(printed)))
    citation, *_ = read(text).root.blocks["decisions"][0].blocks["maximus"][0].blocks["citations"]
    assert citation.facts["pages"].certain is certain
    assert bool(errors_of(text)) is not certain


@pytest.mark.parametrize(
    "printed",
    ["??-??", "Decision based on MTUS ??-??", "\u25a1\u25a1 illegible", "Decision based on MTUS X Section(s): ??"],
)
def test_a_guideline_paragraph_that_cannot_be_read(printed: str) -> None:
    errors = errors_of(imr_letter(decision(mx=printed)))
    assert ("unread", "/decisions/0/maximus/citations") in errors or printed == "??-??"


def test_a_decision_with_nothing_behind_its_last_label() -> None:
    assert ("imr_heading_unclear", "/decisions/0/item") in errors_of(imr_letter(decision(rationale="")))


def test_the_answer_is_not_asked_again_for_what_cannot_be_read() -> None:
    text = imr_letter(header="Date Assigned: ??-??")
    answer = json.loads(fill(IMR.schema, read(text).root).model_dump_json())
    verdict = check(
        IMR, IMR.schema.model_validate_json(json.dumps(answer)), IMR.read(letter_from_text(text, letter_id="x"))
    )
    assert {finding.blame for finding in verdict.findings if finding.severity == "error"} == {"unclear"}
