"""The figures of one run, or of two side by side, as the rows of a table; and what is drawn beside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from extractor.display.values import interval, money, number, p_value, percent, plural, signed
from extractor.evaluation.compare import Comparison, Estimate, LetterErrors

# Above this many letters only those that changed most are drawn one by one.
DRAWN = 40
# A change as large as this or larger is counted as one in the drawing of all letters.
_FAR = 6
Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One row: what it is, one cell a run (a figure and the counts it comes from), and the change from A to B.

    ``depth``: 0 for a figure, 1 for a part of the one above, 2 for a part of a part. ``better``: whether the change
    is an improvement; ``None`` where that is unknown, or nothing changed.
    """

    label: str
    cells: tuple[tuple[str, str], ...]
    change: str = ""
    interval: str = ""
    p: str = ""
    depth: int = 0
    better: bool | None = None
    primary: bool = False


@dataclass(frozen=True)
class FigureGroup:
    """Figures under one heading."""

    title: str
    figures: tuple[Figure, ...]


def run_groups(summary: Summary) -> list[FigureGroup]:
    """All figures of one run."""
    return _groups([summary], None)


def compare_groups(c: Comparison) -> list[FigureGroup]:
    """All figures of two runs, with their change and its statistical tests."""
    return _groups([c.a.summary, c.b.summary], c)


def _groups(summaries: Sequence[Summary], c: Comparison | None) -> list[FigureGroup]:
    return [
        FigureGroup("Errors", tuple(_errors(summaries, c))),
        FigureGroup("Shares right", tuple(_shares(summaries, c))),
        FigureGroup("For a person to look at", tuple(_review(summaries))),
        FigureGroup("Effort", tuple(_effort(summaries))),
    ]


def _errors(all_of: Sequence[Summary], c: Comparison | None) -> Iterator[Figure]:
    means = [_ratio(each["errors"], each["letters"]) for each in all_of]
    cells = tuple(
        (number(mean, 2) if mean is not None else "none", f"{number(each['errors'])} in {number(each['letters'])}")
        for mean, each in zip(means, all_of, strict=True)
    )
    change = c.change if c else None
    yield _estimated("Errors per letter", cells, change, _change(means), primary=True)
    if c and c.undebated:
        yield _estimated("without debatable values", _undebated(all_of), c.undebated, c.undebated.mean, depth=1)
    elif any(each.get("debatable_errors") for each in all_of):
        yield _counted("on values that gold calls debatable", [each["debatable_errors"] for each in all_of], depth=1)
    if c and c.both_answered:
        label = f"over the {plural(c.both_answered.letters, 'letter')} that both answered"
        yield _estimated(label, (("", ""), ("", "")), c.both_answered, c.both_answered.mean, depth=1)
    for name, label in (
        ("wrong", "values that are wrong"),
        ("omitted", "values left out"),
        ("invented", "values invented"),
        ("failed", "values of failed letters"),
    ):
        yield _counted(label, [each[name] for each in all_of], depth=1)
        if name == "omitted" and any(each.get("withheld") for each in all_of):
            yield _counted("withheld by the checks", [each.get("withheld", 0) for each in all_of], depth=2)
            right = [each.get("withheld_right", 0) for each in all_of]
            yield _counted("of these, right", right, depth=2)
    yield _counted("On protected fields", [each["protected_errors"] for each in all_of])
    yield _counted("Silent, in accepted records: protected", [each["silent_errors"] for each in all_of])
    yield _counted("silent: other", [each["silent_other_errors"] for each in all_of], depth=1)


def _estimated(
    label: str,
    cells: tuple[tuple[str, str], ...],
    estimate: Estimate | None,
    change: float | None,
    *,
    depth: int = 0,
    primary: bool = False,
) -> Figure:
    tested = estimate is not None and estimate.p is not None
    return Figure(
        label,
        cells,
        signed(change, 2),
        interval(estimate.low, estimate.high, 2) if estimate and tested else "",
        p_value(estimate.p) if estimate and estimate.p is not None else "",
        depth=depth,
        better=_better(change, fewer=True),
        primary=primary,
    )


def _undebated(all_of: Sequence[Summary]) -> tuple[tuple[str, str], ...]:
    counts = [each["errors"] - each["debatable_errors"] for each in all_of]
    return tuple(
        (number(count / each["letters"], 2), f"{number(count)} in {number(each['letters'])}")
        for count, each in zip(counts, all_of, strict=True)
    )


