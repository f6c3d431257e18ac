"""Speed and catch of the validator, side by side with other systems' checks, measured in one run.

    python -m benchmarks.check_letters

Prints three Markdown tables: time by number of decisions, time against the peers on the same
letters, and planted mistakes caught by kind with the false alarms on untouched correct answers.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pydantic

from benchmarks.letters import make
from benchmarks.peers import Peer, installed
from extractor.letters.letter import Letter, letter_from_text
from extractor.lettertypes.lettertype import LetterType, Mistake
from extractor.lettertypes.reading import Reading
from extractor.validator.checks import check
from extractor.workspace.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
# Letters of each size; p99 of a few is the slowest.
SIZES = {1: 400, 5: 400, 20: 200, 100: 60, 1000: 9, 10000: 3}
# Letters with one wrong quote in their answer; some peers need seconds for one.
WRONG = 7
OURS = "Letterproof"
# Mistakes in classes that no letter prints; peers are not given these values.
NOT_GIVEN = ("source_flipped", "basis_changed")


@dataclass(frozen=True)
class Sample:
    """A letter, its correct answer as read from JSON, and the filled schema."""

    letter: Letter
    answer: Mapping[str, Any]
    filled: pydantic.BaseModel


def sample(imr: LetterType, letter_id: str, text: str, answer: Mapping[str, Any]) -> Sample:
    filled = imr.schema.model_validate_json(json.dumps(answer))
    return Sample(letter_from_text(text, letter_id=letter_id), answer, filled)


def made(imr: LetterType, decisions: int, letters: int, seed: int = 0) -> Iterator[Sample]:
    """Different letters, half of either form: nothing is measured twice, so no cache of a letter helps."""
    for number in range(seed, seed + letters):
        one = make(decisions, number)
        yield sample(imr, one.id, one.text, one.answer)


def gold(imr: LetterType) -> Iterator[Sample]:
    for path in sorted((ROOT / "eval" / "imr" / "gold").glob("*.json")):
        text = (ROOT / "eval" / "imr" / "letters" / f"{path.stem}.txt").read_bytes().decode()
        yield sample(imr, path.stem, text, json.loads(path.read_text("utf-8"))["answer"])


# ---- time ------------------------------------------------------------------------------------


def milliseconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def p99(times: Sequence[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def ours(imr: LetterType, one: Sample) -> float:
    """Read and check one new letter."""
    return milliseconds(lambda: check(imr, one.filled, imr.read(one.letter)))


def time_by_size(imr: LetterType, sizes: Mapping[int, int]) -> list[list[str]]:
    rows: list[list[str]] = []
    for decisions, letters in sizes.items():
        times, characters = [], 0
        for one in made(imr, decisions, letters):
            times.append(ours(imr, one))
            characters += len(one.letter.text)
        median = statistics.median(times)
        rows.append(
            [
                f"{decisions:,}", f"{letters}", f"{characters // letters:,}", f"{median:,.2f}", f"{p99(times):,.2f}",
                f"{median / decisions:.3f}",
            ]
        )  # fmt: skip
        talk(f"{decisions} decisions: {median:.2f} ms")
    return rows


def time_against(imr: LetterType, peers: Iterable[Peer], letters: int) -> list[list[str]]:
    """Median and p99 on correct answers, and the median on the same with one word of one quote lost."""
    samples = list(made(imr, 5, letters, seed=100_000))
    wrong = [with_a_wrong_quote(imr, one) for one in made(imr, 5, WRONG, seed=300_000)]
    own = [ours(imr, one) for one in samples]
    base = statistics.median(own)
    worst = statistics.median(ours(imr, one) for one in wrong)
    rows = [[OURS, f"{base:.2f}", f"{p99(own):.2f}", "1", f"{worst:,.2f}"]]
    for peer in peers:
        times = [peer_time(peer, one) for one in samples]
        median = statistics.median(times)
        worst = statistics.median(peer_time(peer, one) for one in wrong)
        rows.append([peer.name, f"{median:.2f}", f"{p99(times):.2f}", f"{median / base:.1f}", f"{worst:,.2f}"])
        talk(f"{peer.name}: {median:.2f} ms, {worst:.2f} ms")
    return rows


def peer_time(peer: Peer, one: Sample) -> float:
    return milliseconds(partial(peer.run, peer.prepared(one.answer, one.letter.text), one.letter.text))


def with_a_wrong_quote(imr: LetterType, one: Sample) -> Sample:
    mistake = next(iter(imr.planters["quote_glued_from_two_places"](one.answer, imr.read(one.letter))))
    return sample(imr, one.letter.id, one.letter.text, mistake.answer)


# ---- planted mistakes ------------------------------------------------------------------------


@dataclass
class Caught:
    """Planted mistakes of one kind and who caught how many; ``OURS`` and peers by name."""

    planted: int = 0
    by: Counter[str] = field(default_factory=Counter)


@dataclass
class Alarms:
    """What each found in untouched correct answers: (values or leaves held against the letter, false alarms)."""

    given: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)


def complaints(imr: LetterType, answer: Mapping[str, Any], reading: Reading) -> Counter[str]:
    """Our errors on an answer; what the letter is to blame for is not the answer's mistake."""
    found = check(imr, imr.schema.model_validate_json(json.dumps(answer)), reading).findings
    return Counter(f"{one.path} {one.code}" for one in found if one.severity == "error" and one.blame != "letter")


