"""JSON as text: strict reading, and writing that no string can break."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class StrictJSONError(ValueError):
    """The text is not strict JSON. The message is short and never quotes the text."""


class DuplicateKeyError(StrictJSONError):
    """One object of the text gives a key twice."""


def strict_json(text: str | bytes) -> Any:
    """``text`` parsed as JSON: no key twice in one object, no ``NaN`` or ``Infinity``.

    Raises ``StrictJSONError``, also for text nested too deeply to parse.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except StrictJSONError:
        raise
    except (TypeError, ValueError, RecursionError):
        raise StrictJSONError("not valid JSON") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError("not valid JSON: one key is given twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJSONError("not valid JSON: NaN and Infinity are not numbers")


def json_line(value: Any) -> str:
    """``value`` as one line of JSON without its end. Readable, unless it holds half a surrogate pair."""
    readable = json.dumps(value, ensure_ascii=False)
    try:
        readable.encode()
    except UnicodeEncodeError:
        # Half a pair cannot be encoded; escaped it survives.
        return json.dumps(value)
    return readable
