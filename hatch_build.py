"""The README as package indexes show it: there, links into the repository and its pictures lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"^!\[[^\]]*\]\((?!\w+:)[^)]*\)\n\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\((?!\w+:|#)([^)]*)\)")


def detached(readme: str) -> str:
    """``readme`` without pictures of the repository, and with the words of links in place of relative links.

    Paths such as ``docs/files.md`` are kept as code: they can be found in the source distribution.
    """
    return _LINK.sub(lambda link: f"`{link[1]}`" if "/" in link[1] else link[1], _PICTURE.sub("", readme))


class Readme(MetadataHookInterface):
    """Sets the field ``readme``, which pyproject.toml declares dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": detached(text)}
