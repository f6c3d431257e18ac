"""The inbox: requests become folders, answers are written by hand, checked, and sent as they are."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from extractor.errors import TransportError
from extractor.models.desk import DeskRequest, Inbox
from extractor.models.desk.inbox import problems_of
from extractor.models.llm import Patience
from extractor.models.model import Correction
from extractor.models.wire import strict_schema
from tests.support.desk import LETTER, Answer, ask, ask_all, clerk, question, running
from tests.support.toy import NOTES, cli, records, write_toy

ANSWER = ' {"n":  1}\n'
BROKEN = ' {"n": 1,  "n": 2}\n'


def body(*roles: str, **fields: Any) -> bytes:
    return json.dumps({"messages": [{"role": role, "content": role} for role in roles], **fields}).encode()


def request(data: bytes, letter_id: str = "", **options: Any) -> DeskRequest:
    return DeskRequest("/v1/chat/completions", data, letter_id, **options)


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not found():
        assert time.monotonic() < end
        time.sleep(0.01)


def only(inbox: Path, name: str) -> Path:
    """The path of a file in the one folder of an inbox, when the folder is there."""
    until(lambda: any(inbox.glob("[!.]*/request.md")))
    return next(inbox.glob("[!.]*/request.md")).with_name(name)


# ---- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["json_schema", "tools", "json"])
def test_an_answer_comes_back_untouched(tmp_path: Path, mode: str) -> None:
    with running(tmp_path) as url, clerk(tmp_path, lambda _: ANSWER):
        reply = ask(url, [LETTER], mode)[0]
    assert reply.text == ANSWER
    assert reply.usage.input_tokens is None
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "request.json").read_bytes())["messages"][1]["content"] == LETTER
    shown = (folder / "request.md").read_bytes().decode()
    assert f"## user: the letter\n\n`````text\n{LETTER}\n`````\n" in shown
    assert "Fill it." in shown


def test_what_is_marked_as_unchecked_is_sent_whatever_it_is(tmp_path: Path) -> None:
    with running(tmp_path) as url, clerk(tmp_path, lambda _: BROKEN, "answer.unchecked.json"):
        assert ask(url, [LETTER])[0].text == BROKEN


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b'{"n": 1,  "n": 2}', "not valid JSON: one key is given twice"),
        (b'{"n": 1,\n "m": }', "not valid JSON: line 2, column 7: Expecting value"),
        (b'{"n": NaN}', "not valid JSON: NaN and Infinity are not numbers"),
        (b'{"n": "\xff"}', "it is not UTF-8 text: byte 8"),
        (b"[1]", "an answer is one JSON object, in braces"),
        (b"{}", "`/n`: this key is missing"),
        (b'{"n": null}', "`/n`: null is not allowed; wanted: whole number"),
        (b'{"n": 1, "m": 2}', "`/m`: the schema has no such key"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(answer: bytes, problem: str) -> None:
    assert problems_of(answer, strict_schema(Answer, lengths=False)) == [problem]


def test_an_answer_that_does_not_fit_waits_for_its_correction(tmp_path: Path) -> None:
    events: list[str] = []

    def work() -> None:
        file = only(tmp_path, "answer.json")
        file.write_text("{}")
        until(lambda: len(events) == 2)
        file.write_text(ANSWER)

    worker = threading.Thread(target=work, daemon=True)
    with running(tmp_path, on_event=events.append) as url:
        worker.start()
        assert ask(url, [LETTER])[0].text == ANSWER
        worker.join()
    folder = only(tmp_path, "request.md").parent.name
    assert [each.removeprefix(f"{folder}: ") for each in events] == [
        "waits for answer.json",
        "answer.json not sent, 1 problem, see answer.problems.md",
        "answered",
    ]
    assert not only(tmp_path, "answer.problems.md").exists()


def test_the_problems_of_an_answer_are_in_a_file_beside_it(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, 0.05)
    inbox.reply(request(body("user")))
    only(tmp_path, "answer.json").write_text("[]")
    Inbox(tmp_path, 0.8).reply(request(body("user")))
    assert "- an answer is one JSON object, in braces\n" in only(tmp_path, "answer.problems.md").read_text()


def test_the_mark_of_an_editor_at_the_beginning_of_a_file_is_no_part_of_an_answer(tmp_path: Path) -> None:
    with running(tmp_path) as url, clerk(tmp_path, lambda _: f"\ufeff{ANSWER}"):
        assert ask(url, [LETTER])[0].text == ANSWER


def test_half_an_answer_is_not_an_answer(tmp_path: Path) -> None:
    def slowly() -> None:
        with only(tmp_path, "answer.json").open("w") as file:
            for piece in ('{"n"', ": ", "1", "}"):
                file.write(piece)
                file.flush()
                time.sleep(0.02)

    writer = threading.Thread(target=slowly, daemon=True)
    with running(tmp_path) as url:
        writer.start()
        assert ask(url, [LETTER])[0].text == '{"n": 1}'
        writer.join()
    assert not only(tmp_path, "answer.problems.md").exists()


def test_many_at_once_and_the_same_again(tmp_path: Path) -> None:
    letters = [f"letter {i}" for i in range(20)]
    with (
        running(tmp_path) as url,
        clerk(tmp_path, lambda asked: json.dumps({"n": int(asked["messages"][1]["content"][7:])})),
    ):
        first = ask(url, letters)
        again = ask(url, letters)
    assert [json.loads(reply.text)["n"] for reply in first] == list(range(20))
    assert [reply.text for reply in again] == [reply.text for reply in first]
    assert len(list(tmp_path.iterdir())) == 20


# ---- waiting ---------------------------------------------------------------------------------


def test_whoever_asks_waits_for_a_slow_answer_and_counts_one_call(tmp_path: Path) -> None:
    def work() -> None:
        file = only(tmp_path / "inbox", "answer.json")
        time.sleep(0.6)
        file.write_text(ANSWER)

    worker = threading.Thread(target=work, daemon=True)
    with running(tmp_path / "inbox", wait_seconds=0.1) as url:
        worker.start()
        (reply,) = ask_all(url, [question(LETTER)], record_to=tmp_path / "tapes", patience=Patience(tries=1))
        worker.join()
    assert (reply.text, reply.transport_tries) == (ANSWER, 1)
    (tape,) = (tmp_path / "tapes").rglob("*.yaml")
    assert [each["response"]["status"]["code"] for each in yaml.safe_load(tape.read_text())["interactions"]] == [200]


def test_without_an_answer_the_error_names_the_missing_file(tmp_path: Path) -> None:
    with running(tmp_path, wait_seconds=0.05) as url, pytest.raises(TransportError) as caught:
        ask(url, [LETTER], patience=Patience(desk_wait=0))
    assert caught.value.code == "unanswered"
    assert "no answer file was written at the answer desk" in caught.value.message
    assert "save answer.json in the request's folder" in caught.value.hint


@pytest.mark.parametrize(
    ("letter_id", "timeout", "wait", "seconds"),
    [
        ("a", 120.0, None, 20.0),
        ("a", 10.0, None, 8.0),
        ("", 600.0, None, 480.0),
        ("", None, None, 100.0),
        ("a", 120.0, 300.0, 300.0),
    ],
    ids=["letterproof", "an impatient one", "another client", "a client that does not say", "as told"],
)
def test_a_client_is_held_for_less_than_it_waits(
    tmp_path: Path, letter_id: str, timeout: float | None, wait: float | None, seconds: float
) -> None:
    assert Inbox(tmp_path, wait)._seconds(request(b"", letter_id, timeout=timeout)) == seconds


def test_a_request_that_nobody_waits_for_is_marked_until_it_is_asked_again(tmp_path: Path) -> None:
    inbox, asked = Inbox(tmp_path, 0.05, grace_seconds=0.05), request(body("user"), "a")
    assert inbox.reply(asked)[0] == 503
    mark = only(tmp_path, "abandoned.txt")
    until(mark.exists)
    (mark.parent / "answer.json").write_text("{}")
    assert inbox.reply(asked)[0] == 200
    assert not mark.exists()
    time.sleep(0.15)
    assert not mark.exists()


def test_a_client_that_hangs_up_is_not_waited_for(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, 60.0, grace_seconds=0.0)
    assert inbox.reply(request(body("user"), is_open=lambda: False))[0] == 503
    until(only(tmp_path, "abandoned.txt").exists)


def test_a_desk_that_opens_marks_what_an_earlier_one_left(tmp_path: Path) -> None:
    first = Inbox(tmp_path, 0.05)
    for name in ("unanswered", "answered", "refused"):
        first.reply(request(body("user", model=name), name))
    folder = {path.name.split("-")[1]: path for path in tmp_path.iterdir()}
    (folder["answered"] / "answer.json").write_text("{}")
    (folder["refused"] / "answer.json").write_text("{")
    (folder["refused"] / "answer.problems.md").write_text("no JSON")
    Inbox(tmp_path)
    assert {name for name, path in folder.items() if (path / "abandoned.txt").exists()} == {"unanswered", "refused"}


def test_a_run_puts_every_letter_on_the_desk_before_the_first_is_answered(tmp_path: Path) -> None:
    toy, inbox = write_toy(tmp_path / "toy"), tmp_path / "inbox"

    def work() -> None:
        until(lambda: len(list(inbox.glob("[!.]*/request.md"))) == 3)
        for page in inbox.glob("[!.]*/request.md"):
            page.with_name("answer.unchecked.json").write_text("{}")

    worker = threading.Thread(target=work, daemon=True)
    with running(inbox, wait_seconds=0.1) as url:
        worker.start()
        model = ["--model", "openai/answer-desk", "--base-url", url, "--reask", 0]
        cli("run", toy / "letters", "--out", toy / "out", "--workspace", toy, *model)
        worker.join()
    assert len(records(toy / "out")) == 3
    assert {path.name.split("-")[1] for path in inbox.iterdir()} == set(NOTES)


# ---- folders ---------------------------------------------------------------------------------


def test_a_folder_has_the_letter_and_the_round_in_its_name(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, 0.05)
    for roles in (["user"], ["user", "assistant", "user"]):
        inbox.reply(request(body(*roles), "2016/a b"))
        inbox.reply(request(body(*roles, model="of another client")))
    assert [path.name[:-12] for path in sorted(tmp_path.iterdir())] == [
        "0001-2016__a b-r1-",
        "0002-r1-",
        "0003-2016__a b-r2-",
        "0004-r2-",
    ]


def test_the_letter_id_comes_with_the_request_but_is_no_part_of_it(tmp_path: Path) -> None:
    with running(tmp_path) as url, clerk(tmp_path, lambda _: ANSWER):
        ask(url, ["Jörg/1"])
    (folder,) = tmp_path.iterdir()
    assert folder.name.startswith("0001-Jörg__1-r1-")
    assert "# Request to m about Jörg/1\n" in (folder / "request.md").read_text()
    assert "x-letter-id" not in (folder / "request.json").read_text()


def test_a_letter_that_is_asked_again_has_the_former_answer_and_what_was_wrong(tmp_path: Path) -> None:
    wrong = "A check found these mistakes:\n- /n: number_wrong: not in the letter"
    with running(tmp_path) as url, clerk(tmp_path, lambda _: ANSWER):
        ask_all(url, [question(LETTER)])
        ask_all(url, [question(LETTER, Correction('{"n": 7}', wrong))])
    first, second = (path.read_bytes().decode() for path in sorted(tmp_path.glob("*/request.md")))
    assert "(round 2)" not in first
    assert second.splitlines()[0].endswith(", asked again (round 2)")
    headings = [line.removeprefix("## ") for line in second.splitlines() if line.startswith("## ")]
    assert headings == [
        "How to answer",
        "system: the prompt",
        "user: the letter",
        "assistant: the former answer",
        "user: what was found wrong with it",
        "The fields of the answer",
        "response_format",
    ]
    for text in ("Fill it.", LETTER, '{"n": 7}', wrong):
        assert f"text\n{text}\n```" in second
    drafts = [json.loads(path.read_bytes()) for path in sorted(tmp_path.glob("*/answer.draft.json"))]
    assert drafts == [{"n": None}, {"n": 7}]
