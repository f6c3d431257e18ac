"""Reading by a real Dask cluster of this machine: killed workers, files that kill them, and a lost scheduler."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extractor.errors import EngineError, LetterError, UsageError
from extractor.letters.documents import Document
from tests.support.clusters import Cluster, cluster, order, scripted
from tests.support.makepdf import typeset
from tests.support.toy import NOTES, cli, put, records, wait_for, write_toy

distributed = pytest.importorskip("distributed")
from extractor.letters.workers import cluster as module  # noqa: E402
from extractor.letters.workers.cluster import ClusterReader  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


def log_of(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def outcomes(reader: ClusterReader, files: dict[str, bytes]) -> dict[str, Document | Exception]:
    """What becomes of each file; all are under way at once."""

    def one(name: str) -> Document | Exception:
        try:
            return reader("pdf", files[name], name)
        except (LetterError, EngineError, UsageError) as error:
            return error

    with ThreadPoolExecutor(len(files)) as pool:
        return dict(zip(files, pool.map(one, files), strict=True))


def scripted_reader(made: Cluster) -> tuple[object, ClusterReader]:
    client = distributed.Client(scheduler_file=str(made.file))
    client.wait_for_workers(2, timeout=60)
    return client, ClusterReader(client, scripted)


def test_a_killed_worker_costs_no_finished_reading_and_doubles_none(two: Cluster, tmp_path: Path) -> None:
    client, reader = scripted_reader(two)
    files = {f"f{n}": order(tmp_path / "log", f"f{n}", seconds=0.3) for n in range(12)}
    with client:
        killer = threading.Thread(
            target=lambda: (
                wait_for(lambda: sum("done" in line for line in log_of(tmp_path)) >= 4),
                two.kill(two.workers[0]),
            )
        )
        killer.start()
        found = outcomes(reader, files)
        killer.join()
    assert {name: getattr(each, "text", each) for name, each in found.items()} == {name: name for name in files}
    done = Counter(line.split()[0] for line in log_of(tmp_path) if "done" in line)
    # One that was finished in the moment of the kill may be on its way.
    assert sum(done.values()) <= len(files) + 1


def test_a_file_that_ends_two_workers_fails_and_the_others_are_read(two: Cluster, tmp_path: Path) -> None:
    for _ in range(2):
        two.add_worker()
    client, reader = scripted_reader(two)
    files = {f"f{n}": order(tmp_path / "log", f"f{n}", "kill" if n == 3 else "read", seconds=0.2) for n in range(8)}
    with client:
        client.wait_for_workers(4, timeout=60)
        found = outcomes(reader, files)
    bad = found.pop("f3")
    assert isinstance(bad, LetterError)
    assert bad.code == "worker_crashed"
    assert {name: getattr(each, "text", each) for name, each in found.items()} == {name: name for name in found}
    assert log_of(tmp_path).count("f3 begun") == 2


def test_a_lost_scheduler_is_an_error_of_the_engine(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, reader = scripted_reader(two)
    with client:
        killer = threading.Timer(1.0, lambda: two.kill(two.scheduler))
        killer.start()
        found = outcomes(reader, {"slow": order(tmp_path / "log", "slow", seconds=60.0)})
        killer.join()
    assert isinstance(found["slow"], EngineError)


def test_a_worker_with_another_version_is_refused_by_name(two: Cluster) -> None:
    with distributed.Client(scheduler_file=str(two.file)) as client:
        client.wait_for_workers(2, timeout=60)
        reader = ClusterReader(client)
        reader.refuse_other_versions()
        reader._version = "letterproof 9.9"
        with pytest.raises(
            UsageError, match=r"^2 of the cluster's workers .*tcp://127\.0\.0\.1:\d+: letterproof"
        ) as raised:
            reader.refuse_other_versions()
        assert "letterproof 9.9" in raised.value.hint
        with pytest.raises(UsageError, match="another version"):  # of a worker that came later
            reader("pdf", b"%PDF-", "a.pdf")


def test_no_scheduler_at_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONNECT_SECONDS", 1)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        ClusterReader.connected("tcp://127.0.0.1:9").__enter__()


def test_a_run_over_a_cluster_is_the_run_of_one_machine(
    two: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_toy(tmp_path / "toy")
    monkeypatch.chdir(root)
    for stem, text in NOTES.items():
        (root / f"letters/{stem}.txt").unlink()
        put(root / f"letters/{stem}.pdf", typeset(text))
    put(root / "letters/bad.pdf", b"%PDF-1.4 cut off")
    remote = cli("run", "letters", "--out", "out", "--model", "offline", "--engine", "dask", "--scheduler", two.file)
    local = cli("run", "letters", "--out", "local", "--model", "offline")
    assert remote.code == local.code == 1
    assert records(root / "out") == records(root / "local")
    two.kill(two.scheduler)
    time.sleep(0.1)
    again = cli("run", "letters", "--out", "out", "--model", "offline")
    assert "done already" in again.out
