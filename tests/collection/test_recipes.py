"""Recipes: a shop's export is described in TOML, recognised by its columns, and outranked by the person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clv_core.cli import main
from clv_core.collection.check import check_file
from clv_core.collection.inspect import inspect_file
from clv_core.collection.merge.append import append
from clv_core.collection.recipes import NONE, find_recipe, load_recipe, shipped_recipes
from clv_core.columns import CUSTOMER_ID
from clv_core.errors import ClvError, NotFound, UsageError
from clv_core.workspace import Workspace
from tests.collection.shop_exports import SYSTEMS, orders
from tests.collection.small_logs import put, read, read_lines, warnings

pytestmark = pytest.mark.first(4)

HEAD = "vente;qui;quand;piece;combien;rendu;etat;genre"
"""Columns of a made-up shop, of which no vocabulary knows one."""
RECIPE = """
title = "Made-up shop: sales"
headers = ["vente", "qui", ["quand", "quand_utc"], "combien"]
without = ["fournisseur"]
amount_scope = "order"
amount_unit = "minor"
currency = "EUR"

[mapping]
order_id = "vente"
customer_id = "qui"
event_time = ["quand_utc", "quand"]
event_type = "genre"
product_id = "piece"
amount = "combien - rendu"
order_status = "etat"

[events]
V = "purchase"
Z = "visit"

