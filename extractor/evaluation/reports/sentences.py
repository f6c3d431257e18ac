"""The sentences of an eval report: the same in text, Markdown, JSON and HTML.

Every percentage has its counts beside it; a change is second minus first; intervals and p values
appear only where a test was made; "no detectable difference", never "equal".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from extractor.display.values import interval, number, p_value, percent, plural, rough_percent, signed, some
from extractor.evaluation import stats
from extractor.evaluation.compare import Comparison, Estimate
from extractor.evaluation.power import FEWEST_DIFFERING, POWER
from extractor.evaluation.repeats import Spread
from extractor.evaluation.scored_run import Run
from extractor.evaluation.table import Interaction, RunTable


def full_name(about: Mapping[str, Any]) -> str:
    """Prompt and model; the model alone where no prompt was used."""
    prompt, model = about["prompt"], about["model"]
    return f"{prompt} with {model}" if prompt else str(model)


def names_of(*abouts: Mapping[str, Any]) -> list[str]:
    """The shortest names that distinguish runs: prompts, models, or both."""
    for names in ([one["prompt"] or one["model"] for one in abouts], [one["model"] for one in abouts]):
        if len(set(names)) == len(names):
            return names
    both = [full_name(one) for one in abouts]
    return both if len(set(both)) == len(both) else [f"{'ABCDEFGHIJ'[i % 10]}: {name}" for i, name in enumerate(both)]


def names(comparison: Comparison) -> tuple[str, str]:
    """Short names of the two runs."""
    a, b = names_of(comparison.a.about, comparison.b.about)
    return a, b


# ---- two runs -----------------------------------------------------------------------------------


def compare_headline(c: Comparison) -> str:
    """The result in one sentence, with the letters that failed. It never claims that two runs are equal."""
    a, b = names(c)
    if not c.is_tested:
        few = plural(c.letters, "letter")
        found = f"{flips(c)}; {few} {'is' if c.letters == 1 else 'are'} too few for a test"
    elif not c.change.is_significant:
        found = f"No detectable difference between {a} and {b} in errors per letter, {p_value(c.change.p or 0)}"
    else:
        way = "fewer" if c.change.mean < 0 else "more"
        size = number(abs(c.change.mean), 2)
        found = f"{b} makes {size} errors {way} per letter than {a}, {p_value(c.change.p or 0)}"
    return "; ".join([found, *_failed_letters(c)])


def _failed_letters(c: Comparison) -> Iterator[str]:
    for name, side in zip(names(c), ("a", "b"), strict=True):
        if failed := c.failed[side]:
            yield f"{plural(len(failed), 'letter')} failed under {name} ({some(list(failed))})"


def compare_warnings(c: Comparison) -> list[str]:
    """What limits the comparison, or could mislead about it."""
    found = []
    if c.not_compared:
        reasons = [f"{letter} ({why})" for letter, why in sorted(c.not_compared.items())]
        found.append(
            f"Incomplete: {plural(len(reasons), 'letter is', 'letters are')} not compared: {some(reasons)}. "
            "All figures are over the letters that both runs answered."
        )
    if c.undebated and c.undebated.is_significant != c.change.is_significant:
        found.append("The result depends on values that gold calls debatable.")
    if c.both_answered and c.both_answered.is_significant != c.change.is_significant:
        found.append("The result depends on letters without a valid answer.")
    for name, label in (("checks_version", "versions of the checks"), ("reasks", "settings for asking again")):
        if c.a.about[name] != c.b.about[name]:
            found.append(f"The runs were made with different {label}: {c.a.about[name]} and {c.b.about[name]}.")
    return found


def compare_detail(c: Comparison) -> list[str]:
    """The evidence for the headline, and its limits."""
    if not c.is_tested:
        return [
            f"Even if every letter changed the same way, p would be {stats.smallest_p(c.letters):g}: no exact test "
            "can distinguish such a change from chance. What changed from A to B is listed value by value.",
        ]
    found = [_change(c.change)]
    if c.undebated:
        found.append(f"Without the values that gold calls debatable: {_short_change(c.undebated)}.")
    if c.both_answered:
        letters = plural(c.both_answered.letters, "letter")
        found.append(f"Over the {letters} that both answered: {_short_change(c.both_answered)}.")
    if not c.change.is_significant and 0 < c.change.differing_letters < FEWEST_DIFFERING:
        found.append(
            f"Only {plural(c.change.differing_letters, 'letter differs', 'letters differ')} in the number of errors: "
            f"no p below {number(c.change.smallest_p, 3)} was possible."
        )
    found.append(f"{flips(c)}.")
    return found


def _change(change: Estimate) -> str:
    letters = plural(change.letters, "letter")
    if change.low is not None:
        bounds = interval(change.low, change.high, 2)
        return (
            f"The mean change is {signed(change.mean, 2)} errors per letter, 95% interval {bounds}, over {letters}, "
            f"{number(change.differing_letters)} with a difference."
        )
    if change.mean:
        return f"All {letters} change by the same number, so there is no spread to take an interval from."
    return f"None of {letters} has a different number of errors."


def _short_change(change: Estimate) -> str:
    bounds = interval(change.low, change.high, 2)
    p = f", {p_value(change.p)}" if change.p is not None else ""
    return f"{signed(change.mean, 2)} errors per letter{' ' + bounds if bounds else ''}{p}"


def flips(c: Comparison) -> str:
    """``33 values fixed, 1 broke (1 debatable, 0 protected), 2 wrong in another way``."""
    if not c.flips:
        return "No value changed between right and wrong"
    counts = c.counts
    fixed = f"{plural(counts['fixed'], 'value')} fixed{_debatable(c, 'fixed')}"
    text = f"{fixed}, {number(counts['broke'])} broke{_debatable(c, 'broke')}"
    if counts["changed"]:
        text = f"{text}, {number(counts['changed'])} wrong in another way"
    protected = sum(flip.kind == "broke" and flip.protected for flip in c.flips)
    return f"{text}; {number(protected)} of the broken ones protected" if protected else text


def _debatable(c: Comparison, kind: str) -> str:
    count = c.count(kind, debatable=True)
    return f" ({number(count)} debatable)" if count else ""


def compare_notes(c: Comparison) -> list[str]:
    """Rates with their intervals, the test on whole letters, and what the set could and could not detect."""
    a, b = names(c)
    notes = [*_left_out(c), *_uneven_recordings(c)]
    for key, side, name in (("a", c.a, a), ("b", c.b, b)):
        notes += [letters_right(side.summary, name), *spread_notes(c.spread[key], name)]
    if c.letters_right.p is not None:
        fixed, broke = plural(c.letters_right.fixed, "letter"), f"{number(c.letters_right.broke)}"
        notes.append(
            f"Fully right only under {b}: {fixed}; only under {a}: {broke}. "
            f"Exact McNemar test: {p_value(c.letters_right.p)}."
        )
        notes.append(detectable(c))
    found: dict[tuple[str, int, float], list[str]] = {}
    for each in c.zero_bounds:
        found.setdefault((each.what, each.letters, each.up_to), []).append(b if each.run == "b" else a)
    notes += [
        zero_note(what, letters, up_to, who="Both runs" if len(who) == 2 else who[0])
        for (what, letters, up_to), who in found.items()
    ]
    return notes


def spread_notes(spread: Spread | None, name: str = "") -> list[str]:
    """How much the recordings of one prompt and model differ; empty for one recording a letter."""
    if spread is None:
        return []
    lead = f"{name}: " if name else ""
    found = [
        f"{lead}counts are means over the recordings of each letter; "
        f"{plural(spread.letters, 'letter has', 'letters have')} several. The errors of one letter differ between its "
        f"recordings by a standard deviation of {number(spread.within, 2)}."
    ]
    if spread.letters_with_all:
        each = " and ".join(filter(None, [", ".join(map(number, spread.errors[:-1])), number(spread.errors[-1])]))
        over = plural(spread.letters_with_all, "letter")
        found.append(f"{lead}errors by recording, over the {over} with all {len(spread.errors)}: {each}.")
    flaky = plural(len(spread.flaky), "value is", "values are")
    protected = sum(leaf.protected for leaf in spread.flaky)
    found.append(f"{lead}{flaky} right in some recordings and wrong in others, {number(protected)} of them protected.")
    return found


def _uneven_recordings(c: Comparison) -> Iterator[str]:
    """The sign-flip test holds for equal numbers of recordings; with unequal ones it is approximate."""
    one, other = (side.summary.get("answers", side.summary["letters"]) for side in (c.a, c.b))
    if one != other:
        a, b = names(c)
        yield (
            f"The runs have different numbers of recordings ({number(one)} answers under {a}, {number(other)} under "
            f"{b}): each letter counts once with its mean."
        )


def _left_out(c: Comparison) -> Iterator[str]:
    """Values that gold accepts to be left out are not counted, so two runs may have different ones."""
    first, second = (side.summary["gold_values"] for side in (c.a, c.b))
    if first != second:
        more = names(c)[first > second]
        yield (
            f"{more} leaves out {plural(abs(first - second), 'value')} more that gold allows to leave out; these count "
            f"neither as right nor as wrong, so the runs are held to {number(first)} and {number(second)} values."
        )


def detectable(c: Comparison) -> str:
    """The smallest change this set would have detected."""
    if c.change.differing_letters < FEWEST_DIFFERING:
        return (
            f"{plural(c.change.differing_letters, 'letter differs', 'letters differ')}: fewer than "
            f"{FEWEST_DIFFERING} are too few to estimate what change this set could detect."
        )
    if c.detectable is None:
        return "With this spread, so few letters would not detect a change of the observed size."
    return (
        f"The smallest true change that {plural(c.letters, 'letter')} with this spread would detect with "
        f"{percent(POWER, 0)} power (simulated) is about {number(c.detectable, 2)} errors per letter."
    )


def zero_note(what: str, letters: int, up_to: float, *, who: str = "") -> str:
    """``0 failed letters in 25 letters: up to 11% of letters possible.``"""
    lead = f"{who}: 0" if who else "0"
    return f"{lead} {what} in {plural(letters, 'letter')}: up to {rough_percent(up_to)} of letters possible."


def letters_right(summary: Mapping[str, Any], name: str = "") -> str:
    """Letters fully right, with Wilson's interval of the rate."""
    right, of = summary["letters_right"]
    low, high = stats.wilson(right, of)
    return (
        f"{name + ': ' if name else ''}{number(right)} of {plural(of, 'letter')} fully right; "
        f"95% interval {rough_percent(low)} to {rough_percent(high)}."
    )


