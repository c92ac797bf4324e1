"""Each figure of each view against plain pandas over the rows, under every kind of filter."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.features.explore.buyers import back_within, cohorts, come_back, gaps, median_gap, overall, rfm
from clv_core.features.explore.key_figures import concentration, figures, trend
from clv_core.features.explore.selection import Selection
from clv_core.features.explore.views import categories, funnel, rating_trend, ratings
from clv_core.i18n import LANGUAGES, translate
from tests.features.explore import reference
from tests.features.explore.conftest import Explored, explore

pytestmark = pytest.mark.first(8)

PERIOD = {"start": date(2023, 3, 11), "end": date(2024, 1, 20)}
FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "period": PERIOD,
    "channel": {"channels": ("app",)},
    "channels, country, period": {"channels": ("web", "store"), "countries": ("FR",), **PERIOD},
}
CDNOW_FILTERS: dict[str, dict[str, Any]] = {"all": {}, "period": {"start": date(1997, 2, 10), "end": date(1998, 3, 5)}}


@pytest.fixture(params=[*(f"shop: {name}" for name in FILTERS), *(f"cdnow: {name}" for name in CDNOW_FILTERS)])
def chosen(
    request: pytest.FixtureRequest, shop_explored: Explored, cdnow_explored: Explored
) -> tuple[Selection, pd.DataFrame, pd.Timestamp, pd.Timestamp]:
    """A selection, the rows of its channels and countries, and its period."""
    log, _, name = request.param.partition(": ")
    explored, filters = (shop_explored, FILTERS) if log == "shop" else (cdnow_explored, CDNOW_FILTERS)
    selection, rows = explored.select(**filters[name])
    return selection, rows, pd.Timestamp(selection.start), pd.Timestamp(selection.end)


def whole_orders(selection: Selection) -> bool:
    """Whether no order is cut apart by the filter (the shop's order ids cross channels)."""
    return "active" in selection.frame("SELECT view_name FROM duckdb_views()")["view_name"].tolist()


def test_figures(chosen: tuple) -> None:
    selection, *rest = chosen
    ours, theirs = figures(selection).to_json(), reference.figures(*rest)
    assert ours["buyers"] > 0
    for name, value in theirs.items():
        if whole_orders(selection) or name not in ("orders", "order_value"):
            assert ours[name] == pytest.approx(value, rel=1e-12), name


@pytest.mark.examples(6)
@pytest.mark.parametrize("unit", ("day", "week", "month", "quarter"))
def test_trend(chosen: tuple, unit: str) -> None:
    selection, rows, start, end = chosen
    ours = trend(selection, unit).set_index("bucket")
    theirs = reference.trend(rows, start, end, {"day": "D", "week": "W", "month": "M", "quarter": "Q"}[unit])
    theirs = theirs.reindex(ours.index, fill_value=0)
    for name in theirs:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9, err_msg=name)
    assert ours["orders"].sum() == figures(selection).orders
    last = ours.index[-1].to_period({"day": "D", "week": "W", "month": "M", "quarter": "Q"}[unit])
    assert bool(ours["complete"].iloc[-1]) == (last.end_time < end)


@pytest.mark.examples(3)
@pytest.mark.parametrize("unit", ("month", "quarter"))
def test_cohorts(chosen: tuple, unit: str) -> None:
    selection, *rest = chosen
    theirs = reference.cohorts(*rest, {"month": "M", "quarter": "Q"}[unit])
    ours = cohorts(selection, unit)
    assert len(ours) == len(theirs) > 0
    for row in ours.itertuples():
        size, buyers, per_customer = theirs[(row.cohort, row.age)]
        assert (row.size, row.buyers) == (size, buyers)
        assert row.retention == buyers / size
        assert row.per_customer == pytest.approx(per_customer)


def test_mean_over_cohorts_takes_each_age_from_those_who_reached_it(shop_explored: Explored) -> None:
    cells = cohorts(shop_explored.select()[0], "month")
    wide = cells.pivot(index="cohort", columns="age", values="revenue")
    sizes = cells[cells["age"] == 0].set_index("cohort")["size"]
    ours = overall(cells).set_index("age")
    steps = [wide[age].sum() / sizes[wide[age].notna()].sum() for age in wide]
    np.testing.assert_allclose(ours["per_customer"], np.cumsum(steps))
    reached = cells[cells["age"] == 3]
    assert ours.loc[3, "retention"] == reached["buyers"].sum() / reached["size"].sum()


