"""One letter of a run gets a bad reply of every kind: that letter fails or is left, and no other one is touched."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.loopback import Asked, Canned, Endpoint, completion, endpoint, message, refusal
from tests.support.toy import MODEL, cli, edit, good_model, letter_in, only_notes, records, write_toy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

KEY = "sk-of-the-trials-9f8e7d"
NAMES = ["10", "11", "12"]
BAD = "PARCEL NOTE of 11"
ANSWER = '{"carrier": "11", "parcels": [{"number": "11", "state": "delivered", "on": "2020-03-04"}]}'
PARAMS = "tries = 1, max_wait = 0.01, timeout = 1.0, deadline = 2.0, max_reply_bytes = 200000"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = message(ANSWER).body
DEEP = "[" * 50_000 + "]" * 50_000


def changed(**more: Any) -> Canned:
    """A good completion with these keys in place of its own."""
    return Canned(body=json.dumps({**json.loads(WHOLE), **more}).encode())


def spoken(**more: Any) -> Canned:
    """A good completion whose message has these keys in place of its own."""
    return completion(
        [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER, **more}}]
    )


def packed(data: bytes, encoding: str = "gzip") -> Canned:
    return Canned(body=data, headers={"Content-Encoding": encoding})


STATUSES = (
    201, 204, 206, 299, 300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414,
    415, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522,
    524, 529, 530, 598, 599, 600, 777, 999,
)  # fmt: skip
BODIES: dict[str, bytes] = {
    "nothing": b"", "a space": b" ", "null": b"null", "true": b"true", "a number": b"7", "a text": b'"x"', "a list": b"[]",
    "an empty object": b"{}", "no JSON": b"oops", "a page": b"<html><body>Bad Gateway</body></html>", "half": WHOLE[:80],
    "two": WHOLE + WHOLE,
    "no UTF-8": b'{"a": "\xff\xfe"}', "nested": DEEP.encode(), "nested inside": b'{"choices": ' + DEEP.encode() + b"}",
    "a long number": b'{"n": ' + b"9" * 5000 + b"}", "NaN": b'{"choices": NaN}', "NUL": b"\x00" * 100,
    "events": b"data: {}\n\ndata: [DONE]\n\n", "a key twice": b'{"choices": [], "choices": null}',
    "an error": b'{"error": {"message": "no", "code": "x"}}', "an error as text": b'{"error": "no"}',
    "an error of numbers": b'{"error": {"code": [1], "message": {}}}', "too long": b'{"x": "' + b"x" * 300_000 + b'"}',
}  # fmt: skip
SHAPES: dict[str, Canned] = {
    **{f"choices {value!r}": changed(choices=value) for value in (None, [], {}, "x", 7, [None], [[]], [7], [{}], [{"message": None}])},
    **{f"message {value!r}": completion([{"message": value}]) for value in ("x", 7, [], {})},
    **{f"content {value!r:.20}": spoken(content=value) for value in (None, 7, [], {}, [{"type": "text"}], "", " ", "x", "null", "[]", "7", "{}", DEEP, "\ud800", "\x00", ANSWER[:40], ANSWER * 2, f"```json\n{ANSWER}")},
    **{f"calls {value!r:.20}": spoken(content=None, tool_calls=value) for value in ({"a": 1}, 7, "x", [7], [{}], [{"function": None}], [{"function": {"name": 7, "arguments": {}}}])},
    **{f"finish {value!r:.20}": message(ANSWER, value) for value in ("length", "content_filter")},
    "a refusal": spoken(content=None, refusal="I cannot help with that."),
    "a wrong answer": spoken(content='{"carrier": 7, "parcels": "x"}'),
    "keys that nobody asked for": spoken(content='{"carrier": "11", "parcels": [], "more": 1}'),
}  # fmt: skip
# Odd, but all that was asked for is there.
GOOD: dict[str, Canned] = {
    "a mark before the body": Canned(body=b"\xef\xbb\xbf" + WHOLE), "a body of UTF-16": Canned(body=WHOLE.decode().encode("utf-16")),
    **{f"finish {value!r:.20}": message(ANSWER, value) for value in ("tool_calls", "x" * 3000)},
    **{f"usage {value!r:.30}": changed(usage=value) for value in (None, 7, "x", [], {"prompt_tokens": "x"}, {"prompt_tokens": -5}, {"prompt_tokens": 10**30}, {"prompt_tokens": 1.5})},
    **{f"model {value!r:.20}": changed(model=value) for value in (None, 7, [], "another", "\x1b[31mred", "x" * 5000)},
    **{f"{name}: {value[:20]}": Canned(body=WHOLE, headers={name: value}) for name, value in (
        ("x-ratelimit-limit-tokens", "1"), ("x-ratelimit-limit-requests", "0"), ("x-ratelimit-remaining-tokens", "-1"),
        ("x-ratelimit-reset-requests", "9" * 300 + "s"), ("x-ratelimit-reset-tokens", "soon"), ("x-ratelimit-limit-tokens", "nan"),
        ("Retry-After", "1000000"), ("Content-Type", "text/html"), ("Set-Cookie", "a=b; Max-Age=" + "9" * 99), ("Date", "never"),
    )},
}  # fmt: skip
PAUSES = (
    "0", "-1", "inf", "nan", "1e400", "9" * 400, "soon", "", "٥", "Mon, 01 Jan 0001 00:00:00 GMT",
    "Mon, 01 Jan 99999 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
)  # fmt: skip
WIRES: dict[str, Canned] = {
    "torn down": Canned(reset=True), "cut in the middle": Canned(body=WHOLE, cut=60), "cut at once": Canned(body=WHOLE, cut=0),
    "silent": Canned(body=WHOLE, delay=3.0), "stalled": Canned(body=WHOLE, stall=3.0), "drips": Canned(endless=b" ", pace=0.3),
    "endless": Canned(endless=b" " * 65_536), "no end of an object": Canned(endless=b'{"a": ' * 5000),
    "a bomb": packed(gzip.compress(b" " * 50_000_000)), "no gzip": packed(WHOLE), "half a gzip": packed(gzip.compress(WHOLE)[:30]),
    "an unknown packing": packed(WHOLE, "rot13"),
    "no HTTP": Canned(raw=b"SSH-2.0-OpenSSH_9.7\r\n"), "a bare body": Canned(raw=WHOLE), "a status of letters": Canned(raw=b"HTTP/1.1 abc OK\r\n\r\n"),
    "no colon": Canned(raw=OK + b"no colon here\r\n\r\n" + WHOLE), "a long header": Canned(raw=OK + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n"),
    "many headers": Canned(raw=OK + b"X: y\r\n" * 20_000 + b"\r\n"), "NUL in a header": Canned(raw=OK + b"X: a\x00b\r\n\r\n" + WHOLE),
    "a length of letters": Canned(raw=OK + b"Content-Length: many\r\n\r\n" + WHOLE),
    "a negative length": Canned(raw=OK + b"Content-Length: -5\r\n\r\n" + WHOLE),
    "two lengths": Canned(raw=OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n" + WHOLE),
    "a length too long": Canned(raw=OK + b"Content-Length: 99999\r\n\r\n" + WHOLE),
    "chunks of nothing": Canned(raw=OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + WHOLE),
    "a chunk without end": Canned(raw=OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + WHOLE),
    "100 for ever": Canned(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "a redirect to itself": Canned(307, headers={"Location": "/v1/chat/completions"}),
    "a redirect elsewhere": Canned(307, headers={"Location": "http://127.0.0.1:9/steal"}),
    "a redirect to a file": Canned(302, headers={"Location": "file:///etc/passwd"}),
    "the key in an error": refusal(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
    "control codes in an error": refusal(400, "\x1b]0;x\x07", "\x1b[2J\x9b31m"),
}  # fmt: skip
MODES: dict[str, Canned] = {
    **{f"status {status}": Canned(status, b"{}") for status in STATUSES},
    **{f"body: {name}": Canned(body=body) for name, body in BODIES.items()},
    **{f"500: {name}": Canned(500, body) for name, body in BODIES.items()},
    **SHAPES,
    **GOOD,
    **{f"429, Retry-After: {value[:32]}": Canned(429, b"{}", {"Retry-After": value.encode().decode("latin-1")}) for value in PAUSES},
    "429, retry-after-ms: 0": Canned(429, b"{}", {"retry-after-ms": "0"}),
    **WIRES,
}  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(MODES) >= 200


@pytest.fixture(scope="module")
def server() -> Any:
    with endpoint(good_model) as server:
        yield server


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(write_toy(tmp_path, "replies"))
    edit(tmp_path / "workspace.toml", "tries = 1, max_wait = 0.01", PARAMS)
    only_notes(tmp_path, NAMES)
    return tmp_path


def asked_about(server: Endpoint, name: str, since: int) -> int:
    return sum(f"NOTE of {name}" in letter_in(asked) for asked in server.asked[since:])


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_reply(mode: str, root: Path, server: Endpoint) -> None:
    def script(number: int, asked: Asked) -> Canned:
        return MODES[mode] if BAD in letter_in(asked) else good_model(number, asked)

    words = ["run", "letters", "--out", "out", "--model", MODEL, "--base-url", server.url, "--concurrency", "1"]
    server.script = script
    since = len(server.asked)
    first = cli(*words)
    found = {record["letter_id"]: record for record in records(root / "out")}
    assert first.code in ((0, 1) if mode in GOOD else (1, 4)), first
    assert asked_about(server, "11", since) <= 3
    bad = found.get("11")
    if first.code == 1:
        assert bad
        assert bad["status"] in ("failed", "needs_review"), bad
        assert bad["error"] is None or bad["error"]["code"] != "internal"
    if first.code == 4:
        assert bad is None
        assert "next:" in first.err
    # The same command again: nothing that was answered is asked again, and what is left is asked.
    server.script = good_model
    since = len(server.asked)
    second = cli(*words)
    assert second.code in (0, 1), second
    assert [record["letter_id"] for record in records(root / "out")] == NAMES
    assert [asked_about(server, name, since) for name in found] == [0] * len(found)
    if second.code == 1 and bad and bad["status"] == "failed":
        assert cli(*words, "--retry", "failed").code == 0
    for ran in (first, second):
        assert KEY not in ran.out + ran.err
        assert "Traceback" not in ran.err
        assert "internal error" not in ran.err
        assert not {"\x1b", "\x07", "\x9b"} & {*(ran.out + ran.err)}
    assert not any(KEY.encode() in path.read_bytes() for path in (root / "out").iterdir())
