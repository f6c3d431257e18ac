"""What a letter's file really holds: one document, or the many of an archive or a mail."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from extractor.errors import EngineError, LetterError, UsageError
from extractor.letters.documents import ATTACHED, Document, Note, cut, joined
from extractor.letters.formats.archive import Archive
from extractor.letters.formats.kinds import BY_SUFFIX, Kind, check_text, kind_of, read_document, suffix_of
from extractor.letters.formats.mail import read_mail
from extractor.letters.places.budget import SpentError, budget_of
from extractor.letters.places.names import printable, tidy
from extractor.letters.places.passed import Passed
from extractor.letters.places.sources import (
    CONTAINERS,
    FileLocation,
    FoundLetter,
    LetterFile,
    MemberStep,
    chosen,
    members_of,
    missing_pages,
    opened,
    readable,
)
from extractor.letters.spans import Span
from extractor.letters.workers.processes import attached_to

MAX_BYTES = 200_000_000
# Containers in containers, and letters from one file that was not listed as an archive.
MAX_DEPTH = 3
MAX_HELD = 20_000
# Nobody scans letters to these; senders' emblems are such.
_EMBLEMS = (".gif", ".bmp", ".webp")

# What a PDF portfolio shows where its files cannot be opened.
_COVER = re.compile(r"\A.{0,200}\bPDF portfolio\b.{0,200}\Z", re.IGNORECASE | re.DOTALL)

Read = tuple[LetterFile, Document | LetterError]


def documents_in(file: LetterFile) -> Iterator[Read]:
    """Every document that ``file`` holds, with the file under its own id, or why it cannot be read.

    Most files hold one. An archive that was not listed holds its members; a mail holds its
    attachments, and itself where none of them can be the letter. Never raises ``LetterError``.
    """
    ids: set[str] = set()
    reads = islice(_read(file), MAX_HELD + 1)
    try:
        for number, (each, read) in enumerate(reads):
            if number == MAX_HELD:
                message = f"{place_of(file)} holds more than {MAX_HELD:,} letters"
                raise SpentError(message, code="too_many_members", hint="unpack it")
            ids.add(each.id)
            yield each, read
    except SpentError as error:
        yield (file._replace(id=f"{file.id}/more") if file.id in ids else file), error


def _read(file: LetterFile, data: Callable[[], bytes] | None = None) -> Iterator[Read]:
    place = place_of(file)
    try:
        with _one_file_only(place):
            began = time.thread_time()
            held = _opened(file, place, data() if data else bytes_at(place))
            if isinstance(held, _Held):
                seconds = time.thread_time() - began
                budget_of(place.path).take(
                    place.inside, str(FileLocation(place.path)), members=held.members, size=held.size, seconds=seconds
                )
    except SpentError:
        raise
    except LetterError as error:
        yield file, error
        return
    if isinstance(held, Document):
        yield file, held
        return
    if held.body is not None:
        yield file, held.noted(held.body, place)
    elif not held.found:
        yield file, LetterError(f"{place} holds no letter", code="empty", hint=held.left_out or "remove it")
    names: Counter[str] = Counter()
    for found in _not_too_deep(held.found, place):
        names[found.name] += 1
        name = found.name if names[found.name] == 1 else f"{found.name} ({names[found.name]})"
        first, *rest = found.places
        member = LetterFile(f"{file.id}/{name}", first.path, first.inside, tuple(rest))
        if found.problem:
            yield member, found.problem
            continue
        for inner, read in _read(member, partial(held.read, first.inside[-1])):
            yield inner, read if isinstance(read, LetterError) else held.noted(read, place)


def _not_too_deep(found: Sequence[FoundLetter], place: FileLocation) -> Iterator[FoundLetter]:
    """What a container holds; containers nested too deep are reported as one, not a thousand times."""
    deep: list[FoundLetter] = []
    for each in found:
        if _is_too_deep(each.places[0]):
            deep.append(each)
        else:
            yield each
    if deep:
        message = f"{place} holds {len(deep):,} containers that are nested too deep"
        yield deep[0]._replace(problem=LetterError(message, code="nested", hint="unpack the outer ones"))


def _is_too_deep(place: FileLocation) -> bool:
    return len(place.inside) >= MAX_DEPTH and suffix_of(place.name) in CONTAINERS


def _opened(file: LetterFile, place: FileLocation, data: bytes) -> Document | _Held:
    """A letter's document, or the container found there."""
    kind = kind_of(data, str(place))
    if kind not in ("zip", "mail"):
        document = _document(file, data, kind)
        if kind == "pdf" and not file.rest and any(note.code == ATTACHED for note in document.notes):
            return _portfolio(document, data, place)
        return document
    if len(place.inside) >= MAX_DEPTH:
        raise LetterError(f"{place} is nested in too many containers", code="nested", hint="unpack the outer ones")
    return _archive(data, place) if kind == "zip" else _mail(data, place)


@contextmanager
def _one_file_only(place: FileLocation) -> Iterator[None]:
    """A defect of a reader, met by one file, must not cost the others."""
    try:
        yield
    except (EngineError, LetterError, UsageError):
        raise
    except Exception as error:  # its text may hold words of the letter; its kind does not
        message = f"{place} cannot be read ({type(error).__name__})"
        raise LetterError(message, code="damaged", hint="export it again, or print it to PDF") from error


@dataclass(frozen=True)
class _Held:
    """What a container holds: letters, how to read them, its own words if they are one, and what is passed over."""

    found: Sequence[FoundLetter]
    read: Callable[[MemberStep], bytes]
    members: int
    size: int
    left_out: str = ""
    body: Document | None = None

    def noted(self, document: Document, place: FileLocation) -> Document:
        if not self.left_out:
            return document
        note = Note("left_out", f"beside it in {place}: {self.left_out}", severity="info")
        return replace(document, notes=(*document.notes, note))


