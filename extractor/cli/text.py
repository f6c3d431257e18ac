"""``extractor text``: what was read of a letter, page by page, with what was recognized marked."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from extractor import Extractor, Letter, LetterError, Reading, Span, TextMark
from extractor.cli.shared.marks import MarkedText, marked_text
from extractor.cli.shared.opening import open_offline
from extractor.cli.shared.options import Exit, JsonOption, TypeOption, WorkspaceOption, print_err, print_json
from extractor.display.safe_text import INVISIBLE
from extractor.display.terminal import raw_stream
from extractor.errors import UsageError

_HIDDEN = re.compile(INVISIBLE)
_BLANK_LINES = re.compile(r"\n(?:[ \t\u00a0]*\n){2,}")
_RULE = "\u2500" * 8
# Colours by the kind of mark; what is worst to get wrong is set in bold as well.
_STYLES = {"fact": "green", "date": "cyan", "running_line": "bright_black", "note": "red"}
_TAG = "bright_black"


def text_command(
    files: Annotated[list[Path], typer.Argument(help="Letter files, of any kind that is read.", metavar="FILE...")],
    letter_id: Annotated[
        str | None, typer.Option("--letter", metavar="ID", help="Only this letter, where a file holds several.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Only the text of one letter, exactly as read.")] = False,
    letter_type: TypeOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the text read from a letter, page by page, with recognized values marked.

    The first thing to look at when a record looks wrong. What is odd about the file comes first:
    hidden words, a guessed encoding, a poor scan. <outcome upheld>Upheld</outcome> means that these
    words were read as the outcome "upheld"; a question mark means that the reader was uncertain.

    Exit code 1 if a file cannot be read.

    Example: extractor text eval/imr/letters/dwc-2014-002.txt
    """
    opened = open_offline(workspace, letter_type)
    found = opened.letters(files, letter_id, notify=print_err)
    if raw:
        _print_raw(found)
        return
    unread = 0
    reports = []
    for name, letter in found:
        unread += isinstance(letter, LetterError)
        if as_json:
            reports.append(_report(name, letter, opened))
        else:
            _print(name, letter, opened)
    if as_json:
        print_json(reports)
    raise typer.Exit(Exit.LOOK if unread else Exit.FINE)


_Found = Iterator[tuple[str, Letter | LetterError]]


def _print_raw(found: _Found) -> None:
    """The text of the one letter."""
    letters = [letter for _, letter in found]
    if len(letters) != 1:
        raise UsageError(f"--raw shows one letter, these are {len(letters)}", hint="name one with --letter ID")
    if isinstance(letters[0], LetterError):
        raise letters[0]
    write_exactly(letters[0].text)


def write_exactly(text: str) -> None:
    """``text`` on stdout, every character unchanged; on a terminal, without control sequences."""
    if sys.stdout.isatty():
        print(_HIDDEN.sub(_code_point, text))
    elif buffer := getattr(sys.stdout, "buffer", None):
        sys.stdout.flush()
        buffer.write(text.encode("utf-8", "surrogatepass"))
    else:
        raw_stream(sys.stdout).write(text)


# ---- for people ---------------------------------------------------------------------------------


def _print(letter_id: str, letter: Letter | LetterError, opened: Extractor) -> None:
    console = Console(highlight=False, soft_wrap=True, file=raw_stream(sys.stdout))
    if isinstance(letter, LetterError):
        console.print(Text(_visible(f"{_RULE} {letter_id}: not read ({letter.code})\n{letter}")), style="red")
        return
    reading = opened.reading(letter)
    for line in _head(letter, reading, opened.letter_type.name):
        console.print(Text(_visible(line)))
    marks = opened.marks(reading)
    inferred = not letter.pages and bool(letter.inferred_pages)
    pages = letter.pages or letter.inferred_pages or (Span(0, len(letter.text)),)
    for number, page in enumerate(pages, 1):
        if len(pages) > 1 or letter.pages:
            guessed = ", inferred" if inferred else ""
            heading = (
                f"{_RULE} page {number} of {len(pages)}{guessed} (characters {page.start:,} to {page.end:,}) {_RULE}"
            )
            console.print(Text(heading, style="bold"))
        console.print(_marked(letter.text, marks, page))


