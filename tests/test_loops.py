"""The shared loop closes what its owners leave open: quietly, when they are gone or Python ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.loopback import endpoint
from tests.support.toy import MODEL, ROOT, good_model, write_toy

SCRIPT = """\
import gc, sys
from extractor import Extractor

def ask():
    opened = Extractor(workspace=sys.argv[1], model=sys.argv[2], base_url=sys.argv[3])
    print(opened.extract(sys.argv[1] + "/letters/blue.txt").status)
    return opened

kept = ask() if sys.argv[4] == "at the end" else None
if kept is None:
    ask()
    gc.collect()
"""


@pytest.mark.parametrize("closed", ["at the end", "when it is gone"])
@pytest.mark.sample(1)
def test_connections_of_a_program_that_closes_nothing(tmp_path: Path, closed: str) -> None:
    workspace = write_toy(tmp_path / "toy")
    with endpoint(good_model) as server:
        words = [sys.executable, "-W", "always", "-c", SCRIPT, str(workspace), MODEL, server.url, closed]
        ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "accepted\n"), ran.stderr
    assert "Unclosed" not in ran.stderr
