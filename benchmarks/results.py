"""How much gets past the checks: ``RESULTS.md``, made by one command.

    python -m benchmarks.results [--lent DIR] [--write RESULTS.md]

For every set of letters with gold and every set of answers: wrong values that passed, letters sent to a person,
the share of right values that were admitted, each with an exact interval; mistakes planted into true answers; what
no check covers; and the published checkers of ``benchmarks/field_checkers.py`` on the same answers, where they are
installed. What is not there, a recording, the lent letters, a checker, is named and skipped.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.checker_tallies import (
    OURS,
    CheckerTally,
    OwnChecker,
    as_answered,
    on_answers,
    on_planted,
    planted_values,
)
from benchmarks.field_checkers import Checker, installed_checkers
from benchmarks.result_sets import (
    HEAD,
    AnswerSet,
    generated,
    lent,
    plain_records,
    recorded,
    row,
    share,
    tally,
    the_reader,
)
from extractor.engine import ENGINE
from extractor.evaluation.bench import Bench
from extractor.evaluation.gold.gold import Gold
from extractor.evaluation.scores.planted import Report, measure
from extractor.evaluation.scores.strength import measure_strength
from extractor.lettertypes.lettertype import LetterType
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
MAPPING = ROOT / "eval/imr/mappings/dwc-2016.toml"
FIELD_HEAD = (
    "checker",
    "wrong values admitted",
    "right values admitted",
    "letters with a value for a person",
    "s a letter",
)
PLANTED_HEAD = ("checker", "planted wrong values admitted", "ms a value")


@dataclass(frozen=True)
class Options:
    """What one page is made of. ``slow``: letters for a checker that takes more than a second a letter."""

    lent: Path | None
    generated: int
    planted: int
    slow: int
    seed: int


@dataclass
class Page:
    """The page's parts as they come, and what was left out of it."""

    options: Options
    workspace: Workspace = field(default_factory=lambda: Workspace(ROOT))
    skipped: list[str] = field(default_factory=list)
    checkers: list[Checker] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def parts(self) -> Iterator[str]:
        """The Markdown of the page, part by part."""
        self.checkers, self.versions = installed_checkers()
        yield _intro()
        benches = {
            name: Bench.of_workspace(self.workspace, name)
            for name, config in sorted(self.workspace.config.letter_types.items())
            if config.letters and config.gold
        }
        sets = {name: list(recorded(self.workspace, bench, self.skipped)) for name, bench in benches.items()}
        for name, bench in benches.items():
            yield f"## `{name}`: answers to {len(bench.golds)} letters with gold\n\n"
            yield _answers_table(bench.letter_type, sets[name])
        yield from self._readers()
        yield from self._planted(benches)
        yield from self._uncovered(benches)
        yield from self._others(benches, sets)
        if self.skipped:
            yield "## Left out\n\n" + "".join(f"- {line}.\n" for line in self.skipped)

    # ---- the reader alone ------------------------------------------------------------------------

    def _readers(self) -> Iterator[str]:
        """The baseline on letters whose printed values are known: what the deterministic reader gets wrong."""
        yield "## The reader alone\n\n"
        yield (
            "No model: the deterministic reading is the answer, so nothing contradicts it. What passes here is "
            "what the checks believe wrongly. Only values that the letter prints are counted.\n\n"
        )
        imr, rows = self.workspace.letter_type("imr"), []
        if self.options.lent and self.options.lent.is_dir():
            bench = lent(self.workspace, self.options.lent, MAPPING)
            rows.append(self._reader_row(imr, bench, f"{len(bench.golds)} public letters of 2016-17, read by hand"))
        else:
            self.skipped.append("the public letters of 2016-17 read by hand: not here, name their folder with --lent")
        with tempfile.TemporaryDirectory() as scratch:
            bench = generated(self.workspace, Path(scratch), self.options.generated, self.options.seed)
            rows.append(self._reader_row(imr, bench, f"letters of benchmarks/corpus.py, seed {self.options.seed}"))
        yield table(HEAD, rows) + "\n"

    @staticmethod
    def _reader_row(imr: LetterType, bench: Bench, name: str) -> list[str]:
        answers = the_reader(bench, name)
        total = tally(imr, answers.run.letters)
        _name_escapes(name, total.examples)
        return row(answers, total)

    # ---- planted mistakes ------------------------------------------------------------------------

    def _planted(self, benches: Mapping[str, Bench]) -> Iterator[str]:
        yield "## Mistakes planted into true answers\n\n"
        yield (
            "Every mistake of every kind, one at a time. Caught: a new error with the right code at the right place. A "
            "mistake that is found but withheld counts as caught.\n\n"
        )
        rows = []
        for name, bench in benches.items():
            report = measure(bench.letter_type, [(gold.letter, gold.answer) for gold in bench.golds])
            rows.append(_planted_row(f"`{name}`", report))
        head = ("true answers", "letters", "mistakes", "kinds", "caught", "on protected values", "false alarms")
        yield table(head, rows) + "\n"

    # ---- what no check covers --------------------------------------------------------------------

    def _uncovered(self, benches: Mapping[str, Bench]) -> Iterator[str]:
        yield "## What no check covers\n\n"
        yield (
            "Leaves of which something is left to the model's word, and the share of planted mistakes that raised no "
            "finding at all there. Nor can any check see what a letter leaves out, or that a letter is not true.\n\n"
        )
        for name, bench in benches.items():
            found = measure_strength(bench.letter_type, [(gold.letter, gold.answer) for gold in bench.golds])
            rows = [
                [
                    f"`{one.path}`",
                    one.unchecked or "",
                    share(one.silent, one.planted) if one.planted else "none planted",
                ]
                for one in found.values()
                if one.unchecked or one.silent
            ]
            yield (
                f"### `{name}`\n\n" + table(("leaf", "not checked", "planted mistakes without a finding"), rows) + "\n"
            )

    # ---- the other checkers ----------------------------------------------------------------------

    def _others(self, benches: Mapping[str, Bench], sets: Mapping[str, Sequence[AnswerSet]]) -> Iterator[str]:
        yield "## Published checkers on the same values\n\n"
        yield (
            "Each checker gets the non-null values that a letter prints, a date or page range as the letter prints it. "
            "Admitted: used without a person looking. Nulls, left-out records and judgments are not among the values: "
            "only this project checks them. Answers are those to the default prompt.\n\n"
        )
        yield "".join(f"- {line}\n" for line in self.versions) + "\n"
        for name, bench in benches.items():
            yield f"### `{name}`: planted wrong values\n\n" + self._on_planted(bench)
            default = self.workspace.config.letter_types[name].default_prompt
            for answers in sets[name]:
                if not answers.reasks and answers.run.about["prompt"] == default:
                    yield f"### {answers.name}\n\n" + self._on_answers(bench, answers)
        if self.checkers:
            yield "What they cannot express:\n\n"
            yield "".join(f"- {one.name}: {one.cannot_express}.\n" for one in self.checkers) + "\n"

    def _on_planted(self, bench: Bench) -> str:
        planted = planted_values(bench.letter_type, bench.golds, self.options.planted, self.options.seed)
        rows = []
        for checker in (None, *self.checkers):
            start = time.perf_counter()
            admitted, of = on_planted(checker, bench.letter_type, planted)
            took = 1000 * (time.perf_counter() - start) / max(of, 1)
            rows.append([checker.name if checker else OURS, share(admitted, of), f"{took:,.0f}"])
            _talk(f"planted: {rows[-1]}")
        what = "planted mistakes that put a wrong value where it can be printed"
        text = f"{len(planted)} {what}, chosen with seed {self.options.seed}.\n\n"
        return text + table(PLANTED_HEAD, rows) + "\n"

    def _on_answers(self, bench: Bench, answers: AnswerSet) -> str:
        golds = {gold.letter.id: gold for gold in bench.golds}
        given = {one["letter_id"]: as_answered(one) for one in plain_records(answers)}
        known = {letter_id: answer for letter_id, answer in given.items() if answer is not None}
        own: Checker = OwnChecker(bench.letter_type, ((golds[each].letter, answer) for each, answer in known.items()))
        rows, notes = [], []
        for checker in (own, *self.checkers):
            some = self._affordable(checker, bench.letter_type, golds, known)
            start = time.perf_counter()
            found = on_answers(checker, bench.letter_type, golds, some)
            rows.append(_field_row(checker.name, found, time.perf_counter() - start))
            _talk(f"{answers.name}: {rows[-1]}")
            if len(some) < len(known):
                notes.append(f"{checker.name}: {len(some)} letters, chosen with seed {self.options.seed}, for its time")
        return table(FIELD_HEAD, rows) + "".join(f"\n- {note}." for note in notes) + "\n\n"

    def _affordable(
        self,
        checker: Checker,
        letter_type: LetterType,
        golds: Mapping[str, Gold],
        known: Mapping[str, Mapping[str, Any]],
    ) -> dict[str, Mapping[str, Any]]:
        """All answers; a few, chosen by the seed, for a checker that takes longer than a second for the shortest."""
        shortest = min(known, key=lambda each: len(golds[each].letter.text))
        start = time.perf_counter()
        on_answers(checker, letter_type, golds, {shortest: known[shortest]})
        if time.perf_counter() - start < 1 or len(known) <= self.options.slow:
            return dict(known)
        chosen = random.Random(self.options.seed).sample(sorted(known), self.options.slow)
        return {each: known[each] for each in chosen}


