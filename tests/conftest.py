"""What every test starts from: no settings of the one who runs them, no workspace code loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.support.toy import forget_workspaces

_PROVIDERS = ("OPENAI_", "AZURE_OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name == "EXTRACTOR_MODEL" or name.startswith(_PROVIDERS):
            monkeypatch.delenv(name)
    # Tests rewrite workspace code within one tick of the clock, which compiled files do not notice.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture(autouse=True)
def _no_workspaces() -> Iterator[None]:
    yield
    forget_workspaces()
