"""What OCR was not sure of reaches the record: a doubtful word under a protected value sends it to a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from extractor.letters.documents import Box, Word
from extractor.letters.letter import letter_from_text
from extractor.letters.spans import Span
from extractor.lettertypes.findings import status_of
from extractor.models.offline import fill
from extractor.validator.checks import check
from tests.support.imr import IMR, decision, imr_letter

TEXT = imr_letter(decision("MRI of the low back", mx="Decision based on MTUS ACOEM Chapter 12 Page(s): 298, 301."))
PAGES = "/decisions/0/maximus/citations/0/pages"


def found(sure: Mapping[str, float]) -> tuple[list[tuple[str, str, str, str]], str]:
    """The findings of doubt on a scan whose words are sure but for these, and the record's status."""
    words = [
        Word(Span(*match.span()), 0, Box(0, 0, 1, 1), sure.get(match[0].strip(".,:"), 96.0))
        for match in re.finditer(r"\S+", TEXT)
    ]
    letter = replace(letter_from_text(TEXT, letter_id="scan"), words=tuple(words))
    reading = IMR.read(letter)
    findings = check(IMR, fill(IMR.schema, reading.root), reading).findings
    unsure = [(each.code, each.path, each.severity, each.blame) for each in findings if each.code == "unsure_value"]
    return unsure, status_of(findings)


def unsure(path: str) -> tuple[str, str, str, str]:
    return ("unsure_value", path, "error", "unclear")


@pytest.mark.parametrize(
    ("words", "findings"),
    [
        ({}, []),
        ({"MRI": 92.0, "301": 92.0}, []),
        ({"MRI": 91.9}, [unsure("/decisions/0/item")]),
        ({"back": 40}, [unsure("/decisions/0/item")]),
        ({"Upheld": 60}, [unsure("/decisions/0/outcome")]),
        ({"298": 80, "301": 70}, [unsure(PAGES)]),
        ({"12/05/2016": 85}, [unsure("/header/date_assigned")]),
        ({"therefore": 5, "CM16-0100200": 5, "Chapter": 5}, []),  # nothing that matters most rests on these
    ],
)
def test_doubt_of_a_word_is_doubt_of_the_value(
    words: dict[str, float], findings: list[tuple[str, str, str, str]]
) -> None:
    assert found(words) == (findings, "needs_review" if findings else "accepted")


def test_the_finding_points_at_the_least_sure_place() -> None:
    words = [
        Word(Span(*m.span()), 0, Box(0, 0, 1, 1), {"298,": 80.0, "301.": 70.4}.get(m[0]))
        for m in re.finditer(r"\S+", TEXT)
    ]
    reading = IMR.read(replace(letter_from_text(TEXT, letter_id="scan"), words=tuple(words)))
    [finding] = [f for f in check(IMR, fill(IMR.schema, reading.root), reading).findings if f.code == "unsure_value"]
    assert finding.span is not None
    assert finding.span.of(TEXT) == "301"
    assert "70 %" in finding.message


def test_what_nobody_guessed_is_not_doubted() -> None:
    reading = IMR.read(letter_from_text(TEXT, letter_id="text"))
    assert status_of(check(IMR, fill(IMR.schema, reading.root), reading).findings) == "accepted"
