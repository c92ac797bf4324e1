"""Figures of single models: what is drawn against lifetimes' numbers and formulas written out here."""

from __future__ import annotations

import re
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from clv_core import (
    BGBB,
    BGNBD,
    alive_history,
    calibration_holdout,
    holdout_by_frequency,
    plot_alive_history,
    plot_alive_matrix,
    plot_cumulative_purchases,
    plot_frequency_recency_matrix,
    plot_holdout_purchases,
    plot_incremental_purchases,
    plot_purchases_by_frequency,
    purchase_tracking,
    purchases_by_frequency,
)
from clv_core.errors import ClvError, UsageError
from tests.btyd.test_btyd_lifetimes import purchases

MODEL = BGNBD(0.243, 4.414, 0.793, 2.426)
R, ALPHA, A, B = 0.243, 4.414, 0.793, 2.426
NAMED = {"customer": "id", "time": "date"}


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    rows = purchases("cdnow_master")
    return rows[rows["id"].astype(int) % 10 == 0].reset_index(drop=True)


def alive(x: float, last: float, age: float) -> float:
    """Equation 7 of Fader and Hardie 2008."""
    return 1 / (1 + (x > 0) * A / (B + max(x, 1) - 1) * ((ALPHA + age) / (ALPHA + last)) ** (R + x))


def expected(t: float, x: float, last: float, age: float) -> float:
    """Equation 10 of Fader, Hardie and Lee 2005."""
    gauss = hyp2f1(R + x, B + x, A + B + x - 1, t / (ALPHA + age + t))
    some = 1 - ((ALPHA + age) / (ALPHA + age + t)) ** (R + x) * gauss
    return (A + B + x - 1) / (A - 1) * some * alive(x, last, age)


def test_matrices_have_each_customer_that_can_be() -> None:
    for figure, formula in (
        (plot_frequency_recency_matrix(MODEL, 39, max_frequency=12, T=38.86, unit="week"), lambda *c: expected(39, *c)),
        (plot_alive_matrix(MODEL, max_frequency=12, T=38.86, unit="week"), alive),
    ):
        cells = figure.data[0]
        assert cells.x.tolist() == list(range(13)) and cells.y.tolist() == list(range(39))
        assert cells.z.shape == (39, 13)
        for x, last in ((0, 0), (1, 1), (2, 30), (12, 38)):
            assert cells.z[last, x] == pytest.approx(formula(x, last, 38.86), rel=1e-9)
        assert np.isnan(cells.z[0, 1:]).all() and np.isnan(cells.z[1:, 0]).all() and np.isfinite(cells.z[1:, 1:]).all()
        assert figure.layout.yaxis.title.text == "First to last purchase, weeks"
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)


def test_a_matrix_of_opportunities_has_no_more_purchases_than_those() -> None:
    z = plot_alive_matrix(BGBB(1.204, 0.750, 0.657, 2.783), max_frequency=6, T=6, unit="month").data[0].z
    assert (np.isfinite(z) == [[x <= n if x else n == 0 for x in range(7)] for n in range(7)]).all()


@pytest.mark.parametrize(
    "wrong", [{"max_frequency": -1}, {"max_frequency": 2.5}, {"T": -1}, {"T": np.nan}, {"unit": "year"}]
)
def test_a_matrix_of_no_customers_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        plot_alive_matrix(MODEL, **{"max_frequency": 3, "T": 39, **wrong})


@pytest.mark.filterwarnings("ignore")
def test_tracking_is_drawn_as_lifetimes_counts_it(cdnow: pd.DataFrame, lifetimes: ModuleType) -> None:
    model = BGNBD(R, ALPHA * 7, A, B)
    fitter = lifetimes.BetaGeoFitter()
    fitter.params_ = {name: getattr(model, name) for name in model.NAMES}
    theirs = lifetimes.utils.expected_cumulative_transactions(fitter, cdnow, "date", "id", 100)["predicted"]
    table = purchase_tracking(model, cdnow, every="day", end="1997-04-11", **NAMED)
    came, came_by = table["actual"].to_numpy(), table["actual_cumulative"].to_numpy()
    total, each = plot_cumulative_purchases(table), plot_incremental_purchases(table, fitted_until="1997-03-31")
    np.testing.assert_allclose(total.data[1].y[1:], theirs, rtol=1e-9)
    np.testing.assert_allclose(each.data[1].y[2:], np.diff(theirs), rtol=1e-9)
    assert (total.data[0].y == came_by).all() and (each.data[0].y == came).all()
    assert pd.Timestamp(total.data[0].x[-1]) == pd.Timestamp("1997-04-11")
    since = came[-11:].sum(), theirs.iloc[-1] - theirs.iloc[-12]
    assert each.layout.title.text.startswith(
        f"Repeat purchases after 31 Mar 1997: {since[0]:,.0f}, expected {since[1]:,.0f}"
    )
    assert len(total.layout.shapes) == 0 and each.layout.shapes[0].x0 == "1997-03-31"


