"""One event loop for the whole library, in its own thread.

Models keep connections that belong to one loop. Everything asynchronous runs on this one, so that the same
objects serve synchronous callers, asynchronous ones, and notebooks, whose own loop is always running.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="extractor", daemon=True).start()
    return loop


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, for a caller that has no loop. An interrupt cancels it."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def run_here(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, from a loop of this thread, which handles interrupts.

    From the shared loop if this thread has one that is running.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        try:
            return asyncio.run(work)
        finally:
            work.close()  # it never began if no loop could be opened: a loop needs files
    return wait_for(work)


async def awaited(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, for a caller on another loop."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))
