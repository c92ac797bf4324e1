"""Responses to prices against a regression with dummies and known truth, and what-if against its own arithmetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import NotEnoughData, UsageError
from clv_core.i18n import LANGUAGES, translate
from clv_core.jobs import NoProgress
from clv_core.strategy.pricing.panel import ALL_PRODUCTS
from clv_core.strategy.pricing.poisson import fit_fixed_effects_poisson
from clv_core.strategy.pricing.price_responses import (
    LEFT_OUT,
    Responses,
    estimate_responses,
    load_responses,
    store_responses,
)
from clv_core.strategy.pricing.price_rule import (
    DISCOUNT,
    Rule,
    best_step,
    parse_changes,
    price_steps,
    price_table,
    what_if,
)
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(12)

TRUE = {"tea": (-2.5, -1.5), "coffee": (-1.2, -0.6)}
"""Elasticity of tier 1 and 2 by category."""
TIERS = 2


def sales(
    products: int, periods: int, elasticity: float, seed: int, sizes: float = 0.7, spread: float = 0.0
) -> tuple[np.ndarray, ...]:
    """Pieces, log price, product, period; ``sizes`` of products differ, ``spread`` is what Poisson does not hold."""
    rng = np.random.default_rng(seed)
    product, period = (side.ravel() for side in np.indices((products, periods)))
    price = rng.normal(0, 0.2, products * periods)
    level = rng.normal(1.5, sizes, products)[product] + rng.normal(0, 0.3, periods)[period]
    mean = np.exp(level + elasticity * price)
    if spread:
        mean *= rng.gamma(1 / spread, spread, len(mean))
    return rng.poisson(mean).astype(float), price, product, period


def by_dummies(y: np.ndarray, price: np.ndarray, product: np.ndarray, period: np.ndarray) -> float:
    """Return the slope of a plain Poisson regression with a dummy for each product and period."""
    dummies = [pd.get_dummies(product, dtype=float), pd.get_dummies(period, dtype=float, drop_first=True)]
    fitted = sm.GLM(y, np.column_stack([price, *dummies]), family=sm.families.Poisson()).fit()
    return float(fitted.params[0])


def test_absorbed_effects_give_what_dummies_give_and_errors_what_leaving_products_out_gives() -> None:
    y, price, product, period = sales(15, 20, -1.4, 1)
    found = fit_fixed_effects_poisson(y, price, product, period)
    expected = by_dummies(y, price, product, period)
    assert found is not None and found.value == pytest.approx(expected, abs=1e-5)
    left_out = [product != one for one in range(15)]
    without = np.array([by_dummies(*(column[rows] for column in (y, price, product, period))) for rows in left_out])
    # One step of the regression instead of all of them.
    assert found.error == pytest.approx(np.sqrt(14 / 15 * ((without - expected) ** 2).sum()), rel=0.03)


@pytest.mark.parametrize(("products", "sizes", "spread"), [(20, 0.7, 0.0), (10, 1.2, 0.5)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(products: int, sizes: float, spread: float) -> None:
    """Of few products of unequal size the sandwich estimator's held 75%."""
    held = 0
    for seed in range(120):
        found = fit_fixed_effects_poisson(*sales(products, 15, -1.0, seed, sizes, spread))
        assert found is not None
        low, high = found.interval(0.9)
        held += low <= -1.0 <= high
    assert 0.84 <= held / 120 <= 0.97


def test_a_period_in_which_one_product_sold_alone_and_one_with_all_the_changes_are_no_obstacle() -> None:
    y, price, product, period = sales(12, 15, -1.0, 3)
    alone = (period == 4) & (product != 2)
    found = fit_fixed_effects_poisson(y[~alone], price[~alone], product[~alone], period[~alone])
    assert found is not None and 0.01 < found.error < 1
    assert fit_fixed_effects_poisson(y, price * (product == 0), product, period) is None
    assert fit_fixed_effects_poisson(y, price * (product < 2), product, period) is not None


def test_one_piece_of_each_product_in_each_period_answers_no_price_and_divides_by_nothing() -> None:
    _, price, product, period = sales(6, 8, -1.0, 1)
    with np.errstate(all="raise", under="ignore"):
        found = fit_fixed_effects_poisson(np.ones_like(price), price, product, period)
    assert found is not None and found.value == pytest.approx(0, abs=1e-9)


