"""Workspaces: found, loaded, kept apart; and the errors of a broken one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from extractor.errors import ExtractorError, LetterTypeError, PromptError, WorkspaceError
from extractor.letters.letter import letter_from_text
from extractor.lettertypes.evidence import (
    Covers,
    Judged,
    SchemaField,
    Stated,
    StrictModel,
    Unchecked,
    Verbatim,
    check_schema,
    fields_of,
)
from extractor.lettertypes.lettertype import LetterType
from extractor.lettertypes.reading import nothing_read
from extractor.models.offline import fill
from extractor.models.prompts import Prompt, known_prompts, load_prompt
from extractor.models.wire import strict_schema
from extractor.workspace.workspace import Workspace, slug
from tests.support.toy import NOTES, PROMPT, ROOT, cli, edit, forget_workspaces, put, right_answer, write_toy

PARCEL = "schemas/parcel/__init__.py"
MODEL = "schemas/parcel/model.py"


def loaded(root: Path) -> LetterType:
    return Workspace(root).letter_type()


def prompt(root: Path, prompt_id: str) -> Prompt:
    return load_prompt(root / "prompts/parcel", prompt_id, "parcel")


# ---- a good one ------------------------------------------------------------------------------


def test_another_letter_type_than_the_first_is_read_and_filled(tmp_path: Path) -> None:
    kind = loaded(write_toy(tmp_path))
    reading = kind.read(letter_from_text(NOTES["blue"], letter_id="blue"))
    answer = fill(kind.schema, reading.root)
    assert kind.name == "parcel"
    assert answer.model_dump(mode="json") == right_answer(NOTES["blue"])
    assert answer.model_dump(mode="json") == {
        "carrier": "Blue Van",
        "parcels": [
            {"number": "12", "state": "delivered", "on": "2020-03-04"},
            {"number": "13", "state": "lost", "on": None},
        ],
    }


def test_found_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = write_toy(tmp_path / "toy") / "letters" / "2020"
    deep.mkdir()
    assert Workspace.find(deep).root == (tmp_path / "toy").resolve()
    monkeypatch.chdir(deep)
    assert Workspace.find().config.name == "toy"


def test_the_nearest_one_is_found(tmp_path: Path) -> None:
    write_toy(tmp_path, "outer")
    write_toy(tmp_path / "in" / "ner", "inner")
    assert Workspace.find(tmp_path / "in" / "ner" / "letters").config.name == "inner"
    assert Workspace.find(tmp_path / "in").config.name == "outer"


def test_two_workspaces_side_by_side(tmp_path: Path) -> None:
    write_toy(tmp_path / "a", "toy_a")
    write_toy(tmp_path / "b", "toy_b")
    edit(tmp_path / "b" / MODEL, '"lost"]', '"lost", "eaten"]')
    first, second = loaded(tmp_path / "a"), loaded(tmp_path / "b")
    assert first.schema is not second.schema
    assert (first.schema.__module__, second.schema.__module__) == (
        "_workspace_toy_a.schemas.parcel.model",
        "_workspace_toy_b.schemas.parcel.model",
    )
    assert "eaten" not in json.dumps(first.json_schema)
    assert "eaten" in json.dumps(second.json_schema)
    assert first.schema_sha256 != second.schema_sha256
    assert "schemas" not in sys.modules


def test_the_same_workspace_twice_is_one(tmp_path: Path) -> None:
    write_toy(tmp_path)
    assert loaded(tmp_path).schema is loaded(tmp_path / "letters" / "..").schema


def test_hashes_do_not_depend_on_name_or_place(tmp_path: Path) -> None:
    write_toy(tmp_path / "a", "toy_a")
    write_toy(tmp_path / "b", "toy_b")
    assert loaded(tmp_path / "a").schema_sha256 == loaded(tmp_path / "b").schema_sha256
    assert prompt(tmp_path / "a", "parcel@v1").sha256 == prompt(tmp_path / "b", "parcel@v1").sha256


@pytest.mark.parametrize("make", [write_toy, lambda _: ROOT], ids=["toy", "reference"])
def test_no_private_name_reaches_a_schema(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    kind = loaded(make(tmp_path))
    for schema in (
        kind.json_schema,
        strict_schema(kind.schema, lengths=True),
        strict_schema(kind.schema, lengths=False),
    ):
        text = json.dumps(schema)
        assert "_workspace_" not in text
        assert "Verbatim" not in text
        assert "Stated" not in text


def test_protected_leaves() -> None:
    kind = Workspace(ROOT).letter_type("imr")
    pages = "/decisions/0/maximus/citations/2/pages"
    assert [kind.is_protected(path) for path in (pages, f"{pages}/0/first", "/decisions/10/outcome", "/worker/age", "")] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "file"),
    [("openai/gpt-5", "openai__gpt-5"), ("a/b c", "a__b-c"), ("2014/x y:z", "2014__x-y-z"), ("imr@v1", "imr@v1")],
)
def test_slug(name: str, file: str) -> None:
    assert slug(name) == file


# ---- a broken one ----------------------------------------------------------------------------


def test_two_of_one_name(tmp_path: Path) -> None:
    write_toy(tmp_path / "a")
    write_toy(tmp_path / "b")
    loaded(tmp_path / "a")
    with pytest.raises(WorkspaceError, match="two workspaces are named 'toy'") as raised:
        loaded(tmp_path / "b")
    assert str((tmp_path / "a").resolve()) in raised.value.message
    assert str((tmp_path / "b").resolve()) in raised.value.message
    assert "change `name`" in raised.value.hint


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"no workspace.toml in .* or above") as raised:
        Workspace.find(tmp_path)
    assert "extractor init" in raised.value.hint
    with pytest.raises(WorkspaceError, match="cannot read"):
        Workspace(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "toy"', 'name = "toy', "not valid TOML"),
        ('name = "toy"', 'name = "toy"\nname = "toy"', "not valid TOML"),
        ('name = "toy"', 'name = "Toy Shop"', "name: String should match"),
        ('name = "toy"', "", "name: Field required"),
        ('code = "schemas.parcel"\n', "", "letter_types -> parcel -> code: Field required"),
        ('default_prompt = "parcel@v1"', 'defualt_prompt = "parcel@v1"', "letter_types -> parcel -> defualt_prompt: Extra"),
        ('default_model = "offline"', 'modle = "offline"', "modle: Extra inputs"),
        ("params = { tries = 1, max_wait = 0.01 }", "temprature = 1", "models -> openai/toy -> temprature: Extra"),
        ("params = { tries = 1, max_wait = 0.01 }", 'timeout = "long"', "models -> openai/toy -> timeout: Input should"),
    ],
)  # fmt: skip
def test_broken_configuration(tmp_path: Path, old: str, new: str, message: str) -> None:
    edit(write_toy(tmp_path) / "workspace.toml", old, new)
    with pytest.raises(WorkspaceError) as raised:
        Workspace(tmp_path)
    assert message in raised.value.message
    assert str(tmp_path.resolve() / "workspace.toml") in raised.value.message
    assert raised.value.hint


def test_configuration_that_is_not_text(tmp_path: Path) -> None:
    put(tmp_path / "workspace.toml", b'name = "\xff"')
    with pytest.raises(WorkspaceError, match="not valid TOML"):
        Workspace(tmp_path)


def test_unknown_letter_type(tmp_path: Path) -> None:
    write_toy(tmp_path)
    with pytest.raises(WorkspaceError, match="no letter type 'postcard'") as raised:
        Workspace(tmp_path).letter_type("postcard")
    assert raised.value.hint == "known: parcel"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (PARCEL, "LETTER_TYPE =", "LETER_TYPE =", "schemas.parcel of workspace .* has no LETTER_TYPE"),
        (PARCEL, "LETTER_TYPE = LetterType(", 'LETTER_TYPE = "parcel" or LetterType(', "has no LETTER_TYPE"),
        (PARCEL, "from .reader", "from .raeder", r"cannot be loaded: No module named .*raeder"),
        (PARCEL, "LETTER_TYPE = ", "LETTER_TYPE = = ", "schemas.parcel of workspace .* fails: SyntaxError"),
        (MODEL, "from datetime", "1 / 0\nfrom datetime", "fails: ZeroDivisionError: division by zero"),
        ("workspace.toml", '"schemas.parcel"', '"schemas.letter"', "schemas.letter of workspace .* cannot be loaded"),
        (MODEL, "carrier: Annotated[str | None, Verbatim(within=\"note\", whole=True)]", "carrier: str | None",
         r"^ParcelNote\.carrier has no evidence marker"),
        (MODEL, "on: Annotated[date | None, Stated(within=\"line\")]", "on: date", r"^Parcel\.on has no evidence marker"),
        (MODEL, "parcels: Annotated[list[Parcel], Covers(key=\"number\")]", "parcels: list[Parcel]",
         r"^ParcelNote\.parcels has no evidence marker"),
        (MODEL, 'Covers(key="number")', 'Covers(key="nummer")', r"^ParcelNote\.parcels: Covers names no field 'nummer'"),
        (MODEL, 'on: Annotated[date | None, Stated(within="line")]',
         'on: Annotated[date | None, Stated(within="line")] = None', r"^Parcel\.on may be left out"),
    ],
)  # fmt: skip
def test_letter_type_that_cannot_be_used(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    edit(write_toy(tmp_path) / file, old, new)
    with pytest.raises(LetterTypeError, match=message):
        loaded(tmp_path)


def test_a_mended_letter_type_loads(tmp_path: Path) -> None:
    write_toy(tmp_path)
    edit(tmp_path / PARCEL, "LETTER_TYPE =", "LETER_TYPE =")
    with pytest.raises(LetterTypeError):
        loaded(tmp_path)
    edit(tmp_path / PARCEL, "LETER_TYPE =", "LETTER_TYPE =")
    forget_workspaces()
    assert loaded(tmp_path).name == "parcel"


# ---- markers ---------------------------------------------------------------------------------

V, S = Verbatim(within="line"), Stated(within="line")


class Part(StrictModel):
    name: Annotated[str, V]


LEAVES = [
    (Annotated[str, V], SchemaField("it", "leaf", V)),
    (Annotated[str | None, V], SchemaField("it", "leaf", V)),
    (Annotated[str, V] | None, SchemaField("it", "leaf", V)),
    (Annotated[str, Field(min_length=1), V], SchemaField("it", "leaf", V)),
    (Annotated[Annotated[int, Field(ge=1)] | None, S], SchemaField("it", "leaf", S)),
    (Annotated[list[str], V], SchemaField("it", "leaf", V, many=True, scored="set")),
    (list[Annotated[str, V]], SchemaField("it", "leaf", V, many=True, scored="set")),
    (list[Annotated[str, V]] | None, SchemaField("it", "leaf", V, many=True, scored="set")),
    (Annotated[Literal["a", "b"] | None, S], SchemaField("it", "leaf", S)),
    (Annotated[date, S], SchemaField("it", "leaf", S)),
    (Annotated[list[Part], S], SchemaField("it", "leaf", S, many=True, scored="set")),
    (Annotated[bool, Unchecked("why")], SchemaField("it", "leaf", Unchecked("why"))),
    (Part, SchemaField("it", "group", model=Part)),
    (Annotated[list[Part], Covers("name")], SchemaField("it", "records", covers=Covers("name"), model=Part)),
]
NOT_LEAVES = [
    (str, "it has no evidence marker"),
    (str | None, "it has no evidence marker"),
    (list[str], "it has no evidence marker"),
    (dict[str, str], "it has no evidence marker"),
    (list[Part], "it has no evidence marker"),
    (Part | StrictModel, "it has no evidence marker"),
    (Annotated[str, V, S], "it has 2 evidence markers"),
    (Annotated[list[Annotated[str, V]], S], "it has 2 evidence markers"),
    (Annotated[list[Part], Covers("nome")], "it: Covers names no field 'nome'"),
    (Annotated[str, Judged(quote="qoute")], "it: Judged names no field 'qoute'"),
]


def one_field(annotation: Any, default: Any = ...) -> type[BaseModel]:
    return create_model("One", __base__=StrictModel, it=(annotation, default))


@pytest.mark.parametrize(("annotation", "expected"), LEAVES)
def test_where_a_marker_is_found(annotation: Any, expected: SchemaField) -> None:
    schema = one_field(annotation)
    check_schema(schema)
    [found] = fields_of(schema)
    assert replace(found, value_type=None, nullable=False) == expected


@pytest.mark.parametrize(
    ("annotation", "value_type", "nullable"),
    [
        (Annotated[str, V], str, False),
        (Annotated[str | None, V], str, True),
        (Annotated[str, V] | None, str, True),
        (Annotated[Annotated[int, Field(ge=1)] | None, S], int, True),
        (list[Annotated[str, V]], str, False),
        (Annotated[Literal["a", "b"] | None, S], Literal["a", "b"], True),
        (Annotated[list[Part], S], Part, False),
        (Annotated[bool, S], bool, False),
    ],
)
def test_the_type_of_a_leaf(annotation: Any, value_type: Any, nullable: bool) -> None:
    [found] = fields_of(one_field(annotation))
    assert (found.value_type, found.nullable) == (value_type, nullable)


@pytest.mark.parametrize(("annotation", "message"), NOT_LEAVES)
def test_where_a_marker_is_wrong(annotation: Any, message: str) -> None:
    with pytest.raises(LetterTypeError) as raised:
        check_schema(one_field(annotation))
    assert raised.value.message == f"One.{message}"


@pytest.mark.parametrize("default", [None, "", Field(default_factory=str)])
def test_a_default_is_refused(default: Any) -> None:
    with pytest.raises(LetterTypeError, match=r"^One\.it may be left out"):
        check_schema(one_field(Annotated[str | None, V], default))


def test_a_missing_marker_deep_inside_is_named_by_its_own_class() -> None:
    bare = create_model("Bare", __base__=StrictModel, leaf=(int, ...))
    middle = create_model("Middle", __base__=StrictModel, bare=(bare, ...))
    whole = create_model("Whole", __base__=StrictModel, name=(Annotated[str, V], ...), middle=(middle, ...))
    with pytest.raises(LetterTypeError, match=r"^Bare\.leaf has no evidence marker"):
        LetterType(name="x", schema=whole, read=lambda letter: nothing_read(letter, ""))


# ---- prompts ---------------------------------------------------------------------------------


def test_prompt(tmp_path: Path) -> None:
    found = prompt(write_toy(tmp_path), "parcel@v1")
    assert (found.id, found.text) == ("parcel@v1", "You read one parcel note. Fill the schema from it.\n")
    assert (found.front.title, found.front.why) == ("Parcel notes", "The first version.")


def test_nothing_is_rendered_into_a_prompt(tmp_path: Path) -> None:
    text = "{{ letter }} {% if x %} {0} $name %s \\n"
    put(write_toy(tmp_path) / "prompts/parcel/v2.md", PROMPT.split("You")[0] + text)
    assert prompt(tmp_path, "parcel@v2").text == text + "\n"


def test_prompts_are_listed_oldest_first(tmp_path: Path) -> None:
    folder = write_toy(tmp_path) / "prompts/parcel"
    for version in ("v10", "v2", "v2b"):
        put(folder / f"{version}.md", PROMPT)
    assert known_prompts(folder, "parcel") == ["parcel@v1", "parcel@v2", "parcel@v2b", "parcel@v10"]


@pytest.mark.parametrize("wanted", ["parcel@v2", "parcel", "v1", "parcel@", "parcel@../parcel/v1", "parcel@released"])
def test_unknown_prompt(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(PromptError, match="no prompt") as raised:
        prompt(write_toy(tmp_path), wanted)
    assert "v1" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("You read.", "has no front matter"),
        ("---\ntitle: A\n---\nYou read.", "front matter of .* is broken"),
        ("---\ntitle: A\nwhy: B\nwho: C\n---\nYou read.", "front matter of .* is broken"),
        ("---\ntitle: [\n---\nYou read.", "front matter of .* is broken"),
        ("---\n\n---\nYou read.", "front matter of .* is broken"),
        (b"---\ntitle: A\nwhy: B\n---\nYou r\xe9ad.", r"v1\.md"),
    ],
)
def test_broken_prompt(tmp_path: Path, text: str | bytes, message: str) -> None:
    put(write_toy(tmp_path) / "prompts/parcel/v1.md", text)
    with pytest.raises(PromptError, match=message):
        prompt(tmp_path, "parcel@v1")


def test_an_edited_released_prompt_is_refused(tmp_path: Path) -> None:
    folder = write_toy(tmp_path) / "prompts/parcel"
    put(folder / "released.toml", f'[sha256]\nv1 = "{prompt(tmp_path, "parcel@v1").sha256}"\n')
    edit(folder / "v1.md", "The first version.", "The very first version.")
    assert prompt(tmp_path, "parcel@v1").front.why == "The very first version."
    edit(folder / "v1.md", "one parcel", "1 parcel")
    with pytest.raises(PromptError, match=r"v1\.md was edited after its release") as raised:
        prompt(tmp_path, "parcel@v1")
    assert "new version" in raised.value.hint


@pytest.mark.parametrize(
    "text",
    ["v1 = 1", "[sha256", "sha256 = 1", b"\xff"],
)
def test_broken_released_list(tmp_path: Path, text: str | bytes) -> None:
    put(write_toy(tmp_path) / "prompts/parcel/released.toml", text)
    with pytest.raises(ExtractorError, match=r"released\.toml"):
        prompt(tmp_path, "parcel@v1")


def test_released_prompts_of_the_reference_workspace() -> None:
    folder = ROOT / "prompts" / "imr"
    for prompt_id in known_prompts(folder, "imr"):
        assert load_prompt(folder, prompt_id, "imr").text.strip()


# ---- whose code is executed ----------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives files away")
@pytest.mark.parametrize("path", [".", "workspace.toml"])
def test_a_workspace_of_another_user_is_executed_only_if_named(tmp_path: Path, path: str) -> None:
    root = write_toy(tmp_path / "toy")
    put(root / "schemas/parcel/__init__.py", 'open("executed", "w")')
    os.chown(root / path, 12345, -1)
    (root / "letters/2020").mkdir()
    ran = cli("run", root / "letters/blue.txt", "--out", tmp_path / "out", cwd=root / "letters/2020")
    assert ran.code == 2
    assert "belongs to another user (id 12345)" in ran.err
    assert f"--workspace {root}" in ran.err
    assert not list(root.rglob("executed"))
    write_toy(root)
    os.chown(root / path, 12345, -1)
    named = ["run", root / "letters/blue.txt", "--out", tmp_path / "out", "--workspace", root]
    assert cli(*named, cwd=root / "letters/2020").code == 0
    assert cli("run", "letters", "--out", tmp_path / "out", cwd=root).code == 0


def test_what_is_executed_is_said_once(tmp_path: Path) -> None:
    root = write_toy(tmp_path / "toy")
    for words in (["extract", "blue.txt"], ["run", ".", "--out", tmp_path / "out"], ["text", "blue.txt"]):
        ran = cli(*words, cwd=root / "letters")
        assert ran.err.count(f"using the workspace {root}, whose code is executed") == 1
    assert "using the workspace" not in cli("extract", "letters/blue.txt", cwd=root).err
    assert "using the workspace" not in cli("extract", "blue.txt", "--workspace", root, cwd=root / "letters").err
