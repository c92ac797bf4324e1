"""How much of the top decile stays: lists whose overlap is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clv_core.evaluation.stability import stability, top_overlap

IDS = [f"c{i:03d}" for i in range(200)]


def values(order: np.ndarray) -> pd.Series:
    return pd.Series(order.astype(float), IDS)


def test_the_same_order_overlaps_wholly_and_the_opposite_one_not_at_all() -> None:
    up = np.arange(200)
    assert top_overlap(values(up), values(np.exp(up / 50))) == 1.0
    assert top_overlap(values(up), values(-up)) == 0.0


def test_half_of_the_top_replaced_is_half() -> None:
    other = np.arange(200)
    other[180:190] = -1
    assert top_overlap(values(np.arange(200)), values(other)) == 0.5


def test_only_customers_in_both_lists_count_and_their_order_in_the_file_does_not() -> None:
    one, other = values(np.arange(200)), values(np.arange(200))[:100]
    assert top_overlap(one, other.sample(frac=1, random_state=0)) == 1.0
    assert np.isnan(top_overlap(one, other[:0]))


def test_chance_overlaps_by_the_share() -> None:
    rng = np.random.default_rng(0)
    found = [top_overlap(values(rng.permutation(200)), values(rng.permutation(200))) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.1, abs=0.01)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60))
def test_with_any_ties_a_list_overlaps_itself_wholly(numbers: list[float]) -> None:
    one = pd.Series(numbers, [f"c{i}" for i in range(len(numbers))])
    assert top_overlap(one, one.iloc[::-1]) == 1.0


def test_seeds_are_compared_at_the_latest_origin_and_origins_in_the_first_run() -> None:
    up = np.arange(200.0)
    frames = [
        pd.DataFrame({"customer_id": IDS, "origin": origin, "model": model, "predicted_clv": order})
        for origin, model, order in (
            ("1997-07-01", "hybrid", -up),
            ("1998-01-01", "hybrid", up),
            ("1998-01-01", "hybrid#2", up),
            ("1998-01-01", "hybrid#10", -up),
            ("1998-01-01", "naive", up),
        )
    ]
    table = stability(pd.concat(frames)).set_index(["between", "first", "second"])
    assert table["overlap"].to_dict() == {
        ("seeds", "hybrid", "hybrid#2"): 1.0,
        ("seeds", "hybrid", "hybrid#10"): 0.0,
        ("seeds", "hybrid#2", "hybrid#10"): 0.0,
        ("origins", "1997-07-01", "1998-01-01"): 0.0,
    }
    assert set(table["model"]) == {"hybrid"} and set(table["customers"]) == {200}
