"""Values of settings that the library and the command line take, held to what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any

from extractor.errors import UsageError


def require_whole(name: str, value: Any, low: int | None = None, high: int | None = None) -> None:
    """Raise ``UsageError`` unless ``value`` is ``None`` or a whole number from ``low`` to ``high``."""
    if value is None:
        return
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or (low is not None and value < low) or (high is not None and value > high):
        raise _refused(name, value, f"a whole number{_range(low, high)}")


def require_number(name: str, value: Any, low: float) -> None:
    """Raise ``UsageError`` unless ``value`` is ``None`` or a finite number of at least ``low``."""
    if value is None:
        return
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < low:
        raise _refused(name, value, f"a number{_range(low, None)}")


def require_one_of(name: str, value: Any, allowed: Sequence[str]) -> None:
    """Raise ``UsageError`` unless ``value`` is ``None`` or one of ``allowed``."""
    if value is not None and value not in allowed:
        raise _refused(name, value, ", ".join(allowed))


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return ""
    return f" of at least {low}" if high is None else f" from {low} to {high}"


def _refused(name: str, value: Any, allowed: str) -> UsageError:
    return UsageError(f"{name}: {value!r} cannot be used", hint=f"allowed: {allowed}")


def require_path(name: str, value: Any) -> Path:
    """``value`` as a path. Raises ``UsageError`` for anything else, such as the bytes of a file."""
    try:
        return Path(value)
    except TypeError:
        hint = "for the contents of a file: letter_from_bytes, letter_from_text"
        raise wrong_kind(name, "the path of a file or folder", value, hint=hint) from None


def optional_path(name: str, value: Any) -> Path | None:
    """As ``require_path``; ``None`` for ``None``."""
    return None if value is None else require_path(name, value)


def require_paths(value: Any) -> list[Path]:
    """One path, or several, as a list. Raises ``UsageError`` for anything else."""
    if isinstance(value, str | PathLike):
        return [Path(value)]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        return [require_path("paths", value)]
    return [require_path("paths", path) for path in value]


def wrong_kind(name: str, expected: str, value: Any, *, hint: str = "") -> UsageError:
    """The error for an argument of a type that cannot be used; it holds none of the value."""
    return UsageError(f"{name}: {expected} was expected, not {type(value).__name__}", hint=hint)
