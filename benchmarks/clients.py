"""The clients people use, each as the script one would write: read the letters, ask, parse, keep a line a letter.

    python -m benchmarks.clients NAME URL LETTERS --out FILE [--limit N] [--inflight N]

``openai`` is the bare client's call alone: a pool of workers, the strict schema, one parse, nothing kept.
``instructor`` is plain instructor behind a semaphore; ``instructor-cached`` has its own cache on disk (needs
diskcache). ``curator`` is bespokelabs-curator with its cache. Letters are UTF-8 here.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

MODEL = "benchmark"


def prompt() -> str:
    """The instructions of the first prompt, without their head."""
    return (ROOT / "prompts/imr/v1.md").read_text("utf-8").split("---", 2)[2].strip()


def schema() -> Any:
    """The pydantic class of an answer."""
    from extractor.workspace.workspace import Workspace

    return Workspace(ROOT).letter_type("imr").schema


def lax_schema() -> Any:
    """The same for a client that parses the answer first: dates from text."""
    from extractor.lettertypes.evidence import StrictModel

    form = schema()
    # Inner classes come before those that hold them.
    for each in StrictModel.__subclasses__():
        each.model_config["strict"] = False
        each.model_rebuild(force=True)
    return form


def _messages(system: str, text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": text}]


async def bare_openai(url: str, files: list[Path], inflight: int, out: Path) -> None:
    """The call alone."""
    import openai

    from extractor.models.wire import strict_schema

    client, form, system = openai.AsyncOpenAI(api_key="none", base_url=url), schema(), prompt()
    strict = strict_schema(form, lengths=False)
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "ImrLetter", "strict": True, "schema": strict}}
    waiting = iter(files)

    async def work() -> None:
        for path in waiting:
            messages: Any = _messages(system, path.read_text("utf-8"))
            try:
                done = await client.chat.completions.create(model=MODEL, messages=messages, response_format=wanted)
            except openai.APIError:
                continue
            form.model_validate_json(done.choices[0].message.content or "")

    await asyncio.gather(*(work() for _ in range(inflight)))


async def plain_instructor(url: str, files: list[Path], inflight: int, out: Path, *, cached: bool = False) -> None:
    """All letters at once, held back by a semaphore."""
    import instructor
    import openai

    more: dict[str, Any] = {}
    if cached:
        from instructor.cache import DiskCache

        more = {"cache": DiskCache(directory=str(out.with_suffix(".cache"))), "cache_namespace": "letters"}
    raw = openai.AsyncOpenAI(api_key="none", base_url=url)
    client = instructor.from_openai(raw, mode=instructor.Mode.JSON_SCHEMA, **more)
    form, system, room = schema(), prompt(), asyncio.Semaphore(inflight)
    with out.open("w", encoding="utf-8") as lines:

        async def one(path: Path) -> None:
            async with room:
                messages: Any = _messages(system, path.read_text("utf-8"))
                try:
                    found = await client.chat.completions.create(
                        model=MODEL, messages=messages, response_model=form, strict=False
                    )
                except Exception as error:  # whatever it is, this letter is dropped
                    print(type(error).__name__, file=sys.stderr)
                    return
                lines.write(json.dumps({"letter_id": path.stem, "answer": json.loads(found.model_dump_json())}) + "\n")
                lines.flush()

        await asyncio.gather(*(one(path) for path in files))


async def cached_instructor(url: str, files: list[Path], inflight: int, out: Path) -> None:
    await plain_instructor(url, files, inflight, out, cached=True)


def curator_run(url: str, files: list[Path], inflight: int, out: Path) -> None:
    """One curator call over all letters; it keeps its own loop, and its cache beside ``out``."""
    os.environ.update(TELEMETRY_ENABLED="false", CURATOR_DISABLE_RICH_DISPLAY="1", OPENAI_API_KEY="none")
    os.environ["HF_DATASETS_CACHE"] = str(out.with_suffix(".datasets"))
    # Its token counter would fetch a table from the network; litellm, which it installs, carries that table.
    package = importlib.util.find_spec("litellm")
    if package and package.origin:
        os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(package.origin).parent / "litellm_core_utils/tokenizers")
    from bespokelabs import curator

    form, system = lax_schema(), prompt()

    class Reader(curator.LLM):  # type: ignore[misc]
        response_format = form

        def prompt(self, input: dict[str, str]) -> list[dict[str, str]]:
            return _messages(system, input["text"])

        def parse(self, input: dict[str, str], response: Any) -> dict[str, str]:
            return {"letter_id": input["letter_id"], "answer": response.model_dump_json()}

    params = {
        "base_url": url, "max_requests_per_minute": 1_000_000, "max_tokens_per_minute": 1_000_000_000_000,
        "max_concurrent_requests": inflight, "require_all_responses": False,
    }  # fmt: skip
    if os.environ.get("LIMITS_TOLD"):  # it can read the limit of requests from the headers
        del params["max_requests_per_minute"]
    reader = Reader(model_name="gpt-4o-mini", backend="openai", backend_params=params)
    rows = [{"letter_id": path.stem, "text": path.read_text("utf-8")} for path in files]
    found = reader(rows, working_dir=str(out.with_suffix(".cache")))
    with out.open("w", encoding="utf-8") as lines:
        for row in found.dataset:
            lines.write(json.dumps({"letter_id": row["letter_id"], "answer": json.loads(row["answer"])}) + "\n")


_ASYNC: dict[str, Callable[[str, list[Path], int, Path], Awaitable[None]]] = {
    "openai": bare_openai,
    "instructor": plain_instructor,
    "instructor-cached": cached_instructor,
}


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("name", choices=[*_ASYNC, "curator"])
    words.add_argument("url")
    words.add_argument("letters", type=Path)
    words.add_argument("--out", type=Path, required=True)
    words.add_argument("--limit", type=int)
    words.add_argument("--inflight", type=int, default=64)
    options = words.parse_args()
    files = sorted(options.letters.rglob("*.txt"))[: options.limit]
    if options.name == "curator":
        curator_run(options.url, files, options.inflight, options.out)
    else:
        asyncio.run(_ASYNC[options.name](options.url, files, options.inflight, options.out))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
