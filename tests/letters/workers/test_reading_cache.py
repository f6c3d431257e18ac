"""Kept readings: no page is read twice, no changed byte is believed, and the folder stays within its limit."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import LedgerError, LetterError
from extractor.letters.documents import Box, Document, Note, Size, Word
from extractor.letters.spans import Span
from extractor.letters.workers.reading_cache import LIMIT, ReadingCache

DOCUMENT = Document(
    "MRI: Upheld\n",
    "ocr",
    (Span(0, 12),),
    (Word(Span(0, 4), 0, Box(0.1, 0.1, 0.2, 0.2), 96.5), Word(Span(5, 11), 0, Box(0.3, 0.1, 0.4, 0.2), 91.0)),
    (Note("unsure_digits", "doubtful", Span(0, 4)), Note("left_out", "a file", None, "a.pdf", "error")),
    (Size(612.0, 792.0, 1),),
)


class Reader:
    """Counts what it is given; gives ``found``, or raises it."""

    def __init__(self, found: Document | LetterError = DOCUMENT) -> None:
        self.found = found
        self.calls: list[tuple[str, bytes, str]] = []

    def __call__(self, kind: str, data: bytes, name: str) -> Document:
        self.calls.append((kind, data, name))
        if isinstance(self.found, LetterError):
            raise self.found
        return self.found


def cache(folder: Path, reader: Reader, limit: int = LIMIT, version: str = "1") -> ReadingCache:
    return ReadingCache(folder / "readings", reader, limit, lambda: version)


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "readings").glob("*/*"))


def test_what_was_read_is_not_read_again_under_any_name(tmp_path: Path) -> None:
    reader = Reader()
    first = cache(tmp_path, reader)("pdf", b"scan", "a.pdf")
    again = cache(tmp_path, reader)("pdf", b"scan", "moved/b.pdf")
    assert first == again == DOCUMENT
    assert len(reader.calls) == 1


@pytest.mark.parametrize(
    ("kind", "data", "version"),
    [("image", b"scan", "1"), ("pdf", b"scam", "1"), ("pdf", b"scan", "2")],
    ids=["another kind", "other bytes", "another version of the readers"],
)
def test_anything_else_is_read(tmp_path: Path, kind: str, data: bytes, version: str) -> None:
    reader = Reader()
    cache(tmp_path, reader)("pdf", b"scan", "a")
    cache(tmp_path, reader, version=version)(kind, data, "a")
    assert len(reader.calls) == 2


def test_a_changed_byte_is_found_and_the_file_is_read_again(tmp_path: Path) -> None:
    reader = Reader()
    cache(tmp_path, reader)("pdf", b"scan", "a.pdf")
    [path] = kept(tmp_path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], whole[:-1], whole[:50] + bytes([whole[50] ^ 1]) + whole[51:]):
        path.write_bytes(damaged)
        assert cache(tmp_path, reader)("pdf", b"scan", "a.pdf") == DOCUMENT
        assert path.read_bytes() == whole
    assert len(reader.calls) == 5


@given(flipped=st.integers(0, 10_000))
def test_no_flipped_bit_gives_another_reading(tmp_path_factory: pytest.TempPathFactory, flipped: int) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    reader = Reader()
    cache(folder, reader)("pdf", b"scan", "a.pdf")
    [path] = kept(folder)
    data = bytearray(path.read_bytes())
    data[flipped % len(data)] ^= 1 << flipped % 8
    path.write_bytes(data)
    assert cache(folder, reader)("pdf", b"scan", "a.pdf") == DOCUMENT
    assert len(reader.calls) == 2


@pytest.mark.parametrize(
    ("code", "calls"),
    [("no_text", 1), ("garbage_text", 1), ("timeout", 2), ("worker_crashed", 2), ("cancelled", 2), ("ocr_missing", 2)],
)
def test_only_failures_that_would_come_again_are_kept(tmp_path: Path, code: str, calls: int) -> None:
    reader = Reader(LetterError("a.pdf shows no words", code=code, hint="scan it again"))
    for name in ("a.pdf", "b.pdf"):
        with pytest.raises(LetterError) as raised:
            cache(tmp_path, reader)("pdf", b"blank", name)
        assert (raised.value.code, raised.value.hint) == (code, "scan it again")
    assert len(reader.calls) == calls
    if calls == 1:
        assert raised.value.message == "b.pdf shows no words"


def test_the_folder_stays_within_its_limit_and_loses_what_was_not_used_for_longest(tmp_path: Path) -> None:
    reader = Reader()
    cache(tmp_path, reader)("pdf", b"0", "a")
    [path] = kept(tmp_path)
    size = path.stat().st_size
    small = cache(tmp_path, reader, limit=4 * size)
    for number in range(1, 4):
        small("pdf", b"%d" % number, "a")
    for age, path in enumerate(kept(tmp_path)):
        os.utime(path, (1000 + age, 1000 + age))
    small("pdf", b"0", "a")  # used again: not the oldest any more
    calls = len(reader.calls)
    small("pdf", b"4", "a")
    assert sum(path.stat().st_size for path in kept(tmp_path)) <= 4 * size
    small("pdf", b"0", "a")
    assert len(reader.calls) == calls + 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_readings_are_private_and_what_a_kill_left_is_removed(tmp_path: Path) -> None:
    reader = Reader()
    cache(tmp_path, reader)("pdf", b"scan", "a")
    [path] = kept(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    old, new = path.parent / "x.part", path.parent / "y.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    cache(tmp_path, reader)("pdf", b"other", "a")
    assert not old.exists()
    assert new.exists()


def test_a_folder_that_cannot_be_written_costs_no_letter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    reader = Reader()
    odd = ReadingCache(tmp_path / "file" / "readings", reader, version=lambda: "1")
    assert odd("pdf", b"scan", "a") == DOCUMENT


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "readings").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="not a folder"):
        cache(tmp_path, Reader())


def test_many_threads_may_use_it_at_once(tmp_path: Path) -> None:
    reader, found = Reader(), []
    shared = cache(tmp_path, reader)

    def read() -> None:
        found.extend(shared("pdf", b"%d" % (number % 5), "a") for number in range(20))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [DOCUMENT] * 80
    assert len(kept(tmp_path)) == 5
