"""The documentation site: links between pages and repository, complete references, and no asset of another host."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import extractor
from extractor.cli.commands import COMMANDS
from tests.support.scripts import script
from tests.support.toy import ROOT

reference = script("docs/reference")
DOCS = ROOT / "docs"


@pytest.mark.parametrize(
    ("text", "source", "page", "link"),
    [
        ("[x](records.md)", "docs/files.md", "docs/files.md", "[x](records.md)"),
        ("[x](docs/files.md)", "README.md", "docs/made/start.md", "[x](../files.md)"),
        ("[x](docs/files.md#mail)", "README.md", "docs/made/start.md", "[x](../files.md#mail)"),
        ("![x](docs/images/review.png)", "README.md", "docs/made/start.md", "![x](../images/review.png)"),
        ("[x](schemas/imr/README.md)", "README.md", "docs/made/start.md", "[x](imr.md)"),
        ("[x](../schemas/imr/README.md)", "docs/findings.md", "docs/findings.md", "[x](made/imr.md)"),
        ("[x](docs/decisions)", "README.md", "docs/made/start.md", "[x](decisions.md)"),
        ("[x](../prices.toml)", "docs/tables.md", "docs/tables.md", "[x](../prices.toml)"),
        ("[x](https://example.org/a)", "README.md", "docs/made/start.md", "[x](https://example.org/a)"),
        ("[x](#below)", "README.md", "docs/made/start.md", "[x](#below)"),
        ("```\n[x](docs/files.md)\n```", "README.md", "docs/made/start.md", "```\n[x](docs/files.md)\n```"),
    ],
)
def test_where_a_link_leads_on_the_site(text: str, source: str, page: str, link: str) -> None:
    assert reference.site_links(text, ROOT / source, ROOT / page) == link


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("a * b | c", "a \\* b \\| c"),
        ("see ``a_`` and a_b, a_", "see ``a_`` and a_b, a\\_"),
        (":class:`Letter` or `x`", ":class:`Letter` or \\`x\\`"),
    ],
)
def test_a_docstring_is_read_as_plain_text(line: str, safe: str) -> None:
    lines = [line]
    reference.literal(lines)
    assert lines == [safe]


def test_a_section_that_is_gone_is_an_error() -> None:
    with pytest.raises(ValueError, match="no section 'B'"):
        reference.section("# A\n", "B")


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_is_complete(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    site = tmp_path / "site"
    done = subprocess.run([*command, str(DOCS), str(site)], capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    commands, library = ((site / "made" / name).read_text("utf-8") for name in ("commands.html", "api.html"))
    for name in COMMANDS:
        assert f'id="extractor-{name.replace(" ", "-")}"' in commands, name
    assert "--max-cost" in commands
    for name in extractor.__all__:
        assert f'id="extractor.{name}"' in library, name
    # The index of the search has stems of words.
    assert re.search(r"\boverturn\b", (site / "searchindex.js").read_text("utf-8"))
    dead, foreign = [], []
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        foreign += re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*(?:src|href)=\"(?:https?:)?//[^>]*>", text)
        for target in re.findall(r"(?:href|src)=\"([^\"#?]+)[\"#?]", text):
            if not re.match(r"\w+:|//", target) and not (page.parent / target).exists():
                dead.append(f"{page.name}: {target}")
    for sheet in site.rglob("*.css"):
        foreign += re.findall(r"url\([\"']?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", sheet.read_text("utf-8"))
    assert (dead, foreign) == ([], [])
