"""The bytes of a request, and the answer found in the body of a reply. Nothing is sent."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest

from extractor.letters.letter import Letter
from extractor.lettertypes.evidence import StrictModel, Unchecked
from extractor.lettertypes.reading import nothing_read
from extractor.models.model import Correction, Question, Reply, Usage
from extractor.models.replies import ReplyError, error_status, other_model, read_completion, read_reply, unwrapped
from extractor.models.wire import Template, dump, letter_messages


class Memo(StrictModel):
    title: Annotated[str, Unchecked("a test")]


def _question(letter: str, notes: str = "", *corrections: Correction) -> Question:
    reading = nothing_read(Letter("memo-1", letter), "")
    return Question("memo-1", letter, "Read.", Memo, reading, notes, corrections)


# ---- request ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "sent"),
    [
        ("Dear Sir", b"Dear Sir"),
        ("one\r\ntwo\rthree\n\n", rb"one\r\ntwo\rthree\n\n"),
        ("\ufeffDear Sir", rb"\ufeffDear Sir"),
        ('the "final" offer', rb"the \"final\" offer"),
        ("it’s “final”", rb"it\u2019s \u201cfinal\u201d"),
        ("C:\\new", rb"C:\\new"),
        ("thanks \U0001f4ce", rb"thanks \ud83d\udcce"),
        ("e\u0301 is not \u00e9", rb"e\u0301 is not \u00e9"),
        ("\tpage 1\x0cpage 2\x00", rb"\tpage 1\fpage 2\u0000"),
        ("broken \ud83d half", rb"broken \ud83d half"),
        ("  spaces kept  ", b"  spaces kept  "),
        ("{letter} <|im_end|>", b"{letter} <|im_end|>"),
    ],
)
def test_the_letter_is_sent_unchanged(letter: str, sent: bytes) -> None:
    body = Template.of({"model": "m"}, "Read.").body(_question(letter))
    assert body == (
        b'{"model":"m","messages":[{"role":"system","content":"Read."},{"role":"user","content":"' + sent + b'"}]}'
    )
    assert json.loads(body)["messages"][-1]["content"] == letter


def test_every_character_comes_back_from_a_request() -> None:
    letter = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    assert json.loads(Template.of({}).body(_question(letter)))["messages"] == [{"role": "user", "content": letter}]


@pytest.mark.parametrize(
    ("fields", "system", "head"),
    [
        ({"model": "m", "n": 1}, None, b'{"model":"m","n":1,"messages":['),
        ({"n": 1, "model": "m"}, None, b'{"n":1,"model":"m","messages":['),
        ({"model": "m"}, "Read.", b'{"model":"m","messages":[{"role":"system","content":"Read."},'),
        ({}, "", b'{"messages":[{"role":"system","content":""},'),
        ({"stop": ["]}"]}, "]}", b'{"stop":["]}"],"messages":[{"role":"system","content":"]}"},'),
    ],
)
def test_the_unchanging_part_comes_first(fields: dict[str, Any], system: str | None, head: bytes) -> None:
    template = Template.of(fields, system)
    assert template.head == head
    for letter in ("one", "another"):
        body = template.body(_question(letter))
        assert body.startswith(head)
        assert letter.encode() not in body[: len(head)]
        assert {**json.loads(body), "messages": None} == {**fields, "messages": None}


FIRST = Correction('{"title":"x"}', "title: not in the letter")
SECOND = Correction("", "the reply was empty")


@pytest.mark.parametrize(
    ("question", "messages"),
    [
        (_question("Dear Sir"), [("user", "Dear Sir")]),
        (_question("Dear Sir", "Hints."), [("user", "Dear Sir"), ("user", "Hints.")]),
        (_question("", "Hints."), [("user", "Hints.")]),
        (
            _question("Dear Sir", "Hints.", FIRST, SECOND),
            [
                ("user", "Dear Sir"),
                ("user", "Hints."),
                ("assistant", '{"title":"x"}'),
                ("user", "title: not in the letter"),
                ("assistant", ""),
                ("user", "the reply was empty"),
            ],
        ),
    ],
    ids=["letter", "letter and notes", "notes alone", "two corrections"],
)
def test_the_messages_of_a_letter(question: Question, messages: list[tuple[str, str]]) -> None:
    assert [(each["role"], each["content"]) for each in letter_messages(question)] == messages


def test_a_correction_only_adds_to_the_request() -> None:
    template = Template.of({"model": "m"}, "Read.")
    first = template.body(_question("Dear Sir"))
    assert template.body(_question("Dear Sir", "", FIRST)).startswith(first.removesuffix(b"]}") + b",")


def test_an_endless_reply_is_sent_back_cut() -> None:
    letter, long = "y" * 100_001, Correction("x" * 100_001, "too long")
    assert [len(each["content"]) for each in letter_messages(_question(letter, "", long))] == [100_001, 100_000, 8]


def test_json_on_the_wire_is_compact_and_in_order() -> None:
    assert dump({"b": [1, None, True], "a": {"ü": 0.5}}) == rb'{"b":[1,null,true],"a":{"\u00fc":0.5}}'


# ---- reply -----------------------------------------------------------------------------------


def _completion(content: Any = '{"title":"x"}', finish: Any = "stop", **message: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": finish}]}


def _call(arguments: Any) -> dict[str, Any]:
    return {"function": {"name": "answer", "arguments": arguments}}


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        (_completion('{"title":"x"}'), '{"title":"x"}'),
        (_completion(' {"title":"é \\u00e9"}\r\n'), ' {"title":"é \\u00e9"}\r\n'),
        (_completion("no JSON at all"), "no JSON at all"),
        (_completion([{"type": "text", "text": "{"}, {"type": "image"}, {"text": "}"}]), "{}"),
        (_completion(None, tool_calls=[_call('{"title":"x"}')]), '{"title":"x"}'),
        (_completion("talk", tool_calls=[_call({"title": "é"})]), '{"title": "é"}'),
        (_completion("", reasoning_content='{"title":"x"}'), '{"title":"x"}'),
        (_completion(None, reasoning='{"title":"x"}'), '{"title":"x"}'),
        (_completion("answer", reasoning='{"title":"x"}'), "answer"),
    ],
)
def test_the_text_of_an_answer(completion: dict[str, Any], text: str) -> None:
    assert read_completion(completion) == Reply(text)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, Usage()),
        ("many", Usage()),
        ({"prompt_tokens": 90, "completion_tokens": 10}, Usage(90, 10)),
        ({"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}, Usage(90, 10)),
        ({"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 150}, Usage(90, 60)),
        ({"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 0}, Usage(90, 10)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        ({"prompt_tokens": -1, "completion_tokens": 10.0}, Usage()),
        ({"prompt_tokens": True, "completion_tokens": "10"}, Usage()),
        ({"prompt_tokens": 10**9, "completion_tokens": 10**9 + 1}, Usage(10**9, None)),
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 10,
                "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(90, 10, cached_tokens=64, reasoning_tokens=7, cache_write_tokens=8),
        ),
    ],
)
def test_what_an_answer_cost(usage: Any, tokens: Usage) -> None:
    assert read_completion({**_completion(), "usage": usage}).usage == tokens


@pytest.mark.parametrize(
    ("finish", "read"),
    [("stop", "stop"), ("eos", "eos"), (None, "stop"), ("", "stop"), (3, "unknown"), ("x" * 99, "x" * 60)],
)
def test_why_the_model_stopped(finish: Any, read: str) -> None:
    assert read_completion(_completion(finish=finish)).finish == read


@pytest.mark.parametrize(
    ("completion", "code", "kept"),
    [
        ({}, "empty_choices", None),
        ({"choices": []}, "empty_choices", None),
        ({"choices": [None]}, "empty_choices", None),
        (_completion(None, refusal="I cannot."), "refusal", "I cannot."),
        (_completion("{}", refusal=["no"]), "refusal", '["no"]'),
        (_completion("half", "content_filter"), "content_filter", "half"),
        (_completion('{"title":', "length"), "truncated", '{"title":'),
        (_completion('{"title":', "max_tokens"), "truncated", '{"title":'),
        (_completion('{"title":', "model_length"), "truncated", '{"title":'),
        (_completion(None, tool_calls=[_call("{}"), _call("[]")]), "two_tool_calls", "{}"),
        (_completion(" \n"), "no_answer", " \n"),
        (_completion("{}", tool_calls={"0": 1}), "malformed", None),
    ],
)
def test_an_unusable_reply_has_a_code_and_keeps_what_came(
    completion: dict[str, Any], code: str, kept: str | None
) -> None:
    body = {**completion, "usage": {"prompt_tokens": 90, "completion_tokens": 10}}
    with pytest.raises(ReplyError) as failed:
        read_reply(read_completion, body)
    assert failed.value.code == code
    assert failed.value.reply.usage == Usage(90, 10)
    assert failed.value.reply.text == (json.dumps(body) if kept is None else kept)
    assert failed.value.hint


def test_a_shape_the_parser_does_not_know_is_malformed() -> None:
    with pytest.raises(ReplyError) as failed:
        read_reply(lambda completion: completion["candidates"][0], {"answer": "é"})
    assert (failed.value.code, failed.value.reply.text) == ("malformed", '{"answer": "é"}')


@pytest.mark.parametrize(
    ("completion", "status"),
    [
        (_completion(), None),
        ({"error": None}, None),
        ({**_completion(), "error": {"code": 429}}, None),
        ({"error": {"code": 429}}, 429),
        ({"error": {"status": "503"}}, 503),
        ({"error": {"code": 200, "message": "overloaded"}}, 503),
        ({"error": {"type": "insufficient_quota"}}, 402),
        ({"error": {"type": "rate_limit_error"}}, 429),
        ({"error": {"message": "Invalid API key"}}, 401),
        ({"error": {"code": "model_not_found"}}, 404),
        ({"error": {"message": "context length exceeded"}}, 400),
        ({"error": "something broke"}, 502),
        ({"choices": [{"error": {"code": 403}}]}, 403),
    ],
)
def test_the_status_of_an_error_sent_as_an_answer(completion: dict[str, Any], status: int | None) -> None:
    assert error_status(completion) == status


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a":1}', None),
        ("\ufeff{}", ("{}", "a byte order mark")),
        ("<think>so {}</think>{}", ("{}", "a block of thoughts")),
        ("so</thinking>{}", ("{}", "a block of thoughts")),
        ('```json\n{"a":1}\n```\n', ('{"a":1}', "a code fence")),
        ("```\r\n{}\n```", ("{}", "a code fence")),
        ("Here it is:\n```json\n{}\n```", None),
        ("```json\n[]\n```", None),
        ("\ufeff```json\n{}\n```", None),
    ],
)
def test_one_wrapper_around_an_object_is_taken_off(text: str, found: tuple[str, str] | None) -> None:
    assert unwrapped(text) == found


@pytest.mark.parametrize(
    ("asked", "answered", "other"),
    [
        ("gpt-5", "gpt-5", ""),
        ("gpt-x", "GPT-X", ""),
        ("gpt-x", "gpt-x-2026-01-31", ""),
        ("org/gpt-x", "gpt-x", ""),
        ("gpt-x", "org/gpt-x", ""),
        ("gemini-x", "models/gemini-x-001", ""),
        ("gpt-x", "gpt-y", "gpt-y"),
        ("gpt-x-large", "gpt-x", "gpt-x"),
        ("gpt-5", "gpt-5-2025-08-07", ""),
        ("qwen3", "qwen/Qwen3", ""),
        ("qwen/qwen3", "qwen3", ""),
        ("gemini-x", "models/gemini-x", ""),
        ("gpt-5", "", ""),
        ("gpt-5", "gpt-4", "gpt-4"),
        ("gpt-5-mini", "gpt-5", "gpt-5"),
        ("gpt-5", "gpt-5-mini", "gpt-5-mini"),
        ("gpt-5", "gpt-5-mini-2025-08-07", "gpt-5-mini-2025-08-07"),
        ("gpt-4", "gpt-4o", "gpt-4o"),
        ("claude-x-4", "claude-x-4-20250514", ""),
        ("gemini-2.5-pro", "gemini-2.5-pro-preview-05-06", ""),
        ("claude-x", "claude-x@20250514", ""),
        ("qwen3", "qwen3:latest", ""),
        ("gemini-2", "gemini-2.5", "gemini-2.5"),
    ],
)
def test_another_model_answered(asked: str, answered: str, other: str) -> None:
    assert other_model(asked, answered) == other
