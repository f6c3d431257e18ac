"""How a run goes: one live line on a terminal, a plain line now and then when piped."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from extractor import Summary
from extractor.display.terminal import raw_stream

_LIVE_EVERY = 0.2
_PLAIN_EVERY = 10.0
_PLAIN_LETTERS = 1_000
_CLEAR = "\r\x1b[K"


class Progress:
    """The progress line on stderr; ``update`` may be called as often as one likes."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = time.monotonic()
        self._letters = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live:
            _clear()

    def update(self, summary: Summary) -> None:
        """Print the run's state, if it is time to."""
        now = time.monotonic()
        if self._live:
            if now - self._last >= _LIVE_EVERY:
                width = shutil.get_terminal_size((100, 24)).columns
                _clear()
                print(fitting(parts(summary.state(), summary.held), width - 1), end="", file=sys.stderr, flush=True)
                self._last = now
        elif now - self._last >= _PLAIN_EVERY or summary.done - self._letters >= _PLAIN_LETTERS:
            print(", ".join(parts(summary.state(), summary.held)), file=sys.stderr, flush=True)
            self._last, self._letters = now, summary.done

    def line(self, text: str) -> None:
        """Print a line of its own."""
        if self._live:
            _clear()
        print(text, file=sys.stderr, flush=True)


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
        (f"{state['done']:,} of {state['letters']:,} letters", True),
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
        (f"reading {state.get('reading')} files", state.get("reading")),
        (f"waiting {held:.0f} s for the endpoint's limit", held >= 1),
        (f"{state['refused_calls']:,} calls refused", state["refused_calls"]),
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
