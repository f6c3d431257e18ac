"""``extractor status``: the state of a run folder, also while the run is active."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from extractor.cli.shared.options import JsonOption, print_json
from extractor.cli.shared.outcome import withheld_line
from extractor.cli.shared.progress import compact, duration, parts
from extractor.display.terminal import terminal_safe
from extractor.display.values import money
from extractor.models.prices import rounded
from extractor.runs.bulk import STOPS
from extractor.runs.ledger import Latest, LedgerView, running

_MOST_FAILED = 200


def status_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run (its --out).", metavar="DIR")],
    as_json: JsonOption = False,
) -> None:
    """Print the state of a run, from another terminal while it is active, or afterwards.

    Only looks: the run is not disturbed. Exit code 0, or 2 if there is no run in DIR.

    Example: extractor status out
    """
    with LedgerView(folder) as ledger:
        last, now = ledger.latest(), running(folder)
        report: dict[str, Any] = {
            "folder": str(folder),
            "state": _state(last, now),
            "run": _run(last, now) if last else None,
            "records": {"letters": 0, **dict.fromkeys(("accepted", "needs_review", "failed"), 0), **ledger.counts()},
            "errors": dict(ledger.errors()),
        }
        report["records"]["letters"] = sum(report["records"].values())
        report["withheld"] = ledger.withheld()._asdict()
        report["failed"] = {
            record.letter_id: "; ".join(filter(None, (record.error.message, record.error.hint)))
            for record in ledger.failed_records(_MOST_FAILED)
            if record.error
        }
        totals = ledger.totals()
    report["usage"] = totals.usage.as_dict()
    report["cost_usd"] = None if totals.unpriced else rounded(totals.usd)
    report["cost_usd_known"] = rounded(totals.usd)
    if as_json:
        print_json(report)
    else:
        for line in _lines(report):
            print(line)


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


_STATES = {
    "running": "a run is active",
    "unknown": "no run has reported its state",
    "killed": "the last run was killed, or the machine went down; the same command continues it",
    "interrupted": "the last run was interrupted; the same command continues it",
    "incomplete": "the last run left letters unanswered; the same command continues it",
    "finished": "the last run is finished",
}


def _lines(report: dict[str, Any]) -> list[str]:
    run, records = report["run"], report["records"]
    sentence = _STATES.get(report["state"]) or f"the last run stopped: {STOPS.get(run['stopped'], run['stopped'])}"
    lines = [f"{report['folder']}: {sentence}"]
    if run and "merged" in run:
        lines.append(f"merged from {', '.join(run['merged'])}")
    elif run:
        words = ", ".join(f"{name} {run[name]}" for name in ("model", "prompt") if run.get(name))
        began = f"began {run['began']}, {duration(run['seconds'])}"
        lines += [f"{words}; {began}" if words else began, ", ".join(parts(run))]
    counts = ", ".join(f"{records[status]:,} {status}" for status in ("accepted", "needs_review", "failed"))
    lines.append(f"records: {records['letters']:,}: {counts}")
    if line := withheld_line(**report["withheld"]):
        lines.append(line)
    if report["errors"]:
        lines.append("failed: " + ", ".join(f"{count:,} {code}" for code, count in sorted(report["errors"].items())))
    lines += [terminal_safe(f"  {letter}: {why}") for letter, why in report["failed"].items()]
    usage = report["usage"]
    if usage["input_tokens"] is not None and usage["output_tokens"] is not None:
        cost = "cost unknown" if report["cost_usd"] is None else money(report["cost_usd"])
        lines.append(f"tokens: {compact(usage['input_tokens'])} in, {compact(usage['output_tokens'])} out; {cost}")
    return lines
