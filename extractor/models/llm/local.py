"""A model that runs on this machine, in a process of the run; letters leave neither."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Mapping
from typing import Any

import httpx2

from extractor.errors import ModelError, ModelNameError
from extractor.models.llm.chat import ChatEndpoint
from extractor.models.llm.retrying import Patience, RetryingModel
from extractor.models.local.machine import SETTINGS, Placement, free_memory, physical_cores, placement, settings_line
from extractor.models.local.process import LocalProcess
from extractor.models.local.weights import Weights, file_of, find_weights
from extractor.models.model import Generating, Question, Reply

# Where requests seem to go; the process's own address takes its place when they do.
_URL = "http://local.invalid/v1"
# Long enough for a slow machine, and what holds for every machine, so that recordings do.
PARAMS = {"temperature": 0.0, "max_tokens": 4_096}
# A reply comes as a whole when its last token is written (s).
TIMEOUT = 3_600.0
MODES = ("json_schema_lengths", "json_schema", "json")
_WATCH = 1.0


class LocalModel(RetryingModel):
    """A model in a process of this run. ``process`` is ``None`` where recordings answer.

    No more letters are asked about at once than there are slots: what waits for a slot does not wait for a reply.
    """

    def __init__(
        self,
        name: str,
        process: LocalProcess | None,
        *,
        mode: str,
        params: Mapping[str, Any],
        transport: httpx2.AsyncBaseTransport | None,
        patience: Patience,
    ) -> None:
        endpoint = LocalEndpoint(name, name.partition("/")[2], process.key if process else "none", _URL, mode, params)
        super().__init__(name, endpoint, transport=transport, patience=patience)
        self.process = process
        self.generating = Generating()
        self._slots: asyncio.Semaphore | None = None
        self._slots_loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, question: Question) -> Reply:
        """As ``RetryingModel``; a letter too long for the context is refused before anything is computed."""
        if self.process is None:
            return await super().ask(question)
        if self._slots is None or self._slots_loop is not asyncio.get_running_loop():
            self._slots, self._slots_loop = asyncio.Semaphore(self.process.place.slots), asyncio.get_running_loop()
        async with self._slots:
            return await super().ask(question)

    def network(self) -> httpx2.AsyncBaseTransport | None:
        """The way to the process."""
        return LocalTransport(self.process, self.generating) if self.process else None


class LocalEndpoint(ChatEndpoint):
    """The chat endpoint of a local model: where it is matters to no answer."""

    @property
    def settings(self) -> dict[str, Any]:
        return {"mode": self.mode, **self.params}


def open_local(
    name: str,
    *,
    mode: str,
    params: Mapping[str, Any],
    transport: httpx2.AsyncBaseTransport | None,
    replay: bool,
    patience: Patience,
) -> LocalModel:
    """The model ``local/FILE.gguf``. ``params`` may hold ``threads``, ``slots`` and ``context`` beside a request's own.

    With ``replay`` neither file nor llama.cpp is needed. Raises ``ModelNameError`` if one is missing, ``UsageError``
    for settings that cannot be used.
    """
    sent = {**PARAMS, **{key: value for key, value in params.items() if key not in SETTINGS}}
    file = name.partition("/")[2]
    if replay:
        return LocalModel(_recorded_name(file), None, mode=mode, params=sent, transport=transport, patience=patience)
    weights, place = open_model_file(name, params)
    process = LocalProcess(weights, place)
    return LocalModel(f"local/{weights.name}", process, mode=mode, params=sent, transport=transport, patience=patience)


def open_model_file(name: str, settings: Mapping[str, Any]) -> tuple[Weights, Placement]:
    """The file of a local model, and its placement on this machine. Raises what ``open_local`` raises."""
    file = name.partition("/")[2]
    if importlib.util.find_spec("xllamacpp") is None:
        hint = "install the extra: pip install 'letterproof[local]'"
        raise ModelNameError(f"model local/{file_of(file)} needs xllamacpp, which is not installed", hint=hint)
    weights = find_weights(file)
    return weights, placement(weights, settings, physical_cores(), free_memory())


def _recorded_name(file: str) -> str:
    """The name under which answers of a file are recorded; without the file it has to be given with its hash."""
    try:
        return f"local/{find_weights(file).name}"
    except ModelNameError:
        return f"local/{file.rpartition('/')[2]}"


class LocalTransport(httpx2.AsyncBaseTransport):
    """Carries requests to the model's process, and starts it for the first one.

    The tokens of a request are counted before it is sent on. Raises ``ModelError`` with the code ``context_length``
    if the context cannot hold them and the answer, and what ``LocalProcess.address`` raises.
    """

    def __init__(self, process: LocalProcess, generating: Generating) -> None:
        self._process = process
        self._generating = generating
        self._inner = httpx2.AsyncHTTPTransport()
        self._watcher: asyncio.Task[None] | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        address = httpx2.URL(await self._process.address())
        await self._refuse_too_long(address, await request.aread())
        self._generating.letters += 1
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch(address))
        request.url = request.url.copy_with(scheme=address.scheme, host=address.host, port=address.port)
        request.headers["host"] = f"{address.host}:{address.port}"
        try:
            response = await self._inner.handle_async_request(request)
            # The letter is done when its whole reply is here.
            data = await response.aread()
        finally:
            self._generating.letters -= 1
        kept = {"content-type": response.headers.get("content-type", "application/json")}
        return httpx2.Response(response.status_code, headers=kept, content=data)

    async def aclose(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        await self._inner.aclose()
        await asyncio.to_thread(self._process.stop)

    async def _refuse_too_long(self, address: httpx2.URL, body: bytes) -> None:
        asked = json.loads(body)
        prompt = await self._call(address, "/apply-template", {"messages": asked["messages"]})
        tokens = await self._call(address, "/tokenize", {"content": prompt["prompt"], "add_special": True})
        taken, answer = len(tokens["tokens"]), int(asked.get("max_tokens") or 0)
        context = self._process.place.context
        if taken + answer <= context:
            return
        weights = self._process.weights
        room = (
            f"the model was trained for {weights.trained_context:,}"
            if weights.trained_context
            else "or lower max_tokens"
        )
        raise ModelError(
            f"letter and prompt take {taken:,} tokens and the answer up to {answer:,}; the context has {context:,}",
            hint=f"raise context in params under {settings_line(weights)} ({room})",
            code="context_length",
        )

    async def _watch(self, address: httpx2.URL) -> None:
        """Count tokens while letters are in flight."""
        while self._generating.letters:
            await asyncio.sleep(_WATCH)
            try:
                slots = await self._call(address, "/slots")
            except (httpx2.HTTPError, ValueError):
                continue
            busy = [slot for slot in slots if slot.get("is_processing")]
            self._generating.read = sum(slot.get("n_prompt_tokens_processed") or 0 for slot in busy)
            self._generating.written = sum(_decoded(slot) for slot in busy)

    async def _call(self, address: httpx2.URL, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._process.key}"}
        request = httpx2.Request("POST" if body is not None else "GET", address.join(path), headers=headers, json=body)
        response = await self._inner.handle_async_request(request)
        return json.loads(await response.aread())


def _decoded(slot: Mapping[str, Any]) -> int:
    return sum(token.get("n_decoded") or 0 for token in slot.get("next_token") or () if isinstance(token, dict))
