"""What every test starts from: no settings of the one who runs them, no workspace code loaded."""

from __future__ import annotations

import compileall
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

# Each worker rewrites the assertions of all test modules and of hypothesis, which takes longer than importing them;
# kept for the next run, also where PYTHONDONTWRITEBYTECODE is set.
sys.dont_write_bytecode = False

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from tests.support.toy import forget_workspaces  # noqa: E402

# A property may take its time on a busy machine. CI tries more examples: HYPOTHESIS_PROFILE=thorough.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
_PACKAGE = Path(__file__).parents[1] / "extractor"
_PROVIDERS = ("OPENAI_", "AZURE_OPENAI_", "ANTHROPIC_", "GEMINI_", "GOOGLE_")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package once, not in each of the hundreds of processes that tests start."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(_PACKAGE, quiet=2)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a table marked ``sample(n)`` the default run takes n rows, evenly spread; the slow run takes the others."""
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sample"):
            tables[item.nodeid.partition("[")[0]].append(item)
    for rows in tables.values():
        marker = rows[0].get_closest_marker("sample")
        wanted = marker.args[0] if marker else len(rows)
        kept = {len(rows) * n // wanted for n in range(wanted)}
        for n, row in enumerate(rows):
            if n not in kept:
                row.add_marker("slow")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name in ("EXTRACTOR_MODEL", "EXTRACTOR_WORKSPACE") or name.startswith(_PROVIDERS):
            monkeypatch.delenv(name)
    # Commands find the workspace from here.
    monkeypatch.chdir(Path(__file__).parents[1])
    # Tests rewrite workspace code within one tick of the clock, which compiled files do not notice.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture(autouse=True)
def _no_workspaces() -> Iterator[None]:
    yield
    forget_workspaces()
