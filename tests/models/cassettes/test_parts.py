"""The parts of a tape: what differs between two requests, what looks like a secret, and the file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request  # type: ignore[import-untyped]

from extractor.errors import CassetteError, UsageError
from extractor.models.cassettes import body_sha
from extractor.models.cassettes.matching import changes
from extractor.models.cassettes.scrub import secrets_in
from extractor.models.cassettes.tapefile import Persister, from_tree, to_tree

PRIVATE = "The patient is John Q. Public"

# ---- what differs ----------------------------------------------------------------------------


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    def request(body: dict[str, Any]) -> Request:
        return Request("POST", "http://h/v1/chat/completions", json.dumps(body).encode(), {})

    return changes(request(old), request(new))


def test_of_a_long_line_the_part_that_differs_is_shown() -> None:
    words = " ".join(f"word{i}" for i in range(60))
    old, new = ({"messages": [{"role": "system", "content": words.replace("word50", one)}]} for one in ("red", "blue"))
    shown = differences(old, new)[1:]
    assert ["red" in shown[0], "blue" in shown[1]] == [True, True]
    assert all(len(line) < 165 and line[5:8] == "..." for line in shown)


@pytest.mark.parametrize(
    ("body", "old", "new", "expected"),
    [
        ({"system": [{"type": "text", "text": "@"}]}, "Read it.\nWell.", "Read it.\nFast.",
         ["  system: 2 changed lines", "    -/0/text: Well.", "    +/0/text: Fast."]),
        ({"contents": [{"role": "user", "parts": [{"text": "@"}]}]}, PRIVATE, "John Q. Private",
         ["  contents[0] (user): 2 changed lines"]),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "@"}]}]}, PRIVATE, "John Q. Private",
         ["  messages[0] (user): 2 changed lines"]),
        ({"messages": [{"role": "assistant", "content": "@"}]}, PRIVATE, "John Q. Private",
         ["  messages[0] (assistant): 2 changed lines"]),
        ({"output_config": {"format": {"title": "@"}}}, "a", "b",
         ["  output_config (schema): 2 changed lines", '    -/format/title: "a"', '    +/format/title: "b"']),
        ({"reasoning_effort": "@"}, "low", "high", ["  reasoning_effort: 'low' recorded, 'high' now"]),
    ],
    ids=["system text", "contents", "parts of a message", "an answer", "schema", "setting"],
)  # fmt: skip
def test_differences_of_any_provider_show_nothing_of_a_letter(
    body: dict, old: str, new: str, expected: list[str]
) -> None:
    def filled(text: str) -> dict[str, Any]:
        return json.loads(json.dumps(body).replace('"@"', json.dumps(text)))

    assert differences(filled(old), filled(new)) == expected


# ---- what looks like a secret ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("key: sk-abc123def456", "an API key (sk-)"),
        ("sk-proj-AbCdEfGhIjKlMnOp", "an API key (sk-)"),
        ("authorization:\n- Bearer x", "an authorization header (Bearer)"),
        ("organization org-AbC123dEf", "an account or request id (org-, proj-, req-)"),
        ("x: req_0a1b2c3d4e5f", "an account or request id (org-, proj-, req-)"),
        ("set-cookie:\n- a=b", "a cookie"),
        ("- Cookie: a=b", "a cookie"),
        ("x: __cf_bm=1", "a cookie"),
        ("path: /home/jane/work", "the home folder"),
        ("a\nb tr0ub4dor", "the value of MY_TOKEN"),
        ("hunter2hunter2", "the value of some_api_key"),
    ],
)
def test_what_looks_like_a_secret(text: str, what: str) -> None:
    environment = {"MY_TOKEN": "tr0ub4dor", "some_api_key": "hunter2hunter2", "SHORT_KEY": "the", "PATH": "risk-free"}
    found = list(secrets_in(f"first line\n{text}\n", environment, Path("/home/jane")))
    assert [each.partition(": ")[2] for each in found] == [what]
    assert found[0].startswith("line 2: " if not text.startswith(("a\n", "auth")) else "line 3: ")
    assert text not in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "risk-benefit, risk-free2024, org-wide 2024, pre-req 12, proj- and req-",
        "the pall bearer did not lift; organization org-scrubbed, sk-scrubbed",
        "a cookie was eaten: two; /home/janet/x, n/home/jane",
        "SHORT the",
    ],
)
def test_what_does_not_look_like_a_secret(text: str) -> None:
    assert list(secrets_in(text, {"SHORT_KEY": "the"}, Path("/home/jane"))) == []


# ---- the file --------------------------------------------------------------------------------

TEXTS = [
    "plain",
    "",
    "a\nb\n",
    "a\n\n",
    " leading\nb",
    "\nfirst line empty",
    "trailing \nblank",
    "cr\r\nlf",
    "nul\x00\n\x1b\x85\u2028\ufeff",
    "half \ud800 \ufffe",
    "{{ jinja }}\n{% x %}",
    '{"a":1}',
    '{"a": 1}',
    '{"a":1,"a":2}',
    "[]",
    "[1,\n2]",
    "yes",
    "1e3",
    "2026-01-02",
    "- item\n- item",
    "# not a comment\nb",
    "key: value\n---\n",
    "👩\u200d⚕️ “quotes”\nb",
    "\u00a0\n\u00a0b",
    "x" * 300 + "\n" + "y " * 200,
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back_unchanged(tmp_path: Path, text: str) -> None:
    value = {"messages": [{"content": text}], "same": text, "nested": [[text]]}
    assert through_a_file(tmp_path, json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "body", [b"", b"null", b"not json", b"\xff\x00", b'{"a":1,"a":2}', b'{"\\ud800": 1}', b"[1, NaN]"]
)
def test_any_body_comes_back(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "t.yaml"
    save(path, body)
    _, responses, _ = Persister.load_cassette(str(path))
    assert body_sha(responses[0]["body"]["string"]) == body_sha(body)


@pytest.mark.parametrize("tag", ["$lines", "$json", "$escaped", "$plain"])
def test_our_own_tags_in_the_data_are_data(tag: str) -> None:
    for value in ({tag: ["a"]}, {tag: {tag: "b"}}, {tag: 1, "x": 2}):
        assert from_tree(to_tree(value)) == value


letters = st.text(st.characters() | st.sampled_from(" \n\t\r'\"{[:#-\\"), max_size=60)
values = st.recursive(
    letters | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_anything_comes_back_unchanged(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    wrapped = {"x": value}
    assert through_a_file(tmp_path_factory.getbasetemp(), json.dumps(wrapped).encode()) == wrapped


def save(path: Path, body: bytes, **head: Any) -> None:
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    request = Request("POST", "http://h/v1/chat/completions", body, {})
    Persister.save_cassette(str(path), {"requests": [request], "responses": [response], "metadata": {"d": 1, **head}})


def through_a_file(folder: Path, body: bytes) -> Any:
    path = folder / "t.yaml"
    save(path, body)
    requests, responses, metadata = Persister.load_cassette(str(path))
    assert metadata == {"d": 1}
    assert json.loads(requests[0].body) == json.loads(responses[0]["body"]["string"])
    return json.loads(requests[0].body)


def test_a_tape_cut_anywhere_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    save(path, json.dumps({"text": "one\ntwo\n", "list": ["a \n", {"b": None}]}).encode(), calls=1)
    data = path.read_bytes()
    Persister.load_cassette(str(path))
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(CassetteError) as caught:
            Persister.load_cassette(str(path))
        assert caught.value.code == "broken_cassette"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.yaml"
    save(path, b"{}")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "disk full")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(UsageError, match="disk full"):
        save(path, b"[]")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["t.yaml"]


def test_equal_bodies_have_equal_hashes() -> None:
    assert body_sha(b'{"a": 1, "b": "\\u00e9"}') == body_sha('{"b":"é","a":1}'.encode())
    assert body_sha(b'{"a": "x"}') != body_sha(b'{"a": "x "}')
