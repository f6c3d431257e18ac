"""Scripts at the root of the repository, as modules."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.support.toy import ROOT


def script(name: str) -> ModuleType:
    """The script ``name``.py, loaded but not run."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
