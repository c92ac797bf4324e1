"""Customers seen at one instant: a value that most of them share may move a little, and nothing has changed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment.bundle import Bundle
from clv_core.features.log import open_log
from clv_core.monitoring.drift import feature_histograms
from clv_core.monitoring.drift.distances import psi
from clv_core.monitoring.drift.feature_histograms import (
    MARK,
    SHARED,
    choose_bins,
    features_with_predictions,
    make_histograms,
)
from clv_core.workspace import Workspace


def seen(usual: float) -> pd.DataFrame:
    """3,000 customers, six in ten of whom have the value that a fit gives those of whom it knows little."""
    random = np.random.default_rng(3)
    values = np.where(random.random(3000) < 0.6, usual, usual * random.lognormal(0, 0.5, 3000))
    frame = pd.DataFrame({name: values for name in SHARED})
    frame.loc[frame.index[:300], [name for name in SHARED if name not in ("predicted_clv", "p_purchase")]] = np.nan
    return frame


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_value_that_moves_a_little_is_no_drift_and_a_doubled_one_is(name: str) -> None:
    bins = choose_bins(seen(30.0))
    before, later, doubled = (
        np.array(make_histograms(seen(usual), bins, date(2024, 1, 1)).counts[name], float)
        for usual in (30.0, 30.4, 60.0)
    )
    assert abs(before.sum() - 3000) <= len(before), "every customer is counted, but for rounding"
    assert psi(later, before) < 0.01 < MARK < psi(doubled, before)


def test_a_sample_of_many(small_workspace: Workspace, small_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(open_dataset(small_workspace, "shop"))
    about = log, small_bundle.model, small_bundle.record.train_config, log.end
    whole = features_with_predictions(*about)
    monkeypatch.setattr(feature_histograms, "SAMPLE_CUSTOMERS", 160)
    monkeypatch.setattr(feature_histograms, "SAMPLE_AT_ONCE", 16)
    some = features_with_predictions(*about)
    assert len(some) <= 160 < len(whole) and set(some.index) < set(whole.index)
    pd.testing.assert_frame_equal(features_with_predictions(*about, everybody=True), whole)
    bins = choose_bins(whole)
    counts = [make_histograms(one, bins, log.end).counts for one in (some, whole)]
    for name in ("days_since_any", "tenure", "predicted_clv"):
        assert psi(*(np.array(one[name], float) for one in counts)) < MARK
