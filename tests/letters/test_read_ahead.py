"""Letters read ahead: all of them, once each, a bounded number at a time, and without holding up the loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import LetterError
from extractor.letters import read_ahead
from extractor.letters.letter import Letter, LetterFile, find_letters
from extractor.letters.read_ahead import ReadAhead, ReadLetter
from extractor.letters.workers.processes import MAX_WORKERS, close_workers, read_pdf
from tests.support import hostilepdf
from tests.support.files import mail, zipped
from tests.support.toy import put

Read = Iterator[tuple[LetterFile, Letter | LetterError]]


def files(*names: str) -> list[LetterFile]:
    return [LetterFile(name, Path(name)) for name in names]


def reading(monkeypatch: pytest.MonkeyPatch, read: Callable[[LetterFile], Read]) -> None:
    monkeypatch.setattr(read_ahead, "letters_in", lambda file, starts: read(file))


def one_each(file: LetterFile) -> Read:
    yield file, Letter(file.id, f"text of {file.id}")


async def taken(ahead: ReadAhead, most: int | None = None) -> list[ReadLetter]:
    found: list[ReadLetter] = []
    while (most is None or len(found) < most) and (read := await ahead.get()) is not None:
        found.append(read)
    return found


def all_of(listed: Any, **more: Any) -> list[ReadLetter]:
    async def collect() -> list[ReadLetter]:
        with ReadAhead(listed, **more) as ahead:
            return await taken(ahead)

    return asyncio.run(collect())


def test_texts_come_in_order_whatever_is_read_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(file: LetterFile) -> Read:
        if file.path.suffix == ".pdf":
            time.sleep(0.05)
        return one_each(file)

    reading(monkeypatch, read)
    listed = files(*(f"{n}{'.pdf' if n % 5 == 0 else '.txt'}" for n in range(40)))
    ids = [each.file.id for each in all_of(listed)]
    texts = [name for name in ids if name.endswith(".txt")]
    assert sorted(ids) == sorted(file.id for file in listed)
    assert texts == [file.id for file in listed if file.id.endswith(".txt")]
    assert ids.index("0.pdf") > 0


@pytest.mark.parametrize("held", [1, 2, 5])
def test_the_last_letter_of_a_file_is_known_as_such(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    def read(file: LetterFile) -> Read:
        for number in range(held):
            yield file._replace(id=f"{file.id}#{number}"), Letter("x", "text")

    reading(monkeypatch, read)
    found = [(each.file.id, each.number, each.last) for each in all_of(files("a.txt", "b.txt"))]
    assert found == [(f"{name}.txt#{n}", n, n == held - 1) for name in "ab" for n in range(held)]


def test_containers_bad_files_and_defects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.eml", bytes(mail("see below", one_txt=b"One", two_txt=b"Two")))
    put(tmp_path / "b.zip", zipped({"x.txt": "X", "y.zip": zipped({"z.txt": "Z"})}))
    put(tmp_path / "c.txt", "")
    found = {each.file.id: each for each in all_of(find_letters([tmp_path]))}
    assert sorted(found) == ["a/one", "a/two", "b/x", "b/y/z", "c"]
    assert isinstance(found["c"].letter, LetterError)

    def broken(file: LetterFile) -> Read:
        yield from one_each(file)
        raise ZeroDivisionError

    reading(monkeypatch, broken)
    [good, bad] = all_of(files("a.txt"))
    assert isinstance(good.letter, Letter)
    assert (type(bad.letter), bad.file.id, bad.last) == (ZeroDivisionError, "a.txt", True)


@pytest.mark.parametrize("suffix", [".txt", ".pdf"])
def test_only_so_many_letters_are_read_ahead(monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    begun: list[str] = []

    def read(file: LetterFile) -> Read:
        begun.append(file.id)
        return one_each(file)

    async def slowly() -> None:
        with ReadAhead(files(*(f"{n}{suffix}" for n in range(300))), ahead=4) as ahead:
            for count in range(1, 40):
                await ahead.get()
                await asyncio.sleep(0.002)
                # Those taken, those ready, and one in the hands of each thread.
                assert len(begun) <= count + 4 + (MAX_WORKERS if suffix == ".pdf" else 1)

    reading(monkeypatch, read)
    asyncio.run(slowly())


def test_files_that_need_a_process_are_read_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(MAX_WORKERS, timeout=20)

    def read(file: LetterFile) -> Read:
        together.wait()
        return one_each(file)

    reading(monkeypatch, read)
    assert len(all_of(files(*(f"{n}.tif" for n in range(2 * MAX_WORKERS))))) == 2 * MAX_WORKERS


def test_the_loop_goes_on_while_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def read(file: LetterFile) -> Read:
        assert release.wait(20)
        return one_each(file)

    async def waiting() -> None:
        with ReadAhead(files("a.txt", "b.pdf")) as ahead:
            first = asyncio.create_task(ahead.get())
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert not first.done()
            assert ahead.reading == 1
            release.set()
            assert await first is not None

    reading(monkeypatch, read)
    asyncio.run(waiting())


def test_cancelled_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes any more, and what was not taken is known: of ``1`` one letter was taken, of two."""
    stuck = threading.Event()

    def read(file: LetterFile) -> Read:
        if file.id == "2.txt":
            assert stuck.wait(20)
        yield from one_each(file)
        if file.id == "1.txt":
            yield file._replace(id="1.txt#2"), Letter("x", "more")

    async def cancelled() -> None:
        with ReadAhead(files(*(f"{n}.txt" for n in range(5)))) as ahead:
            assert [each.file.id for each in await taken(ahead, 2)] == ["0.txt", "1.txt"]
            waits = asyncio.create_task(taken(ahead))
            ahead.cancel()
            assert await waits == []
            stuck.set()
        assert ahead.partial == 1
        left = [file.id for file in ahead.untaken()]
        assert left[-2:] == ["3.txt", "4.txt"]
        assert set(left) <= {"1.txt#2", "1.txt", "2.txt", "3.txt", "4.txt"}

    reading(monkeypatch, read)
    asyncio.run(cancelled())


