"""The desk's server: which requests it takes, and from whom."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from extractor.models.desk import Inbox, desk
from tests.support.desk import running
from tests.support.toy import cli


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/models", None, 200),
        ("/other", None, 404),
        ("/other", b"{}", 404),
        ("/chat/completions", b"not json", 400),
        ("/chat/completions", b"[]", 400),
        ("/chat/completions", b"{}", 400),
        ("/chat/completions", b'{"messages": [1]}', 400),
    ],
)
def test_statuses(tmp_path: Path, path: str, body: bytes | None, status: int) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        try:
            with urllib.request.urlopen(url + path, body, timeout=5) as response:
                got = response.status
                assert len(json.load(response)["data"]) == 1
        except urllib.error.HTTPError as error:
            got = error.code
    assert got == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        port = url.removesuffix("/v1").rpartition(":")[2]
        sent = {name: value.replace("{port}", port) for name, value in headers.items()}
        for path, body in (("/models", None), ("/chat/completions", b'{"messages": []}')):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(url + path, body, sent), timeout=5)
            with refused.value:
                assert refused.value.code == 403
    assert list(tmp_path.iterdir()) == []


def test_it_answers_by_the_name_of_this_machine_too(tmp_path: Path) -> None:
    with running(tmp_path, wait_seconds=0) as url:
        port = url.removesuffix("/v1").rpartition(":")[2]
        request = urllib.request.Request(f"{url}/models", headers={"Host": f"localhost:{port}"})
        with urllib.request.urlopen(request, timeout=5) as response:
            assert response.status == 200


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    server = desk(Inbox(tmp_path / "inbox"))
    server.server_close()
    assert server.server_address[0] == "127.0.0.1"
    assert (tmp_path / "inbox").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing option '--inbox' or '--from-cassettes'"),
        (["--inbox", "a", "--from-cassettes", "b"], "leave out one of them"),
        (["--from-cassettes", "nowhere"], "no recordings in nowhere"),
        (["--inbox", "a", "--port", "PORT"], "name another --port"),
    ],
)
def test_a_usage_error_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(tmp_path / "other") as url:
        port = url.rpartition(":")[2].removesuffix("/v1")
        ran = cli("desk", *(port if word == "PORT" else word for word in words))
    assert ran.code == 2
    assert message in ran.err
