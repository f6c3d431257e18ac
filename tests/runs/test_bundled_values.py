"""The records of the bundled letters keep their values, whatever moves beneath them.

A change of reader or checks that means to change a value changes the file of values too, where a reviewer sees it:
``python -m tests.support.values``.
"""

from __future__ import annotations

import json

from tests.support.values import FILE, current_values


def test_every_bundled_letter_has_the_values_it_had() -> None:
    kept, now = json.loads(FILE.read_text("utf-8")), current_values()
    assert len(kept) >= 45
    assert set(kept) == set(now)
    changed = {
        f"{letter} {path or '/'}": (values.get(path, "absent"), now[letter].get(path, "absent"))
        for letter, values in kept.items()
        for path in sorted({*values, *now[letter]})
        if values.get(path, "absent") != now[letter].get(path, "absent")
    }
    assert changed == {}
