"""The sentences of an eval report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from extractor.display.values import number, p_value, percent, plural, rough_percent, signed
from extractor.evaluation import stats
from extractor.evaluation.reports.report import LEVEL
from extractor.evaluation.scored_run import Run

# ---- sentences ----------------------------------------------------------------------------------


def full_name(run: Run) -> str:
    """Prompt and model; the model alone where no prompt was asked with."""
    prompt, model = run.about["prompt"], run.about["model"]
    return f"{prompt} with {model}" if prompt else str(model)


def compare_headline(comparison: Mapping[str, Any], a: str, b: str) -> str:
    """The finding in one sentence. It never says that two runs are equal: none can show that."""
    tests = comparison["tests"]
    if tests is None:
        few = comparison["letters"]
        return (
            f"{flips(comparison['counts'])}; {plural(few, 'letter')} {'is' if few == 1 else 'are'} too few for a test"
        )
    errors = tests["errors"]
    if errors["p"] > LEVEL:
        return f"No detectable difference between {a} and {b} in errors per letter, {p_value(errors['p'])}"
    way = "fewer" if errors["mean"] < 0 else "more"
    return f"{b} makes {number(abs(errors['mean']), 2)} errors {way} per letter than {a}, {p_value(errors['p'])}"


def compare_detail(comparison: Mapping[str, Any]) -> list[str]:
    """What the headline rests on, and how much it can carry."""
    letters, tests = comparison["letters"], comparison["tests"]
    if tests is None:
        return [
            f"Even if all of them changed the same way, p would be {stats.smallest_p(letters):g}: no exact test can "
            "tell such a change from chance. What changed from A to B is listed value by value.",
        ]
    errors, told = tests["errors"], []
    if errors["low"] is not None:
        told.append(
            f"The mean change is {signed(errors['mean'], 2)} errors per letter, 95% interval "
            f"{signed(errors['low'], 2)} to {signed(errors['high'], 2)}, over {plural(letters, 'letter')}."
        )
    elif errors["mean"]:
        told.append(f"All {letters} letters change by the same count, so there is no spread to take an interval from.")
    else:
        told.append(f"No letter of {letters} has another count of errors.")
    if errors["low"] is not None and (errors["low"] <= 0 <= errors["high"]) == (errors["p"] <= LEVEL):
        told.append(
            "Test and interval disagree: a few letters carry most of the change, and Student’s interval takes their "
            "spread for the spread of all. The test is the one to go by."
        )
    if errors["p"] > LEVEL and errors["smallest_p"] > LEVEL and errors["differing_letters"]:
        told.append(
            f"Only {plural(errors['differing_letters'], 'letter differs', 'letters differ')} in count: no p below "
            f"{number(errors['smallest_p'], 3)} was possible."
        )
    told.append(f"{flips(comparison['counts'])}.")
    return told


def flips(counts: Mapping[str, int]) -> str:
    """``33 values fixed, 1 broke, 2 wrong in another way``."""
    if not any(counts.values()):
        return "No value changed between right and wrong"
    text = f"{plural(counts['fixed'], 'value')} fixed, {counts['broke']:,} broke"
    return f"{text}, {counts['changed']:,} wrong in another way" if counts["changed"] else text


def run_headline(run: Run, name: str) -> str:
    """What one run came to."""
    told = run.summary
    right, letters = told["letters_right"]
    if not letters:
        return f"{name}: no letter was answered"
    return (
        f"{name} makes {plural(told['errors'], 'error')} in {plural(letters, 'letter')}; "
        f"{right:,} of {letters:,} letters fully right"
    )


def run_detail(run: Run) -> str:
    """The gold's values, and what became of them."""
    told = run.summary
    lost = [f"{told['wrong']:,} wrong", f"{told['omitted']:,} left out"]
    if told["failed"]:
        lost.append(f"{told['failed']:,} in failed letters")
    gold = f"Of {told['gold_values']:,} gold values {told['match']:,} are right, {', '.join(lost)}"
    return f"{gold}; {plural(told['invented'], 'value is', 'values are')} invented."


def detectable(tests: Mapping[str, Any], letters: int) -> str:
    """How small a change this set would have shown."""
    change = tests["errors"]["detectable"]
    if change is None:
        return "The letters show no spread, so what change they could detect cannot be said."
    return (
        f"The smallest true change that {letters} letters with this spread would show in four cases of five "
        f"({percent(0.8, 0)} power) is about {number(change, 2)} errors per letter."
    )


def never_seen(what: str, letters: int, up_to: float, *, who: str = "") -> str:
    """``0 failed letters in 25 letters: up to 11 % of letters possible.``"""
    lead = f"{who}: 0" if who else "0"
    return f"{lead} {what} in {plural(letters, 'letter')}: up to {rough_percent(up_to)} of letters possible."
