"""A recipe recognises its own export and no other, and its export comes to what was paid, or spent."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clv_core.collection.answers import Answers
from clv_core.collection.recipes import shipped_recipes
from clv_core.collection.rows.log_loader import load_log
from clv_core.extension_points import ROOT
from clv_core.jobs import NoProgress
from clv_core.strategy.acquisition.read_spend import read_spend
from tests.collection.shop_exports import SYSTEMS, amazon, orders, paypal
from tests.collection.test_shop_exports_abroad import EXPORTS

HERE = Path(__file__).parent
TOTALS, SPENT = (tomllib.loads((HERE / name / "totals.toml").read_text("utf-8")) for name in ("exports", "spend"))
SPEND_RECIPES = sorted(path.stem for path in ROOT.glob("clv_core/strategy/acquisition/recipes/*.toml"))
WRITERS: dict[str, Callable[[Path, Any], None]] = SYSTEMS | {"amazon": amazon, "paypal": paypal}
WRITERS |= {name: one.write for name, one in EXPORTS.items()}
NAMED = {
    "tmall_items": "taobao_items",
    "wholesale": "alibaba_1688_orders",
    "shopee_english": "shopee_orders_en",
    "shopee_indonesian": "shopee_orders_id",
    "shopee_rupiah": "shopee_orders_id",
    "shopee_thai": "shopee_orders_th",
    "shopee_vietnamese": "shopee_orders_vi",
    "magento_items": "magento_items",
    "mercado": "mercado_libre_sales",
    "stripe": "stripe_payments",
}
"""Systems of :mod:`tests.collection` whose recipes are not found by the beginning of their names."""


def recipe_of(system: str) -> str:
    begin = NAMED.get(system, system)
    return next(name for name in shipped_recipes() if name.startswith(begin))


WRITTEN = {recipe_of(system): system for system in WRITERS}
"""Recipe -> what writes its export; those of other recipes lie in ``exports``."""


def example(recipe: str, folder: Path) -> tuple[Path, float]:
    """Return an export of a recipe, and what was paid in it and not given back."""
    if recipe in TOTALS:
        return HERE / "exports" / f"{recipe}.csv", TOTALS[recipe]["net_revenue"]
    system, made = WRITTEN[recipe], orders(30)
    WRITERS[system](folder / "export.csv", made)
    worth = EXPORTS[system].worth if system in EXPORTS else lambda one: one.worth
    return folder / "export.csv", sum(map(worth, made))


def test_every_recipe_has_one_export_with_its_totals() -> None:
    files = {path.stem for path in (HERE / "exports").glob("*.csv")}
    assert files == set(TOTALS) and not files & set(WRITTEN)
    assert files | set(WRITTEN) == set(shipped_recipes()), "tests/contracts/exports/<recipe>.csv, and its totals.toml"


@pytest.mark.parametrize("recipe", shipped_recipes())
def test_an_export_is_recognised_by_its_recipe_alone_and_comes_to_what_was_paid(recipe: str, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    file, paid = example(recipe, tmp_path)
    found = load_log(file, Answers(), tmp_path / "scratch", NoProgress())
    columns = found.source.columns
    assert [name for name, one in shipped_recipes().items() if one.recognises(columns)] == [recipe]
    assert found.recipe == recipe and found.summary.net_revenue == pytest.approx(paid, abs=0.02)
    assert recipe not in TOTALS or found.summary.customers == TOTALS[recipe]["customers"]


@pytest.mark.parametrize("recipe", SPEND_RECIPES)
def test_spend_is_recognised_by_its_recipe_and_every_row_is_accounted_for(recipe: str) -> None:
    wanted = SPENT[recipe]
    title = tomllib.loads((ROOT / "clv_core/strategy/acquisition/recipes" / f"{recipe}.toml").read_text("utf-8"))[
        "title"
    ]
    found = read_spend(HERE / "spend" / f"{recipe}.csv")
    assert (found.recipe, found.currency) == (title, wanted["currency"])
    assert found.total == pytest.approx(wanted["total"])
    assert found.rows_read - len(found.rows) == wanted["rejected"] == sum(one.rows for one in found.problems)
