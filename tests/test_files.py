"""Files that are whole or not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from extractor.errors import LedgerError, UsageError
from extractor.files import whole_file


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_takes_its_place_at_the_end(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_bytes(before)
        path.chmod(0o644)
    with whole_file(path) as file:
        file.write(b"new")
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "raised", "told"),
    [
        (LedgerError("mine"), LedgerError, "mine"),
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
        (OSError(28, "No space left on device"), UsageError, "No space left on device"),
    ],
)
def test_after_an_error_all_is_as_before(
    tmp_path: Path, error: BaseException, raised: type[BaseException], told: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fill() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(raised, match=told):
        fill()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["no/such/a.txt", "."])
def test_where_no_file_can_be(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="cannot write"), whole_file(tmp_path / path, "name another"):
        pass
    assert list(tmp_path.iterdir()) == []
