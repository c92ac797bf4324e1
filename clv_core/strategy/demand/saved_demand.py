"""The demand of a scored dataset on disk: made once for a log's end, read by the page and commands.

A record has the tests on past dates and what was left out, a table beside it the products and categories. Both name no
customer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv_core.deployment import ArtifactKind, Scored, origin_predictions, write_table
from clv_core.errors import Message
from clv_core.i18n import say_count, say_money, say_number, say_share
from clv_core.jobs import Progress, parts_of
from clv_core.records import StoredRecord
from clv_core.strategy.demand.methods import CUSTOMERS
from clv_core.strategy.demand.product_days import Floats, LeftOut, ProductDays, check_columns
from clv_core.strategy.demand.product_demand import (
    FADING,
    NEW,
    RARE,
    Demand,
    DemandTest,
    Ranged,
    make_demand,
    past_demands,
    spans_of,
)
from clv_core.strategy.forecast import forecast
from clv_core.workspace import read_json, write_json

TABLE: Final = ".parquet"
WEEKLY: Final = ("units", "low", "high")
BEFORE: Final = "before"
BLOCKS: Final = ("block", "block_low", "block_high")
LEVEL: Final = "level"
PRODUCTS, CATEGORIES = "products", "categories"


@dataclass(frozen=True)
class DemandRecord(StoredRecord):
    """What is stored of demand beside its table.

    Args:
        cutoff: ISO date.
        currency: of the log.
        by: what gives the categories' sums.
        weeks: how far it goes.
        before: how many weeks before the cutoff it has.
        origins: past dates at which the model was tested when it was made.
        tests: demand as of past dates.
        left_out: what could not be used.
        ended: products without a sale for a year.
        products_by: by what products share these sums.
    """

    cutoff: str
    currency: str
    by: str
    weeks: int
    before: int
    origins: list[str]
    tests: list[DemandTest]
    left_out: LeftOut
    ended: int
    products_by: str = CUSTOMERS


def demand(scored: Scored, progress: Progress) -> Demand:
    """Return what will be bought of each product from the log's end on: saved, or made and saved.

    Terms other than the model's horizon do not count. The shop's forecast is made where it is not saved.

    Args:
        scored: the log and the model; its cutoff is the log's end.
        progress: listener.

    Raises:
        NotEnoughData: no purchase of the log names a product.
    """
    saved = find_demand(scored)
    return saved if saved is not None else _make(scored, progress)


def find_demand(scored: Scored) -> Demand | None:
    """Return the saved demand; None where there is none, or the model was tested on other past dates since."""
    path = demand_path(scored)
    if not path.is_file() or not path.with_suffix(TABLE).is_file():
        return None
    record = DemandRecord.from_json(read_json(path))
    if record.origins != sorted(origin_predictions(scored.workspace, scored.model)):
        return None
    table = pd.read_parquet(path.with_suffix(TABLE))
    products, by_product, of_products = _unpacked(table[table[LEVEL] == PRODUCTS], record)
    categories, by_category, of_categories = _unpacked(table[table[LEVEL] == CATEGORIES], record)
    return Demand(
        date.fromisoformat(record.cutoff),
        record.currency,
        record.by,
        record.products_by,
        products,
        categories[["category", "price", "returned", "kept", "recent"]],
        by_product,
        by_category,
        of_products,
        of_categories,
        record.tests,
        record.left_out,
        record.ended,
    )


def demand_path(scored: Scored) -> Path:
    """Return the file of the record; the table lies beside it."""
    return scored.folder / f"{ArtifactKind.DEMAND}-{scored.dataset.log_end:%Y%m%d}.json"


def _make(scored: Scored, progress: Progress) -> Demand:
    """Make demand and save it; the record is written last, so that a record has its table."""
    check_columns(scored.dataset)
    first, last = parts_of(progress, [4, 1])
    made = forecast(scored, first)
    last.report("forecasting", 0, 1)
    days = ProductDays.of(scored.dataset, spans_of(made, scored.dataset.log_end))
    found = make_demand(days, made, past_demands(days, made.tests))
    path = demand_path(scored)
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = (
        (PRODUCTS, found.products, found.by_product, found.before_products),
        (CATEGORIES, found.categories, found.by_category, found.before_categories),
    )
    table = pd.concat([_packed(*level) for level in levels], ignore_index=True)
    texts = table.select_dtypes(exclude="number").columns
    write_table(table.assign(**{name: table[name].fillna("").astype("str") for name in texts}), path.with_suffix(TABLE))
    record = DemandRecord(
        cutoff=found.cutoff.isoformat(),
        currency=found.currency,
        by=found.by,
        weeks=found.weeks,
        before=found.before_products.shape[1],
        origins=sorted(origin_predictions(scored.workspace, scored.model)),
        tests=list(found.tests),
        left_out=found.left_out,
        ended=found.ended,
        products_by=found.products_by,
    )
    write_json(path, record.to_json())
    last.report("forecasting", 1, 1)
    return found


def _packed(level: str, rows: pd.DataFrame, ranged: Ranged, before: Floats) -> pd.DataFrame:
    weekly = {f"{name}_{week + 1}": column for name in WEEKLY for week, column in enumerate(getattr(ranged, name).T)}
    weekly |= {f"{BEFORE}_{week + 1}": column for week, column in enumerate(before.T)}
    return rows.assign(**{LEVEL: level}, **{name: getattr(ranged, name) for name in BLOCKS}, **weekly)


def _unpacked(table: pd.DataFrame, record: DemandRecord) -> tuple[pd.DataFrame, Ranged, Floats]:
    weekly = {name: [f"{name}_{week + 1}" for week in range(record.weeks)] for name in WEEKLY}
    weekly[BEFORE] = [f"{BEFORE}_{week + 1}" for week in range(record.before)]
    figures = [*BLOCKS, *(column for columns in weekly.values() for column in columns)]
    ranged = Ranged(
        *(table[weekly[name]].to_numpy(np.float64) for name in WEEKLY),
        *(table[name].to_numpy(np.float64) for name in BLOCKS),
    )
    before = table[weekly[BEFORE]].to_numpy(np.float64)
    return table.drop(columns=[*figures, LEVEL]).reset_index(drop=True), ranged, before


def demand_notes(made: Demand) -> list[Message]:
    """Return what is to be known of demand: how it was tested, what is shown where, what was left out or assumed."""
    notes = [_tested(made)]
    if made.by != CUSTOMERS:
        notes.append(Message(f"demand.by.{made.by}"))
    if made.products_by != CUSTOMERS:
        notes.append(Message(f"demand.products_by.{made.products_by}"))
    states = Counter(made.products["state"])
    notes += [
        Message(f"demand.state.{state}", {"products": states[state]}) for state in (NEW, FADING, RARE) if states[state]
    ]
    if made.ended:
        notes.append(Message("demand.ended", {"products": made.ended}))
    left = made.left_out
    if left.without_product:
        share = {"rows": left.without_product, "share": say_share(1 - left.revenue_share)}
        notes.append(Message("demand.without_product", share))
    if left.unknown_quantity:
        notes.append(Message("demand.unknown_quantity", {"rows": left.unknown_quantity}))
    if left.returns_by_money:
        notes.append(Message("demand.returns_by_money", {"rows": left.returns_by_money}))
    return notes


def _tested(made: Demand) -> Message:
    shown = [share for test in made.tests if (share := test.share_off()) is not None]
    if not shown:
        return Message("demand.untested")
    weeks = made.tests[-1].weeks
    params: dict[str, Any] = {"dates": len(shown), "weeks": weeks, "error": say_share(float(np.mean(shown)))}
    rivals = {
        name: [share for test in made.tests if (share := test.share_off(name)) is not None]
        for name in made.tests[-1].errors
        if name != CUSTOMERS and all(test.share_off(name) is not None for test in made.tests)
    }
    if rivals:
        params["rival"] = say_share(min(float(np.mean(errors)) for errors in rivals.values()))
    ranged = sum(test.ranged for test in made.tests)
    if ranged and rivals:
        params["inside"] = say_share(sum(test.inside for test in made.tests) / ranged)
        return Message("demand.tested.ranged", params)
    return Message("demand.tested" if rivals else "demand.tested.alone", params)


def headline(made: Demand, language: str, weeks: int) -> Message:
    """Return the sentence on what is expected in the coming weeks; all doors say it in the same words.

    Args:
        made: the demand.
        language: of its figures.
        weeks: how far ahead.
    """
    units, money = made.by_category.units[:, :weeks].sum(axis=1), made.revenue("categories")[:, :weeks].sum(axis=1)
    params = {
        "weeks": weeks,
        "units": say_number(float(units.sum()), language),
        "products": say_count(len(made.products), language),
        "revenue": say_money(float(money.sum()), made.currency, language),
    }
    top = int(money.argmax())
    if len(made.categories) < 2 or not made.categories["category"][top]:
        return Message("demand.headline", params)
    share = say_share(float(money[top] / money.sum())) if money.sum() > 0 else say_share(0)
    return Message("demand.headline.category", params | {"category": made.categories["category"][top], "share": share})
