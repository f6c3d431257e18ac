"""The one route to an endpoint: how large a reply may be, and where a request may go.

Proxies (HTTPS_PROXY, ALL_PROXY, NO_PROXY) and certificate authorities (SSL_CERT_FILE, SSL_CERT_DIR)
come from the environment. Redirects are not followed: letters and keys go to the address that was
named, not where it may point. Replies are read here, with bounds, before any SDK gets them; a status
other than success is raised here too, because SDKs fail on error bodies of unexpected shape.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import ssl
import urllib.request
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx2
import openai

from extractor.errors import UsageError
from extractor.models.model import Reply
from extractor.models.replies import ReplyError

# Enough for any --concurrency: who waits for a free connection is slowed down by the limiter.
_LIMITS = httpx2.Limits(max_connections=10_000)
# Of an error only the beginning is of use; of a reply that is too large, it is kept.
_ERROR_BYTES = 100_000
_KEPT_BYTES = 20_000
# What can be unpacked here with a bound.
_HEADERS = {"accept-encoding": "gzip, deflate"}
_ZLIB = 47  # zlib and gzip, whichever it is

Hook = Callable[[httpx2.Response], Awaitable[None]]


def open_client(
    timeout: httpx2.Timeout, max_bytes: int, *, transport: httpx2.AsyncBaseTransport | None = None, raw: bool = False
) -> httpx2.AsyncClient:
    """A client for one endpoint. ``transport`` replaces the network.

    ``max_bytes`` bounds a reply, packed and unpacked: a larger one raises ``ReplyError``. A status other
    than 2xx raises ``httpx2.HTTPStatusError`` with the response read, unless ``raw``.
    """
    after = [_bounded(max_bytes)] if raw else [_bounded(max_bytes), _only_success]
    hooks = {"request": [_without_credentials], "response": after}
    options: dict[str, Any] = {"timeout": timeout, "follow_redirects": False, "event_hooks": hooks, "headers": _HEADERS}
    if transport is not None:
        return openai.DefaultAsyncHttpxClient(transport=transport, **options)
    refuse_socks()
    # Takes less CPU a call than the default transport, and lets hundreds be in flight.
    return openai.DefaultAioHttpClient(limits=_LIMITS, verify=_authorities(), **options)


def open_sync_client(timeout: httpx2.Timeout, max_bytes: int) -> httpx2.Client:
    """The same route for calls one at a time. Bodies that are streamed to a file are not bounded here."""
    refuse_socks(only_if_missing=True)

    def bounded(response: httpx2.Response) -> None:
        if response.request.url.path.endswith("/content") and response.is_success:
            return
        data = bytearray()
        for chunk in response.stream:  # type: ignore[union-attr]
            data += chunk
            if len(data) > max_bytes:
                response.close()
                raise _too_large(bytes(data))
        _replace(response, bytes(data), max_bytes)

    return openai.DefaultHttpxClient(
        timeout=timeout,
        follow_redirects=False,
        event_hooks={"response": [bounded]},
        headers=_HEADERS,
        verify=_authorities(),
    )


def _authorities() -> ssl.SSLContext:
    """What certificates are checked against. Reading the system's takes 50 ms of CPU: once, not for each client."""
    return _read_authorities(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _read_authorities(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Both are read from the environment by httpx; they are arguments so that a change takes effect."""
    return httpx2.create_ssl_context()


def refuse_socks(*, only_if_missing: bool = False) -> None:
    """Raise ``UsageError`` where the environment names a SOCKS proxy that cannot be used."""
    if only_if_missing and importlib.util.find_spec("socksio"):
        return
    for scheme, address in urllib.request.getproxies().items():
        if scheme in ("http", "https", "all") and address.lower().startswith("socks"):
            hint = f"name an HTTP proxy in HTTPS_PROXY, or unset {scheme.upper()}_PROXY"
            raise UsageError("SOCKS proxies are not supported", hint=hint, code="proxy")


# ---- bounds ------------------------------------------------------------------------------------


def _bounded(max_bytes: int) -> Hook:
    async def read(response: httpx2.Response) -> None:
        limit = max_bytes if response.is_success else _ERROR_BYTES
        data = bytearray()
        async for chunk in _chunks(response):
            data += chunk
            if len(data) > limit:
                break
        await response.stream.aclose()  # type: ignore[union-attr]
        if len(data) > limit and response.is_success:
            raise _too_large(bytes(data))
        _replace(response, bytes(data[:limit]), limit)

    return read


def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    return response.stream.__aiter__()  # type: ignore[union-attr]


async def _without_credentials(request: httpx2.Request) -> None:
    # They are in a header by now; aiohttp refuses a request that has them in both places.
    request.url = request.url.copy_with(userinfo=b"")


async def _only_success(response: httpx2.Response) -> None:
    if not response.is_success:
        await response.aread()
        raise httpx2.HTTPStatusError(f"HTTP {response.status_code}", request=response.request, response=response)


def _replace(response: httpx2.Response, packed: bytes, limit: int) -> None:
    """Put the whole unpacked body in place of the connection that it came from."""
    try:
        data = unpacked(packed, response.headers.get("content-encoding", ""), limit)
    except httpx2.DecodingError:
        if response.is_success:
            raise
        data = b""
    response.headers.pop("content-encoding", None)
    if len(data) > limit:
        if response.is_success:
            raise _too_large(data)
        data = data[:limit]
    response.stream = httpx2.ByteStream(data)


def unpacked(data: bytes, encodings: str, limit: int) -> bytes:
    """``data`` without its content encodings, at most one byte more than ``limit``. Raises ``httpx2.DecodingError``."""
    for encoding in reversed([each.strip().lower() for each in encodings.split(",")]):
        if encoding in ("gzip", "x-gzip", "deflate"):
            data = b"".join(_inflated(data, limit))
        elif encoding not in ("", "identity"):
            raise httpx2.DecodingError("a packing that was not asked for")
    return data


def _inflated(data: bytes, limit: int) -> Iterator[bytes]:
    raw = data[:1] not in (b"\x1f", b"\x78")
    left = limit + 1
    while data and left > 0:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if raw else _ZLIB)
        try:
            part = unpacker.decompress(data, left)
        except zlib.error:
            raise httpx2.DecodingError("a body that is not encoded as declared") from None
        left -= len(part)
        if not unpacker.eof and left > 0:
            raise httpx2.DecodingError("a packed body that broke off")
        yield part
        # A gzip body may hold several members.
        data = unpacker.unused_data


def _too_large(data: bytes) -> ReplyError:
    return ReplyError("too_large", Reply(data[:_KEPT_BYTES].decode("utf-8", "replace"), finish="too_large"))