# ---- three or more ------------------------------------------------------------------------------


def table_note(table: RunTable) -> str:
    """How the runs are compared, and what the p values are adjusted for."""
    tests = len(table.contrasts) + len(table.interactions)
    within = {bool(each.within) for each in table.contrasts}
    how = "prompts within each model, and models within each prompt" if True in within else "each with the first"
    return (
        f"Compared: {how}, paired by letter. {tests} tests were made on the same letters; p values are adjusted for "
        "that (Holm). The primary figure is errors per letter."
    )


def interaction(found: Interaction) -> str:
    """Whether a prompt that helps one model helps the other."""
    first, second = found.prompts
    one, other = found.models
    lead = f"{second} against {first}: {_short_change(found.a)} with {one}; {_short_change(found.b)} with {other}."
    if found.difference.is_significant:
        tested = f"The change is not the same with both models: it differs by {_short_change(found.difference)}"
    else:
        tested = (
            f"No detectable difference between the models in what the change does ({_short_change(found.difference)})"
        )
    adjusted = f", adjusted {p_value(found.p_adjusted)}" if found.p_adjusted is not None else ""
    if found.a.mean * found.b.mean > 0:
        way = "It points the same way with both."
    elif found.a.mean * found.b.mean < 0:
        way = "It helps one model and not the other, as far as these letters go."
    else:
        way = ""
    return " ".join(filter(None, [lead, f"{tested}{adjusted}.", way]))


