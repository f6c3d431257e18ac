"""Fifty thousand letters and more: what a run takes, loses and pays, next to the clients people use.

    python -m benchmarks.scale offline [--letters 1000 10000 100000]
    python -m benchmarks.scale asked   [--inflight 64 256] [--latency 1] [--rounds 12]
    python -m benchmarks.scale killed  [--letters 2000] [--inflight 256]
    python -m benchmarks.scale limited [--letters 1500] [--rpm 3000]
    python -m benchmarks.scale equal   [--letters 1000] [--equal 0.07]
    python -m benchmarks.scale all     # each as above

``--peers NAME=PYTHON ...`` names the interpreter of an environment in which a client is installed, e.g.
``curator=/tmp/curator/bin/python``; a client that is not installed is named and left out. Letters come from
``corpus.py``, answers from ``endpoint.py``; both are below ``--work``. Each measurement is a process of its own,
measured from outside (Linux). A table goes to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import corpus  # noqa: E402
from benchmarks.endpoint import endpoint  # noqa: E402
from benchmarks.process import Used, measured  # noqa: E402

OURS = "extractor"
CALL, PLAIN, CACHED, CURATOR = "openai", "instructor", "instructor-cached", "curator"
LABELS = {
    OURS: "extractor run, all of it",
    CALL: "openai, the call alone",
    PLAIN: "instructor, semaphore",
    CACHED: "instructor, its disk cache",
    CURATOR: "curator",
}


class Bench:
    """Where things are, and which interpreter runs which client."""

    def __init__(self, work: Path, peers: Iterable[str]) -> None:
        self.work = work
        self.python = dict(each.split("=", 1) for each in peers)
        self.missing: set[str] = set()

    def letters(self, number: int, *, equal: float = 0.0, plain_bytes: bool = True) -> Path:
        """A folder with so many letters and their truth; made once."""
        root = self.work / f"letters-{number}-{equal}-{'plain' if plain_bytes else 'any'}"
        if not (root / "whole").exists():
            progress(f"writing {number:,} letters")
            shutil.rmtree(root, ignore_errors=True)
            corpus.write(root, number, equal=equal, plain_bytes=plain_bytes)
            (root / "whole").touch()
        return root

    def run(
        self, name: str, root: Path, url: str, out: Path, inflight: int | str = 64, limit: int | None = None,
        kill_when: Callable[[], bool] | None = None,
    ) -> Used:  # fmt: skip
        """One client over the letters of ``root``, its results at or beside ``out``."""
        limited = ["--limit", limit] if limit else []
        if name == OURS:
            words = [sys.executable, "-m", "extractor", "run", root / corpus.LETTERS, "--out", out, "--json"]
            words += ["--model", "openai/benchmark", "--base-url", url, "--concurrency", inflight]
            return measured([*words, *limited], kill_when=kill_when)
        words = [self.python.get(name, sys.executable), "-m", "benchmarks.clients", name, url, root / corpus.LETTERS]
        words += ["--out", out.with_suffix(".jsonl"), "--inflight", inflight]
        return measured([*words, *limited], kill_when=kill_when)

    def has(self, name: str, used: Used) -> bool:
        """Whether a client ran; one that is not installed is named once."""
        missing = "ModuleNotFoundError" in used.err or "ImportError" in used.err
        if missing and name not in self.missing:
            self.missing.add(name)
            progress(f"{name} is left out: {used.err.strip().splitlines()[-1]}")
        return not missing


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def table(title: str, *heads: str) -> None:
    print(f"\n**{title}**\n")
    row(*heads)
    row("---", *("--:" for _ in heads[1:]))


# ---- offline -------------------------------------------------------------------------------------


def offline(bench: Bench, sizes: Sequence[int]) -> None:
    """The whole way without a model: read, fill, check, store, write."""
    found = []
    for size in sizes:
        root = bench.letters(size, plain_bytes=False)
        with tempfile.TemporaryDirectory(dir=bench.work) as scratch:
            out = Path(scratch) / "out"
            words = [sys.executable, "-m", "extractor", "run", root / corpus.LETTERS, "--out", out]
            used = measured([*words, "--model", "offline", "--json"])
            progress(f"{size:,} letters offline: {used.wall:.0f} s")
            found.append((size, used, Held(root, out)))
    table(
        "Offline: letters read, filled, checked, stored, written",
        "letters", "decisions", "letters/s", "CPU ms a letter", "peak MB", "with children", "records = truth",
        "accepted",
    )  # fmt: skip
    for size, used, held in found:
        row(
            f"{size:,}", f"{held.decisions:,}", f"{size / used.wall:.0f}", f"{1000 * used.cpu / size:.2f}",
            f"{used.peak_mb:.1f}", f"{used.with_children_mb:.1f}", f"{held.right / size:.2%}",
            f"{held.statuses['accepted'] / size:.1%}",
        )  # fmt: skip
    table(f"What the reader makes of the {sizes[-1]:,} letters", "letters", "number", "records = truth")
    for name, (right, number) in found[-1][2].by_kind():
        row(name, f"{number:,}", f"{right / number:.2%}")


class Held:
    """The records of a run held against the truth: ``right`` ones, and which forms and mess they have."""

    def __init__(self, root: Path, out: Path, *, whole: bool = False) -> None:
        self.right = self.decisions = self.records = 0
        self.statuses: Counter[str] = Counter()
        self._all: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        for truth, record in _side_by_side(root, out):
            self.records += 1
            self.statuses[record["status"]] += 1
            self.decisions += len(truth["answer"]["decisions"])
            answer, true = record["answer"], truth["answer"]
            if not whole and answer is not None:
                answer, true = (corpus.printed(each, truth["form"]) for each in (answer, true))
            right = answer is not None and not any(corpus.differs(answer, true))
            self.right += right
            kinds = [f"form: {truth['form']}", *(f"mess: {each}" for each in truth["mess"] or ["none"])]
            self._all.update(kinds)
            self._right.update(kinds if right else ())

    def by_kind(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for kind, number in sorted(self._all.items()):
            yield kind, (self._right[kind], number)


def _side_by_side(root: Path, out: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Truths and records of equal ids; both come in the order of ids, records may end sooner."""
    truths = corpus.truths(root)
    with (out / "records.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            truth = next(truths)
            while truth["letter_id"] != record["letter_id"]:
                truth = next(truths)
            yield truth, record


# ---- through an endpoint -------------------------------------------------------------------------


def asked(bench: Bench, inflights: Sequence[int], latency: float, rounds: int) -> None:
    """CPU, rate and memory of whole runs; CPU is that of more letters over that of fewer, so no start-up counts."""
    table(
        f"Asked of an endpoint on this machine that answers after {latency} s",
        "client", "in flight", "letters", "CPU ms a letter", "to openai's call", "share of ideal rate",
        "s in all", "peak MB", "records = truth",
    )  # fmt: skip
    for inflight in inflights:
        few, many = 2 * inflight, rounds * inflight
        root = bench.letters(many)
        bare = 0.0
        for name in (CALL, OURS, PLAIN, CURATOR):
            with tempfile.TemporaryDirectory(dir=bench.work) as scratch:
                small, small_figures = _asked(bench, name, root, Path(scratch) / "few", latency, inflight, few)
                if not bench.has(name, small):
                    continue
                large, figures = _asked(bench, name, root, Path(scratch) / "many", latency, inflight, many)
                right = _share(name, root, Path(scratch) / "many", many)
            assert figures["calls"] > small_figures["calls"], large.err[-2000:]
            cpu = 1000 * (large.cpu - small.cpu) / (many - few)
            bare = bare or cpu
            rate = figures["answered"] / figures["seconds"] / (inflight / latency)
            row(
                LABELS[name], inflight, f"{many:,}", f"{cpu:.2f}", f"{cpu / bare:.2f}", f"{rate:.2f}",
                f"{large.wall:.0f}", f"{large.peak_mb:.0f}", right,
            )  # fmt: skip


def _asked(
    bench: Bench, name: str, root: Path, out: Path, latency: float, inflight: int, limit: int
) -> tuple[Used, dict[str, Any]]:
    with endpoint(root / corpus.TRUTH, latency) as server:
        used = bench.run(name, root, server.url, out, inflight=inflight, limit=limit)
        figures = server.stats()
    made = f"{figures['calls']:,} calls, {figures['corrections']} corrections"
    progress(f"{name}: {limit:,} letters, {inflight} in flight: {used.wall:.0f} s, {made}, code {used.code}")
    return used, figures


def _share(name: str, root: Path, out: Path, number: int) -> str:
    """Records that hold the truth, of ours all values; the call alone keeps none."""
    if name == OURS:
        return f"{Held(root, out, whole=True).right / number:.1%}"
    lines = out.with_suffix(".jsonl")
    if not lines.exists():
        return "-"
    truths = {truth["letter_id"].rpartition("/")[2]: truth["answer"] for truth in corpus.truths(root)}
    records = map(json.loads, lines.read_text("utf-8").splitlines())
    return f"{sum(not any(corpus.differs(each['answer'], truths[each['letter_id']])) for each in records) / number:.1%}"


# ---- killed --------------------------------------------------------------------------------------


def killed(bench: Bench, number: int, inflight: int, latency: float) -> None:
    """kill -9 when half the letters are answered, then the same command again.

    Answers take half to one and a half times the latency: what comes all at once is lost all at once.
    """
    root = bench.letters(number)
    table(
        f"kill -9 in the middle of {number:,} letters, {inflight} in flight, then again",
        "client", "answered at the kill", "most in flight", "calls in all", "paid twice", "letters with a record",
    )  # fmt: skip
    for name in (OURS, CACHED, CURATOR, PLAIN):
        with (
            tempfile.TemporaryDirectory(dir=bench.work) as scratch,
            endpoint(root / corpus.TRUTH, latency, spread=0.5) as server,
        ):
            out = Path(scratch) / "out"
            first = bench.run(
                name, root, server.url, out, inflight=inflight,
                kill_when=lambda server=server: server.stats()["answered"] >= number / 2,  # type: ignore[misc]
            )  # fmt: skip
            at_kill = server.stats()
            if not bench.has(name, first):
                continue
            progress(f"{name}: killed ({first.code}) after {first.wall:.0f} s")
            again = bench.run(name, root, server.url, out, inflight=inflight)
            figures = server.stats()
            progress(f"{name}: again {again.wall:.0f} s, code {again.code}")
            row(
                LABELS[name], f"{at_kill['answered']:,}", at_kill["most_in_flight"], f"{figures['calls']:,}",
                figures["calls"] - figures["letters"], f"{_kept(name, out):,}",
            )  # fmt: skip


def _kept(name: str, out: Path) -> int:
    """Different letters among the records."""
    lines = (out / "records.jsonl" if name == OURS else out.with_suffix(".jsonl")).read_text("utf-8").splitlines()
    return len({json.loads(line)["letter_id"] for line in lines})


# ---- limited, equal ------------------------------------------------------------------------------


def limited(bench: Bench, number: int, rpm: float) -> None:
    """A limit that the endpoint sends in its headers; in flight what the client chooses, or 64."""
    root = bench.letters(number)
    os.environ["LIMITS_TOLD"] = "1"
    table(
        f"{number:,} letters at a limit of {rpm:g} calls a minute, announced in headers",
        "client", "answered", "dropped", "refused calls", "share refused", "share of the limit used",
    )  # fmt: skip
    for name in (OURS, CALL, PLAIN, CURATOR):
        with (
            tempfile.TemporaryDirectory(dir=bench.work) as scratch,
            endpoint(root / corpus.TRUTH, 0.5, spread=0.5, rpm=rpm) as server,
        ):
            out = Path(scratch) / "out"
            used = bench.run(name, root, server.url, out, inflight="auto" if name == OURS else 64)
            figures = server.stats()
        if not bench.has(name, used):
            continue
        progress(f"{name}: {used.wall:.0f} s, code {used.code}")
        refused = figures["refused"]
        row(
            LABELS[name], f"{figures['letters']:,}", number - figures["letters"], refused,
            f"{refused / (refused + figures['calls']):.1%}",
            f"{60 * figures['answered'] / figures['seconds'] / rpm:.0%}",
        )  # fmt: skip
    del os.environ["LIMITS_TOLD"]


def equal(bench: Bench, number: int, share: float) -> None:
    """Letters that repeat others: each text is worth one call."""
    root = bench.letters(number, equal=share)
    table(
        f"{number:,} letters, about {share:.0%} of them copies of others",
        "client", "texts", "calls", "records",
    )  # fmt: skip
    for name in (OURS, PLAIN, CURATOR):
        with (
            tempfile.TemporaryDirectory(dir=bench.work) as scratch,
            endpoint(root / corpus.TRUTH, 0.2) as server,
        ):
            out = Path(scratch) / "out"
            used = bench.run(name, root, server.url, out)
            figures = server.stats()
            if bench.has(name, used):
                row(LABELS[name], f"{figures['letters']:,}", f"{figures['calls']:,}", f"{_kept(name, out):,}")


# ---- command -------------------------------------------------------------------------------------


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("what", choices=["offline", "asked", "killed", "limited", "equal", "all"])
    words.add_argument("--letters", type=int, nargs="+", help="how many; offline takes several")
    words.add_argument("--inflight", type=int, nargs="+", default=[64, 256])
    words.add_argument("--latency", type=float, default=1.0, help="seconds to an answer")
    words.add_argument("--rounds", type=int, default=12, help="letters asked for each in flight")
    words.add_argument("--rpm", type=float, default=3_000)
    words.add_argument("--equal", type=float, default=0.07)
    words.add_argument("--peers", nargs="*", default=[], metavar="NAME=PYTHON")
    words.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "scale")
    options = words.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(options.work, options.peers)

    def number(default: int) -> int:
        return options.letters[0] if options.letters else default

    parts: dict[str, Callable[[], None]] = {
        "offline": lambda: offline(bench, options.letters or [1_000, 10_000, 100_000]),
        "asked": lambda: asked(bench, options.inflight, options.latency, options.rounds),
        "killed": lambda: killed(bench, number(2_000), max(options.inflight), options.latency),
        "limited": lambda: limited(bench, number(1_500), options.rpm),
        "equal": lambda: equal(bench, number(1_000), options.equal),
    }
    for name, part in parts.items():
        if options.what in (name, "all"):
            part()


if __name__ == "__main__":
    main()
