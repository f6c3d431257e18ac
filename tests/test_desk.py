"""The answer desk: requests lie down as files, answers are written by hand."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extractor.desk import desk, readable
from extractor.errors import TransportError
from extractor.evidence import Record
from extractor.letter import Letter
from extractor.llm import ChatModel, Patience
from extractor.models import Question, Reply
from extractor.reading import nothing_read

LETTER = "Dear reader,\r\n```` four ````\n  {{ x }} \n"
ANSWER = ' {"n": 1,  "n": 2}\n'


class Answer(Record):
    n: int


@contextmanager
def running(inbox: Path, wait_seconds: float = 5.0) -> Iterator[str]:
    server = desk(inbox, 0, wait_seconds)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def clerk(inbox: Path, answer: Callable[[dict[str, Any]], str]) -> Iterator[None]:
    """Somebody who answers what lies in the inbox."""
    closing = threading.Event()

    def work() -> None:
        while not closing.wait(0.02):
            for path in inbox.glob("*/request.md"):
                target = path.with_name("answer.json")
                if not target.exists():
                    request = json.loads(path.with_name("request.json").read_bytes())
                    target.write_bytes(answer(request).encode())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        closing.set()
        thread.join()


def ask(url: str, letters: list[str], mode: str = "json_schema", **options: Any) -> list[Reply]:
    async def every() -> list[Reply]:
        model = ChatModel("openai/m", model="m", base_url=url, api_key="none", mode=mode, **options)
        asked = [Question(x, x, "Fill it.", Answer, nothing_read(Letter(x, x), "")) for x in letters]
        try:
            return await asyncio.gather(*(model.ask(each) for each in asked))
        finally:
            await model.aclose()

    return asyncio.run(every())


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_the_answer_comes_back_untouched(tmp_path: Path, mode: str) -> None:
    with running(tmp_path) as url, clerk(tmp_path, lambda _: ANSWER):
        reply = ask(url, [LETTER], mode)[0]
    assert reply.text == ANSWER
    assert reply.usage.input_tokens is None
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("0001-")
    assert json.loads((folder / "request.json").read_bytes())["messages"][1]["content"] == LETTER
    shown = (folder / "request.md").read_bytes().decode()
    assert f"## user\n\n`````text\n{LETTER}\n`````\n" in shown
    assert "Fill it." in shown


def test_many_at_once_and_the_same_again(tmp_path: Path) -> None:
    letters = [f"letter {i}" for i in range(20)]
    with running(tmp_path) as url, clerk(tmp_path, lambda request: json.dumps(request["messages"][1]["content"])):
        first = ask(url, letters)
        again = ask(url, letters)
    assert [json.loads(reply.text) for reply in first] == letters
    assert [reply.text for reply in again] == [reply.text for reply in first]
    assert len(list(tmp_path.iterdir())) == 20


def test_a_late_answer_is_found_when_asked_again(tmp_path: Path) -> None:
    with running(tmp_path, wait_seconds=0.1) as url:
        with pytest.raises(TransportError) as caught:
            ask(url, [LETTER], patience=Patience(tries=1))
        assert caught.value.code == "server"
        (folder,) = tmp_path.iterdir()
        (folder / "answer.json").write_text(ANSWER)
        assert ask(url, [LETTER], patience=Patience(tries=1))[0].text == ANSWER


def test_half_an_answer_is_not_an_answer(tmp_path: Path) -> None:
    def slowly() -> None:
        while not (found := list(tmp_path.glob("*/request.md"))):
            time.sleep(0.01)
        with (found[0].parent / "answer.json").open("w") as file:
            for piece in ('{"n"', ": ", "1", "}"):
                file.write(piece)
                file.flush()
                time.sleep(0.02)

    writer = threading.Thread(target=slowly)
    with running(tmp_path) as url:
        writer.start()
        assert ask(url, [LETTER])[0].text == '{"n": 1}'
        writer.join()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/models", None, 200),
        ("/other", None, 404),
        ("/other", b"{}", 404),
        ("/chat/completions", b"not json", 400),
        ("/chat/completions", b"[]", 400),
        ("/chat/completions", b"{}", 400),
        ("/chat/completions", b'{"messages": [1]}', 400),
    ],
)
def test_statuses(tmp_path: Path, path: str, body: bytes | None, status: int) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        try:
            with urllib.request.urlopen(url + path, body, timeout=5) as response:
                got = response.status
                assert len(json.load(response)["data"]) == 1
        except urllib.error.HTTPError as error:
            got = error.code
    assert got == status


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    server = desk(tmp_path / "inbox")
    server.server_close()
    assert server.server_address[0] == "127.0.0.1"
    assert (tmp_path / "inbox").stat().st_mode & 0o077 == 0


def test_a_request_without_text_can_be_shown() -> None:
    assert "null" in readable({"model": "m", "messages": [{"role": "assistant", "content": None}]})
