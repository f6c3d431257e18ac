"""The benchmark's letters: always the same, all different unless asked for copies, and read as their truth."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import corpus
from benchmarks.forms import FORMS
from extractor.letters.letter import LetterFile, letter_in
from extractor.models.offline import values
from tests.support.imr import IMR

NUMBER = 150


def test_a_number_and_a_seed_are_one_letter() -> None:
    assert corpus.piece(7) == corpus.piece(7)
    assert corpus.piece(7) != corpus.piece(7, seed=2)
    assert len({corpus.piece(number).data for number in range(NUMBER)}) == NUMBER


def test_copies_are_of_earlier_letters() -> None:
    made = [corpus.piece(number, equal=0.3) for number in range(NUMBER)]
    texts = Counter(piece.data for piece in made)
    assert 0.6 * NUMBER < len(texts) < 0.8 * NUMBER
    assert len({piece.id for piece in made}) == NUMBER


@pytest.mark.slow
def test_a_folder_holds_what_its_truth_says(tmp_path: Path) -> None:
    corpus.write(tmp_path, NUMBER)
    right: Counter[str] = Counter()
    for truth in corpus.truths(tmp_path):
        path = tmp_path / corpus.LETTERS / f"{truth['letter_id']}.txt"
        reading = IMR.read(letter_in(LetterFile(truth["letter_id"], path)))
        answer = json.loads(json.dumps(values(IMR.schema, reading.root), default=str))
        found = corpus.printed(answer, truth["form"])
        right[truth["form"]] += not any(corpus.differs(found, corpus.printed(truth["answer"], truth["form"])))
    assert set(right) == set(FORMS)
    assert right.total() >= NUMBER - 1
