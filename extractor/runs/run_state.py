"""The state of a run folder, also while a run is active in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

from extractor.models.prices import rounded
from extractor.runs.bulk.summary import MOST_NAMED, STOPS
from extractor.runs.ledger import Latest, LedgerView, running


@dataclass(frozen=True)
class RunState:
    """The state of a run folder.

    ``state``: ``running``, ``finished``, ``incomplete`` (letters are left), ``stopped``, ``interrupted``, ``killed``,
    or ``unknown``. ``run`` is what the newest run reported of itself, ``records`` counts letters by status,
    ``errors`` the failed ones by code; ``failed`` has the reason of each of the first 200. ``usage`` and ``cost_usd``
    are what all records took; the cost is ``None`` if a part of it is not known. ``missing`` counts the records whose
    letter's file was gone or renamed at the last run.
    """

    folder: str
    state: str
    run: dict[str, Any] | None
    records: dict[str, int]
    errors: dict[str, int]
    withheld: dict[str, int]
    failed: dict[str, str]
    usage: dict[str, Any]
    cost_usd: float | None
    cost_usd_known: float | None
    missing: int

    @classmethod
    def of_folder(cls, folder: str | PathLike[str]) -> RunState:
        """Only looks: a run is not disturbed. Raises ``LedgerError`` if there is no run in the folder."""
        path = Path(folder)
        with LedgerView(path) as ledger:
            last, now = ledger.latest(), running(path)
            counts = {**dict.fromkeys(("accepted", "needs_review", "failed"), 0), **ledger.counts()}
            totals = ledger.totals()
            return cls(
                folder=str(path),
                state=_state(last, now),
                run=_run(last, now) if last else None,
                records={"letters": sum(counts.values()), **counts},
                errors=dict(ledger.errors()),
                withheld=ledger.withheld()._asdict(),
                failed={
                    record.letter_id: str(record.error) for record in ledger.failed_records(MOST_NAMED) if record.error
                },
                usage=totals.usage.as_dict(),
                cost_usd=None if totals.unpriced else rounded(totals.usd),
                cost_usd_known=rounded(totals.usd),
                missing=len(ledger.missing()),
            )

    @staticmethod
    def last_model(folder: str | PathLike[str]) -> str | None:
        """The model of the newest run, without counting letters. Raises ``LedgerError`` if there is no run."""
        with LedgerView(Path(folder)) as ledger:
            last = ledger.latest()
        return last.state.get("model") if last else None

    @property
    def stop_reason(self) -> str:
        """Why the newest run ended before its last letter; empty if it did not."""
        stopped = str((self.run or {}).get("stopped") or "")
        return STOPS.get(stopped, stopped)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON data."""
        return dict(vars(self))


def _state(last: Latest | None, now: bool) -> str:
    if now:
        return "running"
    if last is None:
        return "unknown"
    if last.ended is None:
        return "killed"
    if last.state.get("stopped"):
        return "interrupted" if last.state["stopped"] == "interrupted" else "stopped"
    return "incomplete" if last.state.get("left") else "finished"


def _run(last: Latest, now: bool) -> dict[str, Any]:
    times = {"began": _moment(last.began), "ended": _moment(last.ended) if last.ended else None}
    age = {"seconds_ago": round(time.time() - last.updated, 1)} if now else {}
    return {"number": last.run, **times, **age, **last.state}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
