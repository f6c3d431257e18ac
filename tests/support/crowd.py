"""A loopback endpoint for hundreds of calls at once: one loop in a thread of its own, replies scripted."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.loopback import Asked, Canned, message, refusal
from tests.support.toy import carrier_in, is_correction, letter_in, put, right_answer

Script = Callable[[Asked], Canned]


@dataclass
class Crowd:
    """What came in and when: ``asked`` by letter, first questions only; ``times`` of requests and of finished replies."""

    script: Script
    url: str = ""
    statuses: Counter[int] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    begun: list[tuple[float, int]] = field(default_factory=list)
    answered: dict[str, float] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0


class _Connection(asyncio.Protocol):
    """Enough of HTTP/1.1 for one POST after another."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
        if not found or len(rest) < int(headers["content-length"]):
            return
        self.buffer = b""
        asked = Asked(lines[0].split()[1], headers, rest)
        reply = self.crowd.script(asked)
        self.crowd.begun.append((time.monotonic(), reply.status))
        self.crowd.statuses[reply.status] += 1
        if not is_correction(asked):
            self.crowd.asked[carrier_in(asked)] += 1
        self.crowd.in_flight += 1
        self.crowd.most_in_flight = max(self.crowd.most_in_flight, self.crowd.in_flight)
        asyncio.get_running_loop().call_later(reply.delay, self.answer, reply, asked)

    def answer(self, reply: Canned, asked: Asked) -> None:
        self.crowd.in_flight -= 1
        if self.transport.is_closing():
            return
        if reply.reset:
            self.transport.abort()
            return
        headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode() + reply.body[: reply.cut])
        if reply.status == 200 and not is_correction(asked):
            self.crowd.answered[carrier_in(asked)] = time.monotonic()
        if reply.cut is not None:
            self.transport.close()


@contextmanager
def crowd(script: Script) -> Iterator[Crowd]:
    """A running endpoint."""
    crowd = Crowd(script)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Connection(crowd), "127.0.0.1", 0, backlog=2048))
    crowd.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield crowd
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for _ in range(3):  # lets the connections go
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()


# ---- scripts -------------------------------------------------------------------------------------


def good(asked: Asked, delay: float = 0.0) -> Canned:
    """Every note read rightly."""
    return replace(message(json.dumps(right_answer(letter_in(asked)))), delay=delay)


@dataclass
class Limited:
    """A script that allows so many calls a second, ``burst`` at once, and refuses the others.

    ``announces``: ``headers`` with every reply, only how long to wait (``retry_after``), or ``nothing``.
    """

    script: Script
    per_second: float
    burst: float
    announces: str = "headers"
    left: float = 0.0
    last: float = 0.0

    def __call__(self, asked: Asked) -> Canned:
        now = time.monotonic()
        self.left = min(self.burst, self.left + (now - self.last) * self.per_second) if self.last else self.burst
        self.last = now
        headers = {}
        if self.announces == "headers":
            headers = {
                "x-ratelimit-limit-requests": str(round(60 * self.per_second)),
                "x-ratelimit-remaining-requests": str(max(0, int(self.left - 1))),
                "x-ratelimit-reset-requests": f"{(self.burst - self.left) / self.per_second:.3f}s",
            }
        if self.left < 1:
            if self.announces != "nothing":
                headers["Retry-After"] = f"{(1 - self.left) / self.per_second + 0.01:.3f}"
            return replace(refusal(429, "rate_limit_exceeded"), headers=headers)
        self.left -= 1
        reply = self.script(asked)
        return replace(reply, headers={**reply.headers, **headers})


def write_notes(folder: Path, count: int) -> None:
    """Letters ``0000.txt`` and so on, each of its own carrier."""
    for i in range(count):
        put(folder / f"{i:04d}.txt", f"PARCEL NOTE of {i:04d}\nPARCEL {i}: delivered on 3/4/2020\n")
