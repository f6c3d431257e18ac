"""Files that hold several determinations: each is cut out whole, and none is cut in two."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor.letters.letter import Letter, LetterFile, find_letters, letter_from_text, letter_in, letters_in
from tests.support.imr import HEADER, IMR, LENT, TOOLS, bundled, decision, imr_letter
from tests.support.toy import put

ONE = imr_letter(decision("Back brace"))
TWO = imr_letter(decision("Cane", "Overturned"), decision("Walker"), header=HEADER.replace("0100200", "0999999"))
HEADLESS = imr_letter(decision("Physical therapy"), header="")
LETTERHEAD = (
    "MAXIMUS FEDERAL SERVICES, INC.\nIndependent Medical Review\nP.O. Box 138009\nSacramento, CA 95813-8009\n\n"
)
BUNDLED = [bundled(f"dwc-2014-00{number}").text for number in range(5)]


def cut(text: str) -> list[str]:
    assert IMR.starts
    starts = [0, *sorted(IMR.starts(text))[1:], len(text)]
    return [text[start:end] for start, end in itertools.pairwise(starts)]


@pytest.mark.parametrize(
    "letters", [[ONE], [ONE, TWO], [TWO, ONE, TWO], [HEADLESS, ONE, HEADLESS], [*BUNDLED, ONE, *BUNDLED]]
)
@pytest.mark.parametrize("between", ["", "\n", "\f", "\n\n\f\n", "\n\n\n\n"])
def test_letters_one_behind_the_other(letters: list[str], between: str) -> None:
    assert [part.strip() for part in cut(between.join(letters))] == [letter.strip() for letter in letters]


@pytest.mark.parametrize("tool", TOOLS)
def test_as_every_tool_gives_them(tool: Callable[[str], str]) -> None:
    assert [part.strip() for part in cut(tool(ONE) + "\f" + tool(TWO))] == [tool(ONE).strip(), tool(TWO).strip()]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ONE, LETTERHEAD + TWO),
        (ONE, "Final Determination Letter for IMR Case Number CM16-0999999\n\n" + TWO),
        (ONE + "Page 3 of 3\n", TWO),
        (ONE, TWO.replace("Case Number", "Case Nurnber")),
        (ONE, TWO.replace("HOW THE IMR", "H0W THE lMR")),
        (ONE.replace("not medically necessary.", "as said of Date of Injury: unknown."), TWO),
    ],
)
def test_where_a_letter_begins(first: str, second: str) -> None:
    assert [part.strip() for part in cut(first + "\f" + second)] == [first.strip(), second.strip()]


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        LETTERHEAD + ONE,
        "Fax cover sheet, 3 pages\n\f" + ONE,
        ONE.replace(
            "IMR ISSUES, DECISIONS AND RATIONALES",
            "IMR ISSUES, DECISIONS AND RATIONALES\n\fIMR ISSUES, DECISIONS AND RATIONALES",
        ),
        ONE + "\nHOW THE IMR FINAL DETERMINATION WAS MADE is told above.\n",
        ONE.replace("CLINICAL CASE SUMMARY", "CLINICAL CASE SUMMARY\n\fCLINICAL CASE SUMMARY"),
        "a shopping list",
        "",
    ],
)
def test_one_letter_is_never_cut(text: str) -> None:
    assert cut(text) == [text]


NUMBERED = bundled("form-2013").text
OTHER_NUMBERED = (
    NUMBERED.replace("CM13-9004418", "CM13-9005520")
    .replace("twelve additional sessions of\nphysical therapy for the left elbow", "a right wrist splint")
    .replace("2/11/2013", "3/12/2013")
)


@pytest.mark.parametrize(
    "letters",
    [
        [NUMBERED, OTHER_NUMBERED],
        [NUMBERED, OTHER_NUMBERED, NUMBERED],
        [NUMBERED, ONE],
        [ONE, NUMBERED, TWO],
    ],
)
def test_letters_of_the_numbered_form_are_cut_apart(letters: list[str]) -> None:
    for between in ("\n", "\f", "\n\n"):
        assert [part.strip() for part in cut(between.join(letters))] == [letter.strip() for letter in letters]


@pytest.mark.parametrize("text", [NUMBERED, NUMBERED + "\n" + NUMBERED.split("Medical Qualifications")[1]])
def test_one_letter_of_the_numbered_form_is_never_cut(text: str) -> None:
    assert cut(text) == [text]


def test_each_letter_of_the_numbered_form_keeps_its_own_decisions() -> None:
    first, second = (IMR.read(letter_from_text(text, letter_id="x")) for text in cut(f"{NUMBERED}\f{OTHER_NUMBERED}"))
    assert [len(reading.root.blocks["decisions"]) for reading in (first, second)] == [2, 2]
    numbers = [reading.root.blocks["header"][0].facts["case_number"].value for reading in (first, second)]
    assert numbers == ["CM13-9004418", "CM13-9005520"]


# ---- through files ------------------------------------------------------------------------------


def test_a_merged_file_is_several_letters(tmp_path: Path) -> None:
    put(tmp_path / "all.txt", f"{ONE}\fmore of it\f \n{TWO}\f")
    [file] = find_letters([tmp_path])
    found = list(letters_in(file, IMR.starts))
    assert [part.id for part, _ in found] == ["all#1", "all#2"]
    letters = [letter for _, letter in found if isinstance(letter, Letter)]
    assert [letter.text for letter in letters] == [f"{ONE}\fmore of it\f", f" \n{TWO}\f"]
    assert [letter.id for letter in letters] == ["all#1", "all#2"]
    assert [len(letter.pages) for letter in letters] == [2, 1]
    assert [letter.notes[0].message for letter in letters] == ["this is one of several letters in one file"] * 2
    # Named by its part, a letter is read again without looking for starts.
    assert [letter_in(part).text for part, _ in found] == [letter.text for letter in letters]
    assert [len(IMR.read(letter).root.blocks["decisions"]) for letter in letters] == [1, 2]


def test_a_file_of_one_letter_keeps_its_id(tmp_path: Path) -> None:
    put(tmp_path / "one.txt", ONE)
    [(file, letter)] = letters_in(LetterFile("one", tmp_path / "one.txt"), IMR.starts)
    assert (file.id, file.piece) == ("one", None)
    assert isinstance(letter, Letter)
    assert letter == letter_in(file)


def test_files_that_are_letters_are_distinguished_from_pages_in_files(tmp_path: Path) -> None:
    put(tmp_path / "patient_p1.txt", ONE)
    put(tmp_path / "patient_p2.txt", TWO)
    [file] = find_letters([tmp_path])
    found = {part.id: letter.text for part, letter in letters_in(file, IMR.starts) if isinstance(letter, Letter)}
    assert {letter_id: text.strip("\f") for letter_id, text in found.items()} == {"patient#1": ONE, "patient#2": TWO}


@pytest.mark.skipif(not LENT.is_dir(), reason="the public letters are not here")
def test_all_public_letters_in_one_file() -> None:
    texts = [path.read_bytes().decode() for path in sorted(LENT.glob("*.txt"))]
    assert [part.strip() for part in cut("\f".join(texts))] == [text.strip() for text in texts]
    assert all(len(cut(text)) == 1 for text in texts)
