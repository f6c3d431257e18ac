"""What tokens cost: which price a model has, the cost of calls, and the message if it is unknown."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.errors import WorkspaceError
from extractor.models.model import Usage
from extractor.models.offline import OfflineModel
from extractor.models.prices import FILE, Cost, Price, PriceTable, Tariff, rounded, tariff, total
from extractor.models.replies import read_completion
from extractor.runs.ledger import Ledger, keys_of
from extractor.runs.plan import Plan
from extractor.workspace.workspace import Workspace
from tests.support.loopback import Asked, Canned, endpoint, message
from tests.support.toy import (
    MODEL,
    NOTES,
    ROOT,
    carrier_in,
    cli,
    edit,
    good_model,
    is_correction,
    put,
    records,
    write_toy,
)

# USD per million tokens: one token of each kind costs as many millionths.
TABLE = """\
as_of = 2026-11-06
[models."openai/gpt-4.1"]
input = 2.00
output = 8
source = "a"
[models."openai/gpt-4.1-mini"]
input = 0.40
cached_input = 0.10
output = 1.60
source = "b"
[models."openai/gpt-4o"]
input = 2.50
output = 10.00
source = "c"
[models."openai/gpt-4o-2024-05-13"]
input = 5.00
output = 15.00
source = "d"
[models."anthropic/claude-sonnet-5"]
input = 3
output = 15
source = "e"
[models."openai/here"]
input = 1
output = 1
base_url = "http://127.0.0.1:8000/v1/"
source = "f"
"""


def workspace(root: Path, table: str | None = TABLE) -> Workspace:
    write_toy(root)
    if table is not None:
        put(root / FILE, table)
    return Workspace(root)


# ---- which price -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "params", "source"),
    [
        ("openai/gpt-4.1", {}, "a"),
        ("openai/gpt-4.1-mini", {}, "b"),
        ("openai/gpt-4.1-mini-2025-04-14", {}, "b"),
        ("openai/gpt-4.1-2025-04-14", {}, "a"),
        ("openai/gpt-4o-2024-08-06", {}, "c"),
        ("openai/gpt-4o-2024-05-13", {}, "d"),  # a snapshot with a price of its own
        ("anthropic/claude-sonnet-5-20260630", {}, "e"),
        ("openai/gpt-4.1", {"temperature": 0, "service_tier": "default"}, "a"),
        ("openai/gpt-4.1", {"service_tier": "auto"}, "a"),
        ("openai/here", {"base_url": "http://127.0.0.1:8000/v1"}, "f"),
    ],
)
def test_a_model_finds_its_price(tmp_path: Path, model: str, params: dict[str, Any], source: str) -> None:
    found = workspace(tmp_path).tariff(model, params)
    assert found.price
    assert (found.price.source, found.as_of) == (source, date(2026, 11, 6))


@pytest.mark.parametrize(
    "model",
    [
        "openai/gpt-4.1-nano", "openai/gpt-4.1-mini-high", "openai/gpt-4", "openai/gpt-4.1-", "openai/GPT-4.1",
        "openai/gpt-4.1-mini-2025", "openai/gpt-4.1-mini-0414", "openai/gpt-4.1-mini-2025-13-14", "openai/gpt-4.1-mini-2025-0414",
        "openai/gpt-4.1-mini-2025-04-14-preview", "openai/gpt-4.1-2025-04-14-2025-04-14", "openai/gpt-4.1-mini-1999-04-14",
        "anthropic/claude-sonnet-5-5", "anthropic/claude-sonnet-5-latest", "azure/gpt-4.1", "gpt-4.1", "openai/here",
    ],
)  # fmt: skip
def test_a_model_takes_no_price_of_another(tmp_path: Path, model: str) -> None:
    found = workspace(tmp_path).tariff(model, {})
    assert (found.price, found.unknown) == (None, f"unknown price for {model}: add it to prices.toml")
    assert found.cost(Usage(1, 1)) == Cost(None, found.unknown)


@pytest.mark.parametrize(
    ("model", "params", "why"),
    [
        ("openai/gpt-4.1", {"base_url": "http://127.0.0.1:8000/v1"},
         "unknown price for openai/gpt-4.1 at http://127.0.0.1:8000/v1: add it, with this base_url, to prices.toml"),
        ("openai/here", {"base_url": "http://127.0.0.1:8001/v1"}, "unknown price for openai/here at http://127.0.0.1:8001/v1"),
        ("openai/gpt-4.1", {"service_tier": "flex"}, "prices.toml holds standard prices, and service_tier is 'flex'"),
        ("openai/gpt-4.1", {"service_tier": "priority"}, "service_tier is 'priority'"),
    ],
)  # fmt: skip
def test_another_address_or_tier_has_another_price(
    tmp_path: Path, model: str, params: dict[str, Any], why: str
) -> None:
    found = workspace(tmp_path).tariff(model, params)
    assert found.price is None
    assert why in found.unknown


@given(st.text("-0123456789", max_size=14))
def test_no_ending_but_a_date_is_dropped(ending: str) -> None:
    table = PriceTable(as_of=date(2026, 1, 1), models={"a/b": Price(input=Decimal(1), output=Decimal(1), source="x")})
    if table.find(f"a/b{ending}"):
        digits = ending.replace("-", "")
        assert ending == "" or (len(digits) == 8 and digits.startswith("20") and ending[0] == "-")


# ---- what calls cost -------------------------------------------------------------------------

FULL = Price(
    input=Decimal("0.40"), cached_input=Decimal("0.10"), cache_write=Decimal("0.50"), output=Decimal("1.60"),
    max_input_tokens=1_000_000, source="x",
)  # fmt: skip
BARE = Price(input=Decimal("0.40"), output=Decimal("1.60"), source="x")
DEAR = Price(input=Decimal(100_000), output=Decimal(100_000), source="x")


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        (FULL, Usage(1_000_000, 1_000_000), 2.0),
        (FULL, Usage(1000, 500), 0.0012),
        (FULL, Usage(1000, 500, cached_tokens=0), 0.0012),
        (FULL, Usage(1000, 500, cached_tokens=400), 0.00108),
        (FULL, Usage(1000, 500, cached_tokens=1000), 0.0009),
        (FULL, Usage(1000, 500, cached_tokens=400, cache_write_tokens=600), 0.00114),
        (FULL, Usage(1000, 500, reasoning_tokens=450), 0.0012),  # a part of the output
        (FULL, Usage(1, 0, cached_tokens=1), 0.0000001),
        (FULL, Usage(0, 0), 0.0),
        (BARE, Usage(1000, 500), 0.0012),
        (BARE, Usage(1000, 500, cached_tokens=0, cache_write_tokens=0), 0.0012),
        (DEAR, Usage(1_000_000_000, 1_000_000_000), 200_000_000.0),
    ],
)
def test_cost(price: Price, usage: Usage, usd: float) -> None:
    cost = Tariff(price, "").cost(usage)
    assert (rounded(cost.usd), cost.unknown) == (usd, "")


@pytest.mark.parametrize(
    ("price", "usage", "why"),
    [
        (FULL, Usage(), "did not report how many tokens"),
        (FULL, Usage(None, 5), "did not report how many tokens"),
        (FULL, Usage(5, None), "did not report how many tokens"),
        (FULL, Usage(5, 5, cached_tokens=6), "impossible token counts"),
        (FULL, Usage(5, 5, cached_tokens=3, cache_write_tokens=3), "impossible token counts"),
        (FULL, Usage(-5, 5), "impossible token counts"),
        (FULL, Usage(5, -5), "impossible token counts"),
        (FULL, Usage(5, 5, cached_tokens=-1), "impossible token counts"),
        (FULL, Usage(5, 5, cache_write_tokens=-1), "impossible token counts"),
        (FULL, Usage(1_000_001, 5), "up to 1,000,000 input tokens"),
        (BARE, Usage(5, 5, cached_tokens=1), "its price has no cached_input"),
        (BARE, Usage(5, 5, cache_write_tokens=1), "its price has no cache_write"),
        (None, Usage(5, 5), "unknown price for a/b"),
    ],
)
def test_cost_that_is_not_known(price: Price | None, usage: Usage, why: str) -> None:
    cost = (Tariff(price, "") if price else tariff(None, FILE, "a/b", {})).cost(usage)
    assert cost.usd is None
    assert why in cost.unknown


def test_a_sum_is_exact_and_not_known_if_a_part_is_not() -> None:
    parts = [Tariff(FULL, "").cost(Usage(1, 0, cached_tokens=1))] * 10
    assert rounded(total(parts).usd) == 0.000001
    assert total([]) == Cost(Decimal(0))
    assert total([parts[0], Cost(None, "why"), Cost(None, "else")]) == Cost(None, "why")


counts = st.integers(0, 10**6)


@given(counts, counts, counts, counts)
def test_reading_from_the_cache_never_costs_more(plain: int, cached: int, output: int, more: int) -> None:
    bill = Tariff(replace_limit(FULL), "")
    there = bill.cost(Usage(plain + cached, output, cached_tokens=cached)).usd
    none = bill.cost(Usage(plain + cached, output)).usd
    longer = bill.cost(Usage(plain + cached, output + more)).usd
    assert there is not None
    assert none is not None
    assert longer is not None
    assert 0 <= there <= none <= longer


def replace_limit(price: Price) -> Price:
    return price.model_copy(update={"max_input_tokens": None})


# ---- what endpoints report ---------------------------------------------------------------------


def usage_of(usage: Any) -> Usage:
    choice = {"message": {"content": "{}"}, "finish_reason": "stop"}
    return read_completion({"choices": [choice], "usage": usage}).usage


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}, Usage(9, 5)),
        ({"prompt_tokens": 9, "completion_tokens": 5,
          "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
          "completion_tokens_details": {"reasoning_tokens": 3}}, Usage(9, 5, 4, 3, 2)),
        # gateways in front of other providers
        ({"prompt_tokens": 9, "completion_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2}, Usage(9, 5, 4, None, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 2},
          "cache_read_input_tokens": 7}, Usage(9, 5, 4, None, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5}, Usage(9, 5, 4)),
        # hidden thinking that is in the total alone
        ({"prompt_tokens": 21, "completion_tokens": 0, "total_tokens": 81,
          "completion_tokens_details": {"reasoning_tokens": 60}}, Usage(21, 60, reasoning_tokens=60)),
        ({"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}, Usage(20, 603)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 3}, Usage(9, 5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": "14"}, Usage(9, 5)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        ({"prompt_tokens": True, "completion_tokens": "5"}, Usage()),
        ({"prompt_tokens": -9, "completion_tokens": 5.0}, Usage()),
        ({"prompt_tokens": 10**9 + 1, "completion_tokens": 10**400}, Usage()),
        ({"prompt_tokens": [9], "completion_tokens": None, "prompt_tokens_details": [1], "completion_tokens_details": "x"}, Usage()),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": -1}}, Usage(9)),
        ({}, Usage()),
        (None, Usage()),
        ([], Usage()),
        ("many", Usage()),
    ],
)  # fmt: skip
def test_counts_of_an_endpoint(usage: Any, read: Usage) -> None:
    assert usage_of(usage) == read


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 3, 4, 5) + Usage(10, None, 30) == Usage(11, 2, 33, 4, 5)


def test_a_reply_kept_by_an_older_version_is_still_read(tmp_path: Path) -> None:
    plan = Plan(Workspace(write_toy(tmp_path / "toy")).letter_type(), OfflineModel())
    keys = keys_of("sha", plan)
    old = {"input_tokens": 100, "output_tokens": 10, "cached_tokens": 64}
    with Ledger(tmp_path / "out") as ledger:
        ledger._put("replies", keys.ask, 1, json.dumps({"text": "{}", "usage": old}), 0)
        [reply] = ledger.replies(keys)
    assert reply.usage == Usage(100, 10, 64)


# ---- the table in its workspace --------------------------------------------------------------

GOOD = 'as_of = 2026-11-06\n[models."a/b"]\ninput = 1.0\noutput = 2\nsource = "x"\n'


def test_no_table_is_no_mistake(tmp_path: Path) -> None:
    assert workspace(tmp_path, None).tariff("a/b", {}).unknown == "unknown price for a/b: add it to prices.toml"


def test_a_table_of_another_name(tmp_path: Path) -> None:
    here = workspace(tmp_path, None)
    edit(tmp_path / "workspace.toml", 'name = "toy"', 'name = "toy"\nprices = "money/list.toml"')
    with pytest.raises(WorkspaceError, match=r"cannot read .*list.toml: No such file") as raised:
        Workspace(tmp_path).tariff("a/b", {})
    assert raised.value.hint == "correct `prices` in workspace.toml"
    put(tmp_path / "money/list.toml", GOOD)
    assert Workspace(tmp_path).tariff("a/b", {}).price
    assert Workspace(tmp_path).tariff("a/c", {}).unknown == "unknown price for a/c: add it to money/list.toml"
    assert here.tariff("a/b", {}).price is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("as_of = 2026-11-06\n", "", "as_of: Field required"),
        ("2026-11-06", "2026-11-66", "not valid TOML"),
        ("input = 1.0", "", "models -> a/b -> input: Field required"),
        ("input = 1.0", "input = -1.0", "models -> a/b -> input: Input should be greater than or equal to 0"),
        ("input = 1.0", "input = 1e6", "models -> a/b -> input: Input should be less than or equal to 100000"),
        ("input = 1.0", "input = inf", "models -> a/b -> input: Input should be a finite number"),
        ("input = 1.0", "input = nan", "models -> a/b -> input: Input should be a finite number"),
        ("input = 1.0", 'input = "1.0"', "models -> a/b -> input: Value error, write a number, without quotes"),
        ("input = 1.0", "input = true", "models -> a/b -> input: Value error, write a number"),
        ("input = 1.0", "input = 1.0\ninput = 2.0", "not valid TOML"),
        ("output = 2", "output = 2\nouput = 3", "models -> a/b -> ouput: Extra inputs are not permitted"),
        ('source = "x"', "", "models -> a/b -> source: Field required"),
        ('source = "x"', 'source = ""', "models -> a/b -> source: String should have at least 1 character"),
        ('source = "x"', 'source = "x"\nmax_input_tokens = 0', "models -> a/b -> max_input_tokens"),
        ("[models", "[prices", "prices: Extra inputs are not permitted"),
    ],
)
def test_broken_table(tmp_path: Path, old: str, new: str, why: str) -> None:
    edit(put(tmp_path / "toy" / FILE, GOOD), old, new)
    with pytest.raises(WorkspaceError) as raised:
        workspace(tmp_path / "toy", None).tariff("a/b", {})
    assert why in raised.value.message
    assert str(tmp_path / "toy" / FILE) in raised.value.message
    assert raised.value.hint


def test_the_bundled_table() -> None:
    bundled = Workspace(ROOT)
    for model in ("openai/gpt-4.1-mini", "openai/gpt-4.1-mini-2025-04-14", "anthropic/claude-haiku-4-5-20251001"):
        assert bundled.tariff(model, {}).price, model
    one = bundled.tariff("openai/gpt-4.1", {}).cost(Usage(1_000_000, 1_000_000, cached_tokens=0))
    assert one.usd == Decimal(10)
    models = tomllib.loads((ROOT / FILE).read_text("utf-8"))["models"]
    assert len(models) >= 5
    for model, price in models.items():
        assert price["source"].startswith("https://"), model
        assert "source_date" in price or "date" in price["note"], model


def test_init_brings_the_table(tmp_path: Path) -> None:
    assert cli("init", tmp_path / "mine").code == 0
    assert (tmp_path / "mine" / FILE).read_bytes() == (ROOT / FILE).read_bytes()


# ---- runs ------------------------------------------------------------------------------------

# tests.support.loopback reports 100 tokens in, 64 of them cached, and 10 out: 36 + 16 + 40 millionths.
LIST = """\
as_of = 2026-11-06
[models."openai/toy"]
input = 1.00
cached_input = 0.25
output = 4.00
source = "x"
"""
ONE = 0.000092


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is a toy workspace with three good letters and a price list."""
    monkeypatch.chdir(write_toy(tmp_path / "toy"))
    put(tmp_path / "toy" / FILE, LIST)
    return tmp_path / "toy"


