"""A folder's letters kept as names: the same letters as found the long way, or no list at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractor.letters.letter import find_letters
from extractor.letters.places import listing
from extractor.letters.places.listing import plain_listing
from extractor.letters.places.sources import find_files
from tests.support.toy import put


@pytest.mark.parametrize(
    "names",
    [
        ["b.txt", "a.txt"],
        ["0001.txt", "0002.txt"],
        ["2014/a.txt", "2014/b.html", "2015/deep/a.pdf", "c.docx"],
        ["a.txt", "a-1.txt", "a.b.txt", "a/x.txt"],
        ["L\u00fcttich.txt", "\u624b.txt"],
        [".hidden/x.txt", ".DS_Store", "a.txt"],
        ["A.TXT", "a b.txt"],
    ],
)
def test_the_same_letters_in_the_same_order(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        put(tmp_path / name, "words")
    listed = plain_listing(tmp_path)
    assert listed is not None
    assert list(listed) == find_files([tmp_path])
    assert listed[-1] == list(listed)[-1]
    assert listed[:1] == list(listed)[:1]
    with pytest.raises(IndexError):
        listed[len(listed)]


def test_many_letters_are_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_PART", 3)
    for number in (7, 1, 4, 9, 3, 8, 2, 6):
        put(tmp_path / f"{number}.txt", "words")
    assert [file.id for file in find_letters([tmp_path])] == ["1", "2", "3", "4", "6", "7", "8", "9"]


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["a.txt", "a.pdf"],
        ["a p1.png", "a p2.png"],
        ["a.txt", "notes.xlsx"],
        ["a.zip"],
        ["a.eml"],
        ["a.doc", "b.txt"],
        ["a.txt", "a#1.txt"],
        ["a.txt", "a\nb.txt"],
    ],
)
def test_what_takes_more_than_names_is_not_listed(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        put(tmp_path / name, "words")
    assert plain_listing(tmp_path) is None


def test_links_are_not_listed(tmp_path: Path) -> None:
    put(tmp_path / "letters" / "a.txt", "words")
    (tmp_path / "letters" / "b.txt").symlink_to(tmp_path / "letters" / "a.txt")
    assert plain_listing(tmp_path / "letters") is None


def test_a_file_or_several_paths_are_found_the_long_way(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "words")
    put(tmp_path / "more" / "b.txt", "words")
    notes: list[str] = []
    assert [file.id for file in find_letters([tmp_path / "a.txt"], notes.append)] == ["a"]
    assert [file.id for file in find_letters([tmp_path / "a.txt", tmp_path / "more"], notes.append)] == ["a", "b"]
    put(tmp_path / "more" / "table.xlsx", "no letter")
    assert [file.id for file in find_letters([tmp_path / "more"], notes.append)] == ["b"]
    assert notes
