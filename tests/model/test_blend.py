"""How much each member of the default model counts."""

from __future__ import annotations

import numpy as np
import pytest

from clv_core.model.blend import PRIOR, weights_of

N = 20_000
EVERYBODY = np.ones(N, np.bool_)


def told(error: dict[str, float], seed: int = 0) -> dict[str, float]:
    """Return the weights on a log where 10% buy, and each member's log of the true mean has so much of an error."""
    rng = np.random.default_rng(seed)
    mean = rng.lognormal(1, 1, N)
    target = np.where(rng.random(N) < 0.1, mean / 0.1 * rng.gamma(4, 0.25, N), 0.0)
    members = {name: mean * rng.lognormal(0, error[name], N) for name in PRIOR}
    return weights_of(target, members, EVERYBODY, mean)


def test_where_a_simple_model_wins_by_far_it_answers() -> None:
    found = told({"hybrid": 1.2, "instant_tuned": 1.2, "lightgbm": 1.2, "bgnbd": 0.1})
    assert found["bgnbd"] > 0.6 and sum(found.values()) == pytest.approx(1)


def test_a_member_that_is_not_asked_leaves_its_weight_to_the_others() -> None:
    found = told({"hybrid": 0.1, "instant_tuned": 0.1, "lightgbm": 0.1, "bgnbd": 3.0})
    assert found["bgnbd"] == 0 and sum(found.values()) == pytest.approx(1, abs=1e-9)


def test_equal_members_count_as_before() -> None:
    found = told(dict.fromkeys(PRIOR, 0.2))
    assert all(abs(found[name] - prior) < 0.12 for name, prior in PRIOR.items())


def test_few_buyers_move_little() -> None:
    error = {"hybrid": 0.2, "instant_tuned": 0.5, "lightgbm": 0.5, "bgnbd": 0.5}
    rng = np.random.default_rng(1)
    mean = rng.lognormal(1, 1, 300)
    target = np.where(rng.random(300) < 0.1, 10 * mean, 0.0)
    members = {name: mean * rng.lognormal(0, error[name], 300) for name in PRIOR}
    few = weights_of(target, members, np.ones(300, np.bool_), mean)
    assert told(error)["hybrid"] > few["hybrid"] and abs(few["hybrid"] - PRIOR["hybrid"]) < 0.2
