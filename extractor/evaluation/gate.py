"""The gate: floors under a prompt's figures, and what it may not break against a blessed baseline.

Replay is deterministic, so a gate rests on facts, not on p values: this value of this letter was
right under the baseline and is wrong now. Whatever makes the gate judge less than before is a line
of its own, and fails a strict gate.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.display.values import money, percent, percent_of, plural, some
from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.file_names import file_name

GATES = "gates.toml"
# The folder of what was blessed, beside it.
BASELINES = "baselines"
# So many broken values are listed; the rest is counted.
_LISTED = 20


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
    silent_other_errors: int | None = Field(default=None, ge=0)


class Against(_Part):
    """What may differ from the baseline. ``protected``: more fields to be strict about than the letter type's own."""

    max_broke: int | None = Field(default=None, ge=0)
    max_protected_broke: int | None = Field(default=0, ge=0)
    max_errors_per_letter_rise: float | None = Field(default=None, ge=0)
    max_cost_rise: float | None = Field(default=None, ge=0)
    protected: tuple[str, ...] = ()


class ModelGates(_Part):
    """Floors and rules for one more recorded model; what is right for one model is not for another."""

    floor: Floor = Floor()
    baseline: Against = Against()


class Gates(_Part):
    """``gates.toml``: what is gated, and how. ``models``: recorded models that are gated beside ``model``."""

    set: str = "gold"
    model: str | None = None
    prompts: tuple[str, ...] = ()
    floor: Floor = Floor()
    baseline: Against = Against()
    models: dict[str, ModelGates] = Field(default_factory=dict)

    def for_model(self, name: str | None) -> Gates:
        """The same gates with the floors and rules of one model."""
        own = self.models.get((name or "").removeprefix("replay:"))
        return self.model_copy(update={"floor": own.floor, "baseline": own.baseline}) if own else self


@dataclass(frozen=True)
class GateLine:
    """One line of the gate. ``name`` is its place in gates.toml, ``detail`` what was found, without letters' words.

    ``weakened``: the line does not judge the prompt; it reports that the gate judges less than it did, or
    judges by other rules.
    """

    name: str
    passed: bool
    detail: str
    weakened: bool = False

    def holds(self, *, strict: bool) -> bool:
        """Whether the line lets the prompt through; in a strict gate a weakened line does not."""
        return self.passed and not (strict and self.weakened)


def load_gates(path: Path) -> Gates:
    """Raises ``WorkspaceError`` if the file is missing or broken."""
    try:
        return Gates.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        hint = "write one: [floor] recall = 0.9, [baseline] max_broke = 0"
        raise WorkspaceError(f"cannot read {path}: {error.strerror}", hint=hint) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{path} is not valid TOML: {error}", hint="correct that line") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise WorkspaceError(f"{path} is not valid:\n  " + "\n  ".join(lines), hint="correct these settings") from error


def judge(
    run: Run, gates: Gates, baseline: Mapping[str, Any] | None, is_protected: Callable[[str], bool]
) -> list[GateLine]:
    """Every line of the gate for one run. Raises ``UsageError`` for an incomplete run."""
    if not run.complete:
        hint = "finish it first: a missing answer is not a wrong answer"
        raise UsageError(f"run {run.id} is incomplete ({plural(len(run.unanswered), 'letter')})", hint=hint)
    lines = list(_floors(run, gates.floor))
    if not lines:
        lines.append(GateLine("floor", True, "gates.toml sets no floor", weakened=True))
    if baseline is None:
        detail = "nothing was blessed for this set and model: only the floors are judged"
        return [*lines, GateLine("baseline", True, detail, weakened=True)]
    protected = frozenset(gates.baseline.protected)
    lines += _comparable(run, baseline)
    lines += _against(run, gates.baseline, baseline, lambda field: is_protected(field) or field in protected)
    return lines


def _floors(run: Run, floor: Floor) -> Iterator[GateLine]:
    for name in ("precision", "recall", "letters_right"):
        least = getattr(floor, name)
        if least is not None:
            right, of = run.summary[name]
            detail = f"{percent_of(right, of)} ({right:,} of {of:,}), at least {percent(least)} required"
            yield GateLine(f"floor.{name}", right >= least * of, detail)
    if floor.errors_per_letter is not None:
        errors, letters = run.summary["errors"], run.summary["letters"]
        most = floor.errors_per_letter
        detail = f"{plural(errors, 'error')} in {plural(letters, 'letter')}, at most {most:g} a letter allowed"
        yield GateLine("floor.errors_per_letter", errors <= most * letters, detail)
    for name in ("failed_letters", "silent_errors", "silent_other_errors"):
        limit = getattr(floor, name)
        if limit is not None:
            yield GateLine(f"floor.{name}", run.summary[name] <= limit, f"{run.summary[name]}, at most {limit} allowed")


# What must be the same for a comparison with the baseline to mean what it did.
_SAME = {
    "scorer": "version of the scorer",
    "schema_sha256": "schema",
    "checks_version": "version of the checks",
    "reasks": "number of re-asks",
    "params": "model parameters",
}


