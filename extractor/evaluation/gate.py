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
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractor.display.values import money, number, percent, percent_of, plural, some
from extractor.errors import UsageError, WorkspaceError
from extractor.evaluation.flips import mean_errors
from extractor.evaluation.scored_run import Run
from extractor.evaluation.scores.scoring import Leaf
from extractor.evaluation.scores.summary import as_count
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
            detail = f"{percent_of(right, of)} ({number(right)} of {number(of)}), at least {percent(least)} required"
            yield GateLine(f"floor.{name}", right >= least * of, detail)
    if floor.errors_per_letter is not None:
        errors, letters = run.summary["errors"], run.summary["letters"]
        most = floor.errors_per_letter
        detail = f"{plural(errors, 'error')} in {plural(letters, 'letter')}, at most {most:g} a letter allowed"
        yield GateLine("floor.errors_per_letter", errors <= most * letters, detail)
    for name in ("failed_letters", "silent_errors", "silent_other_errors"):
        limit = getattr(floor, name)
        if limit is not None:
            count = run.summary[name]
            yield GateLine(f"floor.{name}", count <= limit, f"{number(count)}, at most {limit} allowed")


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
        examples = sorted(set(gone) & set(run.about.get("examples", ())))
        taught = f"; examples of the prompt: {some(examples)}" if examples else ""
        detail = f"{plural(len(gone), 'letter')} of the baseline not scored any more: {some(gone)}{taught}"
        yield GateLine("baseline.letters", True, detail, weakened=True)
    if changed:
        detail = f"gold changed for {plural(len(changed), 'letter')}, which are not compared: {some(changed)}"
        yield GateLine("baseline.gold", True, detail, weakened=True)
    before_each, now_each = _recordings(baseline), {letter: len(each) for letter, each in run.by_letter.items()}
    if fewer := sorted(each for each in now_each if each in before and now_each[each] < before_each.get(each, 1)):
        detail = f"fewer recordings than in the baseline of {plural(len(fewer), 'letter')}: {some(fewer)}"
        yield GateLine("baseline.recordings", True, detail, weakened=True)
    if more := sorted(each for each in now_each if each in before and now_each[each] > before_each.get(each, 1)):
        detail = f"more recordings than in the baseline of {plural(len(more), 'letter')}: {some(more)}"
        yield GateLine("baseline.recordings", True, f"{detail}; bless a run to hold all of them")
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
    worst = [each for each in found if is_protected(each.leaf.field)]
    for name, most, values in (
        ("max_protected_broke", rules.max_protected_broke, worst),
        ("max_broke", rules.max_broke, found),
    ):
        if most is not None:
            count = sum(each.share for each in values)
            yield GateLine(f"baseline.{name}", count <= most, _broke_detail(values, count, most))
    yield from _rises(run, rules, baseline, known)


def _broke_detail(values: Sequence[BrokenValue], count: Fraction | int, most: int) -> str:
    debatable = sum(each.share for each in values if each.leaf.debatable)
    argued = f", {number(float(debatable))} of them debatable" if debatable else ""
    where = [f"\n    {each.place}: {each.leaf.status}" for each in values[:_LISTED]]
    more = f"\n    and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    found = f"{number(float(count))} right under the baseline and wrong now{argued}"
    return f"{found}, at most {most} allowed{''.join(where)}{more}"


@dataclass(frozen=True)
class BrokenValue:
    """A value that was right under the baseline and is wrong now, in ``share`` of its letter's recordings."""

    letter_id: str
    leaf: Leaf
    recording: int
    share: Fraction

    @property
    def place(self) -> str:
        numbered = f" (recording {self.recording})" if self.share < 1 else ""
        return f"{self.letter_id} {self.leaf.path}{numbered}"


def broke(run: Run, baseline: Mapping[str, Any]) -> list[BrokenValue]:
    """Values that were right under the baseline and are wrong now, by letter; without letters whose gold changed.

    A letter's recordings share one vote: what is wrong in one of two counts half. What was wrong in any recording of
    the baseline was not right under it.
    """
    before = baseline["about"]["gold"]
    return [
        BrokenValue(letter.letter_id, leaf, letter.recording, Fraction(1, len(run.by_letter[letter.letter_id])))
        for letter in run.letters
        if before.get(letter.letter_id) == run.about["gold"][letter.letter_id]
        for leaf in letter.errors
        if leaf.path not in baseline["errors"].get(letter.letter_id, ())
    ]


def _recordings(baseline: Mapping[str, Any]) -> Mapping[str, int]:
    """How many recordings the baseline has of each letter; a letter that is not named has one."""
    found: Mapping[str, int] = baseline.get("recordings", {})
    return found


def _rises(run: Run, rules: Against, baseline: Mapping[str, Any], known: set[str]) -> Iterator[GateLine]:
    if rules.max_errors_per_letter_rise is not None and known:
        each = _recordings(baseline)
        now = as_count(sum((mean_errors(run.by_letter[name]) for name in known), Fraction(0)))
        errors = baseline["errors"].items()
        before = as_count(
            sum((Fraction(len(p), each.get(name, 1)) for name, p in errors if name in known), Fraction(0))
        )
        allowed = rules.max_errors_per_letter_rise * len(known)
        detail = f"{plural(before, 'error')} before, {number(now)} now in {plural(len(known), 'letter')}"
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
    although it is worse. No letter's words. A path that is wrong in several recordings of a letter is there as often.

    Raises ``UsageError`` for an incomplete run.
    """
    if not run.complete:
        raise UsageError(f"run {run.id} is incomplete", hint="finish it before blessing it")
    figures = {key: value for key, value in run.summary.items() if key != "fields"}
    paths = {
        letter: sorted(leaf.path for score in scores for leaf in score.errors)
        for letter, scores in run.by_letter.items()
    }
    errors = {letter: wrong for letter, wrong in paths.items() if wrong}
    several = {letter: len(scores) for letter, scores in run.by_letter.items() if len(scores) > 1}
    why = {"reason": reason} if reason else {}
    recordings = {"recordings": several} if several else {}
    return {"run": run.id, **why, "about": run.about, "summary": figures, "errors": errors, **recordings}


def is_worse(run: Run, baseline: Mapping[str, Any], is_protected: Callable[[str], bool]) -> str:
    """Why blessing this run would lower the bar; empty if it would not."""
    found = broke(run, baseline)
    protected = len({(each.letter_id, each.leaf.path) for each in found if is_protected(each.leaf.field)})
    gone = sorted(set(baseline["about"]["gold"]) - set(run.about["gold"]))
    errors, before = run.summary["errors"], baseline["summary"]["errors"]
    reasons = (
        (errors > before, f"{plural(errors, 'error')} instead of {number(before)}"),
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
