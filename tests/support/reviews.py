"""Runs to review: the parcel notes of ``tests.support.toy`` with answers that are wrong, and a server over them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from extractor.letters.letter import LetterFile, letter_in
from extractor.lettertypes.lettertype import LetterType
from extractor.review.queue import key_of
from extractor.review.review import Desk, ReviewedLetter
from extractor.review.serve import open_server
from extractor.runs.answers import recheck
from extractor.runs.ledger import Keys, Ledger, LedgerView
from extractor.runs.record import Failure, Record
from extractor.workspace.workspace import Workspace
from tests.support.toy import NOTES, Ran, cli, put, write_toy

Change = Callable[[dict[str, Any]], None]


def lost(answer: dict[str, Any]) -> None:
    """A model's mistake that the checks see."""
    answer["parcels"][0]["state"] = "lost"


def dropped(answer: dict[str, Any]) -> None:
    del answer["parcels"][-1]


def doubled(answer: dict[str, Any]) -> None:
    answer["parcels"].append(dict(answer["parcels"][0]))


def write_run(root: Path, spoilt: Mapping[str, Change] | None = None, notes: Mapping[str, str] = NOTES) -> Path:
    """A toy workspace in ``root`` with the run ``root/out`` of its letters, some answers changed; returns the run."""
    write_toy(root)
    for name in NOTES:
        (root / "letters" / f"{name}.txt").unlink()
    for name, text in notes.items():
        put(root / "letters" / f"{name}.txt", text)
    out = root / "out"
    ran = cli_apart("run", root / "letters", "--out", out, "--workspace", root)
    assert ran.code in (0, 1), ran.err
    for letter_id, change in (spoilt or {}).items():
        spoil(root, letter_id, change)
    return out


def cli_apart(*words: object) -> Ran:
    """The command line in a thread of its own: Playwright's event loop holds this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(cli, *words).result()


def spoil(root: Path, letter_id: str, change: Change) -> None:
    """Change the run's answer to one letter, as if its model had answered so."""
    out = root / "out"
    record = replace(record_of(out, letter_id), model="openai/toy", prompt="parcel@v1")
    assert record.answer is not None
    change(record.answer)
    letter = letter_in(LetterFile(letter_id, root / "letters" / f"{letter_id}.txt"))
    store(out, recheck(record, letter, kind_of(root)))


def failing(root: Path, letter_id: str) -> None:
    """A letter whose model gave no answer."""
    error = Failure("refusal", "the model's reply cannot be used: refusal")
    record = record_of(root / "out", letter_id)
    record = replace(record, answer=None, evidence={}, findings=(), error=error, status="failed")
    store(root / "out", replace(record, model="openai/toy", prompt="parcel@v1"))


def store(out: Path, *records: Record) -> None:
    with Ledger(out) as ledger:
        for record in records:
            ledger.store_record(record, Keys("a", "b"))


def record_of(out: Path, letter_id: str) -> Record:
    with LedgerView(out) as view:
        found = view.record(letter_id)
    assert found is not None
    return found


def many(root: Path, count: int) -> Path:
    """A run of so many records, every tenth of them flagged; only the first letters lie on the disk."""
    out = write_run(root, {"blue": lost})
    clean, flagged = record_of(out, "red"), record_of(out, "blue")
    made = []
    for number in range(count - 3):
        made.append(replace(flagged if number % 10 == 0 else clean, letter_id=f"note-{number:05}"))
    store(out, *made)
    return out


def kind_of(root: Path) -> LetterType:
    return Workspace(root).letter_type("parcel")


def desk_of(root: Path, name: str = "Ada") -> Desk:
    return Desk(root / "out", kind_of(root), [[root / "letters"]], name)


def opened(desk: Desk, letter_id: str = "blue") -> ReviewedLetter:
    """A letter as the page shows it now."""
    desk.refresh()
    entry = desk.entry(key_of(letter_id))
    assert entry
    return desk.letter_of(entry)


def do(desk: Desk, letter_id: str = "blue", **request: Any) -> None:
    """What the page sends for an act on a letter."""
    reviewed = opened(desk, letter_id)
    desk.act(reviewed, {**request, "version": reviewed.version})


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The address of a running review."""
    running = open_server(desk)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running.address
    finally:
        running.server.should_exit = True
        thread.join()


def lines(out: Path) -> list[dict[str, Any]]:
    """The log; every line must be whole."""
    text = (out / "review.jsonl").read_text("utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]