[states]
9 = "cancelled"
"""


def sales(folder: Path, head: str = HEAD) -> tuple[Path, float]:
    """Write 60 sales of two products each, the amount of the sale in both rows, in cents; return what they came to."""
    lines, net = [head], 0
    for at in range(60):
        paid, back, state = 1_999 + 37 * at, 250 * (at % 7 == 3), 9 if at % 10 == 0 else 1
        start = f"S{at};K{at % 9};2024-0{at % 9 + 1}-{at % 28 + 1:02}"
        lines += [f"{start};P{piece};{paid};{back or ''};{state};V" for piece in (1, 2)]
        lines += [f"{start};P3;;;;Z"] if at % 5 == 0 else []
        net += 0 if state == 9 else paid - back
    return put(folder, lines), net / 100


def recipe(folder: Path, text: str = RECIPE) -> str:
    return str(put(folder, [text], "made_up.toml"))


def test_a_shop_that_no_vocabulary_knows_is_read_by_twenty_lines_of_toml(tmp_path: Path) -> None:
    file, net = sales(tmp_path)
    with pytest.raises(ClvError) as caught:
        read(file)
    assert caught.value.exit_code in (3, 4)
    manifest, events, _ = read(file, recipe=recipe(tmp_path))
    assert manifest.net_revenue == pytest.approx(net) and manifest.customers == 9 and manifest.currency == "EUR"
    assert events["order_id"].nunique() == 60 and set(events["event_type"]) == {"purchase", "visit"}
    assert manifest.parts[0].recipe == "made_up"


def test_the_command_line_tries_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, net = sales(tmp_path)
    assert main(["check", str(file), "--recipe", recipe(tmp_path), "--quiet"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["net_revenue"], answer["recipe"]) == (pytest.approx(net), "made_up")


def test_next_months_file_is_read_as_the_first_without_the_recipe_at_hand(tmp_path: Path) -> None:
    file, net = sales(tmp_path)
    manifest, *_ = read(file, recipe=recipe(tmp_path))
    (tmp_path / "made_up.toml").unlink()
    later, more = sales(tmp_path / "later", HEAD.upper())
    later.write_text(later.read_text().replace(";2024-", ";2025-").replace("\nS", "\nT"))
    manifest = append(Workspace(tmp_path / "ws"), "log", later)
    assert manifest.net_revenue == pytest.approx(net + more)


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (('title = "', 'tittle = "'), "recipe_key", "tittle"),
        (('order_id = "', 'order = "'), "recipe_column", "order"),
        (('amount_scope = "order"', 'amount_scope = "basket"'), "recipe_value", "basket"),
        (('9 = "cancelled"', '9 = "gone"'), "recipe_value", "gone"),
        (("headers = [", "headers = [1, "), "recipe_value", "headers"),
        (("[events]", "[events"), "recipe_broken", "line"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_wrong_with_a_recipe_is_named(
    tmp_path: Path, change: tuple[str, str], code: str, named: str, language: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_recipe(Path(recipe(tmp_path, RECIPE.replace(*change))))
    assert caught.value.code == code
    assert named in caught.value.message(language) and "made_up.toml" in caught.value.message(language)


def test_a_recipe_names_the_columns_that_a_file_lacks(tmp_path: Path) -> None:
    file, _ = sales(tmp_path, HEAD.replace("combien", "prix"))
    with pytest.raises(UsageError) as caught:
        read(file, recipe=recipe(tmp_path))
    assert caught.value.params["missing"] == ["combien"]
    with pytest.raises(NotFound, match="shopify_orders"):
        read(file, recipe="shopfy")


def test_a_recipe_that_names_more_columns_outranks_another() -> None:
    for name, one in shipped_recipes().items():
        columns = [names[0] for names in one.headers]
        found = find_recipe("", columns, "f.csv")
        assert found is not None and found.name == name


def test_the_person_outranks_the_recipe_and_may_do_without(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    SYSTEMS["shopify"](file, orders())
    by_recipe, own = check_file(file), check_file(file, mapping={"amount": "Total", "order_status": ""})
    made = by_recipe.manifest
    assert made.answers.amount_scope == "order" and made.parts[0].recipe == "shopify_orders"
    assert "mapped_by_guess" not in warnings(made)
    assert (by_recipe.recipe, own.recipe) == ("shopify_orders", "shopify_orders")
    assert own.manifest.mapping["amount"] == "Total" and own.manifest.net_revenue > by_recipe.manifest.net_revenue
    without = check_file(file, recipe=NONE)
    assert without.recipe == "" and without.manifest.net_revenue == by_recipe.manifest.net_revenue


def test_a_look_at_a_file_names_the_recipe_and_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    SYSTEMS["taobao"](file, orders(20))
    found = inspect_file(file)
    meanings = {item.canonical: item.column for item in found.columns if item.canonical}
    assert found.recipe == "taobao_orders" and meanings[CUSTOMER_ID] == "买家会员名"
    assert inspect_file(file, recipe=NONE).recipe == ""


@pytest.mark.parametrize(
    ("column", "total"), [("first | second", 30 * 3 + 60 * 10), ("second - first", 90 * 10 - 30 * 3)]
)
def test_a_column_may_be_made_of_two(tmp_path: Path, column: str, total: float) -> None:
    lines = [f"c{at % 9},2024-03-{at % 27 + 1:02},{3 if at % 3 == 0 else ''},10,{at}" for at in range(90)]
    manifest, *_ = read_lines(tmp_path, ["customer_id,date,first,second,order_id", *lines], mapping={"amount": column})
    assert manifest.net_revenue == pytest.approx(total)


def test_charges_of_an_interface_are_in_cents(tmp_path: Path) -> None:
    names = "id,customer,created,amount,amount_captured,amount_refunded,balance_transaction,captured,currency,status"
    lines = [
        f"ch_{at},cus_{at % 9},{1_704_362_400 + 90_000 * at},{1999 + at},{1999 + at},{500 * (at % 5 == 0)},txn_{at},"
        f"true,usd,{'failed' if at % 6 == 5 else 'succeeded'}"
        for at in range(60)
    ]
    manifest, *_ = read_lines(tmp_path, [names, *lines])
    net = sum(1999 + at - 500 * (at % 5 == 0) for at in range(60) if at % 6 < 5) / 100
    assert manifest.net_revenue == pytest.approx(net) and manifest.currency == "USD"
