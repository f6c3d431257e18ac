"""What a call costs beside the model: CPU and lost rate of this client and of the clients people use.

    python benchmarks/overhead.py [--letters 512] [--rounds 3] [--python PATH]

One server on this machine answers every request after a fixed time, with a fixed valid answer; each client
asks about the same generated letters (3 decisions each), with the same schema, from a process of its own,
and parses each answer into the same pydantic model. Measured:

- CPU ms a call: processor time of the client's process, no latency, 8 in flight;
- share of the ideal rate: achieved calls a second over (in flight / latency), latency 0.5 s;
- peak memory of the client's process.

Clients that are not installed are named and left out; ``--python`` runs the foreign ones in another
environment. langextract has its own answer format and no async interface: it gets the letters in one
``extract`` call with as many workers as calls in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

MODEL = "benchmark"
LATENCY = 0.5
WARM_UP = 32


# ---- the endpoint ------------------------------------------------------------------------------


class _Connection(asyncio.Protocol):
    """Enough of HTTP/1.1 for one POST after another."""

    def __init__(self, latency: float, replies: dict[bool, bytes]) -> None:
        self.latency, self.replies = latency, replies
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        # langextract's prompts hold the word for its own answer format; nobody else's do.
        reply = self.replies[b"extraction_class" in rest or b"extractions" in rest]
        asyncio.get_running_loop().call_later(self.latency, self._answer, reply)

    def _answer(self, reply: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(reply)


def _reply(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 3000, "completion_tokens": 900, "total_tokens": 3900}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = json.dumps(
        {"id": "b", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": usage}
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(latency: float) -> None:
    from benchmarks.letters import make

    answer = make(3, seed=1).answer
    extractions = [
        {"decision": d["item"], "decision_attributes": {"outcome": d["outcome"]}} for d in answer["decisions"]
    ]
    replies = {False: _reply(json.dumps(answer)), True: _reply(json.dumps({"extractions": extractions}))}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency, replies), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def endpoint(latency: float) -> Iterator[str]:
    """The address of a fresh endpoint in a process of its own."""
    words = [sys.executable, __file__, "--serve", str(latency)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.kill()


# ---- the clients -------------------------------------------------------------------------------

Ask = Callable[[str], Awaitable[Any]]


def _system() -> str:
    return (ROOT / "prompts/imr/v1.md").read_text("utf-8").split("---", 2)[2].strip()


def _schema() -> Any:
    from extractor.workspace.workspace import Workspace

    return Workspace(ROOT).letter_type("imr").schema


def extractor_client(url: str, inflight: int) -> Ask:
    """This project's client: one question, one parsed answer."""
    from extractor.letters.letter import letter_from_text
    from extractor.lettertypes.reading import nothing_read
    from extractor.models.llm import open_model
    from extractor.models.model import Question

    model, schema, system = open_model(f"openai/{MODEL}", base_url=url), _schema(), _system()

    async def ask(text: str) -> Any:
        reading = nothing_read(letter_from_text(text, letter_id="l"), "not needed here")
        reply = await model.ask(Question("l", text, system, schema, reading))
        return schema.model_validate_json(reply.text)

    return ask


def openai_client(url: str, inflight: int) -> Ask:
    """The bare client with its defaults, the strict schema written by hand."""
    import openai

    from extractor.models.wire import strict_schema

    client, schema, system = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0), _schema(), _system()
    strict = strict_schema(schema, lengths=False)
    form: Any = {"type": "json_schema", "json_schema": {"name": "ImrLetter", "strict": True, "schema": strict}}

    async def ask(text: str) -> Any:
        messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        done = await client.chat.completions.create(model=MODEL, messages=messages, response_format=form)
        return schema.model_validate_json(done.choices[0].message.content or "")

    return ask


def instructor_client(url: str, inflight: int) -> Ask:
    """instructor as its documentation shows it, in JSON schema mode."""
    import instructor
    import openai

    raw = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
    client, schema, system = instructor.from_openai(raw, mode=instructor.Mode.JSON_SCHEMA), _schema(), _system()

    async def ask(text: str) -> Any:
        messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return await client.chat.completions.create(
            model=MODEL, messages=messages, response_model=schema, max_retries=0, strict=False
        )

    return ask


CLIENTS: dict[str, tuple[str, Callable[[str, int], Ask]]] = {
    "extractor": ("letterproof", extractor_client),
    "openai": ("openai", openai_client),
    "instructor": ("instructor", instructor_client),
}


