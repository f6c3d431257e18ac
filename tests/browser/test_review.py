"""The review page in a real browser, from the queue to the corrected export, by keyboard and by mouse."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import WATCH, Browse, Opened, announced, heading, here, press, ready, violations
from tests.support.imr import IMR, LETTERS, ROOT
from tests.support.reviews import cli_apart, desk_of, doubled, dropped, lines, lost, many, write_run
from tests.support.toy import cli

pytest.importorskip("playwright", reason="needs the extra browser")
pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 768, 1300)


def exported(root: Path) -> list[dict[str, str]]:
    assert cli("export", root / "out", "--workspace", root).code == 0
    with (root / "out" / "parcels.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_from_queue_to_corrected_export_by_keyboard(browse: Browse, tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost, "red": lost})
    opened = browse(desk_of(tmp_path))
    page = opened.page
    assert heading(page) == "2 letters need a person"
    press(page, "j", "Enter")
    ready(page)
    assert heading(page) == "blue"
    assert here(page) == "/parcels/0/state"
    assert page.locator("mark.here").inner_text() == "delivered"
    press(page, "c")
    form = page.locator("form.correct")
    assert form.locator("select").evaluate("e => e === document.activeElement")
    press(page, "d")
    page.locator("form.correct .fine", has_text="The checks agree").wait_for()
    press(page, "Enter")
    announced(page, "corrected parcels/0/state: lost \u2192 delivered")
    assert page.locator(".field.here .v").inner_text() == "delivered"
    assert page.locator(".field.here .was").inner_text() == "was lost, by Ada"
    press(page, "a")
    page.locator("h1", has_text="red").wait_for()
    announced(page, "blue accepted")
    press(page, "m")
    page.keyboard.type("the carrier says lost")
    press(page, "Enter")
    page.locator(".comment", has_text="the carrier says lost").wait_for()
    press(page, "r")
    page.locator("#reject[open]").wait_for()
    press(page, "2")
    page.locator("h1", has_text="Nothing is left to check").wait_for()
    announced(page, "red rejected: the letter cannot be read")
    rows = {(row["letter_id"], row["row"]): row for row in exported(tmp_path)}
    assert rows["blue", "1"]["parcels.state"] == "delivered"
    assert rows["blue", "1"]["reviewed_by"] == "Ada"
    assert rows["blue", "1"]["corrected"] == "/parcels/0/state"
    assert rows["blue", "1"]["status"] == "accepted"
    assert rows["red", "1"]["review"] == "rejected"
    assert rows["slow", "1"]["reviewed_by"] == ""
    assert [line["act"] for line in lines(out)] == ["correct", "accept", "comment", "reject"]
    assert opened.is_quiet()


def test_from_queue_to_corrected_export_by_mouse(browse: Browse, tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    opened = browse(desk_of(tmp_path))
    page = opened.page
    page.get_by_role("link", name="blue").click()
    ready(page)
    page.locator("mark", has_text="12").first.click()
    assert here(page) == "/parcels/0/number"
    page.locator('.field[data-path="/parcels/0/state"] .value').click()
    page.get_by_role("button", name="Correct state").first.click()
    page.locator("form.correct select").select_option("delivered")
    page.locator("form.correct .fine").wait_for()
    page.get_by_role("button", name="Save").click()
    announced(page, "corrected")
    page.get_by_role("button", name="Undo").click()
    announced(page, "blue: undone")
    assert page.locator('.field[data-path="/parcels/0/state"] .v').inner_text() == "lost"
    page.get_by_role("button", name="Correct state").first.click()
    page.locator("form.correct select").select_option("delivered")
    page.get_by_role("button", name="Save").click()
    announced(page, "corrected")
    page.get_by_role("button", name="Accept").click()
    page.locator("h1", has_text="Nothing is left").wait_for()
    assert exported(tmp_path)[0]["parcels.state"] == "delivered"
    assert [line["act"] for line in lines(out)] == ["correct", "undo", "correct", "accept"]
    assert opened.is_quiet()


def test_a_decision_is_taken_back_from_the_next_letter(browse: Browse, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost, "red": lost})
    page = browse(desk_of(tmp_path)).page
    press(page, "j", "Enter")
    ready(page)
    press(page, "s")
    page.locator("h1", has_text="red").wait_for()
    ready(page)
    press(page, "u")
    page.locator("h1", has_text="blue").wait_for()
    assert page.locator(".status-line .decided").count() == 0


def test_one_key_takes_what_the_letter_says(browse: Browse, tmp_path: Path) -> None:
    def wrong(answer: dict[str, Any]) -> None:
        lost(answer)
        answer["carrier"] = None

    out = write_run(tmp_path, {"blue": wrong, "red": doubled, "slow": dropped})
    opened = browse(desk_of(tmp_path))
    page = opened.page
    open_letter(opened, "blue")
    press(page, "t")
    announced(page, "as the letter says")
    press(page, "t")
    announced(page, "No finding is left")
    open_letter(opened, "red")
    press(page, "t")
    announced(page, "removed parcels/1")
    open_letter(opened, "slow")
    press(page, "t")
    announced(page, "added parcels/0")
    acts = [(line["letter_id"], line["act"], line["new"], line["source"]) for line in lines(out)]
    assert sorted(acts[:2], key=repr) == [
        ("blue", "correct", "Blue Van", "letter"),
        ("blue", "correct", "delivered", "letter"),
    ]
    assert [each[:2] for each in acts[2:]] == [("red", "remove"), ("slow", "add")]
    for letter_id in ("slow", "red", "blue", "blue"):
        ready(page)
        press(page, "u")
        announced(page, f"{letter_id}: undone")
    assert opened.is_quiet()
    press(page, "u")
    announced(page, "there is no act of yours to undo")


def test_the_next_finding_goes_around_and_is_not_always_at_a_field(browse: Browse, tmp_path: Path) -> None:
    def wrong(answer: dict[str, Any]) -> None:
        lost(answer)
        dropped(answer)

    write_run(tmp_path, {"blue": wrong})
    opened = browse(desk_of(tmp_path))
    page = opened.page
    open_letter(opened, "blue")
    places = []
    for _ in range(4):
        places.append(page.locator(".field.here, .loose.here").inner_text().split("\n")[0][:12])
        press(page, "f")
    assert places[0] != places[1]
    assert places[:2] == places[2:]
    press(page, "+")
    announced(page, "added parcels/1")
    press(page, "-")
    announced(page, "removed parcels/")


def test_open_errors_are_accepted_after_a_second_look(browse: Browse, tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    opened = browse(desk_of(tmp_path))
    page = opened.page
    open_letter(opened, "blue")
    press(page, "a")
    dialog = page.locator("#left[open]")
    dialog.wait_for()
    assert "delivered" in dialog.inner_text()
    assert violations(page) == []
    press(page, "Escape")
    assert not (out / "review.jsonl").exists()
    press(page, "a")
    dialog.wait_for()
    press(page, "a")
    announced(page, "blue accepted with 1 open error")
    assert lines(out)[0]["open_errors"] == [{"code": "value_differs", "path": "/parcels/0/state"}]
    assert opened.is_quiet()


def test_every_key_reports_a_server_that_stopped_and_nothing_typed_is_lost(browse: Browse, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost, "red": lost})
    page = browse(desk_of(tmp_path)).page
    press(page, "j", "Enter")
    ready(page)
    press(page, "m")
    page.keyboard.type("half a sentence")
    page.context.route("**/*", lambda route: route.abort())
    press(page, "Enter")
    announced(page, "has ended")
    assert page.locator("form.commenting textarea").input_value() == "half a sentence"
    page.locator(".field.here .name").focus()
    press(page, "n")
    announced(page, "Save or leave the open form first")
    page.locator("form.commenting textarea").press("Escape")
    for key in ("n", "a", "s", "t", "u", "c", "/"):
        page.evaluate("document.getElementById('status').textContent = ''")
        press(page, key)
        announced(page, "has ended")
    assert heading(page) == "blue"


def test_keys_walk_fields_letters_and_help(browse: Browse, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost, "red": lost})
    page = browse(desk_of(tmp_path)).page
    press(page, "j", "Enter")
    ready(page)
    press(page, "k")
    assert here(page) == "/parcels/0/number"
    press(page, "j", "j")
    assert here(page) == "/parcels/0/on"
    press(page, "n")
    page.locator("h1", has_text="red").wait_for()
    ready(page)
    press(page, "p")
    page.locator("h1", has_text="blue").wait_for()
    ready(page)
    press(page, "?")
    page.locator("#help[open]").wait_for()
    page.get_by_label("Turn the single-letter keys off").check()
    press(page, "Escape", "n")
    page.wait_for_timeout(200)
    assert heading(page) == "blue"
    page.evaluate("localStorage.clear()")
    page.reload()
    ready(page)
    press(page, "/")
    page.wait_for_url("**/#find")
    ready(page)
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("cart")
    press(page, "Enter")
    page.wait_for_url("**find=cart**")
    assert page.locator(".letters tbody th").all_inner_texts() == ["red"]


def test_selected_words_become_evidence(browse: Browse, tmp_path: Path) -> None:
    text = "PARCEL NOTE of Blue \U0001f69a Van\r\n\r\nPARCEL 12: delivered\r\n"
    out = write_run(tmp_path, {"blue": lost}, {"blue": text})
    page = browse(desk_of(tmp_path)).page
    press(page, "j", "Enter")
    ready(page)
    page.locator('.field[data-path="/carrier"] .name').click()
    page.evaluate(
        """() => { const run = [...document.querySelectorAll("pre [data-s]")].find((e) => e.textContent.includes("Blue"));
                   const range = document.createRange(), at = run.firstChild.data.indexOf("Van");
                   range.setStart(run.firstChild, at); range.setEnd(run.firstChild, at + 3);
                   getSelection().removeAllRanges(); getSelection().addRange(range); }"""
    )
    page.get_by_role("button", name="Evidence of carrier").click()
    announced(page, "marked the evidence of carrier")
    [act] = lines(out)
    assert [text[start:end] for start, end in act["spans"]] == ["Van"]
    assert page.locator("mark.here").all_inner_texts() == ["Van"]
    page.locator('.field[data-path="/parcels/0/state"] .name').click()
    page.evaluate(
        """() => { const run = [...document.querySelectorAll("pre [data-s]")].find((e) => e.textContent === "delivered");
                   const range = document.createRange(); range.selectNodeContents(run);
                   getSelection().removeAllRanges(); getSelection().addRange(range); }"""
    )
    press(page, "e")
    announced(page, "marked the evidence of parcels/0/state")
    start, end = lines(out)[-1]["spans"][0]
    assert text[start:end] == "delivered"


def test_a_missing_record_is_added_and_a_doubled_one_removed(browse: Browse, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": dropped, "red": doubled})
    page = browse(desk_of(tmp_path)).page
    page.get_by_role("link", name="blue").click()
    ready(page)
    page.get_by_role("button", name="Add the missing one").click()
    announced(page, "added parcels/1")
    assert page.locator('.field[data-path="/parcels/1/number"] .v').inner_text() == "13"
    assert page.locator(".summary").count() == 0
    page.goto(page.url.partition("/letter")[0] + "/")
    page.get_by_role("link", name="red").click()
    ready(page)
    page.locator('[data-remove="/parcels/1"]').click()
    announced(page, "removed parcels/1")
    assert page.locator(".summary").count() == 0


def test_two_reviewers_do_not_overwrite_each_other(browse: Browse, tmp_path: Path) -> None:
    out = write_run(tmp_path, {"blue": lost})
    one, other = browse(desk_of(tmp_path, "Ada")).page, browse(desk_of(tmp_path, "Bob")).page
    for page in (one, other):
        press(page, "j", "Enter")
        ready(page)
    press(one, "s")
    one.locator("h1", has_text="Nothing is left").wait_for()
    press(other, "a")
    dialog = other.locator("#conflict[open]")
    dialog.wait_for()
    assert "Ada: skipped" in dialog.inner_text()
    dialog.get_by_role("button").click()
    other.locator(".status-line .skipped", has_text="skipped by Ada").wait_for()
    assert [line["by"] for line in lines(out)] == ["Ada"]
    press(other, "a")
    other.locator("#left[open]").wait_for()
    press(other, "a")
    other.locator("h1", has_text="Nothing is left").wait_for()
    assert [line["act"] for line in lines(out)] == ["skip", "accept"]


EVIL = [
    "</script><img src=x onerror=\"document.title='evil'\">",
    "<script>document.title='evil'</script>",
    "{{ 7*7 }}",
    "\u202egnp.exe",
    "w" * 4_000,
]


@pytest.mark.parametrize("words", EVIL, ids=["img", "script", "template", "bidi", "long"])
def test_a_hostile_letter_is_only_words(browse: Browse, tmp_path: Path, words: str) -> None:
    note = f"PARCEL NOTE of {words}\nPARCEL 12: delivered\n"
    write_run(tmp_path, {"x": lost}, {"x": note})
    opened = browse(desk_of(tmp_path, "<b>Ada</b>"))
    page = opened.page
    assert "&lt;b&gt;" in page.content()
    press(page, "j", "Enter")
    ready(page)
    press(page, "k", "k", "c")
    page.locator("form.correct").wait_for()
    assert page.locator("form.correct [name=text]").input_value() == words
    page.locator("form.correct [name=text]").fill(words + " too")
    page.locator("form.correct output p").first.wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "evil" not in page.title()
    assert words.replace("\u202e", "U+202E") in page.locator("pre").text_content()
    assert opened.is_quiet()


def test_the_policy_is_in_force(browse: Browse, tmp_path: Path) -> None:
    write_run(tmp_path, {"blue": lost})
    opened = browse(desk_of(tmp_path))
    opened.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.evil = true";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src='https://example.org/x.png' onerror='window.evil = true'>");
            fetch("https://example.org/").catch(() => 0);
        }"""
    )
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("window.evil") is None
    assert {"script-src-elem", "img-src", "connect-src"} <= set(opened.refused)
    assert opened.page.evaluate("document.cookie") == ""


