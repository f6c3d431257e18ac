"""No text of a letter, an id or an error controls the terminal."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.display.terminal import SafeStream, raw_stream, safe_output, terminal_safe
from tests.support.files import zipped
from tests.support.loopback import Asked, Canned, endpoint
from tests.support.toy import MODEL, Ran, cli, put, write_toy

ESCAPES = {
    "color": "\x1b[31m",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "clear": "\x1b[2J\x1b[H",
    "link": "\x1b]8;;http://evil.example\x1b\\",
    "one-byte": "\x9b31m",
    "over": "\b\b\b\b",
    "return": "accepted\rfailed",
    "turned": "\u202egnorw",
    "delete": "\x7f",
    "tag": "\U000e0041",
    "vertical": "\x0b\x0c",
    "separator": "\u2028",
    "half": "\ud800",
}
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\U000e0000-\U000e007f]")


@pytest.mark.parametrize("name", ESCAPES)
def test_a_control_code_is_printed_as_its_escape(name: str) -> None:
    safe = terminal_safe(f"before {ESCAPES[name]} after")
    assert not COMMANDS.search(safe)
    assert "\\u" in safe or "\\b" in safe or "\\r" in safe or "\\f" in safe
    if name != "link":  # it ends in a backslash of its own
        assert json.loads(f'"{safe}"') == f"before {ESCAPES[name]} after"


@pytest.mark.parametrize("text", ["plain", "a\tb\nc\r\nd", "naïve “quotes” 医 🙂", "e\u0301 \u200d"])
def test_text_is_left_alone(text: str) -> None:
    assert terminal_safe(text) == text


@given(st.text(), st.booleans())
def test_json_stays_the_same_json(text: str, ascii_only: bool) -> None:
    line = json.dumps({"id": text}, ensure_ascii=ascii_only)
    assert json.loads(terminal_safe(line)) == {"id": text}
    assert not COMMANDS.search(terminal_safe(line).replace("\r\n", ""))


def test_all_output_goes_through_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with safe_output():
        print("\x1b[31mred")
        print("\x1b[31mred", file=sys.stderr)
        assert isinstance(sys.stdout, SafeStream)
        assert raw_stream(sys.stdout) is out
    assert (out.getvalue(), err.getvalue()) == ("\\u001b[31mred\n",) * 2
    assert sys.stdout is out


# ---- commands -----------------------------------------------------------------------------------

EVIL = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e"
NOTE = f"PARCEL NOTE of Blue{EVIL} Van\nPARCEL 12: delivered on 3/4/2020{EVIL}\n"


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose letters, their names and an archive's members hold control codes."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    put(tmp_path / f"toy/letters/in{EVIL}.txt", NOTE)
    put(tmp_path / f"toy/letters/bad{EVIL}.txt", bytes(range(256)))
    put(tmp_path / f"toy/letters/odd{EVIL}.xyz", "")
    put(
        tmp_path / "toy/letters/all.zip",
        zipped({f"member{EVIL}.txt": NOTE, f"../{EVIL}.txt": NOTE, f"bad{EVIL}.pdf": "no"}),
    )
    return tmp_path / "toy"


def refusing(number: int, asked: Asked) -> Canned:
    return Canned(400, json.dumps({"error": {"message": f"no {EVIL}", "code": EVIL, "type": EVIL}}).encode())


def endpoint_run() -> Ran:
    with endpoint(refusing) as server:
        return cli("run", "letters", "--out", f"asked{EVIL}", "--model", MODEL, "--base-url", server.url)


@pytest.mark.parametrize(
    "ran",
    [
        lambda: cli("run", "letters", "--out", "out"),
        lambda: cli("run", "letters", "--out", "out", "--json"),
        lambda: cli("run", "letters", "--out", "out", "--dry-run"),
        lambda: cli("run", f"nowhere{EVIL}", "--out", "out"),
        lambda: cli("extract", f"letters/in{EVIL}.txt"),
        lambda: cli("extract", f"letters/bad{EVIL}.txt"),
        lambda: cli("text", "letters"),
        lambda: cli("text", "letters", "--json"),
        lambda: cli("text", "letters/all.zip", "--letter", f"nobody{EVIL}"),
        lambda: cli("check", f"nowhere{EVIL}", "letters"),
        lambda: cli("check", "-", "letters", stdin=json.dumps({"letter_id": f"x{EVIL}", "answer": {}}) + "\n"),
        lambda: cli("status", f"no{EVIL}"),
        lambda: cli("merge", f"no{EVIL}", "--out", f"new{EVIL}"),
        lambda: cli("export", f"no{EVIL}"),
        lambda: cli("export", "out", "--to", EVIL),
        lambda: cli("schema", "--type", EVIL),
        lambda: cli("extract", "letters/blue.txt", "--model", f"openai/{EVIL}"),
        lambda: cli("extract", "letters/blue.txt", "--model", EVIL),
        lambda: cli("extract", "letters/blue.txt", "--model", MODEL, "--prompt", EVIL),
        lambda: cli("extract", "letters/blue.txt", "--base-url", f"http://{EVIL}", "--model", MODEL),
        lambda: cli("extract", "letters/blue.txt", "--workspace", EVIL),
        lambda: cli("eval", "run", EVIL),
        lambda: cli("eval", "show", EVIL),
        lambda: cli("cassettes", "status", "--type", EVIL),
        lambda: cli("review", f"no{EVIL}"),
        lambda: cli("gold", "from-review", f"no{EVIL}", "--to", "x"),
        lambda: cli("init", f"letters/in{EVIL}.txt"),
        lambda: cli("doctor"),
        lambda: cli(EVIL),
        lambda: cli("run", f"--{EVIL}"),
        lambda: cli("run", "letters", "--out", "out", "--limit", EVIL),
        endpoint_run,
    ],
)  # fmt: skip
@pytest.mark.sample(12)
def test_no_command_prints_a_control_code(evil: Path, ran: Callable[[], Ran]) -> None:
    done = ran()
    assert done.out or done.err
    assert not COMMANDS.search(done.out.replace("\r\n", ""))
    assert not COMMANDS.search(done.err.replace("\r\n", ""))
