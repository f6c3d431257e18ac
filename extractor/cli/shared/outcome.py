"""The outcome of a run, or its forecast: as text, as JSON, and as an exit code."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from extractor import Bill, Forecast, LetterType, Summary
from extractor.api import NOT_OF_TYPE, RECORDS
from extractor.cli.shared.failures import failure_lines, screen_width
from extractor.cli.shared.options import Exit, print_err
from extractor.cli.shared.table import print_table
from extractor.display.values import money, plural
from extractor.errors import CassetteError

_NAMED = 5
STATUSES = ("accepted", "needs_review", "failed")


def report(summary: Summary, bill: Bill, out: Path) -> dict[str, Any]:
    """A run for ``--json``; ``now`` is what came in this run, all else is of its letters.

    ``types`` counts the letters of each letter type, where there are several.
    """
    state = summary.state()
    return {
        "letters": summary.total,
        **{status: summary.counts.get(status, 0) for status in STATUSES},
        "withheld": summary.withheld._asdict(),
        **({"types": dict(sorted(summary.types.items()))} if summary.types else {}),
        "skipped": summary.skipped,
        "doubled": summary.doubled,
        "unanswered": {
            name: {"code": error.code, "message": error.message} for name, error in summary.unanswered.items()
        },
        "missing": summary.missing,
        "left": summary.left,
        "stopped": summary.stopped or None,
        "interrupted": summary.interrupted,
        "seconds": round(summary.seconds, 2),
        **bill.as_dict(),
        "now": {name: state[name] for name in ("calls", "input_tokens", "output_tokens", "cost_usd", "refused_calls")},
        "records": str(out / RECORDS),
    }


def print_summary(summary: Summary, bill: Bill, out: Path, kinds: Sequence[LetterType]) -> None:
    """The tables, the counts and the bill on stdout; what is left and what to type next on stderr."""
    for kind in kinds:
        own = [record for record in summary.first if len(kinds) == 1 or record.letter_type == kind.name]
        if own:
            print_table(own, kind)
    if summary.counts.total() > len(summary.first):
        print(f"(the first {len(summary.first)} of {summary.counts.total():,} records are shown, flagged ones first)")
    counts = [f"{summary.counts.get(status, 0):,} {status}" for status in STATUSES]
    if summary.left:
        counts.append(f"{summary.left:,} unanswered")
    skipped = f" (done already: {summary.skipped:,})" if summary.skipped else ""
    print(f"{plural(summary.total, 'letter')}: {', '.join(counts)}{skipped}. Records: {out / RECORDS}")
    if line := withheld_line(*summary.withheld):
        print(line)
    if summary.types:
        named = [f"{kind.name} {summary.types[kind.name]:,}" for kind in kinds]
        print(f"By letter type: {', '.join(named)}, of no type or of several {summary.unassigned:,}.")
    if summary.doubled:
        have = "letter has" if summary.doubled == 1 else "letters have"
        print(f"{summary.doubled:,} {have} the same text as another one.")
    if summary.missing:
        print(missing_line(summary.missing))
    if line := bill.line():
        print(line)
    for line in _afterwards(summary, out):
        print_err(line)


def missing_line(missing: Sequence[str]) -> str:
    """Which records have no letter any more, in a sentence."""
    named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
    have = "record has no letter" if len(missing) == 1 else "records have no letter"
    return (
        f"{len(missing):,} {have} any more, because files were moved, renamed or removed: {named}. "
        "Exports leave them out, unless --missing is given."
    )


def withheld_line(values: int, letters: int) -> str:
    """What records withhold, in a sentence; empty if nothing."""
    if not values:
        return ""
    counted = "1 value is" if values == 1 else f"{values:,} values are"
    return f"{counted} withheld in {plural(letters, 'letter')}: left out of the answer, kept beside it with the reason."


def _afterwards(summary: Summary, out: Path) -> Iterator[str]:
    taped = any(isinstance(error, CassetteError) for error in summary.unanswered.values())
    if summary.stopped and summary.stopped != "interrupted":
        yield f"stopped: {': '.join(filter(None, (summary.stop_reason, summary.stop_detail)))}"
    if summary.unanswered:
        first = next(iter(summary.unanswered.values()))
        were = "was" if len(summary.unanswered) == 1 else "were"
        yield f"{plural(len(summary.unanswered), 'letter')} {were} not answered. First: {first}"
    if summary.left and not taped:
        named = ", ".join(summary.next_letters) + (", ..." if summary.left > len(summary.next_letters) else "")
        are = "is" if summary.left == 1 else "are"
        yield f"{plural(summary.left, 'letter')} {are} left; run the same command again to continue (next: {named})"
        yield f"next: {_same_command()}"
    elif not taped:
        yield from _next_steps(summary, out)


def _next_steps(summary: Summary, out: Path) -> Iterator[str]:
    failed = [record for record in summary.first if record.status == "failed"]
    unread = sum(record.letter_sha256 is None for record in failed)
    foreign = sum(record.error is not None and record.error.code in NOT_OF_TYPE for record in failed)
    # Both would be so again.
    if unread:
        yield f"{plural(unread, 'file')} cannot be read; the table gives each reason and what to do"
    if foreign:
        yield f"{plural(foreign, 'letter')} {'is' if foreign == 1 else 'are'} not of this type, and no model was asked"
    if len(failed) > unread + foreign:
        yield f"next: {_same_command('--retry', 'failed')}"
    if summary.counts["needs_review"]:
        yield f"next: extractor review {shlex.quote(str(out))}"
    elif summary.counts["accepted"]:
        yield f"next: extractor export {shlex.quote(str(out))} --to xlsx"


def _same_command(*more: str) -> str:
    """The command that was typed, without passwords; with ``more``, without what would contradict it."""
    words = [without_password(word) for word in sys.argv[1:] if not more or word != "--force"]
    given = " ".join(more)
    return shlex.join(["extractor", *words, *(() if given in " ".join(words) else more)])


def without_password(word: str) -> str:
    """A word of a command with the user name and password of an address, and the values of its query, masked."""
    masked = re.sub(r"(?<=://)[^/@\s]*@(?=[^/]*)", "USER:PASSWORD@", word)
    return re.sub(r"(?<=[?&])([\w.-]+)=[^&#]*", r"\1=VALUE", masked) if "://" in masked else masked


def exit_code(summary: Summary) -> Exit:
    """How the run ended, for scripts."""
    if summary.interrupted:
        return Exit.INTERRUPTED
    if any(isinstance(error, CassetteError) for error in summary.unanswered.values()):
        return Exit.CASSETTES
    if summary.left:
        return Exit.INCOMPLETE
    return Exit.LOOK if summary.counts.get("needs_review") or summary.counts.get("failed") else Exit.FINE


# ---- --dry-run -----------------------------------------------------------------------------------


def _cached(forecast: Forecast) -> str:
    """What the endpoint's cache is expected to serve, in parentheses; empty for nothing."""
    if not forecast.cached_tokens:
        return ""
    how = "about" if forecast.measured else "at best"
    return f" ({how} {forecast.cached_tokens:,} from the endpoint's cache)"