def test_five_thousand_letters(browse: Browse, tmp_path: Path) -> None:
    many(tmp_path, 5_000)
    desk = desk_of(tmp_path)
    opened = browse(desk)
    page = opened.page
    assert heading(page) == "501 letters need a person"
    root = opened.url

    def seconds(act: Callable[[], Any]) -> float:
        begun = time.perf_counter()
        act()
        ready(page)
        return time.perf_counter() - begun

    took = {
        "open": seconds(lambda: page.goto(root)),
        "all": seconds(lambda: page.goto(f"{root}?part=all&page=40")),
        "search": seconds(lambda: page.goto(f"{root}?part=all&find=note-04321")),
        "letter": seconds(lambda: page.locator(".letters tbody th a").first.click()),
    }
    assert heading(page) == "note-04321"
    # A second on a quiet machine; what grows with the square of the records takes minutes.
    assert max(took.values()) < 10, took
    assert opened.is_quiet()


# ---- letters of the reference workspace ------------------------------------------------------------


@pytest.fixture(scope="module")
def run_of_imr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("imr") / "out"
    assert cli_apart("run", LETTERS, "--out", out, "--replay", "--workspace", ROOT).code == 1
    return out


def imr_desk(out: Path) -> Any:
    from extractor.review.review import Desk

    return Desk(out, IMR, [[LETTERS]], "Ada")


