"""Where letters are: files, folders, members of archives, attachments of mails; found by name, read one by one.

Finding opens no letter: it looks at names, in folders and in the directories of archives. What a
file really holds shows when it is read: an archive inside an archive, a mail with attachments, an
archive under a wrong name. Such a file then gives several documents, each with its own id.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from posixpath import splitext
from typing import BinaryIO, NamedTuple

from extractor.errors import LetterError, UsageError
from extractor.letters.formats.archive import Archive
from extractor.letters.formats.kinds import BY_SUFFIX, UNREAD, may_be_letter, suffix_of
from extractor.letters.places.names import printable, stem_of, tidy
from extractor.letters.places.passed import Passed
from extractor.letters.places.walk import walk
from extractor.letters.spans import Span

SUFFIXES = tuple(BY_SUFFIX)
CONTAINERS = (".zip", ".eml", ".mbox")
# The formats in which one letter may be in a folder, the best first.
_FORMS = ("text", "docx", "html", "pdf", "image", "unread")
_PAGE = re.compile(
    r"(?P<stem>.*?[^ _.-])[ _.-]+\(?(?:"
    r"(?:pages?|pg|part|pt|p)[ _.-]*(?P<page>\d{1,3})(?:[ _.-]*of[ _.-]*(?P<pages>\d{1,3}))?"
    r"|(?P<part>\d{1,3})[ _.-]*of[ _.-]*(?P<parts>\d{1,3}))\)?",
    re.IGNORECASE,
)
_LONGEST_NAME = 255
# Bytes in which the headers of a mail begin, and the names of a Word document's parts.
_HEAD = 4096
_PIECE = re.compile(r"(.+)#\d+", re.DOTALL)
_SLASH = re.compile("/")


class MemberStep(NamedTuple):
    """One step into a container: the member's place there, and its name."""

    number: int
    name: str


class FileLocation(NamedTuple):
    """Where bytes are: a file, or a member inside it, step by step."""

    path: Path
    inside: tuple[MemberStep, ...] = ()

    @property
    def name(self) -> str:
        """The file's own name, or its member's."""
        return self.inside[-1].name if self.inside else self.path.name

    def __str__(self) -> str:
        """The whole way, as errors give it."""
        return printable("/".join((str(self.path), *(step.name for step in self.inside))))


class LetterFile(NamedTuple):
    """A letter not yet read: its id and its location.

    ``inside`` are the steps into an archive or mail. ``rest`` are further files that hold its other
    pages. ``piece`` is its part of a document that holds several letters.
    """

    id: str
    path: Path
    inside: tuple[MemberStep, ...] = ()
    rest: tuple[FileLocation, ...] = ()
    piece: Span | None = None


class FoundLetter(NamedTuple):
    """A letter among the files of one folder or container: its id there, and its files in the order of its pages.

    ``problem`` is why they will not be read.
    """

    name: str
    places: tuple[FileLocation, ...]
    problem: LetterError | None = None


# ---- finding -----------------------------------------------------------------------------------


def find_files(paths: Sequence[Path], notify: Callable[[str], None] | None = None) -> list[LetterFile]:
    """All letters among files and folders (searched recursively) and in archives, in a stable order.

    A letter's id is its path below the folder that was named, without the suffix; a member's is its
    archive's id and its own name there; for a file named directly, its stem. Equal ids get the
    parent folder's name in front. ``notify`` is called with a line for each kind of entry that is passed over.

    Raises ``UsageError`` for a path that does not exist, and when no letter is found at all.
    """
    passed = Passed()
    found: list[FoundLetter] = []
    for path in paths:
        _check(path)
        found += _below(path, passed)
    if passed.linked or len(paths) > 1:
        found = _once(found)
    for line in passed.lines():
        if notify:
            notify(line)
    if not found:
        if not paths:
            raise UsageError("no path is given", hint="name letters, or folders of letters")
        listed = ", ".join(printable(str(path)) for path in paths)
        why = "; ".join(passed.lines())
        raise UsageError(f"no letters in {listed}", hint=f"letters end in {', '.join(SUFFIXES)}{why and '; ' + why}")
    return sorted(with_unique_ids(found), key=lambda file: file.id)


def _once(found: Iterable[FoundLetter]) -> list[FoundLetter]:
    """Each letter once, under the first name it was found by."""
    firsts: dict[FileLocation, FoundLetter] = {}
    for each in found:
        place = each.places[0]
        firsts.setdefault(FileLocation(_resolved(place.path), place.inside), each)
    return list(firsts.values())


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # changed since it was found
        return path


def _below(path: Path, passed: Passed) -> Iterator[FoundLetter]:
    if not path.is_dir():
        yield from _expanded(FoundLetter(printable(path.stem), (FileLocation(path),)), passed)
        return
    for found in chosen(((name, FileLocation(at)) for name, at in walk(path, passed)), passed):
        yield from _expanded(found, passed)


