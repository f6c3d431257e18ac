"""What of the optional parts is installed, and how to get the rest."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from extractor.cli.shared import extras as module
from extractor.cli.shared.extras import Extra, complete, extras

REQUIRES = ["pydantic>=2", 'pillow<14,>=12.2; extra == "ocr"', "scipy>=1.15; extra == 'eval'", 'ruff; extra == "dev"']


def found(monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], tesseract: tuple[str, str]) -> dict[str, Extra]:
    def version(library: str) -> str:
        if library not in installed:
            raise PackageNotFoundError(library)
        return installed[library]

    monkeypatch.setattr(module, "requires", lambda name: REQUIRES)
    monkeypatch.setattr(module, "version", version)
    monkeypatch.setattr(module, "_tesseract", lambda: tesseract)
    return {extra.name: extra for extra in extras()}


def test_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    there = found(monkeypatch, {"pillow": "12.2", "scipy": "1.16"}, ("tesseract", ""))
    assert {name: (extra.found, extra.missing, extra.install) for name, extra in there.items()} == {
        "ocr": (("pillow 12.2", "tesseract"), (), ""),
        "eval": (("scipy 1.16",), (), ""),
    }


def test_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = found(monkeypatch, {}, ("", "the program tesseract"))
    assert there["eval"].install == "pip install 'letterproof[eval]'"
    assert there["ocr"].missing == ("pillow", "the program tesseract")
    assert there["ocr"].install.splitlines()[0] == "pip install 'letterproof[ocr]'"
    assert "apt-get install tesseract-ocr" in there["ocr"].install
    only_program = found(monkeypatch, {"pillow": "12.2"}, ("", "the program tesseract"))
    assert only_program["ocr"].install.startswith("apt-get install")


@pytest.mark.parametrize(
    ("installed", "tesseract", "names"),
    [
        ({"pillow": "12.2", "scipy": "1.16"}, ("tesseract", ""), ["ocr", "eval"]),
        ({"pillow": "12.2"}, ("", "the program tesseract"), []),
        ({"scipy": "1.16"}, ("tesseract", ""), ["eval"]),
    ],
)
def test_the_extras_of_which_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, installed: dict[str, str], tesseract: tuple[str, str], names: list[str]
) -> None:
    found(monkeypatch, installed, tesseract)
    assert complete() == names
