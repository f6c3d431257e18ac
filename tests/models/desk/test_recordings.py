"""Recorded answers are given out again, each to the request it was recorded for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import CassetteError, TransportError, UsageError
from extractor.models.desk import Recordings
from extractor.models.llm import Patience
from tests.support.desk import ask, ask_all, clerk, question, running, serving
from tests.support.toy import ROOT, cli, records


def said(request: dict[str, Any]) -> str:
    """An answer that no other letter gets."""
    return json.dumps(request["messages"][1]["content"])


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty letters recorded at the inbox, each with an answer of its own."""
    folder = tmp_path_factory.mktemp("recorded")
    inbox, tapes = folder / "inbox", folder / "tapes"
    with running(inbox) as url, clerk(inbox, said, "answer.unchecked.json"):
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


def test_the_last_answer_counts_and_tapes_made_by_hand_do_not(tapes: Path, tmp_path: Path) -> None:
    tapes = shutil.copytree(tapes, tmp_path / "changed")
    path = next(tapes.rglob("letter 3.yaml"))
    # Made by hand, it no longer fits the hash of its answers.
    whole = re.sub("\n  answers_sha256: .*", "", path.read_text())
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
