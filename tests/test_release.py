"""A release: which version may follow, what the changelog must hold, and that nothing is half done."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from tests.support.scripts import script

release = script("release")
detached = script("hatch_build").detached
SETTINGS = '[project]\nname = "x"\nversion = "0.1.9"\n\n[tool.y]\nversion = "0.1.9"\n'
LOG = "# Changelog\n\n## Unreleased\n\n- Faster.\n\n## 0.1.9 (2026-11-22)\n\n- First.\n"
DAY = date(2026, 12, 1)


@pytest.mark.parametrize("wanted", ["0.1.10", "0.2.0", "1.0.0"])
def test_a_later_version_may_follow(wanted: str) -> None:
    assert release.bumped(SETTINGS, wanted) == SETTINGS.replace("0.1.9", wanted, 1)


@pytest.mark.parametrize(
    ("wanted", "reason"), [("0.1.9", "not later"), ("0.0.12", "not later"), ("0.2", "three numbers"), ("v1", "numbers")]
)
def test_no_other_version_may_follow(wanted: str, reason: str) -> None:
    with pytest.raises(release.ReleaseError, match=reason):
        release.bumped(SETTINGS, wanted)


def test_unreleased_changes_become_those_of_the_version() -> None:
    assert release.released(LOG, "0.2.0", DAY) == LOG.replace(
        "## Unreleased\n", "## Unreleased\n\n## 0.2.0 (2026-12-01)\n"
    )


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (LOG.replace("## Unreleased\n\n- Faster.\n\n", ""), "no section"),
        (LOG.replace("- Faster.\n\n", ""), "lists no change"),
        (LOG.replace("- Faster.\n", "- Faster.\n- Safer.\n- Faster.\n"), "twice: - Faster"),
        (LOG.replace("0.1.9", "0.2.0"), "already"),
    ],
)
def test_a_changelog_that_is_not_ready(log: str, reason: str) -> None:
    with pytest.raises(release.ReleaseError, match=reason):
        release.released(log, "0.2.0", DAY)


def repository(root: Path) -> Path:
    (root / "pyproject.toml").write_text(SETTINGS)
    (root / "CHANGELOG.md").write_text(LOG)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=root, check=True)
    return root


def test_uncommitted_changes_are_not_released(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = repository(tmp_path)
    (root / "new.txt").write_text("x")
    assert release.main(["0.2.0"], root) == 1
    assert "commit or stash" in capsys.readouterr().err
    assert (root / "pyproject.toml").read_text() == SETTINGS


def test_a_build_that_fails_leaves_the_files_as_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path)

    def failing(root: Path, out: Path, day: date) -> list[Path]:
        assert 'version = "0.2.0"' in (root / "pyproject.toml").read_text()
        raise release.ReleaseError("the build failed")

    monkeypatch.setattr(release, "build", failing)
    assert release.main(["0.2.0"], root) == 1
    assert "the build failed" in capsys.readouterr().err
    assert ((root / "pyproject.toml").read_text(), (root / "CHANGELOG.md").read_text()) == (SETTINGS, LOG)


def test_what_is_built_is_listed_and_not_uploaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path)
    made = tmp_path.parent / "x-0.2.0.tar.gz"
    made.write_bytes(b"")
    monkeypatch.setattr(release, "build", lambda root, out, day: [made])
    assert release.main(["0.2.0"], root) == 0
    out = capsys.readouterr().out
    assert "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  dist/x-0.2.0.tar.gz" in out
    assert "twine upload dist/x-0.2.0.tar.gz" in out


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("see [docs/files.md](docs/files.md).", "see `docs/files.md`."),
        ("see [the log](CHANGELOG.md#new)", "see the log"),
        ("[site](https://example.org/a) and [below](#below)", "[site](https://example.org/a) and [below](#below)"),
        ("a\n\n![A page](docs/images/x.png)\n\nb", "a\n\nb"),
    ],
)
def test_the_readme_outside_the_repository(text: str, alone: str) -> None:
    assert detached(text) == alone
