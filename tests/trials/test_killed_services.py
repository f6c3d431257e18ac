"""Commands that serve or send, killed just before a change: what was acknowledged is there once, and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractor.review.queue import key_of
from tests.support.batches import BatchServer, batch_endpoint
from tests.support.forking import Ended, Forking, forking, spread
from tests.support.reviewer import Client
from tests.support.reviews import lines, write_run
from tests.support.toy import MODEL, cli, good_model, only_notes, wait_for, write_toy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no such processes there"),
]

KILLS = 6
KEY = {"OPENAI_API_KEY": "sk-of-the-trials"}
GONE = (OSError, http.client.HTTPException, urllib.error.URLError)
NOTES = {str(i): f"PARCEL NOTE of {i}\nPARCEL {i}: delivered on 3/4/2020\n" for i in range(10, 16)}


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    with forking(tmp_path_factory.mktemp("log")) as processes:
        yield processes


def address(processes: Forking, pid: int, pattern: str) -> str:
    """The address that a service prints. Raises ``ConnectionError`` if it was killed before."""

    def printed() -> str:
        found = re.search(pattern, processes.printed())
        return found[0] if found else ""

    wait_for(lambda: bool(printed()) or not is_running(pid), 60)
    if not printed():
        raise ConnectionError
    return printed()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# ---- acts of a review -----------------------------------------------------------------------------


def reviewed(processes: Forking, root: Path, stop_at: int) -> tuple[list[str], Ended]:
    """Accept every letter that is open; the letters whose act was acknowledged, and how the server ended."""
    pid = processes.start(root, "review", "out", stop_at=stop_at)
    done: list[str] = []
    try:
        client = Client(address(processes, pid, r"http://127\.0\.0\.1:\d+/\?token=\S+"))
        client.enter()
        for name in NOTES:
            if f'"{name}"' not in acts(root):
                status, _ = client.act(key_of(name), act="accept", version=client.version(key_of(name)))
                assert status == 200
                done.append(name)
    except GONE:
        pass
    else:
        os.kill(pid, 2)
    return done, processes.end()


def acts(root: Path) -> str:
    log = root / "out/review.jsonl"
    return log.read_text("utf-8") if log.exists() else ""


def test_acts_of_a_killed_review(processes: Forking, tmp_path: Path) -> None:
    write_run(tmp_path / "prepared", notes=NOTES)
    whole = shutil.copytree(tmp_path / "prepared", tmp_path / "whole")
    done, complete = reviewed(processes, whole, 0)
    assert len(done) == len(NOTES)
    for moment in spread(len(complete.changes), KILLS):
        root = shutil.copytree(tmp_path / "prepared", tmp_path / f"killed-{moment}")
        first, killed = reviewed(processes, root, moment)
        assert killed.code == -9, killed
        second, again = reviewed(processes, root, 0)
        assert again.code in (0, 130), again
        # An act that was written and not acknowledged may be there too; none is there twice.
        assert Counter(line["letter_id"] for line in lines(root / "out")) == Counter(NOTES.keys())
        assert len(NOTES) - 1 <= len({*first, *second}) <= len(NOTES)
        assert not {*first} & {*second}


# ---- requests to an answer desk -------------------------------------------------------------------


def asked(processes: Forking, root: Path, stop_at: int) -> Ended:
    """Send every request to the desk; nobody answers."""
    pid = processes.start(root, "desk", "--inbox", "inbox", "--port", "0", "--wait", "1", stop_at=stop_at)
    try:
        url = address(processes, pid, r"http://127\.0\.0\.1:\d+/v1")
        for text in NOTES.values():
            body = {"model": "toy", "messages": [{"role": "user", "content": text}]}
            sent = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode())
            sent.add_header("Content-Type", "application/json")
            with pytest.raises(urllib.error.HTTPError, match="503"):
                urllib.request.urlopen(sent, timeout=30)
    except GONE:
        pass
    else:
        os.kill(pid, 2)
    return processes.end()


def texts(root: Path) -> list[str]:
    """What the folders of the inbox ask; every one of them is whole."""
    found = []
    for folder in (root / "inbox").iterdir():
        if not folder.name.endswith(".part"):
            assert (folder / "request.md").read_text("utf-8").startswith("# Request to toy")
            found.append(json.loads((folder / "request.json").read_bytes())["messages"][0]["content"])
    return sorted(found)


def test_requests_to_a_killed_desk(processes: Forking, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    complete = asked(processes, tmp_path / "whole", 0)
    assert texts(tmp_path / "whole") == sorted(NOTES.values())
    for moment in spread(len(complete.changes), KILLS):
        root = tmp_path / f"killed-{moment}"
        root.mkdir()
        assert asked(processes, root, moment).code == -9
        assert set(texts(root) if (root / "inbox").exists() else ()) <= set(NOTES.values())
        assert asked(processes, root, 0).code in (0, 130)
        assert texts(root) == sorted(NOTES.values())
        assert [path.name for path in (root / "inbox").iterdir() if path.name.endswith(".part")] == []


# ---- batches that cost money ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[BatchServer]:
    with batch_endpoint(good_model) as server:
        yield server


def test_batches_are_started_once(processes: Forking, server: BatchServer, tmp_path: Path) -> None:
    root = write_toy(tmp_path / "prepared", "submitted")
    only_notes(root, NOTES)
    words = ["--out", "out", "--model", MODEL, "--base-url", server.url, "--max-requests", "2"]
    assert cli("batch", "write", "letters", *words, cwd=root).code == 0
    submit = ["batch", "submit", "--out", "out", "--base-url", server.url]
    whole = shutil.copytree(root, tmp_path / "whole")
    complete = processes.run(whole, *submit, env=KEY)
    assert (complete.code, len(server.batches)) == (0, 3)
    for moment in spread(len(complete.changes), 2 * KILLS):
        server.batches.clear()
        killed = shutil.copytree(root, tmp_path / f"killed-{moment}")
        assert processes.run(killed, *submit, stop_at=moment, env=KEY).code == -9
        again = processes.run(killed, *submit, env=KEY)
        assert again.code == 0, again
        assert len({batch.upload for batch in server.batches}) == len(server.batches) == 3, moment
