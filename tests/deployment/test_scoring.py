"""Scores in parts: the bits of one piece, whatever file they go to."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment import dataset_scoring
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_scores import Scored, score, score_file
from clv_core.deployment.terms import Terms
from clv_core.features.log import open_log
from clv_core.features.season import scoring_snapshot
from clv_core.jobs import NoProgress
from clv_core.model import calibrated
from clv_core.model.horizon import Horizon
from clv_core.model.predictions import Predictions
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny

CUSTOMERS_AT_ONCE = 128
FIGURES = ("p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrated, "ROWS_AT_ONCE", 64)
    monkeypatch.setattr(dataset_scoring, "CUSTOMERS_AT_ONCE", CUSTOMERS_AT_ONCE)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("earlier_days", [0, 100])
def test_a_file_of_parts_holds_the_bits_of_one_piece(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, earlier_days: int
) -> None:
    dataset = open_dataset(small_workspace, "shop")
    cutoff: date = dataset.log_end - timedelta(days=earlier_days)
    customers, total = score_file(
        Scored.open(small_workspace, "shop", small_bundle.id, cutoff),
        tmp_path / "s.parquet",
        progress=NoProgress(),
    )
    found = pd.read_parquet(tmp_path / "s.parquet")
    snapshot = scoring_snapshot(open_log(dataset, before=cutoff), cutoff, 90, max_steps=40)
    whole = small_bundle.model.predict(snapshot)
    for name in FIGURES:
        np.testing.assert_array_equal(found[name], getattr(whole, name))
    assert found["customer_id"].tolist() == snapshot.features.index.tolist()
    assert customers == len(found) and total == pytest.approx(found["predicted_clv"].sum())
    assert pq.ParquetFile(tmp_path / "s.parquet").num_row_groups == -(-len(found) // CUSTOMERS_AT_ONCE) > 4


@pytest.mark.usefixtures("small_parts")
def test_the_page_s_scores_and_a_spreadsheet_s_are_the_same_numbers(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    words = (small_workspace, "shop", small_bundle.id)
    score_file(Scored.open(*words), tmp_path / "s.csv", progress=NoProgress())
    kept = Scored.open(*words).scores_path
    frame = score(Scored.open(*words), progress=NoProgress())
    pd.testing.assert_frame_equal(pd.read_parquet(kept), frame, check_exact=True)
    pd.testing.assert_frame_equal(Scored.open(*words).scores(NoProgress()), frame, check_exact=True)
    read = pd.read_csv(tmp_path / "s.csv", dtype={"customer_id": str})
    pd.testing.assert_frame_equal(read, frame, rtol=1e-12)


@pytest.mark.usefixtures("small_parts")
def test_rates_and_horizon_are_each_customer_s_own(small_workspace: Workspace, small_bundle: Bundle) -> None:
    dataset = open_dataset(small_workspace, "shop")
    frame = dataset_scoring.score_customers(small_bundle, dataset, terms=Terms(180, 0.1, 0.4), progress=NoProgress())
    snapshot = scoring_snapshot(open_log(dataset), dataset.log_end, 90, max_steps=40)
    discounted, plain = (small_bundle.model.predict(snapshot, days) for days in (Horizon(180, 0.1), 180))
    np.testing.assert_array_equal(frame["predicted_clv"], 0.4 * discounted.predicted_clv)
    np.testing.assert_array_equal(frame["p_purchase"], plain.p_purchase)
    assert (discounted.predicted_clv <= plain.predicted_clv).all()


def test_a_margin_is_taken_of_the_value_and_of_its_range_and_not_of_the_chance(tmp_path: Path) -> None:
    bundle, day = tiny.save(Workspace(tmp_path), 1), date(2026, 1, 1)
    said = [[0.5, 10.0, 0.0, 4.0, 30.0], [1.0, 80.0, 20.0, 60.0, 200.0]]
    predictions = Predictions(*np.transpose(said))
    frame = dataset_scoring.score_frame(predictions, pd.Index(["a", "b"]), bundle, day, Terms(90, margin_rate=0.25))
    expected = [[0.5, 2.5, 0.0, 1.0, 7.5], [1.0, 20.0, 5.0, 15.0, 50.0]]
    np.testing.assert_allclose(frame[list(FIGURES)], expected)


@pytest.mark.usefixtures("small_parts")
def test_a_run_that_fails_leaves_no_file(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(dataset_scoring, "score_frame", fail)
    with pytest.raises(OSError, match="no space"):
        score_file(Scored.open(small_workspace, "shop", small_bundle.id), tmp_path / "s.csv", progress=NoProgress())
    assert list(tmp_path.iterdir()) == []


def test_items_made_ahead_come_in_their_order_and_errors_with_them() -> None:
    assert list(dataset_scoring.prefetch(iter(range(5)))) == [0, 1, 2, 3, 4]

    def broken() -> object:
        yield 1
        raise ValueError("second")

    found = dataset_scoring.prefetch(broken())
    assert next(found) == 1
    with pytest.raises(ValueError, match="second"):
        next(found)
