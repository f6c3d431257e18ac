"""The colors and type faces that all pages share."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def palette() -> str:
    """The style sheet with the shared custom properties; it comes before a page's own."""
    return (files("extractor.display") / "palette.css").read_text("utf-8")
