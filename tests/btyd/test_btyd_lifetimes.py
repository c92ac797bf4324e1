"""BG/NBD, Pareto/NBD and Gamma-Gamma against lifetimes, on the data sets that lifetimes carries.

Likelihoods of both are worked out by lifetimes, standard errors by scipy from lifetimes' likelihood.
``python -m tests.btyd.test_btyd_lifetimes`` prints the table of ``tests/bench/README.md``.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.differentiate import hessian

from clv_core import BGNBD, GammaGamma, ParetoNBD, summary_from_events

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of an old package on pandas 3
    import lifetimes

FOLDER = Path(lifetimes.__file__).parent / "datasets"
FITTERS = {
    BGNBD: (lifetimes.BetaGeoFitter, ["r", "alpha", "a", "b"]),
    ParetoNBD: (lifetimes.ParetoNBDFitter, ["r", "alpha", "s", "beta"]),
    GammaGamma: (lifetimes.GammaGammaFitter, ["p", "q", "v"]),
}
CASES = [
    *((BGNBD, log) for log in ("cdnow_sample", "transactions")),
    *((GammaGamma, log) for log in ("cdnow_sample", "cdnow_master")),
    (ParetoNBD, "cdnow_sample"),
]
SLOW = [(BGNBD, "cdnow_master"), (ParetoNBD, "transactions"), (ParetoNBD, "cdnow_master")]


def purchases(log: str) -> pd.DataFrame:
    """Return id, date and, where the log has it, a positive value."""
    if log == "transactions":
        return pd.read_csv(FOLDER / "example_transactions.csv", parse_dates=["date"])
    rows = pd.read_csv(FOLDER / "CDNOW_master.txt", sep=r"\s+", header=0, names=["id", "date", "quantity", "value"])
    return rows[rows["value"] > 0].assign(date=lambda rows: pd.to_datetime(rows["date"], format="%Y%m%d"))


def summary(log: str) -> pd.DataFrame:
    if log == "cdnow_sample":  # in weeks, as published
        return pd.read_csv(FOLDER / "cdnow_customers_summary_with_transactions.csv").iloc[:, 1:].set_axis(
            ["frequency", "recency", "T", "monetary_value"], axis=1
        )  # fmt: skip
    rows = purchases(log)
    return summary_from_events(rows, customer="id", time="date", amount="value" if "value" in rows else None)


class Comparison(NamedTuple):
    customers: int
    likelihood: float
    """By our parameters, and ``gained`` over that by theirs, of all customers."""
    gained: float
    predictions: float
    """Largest relative difference at equal parameters; of each fitted by itself; of standard errors."""
    fitted: float
    standard_errors: float


def compare(kind: type[Any], log: str) -> Comparison:
    fitter, names = FITTERS[kind]
    rfm = summary(log)
    if kind is GammaGamma:
        rfm = rfm.loc[rfm["frequency"] > 0, ["frequency", "monetary_value"]]
    else:
        rfm = rfm[["frequency", "recency", "T"]]
    if kind is ParetoNBD:  # lifetimes overflows at the one customer of CDNOW with 170
        rfm = rfm[rfm["frequency"] < 150]
    ours = kind.fit(*rfm.to_numpy().T)
    rows = rfm.value_counts().rename("weights").reset_index()
    weights, columns = rows.pop("weights"), rows.to_numpy().T
    theirs = fitter().fit(*columns, weights=weights)
    same = kind(*theirs.params_[names])
    parameters = np.array([getattr(ours, name) for name in ours.to_json() if name != "converged"])

    def log_likelihood(logs: np.ndarray) -> float:
        if kind is ParetoNBD:
            return float(weights @ theirs._conditional_log_likelihood(np.exp(logs), *columns))
        return -len(rfm) * float(theirs._negative_log_likelihood(logs, *columns, weights.to_numpy(), 0))

    def predictions(model: Any) -> np.ndarray:
        if kind is GammaGamma:
            return model.expected_spend(*columns)
        return np.stack([model.expected_purchases(39, *columns), model.p_alive(*columns)])

    if kind is GammaGamma:
        expected = theirs.conditional_expected_average_profit(*map(pd.Series, columns)).to_numpy()
    else:
        count = theirs.conditional_expected_number_of_purchases_up_to_time(39, *columns)
        expected = np.stack([count, theirs.conditional_probability_alive(*columns)])
    best, logs = log_likelihood(np.log(parameters)), np.log(parameters)
    curvature = hessian(
        lambda at: np.apply_along_axis(log_likelihood, 0, at), logs, initial_step=0.02, order=4, maxiter=1
    ).ddf
    errors = parameters * np.sqrt(np.diag(np.linalg.inv(-curvature)))
    return Comparison(
        len(rfm),
        best,
        best - log_likelihood(np.log(theirs.params_[names].to_numpy())),
        np.max(np.abs(predictions(same) / expected - 1)),
        np.max(np.abs(predictions(ours) / expected - 1)),
        np.max(np.abs(list(ours.standard_errors(*rfm.to_numpy().T).values()) / errors - 1)),
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "log"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)])
def test_model_is_as_likely_as_that_of_lifetimes_and_predicts_the_same(kind: type[Any], log: str) -> None:
    found = compare(kind, log)
    assert found.gained > -1e-3
    assert found.predictions < 1e-6 and found.fitted < 0.01 and found.standard_errors < 0.01


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("log", ["transactions", "cdnow_master"])
def test_summary_of_purchases_is_that_of_lifetimes(log: str) -> None:
    rows = purchases(log)
    value = "value" if "value" in rows else None
    theirs = lifetimes.utils.summary_data_from_transaction_data(rows, "id", "date", value)
    ours = summary_from_events(rows, customer="id", time="date", amount=value)
    pd.testing.assert_frame_equal(ours, theirs, check_names=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for kind, log in [*CASES, *SLOW]:
        found = compare(kind, log)
        print(f"| {kind.__name__} | {log} | {found.customers:,} | {found.likelihood:,.3f} | "
              + " | ".join(f"{value:.1e}" for value in found[2:]) + " |", flush=True)  # fmt: skip
