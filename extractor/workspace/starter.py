"""The starter workspace: the reference workspace, as packed into the wheel or found in a checkout."""

from __future__ import annotations

from pathlib import Path

from extractor.errors import UsageError
from extractor.workspace.workspace import MARKER


def starter_folder() -> Path:
    """The folder of the starter workspace. Raises ``UsageError`` if this installation has none."""
    package = Path(__file__).resolve().parent.parent
    # The same files: packed into the wheel, or at the repository root in a checkout.
    for place in (package / "_starter", package.parent):
        if (place / MARKER).is_file():
            return place
    raise UsageError(
        "this installation holds no starter workspace", hint="install letterproof from its wheel or a checkout"
    )