# ---- one run ------------------------------------------------------------------------------------


def run_headline(run: Run) -> str:
    """What one run came to."""
    name = full_name(run.about)
    right, letters = run.summary["letters_right"]
    if not letters:
        return f"{name}: no letter was answered"
    several = f" (mean over {run.recordings} recordings)" if run.recordings > 1 else ""
    return (
        f"{name} makes {plural(run.summary['errors'], 'error')} in {plural(letters, 'letter')}{several}; "
        f"{number(right)} of {number(letters)} letters fully right"
    )


def run_warnings(run: Run) -> list[str]:
    """What is missing from a run, and which letters failed."""
    found = []
    if not run.complete:
        what = "letter" if run.recordings == 1 else "recording"
        missing = plural(len(run.unanswered), f"{what} has", f"{what}s have")
        found.append(
            f"INCOMPLETE: {missing} no answer yet, and {'is' if len(run.unanswered) == 1 else 'are'} in no figure: "
            f"{some(sorted(run.unanswered))}"
        )
    if failed := [*dict.fromkeys(letter.letter_id for letter in run.letters if letter.is_failed)]:
        found.append(f"{plural(len(failed), 'letter')} failed, without a valid answer: {some(failed)}")
    return found


def run_detail(run: Run) -> str:
    """The gold's values, and what became of them."""
    figures = run.summary
    lost = [f"{number(figures['wrong'])} wrong", f"{number(figures['omitted'])} left out"]
    if figures["failed"]:
        lost.append(f"{number(figures['failed'])} in failed letters")
    gold = f"Of {number(figures['gold_values'])} gold values {number(figures['match'])} are right, {', '.join(lost)}"
    debatable = figures.get("debatable_errors", 0)
    argued = f" {plural(debatable, 'error is', 'errors are')} on values that gold calls debatable." if debatable else ""
    return f"{gold}; {plural(figures['invented'], 'value is', 'values are')} invented.{argued}"


def run_notes(run: Run, spread: Spread | None = None) -> list[str]:
    """The rate of letters fully right, the spread of the recordings, and what never happened."""
    letters = len(run.by_letter)
    if not letters:
        return []
    never = {
        "failed_letters": "letters without a valid answer",
        "silent_errors": "wrong protected values in accepted records",
        "invented": "invented values",
    }
    bounds = [
        zero_note(what, letters, stats.zero_bound(letters)) for name, what in never.items() if not run.summary[name]
    ]
    return [letters_right(run.summary), *spread_notes(spread), *bounds]
