"""The lines of a gate as text, Markdown and JUnit XML; they hold no letter's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree

from extractor.display.values import plural
from extractor.evaluation.gate import GateLine
from extractor.evaluation.reports.formats import as_markdown, xml
from extractor.evaluation.reports.parts import Grid

Lines = Mapping[str, Sequence[GateLine]]


def gate_text(lines: Lines, *, strict: bool) -> str:
    """One line each: prompt, verdict, name, detail."""
    return "".join(
        f"{prompt}  {_verdict(line, strict)}  {line.name}: {line.detail}\n"
        for prompt, found in lines.items()
        for line in found
    )


def gate_markdown(lines: Lines, *, strict: bool) -> str:
    """A summary for a pull request."""
    return as_markdown(_parts(lines, strict))


def _parts(lines: Lines, strict: bool) -> Iterator[str | Grid]:
    for prompt, found in lines.items():
        failed = sum(not line.holds(strict=strict) for line in found)
        verdict = f"{plural(failed, 'line')} failed" if failed else "passed"
        yield f"Gate for {prompt}: {verdict}"
        yield Grid(
            ("", "line", "found"),
            [(_verdict(line, strict), line.name, line.detail.replace("\n    ", "; ")) for line in found],
        )


def gate_junit(lines: Lines, *, strict: bool) -> str:
    """One test suite a prompt, one test case a line."""
    root = ElementTree.Element("testsuites")
    for prompt, found in lines.items():
        failed = [line for line in found if not line.holds(strict=strict)]
        suite = ElementTree.SubElement(root, "testsuite", name=f"gate {prompt}", tests=str(len(found)))
        suite.set("failures", str(len(failed)))
        for line in found:
            case = ElementTree.SubElement(suite, "testcase", classname=prompt, name=line.name)
            if line in failed:
                ElementTree.SubElement(case, "failure", message=line.detail.partition("\n")[0]).text = line.detail
    return xml(root)


def _verdict(line: GateLine, strict: bool) -> str:
    if not line.holds(strict=strict):
        return "FAIL"
    return "warn" if line.weakened else "pass"
