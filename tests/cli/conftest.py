from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.loopback import Endpoint, endpoint
from tests.support.toy import good_model


@pytest.fixture
def server() -> Iterator[Endpoint]:
    """An endpoint whose model reads the toy letters rightly."""
    with endpoint(good_model) as server:
        yield server
