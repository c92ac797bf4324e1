"""Figures of parts of the customers, against pandas done by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.metrics import evaluate
from clv_core.evaluation.slices import SLICES, customer_facts, slice_table, value_decile
from tests.model.test_baselines import _snapshot


@pytest.fixture(scope="module")
def facts(predictions: pd.DataFrame) -> pd.DataFrame:
    ids = predictions.loc[predictions["model"] == "hybrid", "customer_id"]
    rng = np.random.default_rng(5)
    days = rng.integers(0, 4, len(ids))
    value = np.where(days > 0, rng.gamma(1, 50, len(ids)).round(), 0.0)
    tenure = rng.integers(1, 300, len(ids)).astype(float)
    return pd.DataFrame(
        {"customer_id": ids, "origin": "1998-01-01", "tenure": tenure, "purchase_days": days, "net_value": value}
    ).sample(frac=1, random_state=1)


def test_each_slice_has_the_figures_of_its_own_customers(predictions: pd.DataFrame, facts: pd.DataFrame) -> None:
    table = slice_table(predictions, facts).set_index(["slice", "model", "metric"])
    by_hand = {
        "one_time_buyers": facts["purchase_days"] == 1,
        "never_buyers": facts["purchase_days"] == 0,
        "new": facts["tenure"] < 90,
        "known_longer": facts["tenure"] >= 90,
    }
    for name, rows in by_hand.items():
        ids = set(facts.loc[rows, "customer_id"])
        part = predictions[(predictions["model"] == "bgnbd") & predictions["customer_id"].isin(ids)]
        expected = evaluate(part["actual"], part)
        for metric in ("gini", "mae", "bias"):
            found = table.loc[(name, "bgnbd", metric)]
            assert found["value"] == pytest.approx(expected[metric], rel=1e-12)
            assert found["customers"] == len(ids) and found["buyers"] == (part["actual"] > 0).sum()


def test_opposite_slices_hold_every_customer_once(facts: pd.DataFrame) -> None:
    for one, other in (("buyers", "never_buyers"), ("new", "known_longer")):
        np.testing.assert_array_equal(SLICES[one](facts), ~SLICES[other](facts))
    deciles = np.sum([SLICES[f"value_decile_{number}"](facts) for number in range(1, 11)], axis=0)
    np.testing.assert_array_equal(deciles, SLICES["buyers"](facts).astype(int))


def test_the_first_decile_holds_the_largest_values_and_ties_stay_together(facts: pd.DataFrame) -> None:
    decile = pd.Series(value_decile(facts), facts["net_value"].to_numpy())
    bought = decile[decile > 0]
    assert bought.groupby(level=0).nunique().max() == 1
    assert (bought.groupby(bought).apply(lambda part: part.index.min()).diff().dropna() <= 0).all()
    assert (bought == 1).mean() == pytest.approx(0.1, abs=0.02)


def test_nobody_and_one_customer_are_no_reason_to_fail(predictions: pd.DataFrame, facts: pd.DataFrame) -> None:
    assert slice_table(predictions, facts[:0]).empty
    few = facts[:1].assign(purchase_days=1)
    of_few = predictions[predictions["customer_id"].isin(few["customer_id"])]
    assert set(slice_table(of_few, few)["slice"]) == {
        "buyers",
        "one_time_buyers",
        "value_decile_1",
        "new" if few["tenure"].iloc[0] < 90 else "known_longer",
    }


def test_facts_come_from_the_snapshot() -> None:
    snapshot = _snapshot()
    snapshot.features["tenure"] = 10.0
    found = customer_facts(snapshot, "1998-01-01")
    assert list(found.columns) == ["customer_id", "origin", "tenure", "purchase_days", "net_value"]
    np.testing.assert_array_equal(found["net_value"], snapshot.features["net_value"])


def test_the_scoreboard_s_customers_are_the_slices_together(
    predictions: pd.DataFrame, facts: pd.DataFrame, make: Callable[..., pd.DataFrame]
) -> None:
    both = pd.concat([predictions, make(origin="1998-04-01")])
    table = slice_table(both, pd.concat([facts, facts.assign(origin="1998-04-01")]), ["mae"])
    assert set(table["origin"]) == {"1998-01-01", "1998-04-01"}
    parts = table[table["slice"].isin(["buyers", "never_buyers"]) & (table["model"] == "naive")]
    for origin, rows in parts.groupby("origin"):
        frame = both[(both["origin"] == origin) & (both["model"] == "naive")]
        total = (rows["value"] * rows["customers"]).sum() / rows["customers"].sum()
        assert total == pytest.approx((frame["actual"] - frame["predicted_clv"]).abs().mean())
