"""The answer desk: requests lie down as files, answers are written by hand; or recorded answers are given out."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import CassetteError, TransportError, UsageError
from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import StrictModel
from extractor.lettertypes.reading import nothing_read
from extractor.models.answer_desk import Inbox, Recordings, Source, desk, draft_answer, readable
from extractor.models.cassettes import Tape, transport
from extractor.models.llm import ChatModel, Patience
from extractor.models.model import Correction, Question, Reply
from tests.support.toy import ROOT, cli, records

LETTER = "Dear reader,\r\n```` four ````\n  {{ x }} \n"
ANSWER = ' {"n": 1,  "n": 2}\n'


class Answer(StrictModel):
    n: int


@contextmanager
def running(inbox: Path, wait_seconds: float = 5.0) -> Iterator[str]:
    with serving(Inbox(inbox, wait_seconds)) as url:
        yield url


@contextmanager
def serving(source: Source) -> Iterator[str]:
    server = desk(source)
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
            for path in inbox.glob("[!.]*/request.md"):
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
    assert f"## user: the letter\n\n`````text\n{LETTER}\n`````\n" in shown
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
        while not (found := list(tmp_path.glob("[!.]*/request.md"))):
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


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        port = url.removesuffix("/v1").rpartition(":")[2]
        sent = {name: value.replace("{port}", port) for name, value in headers.items()}
        for path, body in (("/models", None), ("/chat/completions", b'{"messages": []}')):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(url + path, body, sent), timeout=5)
            with refused.value:
                assert refused.value.code == 403
    assert list(tmp_path.iterdir()) == []


def test_it_answers_by_the_name_of_this_machine_too(tmp_path: Path) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        port = url.removesuffix("/v1").rpartition(":")[2]
        request = urllib.request.Request(f"{url}/models", headers={"Host": f"localhost:{port}"})
        with urllib.request.urlopen(request, timeout=5) as response:
            assert response.status == 200


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    server = desk(Inbox(tmp_path / "inbox"))
    server.server_close()
    assert server.server_address[0] == "127.0.0.1"
    assert (tmp_path / "inbox").stat().st_mode & 0o077 == 0


# ---- what there is to read -------------------------------------------------------------------


def test_a_request_without_text_is_readable() -> None:
    assert "null" in readable({"model": "m", "messages": [{"role": "assistant", "content": None}]})


def test_a_letter_that_is_asked_again_has_the_former_answer_and_what_was_wrong(tmp_path: Path) -> None:
    wrong = "A check found these mistakes:\n- /n: number_wrong: not in the letter"
    with running(tmp_path) as url, clerk(tmp_path, lambda _: ANSWER):
        ask_all(url, [question(LETTER)])
        ask_all(url, [question(LETTER, Correction('{"n": 7}', wrong))])
    first, second = (path.read_bytes().decode() for path in sorted(tmp_path.glob("*/request.md")))
    assert first.startswith("# Request to m\n")
    assert second.startswith("# Request to m, asked again (round 2)\n")
    headings = [line.removeprefix("## ") for line in second.splitlines() if line.startswith("## ")]
    assert headings == [
        "system: the prompt",
        "user: the letter",
        "assistant: the former answer",
        "user: what was found wrong with it",
        "response_format",
    ]
    for text in ("Fill it.", LETTER, '{"n": 7}', wrong):
        assert f"text\n{text}\n```" in second


def test_notes_beside_the_letter_are_called_so() -> None:
    shown = readable({"messages": [{"role": role, "content": role} for role in ("system", "user", "user")]})
    assert "## user: the letter\n" in shown
    assert "## user: notes to the letter\n" in shown


# ---- recorded answers ------------------------------------------------------------------------


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    """Twenty letters recorded at the inbox, each with an answer of its own."""
    inbox, tapes = tmp_path / "inbox", tmp_path / "tapes"
    with running(inbox) as url, clerk(inbox, lambda request: json.dumps(request["messages"][1]["content"])):
        ask_all(url, [question(f"letter {i}") for i in range(20)], record_to=tapes)
    return tapes


def test_each_request_gets_its_own_recorded_answer(tapes: Path) -> None:
    with serving(Recordings(tapes)) as url:
        replies = ask(url, [f"letter {i % 20}" for i in range(60)])
    assert [json.loads(reply.text) for reply in replies] == [f"letter {i % 20}" for i in range(60)]
    assert {reply.usage.input_tokens for reply in replies} == {None}


def test_an_answer_takes_as_long_as_asked_for(tapes: Path) -> None:
    with serving(Recordings(tapes, latency=0.2)) as url:
        start = time.monotonic()
        replies = ask(url, [f"letter {i}" for i in range(20)])
        whole = time.monotonic() - start
    assert all(reply.seconds >= 0.2 for reply in replies)
    assert whole < 20 * 0.2


def test_what_nobody_recorded_is_named_without_the_letter(tapes: Path) -> None:
    missing: list[str] = []
    with serving(Recordings(tapes, on_missing=missing.append)) as url:
        with pytest.raises(TransportError, match="code=no_recording"):
            ask(url, ["letter 0"], params={"temperature": 1}, patience=Patience(tries=1))
        with pytest.raises(TransportError, match="HTTP 404"):
            ask(url, ["a secret matter"], patience=Patience(tries=1))
    assert missing[0].splitlines()[1:] == ["  temperature: None recorded, 1 now"]
    assert missing[1].splitlines()[1:] == ["  messages[1] (user): 2 changed lines"]
    assert all(each.startswith("no recorded answer: body sha256 ") for each in missing)


def test_the_last_answer_counts_and_tapes_made_by_hand_do_not(tapes: Path) -> None:
    path = next(tapes.rglob("letter 3.yaml"))
    whole = path.read_text()
    call = whole[whole.index("- request:") : whole.rindex("...")]
    busy = call.replace("code: 200", "code: 429", 1)
    path.write_text(whole.replace("calls: 1", "calls: 2").replace(call, busy + call))
    path.with_name("made.yaml").write_text(
        whole.replace("recorded:", "recorded:\n  synthetic: true").replace("letter 3", "no")
    )
    with serving(Recordings(tapes)) as url:
        assert ask(url, ["letter 3"], patience=Patience(tries=1))[0].text == '"letter 3"'
        with pytest.raises(TransportError):
            ask(url, ["no"], patience=Patience(tries=1))


def test_recordings_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recordings in"):
        Recordings(tmp_path)
    (tmp_path / "t.yaml").write_text("{}\n")
    with pytest.raises(CassetteError):
        Recordings(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option '--inbox' or '--from-cassettes'"),
        (["--inbox", "a", "--from-cassettes", "b"], "leave out one of them"),
        (["--from-cassettes", "nowhere"], "no recordings in nowhere"),
        (["--inbox", "a", "--port", "PORT"], "name another --port"),
    ],
)
def test_a_usage_error_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "other") as url:
        port = url.rpartition(":")[2].removesuffix("/v1")
        ran = cli("desk", *(port if word == "PORT" else word for word in words))
    assert ran.code == 2
    assert message in ran.err


@pytest.mark.slow
def test_a_run_against_the_recordings_is_a_replay(tmp_path: Path) -> None:
    letters = [ROOT / f"eval/imr/letters/dwc-2014-{n:03}.txt" for n in range(5)]
    command = ["extractor", "desk", "--from-cassettes", ROOT / "cassettes/imr/imr@v1", "--port", "0"]
    with subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.PIPE, text=True) as serving:
        try:
            url = serving.stderr.readline().split()[3].rstrip(",") if serving.stderr else ""
            common = ["--model", "openai/answer-desk", "--prompt", "imr@v1", "--workspace", ROOT, "--out"]
            cli("run", *letters, *common, tmp_path / "live", "--base-url", url)
        finally:
            serving.terminate()
    cli("run", *letters, *common, tmp_path / "replayed", "--replay")
    live, replayed = (
        [(each["letter_id"], each["status"], each["answer"], each["findings"]) for each in records(tmp_path / out)]
        for out in ("live", "replayed")
    )
    assert len(live) == 5
    assert live == replayed


def test_a_draft_has_the_shape_of_the_schema(tmp_path: Path) -> None:
    inner = {"type": "object", "properties": {"kind": {"const": "x"}, "side": {"anyOf": [{"type": "null"}]}}}
    schema = {"type": "object", "properties": {"one": {"$ref": "#/$defs/Inner"}, "many": {"type": "array"}}}
    request = {"response_format": {"json_schema": {"schema": {**schema, "$defs": {"Inner": inner}}}}}
    draft = {"one": {"kind": "x", "side": None}, "many": []}
    assert draft_answer(request) == draft
    tools = [{"function": {"name": "X", "parameters": {**schema, "$defs": {"Inner": inner}}}}]
    assert draft_answer({"tools": tools}) == draft
    assert draft_answer({"response_format": 7}) is None


def test_a_folder_names_the_round_and_how_to_answer(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, 0.1)
    for roles in (["user"], ["user", "assistant", "user"]):
        body = json.dumps({"messages": [{"role": role, "content": "x"} for role in roles]}).encode()
        assert inbox.reply("/v1/chat/completions", body)[0] == 503
    assert [path.name[:8] for path in sorted(tmp_path.iterdir())] == ["0001-r1-", "0002-r2-"]
    assert all("How to answer" in path.read_text()[:200] for path in tmp_path.glob("*/request.md"))
