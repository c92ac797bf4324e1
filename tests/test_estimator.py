"""``CLV`` in Python: figures, what was read and what is doubted, copies, and errors in sentences."""

import ast
import copy
import inspect
import json
import logging
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

import clv_core
from clv_core import CLV, ClvError, ClvWarning, NeedsAnswer, NotFittedError
from clv_core.cli import main
from clv_core.collection import Said
from clv_core.errors import Message, Refused, UsageError
from clv_core.estimator.keywords import Reading
from clv_core.estimator.python_words import python_words
from clv_core.i18n import catalogue
from tests.training.own_models import RecentRate

pytestmark = pytest.mark.filterwarnings("ignore::clv_core.ClvWarning")


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
    with warnings.catch_warnings(action="ignore", category=ClvWarning):
        return CLV(horizon_days=91, model="bgnbd").fit(purchases, currency="EUR")


@pytest.fixture(scope="module")
def reader(clv: CLV) -> CLV:
    """Return a model that reads one log after another."""
    return copy.deepcopy(clv)


def warned(call: Callable[[], Any]) -> list[str]:
    """Return the codes of what a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ClvWarning)
        call()
    return [str(one.message.code) for one in caught if isinstance(one.message, ClvWarning)]


def of_polars(purchases: pd.DataFrame, _: Path) -> Any:
    return pl.from_pandas(purchases)


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


def aware(log: pd.DataFrame) -> pd.DataFrame:
    return log.assign(event_time=log["event_time"].dt.tz_localize("Asia/Tokyo"))


def with_texts(log: pd.DataFrame) -> pd.DataFrame:
    mixed = log.astype({"amount": object})
    mixed.iloc[0, 2], mixed.iloc[1, 2] = "n/a", 12
    return mixed


ODD_TABLES: dict[str, tuple[Callable[[pd.DataFrame], Any], int | str]] = {
    "amounts of which one is a text": (with_texts, 399),  # the only purchase of the first customer
    "ids that are categories": (lambda log: log.astype({"customer_id": "category"}), 400),
    "ids that are floats": (lambda log: log.assign(customer_id=log["customer_id"].str[1:].astype(float)), 400),
    "times in a zone": (aware, 400),
    "times that are periods": (lambda log: log.assign(event_time=log["event_time"].dt.to_period("D")), 400),
    "times that are dates of Python": (lambda log: log.assign(event_time=log["event_time"].dt.date), 400),
    "times in seconds since 1970": (
        lambda log: log.assign(event_time=log["event_time"].astype("datetime64[s]").astype("int64")),
        400,
    ),
    "times like 31.12.2024": (lambda log: log.assign(event_time=log["event_time"].dt.strftime("%d.%m.%Y")), 400),
    "times of both orders": (
        lambda log: log[log["event_time"].dt.day <= 12].assign(
            event_time=lambda few: few["event_time"].dt.strftime("%d/%m/%Y")
        ),
        'date_order="dmy" or "mdy"',
    ),
    "amounts with a comma": (lambda log: log.assign(amount=log["amount"].astype(str).str.replace(".", ",")), 400),
    "nullable integers": (lambda log: log.assign(amount=log["amount"].round().astype("Int64")), 400),
    "types of Arrow": (lambda log: log.convert_dtypes(dtype_backend="pyarrow"), 400),
    "complex amounts": (lambda log: log.assign(amount=log["amount"].astype(complex)), "no readable purchase amount"),
    "a column of truths": (lambda log: log.assign(vip=True), 400),
    "a column of lengths": (lambda log: log.assign(wait=pd.Timedelta("1h")), 400),
    "a column of lists": (lambda log: log.assign(tags=[["a"]] * len(log)), "“tags” holds list"),
    "a column of objects": (lambda log: log.assign(tags=[{"a": 1}] * len(log)), "“tags” holds struct"),
    "objects of polars": (
        lambda _: pl.DataFrame({"customer_id": ["a"], "event_time": ["2024-01-01"], "amount": [object()]}),
        "not single values",
    ),
    "an index with a name": (lambda log: log.set_index("customer_id"), 400),
    "names of two levels": (
        lambda log: log.set_axis(pd.MultiIndex.from_tuples([(name, "") for name in log]), axis=1),
        400,
    ),
    "a name twice": (lambda log: pd.concat([log, log["amount"]], axis=1), "there twice: amount"),
    "names that say nothing": (
        lambda log: log.set_axis([0, 1, 2], axis=1),
        'columns={"customer_id": "0", "event_time": "1", "amount": "2"}',
    ),
    "no row": (lambda log: log[:0], "the table has no rows"),
    "no column": (lambda _: pd.DataFrame(), "DataFrame without columns"),
    "one customer": (lambda log: log[:1], "predictions need many"),
    "a part of it in DuckDB": (lambda log: __import__("duckdb").from_df(log[log["customer_id"] < "c2"]), 111),
    "a record batch": (lambda log: pa.Table.from_pandas(log).to_batches()[0], 400),
    "a series": (lambda log: log["amount"], "not Series"),
    "an array": (lambda log: log.to_numpy(), "not ndarray"),
    "rows in a list": (lambda log: log.to_dict("records"), "not list"),
    "a lazy frame": (lambda log: pl.from_pandas(log).lazy(), "not LazyFrame"),
    "a number": (lambda _: 3, "not int"),
    "nothing": (lambda _: None, "not NoneType"),
    "no file": (lambda _: "/nowhere/log.csv", "File not found"),
}


@pytest.mark.parametrize("table", list(ODD_TABLES))
@pytest.mark.examples(20)
def test_odd_tables_are_read_or_refused_in_a_sentence(reader: CLV, purchases: pd.DataFrame, table: str) -> None:
    make, expected = ODD_TABLES[table]
    if isinstance(expected, int):
        assert reader.read_events(make(purchases)).load_.customers == expected
        return
    with pytest.raises(ClvError, match=re.escape(expected)):
        reader.read_events(make(purchases))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"horizon_days": "liftime"}, "horizon_days was “liftime”"),
        ({"horizon_days": True}, "whole number of days"),
        ({"horizon_days": 0}, "use 1 to 3650"),
        ({"model": "xgb"}, "choose from: hybrid"),
        ({"model": "bgnbd", "random_state": -1}, "random_state must be"),
        ({"random_state": "a"}, "random_state must be"),
        ({"settings": ["ensemble"]}, "dictionary of settings"),
        ({"settings": {"lr": 1}}, "No setting “lr”"),
        ({"settings": {"ensemble": "two"}}, "use type int"),
        ({"workspace": 3}, "path of a folder"),
        ({"name": 3}, "name was “3”"),
        ({"name": "a/b"}, "Invalid name"),
        ({"columns": ["amount"]}, "columns must be a dictionary"),
        ({"columns": {"amont": "amount"}}, "not a standard column"),
        ({"columns": {"amount": "total"}}, "No column “total”"),
        ({"curency": "EUR"}, "No setting “curency”"),
        ({"duplicates": "dorp"}, "choose from: keep, drop"),
        ({"timezone": "Mars/Olympus"}, "not a time zone"),
        ({"currency": 3}, "currency was “3”"),
        ({"event_types": "purchase"}, "event_types was “purchase”"),
        ({"states": {"lost": "gone"}}, "cannot mean “gone”"),
        ({"rows": {"channel": "left_out"}}, "Needed: COLUMN=VALUE"),
        ({"max_amount": "9"}, "max_amount was “9”"),
        ({"recipe": "nobody's"}, "No recipe"),
    ],
)
def test_arguments_that_cannot_be_are_refused_in_a_sentence(
    purchases: pd.DataFrame, arguments: dict[str, Any], sentence: str
) -> None:
    own = {name: value for name, value in arguments.items() if name in CLV().get_params()}
    reading = {name: value for name, value in arguments.items() if name not in own}
    with pytest.raises(ClvError, match=re.escape(sentence)):
        CLV(**own).fit(purchases, **reading)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"horizon_days": "liftime"}, "lifetime:8"),
        ({"horizon_days": 1.5}, "no forecast period"),
        ({"discount_rate": "a"}, "discount a"),
        ({"margin_rate": float("nan")}, "margin nan"),
        ({"as_of": "tomorrow"}, "no day"),
        ({"as_of": "2030-01-01"}, "after the data ends"),
        ({"events": 3}, "not int"),
    ],
)
def test_predictions_that_cannot_be_are_refused_in_a_sentence(
    clv: CLV, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ClvError, match=sentence):
        clv.predict(**arguments)
    with pytest.raises(ClvError, match="use 1 to 5000"):
        clv.explain(sample="all")  # type: ignore[arg-type]


def test_columns_are_named_where_their_names_say_nothing(clv: CLV, purchases: pd.DataFrame) -> None:
    odd = purchases.set_axis(["a", "b", "c"], axis=1)
    names = {"customer_id": "a", "event_time": "b", "amount": "c"}
    predicted = CLV(horizon_days=91, model="bgnbd").fit(odd, columns=names).predict()
    assert np.allclose(predicted["predicted_clv"], clv.predict()["predicted_clv"])
    with pytest.raises(NeedsAnswer, match="a, b, c"):
        CLV().fit(odd)


def test_every_row_and_column_of_a_log_is_accounted_for(reader: CLV, purchases: pd.DataFrame) -> None:
    log = purchases.assign(customer_id=purchases["customer_id"].where(np.arange(len(purchases)) % 2 == 1), site="eu")
    with pytest.warns(ClvWarning, match="no customer_id") as caught:
        load = reader.read_events(log).load_
    assert caught[0].filename == __file__ and caught[0].message.params["rows"] == log["customer_id"].isna().sum()
    named = log.dropna()
    assert (load.rows_read, load.rows_kept, load.rows_rejected, load.rows_duplicate) == (
        *(len(log), len(named), len(log) - len(named)),
        0,
    )
    assert load.customers == named["customer_id"].nunique()
    assert load.net_revenue == pytest.approx(named["amount"].sum())
    (rejected,) = load.rejected
    assert rejected.reason == "no_customer" and rejected.examples == ((1, ""), (3, ""), (5, ""))
    assert [(one.column, one.state) for one in load.columns] == [
        *((name, "used") for name in ("customer_id", "event_time", "amount")),
        ("site", "harmless"),
    ]
    assert "no_customer" in load.to_frame()["what"].tolist()
    shown = load._repr_html_()
    assert "No customer id" in shown and "<td>site</td>" in shown and f"{len(named):,} kept" in shown


def test_sentences_name_the_keywords_that_answer_them() -> None:
    options = (
        r"--(map|event|state|rows|keep-duplicates|no-header|header|date-order|decimal|amount-unit|discount|sign)\b"
    )
    elsewhere = ("cli.", "error.limit", "clean.", "error.rates", "budget.", "error.spend", "error.margin")
    translated = 0
    for key, text in catalogue("en").items():
        if re.search(options, text) and not key.startswith(elsewhere):
            words = python_words(text)
            assert not re.search(options, words), (key, words)
            for keyword, value in re.findall(r'\b(\w+)=(\{"[^}]*"\}|"[^"{]*"|True|False)', words):
                assert keyword in {"columns", *Reading.__annotations__}, (key, words)
                ast.literal_eval(value)
                translated += 1
    assert translated > 40
    assert set(Reading.__annotations__) - {"event_types"} == set(Said.__annotations__) - {"mapping", "events"}
    assert (
        "date_order" in inspect.signature(CLV.fit).parameters
        and "event_types" in inspect.signature(CLV.predict).parameters
    )
    assert python_words("Use --map 'amount=net total' --map order_id=. Or --similar-ids merge or separate.") == (
        'Use columns={"amount": "net total", "order_id": ""}. Or similar_ids="merge" or "separate".'
    )


def test_python_warns_of_what_the_command_line_warns_of(
    purchases: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    purchases.assign(amount=purchases["amount"].round(), extra=1).to_csv(tmp_path / "log.csv", index=False)

    def command(*words: str) -> dict[str, Any]:
        assert main([*words, "--workspace", str(tmp_path / "commands")]) == 0
        result: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return result

    def codes(result: dict[str, Any]) -> set[str]:
        return {one["code"] for one in result["warnings"]}

    log = str(tmp_path / "log.csv")
    read = command("ingest", log, "--name", "log")
    ignored = ("--set", "dropout=.2")
    trained = command("train", "log", "--horizon-days", "91", "--model", "naive", *ignored)
    out = str(tmp_path / "scores.csv")
    scored = command("score", "log", "--model", trained["model"], "--horizon-days", "365", "--out", out)
    python = CLV(horizon_days=91, model="naive", settings={"dropout": 0.2})
    distrust = {"not_trusted"} if trained["trust"]["verdict"] == "not_trusted" else set()
    assert codes(trained) == {"settings_ignored"} and codes(scored) == {"other_horizon"}
    assert set(warned(lambda: python.fit(log))) == codes(read) | codes(trained) | distrust
    assert set(warned(lambda: python.predict(horizon_days=365))) == codes(scored)
    stale = purchases.assign(event_time=purchases["event_time"] + pd.Timedelta("900D"))
    assert "service_late" in warned(lambda: python.predict(stale.assign(amount=stale["amount"].round(), extra=1)))


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


FIGURES = ["p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90"]


@pytest.mark.parametrize("model", ["bgnbd", "instant", pytest.param("paretonbd", marks=pytest.mark.slow)])
def test_events_of_some_customers_are_predicted_as_among_all(purchases: pd.DataFrame, model: str) -> None:
    clv = CLV(horizon_days=91, model=model).fit(purchases)
    whole = clv.predict().set_index("customer_id")[FIGURES]
    sent = pickle.loads(pickle.dumps(clv))
    for customers in (["c7"], [f"c{one}" for one in range(30)]):
        events = purchases[purchases["customer_id"].isin(customers)]
        for who in (clv, sent):
            some = who.predict(events).set_index("customer_id")[FIGURES]
            pd.testing.assert_frame_equal(some, whole.loc[some.index], rtol=1e-5)  # other batches of float32
            assert sorted(some.index) == sorted(customers)


def test_new_customers_are_predicted_from_their_own_events(clv: CLV, purchases: pd.DataFrame) -> None:
    new = pd.DataFrame({"customer_id": "new", "event_time": ["2024-12-01", "2024-12-20"], "amount": [30.0, 20.0]})
    (row,) = clv.predict(new).to_dict("records")
    known = clv.predict(purchases[purchases["customer_id"].isin(["c1", "c2"])])
    assert row["as_of"] == clv.cutoff_.isoformat() == known["as_of"].iloc[0] and 0 < row["p_purchase"] < 1
    both = clv.predict(pd.concat([new, purchases])).set_index("customer_id")
    assert both.loc["new", "predicted_clv"] == row["predicted_clv"]
    later = clv.predict(new, as_of="2025-06-01")
    assert later["as_of"].iloc[0] == "2025-06-01" and later["p_purchase"].iloc[0] < row["p_purchase"]
    late = pd.concat([new, new.assign(customer_id="later", event_time="2025-03-01")])
    assert clv.predict(late, as_of="2025-01-01")["customer_id"].tolist() == ["new"]
    assert "customers_not_predicted" in warned(lambda: clv.predict(late, as_of="2025-01-01"))
    assert "customers_not_predicted" not in warned(lambda: clv.predict(late))
    with pytest.raises(Refused, match="columns="):
        clv.predict(new.rename(columns={"amount": "euros", "event_time": "when"}))


def test_copies_carry_the_model_and_neither_path_nor_customer(
    clv: CLV, purchases: pd.DataFrame, tmp_path: Path
) -> None:
    some = purchases[purchases["customer_id"].isin(["c1", "c2", "c3"])]
    expected = clv.predict(some)
    sent = pickle.dumps(clv)
    assert str(clv._workspace.root).encode() not in sent and b"c399" not in sent
    joblib.dump(clv, tmp_path / "clv.joblib")
    for one in (pickle.loads(sent), joblib.load(tmp_path / "clv.joblib"), copy.deepcopy(clv)):
        assert one.get_params() == clv.get_params() and one.metrics_ == clv.metrics_
        pd.testing.assert_frame_equal(one.predict(some), expected)
        with pytest.raises(UsageError, match="came without its log"):
            one.predict()
    unfitted = pickle.loads(pickle.dumps(CLV(horizon_days=30, workspace=tmp_path)))
    assert repr(unfitted) == "CLV(horizon_days=30)"


def test_a_model_of_ones_own_is_fitted_copied_and_predicts_events(purchases: pd.DataFrame, tmp_path: Path) -> None:
    clv = CLV(horizon_days=91, model=RecentRate()).fit(purchases)
    whole = clv.predict().set_index("customer_id")["predicted_clv"]
    recent = purchases[purchases["event_time"] >= pd.Timestamp(clv.cutoff_) - pd.Timedelta("180D")]
    spent = recent.groupby("customer_id")["amount"].sum().reindex(whole.index, fill_value=0.0)
    assert np.corrcoef(whole, spent)[0, 1] == pytest.approx(1)
    some = purchases[purchases["customer_id"].isin(["c1", "c2"])]
    sent = pickle.loads(pickle.dumps(clv)).predict(some).set_index("customer_id")["predicted_clv"]
    pd.testing.assert_series_equal(sent, whole.loc[sent.index])
    assert not clv.explain(sample=20).empty and isinstance(clone(clv).model, RecentRate)
    with pytest.raises(Refused, match="export|code"):
        clv.save(tmp_path / "model.zip")


def test_a_changed_copy_is_refused_as_a_changed_archive_is(clv: CLV) -> None:
    state = clv.__getstate__()
    at = len(state["archive"]) // 2
    changed = state["archive"][:at] + bytes([state["archive"][at] ^ 1]) + state["archive"][at + 1 :]
    with pytest.raises(Refused):
        CLV().__setstate__({**state, "archive": changed})


def test_saved_model_predicts_the_same(clv: CLV, purchases: pd.DataFrame, tmp_path: Path) -> None:
    file = clv.save(tmp_path / "model.zip")
    loaded = CLV.load(file, purchases)
    assert np.allclose(loaded.predict()["predicted_clv"], clv.predict()["predicted_clv"], rtol=1e-12)
    assert loaded.get_params() == {**CLV().get_params(), "horizon_days": 91, "model": "bgnbd"}
    assert CLV.load(file).predict(purchases)["predicted_clv"].sum() == clv.predict()["predicted_clv"].sum()
    with pytest.raises(UsageError, match="No setting “modle”"):
        CLV.load(file, modle="bgnbd")


def test_two_objects_in_one_workspace_keep_their_own_logs(purchases: pd.DataFrame, tmp_path: Path) -> None:
    purchases = purchases[:900]
    half = purchases[:500]
    one = CLV(horizon_days=91, model="naive", workspace=tmp_path).fit(purchases)
    before = one.predict()
    other = CLV(horizon_days=91, model="naive", workspace=tmp_path)
    codes = warned(lambda: other.fit(half))
    assert "dataset_shared" in codes and "not_champion" in codes
    assert len(other.predict()) == half["customer_id"].nunique()
    pd.testing.assert_frame_equal(one.predict(), before)


def test_score_is_the_figure_of_the_held_out_horizon(clv: CLV, purchases: pd.DataFrame) -> None:
    origin = pd.Timestamp(clv.cutoff_) - pd.Timedelta("91D")
    earlier = CLV(horizon_days=91, model="bgnbd").fit(purchases[purchases["event_time"] < origin])
    for metric in ("gini", "mae", "bias", "auc"):
        assert earlier.score(purchases, metric=metric) == pytest.approx(clv.metrics_[metric], rel=1e-9)
    shorter = purchases[purchases["event_time"] < origin + pd.Timedelta("60D")]
    assert "score_shortened" in warned(lambda: earlier.score(shorter))
    with pytest.raises(ClvError, match="nothing has come true"):
        clv.score(purchases)
    with pytest.raises(UsageError, match="no metric “r2”"):
        clv.score(purchases, metric="r2")


def test_random_state_is_the_seed_of_training(clv: CLV, purchases: pd.DataFrame) -> None:
    drawn = CLV(horizon_days=91, model="naive", random_state=np.random.default_rng(2)).fit(purchases[:600])
    assert clv._fitted().record.config["seed"] == 1
    assert drawn._fitted().record.config["seed"] == np.random.default_rng(2).integers(2**31 - 1)
    assert CLV(random_state=np.int64(7))._seed() == 7 and CLV(seed=5)._seed() == 5


def test_arguments_and_errors_are_those_of_scikit_learn(clv: CLV) -> None:
    unfitted = CLV(horizon_days=30).set_params(model="naive", settings={"ensemble": 1})
    assert repr(unfitted) == "CLV(horizon_days=30, model='naive', settings={'ensemble': 1})"
    assert unfitted.set_params(settings__steps=9).settings == {"ensemble": 1, "steps": 9}
    with pytest.raises(ValueError, match="call fit"):
        unfitted.predict()
    with pytest.raises(NotFittedError):
        _ = unfitted.trust_
    with pytest.raises(UsageError, match="horizon"):
        unfitted.set_params(horizon=3)
    with pytest.raises(ClvError):
        clv.explain("nobody")


def test_runs_are_logged_and_shown_where_asked(
    clv: CLV,
    purchases: pd.DataFrame,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with caplog.at_level(logging.DEBUG, "clv_core"):
        clv.predict()
    assert "clv_core.estimator" in {one.name for one in caplog.records} and capsys.readouterr().err == ""
    clv.set_params(progress=True).predict()
    assert "Predicting" in capsys.readouterr().err
    clv.set_params(progress=None)
    shown: list[dict[str, str]] = []
    handle = SimpleNamespace(update=lambda data, raw: shown.append(data))

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Any:
        shown.append(data)
        return handle

    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", ipython)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    clv.predict(purchases)
    assert any("<progress" in one["text/html"] for one in shown)
    shown.clear()
    clv.set_params(progress=False).predict()
    assert not shown
    clv.set_params(progress=None)


def test_names_of_the_interface_are_completed() -> None:
    assert {"CLV", "ClvWarning", "PastOrigins", "BGNBD"} <= set(dir(clv_core)) and all(
        hasattr(clv_core, name) for name in clv_core.__all__
    )
    warning = pickle.loads(
        pickle.dumps(ClvWarning(Message("warning.no_customer", {"rows": 1, "column": "a", "first": "1"})))
    )
    assert warning.code == "no_customer" and "1 row rejected" in str(warning)
