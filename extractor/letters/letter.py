"""Letters: finding them among files of many kinds, and reading them without changing a character."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path

from extractor.errors import LetterError, UsageError
from extractor.letters.check_marks import unchosen
from extractor.letters.documents import Box, Document, Note, Size, Word, inferred_pages, pages_of
from extractor.letters.formats.kinds import check_text
from extractor.letters.places.contents import documents_in, piece_of
from extractor.letters.places.listing import plain_listing
from extractor.letters.places.names import printable
from extractor.letters.places.sources import LetterFile as LetterFile
from extractor.letters.places.sources import find_files
from extractor.letters.reading_view import FoldedText, ReadingView, blanked
from extractor.letters.running_lines import running_lines
from extractor.letters.spans import Span
from extractor.settings import wrong_kind

# Where letters start in the reading view of a text that may hold several; see ``LetterType.starts``.
Starts = Callable[[str], list[int]]

# Characters of a letter that a notebook gets; it keeps them in its file.
MOST_IN_NOTEBOOK = 50_000
# As many characters as a file name may have.
_LONGEST_ID = 255


@dataclass(frozen=True)
class Letter:
    """One document.

    ``text`` is the raw text, exactly as decoded from the file (line ends included). ``pages``
    are raw spans of the letter's own pages where the source has pages, else empty. ``notes`` are remarks for
    a person on how the text was obtained. ``words`` and ``sizes`` are known of PDFs and
    scans: where each word is, and how large the pages are. ``origin`` and ``first_page`` are those of
    ``Document``. ``page_marks`` are raw spans of running lines that only the letter type knows. ``source`` is the
    file it was read from (``source_of``); empty for text already in memory.
    """

    id: str
    text: str
    pages: tuple[Span, ...] = ()
    notes: tuple[Note, ...] = ()
    words: tuple[Word, ...] = field(default=(), repr=False, compare=False)
    sizes: tuple[Size, ...] = field(default=(), repr=False, compare=False)
    origin: str = field(default="text", compare=False)
    first_page: int = field(default=0, compare=False)
    page_marks: tuple[Span, ...] = field(default=(), compare=False)
    source: str = field(default="", compare=False)

    def __repr__(self) -> str:
        # Logs and error pages print this: it holds none of the letter's words.
        return f"Letter({self.id!r}, {len(self.text):,} characters)"

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def reading_sha256(self) -> str:
        """Hex digest of what is known of the text beyond its characters, notes and OCR confidences; empty for nothing.

        The same text, once from a file of text and once from a scan, is not equally certain.
        """
        if not self.notes and not self.was_guessed:
            return ""
        known = repr((self.notes, [word.confidence for word in self.words] if self.was_guessed else []))
        return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()

    def _repr_html_(self) -> str:
        """For notebooks: id, pages and the text, escaped, cut where it is very long."""
        from extractor.display.safe_text import visible

        cut = " The rest is left out." if len(self.text) > MOST_IN_NOTEBOOK else ""
        return (
            f"<p><b>{visible(self.id)}</b>: {len(self.text):,} characters, {len(self.pages):,} pages.{cut}</p>"
            f'<pre style="white-space: pre-wrap">{visible(self.text[:MOST_IN_NOTEBOOK])}</pre>'
        )

    @cached_property
    def view(self) -> ReadingView:
        """The reading view of ``text``, with running lines and options that are not chosen turned into blanks.

        This is what is read.
        """
        return self.printed.without(self._unread)

    @cached_property
    def body(self) -> str:
        """``text`` with what is blank in ``view`` turned into blanks; every offset is a raw offset."""
        return blanked(self.text, tuple(map(self.printed.to_raw, self._unread)))

    @cached_property
    def folded(self) -> FoldedText:
        """The view that words are looked up in."""
        return FoldedText(self.view)

    @cached_property
    def running_lines(self) -> tuple[Span, ...]:
        """Raw spans of running headers and footers, in order; usually none."""
        return tuple(map(self.printed.to_raw, self._running_lines))

    @cached_property
    def printed(self) -> ReadingView:
        """The reading view of the whole ``text``, running lines included."""
        return ReadingView.of(self.text)

    @cached_property
    def _unread(self) -> list[Span]:
        """Spans of the printed view that are no statements of the letter."""
        lines, options = self._running_lines, unchosen(self.printed.text)
        if not options:
            return lines
        free = (each for each in options if not any(line.start < each.end and each.start < line.end for line in lines))
        return sorted([*lines, *free])

    @cached_property
    def _running_lines(self) -> list[Span]:
        known = [self.printed.from_raw(mark) for mark in self.page_marks]
        found = running_lines(self.printed.text, [self.printed.from_raw(page) for page in self.pages])
        return sorted({*known, *(line for line in found if not any(mark.covers(line) for mark in known))})

    def page_of(self, offset: int) -> int | None:
        """1-based letter page of a raw offset; ``None`` where the text marks no pages."""
        if not self.pages:
            return None
        return bisect_right(self._page_starts, offset)

    @cached_property
    def inferred_pages(self) -> tuple[Span, ...]:
        """Likely pages of the text, for display; ``page_of`` does not count them."""
        return inferred_pages(self.text)

    def boxes(self, span: Span) -> list[tuple[int, Box]]:
        """Where a span is on its page, if known: 1-based letter pages and a rectangle for each line on them.

        A part of a word takes its share of the word's width.
        """
        found: list[tuple[int, Box]] = []
        for word in self._words_in(span):
            page, box = word.page + 1, _share(word, span)
            if found and found[-1][0] == page and _on_one_line(found[-1][1], box):
                box = _around(found.pop()[1], box)
            found.append((page, box))
        return found

    @cached_property
    def was_guessed(self) -> bool:
        """Whether OCR read any of the words."""
        return any(word.confidence is not None for word in self.words)

    def confidence(self, span: Span) -> float | None:
        """OCR's lowest confidence in a word of ``span`` (0 to 100); ``None`` if no word came from OCR."""
        known = [word.confidence for word in self._words_in(span) if word.confidence is not None]
        return min(known, default=None)

    def _words_in(self, span: Span) -> Iterator[Word]:
        """The words inside a span, or overlapping it."""
        if span.start >= span.end:
            return
        for number in range(bisect_left(self._word_ends, span.start + 1), len(self.words)):
            if self.words[number].span.start >= span.end:
                return
            yield self.words[number]

    @cached_property
    def _word_ends(self) -> list[int]:
        return [word.span.end for word in self.words]

    @cached_property
    def _page_starts(self) -> list[int]:
        return [page.start for page in self.pages]


