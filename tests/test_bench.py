"""The rules of the accuracy benchmark: what it calls a win, a tie and a loss, on figures that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_pinball_loss, mean_tweedie_deviance

from clv_core.evaluation.metrics import METRICS
from tests.bench.cells import CELLS
from tests.bench.judging import INTERVALS, TABLE, Figures


def figures(ours: float, theirs: float, spread: float, metric: str = "gini") -> Figures:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=4000) * spread
    draws = {("hybrid", metric): ours + noise, ("bgnbd", metric): np.full(4000, theirs)}
    values = {("hybrid", metric): ours, ("bgnbd", metric): theirs}
    return Figures(values, values, draws, {"hybrid": 1, "bgnbd": 1})


@pytest.mark.parametrize(
    ("ours", "theirs", "spread", "metric", "expected"),
    [
        (0.80, 0.70, 0.01, "gini", "win"),
        (0.72, 0.70, 0.05, "gini", "tie"),  # better, and unsure
        (0.705, 0.70, 0.0001, "gini", "tie"),  # surely better, within 1%
        (0.695, 0.70, 0.0001, "gini", "tie"),  # surely worse, within 1%
        (0.685, 0.70, 0.0001, "gini", "loss"),  # 2% worse, sure
        (0.60, 0.70, 0.5, "gini", "tie"),  # 14% worse, and unsure
        (20.0, 25.0, 0.5, "mae", "win"),
        (25.0, 20.0, 0.5, "mae", "loss"),
        (0.015, 0.01, 0.0001, "bias", "tie"),  # half a point further from 0
        (0.06, 0.01, 0.0001, "bias", "loss"),
    ],
)
def test_verdicts_follow_the_rule(ours: float, theirs: float, spread: float, metric: str, expected: str) -> None:
    assert figures(ours, theirs, spread, metric).verdict("hybrid", "bgnbd", metric)[0] == expected


def test_seeds_are_averaged_and_a_bias_loses_its_sign_before() -> None:
    rng = np.random.default_rng(0)
    actual = np.where(rng.random(500) < 0.4, rng.gamma(2, 20, 500), 0.0)
    mean = actual.mean()
    frames = [
        pd.DataFrame(
            {
                "customer_id": [f"c{i}" for i in range(500)], "origin": "1998-01-01", "model": model, "actual": actual,
                "p_purchase": 0.4, "predicted_clv": level * mean, "clv_p10": 0.0, "clv_p50": 0.0, "clv_p90": 3 * mean,
            }
        )
        for model, level in (("hybrid", 0.9), ("hybrid#2", 1.3), ("bgnbd", 0.8))
    ]  # fmt: skip
    found = Figures.of(pd.concat(frames), resamples=200)
    assert found.values["hybrid", "bias"] == pytest.approx(0.1) and found.seeds == {"hybrid": 2, "bgnbd": 1}
    assert found.size("hybrid", "bias") == pytest.approx((0.1 + 0.3) / 2)  # not 0.1, as if one error undid the other
    assert found.size("bgnbd", "bias") == pytest.approx(0.2)


def test_quantiles_of_the_true_distribution_hold_exactly_what_they_promise() -> None:
    rng = np.random.default_rng(1)
    scale, p = rng.gamma(2, 20, 50_000), 0.7
    actual = np.where(rng.random(50_000) < p, scale * -np.log(rng.random(50_000)), 0.0)

    def quantile(q: float) -> np.ndarray:
        return np.where(q <= 1 - p, 0.0, -scale * np.log1p(-max(0.0, (q - 1 + p) / p)))

    frame = pd.DataFrame({"actual": actual, "p_purchase": p, "predicted_clv": p * scale})
    frame = frame.assign(clv_p10=quantile(0.1), clv_p50=quantile(0.5), clv_p90=quantile(0.9))
    found = {name: METRICS[name].value(frame["actual"], frame) for name in INTERVALS}
    assert [found[name] for name in ("pit10", "pit50", "pit90")] == pytest.approx([0.1, 0.5, 0.9], abs=0.01)
    assert found["coverage80_top"] == pytest.approx(0.9, abs=0.01)  # zeros lie inside


def test_deviance_and_crps_are_those_of_scikit_learn_and_of_the_quantile_losses() -> None:
    rng = np.random.default_rng(2)
    mean = rng.gamma(2, 10, 400)
    actual = np.where(rng.random(400) < 0.5, rng.gamma(2, mean / 2), 0.0)
    frame = pd.DataFrame({"actual": actual, "p_purchase": 0.5, "predicted_clv": mean})
    frame = frame.assign(clv_p10=0.0, clv_p50=mean / 4, clv_p90=3 * mean)
    found = {name: TABLE[name].value(frame["actual"], frame) for name in ("deviance", "crps")}
    unit = actual.mean()
    assert found["deviance"] == pytest.approx(mean_tweedie_deviance(actual / unit, mean / unit, power=1.5))
    losses = [mean_pinball_loss(actual, frame[f"clv_p{100 * q:.0f}"], alpha=q) for q in (0.1, 0.5, 0.9)]
    assert found["crps"] == pytest.approx(2 * np.mean(losses))


def test_who_says_nothing_of_most_customers_does_not_rank_them_better_than_the_truth() -> None:
    rng = np.random.default_rng(3)
    chance = np.where(np.arange(4000) < 100, 0.7, 0.01) * (0.5 + rng.random(4000) / 2)
    actual = np.where(rng.random(4000) < chance, 30.0, 0.0)
    same = dict.fromkeys(("clv_p10", "clv_p50", "clv_p90"), 0.0) | {"actual": actual, "p_purchase": chance}
    truth = pd.DataFrame(same | {"predicted_clv": 30 * chance})
    zeros = pd.DataFrame(same | {"predicted_clv": np.where(chance > 0.3, 30 * chance, 0.0)})
    of_truth, of_zeros = (METRICS["spearman"].value(actual, frame) for frame in (truth, zeros))
    plain = [spearmanr(frame["predicted_clv"], actual)[0] for frame in (truth, zeros)]
    assert of_truth == pytest.approx(plain[0]) and plain[1] > 2 * plain[0]
    assert of_truth > of_zeros


def test_origins_are_those_fixed_in_advance() -> None:
    real = {(cell.dataset, cell.cutoff.isoformat(), cell.horizon_days) for cell in CELLS[:5]}
    assert real == {
        ("cdnow", "1997-10-01", 182), ("cdnow", "1997-12-31", 182), ("cdnow-sample", "1997-10-01", 273),
        ("completejourney", "2017-07-03", 91), ("completejourney", "2017-10-02", 91),
    }  # fmt: skip
    seen = ["cdnow", "completejourney"]
    assert [cell.dataset for cell in CELLS if not cell.counted] == [*seen, "regime", "noise", "btyd-2", "btyd-3"]
    assert [cell.cutoff.isoformat() for cell in CELLS if cell.seen] == ["1997-10-01", "2017-07-03"]
