"""Folders as an accident or an enemy leaves them: what is no letter is passed over, counted and named."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor.errors import LetterError, UsageError
from extractor.letters.places.contents import documents_in
from extractor.letters.places.listing import plain_listing
from extractor.letters.places.sources import LetterFile, find_files
from tests.support.files import found_in, read_all, written
from tests.support.toy import cli, put, write_toy

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no such entries there")

# What lies in the folder, named odd, and the note on it.
Make = Callable[[Path], object]


def pipe(at: Path) -> None:
    os.mkfifo(at)


def unix_socket(at: Path) -> None:
    # Its path may be 108 bytes long: made from within its folder.
    here = Path.cwd()
    os.chdir(at.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(at.name)
    finally:
        os.chdir(here)


def outside_file(at: Path) -> None:
    at.symlink_to(put(at.parent.parent / "private/secret.txt", "secret"))


def outside_folder(at: Path) -> None:
    put(at.parent.parent / "private/secret.txt", "secret")
    at.symlink_to(at.parent.parent / "private")


def outside_upwards(at: Path) -> None:
    put(at.parent.parent / "secret.txt", "secret")
    at.symlink_to("../secret.txt")


def two_that_loop(at: Path) -> None:
    at.symlink_to(at.with_name("loop.txt"))
    at.with_name("loop.txt").symlink_to(at)


def chain_outside(at: Path) -> None:
    """A link inside that leads to a link that leads out."""
    outside_file(at.with_name(".hidden.txt"))
    at.symlink_to(at.with_name(".hidden.txt"))


KINDS: dict[str, tuple[Make, int, str]] = {
    "pipe": (pipe, 1, "entry that is not a file"),
    "socket": (unix_socket, 1, "entry that is not a file"),
    "link to itself": (lambda at: at.symlink_to(at), 1, "broken link"),
    "links in a circle": (two_that_loop, 2, "broken links"),
    "link to nothing": (lambda at: at.symlink_to("nothing.txt"), 1, "broken link"),
    "link to a name too long": (lambda at: at.symlink_to("x" * 300), 1, "broken link"),
    "link through a file": (lambda at: at.symlink_to("a.txt/b.txt"), 1, "broken link"),
    "link to a device": (lambda at: at.symlink_to("/dev/zero"), 1, "link to a file or folder outside"),
    "link to a file outside": (outside_file, 1, "link to a file or folder outside"),
    "link to a folder outside": (outside_folder, 1, "link to a file or folder outside"),
    "link upwards": (outside_upwards, 1, "link to a file or folder outside"),
    "link to a link outside": (chain_outside, 1, "link to a file or folder outside"),
    "link to the folder": (lambda at: at.symlink_to(at.parent), 1, "link to a folder"),
    "link to the folder above": (lambda at: at.symlink_to(at.parent.parent), 1, "link to a file or folder outside"),
    "link to the root": (lambda at: at.symlink_to("/"), 1, "link to a file or folder outside"),
    "link to a pipe inside": (
        lambda at: (pipe(at.with_name(".p")), at.symlink_to(".p")),
        1,
        "entry that is not a file",
    ),
}


@pytest.mark.parametrize("name", ["odd.txt", "odd.zip", "odd.eml", "odd"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_entry_costs_no_letter(tmp_path: Path, kind: str, name: str) -> None:
    make, count, line = KINDS[kind]
    folder = written(tmp_path / "in", **{"a.txt": "words", "z/b.txt": "more"})
    make(folder / name)
    ids, lines = found_in(folder)
    assert ids == ["a", "z/b"]
    [only] = lines
    assert only.startswith(f"{count} {line}")
    assert name in only
    assert read_all(folder) == {"a": "words", "z/b": "more"}
    assert plain_listing(folder) is None


def test_links_inside_the_folder_are_read_once(tmp_path: Path) -> None:
    written(tmp_path, **{"in/a.txt": "words", "in/.store/b.txt": "more"})
    (tmp_path / "in/c.txt").symlink_to("a.txt")
    (tmp_path / "in/d.txt").symlink_to(tmp_path / "in/.store/b.txt")
    (tmp_path / "way").symlink_to("in")
    for named in ("in", "way"):
        assert read_all(tmp_path / named) == {"a": "words", "d": "more"}


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    outside_file(put(tmp_path / "in/a.txt", "words").with_name("b.txt"))
    assert read_all(tmp_path / "in/b.txt") == {"b": "secret"}


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    written(tmp_path, **{"a.txt": "words", "closed/b.txt": "words", "z/closed/c.txt": "words", "z/d.txt": "words"})
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "closed":
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert found_in(tmp_path) == (
        ["a", "z/d"],
        ["2 folders without permission to open them are skipped: closed, z/closed"],
    )
    with pytest.raises(UsageError, match="no letters in") as raised:
        find_files([tmp_path / "closed"])
    assert "without permission to open" in raised.value.hint


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="gives up its rights")
def test_without_rights(tmp_path: Path) -> None:
    """As a user who may not open a file, a folder, or what lies in one that may be listed but not entered."""
    written(
        tmp_path,
        **{"in/a.txt": "words", "in/shut.txt": "x", "in/shut.zip": "x", "in/none/b.txt": "x", "in/list/c.txt": "x"},
    )
    for name, mode in {"shut.txt": 0, "shut.zip": 0, "none": 0, "list": 0o444}.items():
        (tmp_path / "in" / name).chmod(mode)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o755)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            ids, lines = found_in(tmp_path / "in")
            text = repr((read_all(tmp_path / "in"), ids, lines))
        except BaseException as error:
            text = repr(error)
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as answer:
        texts, ids, lines = eval(answer.read())
    os.waitpid(child, 0)
    assert texts == {"a": "words", "list/c": "unreadable", "shut.txt": "unreadable", "shut.zip": "unreadable"}
    assert lines == ["1 folder without permission to open it is skipped: none"]


@pytest.mark.parametrize("name", ["a.txt", "a.zip", "a.eml", "a.pdf"])
def test_a_pipe_that_nobody_writes_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for file in (LetterFile("a", tmp_path / name), *find_files([tmp_path / name])):
        [(_, error)] = documents_in(file)
        assert isinstance(error, LetterError)
        assert (error.code, "it is not a file" in error.message) == ("unreadable", True)


@pytest.mark.slow
def test_folders_deeper_than_any_stack(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(put(tmp_path / "in/a.txt", "words").parent)
        for _ in range(1_500):
            os.mkdir("dd")
            os.chdir("dd")
        os.chdir(here)
        names, [reason] = found_in(tmp_path / "in")
        assert names == ["a"]
        assert reason.startswith("1 entry whose path is too long for the system is skipped: dd/dd/dd/")
        assert len(reason) < 500
        listed = plain_listing(tmp_path / "in")
        assert listed is None or [file.id for file in listed] == ["a"]
    finally:
        os.chdir(here)
        # Too deep for what cleans up behind tests.
        subprocess.run(["rm", "-r", "-f", str(tmp_path / "in")], check=True)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda at: at.symlink_to(at), "Too many levels of symbolic links"),
        (lambda at: at.symlink_to("nothing"), "no such file or folder"),
        (lambda at: None, "no such file or folder"),
    ],
)
def test_a_named_path_that_cannot_be_used(tmp_path: Path, make: Make, reason: str) -> None:
    make(tmp_path / "odd")
    with pytest.raises(UsageError, match=reason):
        find_files([tmp_path / "odd"])


def test_a_run_over_a_folder_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    for number, (make, _, _) in enumerate(KINDS.values()):
        make(tmp_path / f"toy/letters/{number}.txt")
    ran = cli("run", "letters", "--out", "out", "--json")
    assert (ran.code, ran.json["letters"], ran.json["accepted"]) == (0, 3, 3)
    assert "secret" not in (tmp_path / "toy/out/records.jsonl").read_text()
    for line in ("broken links", "links to files or folders outside", "not files (pipes"):
        assert line in ran.err


@pytest.mark.parametrize(
    ("name", "letter_id"),
    [
        ("x\nforged   accepted.txt", "x\\x0aforged   accepted"),
        ("a\tb.txt", "a\\x09b"),
        ("a\x1b[2Jb.txt", "a\\x1b[2Jb"),
        ("a\u2028b.txt", "a\\x2028b"),
        ("a\x9bb.txt", "a\\x9bb"),
        ("Ümläut né 7.txt", "Ümläut né 7"),
    ],
)
def test_an_id_is_on_one_line(tmp_path: Path, name: str, letter_id: str) -> None:
    put(tmp_path / "letters" / name, "PARCEL NOTE")
    assert [file.id for file in find_files([tmp_path / "letters"])] == [letter_id]
    alone = find_files([tmp_path / "letters" / name])
    assert [file.id for file in alone] == [letter_id]