def _archive(data: bytes, place: FileLocation) -> _Held:
    archive, passed = Archive(data, str(place)), Passed()
    found = list(members_of(archive, place, passed))
    read = lambda step: archive.read(step.number, step.name)  # noqa: E731
    return _Held(found, read, archive.count, archive.unpacked, "; ".join(passed.lines()))


def _mail(data: bytes, place: FileLocation) -> _Held:
    """A mail's own words are a letter if no attached document can be it; a picture may be its sender's emblem."""
    mail, passed = read_mail(data, str(place)), Passed()
    files = _located(mail.attachments, place)
    for emblem in [file for file in files if suffix_of(file[0]) in _EMBLEMS]:
        passed.unknown.add(emblem[0])
        files.remove(emblem)
    found = list(chosen(files, passed))
    left_out = list(passed.lines())
    body = mail.body
    if body and any(BY_SUFFIX.get(suffix_of(each.places[0].name)) != "image" for each in found):
        left_out.append("the mail's own words")
        body = None
    if body:
        check_text(body.text, str(place))
    size = sum(len(file) for _, file in mail.attachments)
    return _Held(
        found, lambda step: _member(mail.attachments, step, place), len(files), size, "; ".join(left_out), body
    )


def _portfolio(document: Document, data: bytes, place: FileLocation) -> Document | _Held:
    """A PDF with attached files: they are letters, and so is the PDF itself unless it is only the sheet around them."""
    try:
        if len(place.inside) >= MAX_DEPTH:
            raise LetterError("nested in too many containers", code="nested")
        files, passed = attached_to(data, str(place)), Passed()
    except LetterError as error:  # the letter itself was read
        note = Note("left_out", f"files attached to this PDF are not read ({error.code})", severity="error")
        return replace(document, notes=(*document.notes, note))
    found = list(chosen(_located(files, place), passed))
    left_out = list(passed.lines())
    body: Document | None = document
    if found and _COVER.search(document.text):
        body = None
        left_out.append("the sheet around them")
    size = sum(len(file) for _, file in files)
    return _Held(found, lambda step: _member(files, step, place), len(files), size, "; ".join(left_out), body)


def _located(files: Sequence[tuple[str, bytes]], place: FileLocation) -> list[tuple[str, FileLocation]]:
    """The files in a mail or PDF, named and placed for ``chosen``."""
    return [
        (tidy(name), FileLocation(place.path, (*place.inside, MemberStep(number, name))))
        for number, (name, _) in enumerate(files)
    ]


def _member(files: Sequence[tuple[str, bytes]], step: MemberStep, place: FileLocation) -> bytes:
    if step.number >= len(files) or files[step.number][0] != step.name:
        raise LetterError(f"{place} has changed since it was listed", code="unreadable", hint="run again")
    return files[step.number][1]


def _document(file: LetterFile, data: bytes, kind: Kind) -> Document:
    """One letter's document, of all the files that hold its pages. Raises ``LetterError`` if one cannot be read."""
    place = place_of(file)
    document = read_document(data, str(place), kind)
    if file.rest:
        others = [(other, bytes_at(other)) for other in file.rest]
        rest = [read_document(data, str(other), kind_of(data, str(other))) for other, data in others]
        document = joined([document, *rest])
        note = Note("joined", f"the letter's pages are in {len(rest) + 1} files", severity="info")
        if missing := missing_pages([place.name, *(other.name for other in file.rest)]):
            numbers = ", ".join(map(str, missing))
            note = Note(
                "page_missing",
                f"by their names, files with pages {numbers} of this letter are missing",
                severity="error",
            )
        document = replace(document, notes=(*document.notes, note))
    return piece_of(document, file.piece) if file.piece else document


def piece_of(document: Document, piece: Span) -> Document:
    """One letter of a document that holds several."""
    note = Note("split", "this is one of several letters in one file", severity="info")
    return cut(replace(document, notes=(note, *document.notes)), piece)


# ---- bytes -------------------------------------------------------------------------------------


def place_of(file: LetterFile) -> FileLocation:
    """The location of a letter's first, or only, file."""
    return FileLocation(file.path, file.inside)


def bytes_at(place: FileLocation) -> bytes:
    """The bytes at a location. Raises ``LetterError``: ``unreadable``, ``too_large``, and what the containers raise."""
    if not place.inside:
        return _file(place.path)
    at = FileLocation(place.path)
    data = b""
    for step in place.inside:
        name = str(at)
        if not at.inside and _is_zip(place.path):
            data = opened(place.path).read(step.number, step.name)
        else:
            data = data if at.inside else _file(place.path)
            kind = kind_of(data, name)
            if kind == "zip":
                data = Archive(data, name).read(step.number, step.name)
            else:
                held = attached_to(data, name) if kind == "pdf" else read_mail(data, name).attachments
                data = _member(held, step, at)
        at = FileLocation(place.path, (*at.inside, step))
    return data


def _is_zip(path: Path) -> bool:
    with readable(path) as file:
        return file.read(4) == b"PK\x03\x04"


def _file(path: Path) -> bytes:
    with readable(path) as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            message = f"cannot read {printable(str(path))}: {error.strerror}"
            raise LetterError(message, code="unreadable", hint="copy it, or fetch it again") from error
    if len(data) > MAX_BYTES:
        message = f"{printable(str(path))} is larger than {MAX_BYTES:,} bytes"
        raise LetterError(message, code="too_large", hint="split it into letters")
    return data
