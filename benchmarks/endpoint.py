"""An OpenAI-compatible endpoint on this machine that answers each letter with the truth about it.

    python -m benchmarks.endpoint TRUTH.jsonl [--latency 0.5] [--spread 0.5] [--rpm 6000]

A process of its own, so that its work is nobody else's. It knows a letter by the record number that the
letter's summary names (``R00000123``). ``GET /stats`` returns its counts. With ``--rpm`` it refuses what
is too much, one second's worth at once allowed, and sends its limit in ``x-ratelimit-*`` headers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.request
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_MARK = re.compile(rb"R(\d{8})")
# Curator asks this first, to find out whether the model can answer in a schema.
_TRIAL = '{"name": "A", "age": 30}'
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Answers:
    """True answers by record number; they stay on disk."""

    def __init__(self, truth: Path) -> None:
        self._file = os.open(truth, os.O_RDONLY)
        self._starts = array("q", [0])
        with truth.open("rb") as lines:
            for line in lines:
                self._starts.append(self._starts[-1] + len(line))

    def reply(self, number: int | None) -> bytes:
        """The body of the completion for one letter, or for a client's own trial call."""
        answer = _TRIAL
        if number is not None:
            start, end = self._starts[number : number + 2]
            answer = json.dumps(json.loads(os.pread(self._file, end - start, start))["answer"])
        message = {"role": "assistant", "content": answer}
        usage = {"prompt_tokens": 3000, "completion_tokens": 900, "total_tokens": 3900}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {"id": "b", "object": "chat.completion", "created": 1, "model": "benchmark", "choices": [choice]}
        return json.dumps({**whole, "usage": usage}).encode()


class Traffic:
    """Requests received, and the rate limit that is enforced."""

    def __init__(self, answers: Answers, latency: float, spread: float, rpm: float | None) -> None:
        self.answers, self.per_second = answers, rpm and rpm / 60
        self._latency, self._spread, self._chance = latency, spread, random.Random(1)
        self.asked: Counter[int] = Counter()
        self.answered = self.refused = self.in_flight = self.most = self.trials = self.corrections = 0
        self.first = self.last = 0.0
        self._left, self._then = self.per_second or 0.0, 0.0

    def delay(self) -> float:
        """Seconds until the next answer."""
        return self._latency * (1 + self._spread * self._chance.uniform(-1, 1))

    def headers(self, now: float) -> tuple[bool, str]:
        """Whether a call is admitted now, and the limit to report in its headers."""
        if not self.per_second:
            return True, ""
        self._left = min(self.per_second, self._left + (now - self._then) * self.per_second)
        self._then = now
        allowed = self._left >= 1
        self._left -= allowed
        headers = (
            f"x-ratelimit-limit-requests: {round(60 * self.per_second)}\r\n"
            f"x-ratelimit-remaining-requests: {int(self._left)}\r\n"
            f"x-ratelimit-reset-requests: {(self.per_second - self._left) / self.per_second:.3f}s\r\n"
        )
        if not allowed:
            headers += f"Retry-After: {(1 - self._left) / self.per_second + 0.01:.3f}\r\n"
        return allowed, headers

    def stats(self) -> bytes:
        counts = {
            "calls": self.asked.total(), "corrections": self.corrections, "letters": len(self.asked),
            "answered": self.answered, "refused": self.refused,
            "in_flight": self.in_flight, "most_in_flight": self.most, "trials": self.trials,
            "seconds": self.last - self.first,
        }  # fmt: skip
        return json.dumps(counts).encode()


class Connection(asyncio.Protocol):
    """Enough of HTTP/1.1 for one request after another."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.buffer = bytearray()
        self.whole = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.whole:
            head = self.buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self.buffer, 0, head)
            self.whole = head + 4 + (int(length[1]) if length else 0)
        if len(self.buffer) < self.whole:
            return
        request = bytes(self.buffer[: self.whole])
        del self.buffer[: self.whole]
        self.whole = 0
        if request.startswith(b"GET"):
            self.send(200, self.traffic.stats())
        else:
            self.asked(request)

    def asked(self, request: bytes) -> None:
        traffic, now = self.traffic, time.monotonic()
        allowed, headers = traffic.headers(now)
        if not allowed:
            traffic.refused += 1
            self.send(429, b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}', headers)
            return
        mark = _MARK.search(request)
        number = int(mark[1]) if mark else None
        if number is None:
            traffic.trials += 1
        else:
            traffic.first = traffic.first or now
            if b'"assistant"' in request:
                # An answer was sent back with what is wrong with it.
                traffic.corrections += 1
            else:
                traffic.asked[number] += 1
        traffic.in_flight += 1
        traffic.most = max(traffic.most, traffic.in_flight)
        asyncio.get_running_loop().call_later(traffic.delay(), self.answer, number, headers)

    def answer(self, number: int | None, headers: str) -> None:
        traffic = self.traffic
        traffic.in_flight -= 1
        if self.transport.is_closing():
            return
        self.send(200, traffic.answers.reply(number), headers)
        traffic.answered += number is not None
        traffic.last = time.monotonic()

    def send(self, status: int, body: bytes, headers: str = "") -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        self.transport.write(head.encode() + body)


async def serve(truth: Path, latency: float, spread: float, rpm: float | None) -> None:
    """Serve until ended; the port is printed first."""
    traffic = Traffic(Answers(truth), latency, spread, rpm)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(traffic), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# ---- for those who ask ---------------------------------------------------------------------------


class Server:
    """A running endpoint: its ``url``, and its traffic."""

    def __init__(self, port: str) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.url = f"{self.root}/v1"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.root}/stats") as reply:
            found: dict[str, Any] = json.loads(reply.read())
            return found


@contextmanager
def endpoint(truth: Path, latency: float, *, spread: float = 0.0, rpm: float | None = None) -> Iterator[Server]:
    """A fresh endpoint in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.endpoint", str(truth), "--latency", str(latency)]
    words += ["--spread", str(spread)]
    words += ["--rpm", str(rpm)] if rpm else []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().strip())
        finally:
            process.kill()


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("truth", type=Path)
    words.add_argument("--latency", type=float, default=0.5, help="seconds from a call to its answer")
    words.add_argument("--spread", type=float, default=0.0, help="share by which that varies, by chance")
    words.add_argument("--rpm", type=float, help="calls a minute that are allowed")
    options = words.parse_args()
    asyncio.run(serve(options.truth, options.latency, options.spread, options.rpm))


if __name__ == "__main__":
    main()