# ---- rows and tables -----------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def _answers_table(letter_type: LetterType, sets: Iterable[AnswerSet]) -> str:
    rows = []
    for answers in sets:
        total = tally(letter_type, answers.run.letters)
        _name_escapes(answers.name, total.examples)
        rows.append(row(answers, total))
    return (table(HEAD, rows) if rows else "No answers are recorded.\n") + "\n"


def _planted_row(name: str, report: Report) -> list[str]:
    right, planted = report.protected
    kinds = sum(one.planted > 0 for one in report.kinds.values())
    caught = [share(report.right, report.planted), share(right, planted)]
    return [name, f"{report.answers}", f"{report.planted:,}", f"{kinds}", *caught, f"{len(report.false_alarms)}"]


def _field_row(name: str, found: CheckerTally, seconds: float) -> list[str]:
    return [
        name,
        share(found.wrong_admitted, found.wrong),
        share(found.right_admitted, found.values - found.wrong),
        f"{found.letters_flagged} of {found.letters}",
        f"{seconds / max(found.letters, 1):,.2f}",
    ]


def _intro() -> str:
    made = f"Made on {date.today():%Y-%m-%d} with version {ENGINE}"
    return (
        f"# Results\n\n{made} by `python -m benchmarks.results --write RESULTS.md` with Python "
        f"{platform.python_version()} on {os.cpu_count()} cores. Intervals are exact at 95 % (Clopper and Pearson). A "
        "value passes if it is wrong and in an accepted record, not withheld. Values are held against gold made by "
        "hand, or against what a generated letter was made from.\n\n"
    )


def _name_escapes(name: str, examples: Iterable[str]) -> None:
    for example in examples:
        _talk(f"passed: {name}: {example}")


def _talk(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="write the page to this file as well")
    parser.add_argument(
        "--lent", type=Path, default=os.environ.get("LETTERPROOF_LETTERS"), help="public letters of 2016-17 with gold"
    )
    parser.add_argument("--generated", type=int, default=400, metavar="N", help="generated letters (%(default)s)")
    parser.add_argument(
        "--planted", type=int, default=150, metavar="N", help="planted values for all checkers (%(default)s)"
    )
    parser.add_argument("--slow", type=int, default=3, metavar="N", help="letters for slow checkers (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    folder = Path(given.lent) if given.lent else None
    page = "".join(Page(Options(folder, given.generated, given.planted, given.slow, given.seed)).parts())
    print(page)
    if given.write:
        given.write.write_text(page.rstrip() + "\n", "utf-8")


if __name__ == "__main__":
    main()
