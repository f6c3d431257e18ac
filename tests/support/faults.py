"""Fault tapes: what a model or its endpoint may do wrong, one fault a file, replies written by hand.

    python -m tests.support.faults          write the requests of all fault tapes again

is all that a changed schema, prompt or letter asks for; the replies stay as they were written. A new
fault is a file with ``recorded: {synthetic: true, why: ...}`` and a list of ``- response: ...``.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import yaml

from extractor.errors import ExtractorError
from extractor.models.cassettes import Tape, transport
from extractor.models.cassettes.scrub import scrubbed_request
from extractor.models.cassettes.tapefile import Persister
from extractor.models.llm import open_model
from extractor.models.prompts import load_prompt
from extractor.runs.pipeline import extract
from extractor.runs.plan import Plan
from tests.support.imr import IMR, ROOT, bundled

FOLDER = ROOT / "cassettes" / "imr" / "faults"
LETTER = "dwc-2014-000"
PROMPT = "imr@v1"
MODEL = "openai/fault"
# Calls for one question; more would only make the tapes longer.
TRIES = 2


def plan_for(head: Mapping[str, Any], channel: httpx2.AsyncBaseTransport) -> Plan:
    """The plan a fault is played with: the real pipeline, one round of corrections, two tries a call."""
    params = {**head.get("params", {}), "tries": TRIES, "max_wait": 0.0}
    model = open_model(MODEL, base_url="http://localhost/v1", params=params, transport=channel, replay=True)
    return Plan(IMR, model, load_prompt(ROOT / "prompts" / "imr", PROMPT, "imr"))


def play(path: Path) -> tuple[dict[str, Any] | ExtractorError, Tape]:
    """The record that comes of a fault, or the error where there is none; and the tape as it was played."""
    tape = Tape(FOLDER.parent, LETTER, PROMPT, MODEL)
    tape.path = path

    async def one() -> dict[str, Any]:
        plan = plan_for(tape.head, transport())
        try:
            with tape:
                return (await extract(bundled(LETTER), plan)).as_dict()
        finally:
            await plan.model.aclose()

    try:
        return asyncio.run(one()), tape
    except ExtractorError as error:
        return error, tape


def refresh(path: Path) -> None:
    """Write a fault tape with the requests that are sent today; its replies are given in order, whatever is asked."""
    responses, head = _replies(path)
    requests: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert len(requests) < len(responses), f"{path.name}: more is asked than it answers"
        reply = responses[len(requests)]
        requests.append(scrubbed_request(request, request.content))
        headers = [(name, value) for name, values in reply["headers"].items() for value in values]
        return httpx2.Response(reply["status"]["code"], headers=headers, content=reply["body"]["string"])

    async def one() -> None:
        plan = plan_for(head, httpx2.MockTransport(answer))
        try:
            await extract(bundled(LETTER), plan)
        except ExtractorError:
            pass
        finally:
            await plan.model.aclose()

    asyncio.run(one())
    assert len(requests) == len(responses), f"{path.name}: {len(requests)} of its replies are asked for"
    Persister.save_cassette(
        str(path), {"requests": requests, "responses": responses, "metadata": _head(head, len(requests))}
    )


def _replies(path: Path) -> tuple[list[Any], dict[str, Any]]:
    """The replies of a tape, and its head. Its requests may be anything, or be lacking."""
    tree = yaml.safe_load(path.read_text("utf-8"))
    blank = {"method": "POST", "uri": "http://localhost/", "headers": {}, "body": {"text": ""}}
    tree["interactions"] = [{**each, "request": blank} for each in tree["interactions"]]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, path.name)
        copy.write_text(yaml.safe_dump(tree, allow_unicode=True, explicit_end=True), "utf-8")
        _, responses, head = Persister.load_cassette(str(copy))
    return responses, head


def _head(head: Mapping[str, Any], calls: int) -> dict[str, Any]:
    prompt = load_prompt(ROOT / "prompts" / "imr", PROMPT, "imr")
    return {
        "synthetic": True,
        "why": head["why"],
        "letter": LETTER,
        "letter_sha256": bundled(LETTER).sha256,
        "prompt": PROMPT,
        "prompt_sha256": hashlib.sha256(prompt.text.encode()).hexdigest(),
        "schema_sha256": IMR.schema_sha256,
        "model": MODEL,
        **({"params": head["params"]} if head.get("params") else {}),
        "calls": calls,
    }


def main() -> None:
    """Refresh all fault tapes."""
    for path in sorted(FOLDER.glob("*.yaml")):
        refresh(path)
        print(path.stem)


if __name__ == "__main__":
    main()
