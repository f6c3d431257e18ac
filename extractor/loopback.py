"""Which requests a server on 127.0.0.1 answers: those of this machine's own programs and of its own pages.

Any site that a browser shows can send requests to 127.0.0.1, and a foreign name can be made to resolve
to it (DNS rebinding). A browser gives both away: the Host header names the foreign host, the Origin
and Sec-Fetch-Site headers the foreign page. A program sends neither Origin nor Sec-Fetch-Site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

ADDRESS = "127.0.0.1"


def refusal(port: int, values: Callable[[str], Sequence[str]], *names: str) -> str:
    """Why a request to ``port`` is refused; empty if it may pass.

    ``values`` gives all values of one of its headers. ``names`` are host names that are accepted beside
    127.0.0.1.
    """
    hosts, origins, sites = values("host"), values("origin"), values("sec-fetch-site")
    accepted = [f"{name}:{port}" for name in (ADDRESS, *names)]
    if len(hosts) != 1 or hosts[0] not in accepted:
        return "wrong host"
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return "wrong origin"
    if any(site not in ("none", "same-origin") for site in sites):
        return "wrong origin"
    return ""
