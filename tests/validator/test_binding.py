"""Binding: which record belongs to which part of the letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.validator.binding import bind

TENS, BRACE, XRAY, MRI = "TENS rental x 1 month", "Back brace", "Cervical X-ray", "MRI of the left knee"


@pytest.mark.parametrize(
    ("got", "expected", "pairs", "extra", "missing", "doubled"),
    [
        ([TENS, BRACE], [TENS, BRACE], [(0, 0), (1, 1)], [], [], {}),
        ([BRACE, TENS], [TENS, BRACE], [(0, 1), (1, 0)], [], [], {}),
        ([TENS], [TENS, BRACE], [(0, 0)], [], [1], {}),
        ([TENS, BRACE, XRAY], [TENS, BRACE], [(0, 0), (1, 1)], [2], [], {}),
        ([TENS, TENS, BRACE], [TENS, BRACE], [(0, 0), (2, 1)], [1], [], {1: 0}),
        ([TENS, BRACE, TENS], [TENS, BRACE], [(0, 0), (1, 1)], [2], [], {2: 0}),
        ([BRACE, BRACE], [TENS, BRACE], [(0, 0), (1, 1)], [], [], {}),
        ([TENS, TENS], [TENS, TENS], [(0, 0), (1, 1)], [], [], {}),
        (["TENS rental x 2 months", BRACE], [TENS, BRACE], [(0, 0), (1, 1)], [], [], {}),
        ([TENS, "something else", XRAY], [TENS, BRACE, XRAY], [(0, 0), (1, 1), (2, 2)], [], [], {}),
        # the likest pair first, whatever the order
        (["MRI of the left knee joint", "MRI of the left knee now and then"], [MRI, "MRI of the right knee"],
         [(0, 0), (1, 1)], [], [], {}),
        (["Cervical X-rays", "TENS rental x 2 months"], [TENS, XRAY], [(0, 1), (1, 0)], [], [], {}),
        (["zzz", BRACE], [TENS, BRACE], [(0, 0), (1, 1)], [], [], {}),
        ([BRACE, "zzz"], [BRACE, TENS], [(0, 0), (1, 1)], [], [], {}),
        ([BRACE, "zzz"], [TENS, BRACE], [(0, 1)], [1], [0], {}),
        ([BRACE, "zzz", "yyy"], [BRACE, TENS], [(0, 0)], [1, 2], [1], {}),
        (["zzz", BRACE], [BRACE, TENS], [(1, 0)], [0], [1], {}),
        ([BRACE, "zzz", "yyy", XRAY], [BRACE, TENS, XRAY], [(0, 0), (3, 2)], [1, 2], [1], {}),
        (["MRI of the left knee a", "MRI of the left knee b"], ["qqqq", MRI], [(0, 1)], [1], [0], {}),
        (["a", "b"], ["x", "y"], [], [0, 1], [0, 1], {}),
        ([], [TENS], [], [], [0], {}),
        ([TENS], [], [], [0], [], {}),
    ],
)  # fmt: skip
def test_bind(got, expected, pairs, extra, missing, doubled) -> None:
    binding = bind(got, expected)
    assert list(binding.pairs) == pairs
    assert (list(binding.extra), list(binding.missing), binding.doubled) == (extra, missing, doubled)


def test_order() -> None:
    assert bind([TENS, BRACE], [TENS, BRACE]).in_order
    assert not bind([BRACE, TENS], [TENS, BRACE]).in_order


KEYS = st.lists(st.sampled_from([TENS, BRACE, XRAY, MRI, "TENS rental", "x"]), max_size=12)


@given(KEYS, KEYS)
def test_each_is_used_once_and_none_is_lost(got: list[str], expected: list[str]) -> None:
    binding = bind(got, expected)
    assert sorted([i for i, _ in binding.pairs] + list(binding.extra)) == list(range(len(got)))
    assert sorted([j for _, j in binding.pairs] + list(binding.missing)) == list(range(len(expected)))


def test_thousands_of_records_take_no_time() -> None:
    keys = [f"item {i}" for i in range(20_000)]
    assert len(bind([f"other {i}" for i in range(20_000)], keys).pairs) == 0
    assert len(bind(list(reversed(keys)), keys).pairs) == 20_000


def test_unlike_records_are_not_bound() -> None:
    """Two records and two parts in no order that place could decide: only likeness may bind them."""
    got = ["Lumbar epidural steroid injection", "Home health aide"]
    assert bind(got, ["Cervical collar", "Gym membership"]).pairs == ()
    parts = ["Lumbar epidural steroid injections", "Gym membership", "Cervical collar"]
    assert bind([*got, "Shower chair"], parts).pairs == ((0, 0),)


@pytest.mark.parametrize(("count", "bound"), [(4, 4), (40, 40), (41, 0)])
def test_likeness_is_asked_of_so_many_records_and_no_more(count: int, bound: int) -> None:
    """Each record differs from its part by one letter, and they come in reverse, so place decides nothing."""
    names = [f"{chr(97 + i % 26) * 9}{chr(97 + i // 26) * 9}" for i in range(count)]
    pairs = bind([f"{name}!" for name in reversed(names)], names).pairs
    assert len(pairs) == bound
    assert all(names[j] == names[count - 1 - i] for i, j in pairs)
