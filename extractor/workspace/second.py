"""The second model of a session: which one it may be, and how its recorded answers are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from extractor.errors import ModelNameError, PromptError
from extractor.letters.letter import LetterFile
from extractor.models.model import Model, Question, Reply
from extractor.models.offline import NAME as OFFLINE
from extractor.models.prices import without_snapshot
from extractor.models.prompts import Prompt
from extractor.workspace.tapes import REPLAY

# The letter that is being asked about, for cassettes of a second model.
_LETTER: ContextVar[tuple[LetterFile, str]] = ContextVar("letter")


@dataclass(frozen=True)
class SecondModel:
    """A model that is asked about letters that would need review; ``prompt``: ``None`` takes the first one's."""

    model: str
    prompt: str | None = None
    base_url: str | None = None


def refuse_same_model(first: str, second: str) -> None:
    """Raise ``ModelNameError`` unless these are two different language models.

    A model's agreement with itself proves nothing, whoever serves it and whatever day its snapshot is of.
    """
    if OFFLINE in (first, second):
        raise ModelNameError(
            "a second model needs two language models", hint="name one as model and another as second model"
        )
    if _bare(first) == _bare(second):
        raise ModelNameError(
            f"the second model {second} is the same model as {first}; it would agree with itself",
            hint="name a different model, best one of another maker",
        )


def refuse_guided_prompt(prompt: Prompt) -> None:
    """Raise ``PromptError`` for a prompt that gives the model the reading: it would agree with what it was given."""
    if prompt.front.strategy != "plain":
        raise PromptError(
            f"{prompt.id} gives the model the reading, so a second model would not read for itself",
            hint="give the second model a prompt with the strategy plain (--second-prompt)",
        )


def unprefixed(second: str, *, replay: bool) -> str:
    """The second model's name without ``replay:``. Raises ``ModelNameError`` if only the second is to be replayed."""
    if second.startswith(REPLAY) and not replay:
        raise ModelNameError(
            "only the second model would be answered from cassettes",
            hint="replay both: name the first model replay:NAME too",
        )
    return second.removeprefix(REPLAY)


def _bare(name: str) -> str:
    return without_snapshot(name).rpartition("/")[2].casefold()


@contextmanager
def at_letter(file: LetterFile, letter_sha256: str) -> Iterator[None]:
    """Around the asking about one letter: whose cassettes a ``ReplayedModel`` opens."""
    token = _LETTER.set((file, letter_sha256))
    try:
        yield
    finally:
        _LETTER.reset(token)


class ReplayedModel:
    """A model that opens its own cassette for each question, inside ``at_letter``."""

    def __init__(self, model: Model, tape: Callable[[LetterFile, str], AbstractContextManager[Any]]) -> None:
        self.name = model.name
        self._model = model
        self._tape = tape

    @property
    def params(self) -> dict[str, Any]:
        return self._model.params

    async def ask(self, question: Question) -> Reply:
        """As the model itself, from the letter's cassette. Raises ``CassetteError``."""
        with self._tape(*_LETTER.get()):
            return await self._model.ask(question)

    def stop_retrying(self) -> None:
        """As the model itself."""
        self._model.stop_retrying()

    async def aclose(self) -> None:
        """As the model itself."""
        await self._model.aclose()
