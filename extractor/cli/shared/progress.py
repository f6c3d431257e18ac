"""How a run goes: one live line on a terminal, a plain line now and then when piped."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from threading import Event, Lock, Thread
from typing import Any

from extractor import Summary
from extractor.display.terminal import raw_stream
from extractor.display.values import plural

_TICK = 0.5
_LIVE_EVERY = 0.2
_PLAIN_EVERY = 10.0
_PLAIN_LETTERS = 1_000
_CLEAR = "\r\x1b[K"


class Progress:
    """The progress line on stderr; ``update`` and ``count`` may be called as often as one likes, from any thread.

    The line has a clock of its own: it moves on also while nothing is reported, such as while folders are listed or
    one long scan is read.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._began = self._last = time.monotonic()
        self._letters = 0
        self._words = ["looking for letters"]
        self._lock = Lock()
        self._ended = Event()
        self._clock = Thread(target=self._tick, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._clock.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._clock.join()
        if self._live:
            _clear()

    def update(self, summary: Summary) -> None:
        """A run's state; printed if it is time to."""
        self._report(parts(summary.state(), summary.held), summary.done)

    def count(self, letters: int) -> None:
        """How many letters were read so far; printed if it is time to."""
        self._report([f"{plural(letters, 'letter')} read"], letters)

    def line(self, text: str) -> None:
        """Print a line of its own."""
        with self._lock:
            if self._live:
                _clear()
            print(text, file=sys.stderr, flush=True)

    def _report(self, words: list[str], letters: int) -> None:
        self._words = words
        self._print_if_due(letters - self._letters >= _PLAIN_LETTERS and not self._live, letters)

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            self._print_if_due(False, self._letters)

    def _print_if_due(self, many: bool, letters: int) -> None:
        with self._lock:
            now = time.monotonic()
            if not many and now - self._last < (_LIVE_EVERY if self._live else _PLAIN_EVERY):
                return
            self._last, self._letters = now, letters
            seconds = round(now - self._began)
            if self._live:
                width = shutil.get_terminal_size((100, 24)).columns
                _clear()
                clock = f"{seconds // 60}:{seconds % 60:02d}  "
                print(clock + fitting(self._words, width - 1 - len(clock)), end="", file=sys.stderr, flush=True)
            else:
                print(", ".join([*self._words, f"{duration(seconds)} so far"]), file=sys.stderr, flush=True)


def _clear() -> None:
    """Make the live line empty."""
    stream = raw_stream(sys.stderr)
    stream.write(_CLEAR)
    stream.flush()


def parts(state: Mapping[str, Any], held: float = 0.0) -> list[str]:
    """The figures of a run's state in the words of the progress line, the most important first."""
    calls = state["calls"]
    tokens = state["input_tokens"] + state["output_tokens"]
    cost = state["cost_usd"]
    figures = [
        (f"{state['done']:,} of {plural(state['letters'], 'letter')}", True),
        (f"{state['accepted']:,} accepted", True),
        (f"{state['needs_review']:,} needs_review", True),
        (f"{state['failed']:,} failed", True),
        (f"{state['unanswered']:,} unanswered", state["unanswered"]),
        (f"{state['letters_per_second']:,.1f}/s", state["letters_per_second"]),
        (duration(state["seconds_left"]) + " left", state["seconds_left"]),
        (f"{compact(tokens)} tokens", calls and tokens),
        (f"${cost or 0:,.2f}", calls and cost is not None),
        (f"{state['in_flight']} in flight", state["in_flight"]),
        (_generated(state.get("generating")), state.get("generating")),
        (f"reading {plural(state.get('reading') or 0, 'file')}", state.get("reading")),
        (f"waiting {held:.0f} s for the endpoint's limit", held >= 1),
        (f"{plural(state['refused_calls'], 'call')} refused", state["refused_calls"]),
    ]
    if state.get("stopped"):
        figures.insert(1, ("stopping", True))
    return [text for text, shown in figures if shown]


def _generated(tokens: Mapping[str, int] | None) -> str:
    """How far a local model is with the letters it is at."""
    return f"now {compact(tokens['read'])} tokens read, {compact(tokens['written'])} written" if tokens else ""


def fitting(words: Iterable[str], width: int) -> str:
    """As many of the words as fit into a line."""
    line = ""
    for word in words:
        longer = f"{line}, {word}" if line else word
        if len(longer) > width:
            break
        line = longer
    return line


def duration(seconds: float | None) -> str:
    """``3 h 05 min``, ``12 min``, ``40 s``."""
    whole = round(seconds or 0)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min" if whole >= 120 else f"{whole} s"


def compact(number: float) -> str:
    """``950``, ``12.3k``, ``4.56M``."""
    if number < 10_000:
        return f"{number:,.0f}"
    return f"{number / 1e3:,.1f}k" if number < 1e6 else f"{number / 1e6:,.2f}M"
