"""``CLV`` in Python: the same figures whatever kind of table, scikit-learn's manners, errors in sentences."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clv_core import CLV, NotFittedError
from clv_core.errors import ClvError, NeedsAnswer, UsageError


@pytest.fixture(scope="module")
def purchases() -> pd.DataFrame:
    """Return two years of purchases of 400 customers."""
    random = np.random.default_rng(3)
    rate = random.gamma(1.0, 4.0, 400)
    customer = np.repeat(np.arange(400), 1 + random.poisson(rate))
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 730, len(customer)), unit="D")
    value = random.gamma(4.0, 10.0, len(customer)).round(2)
    return pd.DataFrame({"customer_id": [f"c{one}" for one in customer], "event_time": day, "amount": value})


@pytest.fixture(scope="module")
def clv(purchases: pd.DataFrame) -> CLV:
    return CLV(horizon_days=91, model="bgnbd").fit(purchases, currency="EUR")


def of_polars(purchases: pd.DataFrame, _: Path) -> Any:
    return pytest.importorskip("polars").from_pandas(purchases)


def filtered(purchases: pd.DataFrame, _: Path) -> Any:
    return pd.concat([purchases, purchases[:5]])[: len(purchases)]  # an index that is no range


def of_arrow(purchases: pd.DataFrame, _: Path) -> Any:
    return pa.Table.from_pandas(purchases)


def of_a_file(purchases: pd.DataFrame, folder: Path) -> Any:
    purchases.to_csv(folder / "log.csv", index=False)
    return folder / "log.csv"


@pytest.mark.parametrize(
    "kind", [of_polars, *(pytest.param(one, marks=pytest.mark.slow) for one in (filtered, of_arrow, of_a_file))]
)
def test_kinds_of_tables_give_the_same_predictions(
    clv: CLV, purchases: pd.DataFrame, tmp_path: Path, kind: Callable[[pd.DataFrame, Path], Any]
) -> None:
    predicted = CLV(horizon_days=91, model="bgnbd").fit(kind(purchases, tmp_path), currency="EUR").predict()
    expected = clv.predict().drop(columns="model")
    pd.testing.assert_frame_equal(predicted.drop(columns="model"), expected, rtol=1e-12)


def test_columns_are_named_where_their_names_say_nothing(clv: CLV, purchases: pd.DataFrame) -> None:
    odd = purchases.set_axis(["a", "b", "c"], axis=1)
    names = {"customer_id": "a", "event_time": "b", "amount": "c"}
    predicted = CLV(horizon_days=91, model="bgnbd").fit(odd, columns=names).predict()
    assert np.allclose(predicted["predicted_clv"], clv.predict()["predicted_clv"])
    with pytest.raises(NeedsAnswer, match="a, b, c"):
        CLV().fit(odd)


def test_verdict_figures_and_reasons_are_at_hand(clv: CLV, purchases: pd.DataFrame) -> None:
    scores = clv.predict()
    assert set(scores["customer_id"]) == set(purchases["customer_id"]) and clv.currency_ == "EUR"
    assert clv.trust_.verdict in ("trusted", "caution", "not_trusted") and clv.trust_.reasons
    figures = clv.evaluate()
    assert figures.loc["gini", "bgnbd"] == clv.metrics_["gini"] and "naive" in figures
    best = scores.sort_values("predicted_clv").iloc[-1]
    way = clv.explain(best["customer_id"])
    assert way["end"].iloc[-1] == pytest.approx(best["predicted_clv"], rel=1e-4)
    assert clv.explain(sample=20)["share"].sum() == pytest.approx(1)
    assert clv.segments("quadrant")["segment"].nunique() > 1
    assert clv.trust_.verdict in clv._repr_html_()


def test_charts_are_those_of_the_pages_in_colours_of_their_own(clv: CLV, tmp_path: Path) -> None:
    predicted, actual = clv.plot_deciles().data[:2]
    assert np.sum(predicted.y) / np.sum(actual.y) - 1 == pytest.approx(clv.metrics_["bias"])
    assert predicted.marker.color == "#1F6FB2" and clv.plot_deciles().layout.title.text.startswith("Top decile")
    best = clv.predict().sort_values("predicted_clv").iloc[-1]
    way = clv.plot_explanation(best["customer_id"]).data[0]
    assert way.x[-1] == pytest.approx(best["predicted_clv"], rel=1e-4)
    for figure in (clv.plot_gains(), clv.plot_calibration(), clv.plot_scatter(), clv.plot_explanation(sample=20)):
        assert figure.data and "#0000" not in figure.to_json()
    with pytest.raises(ClvError, match="bgnbd has no training steps"):
        clv.plot_training()
    with pytest.raises(ClvError, match="Draw before saving"):
        CLV.load(clv.save(tmp_path / "model.zip")).plot_deciles()


def test_saved_model_predicts_the_same(clv: CLV, purchases: pd.DataFrame, tmp_path: Path) -> None:
    file = clv.save(tmp_path / "model.zip")
    loaded = CLV.load(file, purchases)
    assert np.allclose(loaded.predict()["predicted_clv"], clv.predict()["predicted_clv"], rtol=1e-12)
    assert loaded.get_params() == {**CLV().get_params(), "horizon_days": 91, "model": "bgnbd"}


def test_arguments_and_errors_are_those_of_scikit_learn(clv: CLV) -> None:
    unfitted = CLV(horizon_days=30).set_params(model="naive", settings={"ensemble": 1})
    assert repr(unfitted) == "CLV(horizon_days=30, model='naive', settings={'ensemble': 1})"
    with pytest.raises(ValueError, match="call fit"):
        unfitted.predict()
    with pytest.raises(NotFittedError):
        _ = unfitted.trust_
    with pytest.raises(UsageError, match="horizon"):
        unfitted.set_params(horizon=3)
    with pytest.raises(UsageError, match="not int"):
        unfitted.fit(3)
    with pytest.raises(ClvError):
        clv.explain("nobody")
