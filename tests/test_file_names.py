"""Names of files: reversible, without collision, and allowed everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.file_names import file_name, name_of
from extractor.models.cassettes import tape_path

NAMES = {
    "imr@v1": "imr@v1",
    "openai/gpt-x": "openai__gpt-x",
    "2016/a": "2016__a",
    "2016__a": "2016%5F%5Fa",
    "2016_a": "2016_a",
    "a_/b": "a%5F__b",
    "a/_b": "a__%5Fb",
    "a//b": "a____b",
    "org/model:free": "org__model%3Afree",
    'a<b>c"d|e?f*g': "a%3Cb%3Ec%22d%7Ce%3Ff%2Ag",
    "50%": "50%25",
    "..": "%2E%2E",
    ".hidden": "%2Ehidden",
    "ends.": "ends%2E",
    "ends ": "ends%20",
    "CON": "%43ON",
    "nul.txt": "%6Eul.txt",
    "a\\b": "a%5Cb",
    "tab\tnewline\n": "tab%09newline%0A",
    "Röntgen": "Röntgen",
    "Ro\u0308ntgen": "Ro%CC%88ntgen",
    "half \udc80": "half %ED%B2%80",
    "": "%",
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert file_name(name) == NAMES[name]
    assert name_of(NAMES[name]) == name


@given(st.text(st.sampled_from("a_/.%\0\\: \u0308é") | st.characters(codec=None), max_size=60))
@example("\0_\0")
def test_every_name_comes_back(name: str) -> None:
    written = file_name(name)
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]|[. ]\Z|\A\.', written)
    assert len(written.encode("utf-8")) <= 150
    if len(written.encode("utf-8")) < 120:
        assert name_of(written) == name


def test_long_names_are_cut_and_differ() -> None:
    names = ["x" * 5000, "x" * 5001, "é" * 300, "?" * 300]
    written = [file_name(name) for name in names]
    assert len(set(written)) == 4
    assert all(len(each.encode()) <= 150 and name_of(each) is None for each in written)


def test_letters_of_one_folder_and_of_two_have_their_own_tapes() -> None:
    names = ("2016/a", "2016__a", "2016_/a", "2016/_a", "a", "a___2", "a/_2", "a_/2", "a~2")
    paths = {tape_path(Path(), "imr@v1", "openai/m", name, n) for name in names for n in (1, 2)}
    assert len(paths) == 18
