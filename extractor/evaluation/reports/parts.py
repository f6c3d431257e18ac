"""A run or a comparison as sentences and tables, in reading order; ``formats`` writes them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from extractor.display.values import interval, money, number, p_value, percent_of, plural, shortened, signed
from extractor.evaluation.breakdown import Breakdown
from extractor.evaluation.compare import Comparison, RunFigures
from extractor.evaluation.flips import KINDS, Flip
from extractor.evaluation.repeats import Spread
from extractor.evaluation.reports import sentences
from extractor.evaluation.reports.figures import FigureGroup, compare_groups, run_groups
from extractor.evaluation.scored_run import Run, answer_name
from extractor.evaluation.table import RunTable


@dataclass
class Grid:
    """A table of text: its headings and rows; the columns ``right`` are aligned to the right."""

    headings: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    right: frozenset[int] = frozenset()


Part = str | Grid
_NOTHING = Breakdown()


def run_parts(run: Run, spread: Spread | None = None, breakdown: Breakdown = _NOTHING) -> Iterator[Part]:
    """One run; ``spread``: how much its recordings differ, where letters have several."""
    summary, about = run.summary, run.about
    yield sentences.run_headline(run)
    yield f"set {about['set']}: {plural(summary['letters'], 'letter')}. {sentences.run_detail(run)}"
    yield from sentences.run_warnings(run)
    yield figure_grid(run_groups(summary), ("",))
    yield from sentences.run_notes(run, spread)
    fields = Grid(("field", "gold", "right", "wrong", "omitted", "invented", "failed"), [], frozenset(range(1, 7)))
    for name, tally in summary["fields"].items():
        gold = tally["match"] + tally["wrong"] + tally["omitted"] + tally["failed"]
        counts = (gold, tally["match"], tally["wrong"], tally["omitted"], tally["invented"], tally["failed"])
        fields.rows.append((name, *map(number, counts)))
    yield fields
    yield from breakdown_parts(breakdown, ("errors",))
    errors = [(letter, leaf) for letter in run.letters for leaf in letter.errors]
    if errors:
        grid = Grid(("letter", "path", "status", "gold", "answer", ""))
        grid.rows = [
            (
                answer_name(letter.letter_id, letter.recording),
                leaf.path,
                leaf.status,
                shortened(leaf.gold),
                shortened(leaf.got),
                _mark(False, leaf.debatable),
            )
            for letter, leaf in errors
        ]
        yield grid
    yield from _flaky_parts(spread)


def _flaky_parts(spread: Spread | None, name: str = "") -> Iterator[Part]:
    if spread is None or not spread.flaky:
        return
    yield f"right in some recordings and wrong in others{f', {name}' if name else ''} ({len(spread.flaky)})"
    most = max(len(leaf.values) for leaf in spread.flaky)
    grid = Grid(("letter", "path", "gold", *(f"recording {i}" for i in range(1, most + 1)), "wrong", ""))
    for leaf in spread.flaky:
        values = [*map(shortened, leaf.values), *[""] * (most - len(leaf.values))]
        mark = _mark(leaf.protected, leaf.debatable)
        grid.rows.append(
            (leaf.letter_id, leaf.path, shortened(leaf.gold), *values, f"{leaf.wrong} of {leaf.recordings}", mark)
        )
    yield grid


def compare_parts(c: Comparison, only: Sequence[str] = ()) -> Iterator[Part]:
    """Two runs. ``only``: the kinds of flips to list (``broke``, ``changed``, ``fixed``)."""
    a, b = sentences.names(c)
    gold = plural(c.a.summary["gold_values"], "gold value")
    yield f"{a} -> {b}   set {c.a.about['set']} ({plural(c.letters, 'letter')}, {gold})"
    yield sentences.compare_headline(c)
    yield from sentences.compare_warnings(c)
    yield from sentences.compare_detail(c)
    yield figure_grid(compare_groups(c), (a, b))
    yield from sentences.compare_notes(c)
    yield _field_grid(c)
    yield from breakdown_parts(c.breakdown, (a, b))
    for kind in KINDS:
        found = [flip for flip in c.flips if flip.kind == kind and (not only or kind in only)]
        if found:
            yield f"{kind} ({len(found)})"
            yield _flip_grid(found, a, b)
    for key, name in (("a", a), ("b", b)):
        yield from _flaky_parts(c.spread[key], name)
    yield f"One letter in full: extractor eval show LETTER {c.a.id} {c.b.id}" if c.flips else "No value differs."


def breakdown_parts(breakdown: Breakdown, names: Sequence[str]) -> Iterator[Part]:
    """Errors by groups of letters, and what was given for values of a fixed list; one column a run."""
    if breakdown.slices:
        yield "errors by tag and set; differences within them are not tested"
        grid = Grid(("", "letters", *names), [], frozenset(range(1, len(names) + 2)))
        for each in breakdown.slices:
            label = each.name if each.kind == "tag" else f"{each.name} ({each.kind})"
            grid.rows.append((label, number(each.letters), *map(number, each.errors)))
        yield grid
    if breakdown.confusions:
        yield "values from a fixed list: what was given for what"
        grid = Grid(("field", "gold", "answer", *names), [], frozenset(range(3, len(names) + 3)))
        for pair in breakdown.confusions:
            answer = "the same" if pair.is_right else shortened(pair.answer)
            grid.rows.append((pair.field, shortened(pair.gold), answer, *map(number, pair.counts)))
        yield grid


def figure_grid(groups: Sequence[FigureGroup], names: Sequence[str]) -> Grid:
    """The figures that the HTML report shows, as one table."""
    tested = any(figure.p or figure.interval for group in groups for figure in group.figures)
    compared = len(names) > 1
    headings = ["", *names, *(["change"] if compared else []), *(["95% interval", "exact test"] if tested else [])]
    grid = Grid(headings, [], frozenset(range(1, 2 + len(names) if compared else 2)))
    for group in groups:
        for figure in group.figures:
            cells = [f"{value} ({counts})" if counts else value for value, counts in figure.cells]
            row = ["  " * figure.depth + figure.label, *cells]
            row += [figure.change] if compared else []
            row += [figure.interval, figure.p] if tested else []
            grid.rows.append(row)
    return grid


def _field_grid(c: Comparison) -> Grid:
    grid = Grid(("field", "gold", "errors A", "errors B", "fixed", "broke", ""), [], frozenset(range(1, 6)))
    for row in c.fields:
        counts = (row.gold, row.a_errors, row.b_errors, row.fixed, row.broke)
        grid.rows.append((row.field, *map(number, counts), _mark(row.protected, False)))
    return grid


def _flip_grid(flips: Sequence[Flip], a: str, b: str) -> Grid:
    grid = Grid(("letter", "path", "gold", a, b, ""))
    for flip in flips:
        a_of, b_of = (f" ({wrong} of {of} wrong)" if of > 1 else "" for wrong, of in (flip.a_wrong, flip.b_wrong))
        values = (shortened(flip.gold), shortened(flip.a) + a_of, shortened(flip.b) + b_of)
        grid.rows.append((flip.letter_id, flip.path, *values, _mark(flip.protected, flip.debatable)))
    return grid


def _mark(protected: bool, debatable: bool) -> str:
    return ", ".join(word for word, holds in (("protected", protected), ("debatable", debatable)) if holds)


# ---- three or more --------------------------------------------------------------------------------


def table_parts(table: RunTable) -> Iterator[Part]:
    """Three or more runs: one row each, then every change with its test, and whether models agree on it."""
    names = dict(zip((run.id for run in table.runs), sentences.names_of(*(r.about for r in table.runs)), strict=True))
    yield f"{len(table.runs)} runs, set {table.runs[0].about['set']}"
    yield run_table([(names[run.id], run) for run in table.runs])
    yield sentences.table_note(table)
    grid = Grid(("change", "within", "errors per letter", "95% interval", "exact test", "p (Holm)", "fixed", "broke"))
    grid.right = frozenset((2, 5, 6, 7))
    for each in table.contrasts:
        c, change = each.comparison, each.comparison.change
        counts = number(c.counts["fixed"]), number(c.counts["broke"])
        tested = (
            interval(change.low, change.high, 2),
            *(p_value(p) if p is not None else "" for p in (change.p, each.p_adjusted)),
        )
        label = f"{names[c.a.id]} -> {names[c.b.id]}"
        grid.rows.append((label, each.within, signed(change.mean, 2), *tested, *counts))
    yield grid
    yield from map(sentences.interaction, table.interactions)
    yield from breakdown_parts(table.breakdown, [*names.values()])
    for each in table.contrasts:
        c = each.comparison
        lead = f"{names[c.a.id]} -> {names[c.b.id]}"
        yield f"{lead}: {sentences.compare_headline(c)}"
        yield from (f"{lead}: {warning}" for warning in sentences.compare_warnings(c))
        if broke := [flip for flip in c.flips if flip.kind == "broke"]:
            yield f"broke, {lead} ({len(broke)})"
            yield _flip_grid(broke, names[c.a.id], names[c.b.id])


def run_table(runs: Sequence[tuple[str, RunFigures]]) -> Grid:
    """One row a run: errors, shares right, silent errors (protected + other), tokens, cost and time."""
    headings = (
        "",
        "errors per letter",
        "precision",
        "recall",
        "letters right",
        "failed",
        "silent",
        "input tokens",
        "output tokens",
        "cost",
        "time of a call",
    )
    grid = Grid(headings, [], frozenset(range(1, len(headings))))
    for name, run in runs:
        s = run.summary
        shares = (f"{percent_of(*s[key])} ({number(s[key][0])}/{number(s[key][1])})" for key in ("precision", "recall"))
        right = f"{number(s['letters_right'][0])}/{number(s['letters_right'][1])}"
        silent = f"{number(s['silent_errors'])} + {number(s.get('silent_other_errors', 0))}"
        tokens = (number(s["usage"].get(key)) for key in ("input_tokens", "output_tokens"))
        per_letter = number(s["errors"] / s["letters"], 2) if s["letters"] else "none"
        took = s.get("seconds_per_call")
        effort = (*tokens, money(s["cost_usd"]), f"{number(took, 1)} s" if took else number(None))
        grid.rows.append((name, per_letter, *shares, right, number(s["failed_letters"]), silent, *effort))
    return grid