def test_where_nothing_varies_or_sells_there_is_no_estimate() -> None:
    y, price, product, period = sales(10, 10, -1.0, 1)
    assert fit_fixed_effects_poisson(y, np.zeros_like(price), product, period) is None
    assert fit_fixed_effects_poisson(np.zeros_like(y), price, product, period) is None
    assert fit_fixed_effects_poisson(y, price[product * 10], product, period) is None


def test_a_discount_on_what_is_a_quarter_off_already_is_three_quarters_of_it_off_the_full_price() -> None:
    """20% off what is paid is 15% off the full price: at an effect of 2 it sells e^0.3 = 1.34986 times the pieces."""
    response = {"elasticity": -1.0, "low": -1.2, "high": -0.8, "error": 0.1, "range": 0.3}
    effect = {"discount_effect": 2.0, "discount_low": 1.5, "discount_high": 2.5}
    found = Responses(
        table=pd.DataFrame([{"category": "tea", "tier": 0, **response, **effect, "products": 12}]),
        left_out=pd.DataFrame(),
        spend=pd.DataFrame({"category": ["tea"], "tier": [1], "amount": [500.0], "depth": [0.25]}),
        tiers=pd.DataFrame({"tier": [1], "customers": [10], "value": [1000.0]}),
        together=pd.DataFrame(columns=["category", "tier", "other", "elasticity", "discount_effect"]),
        period_days=7,
        cutoff=date(2024, 1, 1),
    )
    outcome = what_if(found, Rule({1: -0.2}, 0.4, by=DISCOUNT))
    assert outcome.revenue.value == pytest.approx(79.887, abs=0.001)  # 800 x 1.34986 - 1000
    assert outcome.margin.value == pytest.approx(-130.028, abs=0.001)  # (800 - 600) x 1.34986 - 400


