"""scikit-learn's own tools take ``CLV``: clones, checks, and searches over splits of a log at past days."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.utils.validation import check_is_fitted

from clv_core import CLV, NotFittedError, PastOrigins
from clv_core.errors import UsageError

pytestmark = pytest.mark.filterwarnings("ignore::clv_core.ClvWarning")


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """Return 500 days of purchases of 150 customers, out of order."""
    random = np.random.default_rng(5)
    customer = np.repeat(np.arange(150), 1 + random.poisson(random.gamma(1.0, 5.0, 150)))
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 500, len(customer)), unit="D")
    return pd.DataFrame({"customer_id": [f"c{one}" for one in customer], "event_time": day, "amount": 10.0 + customer})


def test_a_split_ends_training_at_an_origin_and_the_test_one_horizon_later(log: pd.DataFrame) -> None:
    end = log["event_time"].max() + pd.Timedelta("1D")
    splits = list(PastOrigins(3, horizon_days=60, step_days=40).split(log))
    for number, (train, test) in enumerate(splits):
        origin = end - pd.Timedelta(days=60 + 40 * (2 - number))
        assert (log.iloc[train]["event_time"] < origin).all() and len(train) == (log["event_time"] < origin).sum()
        assert len(test) == (log["event_time"] < origin + pd.Timedelta("60D")).sum() and set(train) < set(test)
    assert len(splits) == PastOrigins(3).get_n_splits() and len(splits[-1][1]) == len(log)


@pytest.mark.parametrize(
    "table", [pl.from_pandas, pa.Table.from_pandas, lambda log: log.assign(event_time=log["event_time"].astype(str))]
)
def test_other_tables_and_iso_texts_are_split_alike(log: pd.DataFrame, table) -> None:
    for (train, test), (one, other) in zip(
        PastOrigins(2, horizon_days=60).split(table(log)), PastOrigins(2, horizon_days=60).split(log), strict=True
    ):
        assert np.array_equal(train, one) and np.array_equal(test, other)


@pytest.mark.parametrize(
    ("splitter", "column", "sentence"),
    [
        (PastOrigins(90, horizon_days=30), None, "Nothing happened before the origin"),
        (PastOrigins(2, horizon_days=0), None, "use 1 to"),
        (PastOrigins(2, horizon_days=30, time="when"), None, "“when” holds no times"),
        (PastOrigins(2, horizon_days=30), "soon", "holds no times"),
        (PastOrigins(2, horizon_days=30), 3, "holds no times"),
    ],
)
def test_what_cannot_be_split_is_said(log: pd.DataFrame, splitter: PastOrigins, column: object, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        list(splitter.split(log if column is None else log.assign(event_time=column)))


def test_estimator_is_cloned_and_checked_as_others_are() -> None:
    unfitted = CLV(horizon_days=30, settings={"ensemble": 1})
    copied = clone(unfitted)
    assert copied is not unfitted and copied.get_params() == unfitted.get_params() and is_regressor(unfitted)
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(unfitted)
    with pytest.raises(NotFittedError):
        unfitted.score(None)


def test_a_search_chooses_by_what_came_true(log: pd.DataFrame) -> None:
    grid = {"model": ["naive", "bgnbd"]}
    splits = PastOrigins(1, horizon_days=60)
    search = GridSearchCV(CLV(horizon_days=60), grid, cv=splits, refit=False).fit(log, duplicates="keep")
    ((train, test),) = splits.split(log)
    by_hand = CLV(horizon_days=60, model="bgnbd").fit(log.iloc[train], duplicates="keep").score(log.iloc[test])
    assert search.cv_results_["mean_test_score"][1] == pytest.approx(by_hand)
    assert search.best_params_["model"] == grid["model"][int(np.argmax(search.cv_results_["mean_test_score"]))]


@pytest.mark.slow
def test_errors_are_minimised_where_a_metric_is_named(log: pd.DataFrame) -> None:
    def by_error(clv: CLV, X: pd.DataFrame, y: object = None) -> float:  # noqa: N803
        return -clv.score(X, metric="mae")

    found = cross_validate(
        *(CLV(horizon_days=60, model="naive"), log),
        cv=PastOrigins(2, horizon_days=60),
        scoring=by_error,
        return_estimator=True,
        params={"duplicates": "keep"},
    )
    assert (found["test_score"] < 0).all()
    for one in found["estimator"]:
        check_is_fitted(one)