def langextract_run(url: str, letters: list[str], inflight: int) -> None:
    """All letters in one call; its client is synchronous, with threads for the calls."""
    import langextract as lx
    from langextract.providers.openai import OpenAILanguageModel

    model = OpenAILanguageModel(model_id=MODEL, api_key="none", base_url=url, max_workers=inflight)
    example = lx.data.ExampleData(
        text="Back brace: Upheld",
        extractions=[lx.data.Extraction("decision", "Back brace", attributes={"outcome": "upheld"})],
    )
    documents = [lx.data.Document(text=text, document_id=str(i)) for i, text in enumerate(letters)]
    found = lx.extract(
        text_or_documents=documents, prompt_description=_system(), examples=[example], model=model,
        max_workers=inflight, batch_length=inflight, max_char_buffer=100_000, show_progress=False,
    )  # fmt: skip
    assert sum(1 for _ in found) == len(letters)


# ---- one measurement ---------------------------------------------------------------------------


async def _all(ask: Ask, letters: list[str], inflight: int) -> None:
    """A pool of workers over one list: no client waits behind a crowd of its own making."""
    waiting = iter(letters)

    async def work() -> None:
        for text in waiting:
            await ask(text)

    await asyncio.gather(*(work() for _ in range(inflight)))


def measure(name: str, url: str, number: int, inflight: int) -> dict[str, float]:
    """CPU ms a call, calls a second and peak MB of one client in this process."""
    from benchmarks.letters import make

    letters = [make(3, seed=i).text for i in range(number + WARM_UP)]
    if name == "langextract":
        langextract_run(url, letters[:WARM_UP], inflight)
        cpu, wall = time.process_time(), time.perf_counter()
        langextract_run(url, letters[WARM_UP:], inflight)
    else:

        async def both() -> tuple[float, float]:
            ask = CLIENTS[name][1](url, inflight)
            await _all(ask, letters[:WARM_UP], inflight)
            started = time.process_time(), time.perf_counter()
            await _all(ask, letters[WARM_UP:], inflight)
            return started

        cpu, wall = asyncio.run(both())
    spent, passed = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_ms": 1000 * spent / number, "rate": number / passed, "peak_mb": peak}


def measured(python: str, name: str, latency: float, number: int, inflight: int) -> dict[str, float] | None:
    """``measure`` in a fresh process; ``None`` if the client is not installed there."""
    with endpoint(latency) as url:
        words = [python, __file__, "--measure", name, url, str(number), str(inflight)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _version(name: str) -> str:
    package = CLIENTS[name][0] if name in CLIENTS else name
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("--letters", type=int, default=512, help="calls without latency; with latency, for 64 in flight")
    words.add_argument("--rounds", type=int, default=3, help="each figure is the median of so many")
    words.add_argument("--python", default=sys.executable, help="interpreter for langextract")
    options = words.parse_args()
    setups = (("cpu", 0.0, 8, options.letters), ("at 64", LATENCY, 64, 8 * 64), ("at 256", LATENCY, 256, 8 * 256))
    found: dict[str, dict[str, dict[str, float]]] = {}
    names = [*CLIENTS, "langextract"]
    for _ in range(options.rounds):  # round by round, so that a slow minute of the machine hits all
        for name in names:
            for label, latency, inflight, number in setups:
                python = options.python if name == "langextract" else sys.executable
                one = measured(python, name, latency, number, inflight)
                if one:
                    into = found.setdefault(name, {}).setdefault(label, {})
                    for key, value in one.items():
                        into.setdefault(key, []).append(value)  # type: ignore[attr-defined]
    print("| client | CPU ms a call | to bare openai | of ideal at 64 | of ideal at 256 | peak MB at 256 |")
    print("|---|---:|---:|---:|---:|---:|")
    bare = _median(found["openai"], "cpu", "cpu_ms")
    for name, rows in found.items():
        cpu = _median(rows, "cpu", "cpu_ms")
        shares = [_median(rows, f"at {n}", "rate") / (n / LATENCY) for n in (64, 256)]
        peak = _median(rows, "at 256", "peak_mb")
        label = f"{name} {_version(name)}".strip()
        print(f"| {label} | {cpu:.2f} | {cpu / bare:.2f} | {shares[0]:.2f} | {shares[1]:.2f} | {peak:.0f} |")


def _median(rows: dict[str, dict[str, Any]], label: str, key: str) -> float:
    return statistics.median(rows[label][key]) if label in rows else float("nan")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(_serve(float(sys.argv[2])))
    elif sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
    else:
        main()