def _comparable(run: Run, baseline: Mapping[str, Any]) -> Iterator[GateLine]:
    """A line for everything that the gate can no longer judge, or judges by other rules than the baseline's."""
    before, now = baseline["about"]["gold"], run.about["gold"]
    gone = sorted(set(before) - set(now))
    changed = sorted(letter for letter in now if letter in before and before[letter] != now[letter])
    if not before or not set(before) & set(now):
        yield GateLine("baseline.letters", True, "the baseline holds none of these letters", weakened=True)
    if gone:
        detail = f"{plural(len(gone), 'letter')} of the baseline not scored any more: {some(gone)}"
        yield GateLine("baseline.letters", True, detail, weakened=True)
    if changed:
        detail = f"gold changed for {plural(len(changed), 'letter')}, which are not compared: {some(changed)}"
        yield GateLine("baseline.gold", True, detail, weakened=True)
    for name, label in _SAME.items():
        was, has = baseline["about"].get(name), run.about.get(name)
        if was != has:
            yield GateLine(f"baseline.{name}", True, f"another {label} than the baseline\u2019s", weakened=True)
    if new := sorted(set(now) - set(before)):
        detail = f"{plural(len(new), 'new letter')} without a baseline: {some(new)}; bless a run to gate them"
        yield GateLine("baseline.new_letters", True, detail)


def _against(
    run: Run, rules: Against, baseline: Mapping[str, Any], is_protected: Callable[[str], bool]
) -> Iterator[GateLine]:
    known = {letter for letter, sha in baseline["about"]["gold"].items() if run.about["gold"].get(letter) == sha}
    found = broke(run, baseline)
    worst = [(letter, leaf) for letter, leaf in found if is_protected(leaf.field)]
    for name, most, leaves in (
        ("max_protected_broke", rules.max_protected_broke, worst),
        ("max_broke", rules.max_broke, found),
    ):
        if most is not None:
            yield GateLine(f"baseline.{name}", len(leaves) <= most, _broke_detail(leaves, most))
    yield from _rises(run, rules, baseline, known)


def _broke_detail(leaves: Sequence[tuple[str, Leaf]], most: int) -> str:
    debatable = sum(leaf.debatable for _, leaf in leaves)
    argued = f", {debatable} of them debatable" if debatable else ""
    where = [f"\n    {letter} {leaf.path}: {leaf.status}" for letter, leaf in leaves[:_LISTED]]
    more = f"\n    and {len(leaves) - _LISTED} more" if len(leaves) > _LISTED else ""
    return f"{len(leaves)} right under the baseline and wrong now{argued}, at most {most} allowed{''.join(where)}{more}"


def broke(run: Run, baseline: Mapping[str, Any]) -> list[tuple[str, Leaf]]:
    """Values that were right under the baseline and are wrong now, by letter; without letters whose gold changed."""
    before = baseline["about"]["gold"]
    return [
        (letter.letter_id, leaf)
        for letter in run.letters
        if before.get(letter.letter_id) == run.about["gold"][letter.letter_id]
        for leaf in letter.errors
        if leaf.path not in baseline["errors"].get(letter.letter_id, ())
    ]


def _rises(run: Run, rules: Against, baseline: Mapping[str, Any], known: set[str]) -> Iterator[GateLine]:
    if rules.max_errors_per_letter_rise is not None and known:
        now = sum(len(letter.errors) for letter in run.letters if letter.letter_id in known)
        before = sum(len(paths) for letter, paths in baseline["errors"].items() if letter in known)
        allowed = rules.max_errors_per_letter_rise * len(known)
        detail = f"{plural(before, 'error')} before, {now:,} now in {plural(len(known), 'letter')}"
        yield GateLine("baseline.max_errors_per_letter_rise", now - before <= allowed, detail)
    cost, before_cost = run.summary["cost_usd"], baseline["summary"]["cost_usd"]
    if rules.max_cost_rise is not None and cost is not None and before_cost:
        rise = percent(rules.max_cost_rise, 0)
        detail = f"{money(before_cost)} before, {money(cost)} now, at most {rise} more allowed"
        yield GateLine("baseline.max_cost_rise", cost <= before_cost * (1 + rules.max_cost_rise), detail)
    elif rules.max_cost_rise is not None:
        yield GateLine("baseline.max_cost_rise", True, "not judged: the cost of one of the runs is unknown")


# ---- baselines --------------------------------------------------------------------------------


def baseline_path(folder: Path, run_about: Mapping[str, Any]) -> Path:
    """One baseline a set and model: the version of the prompt that was blessed last."""
    return folder / f"{file_name(run_about['set'])}--{file_name(run_about['model'])}.json"


def as_baseline(run: Run, reason: str = "") -> dict[str, Any]:
    """What is kept of a blessed run: its origin, its figures, which values were wrong, and why it was blessed
    although it is worse. No letter's words.

    Raises ``UsageError`` for an incomplete run.
    """
    if not run.complete:
        raise UsageError(f"run {run.id} is incomplete", hint="finish it before blessing it")
    figures = {key: value for key, value in run.summary.items() if key != "fields"}
    errors = {letter.letter_id: sorted(leaf.path for leaf in letter.errors) for letter in run.letters if letter.errors}
    why = {"reason": reason} if reason else {}
    return {"run": run.id, **why, "about": run.about, "summary": figures, "errors": errors}


def is_worse(run: Run, baseline: Mapping[str, Any], is_protected: Callable[[str], bool]) -> str:
    """Why blessing this run would lower the bar; empty if it would not."""
    found = broke(run, baseline)
    protected = sum(is_protected(leaf.field) for _, leaf in found)
    gone = sorted(set(baseline["about"]["gold"]) - set(run.about["gold"]))
    errors, before = run.summary["errors"], baseline["summary"]["errors"]
    reasons = (
        (errors > before, f"{plural(errors, 'error')} instead of {before:,}"),
        (bool(protected), f"{plural(protected, 'protected value')} broke"),
        (bool(gone), f"{plural(len(gone), 'letter')} no longer scored"),
    )
    return ", ".join(text for holds, text in reasons if holds)


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
