"""PDFs and scans as displayed to a reviewer: pages with boxes; and letters without an answer."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extractor.letters.letter import LetterIndex, find_letters, letter_in
from extractor.letters.pages.tesseract import is_installed
from extractor.review.review import Desk
from extractor.runs.answers import recheck
from tests.browser.conftest import Browse, Opened, announced, here, press, ready, violations
from tests.support import makepdf
from tests.support.files import mail, zipped
from tests.support.reviews import cli_apart, desk_of, failing, kind_of, lines, lost, record_of, store, write_run
from tests.support.toy import NOTES, cli, write_toy

pytest.importorskip("playwright", reason="needs the extra browser")
pytestmark = pytest.mark.browser

PAGE_TWO = "PARCEL 13: lost\n" + "The gate was closed.\n" * 20
PDF = makepdf.typeset(f"PARCEL NOTE of Blue Van\nPARCEL 12: delivered on 3/4/2020\n\f{PAGE_TWO}")


def run_over(root: Path, **files: bytes) -> Path:
    """A run of these files (``a_pdf`` is ``a.pdf``) with every letter's first parcel answered as lost."""
    write_toy(root)
    out, letters = root / "out", root / "pages"
    letters.mkdir()
    for name, data in files.items():
        (letters / name.replace("_", ".")).write_bytes(data)
    ran = cli_apart("run", letters, "--out", out, "--workspace", root)
    assert ran.code in (0, 1), ran.err
    index = LetterIndex(find_letters([letters]))
    for name in ("a", "in/b", "m/c"):
        if file := index.get(name):
            record = record_of(out, name)
            lost(record.answer)
            store(out, recheck(replace(record, model="openai/toy"), letter_in(file), kind_of(root)))
    return out


def open_desk(root: Path) -> Desk:
    return Desk(root / "out", kind_of(root), [[root / "pages"]], "Ada")


def open_letter(opened: Opened, letter_id: str) -> Any:
    opened.page.goto(f"{opened.url}?part=all&find={letter_id}")
    opened.page.get_by_role("link", name=letter_id, exact=True).click()
    ready(opened.page)
    return opened.page


def drawn(page: Any) -> None:
    """Until the first page's picture is there."""
    page.locator(".pages img").first.evaluate(
        "i => i.complete ? null : new Promise((done) => { i.onload = i.onerror = done; })"
    )
    assert page.locator(".pages img").first.evaluate("i => i.naturalWidth") > 1000


def lies_in_view(page: Any) -> bool:
    found: bool = page.locator("path.outline.here").first.evaluate(
        "r => { const a = r.getBoundingClientRect(), p = r.closest('.pages').getBoundingClientRect(); "
        "return a.width > 5 && a.top >= p.top && a.bottom <= p.bottom; }"
    )
    return found


def test_fields_show_their_boxes_and_boxes_their_fields(browse: Browse, tmp_path: Path) -> None:
    out = run_over(tmp_path, a_pdf=PDF)
    opened = browse(open_desk(tmp_path))
    page = open_letter(opened, "a")
    drawn(page)
    assert page.locator(".pages figure").count() == 2
    assert not page.locator("pre").is_visible()
    assert here(page) == "/parcels/0/state"
    assert page.locator("path.here.answer").count() == 1
    assert lies_in_view(page)
    page.locator('.field[data-path="/parcels/1/state"] .name').click()
    assert page.locator("figure:nth-child(2) path.outline.here").count() == 1
    assert lies_in_view(page)
    page.locator("figure:nth-child(1) path:not(.outline)").first.scroll_into_view_if_needed()
    page.locator("figure:nth-child(1) path:not(.outline)").first.click()
    assert here(page) == "/carrier"
    assert page.locator("figure:nth-child(1) path.outline.here").count() == 1
    press(page, "v")
    assert page.locator("pre").is_visible()
    assert page.locator("mark.here").inner_text() == "Blue Van"
    press(page, "n")
    page.reload()
    ready(page)
    assert page.locator("pre").is_visible(), "the choice is kept"
    press(page, "v", "z")
    assert page.locator(".pages.large").is_visible()
    press(page, "e")
    announced(page, "Words are selected in the text")
    assert page.locator("pre").is_visible()
    press(page, "v")
    page.locator('.field[data-path="/parcels/0/state"] .name').click()
    press(page, "c")
    page.locator("form.correct select:focus").wait_for()
    press(page, "d")
    page.locator("form.correct .fine").wait_for()
    press(page, "Enter")
    announced(page, "corrected")
    drawn(page)
    assert lies_in_view(page)
    assert [line["act"] for line in lines(out)] == ["correct"]
    assert opened.is_quiet()


def test_members_of_archives_and_mails_have_pages(browse: Browse, tmp_path: Path) -> None:
    run_over(tmp_path, in_zip=zipped({"b.pdf": PDF}), m_eml=mail("see there", c_pdf=PDF).as_bytes())
    opened = browse(open_desk(tmp_path))
    for letter_id in ("in/b", "m/c"):
        page = open_letter(opened, letter_id)
        drawn(page)
        assert page.locator("path.outline.here").count() == 1
    assert opened.is_quiet()


@pytest.mark.skipif(not is_installed(), reason="needs tesseract")
def test_a_scan_that_lies_on_its_side(browse: Browse, tmp_path: Path) -> None:
    prose = "The parcels of this note were handed over at the gate of the yard, and signed for.\n"
    pdf = makepdf.typeset(f"PARCEL NOTE of Blue Van\n{prose * 4}PARCEL 12: delivered on 3/4/2020\n{prose * 4}")
    scan = [picture.rotate(90, expand=True) for picture in makepdf.pictures(pdf)]
    run_over(tmp_path, a_tif=makepdf.tiff(scan))
    page = open_letter(browse(open_desk(tmp_path)), "a")
    drawn(page)
    upright = page.locator(".pages img").evaluate("i => i.naturalHeight > i.naturalWidth")
    assert upright
    assert lies_in_view(page)


