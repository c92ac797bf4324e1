"""What an offer must achieve before it pays, and what may be spent on a new customer, against tables made by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment.bundle import Bundle
from clv_core.errors import UsageError
from clv_core.strategy.plans import (
    ALL_TIERS,
    BREAK_EVEN_UPLIFT,
    BUYERS,
    EVERYONE,
    MONEY,
    SHARE,
    Effect,
    Offer,
    OfferCost,
    measured_gain,
)
from clv_core.workspace import Workspace
from tests.conftest import Clv

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "p_purchase": [0.1, 0.2, 0.3, 0.4],
        "predicted_clv": [10.0, 20.0, 30.0, 40.0],
    }
)
"""One of four is expected to buy, and brings 100; with a margin of 40% that is 40."""

BY_HAND = pd.DataFrame(
    [
        # cost, paid, won buyers of four, cost of the offer, contribution of the won
        (5.0, EVERYONE, 0.50, 20.00, 20.00),
        (5.0, BUYERS, 0.142857, 5.71, 5.71),
        (10.0, EVERYONE, 1.00, 40.00, 40.00),
        (10.0, BUYERS, 0.333333, 13.33, 13.33),
        (20.0, BUYERS, 1.00, 40.00, 40.00),
        (30.0, BUYERS, 3.00, 120.00, 120.00),
        (0.0, EVERYONE, 0.00, 0.00, 0.00),
    ],
    columns=["cost", "paid", "won", "spent", "brought"],
)


@pytest.mark.parametrize("row", list(BY_HAND.itertuples()), ids=lambda row: f"{row.cost:g} {row.paid}")
def test_at_break_even_the_won_buyers_bring_to_the_cent_what_the_offer_costs(row):
    uplift = OfferCost(row.cost, row.paid, margin_rate=0.4).of_group(CUSTOMERS).uplift
    assert uplift is not None
    won = 4 * uplift
    paid_for = 4 if row.paid == EVERYONE else 1 + won  # the one who would have bought anyway takes the voucher too
    assert won == pytest.approx(row.won, abs=5e-7)
    assert round(paid_for * row.cost, 2) == row.spent
    assert round(won * 40, 2) == row.brought


def test_an_offer_that_costs_more_than_all_others_could_bring_never_pays():
    assert OfferCost(30.01, EVERYONE, margin_rate=0.4).of_group(CUSTOMERS).uplift is None  # three are left: 0.75 of all
    assert OfferCost(30.0, EVERYONE, margin_rate=0.4).of_group(CUSTOMERS).uplift == pytest.approx(0.75)
    assert OfferCost(40.0, BUYERS, margin_rate=0.4).of_group(CUSTOMERS).uplift is None
    assert OfferCost(5.0).of_group(CUSTOMERS.iloc[:0]).message().code == "break_even.nobody"
    assert OfferCost(50.0, BUYERS, margin_rate=0.4).of_group(CUSTOMERS).message().code == "break_even.never"


def test_a_list_has_each_customers_uplift_as_its_last_column_and_none_where_nothing_pays():
    people = CUSTOMERS.assign(predicted_clv=[10.0, 4.0, 0.0, -3.0])
    listed = OfferCost(5.0, BUYERS, margin_rate=0.4).added_to(people)
    assert listed.columns[-1] == BREAK_EVEN_UPLIFT
    # a: a buyer is worth 40, and 5 * 0.1 / (40 - 5); b: worth 8, 5 * 0.2 / (8 - 5); c and d bring nothing
    np.testing.assert_allclose(listed[BREAK_EVEN_UPLIFT], [0.5 / 35, 1 / 3, np.nan, np.nan])


@pytest.mark.parametrize(
    ("cost", "code", "number"),
    [(5.0, "one_in", 8), (2.8, "one_in", 14), (8.0, "one_in", 5), (8.1, "of_100", 21), (0.0, "free", None)],
)
def test_an_uplift_is_said_as_one_in_so_many_and_a_large_one_of_100(cost: float, code: str, number: int | None):
    message = OfferCost(cost, margin_rate=0.4).of_group(CUSTOMERS).message()
    assert message.code == f"break_even.{code}" and message.params.get("number") == number


def test_what_was_measured_is_incremental_margin_less_cost_and_an_assumed_effect_is_not():
    measured = Offer("Gift", 3.0, {1: Effect(4.1, MONEY, 2.5, 5.7)}, window_days=90)
    gain = measured_gain(measured, 1)
    assert gain is not None
    assert (gain.gain, gain.low, gain.high) == pytest.approx((1.1, -0.5, 2.7))
    assert measured_gain(measured, 2) is None
    assert measured_gain(Offer("Mail", 1.0, {ALL_TIERS: Effect(4.1, MONEY)}), 1) is None
    assert measured_gain(Offer("Mail", 1.0, {ALL_TIERS: Effect(0.1, SHARE)}), 1) is None


@pytest.mark.parametrize("words", [(-1.0, EVERYONE, 1.0), (1.0, "sometimes", 1.0), (1.0, BUYERS, 0.0)])
def test_a_cost_below_nothing_another_word_and_no_margin_are_refused(words: tuple[float, str, float]):
    with pytest.raises(UsageError):
        OfferCost(*words)


@pytest.fixture
def workspace(small_workspace: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(small_workspace.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def test_commands_write_the_uplift_last_and_say_what_it_assumes(clv: Clv, small_bundle: Bundle, tmp_path: Path):
    about, offer = ("shop", "--model", small_bundle.id), ("--offer-cost", "5", "--margin-rate", "0.4")
    answer = clv("segment", *about, *offer, "--offer-paid", "buyers", "--out", str(tmp_path / "tiers.parquet"))
    rows = pd.read_parquet(tmp_path / "tiers.parquet")
    buyer = 0.4 * rows["predicted_clv"] / rows["p_purchase"]
    uplift = 5 * rows["p_purchase"] / (buyer - 5)
    by_hand = uplift.where((buyer > 5) & (uplift <= 1 - rows["p_purchase"] + 1e-9))
    pd.testing.assert_series_equal(rows[BREAK_EVEN_UPLIFT], by_hand, check_names=False)
    assert [name for name in rows if name != "currency"][-1] == BREAK_EVEN_UPLIFT
    assert "not measured" in str(answer["warnings"])
    top = answer["tiers"][0]
    value = 0.4 * top["value_sum"] / top["buyers_expected"]
    assert top[BREAK_EVEN_UPLIFT] == pytest.approx(5 * top["p_purchase_mean"] / (value - 5))
    record = json.loads(Path(answer["side_file"]).read_text(encoding="utf-8"))
    assert record["settings"] == {"offer_cost": 5.0, "offer_paid": "buyers", "offer_margin_rate": 0.4}
    clv("export", *about, *offer, "--format", "csv", "--out", str(tmp_path / "list.csv"))
    listed = pd.read_csv(tmp_path / "list.csv")
    assert [name for name in listed if name != "currency"][-1] == BREAK_EVEN_UPLIFT and "max_spend" not in listed
    with_platform = ("--format", "google_customer_match", "--out", str(tmp_path / "google.csv"))
    assert cli_code(clv, "export", *about, *offer, *with_platform) == "export_break_even"
    margin_alone = ("--margin-rate", "0.4", "--out", str(tmp_path / "a.csv"))
    assert cli_code(clv, "segment", *about, *margin_alone) == "segment_margin"


def cli_code(clv: Clv, *words: str) -> str:
    """Return the code of the error that a command ends with."""
    return str(clv(*words, code=2)["error"]["code"])