def _expanded(found: FoundLetter, passed: Passed) -> Iterator[FoundLetter]:
    """An archive as its members, as listed in its directory; any other file unchanged."""
    place = found.places[0]
    members: list[FoundLetter] = []
    if suffix_of(place.path.name) == ".zip":
        with contextlib.suppress(LetterError):  # reported when it is read
            members = list(members_of(opened(place.path), place, passed))
    if not members:
        yield found
    # A folder of the archive's name may hold members of the same names.
    name = found.name + (place.path.suffix if members and place.path.with_suffix("").is_dir() else "")
    for member in members:
        yield FoundLetter(f"{name}/{member.name}", member.places)


def opened(path: Path) -> Archive:
    """An archive on disk; the last ones stay open, for their members are read one at a time. Raises ``LetterError``."""
    with readable(path) as file:
        found = os.fstat(file.fileno())
    return _opened(path, found.st_mtime_ns, found.st_size)


def readable(path: Path) -> BinaryIO:
    """An open file of bytes. Raises ``LetterError`` if it cannot be opened, or is a pipe, socket or device."""
    try:
        # Without waiting: opening a pipe waits for its other end.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return open(handle, "rb")
        os.close(handle)
    except OSError as error:
        message = f"cannot read {printable(str(path))}: {error.strerror}"
        if error.errno in (errno.EMFILE, errno.ENFILE):  # no fault of this letter: all others would fail too
            raise UsageError(message, hint="raise the limit of open files: ulimit -n 4096") from error
        raise LetterError(message, code="unreadable", hint="check that it exists and may be read") from error
    raise LetterError(f"cannot read {printable(str(path))}: it is not a file", code="unreadable", hint="name a file")


@lru_cache(maxsize=4)
def _opened(path: Path, changed: int, size: int) -> Archive:
    return Archive(path, printable(str(path)))


def members_of(archive: Archive, place: FileLocation, passed: Passed) -> Iterator[FoundLetter]:
    """What an archive holds: its letters, and each member that will not be read, to be reported when it is."""
    files: list[tuple[str, FileLocation]] = []
    for member in archive.members():
        name = tidy(member.name)
        at = FileLocation(place.path, (*place.inside, MemberStep(member.number, member.name)))
        if member.problem and (member.problem.code == "unsafe_name" or _form(name) is not None):
            yield FoundLetter(stem_of(name), (at,))
        else:
            files.append((name, at))
    yield from chosen(files, passed)


def chosen(files: Iterable[tuple[str, FileLocation]], passed: Passed) -> Iterator[FoundLetter]:
    """The letters among a folder's files: pages of one letter together, of several forms the best."""
    by_name: dict[str, list[tuple[str, str, tuple[FileLocation, ...]]]] = {}
    for name, places in _with_pages(files):
        form, suffix = _form(name), suffix_of(name)
        if form is None and any(map(_may_be_letter, places)):
            # Its whole name: what follows a dot here is no suffix.
            yield FoundLetter(name, places)
        elif form is None:
            passed.unknown.add(name)
        elif suffix in CONTAINERS:
            yield FoundLetter(stem_of(name), places)
        else:
            by_name.setdefault(stem_of(name), []).append((form, name, places))
    for stem, forms in by_name.items():
        best = min((form for form, _, _ in forms), key=_FORMS.index)
        for form, name, places in forms:
            if form == best:
                yield FoundLetter(stem, places)
            else:
                for place in places:
                    passed.beside.add(name if len(places) == 1 else place.name)


def _may_be_letter(place: FileLocation) -> bool:
    """Whether a file on disk whose name gives no kind begins like a letter, as mailboxes without a suffix do."""
    if place.inside:
        return False
    try:
        with readable(place.path) as file:
            return may_be_letter(file.read(_HEAD))
    except (LetterError, UsageError, OSError):  # passed over by name, like others of its kind
        return False


def _form(name: str) -> str | None:
    suffix = suffix_of(name)
    return "unread" if suffix in UNREAD else BY_SUFFIX.get(suffix)


def _with_pages(files: Iterable[tuple[str, FileLocation]]) -> Iterator[tuple[str, tuple[FileLocation, ...]]]:
    """Files by name; those that are pages of one letter (``x_p1.png``, ``x (1 of 2).pdf``) as one, in order."""
    single: list[tuple[str, tuple[FileLocation, ...]]] = []
    groups: dict[tuple[str, str], list[tuple[_Page, str, FileLocation]]] = {}
    for name, place in files:
        page = page_of(name)
        if page and suffix_of(name) not in CONTAINERS and _form(name):
            groups.setdefault((page.stem, suffix_of(name)), []).append((page, name, place))
        else:
            single.append((name, (place,)))
    for (stem, suffix), members in groups.items():
        pages = [page for page, _, _ in members]
        if _is_one_letter(pages):
            single.append(
                (stem + suffix, tuple(place for _, _, place in sorted(members, key=lambda each: each[0].number)))
            )
        else:
            single += [(name, (place,)) for _, name, place in members]
    yield from single


