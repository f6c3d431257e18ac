"""A comparison as HTML for notebooks; the page of its own is ``html``."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from extractor.display.safe_text import visible
from extractor.evaluation.compare import Comparison
from extractor.evaluation.reports.parts import Grid, compare_parts


def comparison_html(comparison: Comparison) -> str:
    """The sentences and tables of ``extractor eval compare``. Letters are untrusted: nothing of them is markup."""
    parts = compare_parts(comparison)
    return Markup("").join(_table(part) if isinstance(part, Grid) else _sentence(part) for part in parts)


def _sentence(text: str) -> Markup:
    return Markup("<p>{}</p>").format(visible(text))


def _table(grid: Grid) -> Markup:
    rows = [grid.headings, *grid.rows]
    return Markup("<table>{}</table>").format(
        Markup("").join(_row(row, "th" if i == 0 else "td", grid.right) for i, row in enumerate(rows))
    )


def _row(cells: Sequence[str], tag: str, right: frozenset[int]) -> Markup:
    cell_of = Markup('<{0} style="text-align: {1}">{2}</{0}>')
    made = (cell_of.format(tag, "right" if i in right else "left", visible(cell)) for i, cell in enumerate(cells))
    return Markup("<tr>{}</tr>").format(Markup("").join(made))
