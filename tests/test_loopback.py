"""Who may ask a server on 127.0.0.1."""

from __future__ import annotations

import pytest

from extractor.loopback import refusal


@pytest.mark.parametrize(
    ("hosts", "origins", "sites", "why"),
    [
        (["127.0.0.1:80"], [], [], ""),
        (["127.0.0.1:80"], ["http://127.0.0.1:80"], ["same-origin"], ""),
        (["127.0.0.1:80"], [], ["none"], ""),
        (["localhost:80"], [], [], ""),
        (["localhost:80"], ["http://localhost:80"], [], ""),
        ([], [], [], "wrong host"),
        (["127.0.0.1:80", "127.0.0.1:80"], [], [], "wrong host"),
        (["127.0.0.1"], [], [], "wrong host"),
        (["127.0.0.1:81"], [], [], "wrong host"),
        (["127.0.0.1.evil.example:80"], [], [], "wrong host"),
        (["rebound.evil.example:80"], [], [], "wrong host"),
        (["localhost.evil.example:80"], [], [], "wrong host"),
        (["0.0.0.0:80"], [], [], "wrong host"),
        (["[::1]:80"], [], [], "wrong host"),
        (["127.0.0.1:80"], ["http://evil.example"], [], "wrong origin"),
        (["127.0.0.1:80"], ["null"], [], "wrong origin"),
        (["127.0.0.1:80"], ["https://127.0.0.1:80"], [], "wrong origin"),
        (["127.0.0.1:80"], ["http://127.0.0.1:81"], [], "wrong origin"),
        (["127.0.0.1:80"], ["http://127.0.0.1:80", "http://evil.example"], [], "wrong origin"),
        (["127.0.0.1:80"], [], ["cross-site"], "wrong origin"),
        (["127.0.0.1:80"], [], ["same-site"], "wrong origin"),
    ],
)
def test_who_is_answered(hosts: list[str], origins: list[str], sites: list[str], why: str) -> None:
    headers = {"host": hosts, "origin": origins, "sec-fetch-site": sites}
    assert refusal(80, headers.__getitem__, "localhost") == why


def test_a_name_is_accepted_only_where_it_is_given() -> None:
    assert refusal(80, {"host": ["localhost:80"], "origin": [], "sec-fetch-site": []}.__getitem__) == "wrong host"
