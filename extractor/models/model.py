"""What a model is to the engine: something that is asked a question and gives a reply.

Hosted, local, recorded or none (``offline``): the pipeline knows only this interface.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from extractor.lettertypes.reading import Reading


@dataclass(frozen=True)
class Correction:
    """A former reply to the same letter and our short message about what is wrong with it."""

    reply: str
    message: str


@dataclass(frozen=True)
class Question:
    """Everything a model is given about one letter.

    ``instructions`` is the prompt's unchanging text, ``letter`` the letter's raw text byte for
    byte. ``notes``: what the prompt's strategy adds to it. ``reading`` is for ``offline``
    alone and never leaves the machine.
    """

    letter_id: str
    letter: str
    instructions: str
    schema: type[BaseModel]
    reading: Reading
    notes: str = ""
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls; ``None`` where the endpoint did not report them.

    ``cached_tokens`` (read from the endpoint's cache) and ``cache_write_tokens`` (written to it) are
    parts of the input and do not overlap; ``reasoning_tokens`` are a part of the output.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None

    def __add__(self, other: Usage) -> Usage:
        mine, others = self.as_dict(), other.as_dict()
        return Usage(**{name: _sum(mine[name], others[name]) for name in mine})

    def as_dict(self) -> dict[str, int | None]:
        return {**vars(self)}


def _sum(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else a + b


@dataclass(frozen=True)
class Reply:
    """What came back, before anyone parsed it: ``text`` is the answer as JSON text.

    ``seconds`` is the time of the call with its pauses; ``error`` is the code of a reply that is no
    answer (a refusal, a cut-off text), else empty. ``model`` is the model that answered, as the endpoint
    reports it; empty if it reports none, or the requested one.
    """

    text: str
    usage: Usage = field(default_factory=Usage)
    finish: str = "stop"
    transport_tries: int = 1
    seconds: float = 0.0
    error: str = ""
    model: str = ""


@dataclass
class Generating:
    """What a local model is doing now: tokens ``read`` and ``written`` so far for the letters it is at."""

    letters: int = 0
    read: int = 0
    written: int = 0


@runtime_checkable
class GeneratingModel(Protocol):
    """A model that says how far it is."""

    generating: Generating


class Model(Protocol):
    """Something that fills a schema.

    ``name`` is what records call it; ``params`` are the settings that may change its answers.
    """

    name: str

    @property
    def params(self) -> dict[str, Any]: ...

    async def ask(self, question: Question) -> Reply:
        """Raises ``ModelError``, ``TransportError`` or ``CassetteError``."""
        ...

    def stop_retrying(self) -> None:
        """From now on a call that fails is not made again, and pauses before another try end."""
        ...

    async def aclose(self) -> None: ...
