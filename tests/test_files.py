"""Files that are whole or not there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from extractor.errors import LedgerError, UsageError
from extractor.files import RUN_FILES, output_file, whole_file
from tests.support.toy import cli, put, write_toy


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_takes_its_place_at_the_end(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o644)
    with whole_file(path) as file:
        file.write(b"new")
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (LedgerError("mine"), LedgerError, "mine"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
        (OSError(28, "No space left on device"), UsageError, "No space left on device"),
    ],
)
def test_after_an_error_all_is_as_before(
    tmp_path: Path, error: BaseException, raised: type[BaseException], message: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fill() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(raised, match=message):
        fill()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["no/such/a.txt", "."])
def test_where_no_file_can_be(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="cannot write"), whole_file(tmp_path / path, "name another"):
        pass
    assert list(tmp_path.iterdir()) == []


# ---- where nothing is written --------------------------------------------------------------------


def odd(kind: str, at: Path) -> Path:
    """Something that is no file, or a name that a run owns, where a report is to go."""
    if kind == "pipe":
        os.mkfifo(at)
    elif kind == "folder":
        at.mkdir()
    elif kind == "link":
        at.symlink_to(put(at.parent / "target", "mine"))
    elif kind == "link out of the folder":
        at.symlink_to(put(at.parent.parent / "elsewhere/target", "mine"))
    elif kind == "link to nothing":
        at.symlink_to(at.parent / "nothing")
    elif kind == "link to a device":
        at.symlink_to("/dev/null")
    else:
        return Path("/dev/null")
    return at


ODD = ("pipe", "folder", "link", "link out of the folder", "link to nothing", "link to a device", "device")


@pytest.mark.skipif(os.name == "nt", reason="no such entries there")
@pytest.mark.parametrize("kind", ODD)
def test_only_files_are_written_over(tmp_path: Path, kind: str) -> None:
    path = odd(kind, put(tmp_path / "in/beside.txt", "").parent / "report.md")
    before = path.lstat()
    for write in (whole_file, output_file):
        with pytest.raises(UsageError, match="cannot write") as raised, write(path) as file:
            file.write(b"report")
        assert raised.value.hint
    assert path.lstat() == before
    assert [target.read_text() for target in tmp_path.rglob("target")] in ([], ["mine"])
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("name", [*sorted(RUN_FILES), "RECORDS.jsonl", "batch/requests-1.jsonl"])
def test_files_of_a_run_are_not_written_over(tmp_path: Path, name: str) -> None:
    put(tmp_path / "run.db", "ledger")
    put(tmp_path / "batch/batch.db", "book")
    with pytest.raises(UsageError, match="file of a run"), output_file(tmp_path / name):
        pass
    assert (tmp_path / "run.db").read_text() == "ledger"


def test_a_name_of_a_run_is_free_elsewhere(tmp_path: Path) -> None:
    with output_file(tmp_path / "new/folder/records.jsonl", parents=True) as file:
        file.write(b"a table")
    assert stat.S_IMODE((tmp_path / "new/folder").stat().st_mode) == 0o700


@pytest.mark.parametrize(("before", "mode"), [(None, 0o644), (0o640, 0o640), (0o600, 0o600)])
def test_what_is_committed_keeps_its_mode(tmp_path: Path, before: int | None, mode: int) -> None:
    path = tmp_path / "schema.json"
    if before is not None:
        put(path, "{}").chmod(before)
    with output_file(path, private=False) as file:
        file.write(b"{}")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="no such signals there")
def test_parts_of_a_killed_command_are_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom extractor.files import whole_file\n"
        f"with whole_file(Path({str(tmp_path / 'a.csv')!r})) as file:\n"
        "    file.write(b'half')\n    file.flush()\n    print('written', flush=True)\n    time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        # While it lives its part stays, whoever else writes here.
        with whole_file(tmp_path / "b.csv") as file:
            file.write(b"whole")
        assert len(list(tmp_path.glob(".a.csv.*.part"))) == 1
        process.send_signal(signal.SIGKILL)
    put(tmp_path / ".mine.part", "not ours")
    with whole_file(tmp_path / "b.csv") as file:
        file.write(b"whole again")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".mine.part", "b.csv"]


@pytest.mark.skipif(os.name == "nt", reason="no such entries there")
def test_no_command_writes_over_what_is_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    assert cli("run", "letters", "--out", "out").code == 0
    (tmp_path / "toy/link").symlink_to(put(tmp_path / "private.txt", "mine"))
    os.mkfifo("pipe")
    commands = {
        "schema": ["schema"],
        "export": ["export", "out", "--to", "csv", "--rows", "letters"],
        "export xlsx": ["export", "out", "--to", "jsonl", "--rows", "letters"],
    }
    run_files = {path: path.read_bytes() for path in (tmp_path / "toy/out").iterdir()}
    for name, words in commands.items():
        for out in ("link", "pipe", "/dev/null", "letters", "out/run.db", "out/records.jsonl", "out/review.jsonl"):
            ran = cli(*words, "--out", out)
            assert (ran.code, "rror: " in ran.err) == (2, True), (name, out, ran)
    assert (tmp_path / "private.txt").read_text() == "mine"
    assert {path: path.read_bytes() for path in run_files} == run_files
