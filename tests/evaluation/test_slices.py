"""Figures of parts of the customers, and of seasons, against pandas done by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.evaluation.metrics import evaluate
from clv_core.evaluation.slices import (
    SLICES,
    TENURE_BANDS,
    customer_facts,
    season_id,
    season_label,
    season_of,
    season_table,
    slice_label,
    slice_table,
    value_decile,
)
from clv_core.i18n import LANGUAGES
from tests.model.test_baselines import _snapshot


@pytest.fixture(scope="module")
def facts(predictions: pd.DataFrame) -> pd.DataFrame:
    ids = predictions.loc[predictions["model"] == "hybrid", "customer_id"]
    rng = np.random.default_rng(5)
    days = rng.integers(0, 4, len(ids))
    value = np.where(days > 0, rng.gamma(1, 50, len(ids)).round(), 0.0)
    tenure = rng.integers(1, 800, len(ids)).astype(float)
    quarter = np.where(days > 0, rng.integers(1, 5, len(ids)), 0)
    known = {"customer_id": ids, "origin": "1998-01-01", "tenure": tenure, "purchase_days": days, "net_value": value}
    return pd.DataFrame({**known, "acquired_quarter": quarter}).sample(frac=1, random_state=1)


def test_each_slice_has_the_figures_of_its_own_customers(predictions: pd.DataFrame, facts: pd.DataFrame) -> None:
    table = slice_table(predictions, facts).set_index(["slice", "model", "metric"])
    by_hand = {
        "one_time_buyers": facts["purchase_days"] == 1,
        "never_buyers": facts["purchase_days"] == 0,
        "new": facts["tenure"] < 90,
        "tenure_90": facts["tenure"].between(90, 179),
        "tenure_180": facts["tenure"].between(180, 364),
        "tenure_365": facts["tenure"] >= 365,
        "acquired_q4": facts["acquired_quarter"] == 4,
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
    def together(*names: str) -> np.ndarray:
        return np.sum([SLICES[name](facts) for name in names], axis=0)

    everyone, buyers = np.ones(len(facts)), SLICES["buyers"](facts).astype(int)
    np.testing.assert_array_equal(together("buyers", "never_buyers"), everyone)
    np.testing.assert_array_equal(together(*TENURE_BANDS), everyone)
    np.testing.assert_array_equal(together("one_time_buyers", "repeat_buyers"), buyers)
    np.testing.assert_array_equal(together(*(f"acquired_q{number}" for number in range(1, 5))), buyers)
    np.testing.assert_array_equal(together(*(f"value_decile_{number}" for number in range(1, 11))), buyers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_slice_and_season_has_words_of_its_own(language: str) -> None:
    seasons = [season_label(season_id(quarters), language) for quarters in ((1,), (4,), (4, 1), (1, 2, 3, 4))]
    for said in ([slice_label(name, language) for name in SLICES], seasons):
        assert len(set(said)) == len(said) and not any("{" in text or "None" in text for text in said)


def test_the_first_decile_holds_the_largest_values_and_ties_stay_together(facts: pd.DataFrame) -> None:
    decile = pd.Series(value_decile(facts), facts["net_value"].to_numpy())
    bought = decile[decile > 0]
    assert bought.groupby(level=0).nunique().max() == 1
    assert (bought.groupby(bought).apply(lambda part: part.index.min()).diff().dropna() <= 0).all()
    assert (bought == 1).mean() == pytest.approx(0.1, abs=0.02)


def test_nobody_and_one_customer_are_no_reason_to_fail(predictions: pd.DataFrame, facts: pd.DataFrame) -> None:
    assert slice_table(predictions, facts[:0]).empty
    few = facts[:1].assign(purchase_days=1, acquired_quarter=2, tenure=89.0)
    of_few = predictions[predictions["customer_id"].isin(few["customer_id"])]
    expected = {"buyers", "one_time_buyers", "value_decile_1", "acquired_q2", "new"}
    assert set(slice_table(of_few, few)["slice"]) == expected


def test_facts_come_from_the_snapshot() -> None:
    snapshot = _snapshot()
    snapshot.features["tenure"] = 10.0
    found = customer_facts(snapshot, "1998-01-01")
    assert list(found.columns) == ["customer_id", "origin", "tenure", "purchase_days", "net_value", "acquired_quarter"]
    np.testing.assert_array_equal(found["net_value"], snapshot.features["net_value"])
    first = [pd.Timestamp("1998-01-01") - pd.Timedelta(days=age) for age in snapshot.features["T"].dropna()]
    bought = found["acquired_quarter"] > 0
    assert found.loc[bought, "acquired_quarter"].to_list() == [(day.month - 1) // 3 + 1 for day in first]
    np.testing.assert_array_equal(bought, snapshot.features["T"].notna())


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


@pytest.mark.parametrize(
    ("origin", "days", "season"),
    [
        ("1998-01-01", 90, (1,)),
        ("1997-10-01", 182, (4, 1)),
        ("1997-12-31", 182, (1, 2)),  # one day of the old year does not make it winter
        ("1997-11-15", 60, (4, 1)),
        ("1997-04-01", 273, (2, 3, 4)),
        ("1997-04-01", 365, (1, 2, 3, 4)),
        ("1997-04-01", 730, (1, 2, 3, 4)),
    ],
)
def test_a_horizon_is_named_by_the_quarters_that_it_lies_in(origin: str, days: int, season: tuple[int, ...]) -> None:
    assert season_of(date.fromisoformat(origin), days) == season


def test_a_season_s_figure_is_the_mean_over_its_origins(make: Callable[..., pd.DataFrame]) -> None:
    origins = {"1997-01-01": 0.8, "1997-07-01": 1.1, "1998-01-01": 1.4}
    frames = {day: make(origin=day, level=level, seed=3) for day, level in origins.items()}
    table = season_table(pd.concat(frames.values(), ignore_index=True)).set_index(["season", "model", "metric"])
    assert table.index.unique("season").to_list() == ["q1_q2", "q3_q4"]

    def of(day: str) -> dict[str, float]:
        rows = frames[day][frames[day]["model"] == "hybrid"]
        return evaluate(rows["actual"], rows)

    for metric in ("gini", "bias", "mae"):
        found = table.loc[("q1_q2", "hybrid", metric)]
        assert found["value"] == pytest.approx((of("1997-01-01")[metric] + of("1998-01-01")[metric]) / 2)
        assert found["origins"] == 2 and found["customers"] == 4000
        assert table.loc[("q3_q4", "hybrid", metric), "value"] == pytest.approx(of("1997-07-01")[metric])