def find_letters(paths: Iterable[Path], notify: Callable[[str], None] | None = None) -> Sequence[LetterFile]:
    """All letters among files and folders (searched recursively) and in zip archives, in a stable order.

    A letter's id is its path below the folder that was named, without the suffix; for a member of an
    archive, the archive's id and its name there; for a file named directly, its stem. Equal ids get
    the parent folder's name in front. ``notify`` is called with a line about files in folders that are
    passed over. One folder of plain files takes little memory, however many they are.

    Raises ``UsageError`` for a path that does not exist, and when no letter is found at all.
    """
    named = list(paths)
    listed = plain_listing(named[0]) if len(named) == 1 else None
    return listed or find_files(named, notify)


def letters_in(file: LetterFile, starts: Starts | None = None) -> Iterator[tuple[LetterFile, Letter | LetterError]]:
    """Every letter that ``file`` holds, with the file under the letter's own id; or why one cannot be read.

    Most files hold one. An archive in an archive and a mail hold several under their own ids
    (``mail/attachment``); a document in which ``starts`` finds several is cut: ``file#1``, ``file#2``.
    """
    for each, document in documents_in(file):
        if isinstance(document, LetterError):
            yield each, document
            continue
        try:
            pieces = _pieces(document, starts) if starts and each.piece is None else ()
        except Exception as error:  # code of a letter type: a defect met by one letter must not cost the others
            message = f"looking for letters in {each.path.name} failed ({type(error).__name__})"
            yield each, LetterError(message, code="internal", hint="this is a defect of the letter type")
            continue
        if len(pieces) < 2:
            yield each, letter_of(each.id, document, source_of(each))
        for number, piece in enumerate(pieces if len(pieces) > 1 else (), 1):
            part = each._replace(id=f"{each.id}#{number}", piece=piece)
            yield part, letter_of(part.id, piece_of(document, piece), source_of(part))


class LetterIndex:
    """Letters by id, including those in a file with others: ``merged#2``, ``mail/attachment``."""

    def __init__(self, files: Iterable[LetterFile], starts: Starts | None = None) -> None:
        self._files = {file.id: file for file in files}
        self._starts = starts
        self._taken_apart: set[str] = set()

    def get(self, letter_id: str) -> LetterFile | None:
        """A letter's location, or ``None``. Files are read only if no file has this id itself."""
        if letter_id in self._files:
            return self._files[letter_id]
        holder = next((name for name in holders_of(letter_id) if name in self._files), None)
        if holder is None or holder in self._taken_apart:
            return None
        self._taken_apart.add(holder)
        for file, _ in letters_in(self._files[holder], self._starts):
            self._files.setdefault(file.id, file)
        return self._files.get(letter_id)


