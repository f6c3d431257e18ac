"""The garbage collector's thresholds are raised around a run, and only there."""

from __future__ import annotations

import gc

import pytest

from extractor.runs.bulk.collector import infrequent_collection

DEFAULT = gc.get_threshold()[0]


def fails() -> None:
    with infrequent_collection():
        assert gc.isenabled()
        assert gc.get_threshold()[0] > DEFAULT
        raise KeyError


def test_the_thresholds_are_the_callers_own_again() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError):
        fails()
    assert gc.get_threshold() == before
