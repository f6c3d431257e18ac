"""The state of recordings: whether a tape still answers what is asked now, and which tapes exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import CassetteError, TransportError
from extractor.file_names import file_name, name_of
from extractor.files import output_file
from extractor.models.cassettes.scrub import secrets_in
from extractor.models.cassettes.tape import Tape, address_of, tape_path
from extractor.models.cassettes.tapefile import Persister, answers_sha256, parsed_json

# Tapes written by hand are here, beside the folders of the prompt versions.
FAULTS = "faults"

# fresh: plays to its end; stale: what is asked now is not what was recorded; missing: never recorded;
# broken: the file cannot be read; unplayed: holds calls that are no longer made; orphan: its
# letter, prompt or model is gone.
STATES = ("fresh", "stale", "missing", "broken", "unplayed", "orphan")


@dataclass(frozen=True)
class Condition:
    """The state of one tape: one of ``STATES``, why (lines, no letter text), and the bytes of each request."""

    state: str
    lines: tuple[str, ...] = ()
    asked: tuple[int, ...] = ()


async def condition(tape: Tape, play: Callable[[], Awaitable[object]]) -> Condition:
    """Play a letter against its tape, as ``play`` would record it. Opens no connection."""
    lines: tuple[str, ...] = ()
    with tape:
        try:
            await play()
        except CassetteError:
            pass
        except TransportError as error:
            lines = (f"  {tape.path}", f"  it ends with a call that failed: {error.code}")
    asked = tuple(tape.asked)
    if tape.refused:
        # Used up: more is asked now than was recorded.
        state = "stale" if tape.refused.kind == "used_up" else tape.refused.kind
        return Condition(state, tape.refused.lines, asked)
    if tape.unplayed:
        lines = (f"  {tape.path}", f"  calls that nobody made: {tape.unplayed}")
        return Condition("unplayed", lines, asked)
    return Condition("stale" if lines else "fresh", lines, asked)


@dataclass(frozen=True)
class ModelFolder:
    """The tapes of one prompt x model: the model's name, and the address of the endpoint, if recorded."""

    model: str
    address: str = ""


def model_folders(root: Path, prompt: str) -> list[ModelFolder]:
    """The models that have a folder of tapes for ``prompt``."""
    folders = sorted(each for each in (root / file_name(prompt)).glob("*") if each.is_dir())
    return [_model_folder(folder) for folder in folders]


def _model_folder(folder: Path) -> ModelFolder:
    # The name of a long model is cut; a tape inside the folder has it whole.
    for path in sorted(folder.glob("*.yaml")):
        try:
            requests, _, head = Persister.load_cassette(str(path))
        except CassetteError:
            continue
        body = parsed_json(requests[0].body) if requests else None
        asked = body.get("model") if isinstance(body, dict) else None
        name = str(head.get("model") or f"{folder.name.partition('__')[0]}/{asked}")
        if tape_path(Path(), "x", name, "x").parent.name == folder.name:
            return ModelFolder(name, address_of(head, requests))
    return ModelFolder(name_of(folder.name) or folder.name)


def seal(path: Path) -> bool:
    """Write the hash of its answers into the head of a tape that has none; ``False`` if it has one.

    Nothing else of the file changes. Raises ``CassetteError`` for a file that cannot be read or holds no calls.
    """
    _, responses, head = Persister.load_cassette(str(path))
    if "answers_sha256" in head:
        return False
    data = path.read_bytes()
    at = data.find(b"\ninteractions:\n") + 1
    if not head or not at:
        hint = "record it again: extractor record"
        raise CassetteError(f"{path} has no head to write a hash into", hint=hint, code="broken_cassette")
    with output_file(path, private=False) as file:
        file.write(data[:at] + f"  answers_sha256: {answers_sha256(responses)}\n".encode() + data[at:])
    return True


def secrets_of(path: Path) -> Iterator[str]:
    """What in a tape looks like a secret, as ``line N: what``."""
    return secrets_in(path.read_bytes().decode("utf-8", "replace"))