def priced(url: str) -> None:
    """The price list, for the loopback endpoint."""
    put(Path(FILE), f'{LIST}base_url = "{url}"\n')


def run(url: str, *words: object):
    return cli("run", "letters", "--out", "out", "--model", MODEL, "--base-url", url, *words)


def reporting(usage: dict[str, Any] | None) -> Callable[[int, Asked], Canned]:
    """A good model that reports these counts."""

    def script(number: int, asked: Asked) -> Canned:
        reply = good_model(number, asked)
        body = json.loads(reply.body)
        body["usage"] = usage
        return replace(reply, body=json.dumps(body).encode())

    return script


def test_a_run_reports_tokens_and_cost(toy: Path) -> None:
    with endpoint(good_model) as server:
        priced(server.url)
        ran = run(server.url)
        report = run(server.url, "--json").json
    assert ran.out.splitlines()[-1] == (
        "Tokens: 300 in (192 cached), 30 out. Cost of the answers: $0.000276, at list prices as of 2026-11-06."
    )
    assert report["usage"] == {
        "input_tokens": 300, "output_tokens": 30, "cached_tokens": 192, "reasoning_tokens": None, "cache_write_tokens": None,
    }  # fmt: skip
    assert (report["skipped"], report["cost_usd"], report["cost_usd_known"]) == (3, 0.000276, 0.000276)
    assert (report["cost_unknown"], report["replayed"]) == (None, False)
    for record in records(toy / "out"):
        assert record["cost_usd"] == ONE
        assert [attempt["cost_usd"] for attempt in record["attempts"]] == [ONE]


