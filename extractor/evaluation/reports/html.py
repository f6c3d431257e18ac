"""The eval report as one HTML page that needs nothing else: no other file, no network, no script to be read.

Letters are hostile: every word of them is escaped where it is printed, characters that do not show
are printed by their code points, and the page forbids itself any script or style but its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate, groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from extractor.display import values
from extractor.display.palette import palette
from extractor.display.safe_text import csp_hash, plain, visible
from extractor.display.values import number
from extractor.evaluation.breakdown import Breakdown
from extractor.evaluation.compare import Comparison
from extractor.evaluation.flips import mean_errors
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.repeats import Spread
from extractor.evaluation.reports import figures, sentences
from extractor.evaluation.reports.letterparts import LetterPart, ValueRow, error_row, flip_rows, letter_part
from extractor.evaluation.reports.parts import Grid, breakdown_parts, table_parts
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.summary import LetterScore, as_count
from extractor.evaluation.table import RunTable
from extractor.runs.record import Record

# Up to so many letters are expanded when the page opens; with more, the reader expands those she wants.
MOST_OPEN = 12
ERROR_KINDS = ("wrong", "omitted", "invented", "failed")
_NO_GOLD: Mapping[str, Gold] = {}
_WHOLE = Breakdown()
_TEMPLATES = files("extractor.evaluation.reports") / "templates"
_SHA = 12


def render_run(
    run: Run,
    letters: Mapping[str, str],
    gold: Mapping[str, Gold],
    spread: Spread | None = None,
    breakdown: Breakdown = _WHOLE,
) -> str:
    """The report of one run. ``letters``: raw texts by id; ``gold`` by id, for its notes on debatable values.
    ``spread``: how much its recordings differ, where letters have several.

    Equal input gives equal bytes. Letters without a text in ``letters``, or with another text than
    the run read, are reported without it. Raises ``UsageError`` if scipy is missing.
    """
    parts = _run_parts(run, letters, gold)
    fields = _run_fields(run)
    worst, left_out = figures.worst(
        {letter_id: as_count(mean_errors(scores)) for letter_id, scores in run.by_letter.items()}
    )
    return _page(
        "run.html",
        title=f"{sentences.full_name(run.about)}: {run.about['set']}",
        run=run,
        names=(sentences.full_name(run.about),),
        headline=sentences.run_headline(run),
        detail=sentences.run_detail(run),
        warnings=sentences.run_warnings(run),
        facts=_facts([run]),
        groups=figures.run_groups(run.summary),
        notes=sentences.run_notes(run, spread),
        spreads=[("", spread)] if spread else [],
        breakdown=[*breakdown_parts(breakdown, ("errors",))],
        fields=[row for row in fields if row["errors"]],
        fields_right=[row["field"] for row in fields if not row["errors"]],
        kinds=[(kind, run.summary[kind]) for kind in ERROR_KINDS if run.summary[kind]],
        worst=worst,
        left_out=left_out,
        letter_axis=figures.axis(list(worst.values())),
        parts=parts,
        errors=[error_row(score.letter_id, leaf, gold) for score in run.letters for leaf in score.errors],
        numbers=_numbers(parts),
        reviewed=_reviewed(gold),
        opened=_opened(parts),
    )


def render_compare(
    comparison: Comparison,
    a: Run,
    b: Run,
    letters: Mapping[str, str],
    gold: Mapping[str, Gold] = _NO_GOLD,
) -> str:
    """The report of two runs and their comparison. See ``render_run`` for the rest."""
    names = sentences.names(comparison)
    flips = flip_rows(comparison.flips, gold)
    parts = _compare_parts(flips, a, b, letters, gold)
    drawn, left_out = figures.drawn(comparison.per_letter)
    fields = [row for row in comparison.fields if row.a_errors or row.b_errors]
    return _page(
        "compare.html",
        title=f"{names[0]} and {names[1]}: {a.about['set']}",
        a=a,
        b=b,
        names=names,
        comparison=comparison,
        headline=sentences.compare_headline(comparison),
        detail=sentences.compare_detail(comparison),
        warnings=sentences.compare_warnings(comparison),
        effect=figures.effect(comparison.change) if comparison.is_tested else None,
        facts=_facts([a, b]),
        groups=figures.compare_groups(comparison),
        notes=sentences.compare_notes(comparison),
        breakdown=[*breakdown_parts(comparison.breakdown, names)],
        spreads=[(name, each) for name, key in zip(names, "ab", strict=True) if (each := comparison.spread[key])],
        per_letter=drawn,
        left_out=left_out,
        letter_axis=figures.axis([count for row in drawn for count in (row.a, row.b)], by_root=True),
        changes=figures.changes(comparison.per_letter) if left_out else [],
        fields=fields,
        fields_right=[row.field for row in comparison.fields if row not in fields],
        field_axis=figures.axis([count for row in fields for count in (row.a_errors, row.b_errors)]),
        flips=sorted(flips, key=lambda row: row.rank),
        parts=parts,
        numbers=_numbers(parts),
        untouched=[row.letter_id for row in comparison.per_letter if not row.a and not row.b],
        opened=_opened(parts),
    )


def render_table(table: RunTable) -> str:
    """The report of three or more runs as one page: the tables and sentences of the other formats."""
    parts = [*table_parts(table)]
    return _page("table.html", title=str(parts[0]), parts=parts, lead=parts[0], rest=parts[1:])


# ---- letters ------------------------------------------------------------------------------------


def _run_parts(run: Run, letters: Mapping[str, str], gold: Mapping[str, Gold]) -> list[LetterPart]:
    answers = zip(run.letters, run.predictions, strict=True)
    wrong = [(score, record) for score, record in answers if score.errors or score.status == "failed"]
    return [
        letter_part(
            number,
            [score],
            [record],
            ([error_row(score.letter_id, leaf, gold) for leaf in score.errors], []),
            letters.get(score.letter_id),
        )
        for number, (score, record) in enumerate(wrong, start=1)
    ]


def _compare_parts(
    flips: Sequence[ValueRow], a: Run, b: Run, letters: Mapping[str, str], gold: Mapping[str, Gold]
) -> list[LetterPart]:
    """The letters with a flip, or with an error that both runs made; of several recordings, one with most errors."""
    flipped = {letter_id: list(rows) for letter_id, rows in groupby(flips, key=lambda row: row.letter_id)}
    answers, others = _worst_answers(a), _worst_answers(b)
    parts: list[LetterPart] = []
    for letter_id in answers:
        if letter_id not in others:
            continue
        (one, record), (other, other_record) = answers[letter_id], others[letter_id]
        rows = flipped.get(letter_id, [])
        changed = {row.path for row in rows}
        same = [error_row(letter_id, leaf, gold, runs=2) for leaf in other.errors if leaf.path not in changed]
        if rows or same:
            both, records = [one, other], [record, other_record]
            parts.append(letter_part(len(parts) + 1, both, records, (rows, same), letters.get(letter_id)))
    return parts


def _worst_answers(run: Run) -> dict[str, tuple[LetterScore, Record]]:
    """For each letter the first answer with most errors."""
    found: dict[str, tuple[LetterScore, Record]] = {}
    for score, record in zip(run.letters, run.predictions, strict=True):
        before = found.get(score.letter_id)
        if before is None or len(score.errors) > len(before[0].errors):
            found[score.letter_id] = score, record
    return found


def _numbers(parts: Sequence[LetterPart]) -> dict[str, int]:
    """The number of each letter's first part, by its id."""
    return {part.letter_id: part.number for part in reversed(parts)}


