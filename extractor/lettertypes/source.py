"""The code of a letter type as a hash: a changed type reads and checks stored answers afresh."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

# Beside the modules themselves: tables that a type's code reads.
_DATA = (".toml", ".json", ".csv", ".txt")


def source_sha256(module_names: Iterable[str]) -> str:
    """A hex digest of the sources of modules, of what they use of the same workspace, and of data files beside them.

    A module without a file, such as one made by a test, counts by its name. The engine's own modules do not
    count: its version is part of every record.
    """
    digest = hashlib.sha256()
    names = sorted({name for name in module_names if name and name.partition(".")[0] != "extractor"})
    for path in sorted({path for name in names for path in _files(name)}):
        digest.update(path.name.encode() + b"\x00" + path.read_bytes() + b"\x00")
    for name in names:
        if not _file_of(sys.modules.get(name)):
            digest.update(name.encode() + b"\x00")
    return digest.hexdigest()


def _files(module_name: str) -> set[Path]:
    files: set[Path] = set()
    for module in _modules(module_name):
        path = _file_of(module)
        if path is None:
            continue
        files.add(path)
        if path.name == "__init__.py" or "__init__.py" in {sibling.name for sibling in path.parent.iterdir()}:
            files |= {sibling for sibling in path.parent.iterdir() if sibling.suffix in _DATA}
    return files


def _modules(module_name: str) -> list[ModuleType]:
    """A module and those of its own workspace that it imports from, all the way down."""
    root = module_name.partition(".")[0]
    found: dict[str, ModuleType] = {}
    waiting = [module_name]
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if module is None or name in found:
            continue
        found[name] = module
        used = (*_used(module), name.rpartition(".")[0])  # its package is executed with it
        waiting += [other for other in used if other.partition(".")[0] == root]
    return list(found.values())


def _used(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str):
            yield name


def _file_of(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    path = Path(file) if file else None
    return path if path and path.is_file() else None