def test_bars_have_the_customers_of_the_paper(sample: pd.DataFrame) -> None:
    figure = plot_purchases_by_frequency(purchases_by_frequency(MODEL, sample["frequency"], sample["T"]))
    actual, model = figure.data
    assert actual.x == ("0", "1", "2", "3", "4", "5", "6", "7+")
    assert actual.y.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    never = (ALPHA / (ALPHA + sample["T"])) ** R
    assert model.y[0] == pytest.approx(never.sum(), rel=1e-9) and model.y.sum() == pytest.approx(2_357)


def test_the_holdout_is_drawn_as_the_means_of_its_customers(cdnow: pd.DataFrame) -> None:
    table = calibration_holdout(cdnow, "1997-09-30", end="1998-06-30", unit="week", **NAMED)
    figure = plot_holdout_purchases(holdout_by_frequency(MODEL, table, max_frequency=3))
    twice = table[table["frequency_cal"] == 2]
    by_hand = [expected(39, 2, row.recency_cal, row.T_cal) for row in twice.itertuples()]
    assert figure.data[0].y[2] == pytest.approx(twice["frequency_holdout"].mean())
    assert figure.data[1].y[2] == pytest.approx(np.mean(by_hand), rel=1e-9)
    assert f"{table['frequency_holdout'].sum():,.0f}" in figure.layout.title.text


def test_a_history_is_what_was_known_each_day() -> None:
    days = pd.to_datetime(["1997-01-05", "1997-02-10", "1997-02-10", "1997-05-01"])
    figure = plot_alive_history(alive_history(BGNBD(R, ALPHA * 7, A, B), days[::-1], end="1997-07-24"))
    path, dots = figure.data
    assert [f"{pd.Timestamp(day):%m-%d}" for day in dots.x] == ["01-05", "02-10", "05-01"]
    assert len(path.y) == 201 and f"{pd.Timestamp(path.x[-1]):%m-%d}" == "07-24"
    for at, probability in enumerate(path.y):
        x, last = (0, 0) if at < 36 else (1, 36) if at < 116 else (2, 116)
        assert probability == pytest.approx(alive(x, last / 7, at / 7), rel=1e-9)


def test_a_history_of_opportunities_has_a_row_a_month() -> None:
    table = alive_history(BGBB(1.2, 0.75, 0.66, 2.78), ["2024-01-20", "2024-03-02"], end="2024-06-15", unit="month")
    assert [f"{day:%Y-%m}" for day in table.index] == [f"2024-0{month}" for month in range(1, 7)]
    assert table["purchases"].tolist() == [1, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("times", "code"), [([], "btyd_no_purchase"), (["2025-01-01"], "btyd_no_purchase"), (["soon"], "btyd_no_times")]
)
def test_a_history_without_a_purchase_is_refused(times: list[str], code: str) -> None:
    with pytest.raises(UsageError) as error:
        alive_history(MODEL, pd.Series(times, dtype=object), end="2024-06-30")
    assert error.value.code == code


def test_a_figure_of_another_table_is_refused() -> None:
    for draw in (plot_cumulative_purchases, plot_holdout_purchases, plot_purchases_by_frequency, plot_alive_history):
        with pytest.raises(ClvError, match="actual|alive"):
            draw(pd.DataFrame({"x": [1]}))


def test_a_figure_before_the_first_period_is_over_says_so(cdnow: pd.DataFrame) -> None:
    table = purchase_tracking(MODEL, cdnow, unit="week", end="1997-01-03", **NAMED)
    assert re.match("No period", plot_cumulative_purchases(table).layout.title.text)