def _opened(parts: Sequence[LetterPart]) -> set[int]:
    """The letters that are open from the start: those with rows, if they are few."""
    found = {part.number for part in parts if part.rows or part.unanswered}
    return found if len(found) <= MOST_OPEN else set()


# ---- what was run ----------------------------------------------------------------------


def _facts(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """What decides the figures, one row a fact and one entry a run."""
    facts: list[dict[str, str]] = [
        {
            "Prompt": run.about["prompt"] or "none",
            "Prompt sha256": (run.about["prompt_sha256"] or "none")[:_SHA],
            "Model": run.about["model"],
            "Parameters": ", ".join(f"{key} = {value}" for key, value in sorted(run.about["params"].items())) or "none",
            "Re-asks at most": str(run.about["reasks"]),
            "Letters": f"{number(run.summary['letters'])} of set {run.about['set']} ({run.about['letter_type']})",
            "Gold values": f"{number(run.summary['gold_values'])}",
            "Schema sha256": run.about["schema_sha256"][:_SHA],
            "Engine, checks, scorer": f"{run.about['engine']}, {run.about['checks_version']}, {run.about['scorer']}",
            "Run": run.id,
        }
        for run in runs
    ]
    return [(name, [each[name] for each in facts]) for name in facts[0]]


def _run_fields(run: Run) -> list[dict[str, Any]]:
    rows = [
        {
            "field": field,
            "gold": counts["match"] + counts["wrong"] + counts["omitted"] + counts["failed"],
            "errors": sum(counts[kind] for kind in ERROR_KINDS),
            **counts,
        }
        for field, counts in run.summary["fields"].items()
    ]
    top = figures.axis([row["errors"] for row in rows])
    return [{**row, "wide": top.wide(row["errors"])} for row in rows]


def _reviewed(gold: Mapping[str, Gold]) -> list[str]:
    """Who reviewed the gold, without repetition."""
    reviewers = [", ".join(map(str, each.values())) for one in gold.values() for each in one.reviewed]
    return list(dict.fromkeys(reviewers))


# ---- the page -----------------------------------------------------------------------------------


def _page(template: str, **values: Any) -> str:
    style, script = palette() + _asset("report.css"), _asset("report.js")
    return _environment().get_template(template).render(
        style=style, script=script, style_hash=csp_hash(style), script_hash=csp_hash(script), **values
    )  # fmt: skip


@cache
def _environment() -> Environment:
    found = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(visible=visible, plain=plain, clip=_clip, pointer=_pointer, number=values.number)
    found.filters.update(signed=values.signed, shortened=values.shortened)
    found.tests["grid"] = lambda part: isinstance(part, Grid)
    found.globals["not_reported"] = values.NOT_REPORTED
    return found


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


def _clip(parts: Sequence[tuple[str, bool]], most: int) -> list[tuple[str, bool]]:
    """``most`` characters of a text in parts: the first, or those around the first that differs."""
    ends = list(accumulate(len(text) for text, _ in parts))
    first = next((end - len(text) for end, (text, marked) in zip(ends, parts, strict=True) if marked), 0)
    skip = max(0, first - most // 3) if first > most * 2 // 3 else 0
    found = [("\u2026", False)] if skip else []
    for end, (text, marked) in zip(ends, parts, strict=True):
        start = end - len(text)
        clipped = text[max(0, skip - start) : max(0, skip + most - start)]
        if clipped:
            found.append((clipped, marked))
    return [*found, ("\u2026", False)] if ends and ends[-1] > skip + most else found


def _pointer(path: str) -> list[tuple[str, bool]]:
    """A JSON pointer in parts, each with whether it is an index."""
    return [(part, part.removeprefix("+").isdecimal()) for part in path.split("/")[1:]]
