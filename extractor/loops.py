"""One event loop for the whole library, in its own thread.

Models keep connections that belong to one loop. Everything asynchronous runs on this one, so that the same
objects serve synchronous callers, asynchronous ones, and notebooks, whose own loop is always running.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
Close = Callable[[], Coroutine[Any, Any, None]]
# How long the end of Python waits for connections to close, in seconds.
_AT_EXIT = 2.0
_open: dict[int, Close] = {}
_closing: set[Future[None]] = set()


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


def close_with(owner: object, close: Close) -> None:
    """Let the shared loop run ``close`` when ``owner`` is gone or Python ends, whichever comes first.

    ``close`` may be called more than once, and must not refer to ``owner``.
    """
    _open[id(close)] = close
    weakref.finalize(owner, _close_soon, id(close)).atexit = False


def _close_soon(key: int) -> None:
    # Owners are collected in any thread, also in that of the loop, so nothing waits here.
    close = _open.pop(key, None)
    if close is not None and _loop.cache_info().currsize:
        closing = asyncio.run_coroutine_threadsafe(close(), _loop())
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)


@atexit.register
def _close_all() -> None:
    for key in list(_open):
        _close_soon(key)
    for closing in list(_closing):
        with suppress(Exception):  # too late for anyone to act on it
            closing.result(_AT_EXIT)
