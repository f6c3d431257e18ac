"""Recorded answers, for load tests of a whole run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vcr.request import Request  # type: ignore[import-untyped]

from extractor.errors import UsageError
from extractor.models.cassettes.matching import body_sha, changes, endpoint_of
from extractor.models.cassettes.tape import letter_and_recording
from extractor.models.cassettes.tapefile import Persister
from extractor.models.desk.server import DeskRequest, error_reply


class Recordings:
    """Recorded answers, each given to the request it was recorded for, ``latency`` seconds later.

    Where one request was recorded several times (an endpoint that was busy first), the last answer
    counts. Further recordings of a letter and tapes made by hand are left out. A request that was not
    recorded gets a 404, and ``on_missing`` gets a few lines about it that hold nothing of a letter. Raises
    ``CassetteError`` for a tape that cannot be read, and ``UsageError`` if there is none.
    """

    def __init__(self, folder: Path, latency: float = 0.0, on_missing: Callable[[str], object] = str) -> None:
        self._latency = latency
        self._on_missing = on_missing
        self._requests: list[Any] = []
        self._replies: dict[tuple[str, str], tuple[int, bytes]] = {}
        for path in sorted(folder.rglob("*.yaml")):
            if letter_and_recording(path.stem)[1] > 1:
                continue
            requests, responses, head = Persister.load_cassette(str(path))
            if head.get("synthetic"):
                continue
            for request, response in zip(requests, responses, strict=True):
                self._requests.append(request)
                self._replies[_key(request)] = (response["status"]["code"], response["body"]["string"])
        if not self._requests:
            raise UsageError(f"no recordings in {folder}", hint="name a folder of cassettes, e.g. cassettes/imr")

    def reply(self, request: DeskRequest) -> tuple[int, bytes]:
        """The recorded answer to a request."""
        asked = Request("POST", f"http://desk{request.path}", request.body, {})
        found = self._replies.get(_key(asked))
        if self._latency:
            time.sleep(self._latency)
        return found or self._missing(asked)

    def _missing(self, asked: Any) -> tuple[int, bytes]:
        nearest = min((changes(each, asked) for each in self._requests), key=len)
        message = "\n".join(
            [f"no recorded answer: body sha256 {body_sha(asked.body)}; the nearest differs in:", *nearest]
        )
        self._on_missing(message)
        return error_reply(404, "no_recording", message)


def _key(request: Any) -> tuple[str, str]:
    return "/".join(endpoint_of(request)), body_sha(request.body)
