"""Figures and changes as a person reads them: numbers, values of leaves, and the sentences of a report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from extractor.evaluation import stats
from extractor.evaluation.reports.report import LEVEL
from extractor.evaluation.scored_run import Run

NOT_TOLD = "not told"
_MINUS = "\u2212"
_PERCENT = "\u00a0%"  # never at the start of a line
# A comparison by words is quadratic at worst; longer texts are shown without it.
_MOST_WORDS = 400


def number(value: float | None, digits: int = 0) -> str:
    """``12,345`` or ``0.65``; ``not told`` for ``None``."""
    return NOT_TOLD if value is None else f"{value:,.{digits}f}".replace("-", _MINUS)


def signed(value: float | None, digits: int = 0) -> str:
    """A change with its sign; a change that rounds to nothing has none. Empty for ``None``."""
    if value is None:
        return ""
    text = f"{value:+,.{digits}f}"
    return text.replace("-", _MINUS) if re.search("[1-9]", text) else text[1:]


def percent(share: float) -> str:
    """One decimal, as beside counts; a share that is not quite all or nothing never reads as if it were."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        text = "99.9"
    if text == "0.0" and share > 0:
        text = "0.1"
    return f"{text}{_PERCENT}"


def rough_percent(share: float) -> str:
    """A bound in one or two digits."""
    return f"{100 * share:.{0 if share >= 0.0095 else 1}f}{_PERCENT}"


def p_value(p: float) -> str:
    """``p = 0.031``; three decimals, fewer only where there are none, never ``p = 0``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def money(usd: float | None) -> str:
    """Dollars, with as many decimals as small bills need."""
    return NOT_TOLD if usd is None else f"${usd:,.2f}" if usd >= 10 or usd == 0 else f"${usd:.4f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 letter``, ``20 letters``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def spread(low: float | None, high: float | None, digits: int) -> str:
    """An interval in brackets, both ends signed; empty without bounds."""
    return "" if low is None or high is None else f"[{signed(low, digits)}, {signed(high, digits)}]"


# ---- values of leaves ---------------------------------------------------------------------------


def value(found: Any) -> str:
    """A leaf's value in one line: page ranges as ``177–179, 301``, lists with commas, ``""`` for nothing."""
    if found is None or found == []:
        return ""
    if isinstance(found, str):
        return found
    if isinstance(found, dict) and found.keys() == {"first", "last"}:
        return str(found["first"]) if found["first"] == found["last"] else f"{found['first']}\u2013{found['last']}"
    if isinstance(found, list):
        return ", ".join(map(value, found))
    return json.dumps(found, ensure_ascii=False)


def differing(text: str, other: str) -> Iterator[tuple[str, bool]]:
    """``text`` in parts, each with whether its words are not those of ``other``. All of it unmarked where nothing
    is alike: a text that differs throughout needs no marks.
    """
    mine, theirs = re.findall(r"\s+|[^\s,]+|,", text), re.findall(r"\s+|[^\s,]+|,", other)
    if not mine or not theirs or max(len(mine), len(theirs)) > _MOST_WORDS:
        yield text, False
        return
    steps = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    if not any(step == "equal" and "".join(mine[a:b]).strip(" ,\n") for step, a, b, _, _ in steps):
        yield text, False
        return
    for step, start, end, _, _ in steps:
        yield from _marked("".join(mine[start:end]), step != "equal")


def _marked(text: str, differs: bool) -> Iterator[tuple[str, bool]]:
    """Blanks at the ends are no difference to be seen."""
    words = text.strip() if differs else ""
    lead = text.index(words) if words else len(text)
    for part, marked in ((text[:lead], False), (words, True), (text[lead + len(words) :], False)):
        if part:
            yield part, marked


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
            f"The mean change is {signed(errors['mean'], 2)} errors per letter, 95 % interval "
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
        f"(80{_PERCENT} power) is about {number(change, 2)} errors per letter."
    )


def never_seen(what: str, letters: int, up_to: float, *, who: str = "") -> str:
    """``0 failed letters in 25 letters: up to 11 % of letters possible.``"""
    lead = f"{who}: 0" if who else "0"
    return f"{lead} {what} in {plural(letters, 'letter')}: up to {rough_percent(up_to)} of letters possible."
