"""Pages as HTML. Letter text is escaped on output; a page runs its own script and style only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from extractor.display.palette import palette
from extractor.display.safe_text import csp_hash, plain, visible
from extractor.display.values import plural, value_text
from extractor.lettertypes.findings import Finding
from extractor.lettertypes.lettertype import LetterType
from extractor.pointers import field_path
from extractor.review.boxes import GRID, page_boxes
from extractor.review.fields import BLAME, label, meaning, record_view, sides
from extractor.review.inputs import Input
from extractor.review.log import REASONS, Act
from extractor.review.queue import PAGE, QUEUE_PARTS, Entry, Query
from extractor.review.text import MOST_TEXT, stretches

if TYPE_CHECKING:
    from extractor.review.review import Desk, ReviewedLetter

_TEMPLATES = files("extractor.review") / "templates"
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src {connect}; img-src {connect}; "
    "form-action {connect}; base-uri 'none'"
)
STATUS = {"accepted": "accepted by the checks", "needs_review": "needs review", "failed": "no valid answer"}
SIGNS = {"answer": "\u2717", "letter": "\u2260", "unclear": "?", "failed": "\u2717"}
# Characters of the letter before and after the words of a warning.
_AROUND = 80
# The page's script is these files, one after the other.
SCRIPTS = ("marks.js", "pages.js", "core.js", "forms.js", "letter.js", "queue.js")
KEYS = (
    ("f F", "next, previous finding"),
    ("t", "take what the letter says, and go to the next finding"),
    ("1 2", "take what the second model, or one of two reviewers, gave"),
    ("c", "correct the field"),
    ("+ -", "add the missing part of the letter; remove the record"),
    ("j k", "next, previous field"),
    ("[ ]", "previous, next part of the record"),
    ("o", "unfold or fold the part"),
    ("n p", "next, previous letter"),
    ("a", "accept the record"),
    ("e", "mark the selected words as the field\u2019s evidence"),
    ("m", "comment on the field, or on the letter"),
    ("r", "reject the record"),
    ("s", "skip the letter"),
    ("u", "undo your last act, on whichever letter"),
    ("v", "the pages of a PDF or scan, or the text"),
    ("z", "larger or smaller pages"),
    ("/", "search"),
    ("Esc", "leave a form"),
    ("?", "these keys"),
)


@dataclass(frozen=True)
class Page:
    """A page, and the policy that must be sent with it."""

    html: str
    policy: str


def queue_page(desk: Desk, query: Query) -> Page:
    """One page of the queue."""
    queue = desk.queue
    found = queue.matching(query, desk.part)
    last = max(1, -(-len(found) // PAGE))
    at = min(query.page, last)
    entries = found[(at - 1) * PAGE : at * PAGE]
    counts = queue.counts(query, desk.part)
    overall = queue.counts(Query(part="all"), desk.part)
    return _page(
        "queue.html",
        title="Review",
        query=query,
        rows=[(entry, desk.state(entry), desk.part(entry)) for entry in entries],
        counts=counts,
        overall=overall,
        withheld=sum(entry.withheld > 0 for entry in queue.entries),
        found=len(found),
        first=(at - 1) * PAGE,
        at=at,
        last=last,
        queue_parts=QUEUE_PARTS,
        filters=queue.choices,
        folder=desk.folder.name or str(desk.folder.resolve()),
        name=desk.name,
        audit=desk.audit,
        missing=len(desk.letters.missing),
        alike=len(desk.alike(query)),
        filtered=query != Query(part=query.part, page=query.page),
    )


def together_page(desk: Desk, query: Query, alike: Sequence[Entry]) -> Page:
    """Letters that have only warnings of the query's code, with what each warning is about, to accept at once."""
    letters = [desk.letter_of(entry) for entry in alike]
    return _page(
        "together.html",
        title="Accept together",
        query=query,
        meaning=meaning(desk.kind, query.code),
        letters=[(each, [_warning(desk.kind, each, found) for found in _warnings(each)]) for each in letters],
        queue=f"/{query.words()}",
    )


def _warnings(reviewed: ReviewedLetter) -> list[Finding]:
    return [each for each in reviewed.record.findings if each.severity != "info"]


def _warning(kind: LetterType, reviewed: ReviewedLetter, finding: Finding) -> dict[str, str]:
    """One warning, with the words of the letter that it points at and some around them."""
    text, span = reviewed.letter.text if reviewed.letter else "", finding.span
    parts = ("", "", "")
    if span and text:
        start, end = max(0, span.start - _AROUND), span.end + _AROUND
        parts = (text[start : span.start], span.of(text)[:600], text[span.end : end])
    before, words, after = (" ".join(each.split()) for each in parts)
    return {
        **finding_data(kind, finding),
        "other_side": sides(kind, finding.code, finding.blame)[1],
        "got": plain(value_text(finding.got)),
        "before": before,
        "words": words,
        "after": after,
    }