@pytest.mark.examples(2)
def test_gaps_and_who_comes_back(chosen: tuple) -> None:
    selection, *rest = chosen
    theirs, ours = reference.waits(*rest), gaps(selection)
    counted = theirs.groupby(["after", "days"])["returned"].agg(["sum", "size"])
    merged = ours.set_index(["after", "days"])
    assert (merged["returned"] == counted["sum"]).all() and len(merged) == len(counted)
    assert (merged["returned"] + merged["waiting"] == counted["size"]).all()
    assert median_gap(ours) == theirs.loc[theirs["returned"], "days"].median()
    curve = come_back(ours)
    for after, part in theirs.groupby("after"):
        share = 1.0
        for day in range(0, int(part["days"].max()) + 1):
            at_risk = (part["days"] >= day).sum()
            share *= 1 - ((part["days"] == day) & part["returned"]).sum() / at_risk
            if day in (30, 90, 180):
                assert back_within(curve, str(after), day) == pytest.approx(1 - share)
        assert back_within(curve, str(after), int(part["days"].max()) + 1) is None


def test_concentration(chosen: tuple) -> None:
    selection, *rest = chosen
    values = np.maximum(reference.buyers(*rest)["value"].to_numpy(), 0)
    found = concentration(selection)
    assert found.buyers == len(values)
    highest = np.sort(values)[::-1]
    assert found.top10 == pytest.approx(highest[: int(np.ceil(len(values) / 10))].sum() / values.sum())
    if len(values) < 1000:
        assert found.gini == pytest.approx(reference.gini(values))
    assert found.curve["share_of_value"].iloc[-1] == pytest.approx(1)
    slope = np.diff(found.curve["share_of_value"]) / np.diff(found.curve["share_of_buyers"])
    assert (np.diff(slope) <= 1e-9).all()


@pytest.mark.parametrize("amounts", [(10, -30), (0, 0)])
def test_nobody_holds_a_share_of_a_net_revenue_that_is_not_there(tmp_path: Path, amounts: tuple[float, ...]) -> None:
    bought, later = amounts
    rows = pd.DataFrame(
        {
            "customer_id": [f"C{number}" for number in range(8)] + ["C0", "C1", "C2", "C3"],
            "event_time": ["2024-01-01"] * 8 + ["2024-01-05"] * 4,
            "amount": [bought] * 8 + [later] * 4,
        }
    )
    selection, stored = explore(tmp_path, rows, currency="EUR").select()
    assert stored["amount"].sum() <= 0
    found = concentration(selection)
    assert (found.top10, found.gini, len(found.curve)) == (None, None, 0)
    assert found.buyers == stored.loc[stored["event_type"] == "purchase", "customer_id"].nunique()


def test_rfm_counts_every_buyer_once_and_never_parts_equal_values(chosen: tuple) -> None:
    selection, *rest = chosen
    buyers, grid = reference.buyers(*rest), rfm(selection)
    assert grid["buyers"].sum() == len(buyers)
    assert grid["value"].sum() == pytest.approx(buyers["value"].sum())
    if not whole_orders(selection):
        return
    for row in grid.itertuples():
        mine = buyers[
            buyers["days"].between(row.recency_low, row.recency_high)
            & buyers["orders"].between(row.frequency_low, row.frequency_high)
        ]
        assert row.buyers == len(mine) and row.mean_value == pytest.approx(mine["value"].mean())
    for side, latest_first in (("recency", True), ("frequency", False)):
        ranges = grid[[side, f"{side}_low", f"{side}_high"]].drop_duplicates().sort_values(side)
        assert ranges[side].tolist() == list(range(1, len(ranges) + 1)) and len(ranges) <= 5
        lows, highs = ranges[f"{side}_low"].to_numpy(), ranges[f"{side}_high"].to_numpy()
        assert (highs[1:] < lows[:-1]).all() if latest_first else (lows[1:] > highs[:-1]).all()


def test_fifths_of_recency_hold_about_a_fifth_each(cdnow_explored: Explored) -> None:
    grid = rfm(cdnow_explored.select()[0])
    shares = grid.groupby("recency")["buyers"].sum() / 23_570
    assert len(shares) == 5 and shares.between(0.17, 0.23).all()


@pytest.mark.parametrize("name", FILTERS)
def test_funnel(shop_explored: Explored, name: str) -> None:
    selection, rows = shop_explored.select(**FILTERS[name])
    span = reference.inside(rows, pd.Timestamp(selection.start), pd.Timestamp(selection.end))
    ours = funnel(selection).set_index("step")
    did = {step: set(span.loc[span["event_type"] == step, "customer_id"]) for step in ("view", "cart", "purchase")}
    assert ours["events"].to_dict() == {step: (span["event_type"] == step).sum() for step in did}
    assert ours["customers"].to_dict() == {step: len(who) for step, who in did.items()}
    reached = [did["view"], did["view"] & did["cart"], did["view"] & did["cart"] & did["purchase"]]
    assert ours["reached"].tolist() == [len(who) for who in reached]
    assert ours["share"].iloc[-1] == len(reached[-1]) / len(reached[0])


