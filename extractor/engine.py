"""The version of this program, as it is installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    ENGINE = version("letterproof")
except PackageNotFoundError:  # a source tree on the path, not installed
    ENGINE = "unknown"
