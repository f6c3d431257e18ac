"""Parts of a report written as plain text, Markdown, or JUnit XML."""

from __future__ import annotations

import io
from collections.abc import Iterable
from xml.etree import ElementTree

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extractor.display.values import plural
from extractor.evaluation.reports.parts import Grid, Part
from extractor.evaluation.scored_run import Run

_WIDTH = 180


def as_text(parts: Iterable[Part]) -> str:
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


def as_markdown(parts: Iterable[Part]) -> str:
    """For a pull request or a build's summary page."""
    return "\n\n".join(_markdown_grid(part) if isinstance(part, Grid) else _escaped(part) for part in parts) + "\n"


def _markdown_grid(grid: Grid) -> str:
    rule = ["---:" if i in grid.right else "---" for i in range(len(grid.headings))]
    rows = [[*map(_escaped, grid.headings)], rule, *([_escaped(cell) for cell in row] for row in grid.rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _escaped(text: str) -> str:
    """A letter's words as they are, never read as markup."""
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
            text = "\n".join(f"{leaf.path}: {leaf.status}" for leaf in letter.errors)
            ElementTree.SubElement(case, "failure", message=plural(len(letter.errors), "error")).text = text
    for letter_id, why in run.unanswered.items():
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=letter_id)
        ElementTree.SubElement(case, "error", message=f"no answer: {why}")
    suite.set("failures", str(failures))
    suite.set("errors", str(len(run.unanswered)))
    return xml(suite)


def xml(root: ElementTree.Element) -> str:
    """The document, indented."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"
