"""The web app: pages to read, one route that changes anything. Keys in URLs are looked up, never opened as paths."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from extractor.display.values import plural
from extractor.errors import ExtractorError, UsageError
from extractor.pointers import value_at
from extractor.review import pages
from extractor.review.acts import MOST_TYPED, OpenErrors
from extractor.review.guard import Guard, TooLongError
from extractor.review.inputs import leaf_input
from extractor.review.log import Act, ConflictError
from extractor.review.queue import PAGE, Entry, Query, key_of
from extractor.review.review import Desk, ReviewedLetter

_Handler = Callable[[Desk, Request], Awaitable[Response]]


def make_app(desk: Desk, port: int, token: str) -> Guard:
    """The guarded app for a server on this port of 127.0.0.1."""
    routes = [
        Route("/favicon.ico", _nothing, methods=["GET"]),
        Route("/alive", _nothing, methods=["GET"]),
        Route("/", _answering_errors(desk, _queue), methods=["GET"]),
        Route("/letter/{key}", _answering_errors(desk, _letter), methods=["GET"]),
        Route("/letter/{key}/input", _answering_errors(desk, _input), methods=["GET"]),
        Route("/letter/{key}/page/{number:int}", _answering_errors(desk, _picture), methods=["GET"]),
        Route("/letter/{key}/try", _answering_errors(desk, _try), methods=["POST"]),
        Route("/letter/{key}/act", _answering_errors(desk, _act), methods=["POST"]),
        Route("/together", _answering_errors(desk, _together), methods=["GET"]),
        Route("/together", _answering_errors(desk, _accept_together), methods=["POST"]),
        Route("/undo", _answering_errors(desk, _undo), methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), port, token)


def _answering_errors(desk: Desk, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    """The handler, with errors answered as JSON to the script and as a page to a browser."""

    async def handle(request: Request) -> Response:
        try:
            desk.refresh()
            return await handler(desk, request)
        except ConflictError as error:
            since = [_since(act) for act in error.since] or ["the run made another answer of this letter"]
            return _failed(request, 409, error.message, since=since)
        except OpenErrors as error:
            left = [pages.finding_data(desk.kind, each) for each in error.findings]
            # Nothing failed: the page asks, and sends the act again.
            return JSONResponse({"error": error.message, "left": left})
        except (LookupError, RecursionError):
            return _failed(request, 404, "there is no such letter or field")
        except TooLongError:
            return _failed(request, 413, "too long")
        except ExtractorError as error:
            return _failed(request, 422, error.message)

    return handle


def _failed(request: Request, status: int, message: str, **more: Any) -> Response:
    if request.method == "POST":
        return JSONResponse({"error": message, **more}, status_code=status)
    return _page(pages.message(message), status)


def _page(page: pages.Page, status: int = 200) -> Response:
    return HTMLResponse(page.html, status_code=status, headers={"Content-Security-Policy": page.policy})


async def _nothing(request: Request) -> Response:
    """Browsers ask for an icon by themselves, the page whether the server still runs."""
    return Response(status_code=204)


async def _queue(desk: Desk, request: Request) -> Response:
    return _page(pages.queue_page(desk, Query.of(request.query_params)))


async def _letter(desk: Desk, request: Request) -> Response:
    reviewed, query = await _letter_of(desk, request), Query.of(request.query_params)
    _, following = desk.neighbors(reviewed.entry, query)
    if following:
        desk.read_ahead(following)
    return _page(pages.letter_page(desk, reviewed, query))


async def _picture(desk: Desk, request: Request) -> Response:
    # Drawn by a worker; other requests do not wait.
    entry = _entry(desk, request)
    drawn = await run_in_threadpool(desk.picture, entry, request.path_params["number"])
    return Response(drawn, media_type="image/png")


async def _input(desk: Desk, request: Request) -> Response:
    reviewed = await _letter_of(desk, request)
    path = request.query_params.get("path", "")
    wanted = leaf_input(desk.kind, reviewed.record.answer, path)
    return HTMLResponse(pages.input_form(wanted, path, value_at(reviewed.record.answer, path)))


async def _try(desk: Desk, request: Request) -> Response:
    """The effect of a correction, checked while it is typed."""
    body = await _body(request)
    reviewed = await _letter_of(desk, request)
    path, text = body.get("path"), body.get("text")
    if not isinstance(path, str) or not (text is None or (isinstance(text, str) and len(text) <= MOST_TYPED)):
        raise UsageError("path and text must be text")
    found = desk.proposed(reviewed, path, text)
    return JSONResponse(
        {
            "same": found.old == found.new,
            "findings": [pages.finding_data(desk.kind, each) for each in found.new_findings if each.severity != "info"],
            "resolved": found.resolved,
        }
    )


async def _act(desk: Desk, request: Request) -> Response:
    body = await _body(request)
    reviewed = await _letter_of(desk, request)
    query = Query.of({name: value for name, value in request.query_params.items() if isinstance(value, str)})
    # Ask for the next letter before this one moves in the queue, or one would be skipped.
    _, following = desk.neighbors(reviewed.entry, query)
    act = desk.act(reviewed, body)
    return JSONResponse(
        {
            "summary": pages.summary(act),
            "decided": desk.state(reviewed.entry).decided,
            "next": f"/letter/{following.key}{query.words()}" if following else f"/{query.words()}",
        }
    )


async def _together(desk: Desk, request: Request) -> Response:
    query = Query.of(request.query_params)
    alike = desk.alike(query)[:PAGE]
    if not alike:
        raise UsageError("no undecided letter has only warnings of this code")
    for entry in alike:
        await run_in_threadpool(desk.read, entry)
    return _page(pages.together_page(desk, query, alike))


async def _accept_together(desk: Desk, request: Request) -> Response:
    """Accept letters that were displayed with their only warnings."""
    body = await _body(request)
    pairs, code = body.get("letters"), body.get("code")
    if not isinstance(pairs, list) or not 0 < len(pairs) <= PAGE or not isinstance(code, str):
        raise UsageError(f"from 1 to {PAGE} letters are accepted at once")
    chosen = []
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)):
            raise UsageError("each letter is a key and a version")
        entry = desk.entry(pair[0])
        if entry is None or not code or entry.only_warning != code:
            raise UsageError("one of these letters has more than warnings of this code")
        chosen.append((entry, pair[1]))
    done = desk.act_on_all(chosen, "accept")
    return JSONResponse({"summary": f"{plural(len(done), 'letter')} accepted"})


async def _undo(desk: Desk, request: Request) -> Response:
    """Take back the reviewer's last act, wherever it was."""
    undone = desk.undo_last()
    first = undone[0]
    what = f"{len(undone)} letters" if len(undone) > 1 else first.letter_id
    taken_back = next(act for act in desk.log.of(first.letter_id) if act.number == first.undoes)
    words = f"{what}: undone ({pages.summary(taken_back)})"
    return JSONResponse({"summary": words, "letter": f"/letter/{key_of(first.letter_id)}"})


async def _letter_of(desk: Desk, request: Request) -> ReviewedLetter:
    entry = _entry(desk, request)
    # A scan takes seconds to read; other requests need not wait for it.
    await run_in_threadpool(desk.read, entry)
    return desk.letter_of(entry)


def _entry(desk: Desk, request: Request) -> Entry:
    entry = desk.entry(request.path_params["key"])
    if entry is None:
        raise LookupError
    return entry


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise UsageError("the request is not JSON") from None
    if not isinstance(body, dict):
        raise UsageError("the request is not a JSON object")
    return body


def _since(act: Act) -> str:
    return f"{act.by}: {pages.summary(act)} ({asdict(act)['at']})"
