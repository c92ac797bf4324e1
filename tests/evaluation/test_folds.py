"""Customers that the model has never seen: who is in which fold, who trains on whom, and what is said of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.errors import NotEnoughData
from clv_core.evaluation.folds import PLAIN, UNSEEN, compare, cross_validate, fold_of
from clv_core.evaluation.metrics import evaluate
from clv_core.features.log import EventLog, open_log
from clv_core.features.snapshot import Snapshot
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.model.predictions import Predictions
from clv_core.training.fit import MODELS, FitTask, Fitted, ModelEntry
from clv_core.workspace import Workspace

CONFIG = TrainConfig(horizon_days=60, model="lightgbm", cutoffs=2, seed=7)
ORIGIN = date(2024, 4, 25)


@pytest.fixture(scope="module")
def log(small_workspace: Workspace) -> EventLog:
    return open_log(open_dataset(small_workspace, "shop"))


class Memory:
    """A model that knows the customers it was trained on, and nothing else."""

    def __init__(self, train: Snapshot) -> None:
        self.seen = set(train.features.index)

    def predict(self, snapshot: Snapshot, horizon_days: int | None = None) -> Predictions:
        known = snapshot.features.index.isin(self.seen).astype(float)
        return Predictions(known, known, 0 * known, known, known)


def test_a_fold_depends_on_id_and_seed_alone() -> None:
    ids = np.array([f"c{number}" for number in range(5000)], dtype=object)
    fold = fold_of(ids, 5, seed=3)
    np.testing.assert_array_equal(fold_of(ids[::-1], 5, seed=3)[::-1], fold)
    np.testing.assert_array_equal(fold_of(pd.Index(ids[:10]), 5, seed=3), fold[:10])
    assert np.bincount(fold, minlength=5) == pytest.approx(1000, abs=130)  # 4.5 standard deviations
    assert (fold_of(ids, 5, seed=4) == fold).mean() == pytest.approx(0.2, abs=0.03)


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where each training keeps its state; what it fits is a ``Memory``."""
    used: list[Path] = []

    def remember(task: FitTask) -> Fitted:
        used.append(task.folder)
        return Fitted(Memory(task.train), [])

    monkeypatch.setitem(MODELS, "lightgbm", ModelEntry(remember, None))  # type: ignore[arg-type]
    return used


def test_nobody_is_predicted_by_a_model_that_has_seen_them(log: EventLog, tmp_path: Path, folders: list[Path]) -> None:
    found = cross_validate(log, ORIGIN, CONFIG, 4, tmp_path, NoProgress())
    snapshot = log.snapshot(ORIGIN, 60)
    assert found["customer_id"].to_list() == snapshot.features.index.to_list()
    np.testing.assert_array_equal(found["actual"], snapshot.target)
    assert set(found["fold"]) == {1, 2, 3, 4} and (found["predicted_clv"] == 0).all()
    assert Memory(snapshot).predict(snapshot).predicted_clv.all()  # who was seen is seen


def test_what_a_killed_run_left_is_not_taken_by_other_folds_or_another_origin(
    log: EventLog, tmp_path: Path, folders: list[Path]
) -> None:
    for origin, number in ((ORIGIN, 2), (ORIGIN, 3), (date(2024, 3, 1), 2)):
        cross_validate(log, origin, CONFIG, number, tmp_path, NoProgress())
    assert len(set(folders)) == 7
    cross_validate(log, ORIGIN, CONFIG, 2, tmp_path, NoProgress())
    assert folders[-2:] == folders[:2]  # the same run does go on


def test_an_origin_without_its_horizon_is_refused(log: EventLog, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughData):
        cross_validate(log, date(2024, 6, 1), CONFIG, 2, tmp_path, NoProgress())


def _views(predictions: pd.DataFrame, noise: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    plain = predictions[predictions["model"] == "hybrid"]
    rng = np.random.default_rng(2)
    fold = fold_of(plain["customer_id"].to_numpy(object), 4, 1) + 1
    unseen = plain.assign(predicted_clv=plain["predicted_clv"] * np.exp(noise * rng.normal(size=len(plain))), fold=fold)
    return plain, unseen


def test_figures_of_folds_and_of_all_are_those_of_their_rows(predictions: pd.DataFrame) -> None:
    plain, unseen = _views(predictions, 0.5)
    table, leaning = compare(unseen, plain)
    rows = table.set_index(["view", "fold", "metric"])
    ids = unseen.loc[unseen["fold"] == 2, "customer_id"]
    for view, frame in ((PLAIN, plain), (UNSEEN, unseen)):
        part = frame[frame["customer_id"].isin(ids)]
        assert rows.loc[(view, 2, "gini"), "value"] == pytest.approx(evaluate(part["actual"], part)["gini"])
        assert rows.loc[(view, 0, "mae"), "value"] == pytest.approx(evaluate(frame["actual"], frame)["mae"])
        assert rows.loc[(view, 0, "gini"), "low"] < rows.loc[(view, 0, "gini"), "value"]
        assert np.isnan(rows.loc[(view, 2, "gini"), "low"]) and rows.loc[(view, 2, "gini"), "customers"] == len(ids)
    gap = rows.loc[(PLAIN, 0, "gini"), "value"] - rows.loc[(UNSEEN, 0, "gini"), "value"]
    assert leaning.advantage["gini"].value == pytest.approx(gap)


@pytest.mark.parametrize(("noise", "outcome"), [(1.2, "leans"), (0.02, "holds"), (0.0, "holds")])
def test_a_model_leans_where_it_ranks_the_unseen_clearly_worse(
    predictions: pd.DataFrame, noise: float, outcome: str
) -> None:
    plain, unseen = _views(predictions, noise)
    _, leaning = compare(unseen, plain)
    assert leaning.outcome == outcome and leaning.message is not None
    for language in LANGUAGES:
        assert f"{leaning.message.params['unseen']:.3f}" in leaning.message.text(language)


def test_of_few_customers_it_is_not_said_that_the_unseen_are_ranked_as_well(predictions: pd.DataFrame) -> None:
    few = predictions.groupby("model").head(120)
    plain, unseen = _views(few, 0.6)
    _, leaning = compare(unseen, plain)
    gini = leaning.advantage["gini"]
    assert gini.low <= 0 and gini.high > 0.05, "a loss that a reader would care for is not ruled out"
    assert leaning.outcome == "unsure" and leaning.message is not None
    assert "Too few buyers" in leaning.message.text("en")


def test_where_nobody_bought_nothing_is_said_of_ranking(predictions: pd.DataFrame) -> None:
    plain, unseen = (frame.assign(actual=0.0) for frame in _views(predictions, 0.5))
    table, leaning = compare(unseen, plain)
    assert leaning.message is None and "gini" not in set(table["metric"]) and "mae" in set(table["metric"])
