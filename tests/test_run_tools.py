"""A finished run as tools, asked by the SDK's own client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor import Extractor, UsageError
from extractor.run_tools import RunTools, server_of
from tests.support.imr import LETTERS
from tests.support.toy import ROOT

mcp = pytest.importorskip("mcp")
NAMES = ("dwc-2014-000", "dwc-2014-002")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunTools]:
    out = tmp_path_factory.mktemp("run")
    extractor = Extractor(ROOT, model="offline")
    letters = tuple(LETTERS / f"{name}.txt" for name in NAMES)
    list(extractor.run(letters, out))
    with RunTools(out, letters, extractor) as found:
        yield found


def call(tools: RunTools, name: str, **arguments: Any) -> Any:
    async def asked() -> Any:
        async with mcp.Client(server_of(tools)) as client:
            return await client.call_tool(name, arguments)

    return asyncio.run(asked())


def test_every_tool_only_reads(tools: RunTools) -> None:
    async def listed() -> Any:
        async with mcp.Client(server_of(tools)) as client:
            return (await client.list_tools()).tools

    found = {tool.name: tool for tool in asyncio.run(listed())}
    assert set(found) == {"run_status", "flagged_letters", "read_record", "check_answer", "compare_prompts"}
    assert all(tool.annotations.read_only_hint for tool in found.values())
    assert set(found["check_answer"].input_schema["properties"]) == {"letter_id", "answer"}


def test_from_a_flagged_letter_to_the_words_that_prove_its_values(tools: RunTools) -> None:
    assert call(tools, "run_status").structured_content["records"]["letters"] == 2
    listed = call(tools, "flagged_letters").structured_content
    [letter] = listed["letters"]
    assert (listed["flagged"], letter["letter_id"]) == (1, "dwc-2014-002")
    assert {"imr_page_outside_chapter"} <= {each["code"] for each in letter["errors"]}
    record = call(tools, "read_record", letter_id="dwc-2014-000").structured_content
    assert record["evidence"]["/decisions/0/outcome"][0]["text"] == "Upheld"


def test_an_answer_is_held_against_its_letter_and_not_stored(tools: RunTools) -> None:
    before = call(tools, "read_record", letter_id="dwc-2014-000").structured_content
    answer = {
        **before["answer"],
        "decisions": [{**each, "outcome": "overturned"} for each in before["answer"]["decisions"]],
    }
    right = call(tools, "check_answer", letter_id="dwc-2014-000", answer=before["answer"]).structured_content
    wrong = call(tools, "check_answer", letter_id="dwc-2014-000", answer=answer).structured_content
    assert (right["status"], wrong["status"]) == ("accepted", "needs_review")
    assert "/decisions/0/outcome" in {each["path"] for each in wrong["findings"]}
    assert call(tools, "read_record", letter_id="dwc-2014-000").structured_content == before


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("read_record", {"letter_id": "../../etc/passwd"}, "no letter of this id"),
        ("read_record", {"letter_id": str(LETTERS / "dwc-2014-001.txt")}, "no letter of this id"),
        ("check_answer", {"letter_id": "dwc-2014-001", "answer": {}}, "no letter of this id"),
        ("compare_prompts", {"before": "imr@v1", "after": "../secret.md"}, "no prompt version"),
        ("compare_prompts", {"before": "/tmp/run", "after": "imr@v1"}, "no prompt version"),
        ("flagged_letters", {"limit": 1000}, "limit from 1 to 100"),
    ],
)
def test_what_is_outside_the_run_is_refused(tools: RunTools, name: str, arguments: Any, reason: str) -> None:
    refused = call(tools, name, **arguments)
    assert refused.is_error
    assert reason in refused.content[0].text


def test_without_its_letters_no_answer_is_checked(tools: RunTools) -> None:
    alone = RunTools(tools._folder, (), tools._extractor)
    with pytest.raises(UsageError, match="letters of the run are not known"):
        alone.check_answer("dwc-2014-000", {})


@pytest.mark.slow
def test_the_command_serves_on_stdin_and_stdout_and_compares_prompts(tmp_path: Path) -> None:
    letters = str(LETTERS / "dwc-2014-000.txt")
    with Extractor(ROOT, model="offline") as extractor:
        list(extractor.run([letters], tmp_path / "out"))
    words = ["-m", "extractor", "mcp", str(tmp_path / "out"), "--letters", letters, "--workspace", str(ROOT)]

    async def asked() -> Any:
        async with mcp.Client(mcp.StdioServerParameters(command=sys.executable, args=words)) as client:
            record = await client.call_tool("read_record", {"letter_id": "dwc-2014-000"})
            return record, await client.call_tool("compare_prompts", {"before": "imr@v1", "after": "imr@v2"})

    record, compared = (each.structured_content for each in asyncio.run(asked()))
    assert record["status"] == "accepted"
    assert compared["letters"] > 20
    assert {"mean", "low", "high", "p"} <= set(compared["change"])
    assert all(set(flip) == {"letter_id", "path", "kind", "protected", "debatable"} for flip in compared["flips"])
