"""The gate: floors under a prompt's figures, and what it may not break against a blessed baseline.

Replay is deterministic, so a gate rests on facts, not on p values: this leaf of this letter was
right under the baseline and is wrong now.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.scored_run import Run

GATES = "gates.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Floor(_Part):
    """What must hold whatever the baseline: ratios from 0 to 1 are at least, counts are at most."""

    precision: float | None = Field(default=None, ge=0, le=1)
    recall: float | None = Field(default=None, ge=0, le=1)
    letters_right: float | None = Field(default=None, ge=0, le=1)
    errors_per_letter: float | None = Field(default=None, ge=0)
    failed_letters: int | None = Field(default=None, ge=0)
    silent_errors: int | None = Field(default=None, ge=0)


class Against(_Part):
    """What may differ from the baseline. ``protected``: more fields to be strict about than the letter type's own."""

    max_broke: int | None = Field(default=None, ge=0)
    max_protected_broke: int | None = Field(default=0, ge=0)
    max_errors_per_letter_rise: float | None = Field(default=None, ge=0)
    max_cost_rise: float | None = Field(default=None, ge=0)
    protected: tuple[str, ...] = ()


class Gates(_Part):
    """``gates.toml``: what is gated, and how."""

    set: str = "gold"
    model: str | None = None
    prompts: tuple[str, ...] = ()
    floor: Floor = Floor()
    baseline: Against = Against()


@dataclass(frozen=True)
class Line:
    """One line of the gate: ``name`` is its place in gates.toml; ``told`` says what was found."""

    name: str
    passed: bool
    told: str


def load_gates(path: Path) -> Gates:
    """Raises ``WorkspaceError`` if the file is missing or broken."""
    try:
        return Gates.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        hint = "write one: [floor] recall = 0.9, [baseline] max_broke = 0"
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint=hint) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} is not valid TOML: {error}", hint="mend the line it names") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise WorkspaceError(f"{path} is not valid:\n  " + "\n  ".join(lines), hint="mend these settings") from error


def judge(
    run: Run, gates: Gates, baseline: Mapping[str, Any] | None, is_protected: Callable[[str], bool]
) -> list[Line]:
    """Every line of the gate for one run. Raises ``UsageError`` for an incomplete run."""
    if not run.complete:
        hint = "finish it first: a missing answer is no wrong answer"
        raise UsageError(f"run {run.id} is incomplete ({len(run.unanswered)} letters)", hint=hint)
    lines = list(_floors(run, gates.floor))
    if baseline is not None:
        protected = frozenset(gates.baseline.protected)
        lines += _against(run, gates.baseline, baseline, lambda field: is_protected(field) or field in protected)
    return lines


def _floors(run: Run, floor: Floor) -> Iterator[Line]:
    for name in ("precision", "recall", "letters_right"):
        least = getattr(floor, name)
        if least is not None:
            right, of = run.summary[name]
            yield Line(f"floor.{name}", right >= least * of, f"{right}/{of}, at least {least:.1%} is asked")
    if floor.errors_per_letter is not None:
        errors, letters = run.summary["errors"], run.summary["letters"]
        told = f"{errors} errors in {letters} letters, at most {floor.errors_per_letter:g} a letter is allowed"
        yield Line("floor.errors_per_letter", errors <= floor.errors_per_letter * letters, told)
    for name in ("failed_letters", "silent_errors"):
        most = getattr(floor, name)
        if most is not None:
            yield Line(f"floor.{name}", run.summary[name] <= most, f"{run.summary[name]}, at most {most} is allowed")


def _against(
    run: Run, rules: Against, baseline: Mapping[str, Any], is_protected: Callable[[str], bool]
) -> Iterator[Line]:
    known = {letter for letter, sha in baseline["about"]["gold"].items() if run.about["gold"].get(letter) == sha}
    broke = [
        (letter.letter_id, leaf)
        for letter in run.letters
        if letter.letter_id in known
        for leaf in letter.errors
        if leaf.path not in baseline["errors"].get(letter.letter_id, ())
    ]
    worst = [(letter, leaf) for letter, leaf in broke if is_protected(leaf.field)]
    for name, most, found in (
        ("max_protected_broke", rules.max_protected_broke, worst),
        ("max_broke", rules.max_broke, broke),
    ):
        if most is not None:
            where = "".join(f"\n    {letter} {leaf.path}: {leaf.status}" for letter, leaf in found[:20])
            told = f"{len(found)} right under the baseline and wrong now, at most {most} allowed{where}"
            yield Line(f"baseline.{name}", len(found) <= most, told)
    yield from _rises(run, rules, baseline, known)
    if left := sorted(set(run.about["gold"]) - known):
        told = (
            f"{len(left)} letters are new, or their gold changed since: {', '.join(left[:5])}; bless anew to gate them"
        )
        yield Line("baseline", True, told)


def _rises(run: Run, rules: Against, baseline: Mapping[str, Any], known: set[str]) -> Iterator[Line]:
    if rules.max_errors_per_letter_rise is not None and known:
        now = sum(len(letter.errors) for letter in run.letters if letter.letter_id in known)
        before = sum(len(paths) for letter, paths in baseline["errors"].items() if letter in known)
        allowed = rules.max_errors_per_letter_rise * len(known)
        told = f"{before} errors before, {now} now in {len(known)} letters"
        yield Line("baseline.max_errors_per_letter_rise", now - before <= allowed, told)
    cost, before_cost = run.summary["cost_usd"], baseline["summary"]["cost_usd"]
    if rules.max_cost_rise is not None and cost is not None and before_cost:
        told = f"{before_cost:.6f} USD before, {cost:.6f} now, at most +{rules.max_cost_rise:.0%} is allowed"
        yield Line("baseline.max_cost_rise", cost <= before_cost * (1 + rules.max_cost_rise), told)
    elif rules.max_cost_rise is not None:
        yield Line("baseline.max_cost_rise", True, "not judged: the cost of one of the runs is unknown")


# ---- baselines --------------------------------------------------------------------------------


def baseline_path(folder: Path, run_about: Mapping[str, Any]) -> Path:
    """One baseline a set and model: the version of the prompt that was blessed last."""
    return folder / f"{run_about['set']}--{run_about['model'].replace('/', '__')}.json"


def as_baseline(run: Run) -> dict[str, Any]:
    """What is kept of a blessed run: what it was, its figures, and which leaves were wrong; no letter's words.

    Raises ``UsageError`` for an incomplete run.
    """
    if not run.complete:
        raise UsageError(f"run {run.id} is incomplete", hint="finish it before blessing it")
    figures = {key: value for key, value in run.summary.items() if key != "fields"}
    errors = {letter.letter_id: sorted(leaf.path for leaf in letter.errors) for letter in run.letters if letter.errors}
    return {"run": run.id, "about": run.about, "summary": figures, "errors": errors}


def load_baseline(path: Path) -> dict[str, Any] | None:
    """``None`` if nothing was blessed yet. Raises ``WorkspaceError`` for a broken file."""
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for key in ("about", "summary", "errors"):
            if not isinstance(found[key], dict):
                raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "bless a run again: extractor eval bless RUN"
        raise WorkspaceError(f"{path} is not a baseline", hint=hint) from error
    return found
