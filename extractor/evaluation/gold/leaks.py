"""Whether a prompt holds words of the letters it is scored on: then its score measures memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from extractor.evaluation.gold.gold import Gold
from extractor.letters.spans import fold

# So many words in a row are no coincidence; a form's own labels and stock phrases are shorter, or are named as such.
WORDS = 8
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Leak:
    """A run of words that occurs in a prompt and in a letter with gold; ``words`` are the prompt's."""

    prompt: str
    letter_id: str
    words: str


def find_leaks(texts: Mapping[str, str], golds: Iterable[Gold], form: Iterable[str] = ()) -> list[Leak]:
    """Every leak of any letter into any text (by name: a prompt, its examples, a schema's descriptions).

    Runs of ``WORDS`` words are compared without regard to case, punctuation and line breaks.
    ``form``: phrases of the form itself, which prompts may use. Each longest run is
    reported once.
    """
    allowed = [_words(phrase) for phrase in form]
    letters = [(gold.letter.id, _runs(_words(gold.letter.text))) for gold in golds]
    return [
        Leak(name, letter_id, " ".join(words))
        for name, text in texts.items()
        for letter_id, runs in letters
        for words in _shared(_words(text), runs)
        if not any(_holds(phrase, words) for phrase in allowed)
    ]


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).casefold())


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1)}


def _shared(words: list[str], runs: set[tuple[str, ...]]) -> Iterator[list[str]]:
    """The longest runs of ``words`` made of runs that occur in the letter."""
    start = None
    for i in range(len(words) - WORDS + 2):
        here = i <= len(words) - WORDS and tuple(words[i : i + WORDS]) in runs
        if here and start is None:
            start = i
        elif not here and start is not None:
            yield words[start : i + WORDS - 1]
            start = None


def _holds(phrase: list[str], words: list[str]) -> bool:
    """Whether ``words`` are nothing but a part of ``phrase``."""
    return any(phrase[i : i + len(words)] == words for i in range(len(phrase) - len(words) + 1))