def open_letter(opened: Opened, letter_id: str) -> None:
    opened.page.goto(f"{opened.url}?part=all&find={letter_id}")
    opened.page.get_by_role("link", name=letter_id, exact=True).click()
    ready(opened.page)


def test_twenty_one_decisions(browse: Browse, tmp_path: Path) -> None:
    text = (LETTERS / "twelve-decisions.txt").read_text("utf-8")
    heads = text.index("set forth below:") + len("set forth below:")
    body = text[heads:]
    cut = body.rindex("\n", 0, 3 * len(body) // 4)
    (tmp_path / "long.txt").write_text(text[:heads] + body + "\n\n" + body[:cut], "utf-8")
    out = tmp_path / "out"
    cli_apart("run", tmp_path / "long.txt", "--out", out, "--workspace", ROOT)
    from extractor.review.review import Desk

    opened = browse(Desk(out, IMR, [[tmp_path / "long.txt"]], "Ada"))
    page = opened.page
    open_letter(opened, "long")
    assert page.locator(".part h2", has_text="ecision").count() >= 21
    assert page.locator(".outline button").count() == page.locator(".part").count()
    assert page.locator("details.part:not([open])").count() == 0, "without any finding all are unfolded"
    page.locator(".outline button", has_text="decision 21").click()
    assert here(page).startswith("/decisions/20/")
    page.locator(".field .name", has_text="outcome").nth(20).click()
    assert here(page) == "/decisions/20/outcome"
    mark = page.locator("mark.here").first
    assert mark.evaluate(
        "m => { const a = m.getBoundingClientRect(), p = m.closest('pre').getBoundingClientRect(); return a.top >= p.top && a.bottom <= p.bottom; }"
    )
    mark.click()
    assert here(page).startswith("/decisions/20/")
    assert opened.is_quiet()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_window_is_too_narrow(browse: Browse, run_of_imr: Path, width: int) -> None:
    opened = browse(imr_desk(run_of_imr), width=width, height=700)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_letter(opened, "source-contradicts")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("pre").evaluate("e => e.clientHeight") > 100
    assert page.locator(".record").evaluate("e => e.clientHeight") > 150
    page.get_by_role("button", name="Accept").click(trial=True)
    assert opened.is_quiet()


def test_a_wrong_answer_and_an_odd_letter_look_different(browse: Browse, run_of_imr: Path, tmp_path: Path) -> None:
    opened = browse(imr_desk(run_of_imr))
    open_letter(opened, "source-contradicts")
    odd = opened.page.locator(".finding.letter").first
    assert "letter" in odd.locator(".tag").inner_text()
    look = "e => [getComputedStyle(e).borderLeftStyle, getComputedStyle(e).borderLeftColor]"
    of_letter = odd.evaluate(look)
    write_run(tmp_path, {"blue": lost})
    other = browse(desk_of(tmp_path))
    press(other.page, "j", "Enter")
    ready(other.page)
    wrong = other.page.locator(".finding.answer").first
    assert "letter delivered" in " ".join(wrong.inner_text().split())
    assert "answer lost" in " ".join(wrong.inner_text().split())
    of_answer = wrong.evaluate(look)
    assert of_letter[0] != of_answer[0]
    assert of_letter[1] != of_answer[1]


def test_the_mailed_page_reads_from_a_file(chromium: Any, run_of_imr: Path, tmp_path: Path) -> None:
    html = tmp_path / "page.html"
    assert cli("review", run_of_imr, "--html", html, "--workspace", ROOT, "--name", "Ada").code == 0
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: request.url.startswith("file:") or problems.append(request.url))
    page.goto(html.as_uri())
    letter = page.locator("details.one-letter[open]").first
    letter.locator(".field .name", has_text="outcome").first.click()
    assert letter.locator("mark.here").count() == 1
    letter.locator("mark.here").click()
    assert page.locator("button", has_text="Accept").count() == 0
    assert page.locator("form").count() == 0
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (problems, page.evaluate("window.refused")) == ([], [])
    context.close()


