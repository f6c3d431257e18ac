"""Records and marked letters as HTML for notebooks. Letters are untrusted: nothing of them is markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from extractor.display.pieces import pieces
from extractor.display.safe_text import plain, visible
from extractor.display.values import place_name, value_text
from extractor.letters.letter import MOST_IN_NOTEBOOK, Letter
from extractor.letters.spans import Span
from extractor.lettertypes.page_ranges import is_page_range

_MARK = Markup('<mark title="{}">{}</mark>')
_ROW = Markup('<tr><td style="text-align: left">{}</td><td style="text-align: left">{}</td><td>{}</td><td>{}</td></tr>')
_FINDING = Markup("<br><small>{}: {}</small>")
_WORDS_SHOWN = 3


def record_html(record: Mapping[str, Any]) -> str:
    """A record, given as plain JSON data: a row for each value, with its proof, words and findings."""
    findings: dict[str, list[Mapping[str, Any]]] = {}
    for finding in record["findings"]:
        findings.setdefault(finding["path"], []).append(finding)
    rows = [_row(path, value, record, findings.pop(path, [])) for path, value in _leaves(record["answer"], "", record)]
    rest = [finding for found in findings.values() for finding in found]
    head = Markup("<p><b>{}</b>: {}{}</p>").format(
        visible(record["letter_id"]),
        record["status"].replace("_", " "),
        Markup("").join(Markup("<br>{} {}: {}").format(*_finding(each)) for each in rest),
    )
    if record["error"]:
        head += Markup("<p>{}</p>").format(visible(record["error"]["message"]))
    names = Markup("<tr><th>field</th><th>value</th><th>proof</th><th>words in the letter</th></tr>")
    return head + Markup("<table>{}{}</table>").format(names, Markup("").join(rows)) if rows else head


def _finding(finding: Mapping[str, Any]) -> tuple[Markup, Markup, Markup]:
    return visible(place_name(finding["path"])), visible(finding["code"]), visible(finding["message"])


def _row(path: str, value: Any, record: Mapping[str, Any], findings: list[Mapping[str, Any]]) -> Markup:
    words = [visible(each["text"]) for each in record["evidence"].get(path, ())[:_WORDS_SHOWN]]
    wrong = Markup("").join(_FINDING.format(visible(each["code"]), visible(each["message"])) for each in findings)
    marked = Markup(" \u2026 ").join(_MARK.format(plain(path), each) for each in words)
    return _ROW.format(
        visible(place_name(path)), visible(value_text(value)) + wrong, record["proof"].get(path, ""), marked
    )


def _leaves(value: Any, path: str, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The leaves of an answer by path; a list of page ranges is one."""
    leaf = path in record["evidence"] or not isinstance(value, dict | list)
    if isinstance(value, dict) and not leaf:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}/{name}", record)
    elif isinstance(value, list) and not leaf and value and all(isinstance(each, dict) for each in value):
        if is_page_range(value[0]):
            yield path, value
            return
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{i}", record)
    elif path:
        yield path, value


@dataclass(frozen=True)
class MarkedLetter:
    """A letter's text with evidence marked: ``spans`` with the path of the value each proves."""

    letter: Letter
    spans: tuple[tuple[str, Span], ...]

    def _repr_html_(self) -> str:
        text = self.letter.text[:MOST_IN_NOTEBOOK]
        parts = Markup("").join(
            _MARK.format(plain(", ".join(piece.paths)), visible(piece.text)) if piece.paths else visible(piece.text)
            for piece in pieces(text, self.spans)
        )
        return f'<pre style="white-space: pre-wrap">{parts}</pre>'