def shop_log(steady: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two categories of 12 products over 40 weeks, two tiers of 40 customers, random prices; who is in which tier.

    Discounts are what is off the usual price.
    """
    rng = np.random.default_rng(11)
    rows = []
    start = pd.Timestamp("2024-01-01")
    for category, by_tier in TRUE.items():
        for product in range(12):
            usual = rng.uniform(2, 20)
            for week in range(40):
                off = 0.0 if steady else rng.choice([0, 0, 0.1, 0.2, 0.3])
                for tier, elasticity in enumerate(by_tier, 1):
                    pieces = rng.poisson(8 * np.exp(elasticity * np.log1p(-off)))
                    for customer in rng.integers(0, 40, pieces):
                        day = start + pd.Timedelta(days=7 * week + int(rng.integers(0, 7)))
                        rows.append(
                            (f"t{tier}-{customer:02}", day, f"{category}{product}", category, usual, off * usual)
                        )
    names = ["customer_id", "event_time", "product_id", "category", "unit_price", "discount"]
    frame = pd.DataFrame(rows, columns=names).assign(quantity=1)
    frame["event_time"] = frame["event_time"].dt.strftime("%Y-%m-%d")
    ids = sorted(frame["customer_id"].unique())
    people = pd.DataFrame({"customer_id": ids, "tier": [int(one[1]) for one in ids]})
    return frame.round({"unit_price": 2, "discount": 2}), people.assign(
        predicted_clv=people["tier"].map({1: 90.0, 2: 30.0})
    )


def measured(frame: pd.DataFrame, people: pd.DataFrame, folder: Path) -> Responses:
    frame.to_csv(folder / "log.csv", index=False)
    ingest(Workspace(folder / "work"), folder / "log.csv", "shop", duplicates="keep")
    dataset = open_dataset(Workspace(folder / "work"), "shop")
    return estimate_responses(dataset, people, TIERS, dataset.log_end, NoProgress())


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> Responses:
    return measured(*shop_log(), tmp_path_factory.mktemp("prices"))


def base_of(responses: Responses) -> pd.Series[Any]:
    """Return what tier 1, of 40 customers worth 90 each, is predicted to spend by category."""
    spend = responses.spend[responses.spend["tier"] == 1].set_index("category")["amount"]
    return 90.0 * 40 * spend / spend.sum()


def test_each_category_and_tier_has_its_true_response(responses: Responses) -> None:
    assert responses.period_days == 7 and responses.left_out.empty
    table = responses.table.set_index(["category", "tier"])
    inside = []
    for category, by_tier in TRUE.items():
        for tier, truth in enumerate(by_tier, 1):
            row = table.loc[(category, tier)]
            assert row["elasticity"] == pytest.approx(truth, abs=3 * row["error"]) and row["error"] < 0.3
            inside.append(row["low"] <= truth <= row["high"])
            assert row["discount_low"] > 0
    assert sum(inside) >= 3
    assert (table["elasticity"] < 0).all()


def test_a_log_without_categories_has_one_response_of_all_products(tmp_path: Path) -> None:
    frame, people = shop_log()
    found = measured(frame.drop(columns="category"), people, tmp_path)
    everyone = found.table[found.table["tier"] == 0]
    assert everyone["category"].tolist() == [ALL_PRODUCTS] and everyone["products"].tolist() == [24]
    true = [elasticity for by_tier in TRUE.values() for elasticity in by_tier]
    assert min(true) < everyone["elasticity"].iloc[0] < max(true)
    outcome = what_if(found, Rule({1: -0.1}, 0.4))
    assert outcome.revenue.low < outcome.revenue.value < outcome.revenue.high
    said = price_table(found, outcome, ["high", "low"], "en")
    assert set(said["category"]) == {"All products"}


def test_sales_under_another_category_do_not_count(responses: Responses, tmp_path: Path) -> None:
    frame, people = shop_log()
    frame["quantity"] = frame["quantity"].astype(int)
    days = pd.date_range("2024-01-01", periods=40, freq="7D").strftime("%Y-%m-%d")
    pieces = np.random.default_rng(3).integers(1, 60, 12 * len(days))
    rows = [(f"t1-{n % 40:02}", day, f"tea{n % 12}", "sale", 1.0, 0.0) for n in range(12) for day in days]
    sale = pd.DataFrame(rows, columns=list(frame.columns[:6])).assign(quantity=pieces)
    found = measured(pd.concat([frame, sale], ignore_index=True), people, tmp_path).table
    known = responses.table.drop(columns="error")
    pd.testing.assert_frame_equal(found[found["category"] != "sale"].drop(columns="error"), known)


def test_a_category_in_which_one_product_alone_changed_its_price_is_named(tmp_path: Path) -> None:
    frame, people = shop_log()
    coffee = frame["category"] == "coffee"
    steady = coffee & (frame["product_id"] != "coffee0")
    frame.loc[steady, "discount"] = 0.0
    frame.loc[coffee & ~steady, "discount"] = 6 * frame["discount"].clip(upper=frame["unit_price"] / 8)
    found = measured(frame, people, tmp_path)
    assert set(found.table["category"]) == {"tea"}
    assert list(found.left_out[["category", "reason"]].itertuples(index=False, name=None)) == [("coffee", "untold")]


def test_kept_responses_are_what_was_measured(responses: Responses, tmp_path: Path) -> None:
    store_responses(responses, tmp_path, {})
    kept = load_responses(tmp_path)
    assert kept is not None and kept.cutoff == responses.cutoff
    pd.testing.assert_frame_equal(kept.table, responses.table)
    store_responses(replace(responses, spend=responses.spend.drop(columns="depth")), tmp_path, {})
    assert load_responses(tmp_path) is None, "they do not say what is off the prices today"


def test_a_rule_is_worth_what_the_formula_says(responses: Responses) -> None:
    outcome = what_if(responses, Rule({1: -0.1}, 0.4))
    table = responses.table.set_index(["category", "tier"])
    revenue = margin = 0.0
    for category, base in base_of(responses).items():
        pieces = 0.9 ** table.loc[(category, 1), "elasticity"]
        revenue += base * (0.9 * pieces - 1)
        margin += base * (0.9 * pieces - 0.6 * pieces - 0.4)
    assert outcome.revenue.value == pytest.approx(revenue) and outcome.margin.value == pytest.approx(margin)
    assert outcome.revenue.low < revenue < outcome.revenue.high
    assert outcome.base == pytest.approx(40 * 120.0) and outcome.touched == pytest.approx(3600.0)
    tiers = outcome.tiers.set_index("tier")
    assert tiers.loc[2, "clv_after"] == tiers.loc[2, "clv"] == pytest.approx(30.0)
    assert tiers.loc[1, "clv_after"] == pytest.approx(90 + revenue / 40)
    assert {one.code for one in outcome.assumptions} == {"warning.price_margin_assumed", "warning.price_untouched"}


def test_a_discount_is_worth_what_discounts_did(responses: Responses) -> None:
    outcome = what_if(responses, Rule({1: -0.2}, 0.4, ("tea",), DISCOUNT))
    row = responses.table.set_index(["category", "tier"]).loc[("tea", 1)]
    base, (frame, _) = base_of(responses)["tea"], shop_log()
    bought = frame[(frame["category"] == "tea") & frame["customer_id"].str.startswith("t1")]
    deeper = 0.2 * (1 - bought["discount"].sum() / bought["unit_price"].sum())
    assert deeper < 0.19

    def revenue(effect: float) -> float:
        return base * (0.8 * np.exp(deeper * effect) - 1)

    assert outcome.revenue.value == pytest.approx(revenue(row["discount_effect"]))
    pieces = np.exp(deeper * row["discount_effect"])
    assert outcome.margin.value == pytest.approx(base * (0.8 * pieces - 0.6 * pieces - 0.4))
    ends = revenue(row["discount_low"]), revenue(row["discount_high"])
    assert (outcome.revenue.low, outcome.revenue.high) == pytest.approx(ends, rel=0.05)
    assert outcome.revenue.value != what_if(responses, Rule({1: -0.2}, 0.4, ("tea",))).revenue.value


def test_a_discount_raises_no_price_and_is_refused_where_none_was_measured(responses: Responses) -> None:
    for change, by in ((0.05, DISCOUNT), (-0.05, "gift")):
        with pytest.raises(UsageError):
            Rule({1: change}, 0.4, by=by)
    blank = replace(responses, table=responses.table.assign(discount_effect=np.nan))
    with pytest.raises(NotEnoughData):
        what_if(blank, Rule({1: -0.05}, 0.4, by=DISCOUNT))


def test_intervals_of_the_rule_are_those_of_drawn_elasticities(responses: Responses) -> None:
    rng = np.random.default_rng(2)
    own = responses.table[responses.table["tier"] == 1].set_index("category")
    draws = np.zeros(20_000)
    for category, base in base_of(responses).items():
        row = own.loc[category]
        elasticity = row["elasticity"] + row["error"] * rng.standard_t(row["products"] - 1, len(draws))
        draws += base * (0.95 ** (1 + elasticity) - 1)
    found = what_if(responses, Rule({1: -0.05}, 0.4)).revenue
    low, high = np.quantile(draws, [0.05, 0.95])
    width = high - low
    assert found.low == pytest.approx(low, abs=0.05 * width) and found.high == pytest.approx(high, abs=0.05 * width)


def test_the_interval_of_one_category_is_the_one_that_was_measured(responses: Responses) -> None:
    (row,) = responses.table[(responses.table["tier"] == 1) & (responses.table["category"] == "tea")].to_dict("records")
    base, found = base_of(responses)["tea"], what_if(responses, Rule({1: -0.01}, 0.4, ("tea",))).revenue
    ends = sorted(base * (0.99 ** (1 + row[end]) - 1) for end in ("low", "high"))
    assert found.high - found.low == pytest.approx(ends[1] - ends[0], rel=0.01)


@pytest.mark.parametrize("by", ["price", DISCOUNT])
def test_the_file_of_a_rule_adds_up_with_an_unmeasured_tier(responses: Responses, by: str) -> None:
    unmeasured = (responses.table["category"] == "tea") & (responses.table["tier"] == 2)
    fewer = replace(responses, table=responses.table[~unmeasured].reset_index(drop=True))
    outcome = what_if(fewer, Rule({1: -0.1, 2: -0.1}, 0.4, by=by))
    rows = price_table(fewer, outcome, ["High", "Low"], "en")
    assert rows["rule_revenue"].sum() == pytest.approx(outcome.revenue.value)
    assert rows["rule_margin"].sum() == pytest.approx(outcome.margin.value)
    (borrowed,) = rows[rows["evidence"] == "assumed"].to_dict("records")
    assert (borrowed["category"], borrowed["tier_name"]) == ("tea", "Low") and np.isnan(borrowed["elasticity"])
    assert (rows.drop(rows.index[rows["evidence"] == "assumed"])["evidence"] == "measured").all()


def test_changes_beyond_what_was_seen_are_said_to_be_assumed(responses: Responses) -> None:
    far = what_if(responses, Rule({1: -0.5, 2: -0.5}, 0.4))
    assert "warning.price_beyond" in {one.code for one in far.assumptions} and far.cells["beyond"].all()


@pytest.mark.parametrize("by", ["price", DISCOUNT])
def test_a_step_earns_above_its_break_even_margin_and_loses_below(responses: Responses, by: str) -> None:
    steps = {step.change: step.outcome for step in price_steps(responses, 0.4, ("tea",), by)}
    rate = steps[-0.1].break_even
    assert set(steps) == ({-0.1, -0.05} if by == DISCOUNT else {-0.1, -0.05, 0.05, 0.1})
    assert rate is not None and steps[-0.1].sold > 0
    for margin, earns in ((rate - 0.02, False), (rate + 0.02, True)):
        outcome = what_if(responses, Rule({1: -0.1, 2: -0.1}, margin, ("tea",), by))
        assert (outcome.margin.value > 0) is earns
        assert outcome.break_even == pytest.approx(rate)


def test_the_best_step_is_measured_and_surely_earns(responses: Responses) -> None:
    """Coffee hardly answers: dearer coffee earns at any margin. Tea does, and is cheaper to advantage at a high one."""
    for margin, category, found in ((0.3, "coffee", 0.1), (0.9, "tea", -0.1), (0.3, "tea", 0.1)):
        steps = price_steps(responses, margin, (category,))
        best = best_step(steps)
        assert best is not None and best.change == found and best.outcome.margin.low > 0
        assert best.outcome.margin.value == max(step.outcome.margin.value for step in steps)
    assert best_step([step for step in price_steps(responses, 0.3, ("coffee",)) if step.change < 0]) is None
    narrow = replace(responses, table=responses.table.assign(range=0.06))
    step = best_step(price_steps(narrow, 0.3, ("coffee",)))
    assert step is not None and step.change == 0.05, "10% more was not seen"


def test_where_less_was_sold_at_lower_prices_no_step_is_measured_and_the_rule_says_so(responses: Responses) -> None:
    ends = ["elasticity", "low", "high"]
    turned = responses.table.assign(
        **{end: -responses.table[other] for end, other in zip(ends, ["elasticity", "high", "low"], strict=True)}
    )
    odd = replace(responses, table=turned)
    steps = price_steps(odd, 0.3)
    assert all(step.outcome.reversed for step in steps) and best_step(steps) is None
    assert steps[-1].outcome.margin.low > 0, "it would look like a gain"
    said = {one.code: one.params for one in steps[0].outcome.assumptions}
    assert said["warning.price_reversed"]["share"] == 100.0
    assert "warning.price_reversed" not in {one.code for one in what_if(responses, Rule({1: -0.1}, 0.3)).assumptions}


def test_rules_are_read_and_wrong_ones_refused(responses: Responses) -> None:
    assert parse_changes(["all=-5", "1=-10%"], 2) == {1: -0.1, 2: -0.05}
    for text in ("3=-5", "0=1", "gold=-5", "1=", "1=-5=3"):
        with pytest.raises(UsageError):
            parse_changes([text], 2)
    for changes, margin, categories in (({1: -0.9}, 0.4, ()), ({1: -0.1}, 1.0, ()), ({1: -0.1}, 0.4, ("wine",))):
        with pytest.raises(UsageError):
            what_if(responses, Rule(changes, margin, categories))


@pytest.mark.examples(2)
@pytest.mark.parametrize(
    ("steady", "without", "products", "code", "params"),
    [
        (True, ["product_id"], ".*", "price_no_columns", {"missing": ["product_id"]}),
        (True, ["category"], ".*", "price_no_variation", {}),
        (True, [], ".*", "price_no_variation", {}),
        (False, [], "(tea|coffee)[0-6]", "price_few_products", {"categories": 2, "found": 7, "needed": 10}),
    ],
)
def test_logs_that_cannot_say_are_refused_with_the_reason(
    steady: bool, without: list[str], products: str, code: str, params: dict[str, object], tmp_path: Path
) -> None:
    frame, people = shop_log(steady)
    few = frame[frame["product_id"].str.fullmatch(products)]
    with pytest.raises(NotEnoughData) as refusal:
        measured(few.drop(columns=without), people, tmp_path)
    assert refusal.value.code == code and params.items() <= refusal.value.params.items()
    assert code != "price_no_columns" or "product_id" in refusal.value.message()
    assert code != "price_few_products" or not any("%" in refusal.value.message(lang) for lang in LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_category_that_is_left_out_is_told_what_it_would_need(lang: str) -> None:
    said = {reason: translate(f"price.reason.{reason}", lang, least=least) for reason, least in LEFT_OUT.items()}
    for reason, figure in {"few_products": "10", "few_sales": "100", "steady_prices": "3%"}.items():
        assert figure in said[reason]
