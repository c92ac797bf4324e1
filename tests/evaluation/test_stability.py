"""How much of the top decile stays: lists whose overlap is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.evaluation.model_scoreboard import stability, top_overlap

IDS = [f"c{i:03d}" for i in range(200)]


def values(order: np.ndarray) -> pd.Series:
    return pd.Series(order.astype(float), IDS)


UP, HALF = np.arange(200), np.where(np.arange(200) // 10 == 18, -1, np.arange(200))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (values(UP), values(np.exp(UP / 50)), 1.0),
        (values(UP), values(-UP), 0.0),
        (values(UP), values(HALF), 0.5),
        (values(UP), values(UP)[:100].sample(frac=1, random_state=0), 1.0),  # only who is in both lists, in any order
        (values(UP), values(UP)[:0], np.nan),
    ],
    ids=["the same order", "the opposite", "half of the top replaced", "half of the customers", "nobody"],
)
def test_the_overlap_is_the_share_of_the_top_that_both_lists_hold(
    one: pd.Series, other: pd.Series, overlap: float
) -> None:
    assert top_overlap(one, other) == pytest.approx(overlap, nan_ok=True)


def test_chance_overlaps_by_the_share() -> None:
    rng = np.random.default_rng(0)
    found = [top_overlap(values(rng.permutation(200)), values(rng.permutation(200))) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.1, abs=0.01)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60))
def test_with_any_ties_a_list_overlaps_itself_wholly(numbers: list[float]) -> None:
    one = pd.Series(numbers, [f"c{i}" for i in range(len(numbers))])
    assert top_overlap(one, one.iloc[::-1]) == 1.0


def test_seeds_are_compared_at_the_latest_origin_and_origins_in_the_first_run() -> None:
    orders = {("1997-07-01", "hybrid"): -UP, ("1998-01-01", "hybrid"): UP, ("1998-01-01", "hybrid#2"): UP}
    orders |= {("1998-01-01", "hybrid#10"): -UP, ("1998-01-01", "naive"): UP}
    frames = [
        pd.DataFrame({"customer_id": IDS, "origin": origin, "model": model, "predicted_clv": order.astype(float)})
        for (origin, model), order in orders.items()
    ]
    table = stability(pd.concat(frames)).set_index(["between", "first", "second"])
    assert table["overlap"].to_dict() == {
        ("seeds", "hybrid", "hybrid#2"): 1.0,
        ("seeds", "hybrid", "hybrid#10"): 0.0,
        ("seeds", "hybrid#2", "hybrid#10"): 0.0,
        ("origins", "1997-07-01", "1998-01-01"): 0.0,
    }
    assert set(table["model"]) == {"hybrid"} and set(table["customers"]) == {200}