def _shares(all_of: Sequence[Summary], c: Comparison | None) -> Iterator[Figure]:
    right = c.letters_right if c and c.letters_right.p is not None else None
    yield _share(
        "Letters fully right",
        [each["letters_right"] for each in all_of],
        interval=f"{right.fixed} fixed, {right.broke} broke" if right else "",
        p=p_value(right.p) if right and right.p is not None else "",
    )
    for name, label, found in (
        ("precision", "Precision: right of the values given", c.precision if c else None),
        ("recall", "Recall: right of the gold", c.recall if c else None),
    ):
        bounds = interval(_points(found.low), _points(found.high), 1) if found else ""
        yield _share(label, [each[name] for each in all_of], interval=bounds)
    for name, label in (("right", "Single pages found"), ("missing", "pages missing"), ("extra", "extra pages")):
        if any(sum(each["pages"].values()) for each in all_of):
            found_pages = [each["pages"][name] for each in all_of]
            yield _counted(label, found_pages, depth=int(name != "right"), fewer=name != "right")


def _review(all_of: Sequence[Summary]) -> Iterator[Figure]:
    failed = [(each["failed_letters"], each["letters"]) for each in all_of]
    flagged = [(each["flagged"], each["letters"]) for each in all_of]
    yield _of("Failed letters: no valid answer", failed, fewer=True)
    yield _of("Letters flagged", flagged)
    for name, label in (
        ("right", "rightly: a finding points at an error"),
        ("elsewhere", "the answer is wrong, but elsewhere"),
        ("letter", "the letter itself is odd"),
        ("false", "false alarms"),
    ):
        counts = [each["flags"].get(name, 0) for each in all_of]
        yield _counted(label, counts, depth=1, fewer=True if name == "false" else None)


def _effort(all_of: Sequence[Summary]) -> Iterator[Figure]:
    for name, label in (("calls", "Calls to the model"), ("asked_again", "Letters asked again")):
        yield _counted(label, [each["calls"][name] for each in all_of], fewer=None)
    if any(each["calls"]["asked_again"] for each in all_of):
        cells = tuple(
            (f"{number(each['calls']['errors_before'])} \u2192 {number(each['calls']['errors_after'])}", "")
            for each in all_of
        )
        yield Figure("validator’s errors before and after", cells, depth=1)
    yield _counted(
        "Retries after connection errors", [each["calls"]["transport_retries"] for each in all_of], fewer=None
    )
    for name in dict.fromkeys(name for each in all_of for name in each["usage"]):
        counts = [each["usage"].get(name) for each in all_of]
        yield _counted(name.replace("_", " ").capitalize(), counts, fewer=None, relative=True)
    times = [each.get("seconds_per_call") for each in all_of]
    if any(times):
        took = tuple((f"{number(each, 1)} s" if each else number(None), "") for each in times)
        yield Figure("Time of a call, median when it was made", took, _seconds(_change(times)))
    costs = [each["cost_usd"] for each in all_of]
    change = _change(costs)
    cost = "" if change is None else money(abs(change)) if change >= 0 else f"\u2212{money(-change)}"
    yield Figure("Cost", tuple((money(each), "") for each in costs), f"+{cost}" if change and change > 0 else cost)


def _seconds(change: float | None) -> str:
    return "" if change is None else f"{signed(change, 1)} s"


def _counted(
    label: str, counts: Sequence[int | None], *, depth: int = 0, fewer: bool | None = True, relative: bool = False
) -> Figure:
    change = _change(counts)
    text = signed(change)
    if relative and change and counts[0]:
        text = f"{text} ({signed(100 * change / counts[0], 1)} %)"
    better = None if fewer is None else _better(change, fewer=fewer)
    return Figure(label, tuple((number(each), "") for each in counts), text, depth=depth, better=better)


def _of(label: str, pairs: Sequence[tuple[int, int]], *, fewer: bool | None = None) -> Figure:
    change = _change([count for count, _ in pairs])
    better = None if fewer is None else _better(change, fewer=fewer)
    return Figure(
        label, tuple((number(count), f"of {number(of)}") for count, of in pairs), signed(change), better=better
    )


def _share(label: str, pairs: Sequence[Sequence[int]], *, interval: str = "", p: str = "") -> Figure:
    shares = [_ratio(count, of) for count, of in pairs]
    change = _points(_change(shares))
    cells = tuple(
        (percent(share) if share is not None else "none", f"{number(count)} of {number(of)}")
        for share, (count, of) in zip(shares, pairs, strict=True)
    )
    text = f"{signed(change, 1)} points" if change is not None else ""
    return Figure(label, cells, text, interval, p, better=_better(change, fewer=False))


def _ratio(count: int, of: int) -> float | None:
    return count / of if of else None


