"""A browser's part of HTTP towards a running review."""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Client:
    """A browser's part of HTTP, with everything changeable."""

    address: str
    cookie: str = ""
    last: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str | None) -> tuple[int, str]:
        """Status and body; a header given as ``None`` is left out."""
        sent = {"Host": self.host, "Cookie": self.cookie}
        if method == "POST":
            sent |= {"Origin": f"http://{self.host}", "Content-Type": "application/json"}
        all_headers = {**sent, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            data = body.encode() if isinstance(body, str) else body
            if data is not None and "Content-Length" not in all_headers:
                all_headers["Content-Length"] = str(len(data))
            for name, value in all_headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            self.last = {name.lower(): value for name, value in answer.getheaders()}
            self.raw = answer.read()
            return answer.status, self.raw.decode(errors="replace")
        finally:
            connection.close()

    def enter(self) -> None:
        status, _ = self.ask("GET", urlsplit(self.address).path + "?" + urlsplit(self.address).query)
        assert status == 303
        self.cookie = self.last["set-cookie"].partition(";")[0]

    def act(self, key: str, **request: Any) -> tuple[int, dict[str, Any]]:
        status, text = self.ask("POST", f"/letter/{key}/act", json.dumps(request))
        return status, json.loads(text)

    def version(self, key: str) -> str:
        found = re.search('data-version="([^"]+)"', self.ask("GET", f"/letter/{key}")[1])
        assert found
        return found[1]
