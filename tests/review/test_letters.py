"""Where a run's letters are looked for, and that each is read once, whoever wants it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extractor.errors import UsageError
from extractor.letters.letter import Letter, LetterFile
from extractor.review import letters as module
from extractor.review.letters import Letters
from extractor.runs.record import Record
from tests.support.reviews import record_of, write_run
from tests.support.toy import NOTES, put


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of letters that were read from the disk, each slowly."""
    found: list[str] = []
    read = module.letter_in

    def slow(file: LetterFile) -> Letter:
        found.append(file.id)
        time.sleep(0.2)
        return read(file)

    monkeypatch.setattr(module, "letter_in", slow)
    return found


def test_a_letter_that_is_being_read_is_waited_for(tmp_path: Path, reads: list[str]) -> None:
    out = write_run(tmp_path)
    letters = Letters([[tmp_path / "letters"]], list(NOTES))
    letters.read_ahead(record_of(out, "blue"))
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(letters.get, [record_of(out, "blue")] * 4))
    assert [letter and letter.text for letter, _ in got] == [NOTES["blue"]] * 4
    assert reads == ["blue"]


def test_one_letter_at_a_time_is_read_ahead(tmp_path: Path, reads: list[str]) -> None:
    out = write_run(tmp_path)
    letters = Letters([[tmp_path / "letters"]], list(NOTES))
    for letter_id in ("blue", "red", "slow"):
        letters.read_ahead(record_of(out, letter_id))
    [ahead] = [each for each in threading.enumerate() if each.name == "reading ahead"]
    ahead.join()
    assert reads == ["blue"]
    letters.read_ahead(record_of(out, "red"))
    assert letters.get(record_of(out, "red"))[0]
    assert reads == ["blue", "red"]


def test_a_failure_while_reading_ahead_appears_when_the_letter_is_opened(tmp_path: Path) -> None:
    out = write_run(tmp_path)
    letters = Letters([[tmp_path / "letters"]], list(NOTES))
    (tmp_path / "letters" / "blue.txt").unlink()
    letters.read_ahead(record_of(out, "blue"))
    letter, note = letters.get(record_of(out, "blue"))
    assert letter is None
    assert "file is gone" in note


def test_each_letter_is_taken_from_the_first_place_that_has_it(tmp_path: Path) -> None:
    put(tmp_path / "new" / "blue.txt", NOTES["blue"])
    put(tmp_path / "old" / "blue.txt", NOTES["red"])
    put(tmp_path / "old" / "red.txt", NOTES["red"])
    places = [[tmp_path / "gone"], [tmp_path / "new"], [tmp_path / "old"]]
    letters = Letters(places, ["blue", "red", "slow"])
    assert letters.missing == ["slow"]
    record = Record("blue", Letter("blue", NOTES["blue"]).sha256, "parcel", "accepted")
    letter, note = letters.get(record)
    assert letter is not None, note


@pytest.mark.parametrize("place", ["gone", "empty"])
def test_a_run_none_of_whose_letters_is_found_cannot_be_reviewed(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError) as raised:
        Letters([[tmp_path / place]], ["blue"])
    assert "--letters PATH" in (raised.value.hint or "")