class _Page(NamedTuple):
    """A page or part number in a file's name, and the total if given."""

    stem: str
    number: int
    of: int | None


def page_of(name: str) -> _Page | None:
    """The page of a letter that a file's name gives; ``None`` for most."""
    folder, slash, last = name.rpartition("/")
    match = _PAGE.fullmatch(stem_of(last)) if len(last) <= _LONGEST_NAME else None
    if not match:
        return None
    number, of = match["page"] or match["part"], match["pages"] or match["parts"]
    return _Page(folder + slash + match["stem"], int(number), int(of) if of else None)


def _is_one_letter(pages: Sequence[_Page]) -> bool:
    numbers = {page.number for page in pages}
    totals = {page.of for page in pages}
    begins = 1 in numbers or totals != {None}
    fits = all(page.of is None or page.number <= page.of for page in pages)
    return len(pages) > 1 and len(numbers) == len(pages) and len(totals) == 1 and begins and fits


def missing_pages(names: Sequence[str]) -> list[int]:
    """Which pages of a letter have no file, judging by the names."""
    pages = [page for name in names if (page := page_of(name))]
    last = max((page.of or page.number for page in pages), default=0)
    return sorted(set(range(1, last + 1)) - {page.number for page in pages})


# ---- ids ---------------------------------------------------------------------------------------


def with_unique_ids(found: Sequence[FoundLetter]) -> list[LetterFile]:
    """Letters with ids that are all different.

    Those with equal ids keep their suffixes if they are in one folder, else get as many of their parent folders'
    names in front as it takes; at last the whole name. A container that is unpacked when
    it is read keeps its suffix where the ids of its letters could be others' too, and so does a file
    whose name looks like a piece of another.
    """
    firsts = [each.places[0] for each in found]
    times = Counter((each.name, _folder(each.places[0])) for each in found)
    ids = [
        each.name + (splitext(first.name)[1] if times[each.name, _folder(first)] > 1 else "")
        for each, first in zip(found, firsts, strict=True)
    ]
    for depth in range(1, 20):
        if max(Counter(ids).values(), default=1) == 1:
            break
        ids = _renamed(ids, [_with_folders(place, depth) for place in firsts])
    if max(Counter(ids).values(), default=1) > 1:
        ids = _renamed(ids, [_whole(place) for place in firsts])
        ids = _renamed(ids, [f"{name} ({number})" for number, name in enumerate(ids, 1)])
    taken = set(ids)
    folders = {name[: slash.start()] for name in ids for slash in _SLASH.finditer(name)}
    files = []
    for name, each in zip(ids, found, strict=True):
        first, *rest = each.places
        piece = _PIECE.fullmatch(name)
        if (piece and piece[1] in taken) or (name in folders and suffix_of(first.name) in CONTAINERS):
            name += suffix_of(first.name)
        files.append(LetterFile(name, first.path, first.inside, tuple(rest)))
    return files


def _folder(place: FileLocation) -> tuple[Path, tuple[MemberStep, ...], str]:
    return (
        (place.path, place.inside[:-1], tidy(place.name).rpartition("/")[0])
        if place.inside
        else (place.path.parent, (), "")
    )


def _renamed(ids: Sequence[str], others: Sequence[str]) -> list[str]:
    """``ids``, with another name for each that occurs more than once."""
    times = Counter(ids)
    return [other if times[name] > 1 else name for name, other in zip(ids, others, strict=True)]


def _with_folders(place: FileLocation, depth: int) -> str:
    inside = (stem_of(tidy(step.name)) for step in place.inside)
    return printable("/".join((*place.path.parent.parts[-depth:], place.path.stem, *inside)).lstrip("/"))


def _whole(place: FileLocation) -> str:
    return printable("/".join((str(place.path).lstrip("/"), *(tidy(step.name) for step in place.inside))))


def _named(path: str) -> str:
    """A path for an error. One that may be the text of a letter is only counted: no error holds a letter's words."""
    if "\n" in path or "\r" in path or len(path) > _LONGEST_NAME:
        return f"a name of {len(path):,} characters, left out because it may be the text of a letter"
    return printable(path)


def _check(path: Path) -> None:
    """Raise ``UsageError`` for a named path that cannot be used."""
    name, hint = _named(str(path)), "name letters, or folders of letters"
    try:
        path.stat()
    except (FileNotFoundError, ValueError):
        raise UsageError(f"no such file or folder: {name}", hint=hint) from None
    except OSError as error:
        what = "no such file or folder:" if error.errno == errno.ENAMETOOLONG else "cannot open"
        raise UsageError(f"{what} {name}: {error.strerror}", hint=hint) from error
