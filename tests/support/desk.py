"""An answer desk in a test: the server, somebody who answers, and models that ask it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import StrictModel
from extractor.lettertypes.reading import nothing_read
from extractor.models.cassettes import Tape, transport
from extractor.models.desk import Inbox, Source, desk
from extractor.models.llm import ChatModel
from extractor.models.model import Correction, Question, Reply
from tests.support.loopback import served

LETTER = "Dear reader,\r\n```` four ````\n  {{ x }} \n"


class Answer(StrictModel):
    n: int


@contextmanager
def running(inbox: Path, wait_seconds: float = 5.0, **options: Any) -> Iterator[str]:
    with serving(Inbox(inbox, wait_seconds, **options)) as url:
        yield url


@contextmanager
def serving(source: Source) -> Iterator[str]:
    server = desk(source)
    with served(server):
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"


@contextmanager
def clerk(inbox: Path, answer: Callable[[dict[str, Any]], str], name: str = "answer.json") -> Iterator[None]:
    """Somebody who answers what is in the inbox."""
    closing = threading.Event()

    def work() -> None:
        while not closing.wait(0.02):
            for path in inbox.glob("[!.]*/request.md"):
                target = path.with_name(name)
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


def question(letter: str, *corrections: Correction) -> Question:
    return Question(
        letter, letter, "Fill it.", Answer, nothing_read(Letter(letter, letter), ""), corrections=corrections
    )


def ask(url: str, letters: list[str], mode: str = "json_schema", **options: Any) -> list[Reply]:
    return ask_all(url, [question(letter) for letter in letters], mode=mode, **options)


def ask_all(url: str, questions: list[Question], *, record_to: Path | None = None, **options: Any) -> list[Reply]:
    async def one(model: ChatModel, asked: Question) -> Reply:
        if record_to is None:
            return await model.ask(asked)
        with Tape(record_to, asked.letter_id, "imr@v1", "openai/m", mode="record"):
            return await model.ask(asked)

    async def every() -> list[Reply]:
        if record_to:
            options["transport"] = transport()
        model = ChatModel("openai/m", model="m", base_url=url, api_key="none", **options)
        try:
            return await asyncio.gather(*(one(model, each) for each in questions))
        finally:
            await model.aclose()

    return asyncio.run(every())
