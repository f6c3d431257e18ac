"""Zip archives: nothing leaves its folder, nothing bursts, and one bad member costs no other."""

from __future__ import annotations

import io
import stat
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractor.errors import LetterError
from extractor.letters.formats import archive as archives
from extractor.letters.formats.archive import Archive
from tests.support.files import encrypted, lying, zipped


def listed(data: bytes) -> dict[str, str]:
    """What becomes of each member: its text, or the code of what is wrong with it."""
    archive = Archive(data, "a.zip")
    found = {}
    for member in archive.members():
        read = content(archive, member.number)
        found[member.name if read[1] else f"{member.name} {member.number}"] = read[0]
        assert (member.problem is None) or not read[1]
    return found


def content(archive: Archive, number: int) -> tuple[str, bool]:
    try:
        return archive.read(number).decode(), True
    except LetterError as error:
        return error.code if archive.name in error.message and error.hint else "no message", False


def test_members() -> None:
    members = {
        "a.txt": "one", "deep/b.txt": "two", "deep/": "", "__MACOSX/._a.txt": "no", ".hidden.txt": "no", "x/.git/c": "no",
        "./d.txt": "three", "e..txt": "four", "f\\g.txt": "five",
    }  # fmt: skip
    assert listed(zipped(members)) == {
        "a.txt": "one", "deep/b.txt": "two", "./d.txt": "three", "e..txt": "four", "f/g.txt": "five",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "a/../../evil.txt",
        "..\\evil.txt",
        "a\\..\\..\\evil.txt",
        "/etc/passwd",
        "\\\\server\\share\\a.txt",
        "C:\\evil.txt",
        "c:evil.txt",
        "C:/evil.txt",
        "..",
        "../.bashrc",
    ],
)
def test_names_that_lead_out(name: str) -> None:
    found = listed(zipped({name: "evil", "good.txt": "good"}))
    assert found.pop("good.txt") == "good"
    assert list(found.values()) == ["unsafe_name"]


def test_links_doubled_and_encrypted_members() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.txt", "first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "second")
    assert listed(out.getvalue()) == {"link.txt 0": "unsafe_name", "a.txt": "first", "a.txt 2": "duplicate_name"}
    assert listed(encrypted(zipped({"a.txt": "words"}))) == {"a.txt 0": "encrypted"}


@pytest.mark.parametrize(
    ("method", "read"),
    [(zipfile.ZIP_STORED, True), (zipfile.ZIP_DEFLATED, True), (zipfile.ZIP_BZIP2, False), (zipfile.ZIP_LZMA, False)],
)
def test_methods(method: int, read: bool) -> None:
    assert listed(zipped({"a.txt": "words"}, method)) == (
        {"a.txt": "words"} if read else {"a.txt 0": "unsupported_type"}
    )


# ---- bombs --------------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    return zipped({"bomb.txt": bytes(megabytes << 20), "good.txt": "good"})


def test_a_bomb_is_not_unpacked() -> None:
    data = bomb(100)
    tracemalloc.start()
    started = time.process_time()
    found = listed(data)
    assert time.process_time() - started < 3
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()
    assert found == {"bomb.txt 0": "zip_bomb", "good.txt": "good"}


def test_sizes_in_headers_are_not_believed() -> None:
    data = zipped({"bomb.txt": bytes(50 << 20)})
    assert listed(lying(data, 100)) == {"bomb.txt 0": "damaged"}
    assert listed(lying(data, 1 << 31)) == {"bomb.txt 0": "zip_bomb"}


def test_a_member_may_not_be_larger_than_allowed() -> None:
    archive = Archive(zipped({"a.txt": "0123456789"}, zipfile.ZIP_STORED), "a.zip")
    assert archive.read(0, limit=10) == b"0123456789"
    with pytest.raises(LetterError, match="larger than 9 bytes"):
        archive.read(0, limit=9)


def overlapping() -> bytes:
    """Two directory entries for one member's bytes."""
    data = zipped({"a.txt": bytes(range(256)) * 40, "b.txt": ""}, zipfile.ZIP_STORED)
    out = bytearray(data)
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    out[second + 16 : second + 28] = out[first + 16 : first + 28]  # check sum and both sizes
    out[second + 42 : second + 46] = out[first + 42 : first + 46]  # where it lies
    return bytes(out)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "damaged"),
        (b"PK\x03\x04", "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (zipped({"a.txt": "words" * 100})[:-30], "damaged"),
        (overlapping(), "zip_bomb"),
    ],
)
def test_archives_that_are_none(data: bytes, code: str) -> None:
    with pytest.raises(LetterError) as raised:
        Archive(data, "a.zip")
    assert raised.value.code == code


def test_too_many_members(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({f"{number}.txt": "" for number in range(20)})
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    assert len(list(Archive(data, "a.zip").members())) == 20
    monkeypatch.setattr(archives, "MAX_MEMBERS", 19)
    with pytest.raises(LetterError, match="more than 19 members"):
        Archive(data, "a.zip")


def test_a_directory_too_large_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 1000)
    with pytest.raises(LetterError) as raised:
        Archive(zipped({f"{number}.txt": "" for number in range(30)}), "a.zip")
    assert raised.value.code == "too_many_members"


def test_a_damaged_member_costs_no_other(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.txt": "words " * 50, "b.txt": "good"}, zipfile.ZIP_STORED))
    data[60] ^= 1
    assert listed(bytes(data)) == {"a.txt 0": "damaged", "b.txt": "good"}
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert Archive(path, "a.zip").read(1) == b"good"
    with pytest.raises(LetterError, match="has changed since"):
        Archive(path, "a.zip").read(1, "a.txt")


_ARCHIVE = zipped({"a.txt": "words " * 50, "b/c.txt": "more"})


@given(st.integers(0, len(_ARCHIVE) - 1), st.integers(0, 255))
@example(_ARCHIVE.rindex(b"a.txt"), 0)
def test_any_one_wrong_byte_is_borne(at: int, value: int) -> None:
    data = bytearray(_ARCHIVE)
    data[at] = value
    try:
        archive = Archive(bytes(data), "a.zip")
    except LetterError:
        return
    for member in archive.members():
        assert content(archive, member.number)[0] != "no message"
