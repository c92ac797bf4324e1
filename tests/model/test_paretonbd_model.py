"""The Pareto/NBD baseline on customers drawn from its own model."""

from __future__ import annotations

import numpy as np
import pytest

from clv_core.features.btyd import ParetoNbd
from clv_core.model.paretonbd import ParetoNbdModel
from tests.model.test_baselines import DAY, HORIZON, _snapshot


def test_is_count_times_spend_of_a_fit_on_all_buyers_before_the_cutoff() -> None:
    train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    buyers = snapshot.features[snapshot.features["T"].notna()]
    rfm = [buyers[name] for name in ("frequency", "recency", "T")]
    counts = ParetoNbd.fit(*rfm)
    found = ParetoNbdModel().fit(train).predict(snapshot)
    bought = snapshot.features["T"].notna().to_numpy()
    np.testing.assert_allclose(
        found.predicted_clv[bought], counts.expected_purchases(HORIZON, *rfm) * buyers["anchor_spend"], rtol=1e-9
    )
    np.testing.assert_allclose(found.p_purchase[bought], counts.p_purchase(HORIZON, *rfm), rtol=1e-9)


def test_never_buyers_get_what_never_buyers_were_worth() -> None:
    train, snapshot = _snapshot(), _snapshot(seed=1, target=False)
    found = ParetoNbdModel().fit(train).predict(snapshot)
    past = np.maximum(train.target[train.features["T"].isna()], 0)
    np.testing.assert_allclose(found.predicted_clv[snapshot.features["T"].isna()], past.mean())


def test_settled_on_all_customers_it_says_the_same_of_each_alone() -> None:
    model, snapshot = ParetoNbdModel().fit(_snapshot()), _snapshot(seed=1, target=False)
    whole = model.predict(snapshot).predicted_clv
    settled = model.settled(snapshot)
    alone = [settled.predict(snapshot.take(np.array([row]))).predicted_clv[0] for row in range(20)]
    np.testing.assert_allclose(alone, whole[:20], rtol=1e-9)
    assert model.counts_ == {} and set(settled.counts_) == {DAY}


def test_does_not_fit_without_targets() -> None:
    with pytest.raises(ValueError, match="horizon has passed"):
        ParetoNbdModel().fit(_snapshot(target=False))
