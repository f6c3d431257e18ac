"""The eval report in a real browser, opened from a file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import Open, violations
from tests.support.evalpages import compare_page, gold, letters, note, run, run_page, spoilt, two_runs

pytest.importorskip("playwright", reason="needs the extra browser")
pytestmark = pytest.mark.browser

GOLDS, A, B = two_runs()
COMPARED = compare_page(GOLDS, A, B)
RAN = run_page(GOLDS, A)
PAGES = [pytest.param(COMPARED, id="compare"), pytest.param(RAN, id="run")]
WIDTHS = (320, 390, 768, 1300)


def rows(page: Any, column: int = 1) -> list[str]:
    """Words of one column of the flips that are shown."""
    shown = page.locator(f"#flips-table tbody tr:not([hidden]) > :nth-child({column})")
    found: list[str] = shown.all_inner_texts()
    return found


@pytest.mark.parametrize("html", PAGES)
def test_it_opens_from_a_file_in_silence(open_page: Open, html: str) -> None:
    opened = open_page(html)
    assert opened.page.locator("h1").is_visible()
    assert opened.is_quiet()


def test_the_policy_is_in_force(open_page: Open) -> None:
    opened = open_page(COMPARED)
    opened.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.evil = true";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src='https://example.org/x.png' onerror='window.evil = true'>");
            document.body.insertAdjacentHTML("beforeend", "<p style='color: red'>x</p>");
        }"""
    )
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("window.evil") is None
    assert {"script-src-elem", "img-src", "style-src-attr"} <= set(opened.refused)


def test_flips_are_sorted_by_click_and_by_key(open_page: Open) -> None:
    page = open_page(COMPARED).page
    first = rows(page)
    head = page.locator("#flips-table th[data-sort]").first
    button = head.get_by_role("button", name="Letter")
    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert rows(page) == sorted(first) != first
    button.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert rows(page) == sorted(first, reverse=True)
    page.locator("#flips-table").get_by_role("button", name="Kind").click()
    assert head.get_attribute("aria-sort") is None
    assert rows(page, 7) == sorted(rows(page, 7))


