"""What a worker of a cluster does with one file: bytes in, JSON out.

The file goes through a reader process of the worker's machine, with the same limits as anywhere. No name of a file
comes here, no key and no other letter. Nothing is raised: an engine writes the arguments of what fails into its log.
"""

from __future__ import annotations

import json
import os
import socket
import zlib
from collections.abc import Callable
from typing import Any

from extractor.errors import LetterError
from extractor.letters.documents import Document
from extractor.letters.workers.frames import packed, unpacked
from extractor.letters.workers.processes import read_in_process
from extractor.letters.workers.reader_version import reader_version

# Stands for the file's name in messages; the head process puts the name in.
NAME = "<file>"
# Bytes of one reading, packed and unpacked; a scanned letter of six pages has 60,000 and 400,000.
MOST_PACKED, MOST_UNPACKED = 1 << 26, 1 << 29
# How one file is read: its kind, its bytes and its name.
Read = Callable[[str, bytes, str], Document]


class OtherVersionError(Exception):
    """A worker's readers have another version than the head process; ``args`` are its machine and its version."""


def read_on_worker(kind: str, data: bytes, version: str, read: Read = read_in_process) -> bytes:
    """The reading of one file as packed JSON, or why there is none. ``version`` is that of the head process."""
    own = reader_version()
    if own != version:
        return _packed({"version": own, "machine": f"{socket.gethostname()}, process {os.getpid()}"})
    try:
        reply = _packed({"document": packed(read(kind, data, NAME))})
    except LetterError as error:
        return _packed({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
    except Exception as error:  # its text may hold words of the letter; its kind does not
        return _packed(_error("damaged", f"{NAME} cannot be read ({type(error).__name__})", "print it to a new PDF"))
    if len(reply) > MOST_PACKED:
        return _packed(_error("too_large", f"the text of {NAME} is larger than an engine may send", "split it"))
    return reply


def document_of(reply: bytes, name: str) -> Document:
    """The document that ``read_on_worker`` sent; ``name`` is what errors call the file.

    Raises ``LetterError`` for what the worker found wrong with it, and for a reply beyond all limits;
    ``OtherVersionError``.
    """
    found = _contents(reply)
    if "version" in found:
        raise OtherVersionError(found["machine"], found["version"])
    if "document" in found:
        return unpacked(found["document"])
    error = found.get("error") or _error("too_large", f"what was read in {NAME} is too large", "split it")["error"]
    raise LetterError(error["message"].replace(NAME, name), code=error["code"], hint=error["hint"])


def _contents(reply: bytes) -> dict[str, Any]:
    """What a reply holds; nothing if it is beyond a limit, or no reply."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(reply, MOST_UNPACKED) if len(reply) <= MOST_PACKED else b""
        found = json.loads(text) if unpacker.eof else {}
    except (zlib.error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _packed(reply: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(reply).encode(), 6)


def _error(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}
