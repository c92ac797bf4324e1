"""Two versions beside each other, and the card of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from clv_core.config import TrainConfig
from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.model_card import model_card
from clv_core.deployment.registry.version import Comparison, compare
from clv_core.evaluation.metrics import evaluate
from clv_core.i18n import LANGUAGES, translate
from clv_core.workspace import Workspace
from tests.deployment.registry import tiny

CUSTOMERS = 600


def held(error: float, *, customers: int = CUSTOMERS, origin: str = "2025-10-02") -> pd.DataFrame:
    """Return predictions that miss what came true by ``error`` on average."""
    random = np.random.default_rng(3)
    actual = random.gamma(1.0, 50.0, customers) * (random.random(customers) < 0.5)
    mean = np.maximum(actual + error * random.standard_normal(customers), 0.0)
    numbers = {"horizon_days": tiny.HORIZON, "p_purchase": 0.5, "predicted_clv": mean, "clv_p10": mean / 2}
    numbers |= {"clv_p50": mean, "clv_p90": mean * 2, "actual": actual}
    text = {"as_of": origin, "model": "naive", "origin": origin}
    return pd.DataFrame({"customer_id": [f"c{number:04}" for number in range(customers)], **numbers, **text})


def pair(workspace: Workspace, one: pd.DataFrame, other: pd.DataFrame, **changed: Any) -> Comparison:
    registry = Registry(workspace)
    found = []
    for seed, frame, differing in ((1, one, {}), (2, other, changed)):
        metrics = evaluate(frame["actual"].to_numpy(), frame)
        found.append(registry.register(tiny.save(workspace, seed, held=frame, metrics=metrics, **differing)))
    return compare(found[0], found[1], (registry.open(found[0]), registry.open(found[1])))


@pytest.fixture
def workspace(tmp_path: Any) -> Workspace:
    return Workspace(tmp_path)


def test_the_better_one_is_named_and_by_how_much(workspace: Workspace) -> None:
    one, other = held(5.0), held(60.0)
    found = pair(workspace, one, other)
    misses = [float(np.abs(frame["predicted_clv"] - frame["actual"]).mean()) for frame in (one, other)]
    assert found.advantage["mae"].value == pytest.approx(misses[1] - misses[0])
    assert [found.better(name) for name in ("mae", "gini")] == [found.one, found.one]
    assert dict((name, (a, b)) for name, a, b in found.metrics)["mae"] == pytest.approx(tuple(misses))
    assert found.to_json()["advantage"]["gini"]["low"] > 0


def test_where_luck_would_do_nobody_is_better(workspace: Workspace) -> None:
    """Both miss by as much, each by chance elsewhere: a paired test of scipy's tells no difference either."""
    one, luck = held(30.0), np.random.default_rng(4).standard_normal(CUSTOMERS)
    other = one.assign(predicted_clv=np.maximum(one["actual"] + 30.0 * luck, 0.0), p_purchase=0.4)
    misses = [(frame["predicted_clv"] - frame["actual"]).abs() for frame in (one, other)]
    assert stats.ttest_rel(*misses).pvalue > 0.1
    found = pair(workspace, one, other)
    assert set(found.advantage) == {"gini", "bias", "mae"} and all(each.value for each in found.advantage.values())
    assert [found.better(name) for name in found.advantage] == [None] * 3


def test_other_customers_or_another_span_are_not_held_against_each_other(workspace: Workspace) -> None:
    assert pair(workspace, held(5.0), held(60.0, customers=500)).advantage == {}


def test_other_settings_and_data_are_named(workspace: Workspace) -> None:
    config = TrainConfig(horizon_days=tiny.HORIZON, model="naive", seed=7).to_json()
    found = pair(
        workspace, held(5.0), held(9.0, origin="2025-11-02"), config=config, cutoff="2026-01-31",
        dataset={"name": "shop", "version": "ba9876543210"},
    )  # fmt: skip
    assert found.settings == (("seed", 1, 7),)
    assert found.facts == (("data", "0123456789ab", "ba9876543210"), ("cutoff", "2025-12-31", "2026-01-31"))
    assert found.advantage == {} and found.better("mae") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_what_the_version_is_in_each_language(workspace: Workspace, language: str) -> None:
    frame = held(5.0)
    metrics = evaluate(frame["actual"].to_numpy(), frame)
    measured = {"cutoff": "2025-10-02", "customers": CUSTOMERS, "buyers": 300}
    said = {"metrics": metrics, "baselines": {"bgnbd": metrics}, "currency": "[x](http://e)"}
    bundle = tiny.save(workspace, 1, "a *b* `c`", held=frame, holdout=measured, **said)
    card = model_card(Registry(workspace).register(bundle), language)
    assert "+00:00" not in card and "(UTC)" in card
    for key in ("use", "data", "quality", "trust", "memory", "settings", "cost", "files"):
        assert f"## {translate(f'modelcard.{key}', language)}" in card
    assert bundle.record.digest in card and bundle.record.checksums["weights.safetensors"] in card
    assert f"{metrics['gini']:.3g}" in card and "a \\*b\\* \\`c\\`" in card
    assert "\\[x\\]\\(http://e\\)" in card and translate("model.bgnbd", language) in card
    assert "reason." not in card and "{" not in card


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_says_whether_the_model_tells_who_was_in_its_training(workspace: Workspace, language: str) -> None:
    memory = {"auc": 0.734, "low": 0.7, "high": 0.761, "tpr_at_1pct": 0.123, "members": 1234, "nonmembers": 150}
    for seed, low, outcome in ((1, 0.7, "clear"), (2, 0.43, "none")):
        bundle = tiny.save(workspace, seed, memory={**memory, "low": low})
        card = model_card(Registry(workspace).register(bundle), language)
        assert translate(f"memory.{outcome}", language) in card and translate("memory.measured", language) in card
        for figure in ("0.73", f"{low:.2f}", "0.76", "1,234", "150", "12.3%"):
            assert figure in card
    few = model_card(Registry(workspace).register(tiny.save(workspace, 3, memory={**memory, "tpr_at_1pct": None})))
    assert translate("memory.tpr", share="") not in few and "12.3%" not in few and "0.73" in few
    untried = model_card(Registry(workspace).register(tiny.save(workspace, 4)), language)
    assert translate("memory.untried", language, fewest=300) in untried
