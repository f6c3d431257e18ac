"""A Chromium that this machine already has, driven over a pipe. Playwright's own browsers are never fetched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.reviews import served

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What a browser does by itself at its start must not be taken for what the page does.
QUIET = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
# Chromium refuses its sandbox to root, which is what a bare build machine runs as; the pages are our own.
ARGUMENTS = [*QUIET, "--no-sandbox"]

WATCH = "window.refused = []; document.addEventListener('securitypolicyviolation', (e) => refused.push(e.violatedDirective));"


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """The default run leaves these tests out: it need not make the pages that they open."""
    return True if "not browser" in config.option.markexpr else None


@dataclass
class Opened:
    """A page and what it did: words on the console, and requests to anywhere but its own file."""

    page: Any
    url: str
    messages: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def refused(self) -> list[str]:
        """What the page's own policy refused."""
        found: list[str] = self.page.evaluate("window.refused")
        return found

    def is_quiet(self) -> bool:
        return (self.messages, self.asked, self.refused) == ([], [], [])


Open = Callable[..., Opened]
Browse = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install --no-install-recommends chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Open]:
    """Writes a page to a file and opens it from there; further words are those of a Playwright context."""
    contexts = []

    def opened(html: str, *, width: int = 1300, height: int = 900, at: str = "", **options: Any) -> Opened:
        path = tmp_path / "report.html"
        path.write_text(html, "utf-8")
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.add_init_script(WATCH)
        found = Opened(page, path.as_uri())
        page.on("console", lambda message: found.messages.append(message.text))
        page.on("pageerror", lambda error: found.messages.append(str(error)))
        page.on("dialog", lambda dialog: (found.messages.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(found.url) or found.asked.append(request.url))
        page.goto(found.url + at)
        return found

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def browse(chromium: Any) -> Iterator[Browse]:
    """Serves a desk and opens it; further words are those of a Playwright context."""
    with ExitStack() as stack:

        def shown(desk: Any, *, width: int = 1300, height: int = 900, **options: Any) -> Opened:
            address = stack.enter_context(served(desk))
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(20_000)
            page.add_init_script(WATCH)
            root = address.partition("?")[0]
            found = Opened(page, root)
            page.on("console", lambda message: found.messages.append(message.text))
            page.on("pageerror", lambda error: found.messages.append(str(error)))
            page.on("request", lambda request: request.url.startswith(root) or found.asked.append(request.url))
            page.goto(address)
            ready(page)
            return found

        yield shown


# ---- a review page -------------------------------------------------------------------------------


def ready(page: Any) -> None:
    page.wait_for_selector("body[data-ready]")


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def here(page: Any) -> str:
    """The path of the chosen field."""
    found: str = page.locator(".field.here").get_attribute("data-path")
    return found


def heading(page: Any) -> str:
    found: str = page.locator("h1").inner_text()
    return found


def announced(page: Any, words: str) -> None:
    page.locator("#status", has_text=words).wait_for()


def violations(page: Any) -> list[tuple[str, str, str]]:
    """What axe-core finds, of any weight: impact, rule, and the first place."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in found]
