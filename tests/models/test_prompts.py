"""Prompt files: what is read from one, in which order they are known, and which are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from extractor.errors import PromptError
from extractor.models.prompts import RELEASED, Prompt, known_prompts, load_prompt

FRONT = "---\ntitle: First\nwhy: to begin with\n---\n"


def _write(folder: Path, **versions: str) -> None:
    for version, text in versions.items():
        (folder / f"{version}.md").write_bytes(text.encode("utf-8"))


def _release(folder: Path, version: str, sha256: str) -> None:
    (folder / RELEASED).write_text(f'[sha256]\n{version} = "{sha256}"\n', "utf-8")


def _load(folder: Path, version: str = "v1") -> Prompt:
    return load_prompt(folder, f"memo@{version}", "memo")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (FRONT + "Read the memo.\n", "Read the memo.\n"),
        (FRONT + "\n\n  Read the memo.  \n\n\n", "Read the memo.\n"),
        (FRONT + "Read the memo.", "Read the memo.\n"),
        (FRONT + "One {name}.\n\n---\n\nTwo {{ name }}.\n", "One {name}.\n\n---\n\nTwo {{ name }}.\n"),
        (FRONT + "§ 3 “as is” 📎\n", "§ 3 “as is” 📎\n"),
        ((FRONT + "One.\nTwo.\n").replace("\n", "\r\n"), "One.\nTwo.\n"),
    ],
    ids=["plain", "blank lines around", "no last newline", "rules and braces", "beyond ASCII", "CRLF"],
)
def test_the_text_is_what_follows_the_front_matter(tmp_path: Path, file: str, text: str) -> None:
    _write(tmp_path, v1=file)
    prompt = _load(tmp_path)
    assert (prompt.id, prompt.front.title, prompt.front.why) == ("memo@v1", "First", "to begin with")
    assert prompt.text == text
    assert prompt.sha256 == _sha256(text)


@pytest.mark.parametrize(
    ("line", "strategy", "hashed"),
    [
        ("", "plain", "Read.\n"),
        ("strategy: plain\n", "plain", "Read.\n"),
        ("strategy: skeleton\n", "skeleton", "Read.\n\0skeleton"),
        ("strategy: quoted\n", "quoted", "Read.\n\0quoted"),
    ],
)
def test_the_strategy_is_part_of_the_hash(tmp_path: Path, line: str, strategy: str, hashed: str) -> None:
    _write(tmp_path, v1=f"---\ntitle: T\nwhy: W\n{line}---\nRead.\n")
    prompt = _load(tmp_path)
    assert prompt.front.strategy == strategy
    assert prompt.sha256 == _sha256(hashed)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("Read.\n", "has no front matter"),
        ("", "has no front matter"),
        ("\n" + FRONT + "Read.\n", "has no front matter"),
        ("---\ntitle: T\nwhy: W\nRead.\n", "has no front matter"),
        ("---\ntitle: T\n---\nRead.\n", "why\n  Field required"),
        ("---\nwhy: W\n---\nRead.\n", "title\n  Field required"),
        ("---\ntitle: T\nwhy: W\nauthor: A\n---\nRead.\n", "author\n  Extra inputs are not permitted"),
        ("---\ntitle: T\nwhy: W\nstrategy: guess\n---\nRead.\n", "strategy\n  Input should be 'plain', 'skeleton'"),
        ("---\ntitle: 7\nwhy: W\n---\nRead.\n", "title\n  Input should be a valid string"),
        ("---\n- title\n- why\n---\nRead.\n", "Input should be a valid dictionary"),
        ("---\n\n---\nRead.\n", "Input should be a valid dictionary"),
        ("---\ntitle: [T\nwhy: W\n---\nRead.\n", "is broken: while parsing a flow sequence"),
    ],
)
def test_broken_front_matter_is_refused_with_its_file(tmp_path: Path, file: str, message: str) -> None:
    _write(tmp_path, v1=file)
    with pytest.raises(PromptError) as refused:
        _load(tmp_path)
    assert message in refused.value.message
    assert str(tmp_path / "v1.md") in refused.value.message
    assert "title and why" in refused.value.hint


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v1.md").write_bytes((FRONT + "Café\n").encode("latin-1"))
    with pytest.raises(PromptError, match=r"cannot read .*v1\.md") as refused:
        _load(tmp_path)
    assert refused.value.hint == "save it as UTF-8 text"


def test_known_prompts_are_in_the_order_they_were_written(tmp_path: Path) -> None:
    _write(tmp_path, v10="", v2="", v1="", v2b="")
    (tmp_path / "notes.txt").write_text("not a prompt", "utf-8")
    _release(tmp_path, "v1", "0" * 64)
    assert known_prompts(tmp_path, "memo") == ["memo@v1", "memo@v2", "memo@v2b", "memo@v10"]


@pytest.mark.parametrize("prompt_id", ["memo@v3", "memo@", "memo", "note@v1", "memo@V1", "memo@../memo/v1", ""])
def test_an_unknown_prompt_names_the_known_ones(tmp_path: Path, prompt_id: str) -> None:
    folder = tmp_path / "memo"
    folder.mkdir()
    _write(folder, v1=FRONT + "Read.\n", v10=FRONT + "Read.\n", v2=FRONT + "Read.\n")
    with pytest.raises(PromptError) as refused:
        load_prompt(folder, prompt_id, "memo")
    assert refused.value.message == f"no prompt {prompt_id!r} in {folder}"
    assert refused.value.hint.startswith("known: memo@v1, memo@v2, memo@v10")
    # What could be written next has the command that records it.
    assert (f"extractor record --prompt {prompt_id}" in refused.value.hint) == (prompt_id in ("memo@v3", "memo@V1"))


def test_a_folder_without_prompts_knows_none(tmp_path: Path) -> None:
    assert known_prompts(tmp_path / "missing", "memo") == []
    with pytest.raises(PromptError) as refused:
        _load(tmp_path)
    assert refused.value.hint.startswith("known: (none)")


@pytest.mark.parametrize(
    ("edited", "kept"),
    [
        (FRONT + "Read.\n", True),
        (FRONT + "\nRead.\n\n", True),
        ((FRONT + "Read.\n").replace("\n", "\r\n"), True),
        (FRONT.replace("First", "Renamed") + "Read.\n", True),
        (FRONT + "Read!\n", False),
        (FRONT + "read.\n", False),
        (FRONT.replace("why:", "strategy: skeleton\nwhy:") + "Read.\n", False),
    ],
    ids=["the same", "blank lines", "line ends", "title", "one character", "case", "strategy"],
)
def test_a_released_version_keeps_its_text_and_strategy(tmp_path: Path, edited: str, kept: bool) -> None:
    _write(tmp_path, v1=FRONT + "Read.\n")
    _release(tmp_path, "v1", _load(tmp_path).sha256)
    _write(tmp_path, v1=edited)
    if kept:
        assert _load(tmp_path).text == "Read.\n"
        return
    with pytest.raises(PromptError) as refused:
        _load(tmp_path)
    assert refused.value.message == f"{tmp_path / 'v1.md'} was edited after its release"
    assert "new version beside v1.md" in refused.value.hint


def test_a_version_not_yet_released_may_change(tmp_path: Path) -> None:
    _write(tmp_path, v1=FRONT + "Read.\n", v2=FRONT + "Read on.\n")
    _release(tmp_path, "v1", _load(tmp_path).sha256)
    assert _load(tmp_path, "v2").text == "Read on.\n"


@pytest.mark.parametrize("released", ["[sha256", "", "sha256 = 'x'\n", "[hashes]\nv1 = 'x'\n"])
def test_a_broken_list_of_releases_is_refused(tmp_path: Path, released: str) -> None:
    _write(tmp_path, v1=FRONT + "Read.\n")
    (tmp_path / RELEASED).write_text(released, "utf-8")
    with pytest.raises(PromptError) as refused:
        _load(tmp_path)
    assert refused.value.message.startswith(f"{tmp_path / RELEASED} is broken: ")
