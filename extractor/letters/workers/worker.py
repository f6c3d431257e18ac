"""What runs in a worker process: read a file from the pipe and send its text, or what is wrong with it.

Or draw one of its pages, for a person to look at.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.workers.frames import packed, read_frame, write_frame

# A reader gets the bytes, the file's name, and what to call after each page.
Reader = Callable[[bytes, str, Callable[[], None]], Document]
# A drawer gets the bytes, the file's name, a 0-based page and the clockwise quarters it is turned by. It gives
# the page as PNG, nothing where there is none of that number, and how many pages there are.
Drawer = Callable[[bytes, str, int, int], tuple[bytes, int]]


def _pdf() -> Reader:
    from extractor.letters.pages.pdfpages import read

    return read


def _image() -> Reader:
    from extractor.letters.pages.images import read

    return read


def _draw_pdf() -> Drawer:
    from extractor.letters.pages.drawing import draw_pdf

    return draw_pdf


def _draw_image() -> Drawer:
    from extractor.letters.pages.drawing import draw_image

    return draw_image


def _attached(data: bytes, name: str) -> list[list[str]]:
    from extractor.letters.pages.pdfpages import attached

    return [[each, b64encode(file).decode()] for each, file in attached(data, name)]


_NICENESS = 5
# Imported when first asked for: a run without scans never loads what scans need.
_READERS: dict[str, Callable[[], Reader]] = {"pdf": _pdf, "image": _image}
_DRAWERS: dict[str, Callable[[], Drawer]] = {"pdf": _draw_pdf, "image": _draw_image}


def main() -> None:
    """Read files until the pipe ends; ``sys.argv[2]`` holds the limits."""
    memory, _, total = json.loads(sys.argv[2])
    _limit(memory)
    if hasattr(os, "nice"):
        # The parent process has calls to answer meanwhile and must not be slowed down.
        os.nice(_NICENESS)
    pipe_in, pipe_out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keep what a library prints out of the answers
    while True:
        try:
            order, data = json.loads(read_frame(pipe_in)), read_frame(pipe_in)
        except EOFError:
            return
        _end_after(total)
        reply = _answer(order, data, lambda: write_frame(pipe_out, b""))
        _end_after(0)
        del data
        write_frame(pipe_out, json.dumps(reply).encode())


def _answer(order: dict[str, Any], data: bytes, alive: Callable[[], None]) -> dict[str, Any]:
    name = order["name"]
    try:
        if order["task"] == "attached":
            return {"files": _attached(data, name)}
        if "page" in order:
            drawn, pages = _DRAWERS[order["task"]]()(data, name, order["page"], order["turned"])
            return {"png": b64encode(drawn).decode(), "pages": pages}
        return {"document": packed(_READERS[order["task"]]()(data, name, alive))}
    except LetterError as error:
        return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    except ImportError as missing:
        library = (missing.name or "for it").partition(".")[0]
        message = f"{name} cannot be read: the library {library} is not installed"
        return _error("ocr_missing", message, "pip install 'letterproof[ocr]'")
    except MemoryError:
        return _error("too_large", f"{name} needs more memory than one file may take", "print it to a new PDF")
    except Exception as error:  # its text may hold letter text; its kind does not
        kind = type(error).__name__
        return _error("damaged", f"{name} cannot be read ({kind})", "export it again, or print it to a new PDF")


def _error(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}


if sys.platform != "win32":
    import resource
    import signal

    def _limit(memory: int) -> None:
        """Cap the address space, and leave no core file: it would hold the letter."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(ValueError, OSError):  # a lower limit is already set, or the system has none
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    def _end_after(seconds: float) -> None:
        """End this process after ``seconds`` and a margin, in case its parent is gone; 0 cancels that."""
        signal.setitimer(signal.ITIMER_REAL, seconds and seconds + 5)

else:

    def _limit(memory: int) -> None:
        """There is no such limit here; the limits on pages, sizes and time still apply."""

    def _end_after(seconds: float) -> None:
        """There is no such timer here; the parent's still applies."""
