"""The bridge leads from a forecast to what came, to the cent, whatever the log and wherever refunds count."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.privacy.objections import objection_list, without_objected
from clv_core.collection.recipes import shipped_recipes
from clv_core.collection.simulate import SCENARIOS, SimulationPlan, simulate
from clv_core.collection.store.dataset import Dataset
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NotEnoughData, UsageError
from clv_core.i18n import LANGUAGES
from clv_core.strategy.forecast.bridge import (
    ORDER_DATE,
    REFUND_DATE,
    REFUND_DATES,
    Bridge,
    Expected,
    Line,
    bridge_table,
    make_bridge,
    share_out,
)
from clv_core.workspace import Workspace
from tests.collection.test_online_retail import lines as retail_lines
from tests.collection.test_online_retail import write as write_retail
from tests.contracts.test_every_recipe import example

SAMPLE = Path(__file__).parents[2] / "sample.csv"
ZONE = "Asia/Shanghai"
SIX = """customer_id,event_time,event_type,amount,order_id
Fay,2023-12-10 10:00:00,purchase,50.00,O00
Ann,2024-02-05 10:00:00,purchase,100.00,O01
Eve,2024-02-08 10:00:00,purchase,500.00,O02
Bob,2024-02-10 10:00:00,purchase,100.00,O03
Cem,2024-02-12 10:00:00,purchase,100.00,O04
Cem,2024-02-15 10:00:00,return,-20.00,O04
Ann,2024-02-20 10:00:00,purchase,100.00,O05
Ann,2024-03-03 10:00:00,purchase,120.00,O06
Fay,2024-03-05 10:00:00,return,-50.00,O00
Ann,2024-03-10 10:00:00,purchase,80.00,O07
Bob,2024-03-12 10:00:00,purchase,150.00,O08
Dee,2024-03-15 10:00:00,purchase,60.00,O09
Dee,2024-03-16 10:00:00,purchase,40.00,O10
Dee,2024-03-20 10:00:00,return,-10.00,O09
Eve,2024-03-20 10:00:00,purchase,300.00,O11
Ann,2024-03-25 10:00:00,return,-40.00,O01
Ann,2024-04-05 10:00:00,return,-30.00,O07
Bob,2024-04-09 10:00:00,purchase,70.00,O12
"""
"""In the 30 days before 1 March, Ann, Bob and Cem bought 4 orders for 400.00, of which 20.00 were refunded."""
MARCH = Expected(date(2024, 3, 1), 30, known=380.0, buyers=3.0, to_be_won=80.0)
"""Just what they did before: of a buyer 4/3 orders of 100.00, less 5%."""


def stored(folder: Path, text: str) -> tuple[Workspace, Dataset]:
    (folder / "log.csv").write_text(text)
    workspace = Workspace(folder / "workspace")
    ingest(workspace, folder / "log.csv", "shop", currency="EUR")
    return workspace, open_dataset(workspace, "shop")


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Dataset]:
    workspace, dataset = stored(tmp_path_factory.mktemp("six"), SIX)
    objection_list(workspace).add(["Eve"])
    return workspace, dataset


def cents(made: Bridge) -> dict[str, int]:
    return {line.code: line.cents for line in made.lines}


@pytest.mark.parametrize("without", [False, True])
def test_six_customers_by_the_date_of_the_refund(six: tuple[Workspace, Dataset], without: bool) -> None:
    workspace, dataset = six
    made = make_bridge(workspace, without_objected(workspace, dataset) if without else dataset, MARCH)
    assert (made.forecast_cents, made.actual_cents, made.warnings) == (46_000, 65_000, ())
    assert cents(made) == {
        "new_customers": 1_000,  # Dee: 90.00 for 80.00
        "lost_customers": -12_667,  # Ann and Bob for three: Cem stayed away, Fay only took money back
        "orders_per_buyer": 3_167,  # a third of an order more, at 100.00 less 5%
        "basket": 4_750,  # 350.00 for 300.00, less 5%
        "refunds": -7_250,  # 5% of 350.00, and not the 90.00 of Fay and Ann
        "objected": 30_000,  # Eve
    }


def test_six_customers_by_the_date_of_the_order(six: tuple[Workspace, Dataset]) -> None:
    made = make_bridge(*six, MARCH, ORDER_DATE)
    assert (made.refunds, made.actual_cents, made.warnings) == (ORDER_DATE, 71_000, ())
    by_refund = cents(make_bridge(*six, MARCH))
    # Fay's and Ann's refunds of earlier orders are out, Ann's of April is in; that of an order of February, made later
    # than 10 days after the span before, could not be seen of an order in March either.
    assert cents(made) == by_refund | {"refunds": -1_250}
    early = make_bridge(*six, MARCH, ORDER_DATE, until=date(2024, 4, 1))
    assert cents(early) == by_refund | {"refunds": 1_750} and early.actual_cents == 74_000


def test_figures_of_the_lines_are_those_of_the_customers(six: tuple[Workspace, Dataset]) -> None:
    lines = {line.code: line for line in make_bridge(*six, MARCH).lines}
    assert (lines["lost_customers"].expected, lines["lost_customers"].actual) == (3.0, 2.0)
    assert lines["orders_per_buyer"].expected == pytest.approx(4 / 3) and lines["orders_per_buyer"].actual == 1.5
    assert lines["basket"].expected == pytest.approx(100) and lines["basket"].actual == pytest.approx(350 / 3)
    assert lines["refunds"].expected == pytest.approx(0.05) and lines["refunds"].actual == pytest.approx(90 / 350)
    assert (lines["objected"].expected, lines["objected"].actual) == (None, 300.0)


def test_a_file_of_it_adds_up(six: tuple[Workspace, Dataset]) -> None:
    for language in LANGUAGES:
        table = bridge_table(make_bridge(*six, MARCH), language)
        assert table["amount"].iloc[:-1].sum().round(2) == table["amount"].iloc[-1] == 650.0
        assert table["name"].is_unique and set(table["currency"]) == {"EUR"}
        assert list(table["line"])[::7] == ["forecast", "actual"]


def test_refunds_that_name_no_order_count_on_their_own_day_and_it_is_said(tmp_path: Path) -> None:
    nameless = SIX.replace("-50.00,O00", "-50.00,").replace("-40.00,O01", "-40.00,R01")
    made = make_bridge(*stored(tmp_path, nameless), MARCH, ORDER_DATE)
    (note,) = made.warnings
    assert (made.refunds, note.code) == (ORDER_DATE, "warning.bridge_refunds_alone")
    assert note.params == {"rows": 2, "amount": 90.0, "currency": "EUR"}
    assert made.actual_cents == 71_000 - 9_000


def test_without_any_order_of_a_refund_the_bridge_is_by_the_date_of_the_refund(tmp_path: Path) -> None:
    without = "\n".join(line.rpartition(",")[0] for line in SIX.splitlines())
    workspace, dataset = stored(tmp_path, without)
    made = make_bridge(workspace, dataset, MARCH, ORDER_DATE)
    assert (made.refunds, [note.code for note in made.warnings]) == (REFUND_DATE, ["warning.bridge_no_orders"])
    assert cents(made) == cents(make_bridge(workspace, dataset, MARCH))


@pytest.mark.parametrize("expected", [(380.0, 3.0, 80.0, date(2023, 12, 1)), (0.0, 0.0, 80.0, MARCH.cutoff)])
def test_where_nothing_splits_a_buyers_value_it_is_one_line(
    six: tuple[Workspace, Dataset], expected: tuple[float, float, float, date]
) -> None:
    known, buyers, to_be_won, cutoff = expected
    made = make_bridge(*six, Expected(cutoff, 30, known, buyers, to_be_won))
    assert [line.code for line in made.lines] == ["new_customers", "lost_customers", "value_per_buyer", "objected"]
    assert [note.code for note in made.warnings] == ["warning.bridge_one_line"]
    assert made.forecast_cents + sum(cents(made).values()) == made.actual_cents


def test_a_span_that_has_not_passed_is_refused_and_a_part_of_it_is_not(six: tuple[Workspace, Dataset]) -> None:
    with pytest.raises(NotEnoughData) as refused:
        make_bridge(*six, Expected(MARCH.cutoff, 60, 760.0, 4.0, 160.0))
    assert refused.value.params == {"dataset": "shop", "end": "2024-04-10", "needed": "2024-04-30"}
    part = make_bridge(*six, Expected(MARCH.cutoff, 10, 127.0, 1.5, 27.0), until=date(2024, 3, 11))
    assert part.actual_cents == 12_000 - 5_000 + 8_000
    with pytest.raises(UsageError):
        make_bridge(*six, MARCH, "today")


@pytest.mark.parametrize("total", range(-12, 13))
def test_sharing_out_meets_any_total_and_moves_no_amount_by_more_than_it_must(total: int) -> None:
    amounts = [0.5, -0.5, 1 / 3, -2.9, 2.5]
    shared = share_out(amounts, total)
    moved = [abs(whole - amount) for whole, amount in zip(shared, amounts, strict=True)]
    assert sum(shared) == total and max(moved) < 1 + abs(total - sum(amounts)) / len(amounts) + 1


class Log:
    """A log, a forecast of part of it, and what came by pandas."""

    def __init__(self, workspace: Workspace, dataset: Dataset) -> None:
        self.workspace, self.dataset = workspace, dataset
        start, days = dataset.log_start, (dataset.log_end - dataset.log_start).days
        span = max(1, days // 4)
        self.expected = Expected(start + timedelta(days=days // 2), span, 1234.567, 7.25, 89.105)
        events = pd.read_parquet(dataset.events_path)
        events["day"] = events["event_time"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.date
        events["order"] = events["order_id"].fillna("") if "order_id" in events else ""
        self.events = events

    def counted(self, refunds: str) -> pd.DataFrame:
        """Return purchases and returns of the span."""
        rows = self.events[self.events["event_type"].isin(["purchase", "return"])].copy()
        if refunds == ORDER_DATE:
            bought = rows[(rows["event_type"] == "purchase") & (rows["order"] != "")]
            ordered = bought.groupby(["customer_id", "order"])["day"].min().rename("ordered").reset_index()
            rows = rows.merge(ordered, how="left", on=["customer_id", "order"])
            moved = (rows["event_type"] == "return") & rows["ordered"].notna()
            rows["day"] = rows["ordered"].where(moved, rows["day"])
        return rows[(rows["day"] >= self.expected.cutoff) & (rows["day"] < self.expected.stop)]

    def can_date(self) -> bool:
        """Return whether any refund names an order of its customer."""
        rows = self.events[self.events["order"] != ""]
        kinds = [rows[rows["event_type"] == kind][["customer_id", "order"]] for kind in ("return", "purchase")]
        return bool(len(kinds[0].merge(kinds[1])) or not (self.events["event_type"] == "return").any())


def written(name: str, folder: Path) -> Path:
    """Return the file of a log."""
    if name == "retail":
        return write_retail(folder / "retail.csv", retail_lines(3, rows=2_000))
    if name in SCENARIOS:
        return simulate(name, SimulationPlan(400, 400, 1, 90)).write(folder)[0]
    return SAMPLE if name == "sample" else example(name, folder)[0]


@pytest.fixture(scope="module", params=["sample", "cdnow", "retail", *SCENARIOS, *shipped_recipes()])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Log:
    folder = tmp_path_factory.mktemp("log")
    workspace = Workspace(folder / "workspace")
    file = request.getfixturevalue("cdnow_file") if request.param == "cdnow" else written(request.param, folder)
    ingest(workspace, file, "shop", timezone=ZONE, duplicates="drop")
    return Log(workspace, open_dataset(workspace, "shop"))


@pytest.mark.examples(80)
@pytest.mark.parametrize("refunds", REFUND_DATES)
@pytest.mark.parametrize("objecting", [False, True])
def test_every_log_sums_to_the_cent(log: Log, refunds: str, objecting: bool) -> None:
    people, ids = objection_list(log.workspace), sorted(set(log.events["customer_id"]))[::3]
    people.add(ids) if objecting else people.remove(ids)
    made = make_bridge(log.workspace, without_objected(log.workspace, log.dataset), log.expected, refunds)
    assert made.refunds == (refunds if log.can_date() else REFUND_DATE)
    rows, lines = log.counted(made.refunds), {line.code: line for line in made.lines}
    subtracted = {note.code for note in log.dataset.manifest.warnings} & {"warning.refunds_off", "warning.refunded"}
    is_said = any(note.code == "warning.bridge_refunds_in_orders" for note in made.warnings)
    assert is_said == (bool(subtracted) and made.refunds == REFUND_DATE)
    assert made.forecast_cents == 132_367
    assert made.forecast_cents + sum(line.cents for line in made.lines) == made.actual_cents
    assert made.actual_cents / 100 == pytest.approx(rows["amount"].sum(), abs=0.0051)
    first = log.events.groupby("customer_id")["day"].min()
    objects = rows["customer_id"].isin(ids) & objecting
    new = ~objects & (rows["customer_id"].map(first) >= log.expected.cutoff)
    known = rows[~objects & ~new]
    assert lines["objected"].actual == pytest.approx(rows.loc[objects, "amount"].sum(), abs=1e-6)
    assert lines["new_customers"].actual == pytest.approx(rows.loc[new, "amount"].sum(), abs=1e-6)
    assert lines["lost_customers"].actual == (known.groupby("customer_id")["amount"].sum().round(6) > 0).sum()
    assert sum(cent_off(line) for line in (lines["objected"], lines["new_customers"])) <= 2
    if "basket" in lines:
        check_split(lines, known)


def cent_off(line: Line) -> float:
    """Return by how many cents a line whose figures are money misses their difference."""
    return abs(line.cents / 100 - ((line.actual or 0.0) - (line.expected or 0.0))) * 100


def check_split(lines: dict[str, Line], known: pd.DataFrame) -> None:
    """Hold orders, baskets and refunds of the customers known against pandas, and what was expected against its sum."""
    bought = known[known["event_type"] == "purchase"]
    keys = bought["order"].where(bought["order"] != "", bought["day"].astype("str"))
    orders, paid = len(set(zip(bought["customer_id"], keys, strict=True))), bought["amount"].sum()
    buyers, orders_each, basket, refunded = (
        lines[code] for code in ("lost_customers", "orders_per_buyer", "basket", "refunds")
    )
    assert orders_each.actual == (pytest.approx(orders / buyers.actual) if buyers.actual else None)
    assert basket.actual == (pytest.approx(paid / orders) if orders else None)
    back = -known.loc[known["event_type"] == "return", "amount"].sum()
    assert refunded.actual == (pytest.approx(back / paid) if paid else None)
    assert orders_each.expected is not None and basket.expected is not None and refunded.expected is not None
    assert orders_each.expected * basket.expected * (1 - refunded.expected) == pytest.approx(1234.567 / 7.25)
