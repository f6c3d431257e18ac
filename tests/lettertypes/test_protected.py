"""Which fields are protected: those named, and what lies in them."""

from __future__ import annotations

import pytest

from tests.support.evalpages import NOTE


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/parcels/0/state", True),
        ("/parcels/12/state", True),
        ("parcels/state", True),
        ("/parcels/0/pages/1/first", True),
        ("/parcels/0/pages", True),
        ("/parcels/0/page", False),
        ("/parcels/0/pages_total", False),
        ("/parcels/0/states", False),
        ("/parcels/0", False),
        ("/parcels/0/number", False),
        ("/other/parcels/0/state", False),
        ("", False),
    ],
)
def test_a_path_is_protected_by_its_whole_name(path, expected):
    assert NOTE.is_protected(path) is expected
