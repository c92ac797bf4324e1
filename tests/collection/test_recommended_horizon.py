"""The forecast period to begin with, and what is said of a log whose last span is unlike its past."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection import HoldoutSize, check_file, recommended
from clv_core.collection.horizons import horizons_to_count

USUAL = (30, 60, 90, 182, 365)


@pytest.mark.parametrize(
    ("sizes", "days", "why"),
    [
        # a chocolate shop of 24,255 customers, most of them of the last year
        (
            {30: (22_000, 900), 60: (19_000, 1_500), 90: (15_761, 2_119), 182: (9_000, 1_800), 365: (2_243, 341)},
            90,
            ".growing",
        ),
        (
            {30: (24_000, 900), 60: (23_500, 1_500), 90: (23_000, 2_000), 182: (22_000, 2_500), 365: (20_000, 3_000)},
            365,
            "",
        ),
        # half a year has enough buyers, a year has not
        (
            {30: (24_000, 900), 60: (23_500, 900), 90: (23_000, 900), 182: (22_000, 500), 365: (20_000, 299)},
            182,
            ".buyers",
        ),
        # hardly anybody buys again: the most buyers
        ({30: (24_000, 20), 60: (23_000, 60), 90: (20_000, 110), 182: (13_000, 150), 365: (2_000, 40)}, 182, ".few"),
        ({30: (24_000, 9), 60: (23_000, 60), 90: (20_000, 99), 182: (13_000, 70), 365: (2_000, 40)}, 90, ".none"),
        # nearly all are new: the longest with enough buyers
        ({30: (5_000, 400), 60: (3_000, 400), 90: (2_000, 350), 182: (1_000, 300), 365: (500, 100)}, 182, ".new"),
    ],
)
def test_the_recommended_horizon_is_tested_on_most_customers_and_enough_buyers(
    sizes: dict[int, tuple[int, int]], days: int, why: str
) -> None:
    best = recommended(1_361, 24_255, {horizon: HoldoutSize(*size) for horizon, size in sizes.items()})
    assert (best.days, best.reason.code) == (days, f"horizon.recommended{why}")
    assert best.reason.params["customers"] == sizes[days][0] and best.reason.params["buyers"] == sizes[days][1]
    for language in ("en", "zh"):
        assert f"{sizes[days][1]:,}" in best.reason.text(language)


@pytest.mark.parametrize(
    ("log_days", "buyers", "days", "why"),
    [(89, 150, 30, "short"), (70, 150, 23, "short"), (70, 99, 30, "untested"), (20, 500, 10, "untested")],
)
def test_of_a_log_without_room_for_three_months_it_is_what_its_past_can_test(
    log_days: int, buyers: int, days: int, why: str
) -> None:
    sizes = {horizon: HoldoutSize(1_000, buyers) for horizon in horizons_to_count(log_days)}
    best = recommended(log_days, 1_000, sizes)
    assert (best.days, best.reason.code) == (days, f"horizon.recommended.{why}")


def by_day(factors: pd.Series) -> pd.DataFrame:
    """Return a shop with an order a day, of ten times the factor of that day."""
    customers = [f"C{place % 40}" for place in range(len(factors))]
    return pd.DataFrame({"customer_id": customers, "event_time": factors.index, "amount": 10 * factors.to_numpy()})


@pytest.mark.parametrize(
    ("at_the_end", "a_year_before", "said"),
    [(4.0, 1.0, "grown"), (4.0, 4.0, ""), (2.0, 1.0, ""), (0.25, 1.0, "fallen"), (0.25, 0.25, "")],
)
def test_growth_and_a_fall_are_said_of_the_last_span_unless_the_year_before_had_them_too(
    tmp_path: Path, at_the_end: float, a_year_before: float, said: str
) -> None:
    days = pd.date_range("2022-01-01", periods=900, freq="D")
    factors = pd.Series(1.0, days)
    check = check_file(write(by_day(factors), tmp_path))
    assert check.recommended is not None
    span = check.recommended.days
    factors.iloc[-span:] = at_the_end
    factors.iloc[-span - 365 : -365] = a_year_before
    table = by_day(factors)
    found = [
        one for one in check_file(write(table, tmp_path)).warnings if one.code in {"warning.grown", "warning.fallen"}
    ]
    assert [one.code for one in found] == ([f"warning.{said}"] if said else [])
    if said:
        amount = table.amount.tail(span).sum()
        assert found[0].params == {"days": span, "amount": amount, "usual": 10.0 * span, "times": amount / (10 * span)}


def write(table: pd.DataFrame, folder: Path) -> Path:
    """Write a log and return its file."""
    table.to_csv(folder / "log.csv", index=False)
    return folder / "log.csv"
