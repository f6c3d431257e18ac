"""The server: on this machine alone, on a port that is free."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from extractor.errors import UsageError
from extractor.review.app import make_app
from extractor.review.review import Desk


@dataclass(frozen=True)
class Opened:
    """A server that listens, and the address that opens it; the address holds its secret."""

    server: uvicorn.Server
    listening: socket.socket
    address: str

    def run(self) -> None:
        """Serve until interrupted or stopped."""
        with self.listening:
            self.server.run(sockets=[self.listening])


def open_server(desk: Desk, port: int = 0) -> Opened:
    """Listen on a port of 127.0.0.1; 0 is one that is free. Raises ``UsageError`` if it is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise UsageError(f"port {port} cannot be used: {error.strerror}", hint="leave --port out") from error
    listening.listen(64)
    taken = listening.getsockname()[1]
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        make_app(desk, taken, token),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return Opened(uvicorn.Server(config), listening, f"http://127.0.0.1:{taken}/?token={token}")


def serve(desk: Desk, on_start: Callable[[str], None], port: int = 0) -> None:
    """Serve until interrupted; ``on_start`` gets the address. Raises ``UsageError`` if the port is taken."""
    opened = open_server(desk, port)
    on_start(opened.address)
    opened.run()
