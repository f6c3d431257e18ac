"""Settings of the documentation site: sphinx-build -W -b html docs build/site"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import reference  # noqa: E402

from extractor.engine import ENGINE  # noqa: E402

project = "Letterproof"
author = "The Letterproof authors"
project_copyright = "2026, the Letterproof authors"
version = release = ENGINE
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
exclude_patterns = ["Thumbs.db", ".DS_Store"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"

html_theme = "furo"
html_title = f"Letterproof {ENGINE}"
html_show_sourcelink = False
html_copy_source = False


def _page_source(app: Any, name: str, text: list[str]) -> None:
    """Pages of docs/ link to files of the repository; on the site they lead to the pages made of these."""
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md" and reference.MADE not in path.parts:
        text[0] = reference.site_links(text[0], path, path)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    reference.write_pages()
    app.connect("source-read", _page_source)
    app.connect("autodoc-process-docstring", lambda app, what, name, thing, options, lines: reference.literal(lines))
