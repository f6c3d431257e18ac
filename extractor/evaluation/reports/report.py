"""What a run or a comparison says, as sentences and tables; as Markdown, as plain text, and as JUnit XML.

Rules of the house: every percentage stands beside its counts; a change is second minus first; intervals and
p values only where a test was made; "no detectable difference", never "equal".
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extractor.display.values import p_value, percent_of, rough_percent, shortened, some
from extractor.evaluation.compare import FEWEST
from extractor.evaluation.scored_run import Run

LEVEL = 0.05
_WIDTH = 180


@dataclass
class Grid:
    """A table: headings and rows of text; the first column is left-aligned, ``right`` ones are numbers."""

    headings: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    right: frozenset[int] = frozenset()


Part = str | Grid


# ---- one run ----------------------------------------------------------------------------------


def run_parts(run: Run) -> Iterator[Part]:
    """One run in words and tables."""
    s, about = run.summary, run.about
    yield f"{name_of(about)}   set {about['set']} ({s['letters']} letters, {s['gold_values']} gold values)"
    if not run.complete:
        left = f"{len(run.unanswered)} letters have no answer yet, and are in no figure"
        yield f"INCOMPLETE: {left}: {some(sorted(run.unanswered))}"
    yield Grid(("", "count", ""), [(label, *_figure(s, key)) for label, key in _FIGURES], frozenset({1}))
    yield from _sentences(s)
    yield _field_grid(s)
    errors = [(letter.letter_id, leaf) for letter in run.letters for leaf in letter.errors]
    if errors:
        grid = Grid(("letter", "path", "status", "gold", "answer"))
        grid.rows = [(i, leaf.path, leaf.status, shortened(leaf.gold), shortened(leaf.got)) for i, leaf in errors]
        yield grid


_FIGURES = (
    ("errors", "errors"),
    ("  wrong", "wrong"),
    ("  omitted", "omitted"),
    ("  invented", "invented"),
    ("  in failed letters", "failed"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("letters fully right", "letters_right"),
    ("failed letters", "failed_letters"),
    ("flagged letters", "flagged"),
    ("silent errors", "silent_errors"),
)


def _figure(s: Mapping[str, Any], key: str) -> tuple[str, str]:
    value = s[key]
    if isinstance(value, list | tuple):
        return f"{value[0]}/{value[1]}", percent_of(*value)
    if key == "errors":
        return str(value), f"{per_letter(s):.2f} a letter"
    if key == "silent_errors":
        return str(value), "wrong protected values in accepted records"
    if key == "flagged":
        flags = s["flags"]
        told = f"{flags['right']} for a reason, {flags['letter']} for the letter's own oddities"
        return f"{value}/{s['letters']}", f"{told}, {flags['false']} for nothing"
    return str(value), ""


def _sentences(s: Mapping[str, Any]) -> Iterator[str]:
    calls = s["calls"]
    if calls["asked_again"]:
        yield (
            f"Asked again about {calls['asked_again']} letters: {calls['errors_before']} errors found by the validator "
            f"before, {calls['errors_after']} after."
        )
    pages = s["pages"]
    if any(pages.values()):
        yield f"Cited pages one by one: {pages['right']} right, {pages['missing']} missing, {pages['extra']} too many."
    yield f"Calls: {calls['calls']}, transport retries: {calls['transport_retries']}. {usage_told(s)}"


def usage_told(s: Mapping[str, Any]) -> str:
    """Tokens and cost of a run in words; what the endpoint did not tell is not guessed."""
    usage = {name: count for name, count in s["usage"].items() if count is not None}
    if not usage:
        tokens = "Tokens: not told by the endpoint."
    else:
        tokens = (
            "Tokens: " + ", ".join(f"{count:,} {name.removesuffix('_tokens')}" for name, count in usage.items()) + "."
        )
    cost = s["cost_usd"]
    return f"{tokens} Cost: {'unknown' if cost is None else f'{cost:.4f} USD'}."


def _field_grid(s: Mapping[str, Any]) -> Grid:
    grid = Grid(("field", "gold", "right", "wrong", "omitted", "invented", "failed"), [], frozenset(range(1, 7)))
    for name, tally in s["fields"].items():
        gold = tally["match"] + tally["wrong"] + tally["omitted"] + tally["failed"]
        counts = (gold, tally["match"], tally["wrong"], tally["omitted"], tally["invented"], tally["failed"])
        grid.rows.append((name, *map(str, counts)))
    return grid


# ---- two runs ---------------------------------------------------------------------------------


def compare_parts(c: Mapping[str, Any], only: Sequence[str] = ()) -> Iterator[Part]:
    """Two runs in words and tables. ``only``: kinds of flips to list (``broke``, ``fixed``, ``changed``)."""
    a, b = c["a"]["summary"], c["b"]["summary"]
    one, other = names_of(c["a"]["about"], c["b"]["about"])
    yield f"{one} -> {other}   set {c['a']['about']['set']} ({c['letters']} letters, {a['gold_values']} gold values)"
    yield headline(c)
    yield _compare_grid(c, one, other)
    yield from _compare_sentences(c)
    yield _compare_fields(c)
    flips = [flip for flip in c["flips"] if not only or flip["kind"] in only]
    for kind in ("broke", "changed", "fixed"):
        found = [flip for flip in flips if flip["kind"] == kind]
        if found:
            yield f"{kind} ({len(found)})"
            yield flip_grid(found, one, other)
    yield (
        f"One letter in full: extractor eval show LETTER {c['a']['id']} {c['b']['id']}"
        if c["flips"]
        else "No leaf differs."
    )
    yield f"Tokens and cost: {one}: {usage_told(a)} {other}: {usage_told(b)}"


def headline(c: Mapping[str, Any]) -> str:
    """The one sentence that answers "which is better?"."""
    counts, tests = c["counts"], c["tests"]
    told = f"{counts['fixed']} leaves fixed, {counts['broke']} broke, {counts['changed']} wrong in another way."
    if tests is None:
        few = f"With fewer than {FEWEST} letters no exact test can reach p = {LEVEL}"
        return f"{few}: the flips are all there is to say. {told}"
    errors = tests["errors"]
    protected = sum(flip["kind"] == "broke" and flip["protected"] for flip in c["flips"])
    warning = f" {protected} of the broken ones are protected." if protected else ""
    p = f"{p_value(errors['p'])} (exact sign-flip test over {errors['differing_letters']} differing letters)"
    if errors["p"] > LEVEL:
        return f"No detectable difference in errors per letter: {_change(errors)}, {p}. {told}{warning}"
    which = "fewer" if errors["mean"] < 0 else "more"
    return f"The second makes {which} errors per letter: {_change(errors)}, {p}. {told}{warning}"


def _change(interval: Mapping[str, Any]) -> str:
    bounds = "" if interval["low"] is None else f" [{interval['low']:+.2f}, {interval['high']:+.2f}]"
    return f"{interval['mean']:+.2f}{bounds}"


def _compare_grid(c: Mapping[str, Any], one: str, other: str) -> Grid:
    a, b, tests = c["a"]["summary"], c["b"]["summary"], c["tests"]
    grid = Grid(("", one, other, "change [95% interval]", "p"), [], frozenset({1, 2, 3, 4}))
    errors = tests["errors"] if tests else None
    change = _change(errors) if errors else f"{per_letter(b) - per_letter(a):+.2f}"
    p = p_value(errors["p"]) if errors else ""
    grid.rows.append(("errors per letter (primary)", f"{per_letter(a):.2f}", f"{per_letter(b):.2f}", change, p))
    for name in ("wrong", "omitted", "invented", "failed"):
        grid.rows.append((f"  {name}", str(a[name]), str(b[name]), f"{b[name] - a[name]:+d}", ""))
    for name in ("precision", "recall"):
        interval = tests[name] if tests else None
        told = _points(interval) if interval else ""
        grid.rows.append((name, _ratio(a[name]), _ratio(b[name]), told, ""))
    right = tests["letters_right"] if tests else None
    told = f"fixed {right['fixed']}, broke {right['broke']}" if right else ""
    p = p_value(right["p"]) if right else ""
    grid.rows.append(("letters fully right", _ratio(a["letters_right"]), _ratio(b["letters_right"]), told, p))
    for label, key in (
        ("failed letters", "failed_letters"),
        ("flagged letters", "flagged"),
        ("silent errors", "silent_errors"),
    ):
        grid.rows.append((label, str(a[key]), str(b[key]), f"{b[key] - a[key]:+d}", ""))
    grid.rows.append(("flags for nothing", str(a["flags"]["false"]), str(b["flags"]["false"]), "", ""))
    return grid


def _points(interval: Mapping[str, Any]) -> str:
    """A change of a ratio in percentage points."""
    bounds = "" if interval["low"] is None else f" [{100 * interval['low']:+.1f}, {100 * interval['high']:+.1f}]"
    return f"{100 * interval['mean']:+.1f}{bounds} points"


def _compare_sentences(c: Mapping[str, Any]) -> Iterator[str]:
    if c["tests"]:
        errors = c["tests"]["errors"]
        if errors["detectable"] is not None:
            least = f"about {errors['detectable']:.2f} errors a letter"
            yield f"The smallest true change this set would show with 80% power: {least}."
        if errors["smallest_p"] > LEVEL:
            differing = f"With {errors['differing_letters']} differing letters"
            yield f"{differing} the test cannot go below {p_value(errors['smallest_p'])}."
    names = dict(zip("ab", names_of(c["a"]["about"], c["b"]["about"]), strict=True))
    for bound in c["zero_bounds"]:
        seen = f"{names[bound['run']]}: no {bound['what']} in {bound['letters']} letters"
        yield f"{seen}; up to {rough_percent(bound['up_to'])} of letters is still possible."


def _compare_fields(c: Mapping[str, Any]) -> Grid:
    grid = Grid(("field", "gold", "errors A", "errors B", "fixed", "broke", ""), [], frozenset(range(1, 6)))
    for row in c["fields"]:
        mark = "protected" if row["protected"] else ""
        counts = (row["gold"], row["a_errors"], row["b_errors"], row["fixed"], row["broke"])
        grid.rows.append((row["field"], *map(str, counts), mark))
    return grid


def flip_grid(flips: Sequence[Mapping[str, Any]], one: str, other: str) -> Grid:
    """Flips with gold and both answers."""
    grid = Grid(("letter", "path", "gold", one, other, ""))
    for flip in flips:
        mark = "protected" if flip["protected"] else ""
        grid.rows.append((flip["letter_id"], flip["path"], *(shortened(flip[key]) for key in ("gold", "a", "b")), mark))
    return grid


# ---- three or more ----------------------------------------------------------------------------


def many_parts(c: Mapping[str, Any]) -> Iterator[Part]:
    """Three or more runs in one table, each against the first."""
    first = c["runs"][0]
    names = names_of(*(run["about"] for run in c["runs"]))
    yield f"{c['letters']} letters, each run against {names[0]}"
    headings = (
        "",
        "errors per letter",
        "precision",
        "recall",
        "letters right",
        "silent",
        "fixed",
        "broke",
        "change",
        "p (Holm)",
    )
    grid = Grid(headings, [], frozenset(range(1, 10)))
    grid.rows.append((names[0], *_many_figures(first["summary"]), "", "", "", ""))
    for name, run, against in zip(names[1:], c["runs"][1:], c["against_first"], strict=True):
        tests, counts = against["tests"], against["counts"]
        told = (_change(tests["errors"]), p_value(against["p_adjusted"])) if tests else ("", "")
        grid.rows.append((name, *_many_figures(run["summary"]), str(counts["fixed"]), str(counts["broke"]), *told))
    yield grid
    yield (
        f"{c['comparisons']} comparisons were made on the same letters; p values are adjusted for that (Holm). "
        "The primary figure is errors per letter."
    )
    for name, against in zip(names[1:], c["against_first"], strict=True):
        if against["broke"]:
            yield f"broke under {name} ({len(against['broke'])})"
            yield flip_grid(against["broke"], names[0], name)


def _many_figures(s: Mapping[str, Any]) -> tuple[str, ...]:
    ratios = (_ratio(s[name]) for name in ("precision", "recall", "letters_right"))
    return (f"{per_letter(s):.2f}", *ratios, str(s["silent_errors"]))


# ---- words ------------------------------------------------------------------------------------


def name_of(about: Mapping[str, Any]) -> str:
    return f"{about['prompt'] or 'no prompt'}, {about['model']}"


def names_of(*abouts: Mapping[str, Any]) -> list[str]:
    """The shortest names that tell runs apart: prompts, models, or both."""
    for names in ([one["prompt"] or "offline" for one in abouts], [one["model"] for one in abouts]):
        if len(set(names)) == len(names):
            return names
    return [f"{'ABCDEFGHIJ'[i % 10]}: {name_of(one)}" for i, one in enumerate(abouts)]


def per_letter(s: Mapping[str, Any]) -> float:
    return float(s["errors"] / s["letters"]) if s["letters"] else 0.0


def _ratio(pair: Sequence[int]) -> str:
    return f"{percent_of(*pair)} ({pair[0]}/{pair[1]})"


# ---- formats ----------------------------------------------------------------------------------


def as_text(parts: Iterator[Part]) -> str:
    """For a terminal or a pipe."""
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False)
    for part in parts:
        if isinstance(part, str):
            out.write(part + "\n")
            continue
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for i, heading in enumerate(part.headings):
            table.add_column(heading, justify="right" if i in part.right else "left", overflow="fold")
        for row in part.rows:
            table.add_row(*map(Text, row))
        out.write("\n")
        console.print(table)
        out.write("\n")
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def as_markdown(parts: Iterator[Part]) -> str:
    """For a pull request or a build's summary page."""
    return "\n\n".join(_markdown_grid(part) if isinstance(part, Grid) else _escaped(part) for part in parts) + "\n"


def _markdown_grid(grid: Grid) -> str:
    rule = ["---:" if i in grid.right else "---" for i in range(len(grid.headings))]
    rows = [grid.headings, rule, *([_escaped(cell) for cell in row] for row in grid.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _escaped(text: str) -> str:
    """Letters' words are shown, never read as markup."""
    for mark in "\\`*_|<>[]#!":
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


def as_junit(run: Run, name: str) -> str:
    """One test case a letter; its failure lists the wrong leaves by path and status."""
    suite = ElementTree.Element("testsuite", name=name, tests=str(len(run.letters) + len(run.unanswered)))
    failures = 0
    for letter in run.letters:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=letter.letter_id)
        if letter.errors:
            failures += 1
            told = "\n".join(f"{leaf.path}: {leaf.status}" for leaf in letter.errors)
            ElementTree.SubElement(case, "failure", message=f"{len(letter.errors)} errors").text = told
    for letter_id, why in run.unanswered.items():
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=letter_id)
        ElementTree.SubElement(case, "error", message=f"no answer: {why}")
    suite.set("failures", str(failures))
    suite.set("errors", str(len(run.unanswered)))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"
