"""Replies that arrive together are checked one by one, with a turn of the event loop between them."""

from __future__ import annotations

import asyncio
from typing import Any

from extractor.errors import StoppedError
from extractor.models.model import Model, Question, Reply


class ModelInTurns:
    """A model whose replies are handed out one a turn of the loop.

    Checking an answer blocks the loop for a few milliseconds: a burst of 64 must not delay signals, timers and
    other calls by all of them together. After ``close`` no further question is asked, and replies that have
    arrived are handed out at once, also to a canceled task: they are paid for.
    """

    def __init__(self, model: Model) -> None:
        self.name = model.name
        self._model = model
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def params(self) -> dict[str, Any]:
        return self._model.params

    async def ask(self, question: Question) -> Reply:
        """As the model itself. Raises ``StoppedError`` after ``close``."""
        if self._closed:
            raise StoppedError("the run is ending: not asked", hint="run the same command again")
        reply = await self._model.ask(question)
        try:
            async with self._turn:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not self._closed:
                raise
        return reply

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True

    def stop_retrying(self) -> None:
        """As the model itself."""
        self._model.stop_retrying()

    async def aclose(self) -> None:
        """As the model itself."""
        await self._model.aclose()