def letter_page(desk: Desk, reviewed: ReviewedLetter, query: Query) -> Page:
    """One letter: its text on one side, the record on the other."""
    before, following = desk.neighbors(reviewed.entry, query)
    found = [entry.key for entry in desk.queue.matching(query, desk.part)]
    return _page(
        "letter.html",
        title=f"{reviewed.entry.letter_id}: review",
        **letter_values(desk.kind, reviewed, desk.name),
        query=query,
        place=(found.index(reviewed.entry.key) + 1 if reviewed.entry.key in found else None, len(found)),
        before=f"/letter/{before.key}{query.words()}" if before else "",
        following=f"/letter/{following.key}{query.words()}" if following else "",
        queue=f"/{query.words()}",
        queue_parts=QUEUE_PARTS,
        name=desk.name,
    )


def letter_values(kind: LetterType, reviewed: ReviewedLetter, author: str = "") -> dict[str, Any]:
    """Template values of one letter, which ``author`` may change."""
    record = reviewed.record
    if reviewed.hides_checks:
        record = replace(record, findings=(), withheld={}, second=None)
    parts = record_view(kind, record, reviewed.state, reviewed.letter, reviewed.opinions)
    text = reviewed.letter.text if reviewed.letter else ""
    cut = stretches(text, parts) if reviewed.letter else []
    return {
        "reviewed": reviewed,
        "author": author,
        "view": parts,
        "stretches": cut,
        "pages": page_boxes(reviewed.letter, cut, parts) if reviewed.letter else [],
        "cut": len(text) > MOST_TEXT,
        "history": [(act, act.number in reviewed.state.undone) for act in _history(reviewed)],
    }


def _history(reviewed: ReviewedLetter) -> list[Act]:
    return sorted((*reviewed.state.live, *reviewed.state.stale), key=lambda act: act.number)


def message(words: str) -> Page:
    """A page with a message only."""
    return _page("message.html", title="Review", words=words)


def input_form(wanted: Input, path: str, value: Any) -> str:
    """The form in which one field is corrected."""
    return _environment().get_template("input.html").render(
        wanted=wanted, path=path, name=label(path.rpartition("/")[2]), text=wanted.text(value), empty=value is None
    )  # fmt: skip


def finding_data(kind: LetterType, finding: Finding) -> dict[str, str]:
    """A finding as JSON for the page's script."""
    return {
        "look": finding.blame,
        "severity": finding.severity,
        "sign": SIGNS[finding.blame],
        "blame": BLAME[finding.blame] + (", warning" if finding.severity == "warning" else ""),
        "field": plain(field_path(finding.path).replace("_", " ")),
        "message": plain(finding.message),
        "side": sides(kind, finding.code, finding.blame)[0],
        "expected": plain(value_text(finding.expected)),
    }


def summary(act: Act) -> str:
    """An act in a few words, past tense."""
    field = plain(act.path.removeprefix("/").replace("_", " "))
    return {
        "accept": f"accepted with {plural(len(act.open_errors), 'open error')}" if act.open_errors else "accepted",
        "reject": f"rejected: {REASONS[act.reason]}" if act.reason in REASONS else "rejected",
        "skip": "skipped",
        "correct": f"corrected {field}: {_brief(act.old)} \u2192 {_brief(act.new)}{_origin(act)}",
        "fill": "filled in from the reading",
        "add": f"added {field}",
        "remove": f"removed {field}",
        "evidence": f"marked the evidence of {field}",
        "comment": f"commented{f' on {field}' if field else ''}: {_brief(act.note)}",
        "undo": f"undid act {act.undoes}",
    }[act.act]


def _origin(act: Act) -> str:
    if not act.source:
        return ""
    return ", as the letter says" if act.source == "letter" else f", as {plain(act.source)} answered"


def _brief(value: Any) -> str:
    words = plain(value_text(value)) if not isinstance(value, bool) else str(value).lower()
    return (words if len(words) < 160 else words[:160] + "\u2026") or "nothing"


def _page(
    template: str,
    *,
    scripts: Sequence[str] = SCRIPTS,
    outside: bool = True,
    **values: Any,
) -> Page:
    style, code = palette() + asset("review.css"), "".join(map(asset, scripts))
    policy = _POLICY.format(script=csp_hash(code), style=csp_hash(style), connect="'self'" if outside else "'none'")
    html = _environment().get_template(template).render(style=style, script=code, policy=policy, keys=KEYS, **values)
    return Page(html, f"{policy}; frame-ancestors 'none'")


def sheet_letter(kind: LetterType, reviewed: ReviewedLetter) -> dict[str, Any]:
    """One letter of the page that is mailed."""
    values = letter_values(kind, reviewed)
    return {
        "letter_id": reviewed.entry.letter_id,
        "entry": reviewed.entry,
        "body": _part("one.html", values),
        "status_line": _part("status_line.html", values),
    }


def _part(template: str, values: dict[str, Any]) -> Markup:
    return Markup(_environment().get_template(template).render(**values))  # noqa: S704


def sheet(**values: Any) -> str:
    """The page that is mailed: it may load and send nothing at all."""
    return _page("sheet.html", scripts=("marks.js", "sheet.js"), outside=False, **values).html


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters.update(visible=visible, plain=plain, label=label, summary=summary, brief=_brief)
    found.filters["number"] = lambda count: f"{count:,}"
    found.globals.update(grid=GRID, reject_reasons=REASONS, status_words=STATUS, signs=SIGNS, blame_words=BLAME)
    return found


@cache
def asset(name: str) -> str:
    """One of the package's templates, styles or scripts."""
    return (_TEMPLATES / name).read_text("utf-8")
