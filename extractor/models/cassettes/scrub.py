"""Secrets: what is left out of a tape, and what looks as if it should have been."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx2
from vcr.filters import decode_response  # type: ignore[import-untyped]
from vcr.request import Request  # type: ignore[import-untyped]

from extractor.models.cassettes.tapefile import parsed_json, to_json

# What is not on the list is not kept.
_RESPONSE_HEADERS = {"content-type", "content-encoding", "retry-after", "retry-after-ms", "openai-processing-ms"}
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_SECRET_QUERY = {"key", "api-key", "api_key", "access_token", "token", "sig", "signature"}
# Only in error texts: there providers name the account; in an answer it could be a word of the letter.
_ACCOUNT = re.compile(rb"\b(org|proj|req|sk)([-_])[A-Za-z0-9_*-]*[0-9*][A-Za-z0-9_*-]*")
_GONE = "scrubbed"


def scrubbed_request(request: httpx2.Request, body: bytes) -> Any:
    """A request in the form that is kept: no key, no user name in the address, no header but the content type."""
    url = urlsplit(str(request.url))
    query = urlencode([(k, v) for k, v in parse_qsl(url.query) if k.lower() not in _SECRET_QUERY])
    uri = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, query, ""))
    headers = {k: v for k, v in request.headers.items() if k.lower() == "content-type"}
    return Request(request.method, uri, body, headers)


def keys_sent(request: httpx2.Request) -> list[str]:
    """The keys in a request's headers, which a reply might quote."""
    sent = (request.headers.get(name, "").rpartition(" ")[2] for name in _KEY_HEADERS)
    return [key for key in sent if len(key) >= 8]


def scrubbed_response(response: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """A response in the form that is kept: unpacked, without account ids, cookies and the ``keys`` that were sent."""
    response = decode_response(response)
    body: bytes = response["body"]["string"]
    if response["status"]["code"] >= 400:
        body = _ACCOUNT.sub(rb"\1\2" + _GONE.encode(), body)
    else:
        body = _without_ids(body)
    for key in keys:
        body = body.replace(key.encode(), _GONE.encode())
    headers = {k: v for k, v in sorted(response["headers"].items()) if k in _RESPONSE_HEADERS}
    return {"status": response["status"], "headers": headers, "body": {"string": body}}


def _without_ids(body: bytes) -> bytes:
    """Blank what differs between two equal answers, so that recording again changes nothing."""
    value = parsed_json(body)
    blanks = {"id": _GONE, "responseId": _GONE, "created": 0}
    if not isinstance(value, dict) or not blanks.keys() & value.keys():
        return body
    return to_json({key: blanks.get(key, inner) for key, inner in value.items()})


# ---- looking for what slipped through --------------------------------------------------------

_LOOKS = {
    "an API key (sk-)": re.compile(r"(?<![A-Za-z0-9])sk-(?=[\w-]*\d|[\w-]{16})[\w-]{6,}"),
    "an authorization header (Bearer)": re.compile(r"\bBearer (?!scrubbed)\S"),
    "an account or request id (org-, proj-, req-)": re.compile(
        r"(?<![A-Za-z0-9])(?:org|proj|req)[-_](?=[A-Za-z]*\d)[A-Za-z0-9]{6,}"
    ),
    "a cookie": re.compile(r"(?im)^\W*(?:set-)?cookie\W*:|__cf_bm|_cfuvid"),
}


def secrets_in(text: str, environment: Mapping[str, str] = os.environ, home: Path | None = None) -> Iterator[str]:
    """What in ``text`` looks like a secret, as ``line N: what``; never the secret itself.

    Keys, bearer tokens, account ids with digits, cookies, the home folder, and the value of every
    environment variable whose name ends in KEY or TOKEN (values of 8 characters and more).
    """
    looks = dict(_LOOKS)
    folder = str(home or Path.home())
    if len(folder) > 1:
        looks["the home folder"] = re.compile(rf"(?<![\w/]){re.escape(folder)}(?![\w-])")
    for name, value in environment.items():
        if name.upper().endswith(("KEY", "TOKEN")) and len(value.strip()) >= 8:
            looks[f"the value of {name}"] = re.compile(re.escape(value.strip()))
    for what, look in looks.items():
        if found := look.search(text):
            yield f"line {text.count(chr(10), 0, found.start()) + 1}: {what}"
