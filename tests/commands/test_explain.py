"""The command ``explain``, end to end on the small shop: what it divides is what ``score`` writes."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from clv_core import pipeline
from clv_core.collection.store.version_store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.saved_scores import Scored
from clv_core.deployment.score_explanations import explanation_folder, find_explanation
from clv_core.evaluation.explain.explanation import ANSWERS, Explanation
from clv_core.evaluation.explain.saved_explanations import load_explanation
from clv_core.jobs import NoProgress
from clv_core.strategy.explanation_files import explain
from tests.commands.conftest import Shop
from tests.conftest import own_copy


def summed(explanation: Explanation) -> np.ndarray:
    return explanation.base + explanation.values.sum(axis=1)


def test_parts_add_up_to_the_score_of_every_explained_customer(shop: Shop, tmp_path: Path) -> None:
    answer = shop.done("explain", "--sample", 40, "--out", tmp_path / "why")
    value, about = load_explanation(tmp_path / "why")  # type: ignore[misc]
    chance, _ = load_explanation(tmp_path / "why", "p_purchase")  # type: ignore[misc]
    amount, _ = load_explanation(tmp_path / "why", "value_if_bought")  # type: ignore[misc]
    scores = shop.scores().set_index("customer_id").loc[list(value.customer_ids)]
    np.testing.assert_allclose(summed(value), scores["predicted_clv"], rtol=1e-4)
    np.testing.assert_allclose(summed(chance), scores["p_purchase"], rtol=1e-4)
    np.testing.assert_allclose(scores["p_purchase"] * summed(amount), scores["predicted_clv"], rtol=1e-4)
    assert about["currency"] == "EUR" and about["model"] == shop.model.id
    strongest = [entry["mean_abs"] for entry in answer["importance"]]
    assert answer["customers"] == 40 and strongest == sorted(strongest, reverse=True) and strongest[0] > 0
    assert set(answer["answers"]) == set(answer["faithfulness"]) == set(answer["stability"]) == set(ANSWERS)
    assert answer["faithfulness"]["predicted_clv"]["passed"] is True
    assert 0 <= answer["stability"]["predicted_clv"]["same"] <= 5


def test_one_customer_is_explained_as_in_the_sample(shop: Shop, tmp_path: Path) -> None:
    scored = Scored.open(shop.workspace, "shop", shop.model.id)
    sample = explain(scored, tmp_path / "some", sample=5, progress=NoProgress()).value
    who = sample.customer_ids[3]
    answer, steps = shop.done("explain", "--customer", who, "--out", tmp_path / "one"), sample.waterfall(who)
    assert answer["customer_id"] == who
    assert [step["part"] for step in answer["steps"]] == steps["part"].tolist()
    np.testing.assert_allclose([step["value"] for step in answer["steps"]], steps["value"], rtol=1e-3, atol=1e-3)
    score = shop.scores().set_index("customer_id")["predicted_clv"][who]
    assert answer["predicted_clv"] == pytest.approx(score, rel=1e-6)
    events = answer["events"]
    total = events["start"] + sum(event["effect"] for event in events["events"])
    assert total == pytest.approx(answer["predicted_clv"], rel=1e-3) and events["residual"] < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("model", ["naive", "bgnbd", "paretonbd"])
def test_baselines_are_explained_too(shop: Shop, tmp_path: Path, model: str) -> None:
    config = TrainConfig(horizon_days=90, model=model, cutoffs=4)
    work = own_copy(shop.workspace, tmp_path / "work")
    own = Shop(work, pipeline.train(work, "shop", config, progress=NoProgress()))
    scored = Scored.open(own.workspace, "shop", own.model.id)
    value = explain(scored, tmp_path / "why", sample=20, progress=NoProgress()).value
    scores = own.scores().set_index("customer_id")["predicted_clv"].loc[list(value.customer_ids)]
    np.testing.assert_allclose(summed(value), scores, rtol=1e-4, atol=1e-9)
    unread = [value.parts.index(part) for part in ("actions", "ratings", "categories", "returns")]
    assert np.abs(value.values[:, unread]).max() < 1e-9 * np.abs(value.values).max(), "they know purchases only"


def test_what_was_written_elsewhere_is_also_kept_for_cards_and_reports_unless_it_is_of_fewer_customers(
    shop: Shop, tmp_path: Path
) -> None:
    dataset = open_dataset(shop.workspace, "shop")
    folder = explanation_folder(Scored.of(shop.workspace, dataset, shop.model))
    shutil.rmtree(folder, ignore_errors=True)

    def explained(sample: int, cutoff: date | None = None) -> None:
        scored = Scored.of(shop.workspace, dataset, shop.model, cutoff=cutoff)
        explain(scored, tmp_path / "why", sample=sample, permutations=1, progress=NoProgress())

    explained(4, dataset.log_end - timedelta(days=30))
    assert load_explanation(folder) is None
    for sample, customers in ((6, 6), (3, 6)):
        explained(sample)
        stored = load_explanation(folder)
        assert stored is not None and len(stored[0].customer_ids) == customers
    customer = stored[0].customer_ids[0]
    assert find_explanation(Scored.of(shop.workspace, dataset, shop.model), customer) is not None
