"""llama.cpp's own HTTP server, in a child process that ends with the test.

Run as a program it serves one model file: it writes its address on the first line of stdout and
stops when its stdin is closed, which also happens when the parent dies.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def llama_server(model: Path, *, context: int) -> Iterator[str]:
    """The base URL of a server for this model, on a free port of this machine. Its log lies beside the model."""
    log = model.with_suffix(".log")
    with log.open("wb") as errors:
        child = subprocess.Popen(
            [sys.executable, __file__, str(model), str(context)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert child.stdout is not None
            address = child.stdout.readline().strip()
            if not address:
                child.wait(10)
                raise RuntimeError(f"the server did not start (exit {child.returncode}); its log is {log}")
            yield f"{address}/v1"
        finally:
            _stop(child)


def _stop(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    finally:
        child.stdout.close()


def _serve(model: str, context: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = context
    params.n_parallel = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