def test_all_attempts_are_paid(toy: Path) -> None:
    def script(number: int, asked: Asked) -> Canned:
        if carrier_in(asked) == "Red Cart" and not is_correction(asked):
            return message("no answer at all")
        return good_model(number, asked)

    with endpoint(script) as server:
        priced(server.url)
        assert run(server.url, "--json").json["cost_usd"] == 0.000368
    assert {record["letter_id"]: record["cost_usd"] for record in records(toy / "out")} == {
        "blue": ONE, "red": 2 * ONE, "slow": ONE,
    }  # fmt: skip


def test_an_answer_that_was_cut_off_is_paid(toy: Path) -> None:
    with endpoint([message('{"carrier"', finish="length")]) as server:
        priced(server.url)
        report = run(server.url, "--json").json
    assert (report["failed"], report["cost_usd"]) == (3, 0.000276)


def test_what_was_never_asked_costs_nothing(toy: Path) -> None:
    put(toy / "letters/empty.txt", "")
    with endpoint(good_model) as server:
        priced(server.url)
        assert run(server.url, "--json").json["cost_usd"] == 0.000276
    assert records(toy / "out")[1]["cost_usd"] == 0.0


def test_reasoning_and_cache_writes_are_reported(toy: Path) -> None:
    usage = {
        "prompt_tokens": 2000, "completion_tokens": 900, "prompt_tokens_details": {"cache_write_tokens": 1500},
        "completion_tokens_details": {"reasoning_tokens": 800},
    }  # fmt: skip
    with endpoint(reporting(usage)) as server:
        put(Path(FILE), f'{LIST}base_url = "{server.url}"\ncache_write = 1.25\n')
        ran = run(server.url)
    assert ran.out.splitlines()[-1] == (
        "Tokens: 6,000 in (4,500 written to the cache), 2,700 out (2,400 reasoning)."
        " Cost of the answers: $0.0179, at list prices as of 2026-11-06."
    )