def holders_of(letter_id: str) -> Iterator[str]:
    """Ids of the files that may hold a letter of this id, the nearest first."""
    name, mark, number = letter_id.rpartition("#")
    if mark and number.isdigit():
        yield name
    else:
        name = letter_id
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def letter_in(file: LetterFile) -> Letter:
    """Read the one letter that ``file`` holds.

    Raises ``LetterError``; its codes name the fault of the file (``docs/files.md``), or that it
    holds ``several`` letters, which only ``letters_in`` reads.
    """
    found = list(islice(documents_in(file), 2))
    own, document = found[0]
    # A mail or PDF that is a letter itself comes first, before what is attached to it.
    if len(found) > 1 and own.id != file.id:
        raise LetterError(f"{file.path} holds several letters", code="several", hint="use: extractor run")
    if isinstance(document, LetterError):
        raise document
    return letter_of(file.id, document, source_of(file))


def letter_from_text(text: str, *, letter_id: str, name: str = "the text") -> Letter:
    """A letter from text already in memory.

    Raises ``LetterError`` if it holds no words or is binary, ``UsageError`` if ``letter_id`` is no id.
    """
    if not isinstance(text, str):
        raise wrong_kind("text", "str", text, hint="of bytes: letter_from_bytes; of a file: read_letter")
    check_text(text, name)
    return Letter(require_id("letter_id", letter_id), text, pages_of(text))


def require_id(name: str, value: object) -> str:
    """``value`` as an id. Raises ``UsageError`` for what is no id, such as the text of a letter, without its words."""
    if not isinstance(value, str):
        raise wrong_kind(name, "str", value)
    if not value or len(value) > _LONGEST_ID or len(value.splitlines()) > 1 or "\0" in value:
        raise UsageError(
            f"{name}: an id of {len(value):,} characters cannot be used",
            hint=f"an id is one line of 1 to {_LONGEST_ID} characters",
        )
    return value


def source_of(file: LetterFile) -> str:
    """The path of a letter's first, or only, file, below the folder that was named.

    Members of archives and mails follow behind a slash. It is the same wherever the folder is, and however named.
    """
    inside = "/".join(step.name for step in file.inside)
    # An id has the folders that lead to its file, then those inside it.
    depth = len(file.id.split("/")) - (len(inside.split("/")) if inside else 0)
    return printable("/".join((*file.path.parts[-max(depth, 1) :], *filter(None, [inside]))))


def letter_of(letter_id: str, document: Document, source: str = "") -> Letter:
    """A letter from a document that was read."""
    return Letter(
        letter_id,
        document.text,
        document.pages,
        document.notes,
        document.words,
        document.sizes,
        document.origin,
        document.first_page,
        source=source,
    )


def _pieces(document: Document, starts: Starts) -> list[Span]:
    """The span of each of a document's letters; text before the first start belongs to the first."""
    text, view = document.text, ReadingView.of(document.text)
    later = [view.to_raw(Span(start, start)).start for start in sorted(set(starts(view.text)))[1:]]
    cuts = [_from_page_start(text, document.pages, start) for start in later]
    ends = sorted({0, *cuts, len(text)})
    return [Span(start, end) for start, end in pairwise(ends) if text[start:end].strip()]


def _from_page_start(text: str, pages: tuple[Span, ...], start: int) -> int:
    """A letter's start, moved to the start of its page if only blanks are between."""
    number = bisect_right([page.start for page in pages], start) - 1
    page = pages[number].start if number >= 0 else start
    return start if text[page:start].strip() else page


def _share(word: Word, span: Span) -> Box:
    """The part of a word's box that the characters of ``span`` take, if all are equally wide."""
    long, width = len(range(*word.span)), word.box.right - word.box.left
    if not long:
        return word.box
    left = word.box.left + width * max(0, span.start - word.span.start) / long
    return word.box._replace(left=left, right=word.box.right - width * max(0, word.span.end - span.end) / long)


def _on_one_line(one: Box, other: Box) -> bool:
    """Whether half the lower of two boxes is beside the other, and not before it."""
    beside = min(one.bottom, other.bottom) - max(one.top, other.top)
    return 2 * beside >= min(one.bottom - one.top, other.bottom - other.top) and other.left >= one.left


def _around(one: Box, other: Box) -> Box:
    return Box(
        *(min(pair) for pair in zip(one[:2], other[:2], strict=True)),
        *(max(p) for p in zip(one[2:], other[2:], strict=True)),
    )