def print_forecast(forecast: Forecast) -> None:
    """What would be asked, and what it rests on."""
    asks = forecast.asks
    counted = [
        (f"{forecast.done:,} done already", forecast.done),
        (f"{forecast.recheck:,} answered, only to be checked again", forecast.recheck),
        (f"{forecast.copies:,} of equal text", forecast.copies),
        (f"{forecast.unreadable:,} cannot be read", forecast.unreadable),
        (f"{forecast.unassigned:,} of no letter type or of several", forecast.unassigned),
        (f"{forecast.unrecognized:,} not of this letter type", forecast.unrecognized),
        (f"{forecast.calls:,} to {'ask' if asks else 'read'}", True),
    ]
    print(f"{plural(forecast.letters, 'letter')}: {', '.join(text for text, shown in counted if shown)}.")
    for line in failure_lines(forecast.problems, screen_width()):
        print(line)
    if asks and forecast.calls:
        more = forecast.most_calls > forecast.calls
        why = f"--reask {forecast.reasks}" + (" and --second-model" if forecast.second_model else "")
        most = f" ({forecast.most_calls:,} at most, with {why})" if more else ""
        basis = plural(forecast.measured, "answer") if forecast.measured else "the size of the requests"
        print(f"{plural(forecast.calls, 'call')}{most}, estimated from {basis}.")
        print(f"About {forecast.input_tokens:,} tokens in{_cached(forecast)} and {forecast.output_tokens:,} out.")
        day = f", at list prices as of {forecast.prices_as_of}" if forecast.prices_as_of else ""
        usd = forecast.cost.usd
        if forecast.free:
            print(f"No cost: {forecast.free}.")
        else:
            print(f"Cost unknown: {forecast.cost.unknown}." if usd is None else f"About {money(usd)}{day}.")
        if forecast.second_model:
            print(f"{forecast.second_model} is asked about letters that are flagged; its calls are not in this sum.")
    print("Nothing was asked.")
