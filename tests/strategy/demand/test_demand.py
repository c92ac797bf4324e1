"""Demand by product: sums of hand-made logs, what fades and what is new, nothing of the future, and what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clv_core.collection.ingest import ingest
from clv_core.collection.store import open_dataset
from clv_core.deployment import Scored
from clv_core.deployment.bundle import Bundle
from clv_core.errors import NotEnoughData, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.strategy.demand import ask_demand, customers_behind, demand, demand_notes, find_demand, ordering_table
from clv_core.strategy.demand.baskets import BLOCK, Baskets, alive, baskets, quantile, sells_weekly
from clv_core.strategy.demand.methods import CUSTOMERS, LAST_WEEKS, SEASONAL_NAIVE, Ahead, Methods, Shown
from clv_core.strategy.demand.ordering import cover, read_stock
from clv_core.strategy.demand.product_days import ProductDays
from clv_core.strategy.demand.product_demand import DemandTest, best_methods, past_demands
from clv_core.strategy.demand.saved_demand import demand_path
from clv_core.strategy.forecast import PastForecast
from clv_core.workspace import Workspace

HAND = """customer_id,event_time,event_type,amount,product_id,category,quantity
A,2024-01-01,purchase,20,tea,Drinks,2
A,2024-01-02,purchase,30,tea,Drinks,3
B,2024-01-09,purchase,10,tea,Drinks,
B,2024-01-10,return,-10,tea,Drinks,1
B,2024-01-12,return,-20,tea,Drinks,
C,2024-01-13,purchase,7,,,1
C,2024-01-14,purchase,50,pot,Kitchen,1
"""


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> ProductDays:
    """What is read of a log of seven rows; its last two weeks are asked for newcomers."""
    folder = tmp_path_factory.mktemp("hand")
    path = folder / "log.csv"
    path.write_text(HAND, encoding="utf-8")
    workspace = Workspace(folder / "workspace")
    ingest(workspace, path, "hand", timezone="UTC", currency="EUR", progress=NoProgress())
    dataset = open_dataset(workspace, "hand")
    return ProductDays.of(dataset, [(date(2024, 1, 8), dataset.log_end)])


def days_of(units: np.ndarray, category: list[str] | None = None) -> ProductDays:
    """Return sales of so many pieces, [p, w], all on the first day of their week, at 10 a piece."""
    products, weeks = units.shape
    product, week = np.nonzero(units)
    pieces = units[product, week].astype(float)
    shop = np.zeros(weeks * 7)
    shop[::7] = 10 * units.sum(axis=0)
    table = pd.DataFrame({"product_id": [f"P{number}" for number in range(products)], "name": "", "category": ""})
    end = date(2025, 1, 1)
    return ProductDays(
        end - timedelta(days=7 * weeks),
        end,
        table.assign(category=category or ""),
        product.astype(np.int32),
        (7 * week).astype(np.int32),
        pieces,
        10 * pieces,
        np.zeros(len(pieces)),
        np.zeros(len(pieces)),
        shop,
        None,  # type: ignore[arg-type]
        {},
    )


def test_pieces_returns_and_what_is_left_out_are_those_of_the_rows(hand: ProductDays) -> None:
    assert hand.products["product_id"].tolist() == ["pot", "tea"]
    assert hand.products["category"].tolist() == ["Kitchen", "Drinks"]
    sums = hand.sums(0, len(hand.shop))
    assert sums["units"].tolist() == [1, 6], "a purchase without a quantity counts as one piece"
    assert sums["returned"].tolist() == [0, 1 + 20 / 10], "pieces of a return without one by the usual price of 10"
    assert sums["revenue"].tolist() == [50, 60] and sums["refunded"].tolist() == [0, 30]
    left = hand.left_out
    assert (left.rows, left.without_product, left.unknown_quantity, left.returns_by_money) == (7, 1, 1, 1)
    assert left.revenue_share == pytest.approx(80 / 87)
    assert hand.shop.sum() == pytest.approx(87)


def test_newcomers_are_those_who_were_first_seen_in_the_span(hand: ProductDays) -> None:
    ((units, money),) = hand.newcomers.values()
    assert units.tolist() == [1, 1], "B's tea and C's pot; A was known"
    assert money == pytest.approx(10 - 10 - 20 + 7 + 50)


def test_weeks_are_counted_from_the_cutoff(hand: ProductDays) -> None:
    units, shop = hand.weekly(hand.end)
    assert hand.end == date(2024, 1, 15) and units.tolist() == [[0, 1], [5, 1]]
    assert shop.tolist() == [50, 37]
    before, _ = hand.weekly(date(2024, 1, 9), ahead=1)
    assert before.tolist() == [[0, 1], [3, 1]], "its week begins on the second of January"


def test_steady_products_go_on_as_they_did_and_the_shop_moves_them() -> None:
    units = np.tile(np.array([[8.0], [4.0], [2.0]]), (1, 80))
    shop, category = 10 * units.sum(axis=0), np.zeros(3, np.int64)
    learned = Baskets.of(units, shop, category)
    assert learned.expected(units, shop, np.full(4, shop[-1])) == pytest.approx(units[:, -4:], rel=0.02)
    assert learned.expected(units, shop, np.full(4, 2 * shop[-1])) == pytest.approx(2 * units[:, -4:], rel=0.02)


def test_a_category_s_season_is_learned_from_last_year() -> None:
    week = np.arange(156)
    wave = 20 + 15 * np.sin(2 * np.pi * week / 52)
    units = np.stack([wave, 40 - wave]).round()
    end = 130  # between the top and the bottom of the wave
    shop, category = 10 * units.sum(axis=0), np.arange(2)
    learned = Baskets.of(units[:, :end], shop[:end], category)
    found = learned.expected(units[:, :end], shop[:end], shop[end : end + BLOCK]).sum(axis=1)
    came = units[:, end : end + BLOCK].sum(axis=1)
    as_before = units[:, end - 8 : end].mean(axis=1) * BLOCK
    assert np.abs(found - came).sum() < 0.5 * np.abs(as_before - came).sum()


def test_a_best_seller_that_ends_fades_within_weeks_and_a_rare_product_does_not() -> None:
    units = np.zeros((20, 60))
    units[0, :56] = 10
    units[1, ::8] = 1  # was sold four weeks ago, as it often was
    units[2:] = 5
    share = alive(units)
    assert share[0] < 0.05 and share[1] > 0.9 and (share[2:] > 0.99).all()
    assert alive(units[:, :56])[0] > 0.99


def test_the_first_week_of_a_product_is_not_what_it_sells() -> None:
    units = np.full((4, 60), 5.0)
    units[3] = 0
    units[3, 55] = 30  # launched, and nothing since
    units[2, :55] = 0  # launched, and steady
    found = baskets(units, np.full(60, 100.0), np.zeros(4, np.int64), 1)[1, :, 0]
    assert found[2] > 3 * found[3]


def test_ranges_are_those_of_the_negative_binomial() -> None:
    mean, variance = np.array([0.0, 5.0, 5.0]), np.array([0.0, 15.0, 5.0])
    assert quantile(mean, variance, 0.9).tolist() == [0, stats.nbinom(2.5, 1 / 3).ppf(0.9), stats.poisson(5).ppf(0.9)]


def test_ranges_hold_four_of_five_weeks_of_random_sales() -> None:
    random = np.random.default_rng(1)
    rate = random.gamma(2, 3, size=(300, 1))
    units = random.negative_binomial(4, 4 / (4 + rate), size=(300, 84)).astype(float)
    category = np.arange(300) % 10
    shop = np.full(84, 1000.0)
    learned = Baskets.of(units[:, :80], shop[:80], category)
    mean = learned.expected(units[:, :80], shop[:80], shop[80:]).sum(axis=1)
    spread = learned.spreads.block.variance(mean, sells_weekly(units[:, :80]))
    came = units[:, 80:].sum(axis=1)
    inside = (quantile(mean, spread, 0.1) <= came) & (came <= quantile(mean, spread, 0.9))
    assert 0.75 < inside.mean() < 0.9


def test_nothing_after_the_cutoff_changes_what_is_expected() -> None:
    random = np.random.default_rng(0)
    units = random.poisson(4, size=(6, 70)).astype(float)
    cutoff = date(2025, 1, 1) - timedelta(days=7 * 6)
    ahead = Ahead(np.full(4, 200.0), 0.1, 28, np.full(4, 0.02), 0.02)
    category = np.arange(6) % 2
    changed = units.copy()
    changed[:, 64:] = 99
    first, second = (Methods.of(days_of(table), cutoff, ahead, category) for table in (units, changed))
    for by in first.choices:
        assert first.mean(by) == pytest.approx(second.mean(by))
        assert first.expected(by).spreads.block.phi == pytest.approx(second.expected(by).spreads.block.phi)


def test_products_share_the_sums_of_categories_and_add_up_to_them() -> None:
    week = np.arange(60)
    units = np.stack([np.full(60, 6.0), 2.0 + week % 2, np.where(week == 20, 9.0, 0.0)])  # the third is silent by now
    category = np.zeros(3, np.int64)
    methods = Methods.of(
        days_of(units), date(2025, 1, 1), Ahead(np.full(4, 170.0), 0.1, 28, np.zeros(4), 0.0), category
    )
    assert methods.names == [CUSTOMERS, LAST_WEEKS, SEASONAL_NAIVE]
    total = 6 + 2.5  # a week, on the mean of the last eight
    by_last = methods.mean(Shown(LAST_WEEKS, LAST_WEEKS))
    assert by_last[:, 0] / by_last[:, 0].sum() == pytest.approx([6 / total, 2.5 / total, 0])
    for products in methods.names:
        mean = methods.mean(Shown(LAST_WEEKS, products))
        assert methods.learned.summed(mean) == pytest.approx(np.full((1, 4), total)), "as categories' method says"
    own = methods.mean(Shown())
    assert methods.mean(Shown(CUSTOMERS, LAST_WEEKS)).sum(axis=0) == pytest.approx(own.sum(axis=0))


def test_what_a_simple_method_knows_nothing_of_is_shared_as_customers_buy() -> None:
    units = np.zeros((4, 60))
    units[:2, 20:] = [[6.0], [3.0]]  # nothing of this category a year ago
    units[2:] = 5.0
    category = np.array([0, 0, 1, 1])
    methods = Methods.of(
        days_of(units), date(2025, 1, 1), Ahead(np.full(4, 190.0), 0.1, 28, np.zeros(4), 0.0), category
    )
    own, last_year = (methods.mean(Shown(CUSTOMERS, products)) for products in (CUSTOMERS, SEASONAL_NAIVE))
    assert last_year[:2] == pytest.approx(own[:2]) and (own[:2] > 0).all()


def test_a_new_gift_card_is_not_expected_to_sell_as_grams_do() -> None:
    units = np.zeros((4, 60))
    units[0, 50:] = 5000  # grams of tea at a cent, new
    units[1, 59] = 1  # a gift card at 50, just sold for the first time
    units[2:] = 5
    shop, category, price = np.full(60, 200.0), np.array([0, 0, 1, 1]), np.array([0.01, 50.0, 10.0, 10.0])
    by_pieces = baskets(units, shop, category, 1)[1, :, 0] * 200
    by_money = baskets(units, shop, category, 1, price)[1, :, 0] * 200
    assert by_pieces[1] == pytest.approx(5000) and by_money[1] == pytest.approx(1), "50 a week, as the tea brings"
    assert by_money[[0, 2, 3]] == pytest.approx(by_pieces[[0, 2, 3]])
    cheap = baskets(units, shop, category, 1, np.array([0.01, 1e-9, 10.0, 10.0]))[1, :, 0] * 200
    assert cheap == pytest.approx(by_pieces), "nor a free sample as often as it would bring what the tea brings"


def past_date(categories: dict[str, float], shares: dict[str, float]) -> DemandTest:
    """Return a past date with these errors of categories by method, and of products by what shares the sums."""
    groups = {name: [error, 0.0] for name, error in categories.items()}
    shared = {
        name: {other: shares.get(other, 0.0) if name == LAST_WEEKS else 1.0 for other in groups} for name in groups
    }
    return DemandTest("2024-01-01", 4, 1, 1, ["", "x"], {}, 0, groups, 0, 0, {}, 0, 0, 0, shared)


def test_categories_and_products_show_what_was_closer_on_past_dates() -> None:
    names = [CUSTOMERS, LAST_WEEKS, SEASONAL_NAIVE]
    assert best_methods([], names) == Shown(CUSTOMERS, CUSTOMERS)
    first = past_date({CUSTOMERS: 9, LAST_WEEKS: 2}, {CUSTOMERS: 5, LAST_WEEKS: 6})
    assert best_methods([first], names) == Shown(LAST_WEEKS, CUSTOMERS), "products share another's sums"
    second = past_date({CUSTOMERS: 1, LAST_WEEKS: 7, SEASONAL_NAIVE: 0}, {CUSTOMERS: 5, LAST_WEEKS: 3})
    assert best_methods([first, second], names) == Shown(LAST_WEEKS, LAST_WEEKS), "9 of 10, 10 of 9; one was not there"
    assert best_methods([second], [CUSTOMERS, LAST_WEEKS]) == Shown(CUSTOMERS, CUSTOMERS), "who can answer now"
    even = past_date({CUSTOMERS: 2, LAST_WEEKS: 2}, {CUSTOMERS: 1, LAST_WEEKS: 1})
    assert best_methods([even], names) == Shown(CUSTOMERS, CUSTOMERS)


def test_a_past_date_shows_what_was_closest_on_the_dates_before_it() -> None:
    week = np.arange(80)
    units = np.tile((20 + 15 * np.sin(2 * np.pi * week / 8)).round(), (2, 1))  # every eight weeks as before
    days = days_of(units)
    wrong = [3 * days.shop.sum() / 80] * 4  # a shop that is said to take three times as much
    cutoffs = [days.end - timedelta(days=28 * ago) for ago in (3, 2, 1)]
    past = [
        PastForecast(cutoff.isoformat(), 28, sum(wrong), 0, 0, CUSTOMERS, 0, 0, None, None, {}, [], wrong)
        for cutoff in cutoffs
    ]
    tests = past_demands(days, past)
    came = [units[:, 80 - 4 * ago : 84 - 4 * ago].sum() for ago in (3, 2, 1)]
    assert [test.units for test in tests] == came
    assert tests[0].shown_group_error == pytest.approx(tests[0].group_errors[CUSTOMERS][0]), "no date before it"
    assert sum(tests[0].group_errors[LAST_WEEKS]) < sum(tests[0].group_errors[CUSTOMERS])
    for test, pieces in zip(tests[1:], came[1:], strict=True):
        assert test.shown_group_error == pytest.approx(sum(test.group_errors[LAST_WEEKS]))
        assert test.shown_group_error == pytest.approx(10 * abs(4 * units[:, -8:].sum(axis=0).mean() - pieces))


def test_cover_counts_the_weeks_until_stock_is_sold() -> None:
    expected = np.array([[1.0, 2.0, 3.0, 4.0]] * 4)
    found = cover(np.array([0.0, 5.0, 100.0, np.nan]), expected)
    assert found[:3] == pytest.approx([0, 2 + 2 / 3, 4 + 90 / 2.5]) and np.isnan(found[3])


def test_a_stock_file_adds_up_rows_and_refuses_what_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("sku,on hand\ntea,3\ntea,4\npot,0\n", encoding="utf-8")
    assert read_stock(path).to_dict() == {"pot": 0, "tea": 7}
    path.write_text("product_id,stock\ntea,many\n", encoding="utf-8")
    with pytest.raises(Refused):
        read_stock(path)
    path.write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    with pytest.raises(Refused):
        read_stock(path)


@pytest.fixture(scope="module")
def scored(small_workspace: Workspace, small_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """Return the shop in a workspace of its own, so that its demand may be saved."""
    root = tmp_path_factory.mktemp("demand") / "workspace"
    shutil.copytree(small_workspace.root, root)
    return Scored.open(Workspace(root), "shop", small_bundle.id)


def test_saved_demand_is_what_was_made_and_adds_up(scored: Scored) -> None:
    made = demand(scored, NoProgress())
    saved = find_demand(scored)
    assert saved is not None and demand_path(scored).is_file()
    for name in ("units", "low", "high", "block", "block_low", "block_high"):
        assert getattr(saved.by_product, name) == pytest.approx(getattr(made.by_product, name))
    pd.testing.assert_frame_equal(saved.products, made.products, check_dtype=False)
    assert saved.tests == list(made.tests) and saved.left_out == made.left_out
    table = ordering_table(saved, 6)
    assert len(table) == 6 * table["product_id"].nunique()
    assert (table["net"] + table["returns"] - table["expected"]).abs().max() < 0.02
    assert (table["low"] <= table["expected"] + 1).all() and (table["expected"] <= table["high"] + 1).all()
    by_week = ordering_table(saved, 6, "category").groupby("week")["expected"].sum()
    assert by_week.to_numpy() == pytest.approx(saved.by_category.units[:, :6].sum(axis=0), abs=0.1)


def test_notes_say_which_simple_method_is_shown(scored: Scored) -> None:
    made = replace(demand(scored, NoProgress()), by=SEASONAL_NAIVE, products_by=LAST_WEEKS)
    codes = [note.code for note in demand_notes(made)]
    assert {f"demand.by.{SEASONAL_NAIVE}", f"demand.products_by.{LAST_WEEKS}"} <= set(codes)
    alone = demand_notes(replace(made, by=CUSTOMERS, products_by=CUSTOMERS))
    assert not [note.code for note in alone if note.code.startswith(("demand.by", "demand.products_by"))]


def test_who_stands_behind_a_product_shares_its_expected_revenue(scored: Scored) -> None:
    made = demand(scored, NoProgress())
    product = made.products["product_id"][int(made.revenue().sum(axis=1).argmax())]
    behind = customers_behind(scored, made, product)
    assert behind.tiers["revenue"].sum() == pytest.approx(behind.revenue)
    assert behind.tiers["share"].sum() == pytest.approx(1)


def test_what_is_asked_wrongly_is_refused(scored: Scored, tmp_path: Path) -> None:
    for weeks in (3, 14):
        with pytest.raises(UsageError):
            ask_demand(scored, NoProgress(), weeks=weeks)
    with pytest.raises(UsageError):
        ask_demand(scored, NoProgress(), by="shelf")
    with pytest.raises(UsageError):
        ask_demand(scored, NoProgress(), by="category", stock=tmp_path / "stock.csv")


def test_a_log_without_products_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("customer_id,event_time,amount\nA,2024-01-01,5\nB,2024-02-01,5\n", encoding="utf-8")
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, path, "plain", timezone="UTC", currency="EUR", progress=NoProgress())
    with pytest.raises(NotEnoughData, match="Demand needs products"):
        ProductDays.of(open_dataset(workspace, "plain"))