def test_an_unknown_price_is_reported_once(toy: Path) -> None:
    with endpoint(good_model) as server:
        ran = run(server.url)
        report = run(server.url, "--json").json
    why = f"unknown price for openai/toy at {server.url}: add it, with this base_url, to prices.toml"
    assert ran.out.splitlines()[-1] == f"Tokens: 300 in (192 cached), 30 out. Cost unknown: {why}."
    assert (ran.out + ran.err).count("unknown price") == 1
    assert (report["cost_usd"], report["cost_usd_known"], report["cost_unknown"]) == (None, 0.0, why)
    assert {record["cost_usd"] for record in records(toy / "out")} == {None}


def test_an_answer_desk_needs_no_price(toy: Path) -> None:
    command = ["run", "letters", "--out", "out", "--model", "openai/answer-desk", "--max-cost", 0.01]
    with endpoint(reporting(None)) as server:
        forecast = cli(*command, "--base-url", server.url, "--dry-run")
        ran = cli(*command, "--base-url", server.url)
    assert forecast.out.splitlines()[-2] == "No cost: answers are written at an answer desk."
    assert ran.out.splitlines()[-1] == (
        "Tokens: not reported by the endpoint. No cost: answers are written at an answer desk."
    )
    assert {record["cost_usd"] for record in records(toy / "out")} == {0.0}
    assert len(records(toy / "out")) == 3


