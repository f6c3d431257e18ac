"""The server of a review, asked over the wire: who is let in, what may be sent, and what comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from extractor.letters.spans import Span
from extractor.lettertypes.findings import Finding
from extractor.review.guard import MOST_BODY
from extractor.review.queue import Query, key_of
from extractor.review.review import Desk
from tests.support import makepdf
from tests.support.reviewer import Client
from tests.support.reviews import desk_of, kind_of, lines, lost, record_of, served, spoil, store, write_run
from tests.support.toy import NOTES, cli, write_toy

BLUE = key_of("blue")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, {"blue": lost, "red": lost})
    return tmp_path


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with served(desk_of(root)) as address:
        found = Client(address)
        found.enter()
        yield found


# ---- who is let in ------------------------------------------------------------------------------


def test_it_listens_on_this_machine_and_the_address_holds_a_long_secret(client: Client) -> None:
    parts = urlsplit(client.address)
    assert parts.hostname == "127.0.0.1"
    assert len(parts.query.removeprefix("token=")) >= 40
    assert client.cookie.partition("=")[2] not in client.address


def test_the_cookie_is_for_this_page_alone(client: Client) -> None:
    client.enter()
    cookie = client.last["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.last["location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Cookie": ""}, 403),
        ({"Cookie": "review_1=x"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost"}, 403),
        ({"Host": None}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
    ],
)
@pytest.mark.sample(4)
def test_every_look_is_guarded(client: Client, headers: dict[str, str | None], status: int) -> None:
    for path in ("/", f"/letter/{BLUE}", f"/letter/{BLUE}/input?path=/carrier"):
        assert client.ask("GET", path, **headers)[0] == status, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Cookie": ""}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": None}, 415),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_every_act_is_guarded(client: Client, root: Path, headers: dict[str, str | None], status: int) -> None:
    request = json.dumps({"act": "accept", "version": client.version(BLUE)})
    assert client.ask("POST", f"/letter/{BLUE}/act", request, **headers)[0] == status
    assert not (root / "out" / "review.jsonl").exists()


def test_the_address_lets_a_browser_in_as_often_as_it_is_opened(client: Client) -> None:
    first = client.cookie
    other = Client(client.address)
    other.enter()
    client.enter()
    assert first == client.cookie == other.cookie
    assert "max-age" not in client.last["set-cookie"].lower()
    assert other.ask("GET", "/")[0] == 200


def test_the_address_of_an_earlier_server_lets_nobody_in(client: Client, root: Path) -> None:
    with served(desk_of(root)) as address:
        other = Client(address)
        assert other.ask("GET", f"/?{urlsplit(client.address).query}")[0] == 403
        other.cookie = client.cookie
        assert other.ask("GET", "/")[0] == 403


@pytest.mark.parametrize("token", ["", "x", "\u00e9", "x" * 5000])
def test_a_wrong_token_lets_nobody_in(client: Client, token: str) -> None:
    assert client.ask("GET", f"/?token={token.encode().hex()}", Cookie="")[0] == 403
    assert "set-cookie" not in client.last


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client.ask(method, "/")[0] == 405


def test_every_answer_says_what_its_page_may_do(client: Client) -> None:
    for path in ("/", f"/letter/{BLUE}", "/nothing", "/letter/nothing"):
        client.ask("GET", path)
        policy = client.last["content-security-policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        sent = {name: client.last[name] for name in ("x-content-type-options", "cache-control", "referrer-policy")}
        assert sent == {
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "referrer-policy": "same-origin",
        }


# ---- pictures of pages --------------------------------------------------------------------------


@pytest.fixture
def of_pdf(tmp_path: Path) -> Iterator[Client]:
    """A run over ``blue.pdf``, of one page, and ``red.txt``."""
    write_toy(tmp_path)
    letters = tmp_path / "pages"
    letters.mkdir()
    (letters / "blue.pdf").write_bytes(makepdf.typeset(NOTES["blue"]))
    (letters / "red.txt").write_text(NOTES["red"], "utf-8")
    assert cli("run", letters, "--out", tmp_path / "out", "--workspace", tmp_path).code in (0, 1)
    desk = Desk(tmp_path / "out", kind_of(tmp_path), [[letters]], "Ada")
    with served(desk) as address:
        found = Client(address)
        found.enter()
        yield found


def test_a_page_comes_as_a_picture_that_nobody_keeps(of_pdf: Client) -> None:
    status, _ = of_pdf.ask("GET", f"/letter/{BLUE}/page/1")
    assert status == 200
    assert of_pdf.raw.startswith(b"\x89PNG\r\n")
    assert (of_pdf.last["content-type"], of_pdf.last["cache-control"]) == ("image/png", "no-store")
    html = of_pdf.ask("GET", f"/letter/{BLUE}")[1]
    assert f'<img src="/letter/{BLUE}/page/1" width="612" height="792"' in html
    assert html.count("<path ") >= 5
    assert "<img" not in of_pdf.ask("GET", f"/letter/{key_of('red')}")[1]


@pytest.mark.parametrize("page", ["0", "2", "-1", "1.0", "x", "", "9" * 400, "..%2f1", "1%00"])
@pytest.mark.sample(3)
def test_no_other_page_is_drawn(of_pdf: Client, page: str) -> None:
    assert of_pdf.ask("GET", f"/letter/{BLUE}/page/{page}")[0] == 404
    assert of_pdf.ask("GET", f"/letter/{key_of('red')}/page/1")[0] == 404
    assert of_pdf.ask("GET", f"/letter/{BLUE}/page/1", Cookie="")[0] == 403


def test_a_file_that_changes_or_goes_is_not_drawn(of_pdf: Client, tmp_path: Path) -> None:
    path = tmp_path / "pages" / "blue.pdf"
    assert of_pdf.ask("GET", f"/letter/{BLUE}/page/1")[0] == 200
    path.write_bytes(makepdf.typeset(NOTES["slow"]))
    status, html = of_pdf.ask("GET", f"/letter/{BLUE}/page/1")
    assert (status, "has changed" in html) == (422, True)
    path.unlink()
    status, html = of_pdf.ask("GET", f"/letter/{BLUE}/page/1")
    assert (status, "is gone" in html) == (422, True)


# ---- what may be sent ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/letter/../../etc/passwd", "/letter/..%2f..%2fetc%2fpasswd", "/letter/blue", "/letter/%00", "//etc/passwd",
        "/static/review.js", "/review.jsonl", "/letter/blue.txt", f"/letter/{BLUE}/input?path=/../../etc/passwd",
        f"/letter/{BLUE}/input", f"/letter/{BLUE}/input?path=/parcels/0",
    ],
)  # fmt: skip
@pytest.mark.sample(4)
def test_no_path_reaches_the_file_system(client: Client, path: str) -> None:
    status, text = client.ask("GET", path)
    assert status == 404
    assert "root:" not in text


def test_bodies_are_bounded(client: Client) -> None:
    path = f"/letter/{BLUE}/act"
    assert client.ask("POST", path, b"x" * (MOST_BODY + 1))[0] == 413
    assert client.ask("POST", path, b"{}", Content_Length="99999999999")[0] == 413
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n" + b"10000\r\n" + b"x" * 0x10000 + b"\r\n0\r\n\r\n"
    assert client.ask("POST", path, chunk, Transfer_Encoding="chunked", Content_Length=None)[0] == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"act": "accept"}, 409),
        ({"act": "burn"}, 422),
        ({}, 409),
        ({"act": ["accept"]}, 422),
        ({"act": "correct"}, 422),
        ({"act": "correct", "path": "/parcels/0/state", "text": 7}, 422),
        ({"act": "correct", "path": "/parcels/0/state", "text": "burnt"}, 422),
        ({"act": "correct", "path": "/parcels/0/state", "text": "lost"}, 422),
        ({"act": "correct", "path": "/nothing", "text": "x"}, 404),
        ({"act": "correct", "path": "/carrier", "text": "x" * 20_001}, 422),
        ({"act": "remove", "path": "/carrier"}, 404),
        ({"act": "remove", "path": "/parcels/7"}, 404),
        ({"act": "add", "path": "/parcels"}, 422),
        ({"act": "evidence", "path": "/carrier", "spans": [[0, 99_999]]}, 422),
        ({"act": "evidence", "path": "/carrier", "spans": [[5, 5]]}, 422),
        ({"act": "evidence", "path": "/carrier", "spans": [[True, 5]]}, 422),
        ({"act": "evidence", "path": "/carrier", "spans": "abc"}, 422),
        ({"act": "evidence", "path": "/carrier", "spans": []}, 422),
        ({"act": "evidence", "path": "/parcels/0", "spans": [[0, 5]]}, 404),
        ({"act": "comment", "note": " "}, 422),
        ({"act": "comment", "note": "x" * 4_001}, 422),
        ({"act": "comment", "note": "x", "path": "/nothing"}, 404),
        ({"act": "undo"}, 422),
    ],
)
@pytest.mark.sample(12)
def test_what_cannot_be_done_is_refused_and_leaves_no_trace(
    client: Client, root: Path, data: dict[str, Any], status: int
) -> None:
    version = {} if status == 409 else {"version": client.version(BLUE)}
    got, answer = client.act(BLUE, **data, **version)
    assert (got, bool(answer["error"])) == (status, True)
    assert not (root / "out" / "review.jsonl").exists()


@pytest.mark.parametrize("body", ["", "[]", "7", "{", "[" * 30_000, '"x"', "\x00"])
def test_what_is_not_json_is_refused(client: Client, body: str) -> None:
    assert client.ask("POST", f"/letter/{BLUE}/act", body)[0] in (404, 422)


# ---- what comes of it ---------------------------------------------------------------------------


def test_progress_is_kept_between_starts(client: Client, root: Path) -> None:
    status, answer = client.act(BLUE, act="accept", version=client.version(BLUE), confirmed=True)
    assert (status, answer["decided"], answer["next"]) == (200, "accepted", f"/letter/{key_of('red')}")
    with served(desk_of(root, "Bob")) as address:
        again = Client(address)
        again.enter()
        assert "1 letter needs a person" in again.ask("GET", "/")[1]
        assert "accepted by Ada" in again.ask("GET", f"/letter/{BLUE}")[1]


def test_accepting_open_errors_is_asked_once(client: Client, root: Path) -> None:
    status, answer = client.act(BLUE, act="accept", version=client.version(BLUE))
    assert (status, [each["field"] for each in answer["left"]]) == (200, ["parcels/state"])
    assert not (root / "out" / "review.jsonl").exists()
    client.act(BLUE, act="accept", version=client.version(BLUE), confirmed=True)
    [line] = lines(root / "out")
    assert line["open_errors"] == [{"code": "value_differs", "path": "/parcels/0/state"}]


def test_what_the_letter_says_is_taken_by_the_number_of_a_finding(client: Client, root: Path) -> None:
    version = client.version(BLUE)
    for number in (7, -1, "0", None, True):
        assert client.act(BLUE, act="take", finding=number, version=version)[0] == 404
    assert client.act(BLUE, act="take", finding=0, version=version)[0] == 200
    [line] = lines(root / "out")
    assert (line["act"], line["new"], line["source"]) == ("correct", "delivered", "letter")
    status, text = client.ask("POST", "/undo", "{}")
    assert (status, json.loads(text)["letter"]) == (200, f"/letter/{BLUE}")
    assert client.ask("POST", "/undo", "{}")[0] == 422


def test_an_undo_goes_back_through_letters_and_stops_at_another_reviewer(client: Client, root: Path) -> None:
    red = key_of("red")
    for key in (BLUE, red):
        assert client.act(key, act="reject", reason="other", version=client.version(key))[0] == 200
    with served(desk_of(root, "Bob")) as address:
        other = Client(address)
        other.enter()
        assert other.ask("POST", "/undo", "{}")[0] == 422
        assert other.act(BLUE, act="comment", note="mine", version=other.version(BLUE))[0] == 200
    assert json.loads(client.ask("POST", "/undo", "{}")[1])["letter"] == f"/letter/{red}"
    status, text = client.ask("POST", "/undo", "{}")
    assert (status, "changed after your act" in text) == (422, True)


@pytest.mark.parametrize(("reason", "status"), [("unreadable", 200), ("no_such", 422), (7, 422)])
def test_a_reason_for_rejecting_is_one_of_a_list(client: Client, reason: Any, status: int) -> None:
    assert client.act(BLUE, act="reject", reason=reason, version=client.version(BLUE))[0] == status


def test_letters_with_one_kind_of_warning_are_accepted_and_undone_together(tmp_path: Path) -> None:
    out = write_run(tmp_path, {}, {f"n{i}": f"PARCEL NOTE of A\nPARCEL {i}: lost\n" for i in range(3)})
    warning = Finding("parcel_lost", "/parcels/0/state", "warning", "letter", "a parcel is lost", span=Span(17, 31))
    store(out, *(replace(record_of(out, f"n{i}"), findings=(warning,)) for i in range(3)))
    with served(desk_of(tmp_path)) as address:
        client = Client(address)
        client.enter()
        assert (
            "Accept the 3 letters that have only this warning"
            in client.ask("GET", "/?part=unflagged&code=parcel_lost")[1]
        )
        page = client.ask("GET", "/together?part=unflagged&code=parcel_lost")[1]
        pairs = re.findall('data-key="([^"]+)" data-version="([^"]+)"', page)
        assert (len(pairs), page.count('<mark class="letter">PARCEL')) == (3, 3)
        request = {"code": "parcel_lost", "letters": [list(pair) for pair in pairs]}
        assert client.ask("POST", "/together", json.dumps({**request, "code": "other"}))[0] == 422
        stale = [*request["letters"][:2], [pairs[2][0], "7.x"]]
        assert client.ask("POST", "/together", json.dumps({**request, "letters": stale}))[0] == 409
        assert not (out / "review.jsonl").exists()
        assert json.loads(client.ask("POST", "/together", json.dumps(request))[1]) == {"summary": "3 letters accepted"}
        assert client.ask("GET", "/together?part=unflagged&code=parcel_lost")[0] == 422
        assert "3 letters" in client.ask("POST", "/undo", "{}")[1]
    assert [line["act"] for line in lines(out)] == ["accept"] * 3 + ["undo"] * 3


def test_two_servers_on_one_run(client: Client, root: Path) -> None:
    version = client.version(BLUE)
    with served(desk_of(root, "Bob")) as address:
        other = Client(address)
        other.enter()
        assert other.act(BLUE, act="comment", note="mine", version=other.version(BLUE))[0] == 200
        status, answer = client.act(BLUE, act="accept", version=version)
        assert (status, answer["since"][0].startswith("Bob: commented: mine")) == (409, True)
        assert client.act(BLUE, act="accept", version=client.version(BLUE), confirmed=True)[0] == 200
    assert [(line["by"], line["number"]) for line in lines(root / "out")] == [("Bob", 1), ("Ada", 2)]


def test_an_answer_that_the_run_replaced_is_not_decided(client: Client, root: Path) -> None:
    version = client.version(BLUE)

    def found(answer: dict[str, Any]) -> None:
        answer["carrier"] = None

    spoil(root, "blue", found)
    assert client.act(BLUE, act="accept", version=version)[0] == 409
    assert client.act(BLUE, act="accept", version=client.version(BLUE), confirmed=True)[0] == 200


def test_a_letter_whose_text_changed_cannot_be_accepted(client: Client, root: Path) -> None:
    (root / "letters" / "blue.txt").write_text("PARCEL NOTE of another\n", "utf-8")
    assert "has changed" in client.ask("GET", f"/letter/{BLUE}")[1]
    assert client.act(BLUE, act="accept", version=client.version(BLUE))[0] == 422
    assert client.act(BLUE, act="skip", version=client.version(BLUE))[0] == 200


def test_a_correction_is_tried_without_being_kept(client: Client, root: Path) -> None:
    request = {"path": "/parcels/0/state", "text": "delivered"}
    status, text = client.ask("POST", f"/letter/{BLUE}/try", json.dumps(request))
    assert (status, json.loads(text)) == (200, {"same": False, "findings": [], "resolved": 1})
    request = {"path": "/parcels/1/on", "text": "03/05/2020"}
    [finding] = json.loads(client.ask("POST", f"/letter/{BLUE}/try", json.dumps(request))[1])["findings"]
    assert (finding["look"], finding["field"]) == ("answer", "parcels/on")
    assert not (root / "out" / "review.jsonl").exists()
    assert record_of(root / "out", "blue").answer["parcels"][0]["state"] == "lost"


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ("", ["blue", "red"]),
        ("?part=unflagged", ["slow"]),
        ("?part=all", ["blue", "red", "slow"]),
        ("?part=nothing", ["blue", "red"]),
        ("?part=all&find=cart", ["red"]),
        ("?part=all&status=accepted", ["slow"]),
        ("?part=all&code=value_differs", ["blue", "red"]),
        ("?part=all&field=parcels/state", ["blue", "red"]),
        ("?part=all&outcome=delivered", []),
        ("?part=all&outcome=lost", ["blue", "red", "slow"]),
        ("?part=all&prompt=parcel%40v1", ["blue", "red"]),
        ("?part=all&find=%3Cscript%3E", []),
        ("?page=99999999999999999999", ["blue", "red"]),
        ("?page=-1", ["blue", "red"]),
    ],
)
@pytest.mark.sample(5)
def test_filters_and_search(client: Client, query: str, letters: list[str]) -> None:
    status, text = client.ask("GET", f"/{query}")
    assert status == 200
    assert re.findall(r'<th scope="row"><a [^>]+>([^<]+)<', text) == letters
    assert (
        "<script>" not in text.partition("<body")[2].partition("<script>'use")[0].split("<main>")[1].split("</main>")[0]
    )


def test_a_query_survives_the_round_trip() -> None:
    query = Query.of({"part": "all", "find": "a b&c", "page": "3", "code": "x"})
    assert query.words() == "?part=all&code=x&find=a+b%26c"
    assert query.words(page=4).endswith("&page=4")
    assert Query().words() == ""
