"""The process that a local model runs in: started when it is first needed, gone when the run is."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import sys
import tempfile
from typing import IO

from extractor.errors import UsageError
from extractor.models.local.machine import Placement, settings_line
from extractor.models.local.weights import Weights

# How long the process has to end by itself (s).
_FAREWELL = 5.0
_LOG_TAIL = 20_000
# llama.cpp marks its error lines so.
_ERROR_LINE = re.compile(r"^[\d.]+ E (.*)$|^.*\berror\b.*$", re.MULTILINE)
_LONGEST_REASON = 300


class LocalProcess:
    """One model in a process of its own. Its server asks for ``key``, so that nobody else on this machine uses it."""

    def __init__(self, weights: Weights, place: Placement) -> None:
        self.weights, self.place = weights, place
        self.key = secrets.token_urlsafe(24)
        self._child: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._address = ""
        self._starting = asyncio.Lock()
        self._starts = 0

    async def address(self) -> str:
        """Where the model answers, e.g. ``http://127.0.0.1:40123``; it is started if it does not run.

        Raises ``UsageError`` with the code ``local_model`` if it cannot be loaded, or ended by itself twice.
        """
        async with self._starting:
            if self._child is None or self._child.poll() is not None:
                ended = self._child.poll() if self._child else None
                self.stop()
                if self._starts >= 2:
                    raise self._ended(ended)
                self._starts += 1
                self._address = await asyncio.to_thread(self._start)
            return self._address

    def _start(self) -> str:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen(
            [sys.executable, "-m", "extractor.models.local.serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        wanted = {"path": str(self.weights.path), "name": self.weights.name, "key": self.key, **vars(self.place)}
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps(wanted) + "\n")
            self._child.stdin.flush()
            answer = json.loads(self._child.stdout.readline())
            return str(answer["address"])
        except (OSError, ValueError, KeyError):
            raise self._unloadable() from None

    def _unloadable(self) -> UsageError:
        reason = self._reason()
        self.stop()
        hint = "the file may be damaged, or newer than the installed xllamacpp; a smaller context takes less memory: "
        return UsageError(
            f"llama.cpp cannot load {self.weights.path.name}{reason and f': {reason}'}",
            hint=f"{hint}set context in params under {settings_line(self.weights)}",
            code="local_model",
        )

    def _ended(self, status: int | None) -> UsageError:
        killed = status is not None and status < 0
        why = f"killed by signal {-status}" if killed and status is not None else f"exit code {status}"
        hint = (
            f"it may have run out of memory: set a smaller context, or slots = 1, under {settings_line(self.weights)}"
        )
        return UsageError(f"the process of {self.weights.path.name} ended twice ({why})", hint=hint, code="local_model")

    def _reason(self) -> str:
        """The last error that llama.cpp wrote, without the folder of the file."""
        if self._log is None:
            return ""
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - _LOG_TAIL))
        lines = [match[1] or match[0] for match in _ERROR_LINE.finditer(self._log.read().decode("utf-8", "replace"))]
        text = lines[0].replace(str(self.weights.path), self.weights.path.name).strip() if lines else ""
        return text[:_LONGEST_REASON]

    def stop(self) -> None:
        """End the process; it can be started again."""
        child, self._child = self._child, None
        if child is not None:
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    stream.close()
            try:
                child.wait(_FAREWELL)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._log is not None:
            self._log.close()
            self._log = None