def test_a_price_added_later_is_applied_without_asking_again(toy: Path) -> None:
    with endpoint(good_model) as server:
        assert run(server.url, "--json").json["cost_usd"] is None
        priced(server.url)
        assert run(server.url, "--json").json["cost_usd"] == 0.000276
        assert run(server.url, "--json").json["skipped"] == 3
        edit(Path(FILE), 'source = "x"', 'source = "y"\nnote = "read again"')
        assert run(server.url, "--json").json["skipped"] == 3
        assert len(server.asked) == 3
    assert {record["cost_usd"] for record in records(toy / "out")} == {ONE}


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5, "completion_tokens": True}])
def test_unknown_tokens_are_no_cost(toy: Path, usage: dict[str, Any] | None) -> None:
    with endpoint(reporting(usage)) as server:
        priced(server.url)
        ran = run(server.url)
    assert ran.out.splitlines()[-1] == (
        "Tokens: not reported by the endpoint. Cost unknown: the endpoint did not report how many tokens it took."
    )


def test_a_partly_known_cost_is_reported_as_such(toy: Path) -> None:
    silent = reporting(None)
    with endpoint(lambda n, asked: (silent if carrier_in(asked) == "Red Cart" else good_model)(n, asked)) as server:
        priced(server.url)
        ran = run(server.url)
        report = run(server.url, "--json").json
    assert (
        "Cost of the answers: $0.000184 and 1 of 3 letters unknown (the endpoint did not report how many tokens it took)"
        in ran.out
    )
    assert (report["cost_usd"], report["cost_usd_known"]) == (None, 0.000184)


