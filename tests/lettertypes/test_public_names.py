"""What a declaration of a letter type imports, from one place."""

from __future__ import annotations

import pytest

from extractor import lettertypes
from extractor.lettertypes import parsers, places


def test_each_name_is_there() -> None:
    assert dir(lettertypes) == sorted(lettertypes.__all__)
    for name in lettertypes.__all__:
        assert getattr(lettertypes, name) is not None


def test_every_place_and_parser_is_public() -> None:
    for each in (*places.PLACES, *parsers.PARSERS[1:]):
        assert getattr(lettertypes, each.__name__) is each
    named = {name for name, value in vars(parsers).items() if isinstance(value, parsers.Parser)}
    assert named <= set(lettertypes.__all__)


def test_a_name_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Afterwards'"):
        lettertypes.Afterwards  # noqa: B018