def _points(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _change(values: Sequence[Any]) -> Any:
    """B minus A; ``None`` for one run alone, or where one is not known."""
    return None if len(values) < 2 or None in values else values[1] - values[0]


def _better(change: float | None, *, fewer: bool) -> bool | None:
    return None if not change else (change < 0) == fewer


# ---- what is drawn ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """A scale from 0 up. ``root``: by square roots, where a few letters have far more errors than the rest."""

    top: float
    ticks: tuple[int, ...]
    root: bool = False

    def at(self, value: float) -> str:
        """A value's position, in percent of the drawing's width; the ends leave room for a dot."""
        share = value / self.top if self.top else 0.0
        return f"{2 + 96 * (math.sqrt(share) if self.root else share):.2f}%"

    def wide(self, value: float) -> str:
        """How long a bar is from the foot of the axis."""
        return f"{96 * value / self.top if self.top else 0:.2f}%"


def axis(values: Sequence[float], *, by_root: bool = False) -> Axis:
    """An axis over counts from 0, with a tick at every round number; about five of them."""
    top = math.ceil(max(values, default=0)) or 1
    root = by_root and top > 20 and sorted(values)[len(values) * 9 // 10] * 3 < top
    if root:
        steps = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
        ticks = [tick for tick in steps if tick <= top]
        return Axis(top, tuple(tick for tick, after in pairwise([*ticks, top * 4]) if _apart(tick, after, top)), True)
    step = next(size * 10**power for power in range(9) for size in (1, 2, 5) if top / (size * 10**power) <= 5)
    return Axis(max(top, step * (top // step)), tuple(range(0, top + 1, step)))


def _apart(tick: int, after: int, top: int) -> bool:
    return math.sqrt(after / top) - math.sqrt(tick / top) > 0.06


def drawn(per_letter: Sequence[LetterErrors], most: int = DRAWN) -> tuple[list[LetterErrors], str]:
    """The letters to draw, and a sentence about the others: all of them while they are few, else those that
    changed most, by their change.
    """
    if len(per_letter) <= most:
        return list(per_letter), ""
    changed = sorted((row for row in per_letter if row.a != row.b), key=lambda row: -abs(row.b - row.a))
    chosen = sorted(changed[:most], key=lambda row: (row.b - row.a, row.letter_id))
    same = len(per_letter) - len(changed)
    left = max(0, len(changed) - most)
    rest = f"; {number(left)} more changed by less" if left else ""
    return (
        chosen,
        f"Drawn: the {plural(len(chosen), 'letter')} of {number(len(per_letter))} that changed most{rest}; "
        f"{number(same)} have the same count in both.",
    )


def worst(errors: Mapping[str, float], most: int = DRAWN) -> tuple[dict[str, float], str]:
    """The letters of one run to draw, by their count of errors, and a sentence about the others."""
    wrong = {letter_id: count for letter_id, count in errors.items() if count}
    chosen = dict(sorted(wrong.items(), key=lambda each: (-each[1], each[0]))[:most])
    rest = f"Drawn: the {plural(len(chosen), 'letter')} with most errors of {number(len(wrong))} with any."
    return chosen, rest if len(chosen) < len(wrong) else ""


def _away_from_zero(change: float) -> int:
    """Means over recordings may be fractions; what changed at all is no 0."""
    return math.ceil(change) if change > 0 else math.floor(change)


def changes(per_letter: Sequence[LetterErrors]) -> list[tuple[str, int, int]]:
    """How many letters changed by how much: name, sign and count of each change; the far ends are one row each."""
    tally = Counter(max(-_FAR, min(_FAR, _away_from_zero(row.b - row.a))) for row in per_letter)
    far = {-_FAR: f"{signed(-_FAR)} or less", _FAR: f"{signed(_FAR)} or more"}
    return [
        (far.get(change, signed(change)), change, tally[change]) for change in range(min(0, *tally), max(0, *tally) + 1)
    ]


def trend(values: Sequence[float]) -> str:
    """Counts as a row of bars, one a value, from 0 to the largest."""
    bars = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
    top = max(values) or 1.0
    return "".join(bars[round(7 * value / top)] for value in values)


@dataclass(frozen=True)
class Effect:
    """The mean change with its interval on an axis around 0, in percent of the drawing's width."""

    ticks: tuple[tuple[str, str], ...]
    zero: str
    mean: str
    low: str | None
    high: str | None


def effect(change: Estimate) -> Effect:
    """The change in errors per letter, drawn; the axis reaches as far to either side of 0."""
    far = max(abs(value or 0) for value in (change.mean, change.low, change.high)) or 1.0
    power = 10 ** math.floor(math.log10(far))
    step = next(size * power for size in (0.5, 1, 2, 5) if far / (size * power) <= 3)
    ends = math.ceil(far / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))

    def at(value: float) -> str:
        return f"{50 + 46 * value / (ends * step):.2f}%"

    return Effect(
        tuple((at(i * step), signed(i * step, digits)) for i in range(-ends, ends + 1)),
        at(0.0),
        at(change.mean),
        at(change.low) if change.low is not None else None,
        at(change.high) if change.high is not None else None,
    )
