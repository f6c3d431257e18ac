"""What users copy into their CI: the shell script, the workflow with the same lines, and the hook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from extractor.cli.commands import COMMANDS
from tests.support.toy import ROOT

SCRIPT = ROOT / "docs" / "ci" / "evals.sh"
WORKFLOW = ROOT / ".github" / "workflows" / "evals.yml"


def test_the_workflow_runs_the_lines_of_the_script() -> None:
    # YAML reads the key `on` as true.
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    steps = {step.get("name"): step for step in workflow["jobs"]["evals"]["steps"]}
    body = SCRIPT.read_text("utf-8").partition("mkdir -p")[2]
    assert body
    assert steps["Hold the prompts against their gold"]["run"].partition("mkdir -p")[2] == body
    inputs = workflow[True]["workflow_call"]["inputs"]
    assert set(inputs) == set(re.findall(r"inputs\.(\w+)", WORKFLOW.read_text("utf-8")))


def test_no_input_of_a_caller_becomes_part_of_a_shell_line() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert [step["run"] for step in workflow["jobs"]["evals"]["steps"] if "${{" in step.get("run", "")] == []


def test_the_hook_runs_a_command_that_exists() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook["entry"].removeprefix("extractor ") in COMMANDS
    for path, looked_at in [("prompts/imr/v1.md", True), ("w/schemas/a.py", True), ("docs/prompts.md", False)]:
        assert bool(re.search(hook["files"], path)) is looked_at, path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the type `bva` of the repository, which has nine letters."""
    root = tmp_path / "work"
    for folder in ("schemas", "prompts", "eval", "cassettes"):
        shutil.copytree(ROOT / folder, root / folder)
    for name in ("workspace.toml", "prices.toml"):
        shutil.copy(ROOT / name, root)
    return root


def run(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(SCRIPT), *words], cwd=workspace, env={**os.environ, "PATH": path}, capture_output=True,
        text=True, timeout=110, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_script_passes_here_and_its_reports_hold_no_words_of_letters(workspace: Path) -> None:
    ran = run(workspace, "bva", "bva@v1", "bva@v2")
    assert ran.returncode == 0, ran.stdout[-1000:] + ran.stderr[-1000:]
    junit = (workspace / "reports" / "gate.xml").read_text("utf-8")
    summary = (workspace / "reports" / "summary.md").read_text("utf-8")
    assert len(ElementTree.fromstring(junit).findall(".//testcase")) > 3
    assert "bva@" in summary
    letters = [path.read_text("utf-8") for path in (workspace / "eval" / "bva" / "letters").glob("*.txt")]
    lines = {line.strip() for letter in letters for line in letter.splitlines() if len(line.split()) > 5}
    assert len(lines) > 100
    assert [line for line in lines if line in junit or line in summary] == []
    assert "bva@v2" in (workspace / "reports" / "compare.html").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_script_ends_with_the_worst_exit_code_and_goes_on_after_a_failure(workspace: Path) -> None:
    with (workspace / "prompts" / "bva" / "v1.md").open("a") as file:
        file.write("An edit.\n")
    ran = run(workspace, "bva")
    assert ran.returncode == 2
    assert ran.stderr.count("edited after its release") >= 3