def test_a_file_that_is_gone_says_so_in_the_place_of_its_page(browse: Browse, tmp_path: Path) -> None:
    run_over(tmp_path, a_pdf=PDF)
    opened = browse(open_desk(tmp_path))
    page = opened.page
    page.route("**/page/2", lambda route: ((tmp_path / "pages" / "a.pdf").unlink(missing_ok=True), route.continue_()))
    open_letter(opened, "a")
    page.locator("figure:nth-child(2)").scroll_into_view_if_needed()
    page.locator("figcaption", has_text="Page 2 of 2 cannot be shown: The letter\u2019s file is gone").wait_for()
    page.reload()
    ready(page)
    assert "is gone" in page.locator(".text .note").inner_text()
    assert page.locator(".pages").count() == 0


def test_a_hostile_name_and_hostile_words_of_a_pdf_are_only_words(browse: Browse, tmp_path: Path) -> None:
    evil = "</text></svg><script>document.title='evil'</script>"
    name = 'a"><img src=x onerror=document.title="evil">'
    run_over(tmp_path, **{f"{name}.pdf": makepdf.typeset(f"PARCEL NOTE of {evil}\nPARCEL 12: lost\n")})
    opened = browse(open_desk(tmp_path))
    page = opened.page
    page.goto(f"{opened.url}?part=all")
    page.locator(".letters tbody th a").click()
    ready(page)
    drawn(page)
    assert evil in page.locator("pre").text_content()
    assert page.locator(".field .v").first.inner_text() == evil
    assert page.locator(".pages img").count() == 1
    assert "evil" not in page.title().replace(name, "")
    assert opened.is_quiet()


def test_a_page_is_for_this_run_only(browse: Browse, tmp_path: Path) -> None:
    run_over(tmp_path, a_pdf=PDF)
    opened = browse(open_desk(tmp_path))
    page = open_letter(opened, "a")
    source = page.locator(".pages img").first.get_attribute("src")
    ask = "async (path) => { const a = await fetch(path); return [a.status, a.headers.get('content-type'), a.headers.get('cache-control')]; }"
    assert page.evaluate(ask, source) == [200, "image/png", "no-store"]
    for path in ("0", "3", "-1", "99999999999999999999", "..%2f..%2fetc%2fpasswd", "1/../../../etc/passwd"):
        assert page.evaluate(ask, source.removesuffix("1") + path)[0] == 404, path


@pytest.mark.parametrize("width", [320, 768])
def test_no_window_is_too_narrow_for_pages(browse: Browse, tmp_path: Path, width: int) -> None:
    run_over(tmp_path, a_pdf=PDF)
    page = open_letter(browse(open_desk(tmp_path), width=width, height=700), "a")
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".pages").evaluate("e => e.clientHeight") > 100
        press(page, "z")


# ---- no answer -------------------------------------------------------------------------------------


def test_a_letter_without_an_answer_is_filled_in_by_hand(browse: Browse, tmp_path: Path) -> None:
    out = write_run(tmp_path)
    failing(tmp_path, "blue")
    opened = browse(desk_of(tmp_path))
    page = opened.page
    press(page, "j", "Enter")
    ready(page)
    assert page.get_by_role("button", name="Accept").is_disabled()
    assert violations(page) == []
    press(page, "c")
    announced(page, "filled in from the reading")
    assert page.locator(".status-line").inner_text().endswith("filled in by Ada")
    assert page.locator('.field[data-path="/parcels/0/number"] .v').inner_text() == "12"
    page.locator('.field[data-path="/parcels/0/number"] .v').click()
    assert page.locator("mark.here").inner_text() == "12"
    page.locator('.field[data-path="/parcels/1/on"] .name').click()
    press(page, "c")
    page.locator("form.correct").wait_for()
    page.keyboard.type("03/05/2020")
    page.locator("form.correct output p").first.wait_for()
    press(page, "Escape", "u")
    announced(page, "Undone")
    assert page.locator(".group").count() == 0
    page.get_by_role("button", name="Fill in from the reading, then correct").click()
    announced(page, "filled in from the reading. Press u")
    press(page, "a")
    page.locator("h1", has_text="Nothing is left to check").wait_for()
    assert cli("export", out, "--workspace", tmp_path).code == 0
    with (out / "letters.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["letter_id"] == "blue")
    assert (row["status"], row["error"], row["corrected"], row["reviewed_by"]) == ("accepted", "", "/", "Ada")
    assert [line["act"] for line in lines(out)] == ["fill", "undo", "fill", "accept"]
    assert opened.is_quiet()


# ---- for everyone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_forms_and_dialogs(browse: Browse, tmp_path: Path, scheme: str) -> None:
    run_over(tmp_path, a_pdf=PDF)
    opened = browse(open_desk(tmp_path), color_scheme=scheme)
    page = open_letter(opened, "a")
    drawn(page)
    assert violations(page) == [], "pages"
    press(page, "m")
    page.locator("form.commenting").wait_for()
    assert violations(page) == [], "comment"
    press(page, "Escape", "?")
    page.locator("#help[open]").wait_for()
    assert violations(page) == [], "help"
    page.goto(f"{opened.url}letter/none")
    assert violations(page) == [], "message"


def test_the_mailed_page_is_for_everyone(chromium: Any, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost}, NOTES)
    html = tmp_path / "page.html"
    assert cli("review", tmp_path / "out", "--html", html, "--workspace", tmp_path, "--name", "Ada").code == 0
    page = chromium.new_page()
    page.goto(html.as_uri())
    assert violations(page) == []
    page.close()
