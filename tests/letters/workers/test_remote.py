"""What a worker of a cluster sends back, and what the head process makes of it."""

from __future__ import annotations

import json
import os
import socket
import zlib

import pytest

from extractor.errors import LetterError, UsageError
from extractor.letters.documents import Document
from extractor.letters.workers import remote
from extractor.letters.workers.engines import opened_engine
from extractor.letters.workers.processes import read_in_process
from extractor.letters.workers.reader_version import reader_version
from extractor.letters.workers.remote import OtherVersionError, document_of, read_on_worker
from tests.support.makepdf import typeset

LETTER = typeset("Case Number: CM14-0000001\n\nMRI of the lumbar spine: Upheld\n")


def sent(read: remote.Read) -> bytes:
    return read_on_worker("pdf", b"file", reader_version(), read)


def test_a_file_is_read_as_on_this_machine() -> None:
    reply = read_on_worker("pdf", LETTER, reader_version())
    assert document_of(reply, "a.pdf") == read_in_process("pdf", LETTER, "a.pdf")


def test_another_version_is_refused_before_anything_is_read() -> None:
    with pytest.raises(OtherVersionError) as raised:
        document_of(read_on_worker("pdf", LETTER, "letterproof 0.0.1", pytest.fail), "a.pdf")
    assert raised.value.args == (f"{socket.gethostname()}, process {os.getpid()}", reader_version())


def test_an_error_names_the_file_as_the_head_process_does() -> None:
    def read(kind: str, data: bytes, name: str) -> Document:
        raise LetterError(f"{name} shows no words", code="no_text", hint="scan it again")

    with pytest.raises(LetterError, match=r"^letters/a\.pdf shows no words") as raised:
        document_of(sent(read), "letters/a.pdf")
    assert (raised.value.code, raised.value.hint) == ("no_text", "scan it again")


def test_a_defect_of_a_reader_is_that_files_error_and_repeats_no_words_of_it() -> None:
    def read(kind: str, data: bytes, name: str) -> Document:
        raise RuntimeError("words of the letter")

    with pytest.raises(LetterError, match="RuntimeError") as raised:
        document_of(sent(read), "a.pdf")
    assert raised.value.code == "damaged"
    assert "words of the letter" not in str(raised.value)


def test_a_result_beyond_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MOST_PACKED", 200)
    noise = "".join(chr(0x4E00 + (n * n) % 5003) for n in range(500))
    with pytest.raises(LetterError, match=r"a\.pdf is larger") as raised:
        document_of(sent(lambda *_: Document(noise, "pdf")), "a.pdf")
    assert raised.value.code == "too_large"


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"[1]"),
        zlib.compress(b"{}"),
        zlib.compress(b"{}")[:-3],
    ],
)
def test_a_reply_that_is_none_fails_the_file(reply: bytes) -> None:
    with pytest.raises(LetterError):
        document_of(reply, "a.pdf")


def test_a_reply_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MOST_UNPACKED", 1000)
    with pytest.raises(LetterError, match="too large"):
        document_of(zlib.compress(json.dumps({"document": "x" * 100_000}).encode()), "a.pdf")


@pytest.mark.parametrize(
    ("name", "scheduler", "message"),
    [("local", "tcp://127.0.0.1:1", "engine dask only"), ("ray", None, "'ray' cannot be used")],
)
def test_an_engine_that_cannot_be_used_is_refused(name: str, scheduler: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message), opened_engine(name, scheduler):
        pass
