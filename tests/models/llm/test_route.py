"""The route to an endpoint: bounds of a reply, errors inside a success, proxies, certificates, storms."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import ssl
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.errors import ModelError, TransportError, UsageError
from extractor.models.cassettes import Tape, transport
from extractor.models.limits import Bounds, Limiter
from extractor.models.llm import Patience, open_model
from extractor.models.llm import route as client_route
from extractor.models.llm.batches import BatchClient, BatchWire
from extractor.models.llm.failures import EndpointLabel, lost
from extractor.models.llm.route import unpacked
from extractor.models.replies import ReplyError, error_status
from tests.support.asking import EVERY_WIRE, KEY, WIRES, Wire, question
from tests.support.loopback import Canned, ask_once, endpoint, message, refusal

BOMB = gzip.compress(b" " * 50_000_000)
LIMIT = 200_000


def failure(wire: Wire, reply: Canned, **params: Any) -> tuple[Any, int]:
    with endpoint([reply]) as server, pytest.raises(ModelError) as caught:
        asyncio.run(ask_once(wire.open(server, **params), question()))
    return caught.value, len(server.asked)


# ---- size and time -------------------------------------------------------------------------------

TOO_LARGE = {
    "a large body": Canned(body=b" " * (LIMIT + 1)),
    "a small one that unpacks to 50 MB": Canned(body=BOMB, headers={"Content-Encoding": "gzip"}),
    "the same packed twice": Canned(body=gzip.compress(BOMB), headers={"Content-Encoding": "gzip, gzip"}),
    "no end": Canned(endless=b"x" * 65_536),
    "no end, with an error status": Canned(status=500, endless=b"x" * 65_536),
}


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_reply_has_a_size(wire: Wire, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error, calls = failure(wire, TOO_LARGE[name], max_reply_bytes=LIMIT, tries=1)
    assert (error.code, calls) == ("server" if TOO_LARGE[name].status == 500 else "too_large", 1)
    if isinstance(error, ReplyError):
        assert len(error.reply.text) <= 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KB


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_call_has_a_deadline_whatever_drips_in(wire: Wire) -> None:
    started = time.perf_counter()
    error, calls = failure(wire, Canned(endless=b" ", pace=0.05), deadline=0.5, timeout=5.0, tries=1)
    assert (error.code, calls) == ("timeout", 1)
    assert "0.5 s" in error.message
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"text"), "gzip"),
        (gzip.compress(b"te") + gzip.compress(b"xt"), "x-gzip"),
        (zlib.compress(b"text"), "deflate"),
        (zlib.compress(b"text")[2:-4], "deflate"),
        (gzip.compress(zlib.compress(b"text")), "deflate, gzip"),
        (b"text", "identity"),
        (b"text", ""),
    ],
    ids=["gzip", "two members", "zlib", "raw deflate", "packed twice", "identity", "nothing named"],
)
def test_packed_bodies(body: bytes, encoding: str) -> None:
    assert unpacked(body, encoding, 100) == b"text"


def test_a_packing_that_was_not_asked_for_is_a_lost_call() -> None:
    error, _ = failure(WIRES["openai"], Canned(body=b"x", headers={"Content-Encoding": "br"}), tries=1)
    assert error.code == "unreachable"


@pytest.mark.parametrize("setting", [{"max_reply_bytes": 0}, {"timeout": -1}, {"deadline": "soon"}, {"tries": True}])
def test_settings_are_positive_numbers(setting: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="positive number"):
        Patience(**setting)


def test_batches_have_the_same_bound() -> None:
    with endpoint([Canned(endless=b"x" * 65_536)]) as server:
        wire = BatchWire(WIRES["openai"].open(server, max_reply_bytes=LIMIT, tries=1))
        with BatchClient(wire) as client, pytest.raises(ModelError):
            client.start("file-1")


# ---- errors inside a success ---------------------------------------------------------------------

INSIDE: dict[str, tuple[Any, int | None]] = {
    "a status": ({"error": {"code": 429, "message": "x"}}, 429),
    "a status as text": ({"error": {"code": "503"}}, 503),
    "Google": ({"error": {"code": 503, "status": "UNAVAILABLE"}}, 503),
    "Google by name": ({"error": {"status": "RESOURCE_EXHAUSTED"}}, 429),
    "Anthropic": ({"type": "error", "error": {"type": "overloaded_error"}}, 503),
    "OpenAI": ({"error": {"code": "rate_limit_exceeded", "type": "requests"}}, 429),
    "no quota": ({"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, 402),
    "a wrong key": ({"error": {"code": "invalid_api_key", "type": "invalid_request_error"}}, 401),
    "a bad request": ({"error": {"type": "invalid_request_error", "param": "seed"}}, 400),
    "a sentence": ({"error": "Rate limit reached"}, 429),
    "no name": ({"error": {"message": "upstream"}}, 502),
    "an odd error": ({"error": [1]}, 502),
    "in the choice": ({"choices": [{"error": {"code": 502}, "message": {"content": ""}}]}, 502),
    "no choices": ({"choices": [], "error": {"code": 500}}, 500),
    "no error": ({"choices": []}, None),
    "error null": ({"choices": [], "error": None}, None),
    "an answer beside it": ({"choices": [{"message": {"content": "{}"}}], "error": {"code": 500}}, None),
}


@pytest.mark.parametrize("name", INSIDE)
def test_an_error_inside_a_success_has_its_status(name: str) -> None:
    body, status = INSIDE[name]
    assert error_status(body) == status


@pytest.mark.parametrize("wire", EVERY_WIRE)
@pytest.mark.parametrize(
    ("body", "code", "calls"),
    [
        ({"error": {"code": 429}}, "rate_limited", 3),
        ({"error": {"code": 502}}, "server", 3),
        ({"error": "upstream failed"}, "server", 3),
        ({"error": {"code": 401}}, "auth", 1),
        ({"error": {"code": 400, "type": "invalid_request_error"}}, "bad_request", 1),
    ],
)
@pytest.mark.sample(6)
def test_it_is_retried_or_final_like_the_status(wire: Wire, body: Any, code: str, calls: int) -> None:
    error, asked = failure(wire, Canned(body=json.dumps(body).encode()))
    assert (error.code, asked) == (code, calls)
    assert not isinstance(error, ReplyError)


def test_a_batch_takes_it_as_an_error_to_ask_again() -> None:
    wire = BatchWire(WIRES["openai"].at("http://127.0.0.1:9/v1"))
    with pytest.raises(TransportError) as caught:
        wire.reply({"status_code": 200, "body": {"error": {"code": 503}}}, None)
    assert caught.value.code == "server"


def test_it_is_never_recorded(tmp_path: Path) -> None:
    async def recorded(url: str) -> bool:
        model = open_model("openai/m", base_url=url, params={"tries": 1}, transport=transport())
        tape = Tape(tmp_path, "a", "p@v1", "openai/m", mode="record")
        try:
            with tape:
                await model.ask(question())
        except TransportError:
            pass
        finally:
            await model.aclose()
        return tape.saved

    with endpoint([Canned(body=b'{"error": {"code": 503}}'), message()]) as server:
        assert [asyncio.run(recorded(server.url)) for _ in range(2)] == [False, True]


# ---- storms --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"retry_after": "0"}, {"retry_after_ms": "0"}, {"retry_after": "Fri, 01 Jan 2021 00:00:00 GMT"}]
)
@pytest.mark.sample(1)
def test_a_pause_of_nothing_is_no_licence(headers: dict[str, str]) -> None:
    """One letter, then eight at once, for two seconds of nothing but refusals."""

    async def storm(url: str) -> None:
        model = WIRES["openai"].at(url, max_wait=60.0)
        model.limiter = Limiter(Bounds())
        asking = [asyncio.create_task(model.ask(question(f"letter {i}"))) for i in range(9)]
        await asyncio.sleep(2.0)
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await model.aclose()

    with endpoint([refusal(429, **headers)]) as server:
        asyncio.run(storm(server.url))
    assert 2 <= len(server.asked) <= 20


def test_without_a_limiter_there_is_a_floor_too() -> None:
    started = time.perf_counter()
    failure(WIRES["openai"], refusal(429, retry_after="0"), max_wait=60.0)
    assert time.perf_counter() - started > 0.5


def test_a_limit_smaller_than_one_call_is_disbelieved() -> None:
    async def three(url: str) -> Limiter:
        model = WIRES["openai"].at(url)
        model.limiter = Limiter(Bounds())
        try:
            for _ in range(3):
                await asyncio.wait_for(model.ask(question()), 10)
        finally:
            await model.aclose()
        return model.limiter

    exhausted = {"x-ratelimit-limit-tokens": "1", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1s"}
    with endpoint([replace(message(), headers=exhausted)]) as server:
        limiter = asyncio.run(three(server.url))
    assert limiter.tokens.per_minute is None


def test_what_is_waited_for_is_known() -> None:
    now = 100.0
    limiter = Limiter(Bounds(), alone=False, clock=lambda: now)

    async def call() -> Any:
        return await limiter.permit(100)

    first = asyncio.run(call())
    assert limiter.waiting is None
    limiter.refused(first, {}, 3.0, 60.0)
    assert limiter.waiting is not None
    assert (limiter.waiting.reason, round(limiter.waiting.seconds)) == ("pause", 3)


# ---- where it may go -----------------------------------------------------------------------------


def test_recording_goes_out_by_the_same_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(url: str, **options: Any) -> None:
        await ask_once(open_model("openai/m", base_url=url, params={"tries": 1}, **options), question())

    for name in ("http_proxy", "no_proxy", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with endpoint([message()]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        asyncio.run(ask("http://model.invalid/v1"))
        with Tape(tmp_path, "a", "p@v1", "openai/m", mode="record"):
            asyncio.run(ask("http://model.invalid/v1", transport=transport()))
    assert [asked.path for asked in proxy.asked] == ["http://model.invalid/v1/chat/completions"] * 2


def test_a_socks_proxy_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@127.0.0.1:1080")
    with pytest.raises(UsageError, match="SOCKS") as caught:
        asyncio.run(ask_once(WIRES["openai"].at("http://127.0.0.1:9/v1"), question()))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wire", EVERY_WIRE)
def test_a_redirect_carries_no_key_anywhere(wire: Wire) -> None:
    with endpoint([message()]) as other:
        moved = Canned(307, b"", {"Location": f"{other.root}/v1/chat/completions"})
        error, calls = failure(wire, moved)
    assert (error.code, calls, other.asked) == ("moved", 1, [])
    assert KEY not in str(error)


def test_an_untrusted_certificate_is_named_and_not_retried() -> None:
    error = OSError()
    error.__cause__ = ssl.SSLCertVerificationError()
    failed = lost(error, EndpointLabel("openai/m", "https://gateway.example/v1", "OPENAI_API_KEY"), 5.0)
    assert (failed.error.code, failed.again) == ("certificate", False)
    assert "SSL_CERT_FILE" in failed.error.hint


def test_credentials_in_the_address_go_into_a_header() -> None:
    with endpoint([message()]) as server:
        url = server.url.replace("http://", "http://user:secret@")
        asyncio.run(ask_once(WIRES["openai"].at(url), question()))
    assert server.asked[0].headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="


def test_certificate_authorities_are_read_once_for_each_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    system = client_route._authorities()
    assert client_route._authorities() is system
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert client_route._authorities() is not system