# ---- for everyone ---------------------------------------------------------------------------------


def test_the_keyboard_sees_where_it_is(browse: Browse, run_of_imr: Path) -> None:
    opened = browse(imr_desk(run_of_imr))
    page = opened.page
    focusable = set()
    for where in ("queue", "letter"):
        if where == "letter":
            open_letter(opened, "source-contradicts")
        for _ in range(25):
            press(page, "Tab")
            focused = page.evaluate(
                "() => [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
            )
            focusable.add(focused[0])
            assert focused[1] != "none" or focused[0] == "BODY", (where, focused)
    assert {"A", "BUTTON", "INPUT", "SELECT"} <= focusable


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_control_has_a_name_and_every_word_contrast(browse: Browse, run_of_imr: Path, scheme: str) -> None:
    opened = browse(imr_desk(run_of_imr), color_scheme=scheme)
    page = opened.page
    for where in ("queue", "letter", "form"):
        if where == "letter":
            open_letter(opened, "source-contradicts")
        if where == "form":
            page.locator('.field[data-path="/ur_date"] .name').click()
            press(page, "c")
            page.locator("form.correct").wait_for()
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea")]
                 .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map((e) => e.outerHTML)"""
        )
        assert nameless == []
        assert page.locator("main").count() == page.locator("h1").count() == 1
        assert violations(page) == [], where