def test_log_of_purchases_alone_has_no_funnel_and_no_ratings(cdnow_explored: Explored) -> None:
    selection, _ = cdnow_explored.select()
    assert funnel(selection).empty and ratings(selection).empty and rating_trend(selection).empty
    assert cdnow_explored.cube.has == ("purchase",)


@pytest.mark.parametrize("name", FILTERS)
def test_ratings(shop_explored: Explored, name: str) -> None:
    selection, rows = shop_explored.select(**FILTERS[name])
    log_end = pd.Timestamp(shop_explored.cube.end)
    span = reference.inside(rows, pd.Timestamp(selection.start), pd.Timestamp(selection.end))
    rated = span[span["rating"].notna()]
    days = reference.purchase_days(rows)
    later = rated[["customer_id", "day"]].drop_duplicates().merge(days[["customer_id", "day"]], on="customer_id")
    later = later[(later["day_y"] > later["day_x"]) & (later["day_y"] - later["day_x"] <= pd.Timedelta(90, "D"))]
    came = set(zip(later["customer_id"], later["day_x"], strict=True))
    rated = rated.assign(
        followed=rated["day"] + pd.Timedelta(90, "D") < log_end,
        back=[key in came for key in zip(rated["customer_id"], rated["day"], strict=True)],
    )
    ours = ratings(selection).set_index("rating")
    for value, part in rated.groupby("rating"):
        row = ours.loc[value]
        assert row["ratings"] == len(part) and row["share"] == len(part) / len(rated)
        assert (row["followed"], row["back"]) == (part["followed"].sum(), (part["followed"] & part["back"]).sum())
    means = rating_trend(selection).set_index("bucket")["mean"]
    period = {"week": "W", "month": "M"}[selection.unit]
    theirs = rated.groupby(rated["day"].dt.to_period(period).dt.start_time)["rating"].mean()
    assert means.to_dict() == pytest.approx(theirs.to_dict())


@pytest.mark.parametrize("name", FILTERS)
def test_categories(shop_explored: Explored, name: str) -> None:
    selection, rows = shop_explored.select(**FILTERS[name])
    span = reference.inside(rows, pd.Timestamp(selection.start), pd.Timestamp(selection.end))
    span = span.assign(category=span["category"].fillna("-"), net=reference.net(span))
    theirs = span.groupby("category")["net"].sum().sort_values(ascending=False)
    ours = categories(selection)
    assert ours["category"].fillna("-").tolist() == theirs.index.tolist()
    np.testing.assert_allclose(ours["net"], theirs)
    np.testing.assert_allclose(ours["share"], theirs / theirs.sum())
    paid = reference.purchases(span).groupby("category")["amount"].sum().reindex(theirs.index)
    np.testing.assert_allclose(ours["return_rate"], 1 - theirs / paid)


def test_categories_beyond_those_shown_are_summed_in_one_row(shop_explored: Explored) -> None:
    selection, _ = shop_explored.select()
    every, some = categories(selection), categories(selection, shown=2)
    assert len(every) == 5 and len(some) == 3
    assert some["others"].tolist() == [0, 0, 3] and some["category"].iloc[-1] == ""
    assert some["net"].sum() == pytest.approx(every["net"].sum()) and some["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_share_of_what_buyers_brought_is_said_to_be_of_that_and_not_of_all_net_revenue(
    tmp_path: Path, language: str
) -> None:
    rows = pd.DataFrame(
        [
            ("A", "2024-01-10 10:00", "purchase", 60.0, "1"),
            ("B", "2024-03-05 11:00", "purchase", 80.0, "2"),
            ("C", "2024-03-06 12:00", "purchase", 20.0, "3"),
            ("A", "2024-03-07 13:00", "return", -60.0, "1"),
        ],
        columns=["customer_id", "event_time", "event_type", "amount", "order_id"],
    )
    selection, stored = explore(tmp_path / "work", rows, currency="EUR").select(start=date(2024, 3, 1))
    march = stored[stored["day"] >= "2024-03-01"]
    buyers = march.loc[march["event_type"] == "purchase", "customer_id"]
    brought = march[march["customer_id"].isin(buyers)].groupby("customer_id")["amount"].sum()
    assert concentration(selection).top10 == pytest.approx(brought.max() / brought.sum())
    assert figures(selection).net == pytest.approx(march["amount"].sum()) and brought.max() > march["amount"].sum()
    whose = {"en": "of buyers' net revenue", "zh": "全体购买用户净收入的 80%"}[language]
    for key in ("explore.headline", "explore.held", "explore.rfm"):
        said = translate(key, language, share="80%", value="80%", back="0%", gini="0.30", mean="80 EUR")
        assert whose in said, said
