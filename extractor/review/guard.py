"""The checks before every request to the app: only this machine's own page, with its cookie, gets an answer.

Besides the Host and Origin checks, a request must carry a secret that only the printed address grants.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extractor import loopback

MOST_BODY = 64 * 1024
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


class Guard:
    """ASGI middleware of an app on ``port`` of 127.0.0.1.

    The address with ``token`` can be opened any number of times while the app runs. It gives the browser a
    session cookie with another secret; once the browser is closed, the address is needed again.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self.app = app
        self.port = port
        self.token = token
        self.cookie = f"review_{port}"
        self.secret = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = self._refusal(scope)
        if answer is None:
            await self.app(scope, _bounded(receive), _with_headers(send))
        else:
            await answer(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """The response that refuses the request; ``None`` lets it through."""
        headers = Headers(scope=scope)
        if why := loopback.refusal(self.port, headers.getlist):
            return _no(403, why)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _no(405, "method not allowed")
        if scope["method"] == "POST" and (refused := self._post_refusal(headers)):
            return refused
        token = QueryParams(scope["query_string"].decode("latin-1")).get("token")
        if token is not None and scope["method"] == "GET" and scope["path"] == "/":
            return self._let_in() if _equal(token, self.token) else _no(403, "wrong token")
        if not _equal(cookie_parser(headers.get("cookie", "")).get(self.cookie, ""), self.secret):
            return _no(403, "open the address that `extractor review` printed")
        return None

    def _post_refusal(self, headers: Headers) -> Response | None:
        if "origin" not in headers:
            return _no(403, "wrong origin")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _no(415, "not JSON")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdecimal()) or int(length) > MOST_BODY:
            return _no(413, "too long")
        return None

    def _let_in(self) -> Response:
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self.cookie, self.secret, httponly=True, samesite="strict", path="/")
        return answer


class TooLongError(Exception):
    """A request body is too long."""


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BODY:
            raise TooLongError
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            names = {name.lower() for name, _ in message["headers"]}
            more = {
                **_HEADERS,
                **({} if b"content-security-policy" in names else {"Content-Security-Policy": _NO_PAGE}),
            }
            message["headers"] = [*message["headers"], *((n.encode(), v.encode()) for n, v in more.items())]
        await send(message)

    return sending


def _equal(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status_code=status)