def mistakes(imr: LetterType, one: Sample, reading: Reading, most: int) -> Iterator[tuple[str, Mistake]]:
    """At most ``most`` mistakes of each kind, chosen by a fixed seed; 0 takes all."""
    for kind, planter in imr.planters.items():
        every = [mistake for mistake in planter(one.answer, reading) if mistake.answer != one.answer]
        if most and len(every) > most:
            every = random.Random(f"{one.letter.id}/{kind}").sample(every, most)
        for mistake in every:
            yield kind, mistake


def plant(
    imr: LetterType, samples: Iterable[Sample], peers: Sequence[Peer], most: int
) -> tuple[dict[str, Caught], Alarms]:
    """Caught is: more, or worse, complaints than on the correct answer. The same measure for all."""
    kinds: dict[str, Caught] = {kind: Caught() for kind in imr.planters}
    alarms = Alarms()
    for one in samples:
        reading, text = imr.read(one.letter), one.letter.text
        untouched = {OURS: complaints(imr, one.answer, reading)}
        untouched |= {peer.name: peer.ungrounded(one.answer, text) for peer in peers}
        for peer in peers:
            alarms.given[peer.name] += peer.values(one.answer, text)
        alarms.given[OURS] += leaves(one.answer)
        for name, found in untouched.items():
            alarms.raised[name] += found.total()
        for kind, mistake in mistakes(imr, one, reading, most):
            kinds[kind].planted += 1
            found = {OURS: complaints(imr, mistake.answer, reading)}
            found |= {peer.name: peer.ungrounded(mistake.answer, text) for peer in peers}
            kinds[kind].by.update(name for name in found if found[name] - untouched[name])
        talk(f"{one.letter.id}: {sum(kind.planted for kind in kinds.values())} planted")
    return kinds, alarms


def leaves(value: Any) -> int:
    """Leaves of an answer; a null is a claim too, and so is an empty list."""
    if isinstance(value, Mapping):
        return sum(leaves(one) for one in value.values())
    if isinstance(value, list) and value:
        return sum(leaves(one) for one in value)
    return 1


# ---- printing --------------------------------------------------------------------------------


def talk(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|---" + "|--:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def print_planted(title: str, kinds: Mapping[str, Caught], alarms: Alarms, names: Sequence[str]) -> None:
    print(f"### {title}\n")
    rows = [
        [name, f"{one.planted}", *(f"{one.by[who]}" for who in names)] for name, one in kinds.items() if one.planted
    ]
    planted = sum(one.planted for one in kinds.values())
    total = {who: sum(one.by[who] for one in kinds.values()) for who in names}
    rows.append(["**all**", f"**{planted}**", *(f"**{total[who]}**" for who in names)])
    rows.append(["let through", "", *(_share(planted - total[who], planted) for who in names)])
    given = [one for name, one in kinds.items() if name not in NOT_GIVEN]
    printed = sum(one.planted for one in given)
    rows.append(
        [
            "let through, without classes",
            "",
            *(_share(printed - sum(one.by[w] for one in given), printed) for w in names),
        ]
    )
    rows.append(["false alarms on correct answers", "", *(f"{alarms.raised[w]} of {alarms.given[w]}" for w in names)])
    table(["kind", "planted", *names], rows)


def _share(part: int, whole: int) -> str:
    return f"{part / max(whole, 1):.1%}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=10_000, help="most decisions in one letter (%(default)s)")
    parser.add_argument("--letters", type=int, default=200, help="letters for the comparison of times (%(default)s)")
    parser.add_argument("--planted", type=int, default=8, help="generated letters to plant in (%(default)s)")
    parser.add_argument("--most", type=int, default=6, help="mistakes of a kind in a generated letter (%(default)s)")
    options = parser.parse_args(arguments)
    imr = Workspace(ROOT).letter_type("imr")
    peers, notes = installed()
    print(f"Python {platform.python_version()}, pydantic {pydantic.VERSION}, {os.cpu_count()} cores\n")
    for note in notes:
        print(f"- {note}")
    for one in made(imr, 5, 20, seed=500_000):  # regular expressions are compiled before anything is timed
        ours(imr, one)
    print("\n## Read and check, by number of decisions\n")
    sizes = {decisions: letters for decisions, letters in SIZES.items() if decisions <= options.largest}
    head = ["decisions", "letters", "characters", "median ms", "p99 ms", "ms per decision"]
    table(head, time_by_size(imr, sizes))
    print("## The same letters of 5 decisions\n")
    head = ["", "median ms", "p99 ms", "times ours", "median ms with one wrong quote"]
    table(head, time_against(imr, peers, options.letters))
    print("## Planted mistakes caught\n")
    names = [OURS, *(peer.name for peer in peers)]
    print_planted("The bundled letters, every mistake", *plant(imr, gold(imr), peers, 0), names)
    generated = made(imr, 5, options.planted, seed=200_000)
    title = f"{options.planted} generated letters of 5 decisions, at most {options.most} mistakes of a kind in each"
    print_planted(title, *plant(imr, generated, peers, options.most), names)


if __name__ == "__main__":
    main()