def test_cancelling_ends_the_reader_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The PDF takes minutes; the thread that waits for it is gone at once, and the next file is read."""
    close_workers()
    errors: list[str] = []

    def read(file: LetterFile) -> Read:
        try:
            read_pdf(hostilepdf.nested_forms(), "slow.pdf")
        except LetterError as error:
            errors.append(error.code)
        return one_each(file)

    async def cancelled() -> list[threading.Thread]:
        with ReadAhead(files(*(f"{n}.pdf" for n in range(3)))) as ahead:
            waits = asyncio.create_task(ahead.get())
            await asyncio.sleep(0.5)
            ahead.cancel()
            assert await waits is None
            return [thread for thread in threading.enumerate() if thread.name == "letter-reader"]

    reading(monkeypatch, read)
    for thread in asyncio.run(cancelled()):
        thread.join(20)
        assert not thread.is_alive()
    assert set(errors) == {"cancelled"}
    close_workers()


def test_a_long_list_is_not_held_in_memory() -> None:
    class Endless(list[LetterFile]):
        def __iter__(self) -> Iterator[LetterFile]:
            return (LetterFile(str(n), Path("/nowhere") / f"{n}.txt") for n in range(10**9))

    async def some() -> list[ReadLetter]:
        with ReadAhead(Endless()) as ahead:
            return await taken(ahead, 20)

    assert [each.file.id for each in asyncio.run(some())] == [str(n) for n in range(20)]
    # Also the thread that looks through all names in vain ends with the context.
    for thread in threading.enumerate():
        if thread.name == "letter-reader":
            thread.join(20)
            assert not thread.is_alive()