def _head(letter: Letter, reading: Reading, type_name: str) -> Iterator[str]:
    yield f"{_RULE} {letter.id}: {letter.origin}, {len(letter.text):,} characters, sha256 {letter.sha256[:12]}"
    if reading.recognized:
        parts = ", ".join(f"{len(each)} {name}" for name, each in reading.root.blocks.items() if len(each) > 1)
        yield f"read as {type_name}{parts and ': ' + parts}"
    else:
        yield f"not read as {type_name}: {reading.note}"
    # A remark on many places is printed once; the places are marked in the text.
    often = Counter(note.code for note in letter.notes if note.span and not note.words)
    seen: set[str] = set()
    for note in letter.notes:
        if note.code in seen:
            continue
        many = often[note.code]
        if many > 1:
            seen.add(note.code)
        more = f" (and {many - 1:,} more such places, marked below)" if many > 1 else ""
        yield f"{note.severity}: {note.code}: {note.message}{more}"
        if note.words:
            yield f"  these words: {note.words}"
    for odd in reading.oddities:
        yield f"{odd.severity}: {odd.code}: {odd.message} (characters {odd.span.start:,} to {odd.span.end:,})"


def _marked(text: str, marks: list[TextMark], page: Span) -> Text:
    output = Text()
    inside: list[TextMark] = []
    for piece in marked_text(text, marks, page):
        if piece.mark is None:
            output.append(_visible(piece.text), _style(inside))
            continue
        if piece.end:
            if piece.mark in inside:
                inside.remove(piece.mark)
        else:
            inside.append(piece.mark)
        _tag(output, piece, piece.mark)
    output.rstrip()
    return output


def _tag(output: Text, piece: MarkedText, mark: TextMark) -> None:
    """A tag; section tags are on separate lines."""
    name = mark.label + ("" if mark.certain else "?")
    tag = _visible(f"</{name}>" if piece.end else f"<{name}{mark.value and ' ' + mark.value}>")
    if mark.kind != "section":
        output.append(tag, _TAG)
        return
    if output.plain and not output.plain.endswith("\n"):
        output.append("\n")
    output.append(f"{tag}\n", "blue")


def _style(inside: list[TextMark]) -> str:
    mark = next((mark for mark in reversed(inside) if mark.kind != "section"), None)
    if mark is None:
        return ""
    return f"{_STYLES[mark.kind]}{' bold' if mark.protected else ''}"


def _visible(text: str) -> str:
    """Text for the screen: one blank line where there are more, and invisible characters as their code points."""
    text = _BLANK_LINES.sub("\n\n", text.replace("\r\n", "\n").replace("\f", ""))
    return _HIDDEN.sub(_code_point, text)


def _code_point(sign: re.Match[str]) -> str:
    return f"[U+{ord(sign[0]):04X}]"


# ---- as JSON ------------------------------------------------------------------------------------


def _report(letter_id: str, letter: Letter | LetterError, opened: Extractor) -> dict[str, Any]:
    if isinstance(letter, LetterError):
        error = {"code": letter.code, "message": letter.message, "hint": letter.hint}
        return {"letter_id": letter_id, "error": error}
    reading = opened.reading(letter)
    return {
        "letter_id": letter.id,
        "letter_sha256": letter.sha256,
        "origin": letter.origin,
        "characters": len(letter.text),
        "letter_pages": _pages(letter),
        "recognized": reading.recognized,
        "why_not": reading.note or None,
        "notes": [
            {"code": note.code, "severity": note.severity, "message": note.message, "words": note.words or None,
             "span": note.span and {"start": note.span.start, "end": note.span.end}}
            for note in letter.notes
        ],
        "marks": [_mark(mark, letter) for mark in opened.marks(reading)],
        "text": letter.text,
    }  # fmt: skip


def _pages(letter: Letter) -> list[dict[str, Any]]:
    inferred = not letter.pages
    pages = letter.pages or letter.inferred_pages
    return [
        {"letter_page": number, "start": page.start, "end": page.end, "inferred": inferred}
        | (letter.sizes[number - 1]._asdict() if number <= len(letter.sizes) else {})
        for number, page in enumerate(pages, 1)
    ]


def _mark(mark: TextMark, letter: Letter) -> dict[str, Any]:
    report: dict[str, Any] = {
        "kind": mark.kind,
        "label": mark.label,
        "path": mark.path,
        "value": mark.value or None,
        "certain": mark.certain,
        "start": mark.span.start,
        "end": mark.span.end,
        "letter_page": letter.page_of(mark.span.start),
    }
    if letter.words and mark.kind != "section":
        boxes = letter.boxes(mark.span)
        report["boxes"] = [{"letter_page": page, "box": [round(side, 4) for side in box]} for page, box in boxes]
    return report