def test_fields_are_sorted_by_number(open_page: Open) -> None:
    page = open_page(COMPARED).page
    page.locator("#fields-table").get_by_role("button", name="A", exact=True).click()
    counts = [int(text) for text in page.locator("#fields-table tbody td:nth-child(4)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)


def test_flips_are_filtered(open_page: Open) -> None:
    page = open_page(COMPARED).page
    controls = page.locator('.controls[data-for="flips-table"]')
    count = controls.locator("output")
    assert count.inner_text() == "21 of 21"
    controls.get_by_label("Find").fill("l00 CARRIER")
    assert rows(page) == ["l00"]
    assert count.inner_text() == "1 of 21"
    controls.get_by_label("Find").fill("")
    controls.get_by_role("button", name="broke").click()
    assert rows(page) == ["l07", "l07"]
    assert controls.get_by_role("button", name="broke").get_attribute("aria-pressed") == "true"
    assert controls.get_by_role("button", name="all", exact=True).get_attribute("aria-pressed") == "false"
    controls.get_by_label("protected only").check()
    assert count.inner_text() == "1 of 21"
    controls.get_by_role("button", name="all", exact=True).click()
    assert set(rows(page, 2)) == {"parcels/0/pages", "parcels/0/state", "parcels/1/state"}
    controls.get_by_label("Find").fill("no such thing")
    assert rows(page) == []


def test_a_link_opens_its_letter_and_a_row_shows_its_evidence(open_page: Open) -> None:
    opened = open_page(COMPARED, height=500)
    page = opened.page
    page.get_by_role("button", name="Close all").click()
    letter = page.locator("details.letter").first
    assert letter.get_attribute("open") is None
    page.locator("#flips-table").get_by_role("link", name="l00").first.click()
    assert letter.get_attribute("open") is not None
    assert letter.locator("summary").first.evaluate("e => e.getBoundingClientRect().top < innerHeight")
    link = letter.locator("a.to-mark").first
    link.click()
    mark = page.locator(link.get_attribute("href"))
    assert mark.get_attribute("class") == "here"
    assert mark.evaluate(
        """mark => { const text = mark.closest("pre").getBoundingClientRect(), at = mark.getBoundingClientRect();
                     return at.top >= text.top && at.bottom <= text.bottom && at.top >= 0 && at.bottom <= innerHeight; }"""
    )
    assert page.evaluate("document.activeElement.tagName") == "PRE"
    assert opened.is_quiet()


def test_an_address_with_a_letter_opens_it(open_page: Open) -> None:
    page = open_page(compare_page(*two_runs(20)), at="#l3").page
    assert page.locator("details.letter[open]").count() == 1
    assert page.locator("#l3 summary").evaluate("e => Math.abs(e.getBoundingClientRect().top) < innerHeight")
    page.get_by_role("button", name="Open all").click()
    assert page.locator("details.letter[open]").count() == 20


def test_it_reads_without_a_script(open_page: Open) -> None:
    page = open_page(COMPARED, java_script_enabled=False).page
    assert page.locator("h1").is_visible()
    assert page.locator("#flips-table tbody tr").count() == 21
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("thead button").count() == 0
    assert page.locator("details.letter[open] pre").first.is_visible()
    page.locator("details.letter > summary").first.click()
    assert not page.locator("details.letter pre").first.is_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("html", PAGES)
def test_no_window_is_too_narrow(open_page: Open, html: str, width: int) -> None:
    page = open_page(html, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_paper(open_page: Open) -> None:
    page = open_page(COMPARED, color_scheme="dark").page
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(24, 23, 21)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert page.locator(".controls:visible").count() == 0
    assert page.locator("pre").first.evaluate("e => e.scrollHeight <= e.clientHeight + 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("html", PAGES)
def test_axe_finds_nothing(open_page: Open, html: str, scheme: str) -> None:
    assert violations(open_page(html, color_scheme=scheme).page) == []


def test_the_keyboard_sees_where_it_is(open_page: Open) -> None:
    page = open_page(COMPARED).page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the figures")
    assert skip.evaluate("e => e === document.activeElement && e.getBoundingClientRect().left >= 0")
    focusable = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const e = document.activeElement; return [e.tagName, getComputedStyle(e).outlineStyle]; }"
        )
        focusable.add(focused[0])
        assert focused[1] != "none", focused
    assert {"A", "BUTTON", "INPUT"} <= focusable


EVIL = [
    "</script><img src=x onerror=\"document.title='evil'\">",
    "<script>document.title='evil'</script>",
    "{{ 7*7 }}",
    "\u202egnp.exe",
    "w" * 10_000,
]


@pytest.mark.parametrize("words", EVIL, ids=["img", "script", "template", "bidi", "long"])
def test_a_hostile_letter_is_only_words(open_page: Open, words: str) -> None:
    golds = [gold(f"x{i}", note(("12", words, ""), carrier=words, marks=[words])) for i in range(6)]
    wrong = {each.letter.id: note(("12", f"{words} too", ""), carrier=None, marks=[]) for each in golds[:3]}
    html = compare_page(golds, run(golds, wrong), run(golds, {"x5": note(("12", f"{words} 49", ""), carrier=words)}))
    for width in WIDTHS:
        opened = open_page(html, width=width)
        assert opened.is_quiet()
        assert "evil" not in opened.page.title()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        text = opened.page.locator("pre").first.text_content()
        assert words.replace("\u202e", "U+202E") in text


def test_a_thousand_letters(open_page: Open) -> None:
    golds = letters(1000)
    a = run(golds, {each.letter.id: spoilt("burnt") for each in golds}, prompt="toy@v1")
    b = run(golds, {each.letter.id: spoilt(pages="3") for each in golds[::2]}, prompt="toy@v2")
    opened = open_page(compare_page(golds, a, b))
    page, count = opened.page, opened.page.locator("output")
    assert len(rows(page)) == 300
    assert count.inner_text() == "1,500 of 1,500, the first 300 shown"
    page.get_by_role("button", name="fixed 1,000").click()
    page.locator("#flips-table").get_by_role("button", name="Letter").click()
    page.locator("#flips-table").get_by_role("button", name="Letter").click()
    assert rows(page)[0] == "l999"
    page.get_by_role("button", name="Show all").click()
    assert len(rows(page)) == 1000
    assert page.locator("details.letter[open]").count() == 0
    assert opened.is_quiet()