def test_equal_letters_are_paid_once(toy: Path) -> None:
    for name in ("b", "c"):
        put(toy / f"letters/{name}.txt", NOTES["blue"])
    with endpoint(good_model) as server:
        priced(server.url)
        report = run(server.url, "--json").json
        assert len(server.asked) == 3
    assert (report["letters"], report["cost_usd"], report["usage"]["input_tokens"]) == (5, 0.000276, 300)


def test_the_baseline_costs_nothing_and_reports_no_cost(toy: Path) -> None:
    put(toy / FILE, "broken = [")
    ran = cli("run", "letters", "--out", "out")
    report = cli("run", "letters", "--out", "out", "--json").json
    assert "Tokens" not in ran.out
    assert (report["cost_usd"], report["cost_unknown"], report["usage"]["input_tokens"]) == (0.0, None, None)


def test_a_broken_table_stops_a_run_before_anything_is_paid(toy: Path) -> None:
    edit(toy / FILE, "input = 1.00", 'input = "1.00"')
    with endpoint(good_model) as server:
        ran = run(server.url)
        assert (ran.code, server.asked) == (2, [])
    assert "prices.toml is not valid:\n  models -> openai/toy -> input: Value error, write a number" in ran.err


def test_a_replay_reports_the_cost_of_the_recording(toy: Path) -> None:
    with endpoint(good_model) as server:
        recorded = cli("record", "letters", "--model", MODEL, "--base-url", server.url)
    assert recorded.code == 0, recorded.err
    ran = cli("run", "letters", "--out", "out", "--model", f"replay:{MODEL}")
    report = cli("run", "letters", "--out", "out2", "--model", f"replay:{MODEL}", "--json").json
    assert ran.out.splitlines()[-1] == (
        "Tokens: 300 in (192 cached), 30 out."
        " Cost of the recorded answers: $0.000276, at list prices as of 2026-11-06. This replay cost nothing."
    )
    assert (report["cost_usd"], report["replayed"]) == (0.000276, True)
    (toy / FILE).unlink()
    ran = cli("run", "letters", "--out", "out3", "--model", f"replay:{MODEL}")
    assert ran.out.splitlines()[-1].endswith(
        "Cost unknown: unknown price for openai/toy: add it to prices.toml. This replay cost nothing."
    )


def test_one_letter_reports_its_cost_beside_its_record(toy: Path) -> None:
    with endpoint(good_model) as server:
        priced(server.url)
        ran = cli("extract", "letters/red.txt", "--model", MODEL, "--base-url", server.url)
    assert ran.json["cost_usd"] == ONE
    assert "Cost of the answers: $0.000092" in ran.err
    assert cli("extract", "letters/red.txt").err == ""
