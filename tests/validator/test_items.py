"""Where an item of a list in prose may begin and end."""

from __future__ import annotations

import pytest

from extractor.letters.spans import Span
from extractor.validator.items import is_whole_item
from tests.support.imr import findings_on, imr_letter

SUMMARY = (
    "The injured worker is a 57 year old female. She was diagnosed with failed back surgery syndrome, a crush injury of "
    "the left foot, plantar fasciitis and right-sided sciatica after a fall. The diagnoses are:\nLumbar strain\nOpen "
    "wound of the thoracic spine; anxiety due to pain. Knee pain was treated."
)


@pytest.mark.parametrize(
    ("item", "whole"),
    [
        ("failed back surgery syndrome", True),
        ("a crush injury of the left foot", True),
        ("crush injury of the left foot", True),
        ("plantar fasciitis", True),
        ("right-sided sciatica", True),
        ("plantar fasciitis and right-sided sciatica", True),  # two in one: that they are two is not certain
        ("Lumbar strain", True),
        ("Open wound of the thoracic spine", True),
        ("anxiety", True),
        ("anxiety due to pain", True),
        ("Knee pain", True),
        ("failed back", False),
        ("surgery syndrome", False),
        ("crush injury of", False),
        ("crush injury", False),
        ("of the thoracic spine", False),
        ("plantar", False),
        ("fasciitis", False),
        ("sided sciatica", False),
        ("sciatica after", False),
        ("and right-sided sciatica", False),
        ("wound of the thoracic spine", False),
        ("Open", False),
        ("Knee", False),
    ],
)
def test_a_piece_of_an_item(item: str, whole: bool) -> None:
    at = SUMMARY.index(item)
    assert is_whole_item(SUMMARY, Span(at, at + len(item)), Span(0, len(SUMMARY))) is whole


def test_a_diagnosis_cut_out_of_its_words_is_an_error() -> None:
    def named(*diagnoses: str) -> list[tuple[str, str, str]]:
        found = findings_on(imr_letter(summary=SUMMARY), lambda answer: answer.update(diagnoses=list(diagnoses)))
        return [(each.code, each.path, each.severity) for each in found if each.path.startswith("/diagnoses")]

    assert named("failed back surgery syndrome", "plantar fasciitis") == []
    assert named("failed back", "plantar fasciitis") == [("quote_cut", "/diagnoses/0", "error")]
