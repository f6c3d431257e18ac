"""The process of a local model: llama.cpp's own server, at a free port of this machine, until stdin closes.

The first line of stdin says what to serve, as JSON; the first line of stdout gives the address, or why there is none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any


def serve(wanted: dict[str, Any]) -> None:
    """Serve one model. Ends the process."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = wanted["path"], {wanted["name"]}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [wanted["key"]]
    params.n_ctx, params.n_parallel, params.kv_unified = wanted["context"] * wanted["slots"], wanted["slots"], False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    params.endpoint_slots, params.ui, params.warmup = True, False, False
    # The unchanging beginning stays in each slot; more copies of it would take gigabytes.
    params.cache_ram_mib = 0
    server = xllamacpp.Server(params)
    _answer(address=server.listening_address)
    sys.stdin.read()
    os._exit(0)


def _answer(**fields: str) -> None:
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    # The run decides what becomes of letters in flight; it closes stdin when it ends, and so does its death.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve(json.loads(sys.stdin.readline()))
    except Exception as error:
        _answer(error=f"{type(error).__name__}: {error}")
        sys.exit(1)
