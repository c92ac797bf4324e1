"""The command ``explain``, end to end on the small shop: what it divides is what ``score`` writes."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.cli import main
from clv_core.collection.stored.store import open_dataset
from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.kept_explanations import explanation_folder, kept_explanation
from clv_core.evaluation.explain.answers import ANSWERS
from clv_core.evaluation.explain.store import load_explanation
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace


def run(capsys: pytest.CaptureFixture[str], workspace: Workspace, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--workspace", str(workspace.root)])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def scores(workspace: Workspace, model_id: str) -> pd.Series:
    return pipeline.scores(workspace, "shop", model_id, progress=NoProgress()).set_index("customer_id")["predicted_clv"]


def test_parts_add_up_to_the_score_of_every_explained_customer(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("explain", "shop", "--model", small_bundle.id, "--sample", "40", "--out", str(tmp_path / "why"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0 and said["customers"] == 40
    found, about = load_explanation(tmp_path / "why")  # type: ignore[misc]
    scored = scores(small_workspace, small_bundle.id).loc[list(found.customer_ids)].to_numpy()
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), scored, rtol=1e-4)
    assert about["currency"] == "EUR" and about["model"] == small_bundle.id
    strongest = [entry["mean_abs"] for entry in said["importance"]]
    assert strongest == sorted(strongest, reverse=True) and strongest[0] > 0
    assert set(said["answers"]) == set(said["faithfulness"]) == set(said["stability"]) == set(ANSWERS)
    assert said["faithfulness"]["predicted_clv"]["passed"] is True
    assert 0 <= said["stability"]["predicted_clv"]["same"] <= 5
    both = pipeline.scores(small_workspace, "shop", small_bundle.id, progress=NoProgress()).set_index("customer_id")
    chance, _ = load_explanation(tmp_path / "why", "p_purchase")  # type: ignore[misc]
    amount, _ = load_explanation(tmp_path / "why", "value_if_bought")  # type: ignore[misc]
    known = both["p_purchase"].loc[list(chance.customer_ids)].to_numpy()
    np.testing.assert_allclose(chance.base + chance.values.sum(axis=1), known, rtol=1e-4)
    np.testing.assert_allclose(known * (amount.base + amount.values.sum(axis=1)), scored, rtol=1e-4)


def test_one_customer_is_explained_as_in_the_sample(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = pipeline.explain(
        small_workspace, "shop", small_bundle.id, tmp_path / "some", sample=5, progress=NoProgress()
    ).value
    who = sample.customer_ids[3]
    words = ("explain", "shop", "--model", small_bundle.id, "--customer", who, "--out", str(tmp_path / "one"))
    code, said = run(capsys, small_workspace, *words)
    assert code == 0 and said["customer_id"] == who
    steps = sample.waterfall(who)
    assert [step["part"] for step in said["steps"]] == steps["part"].tolist()
    np.testing.assert_allclose([step["value"] for step in said["steps"]], steps["value"], rtol=1e-3, atol=1e-3)
    assert said["predicted_clv"] == pytest.approx(scores(small_workspace, small_bundle.id)[who], rel=1e-6)
    events = said["events"]
    total = events["start"] + sum(event["effect"] for event in events["events"])
    assert total == pytest.approx(said["predicted_clv"], rel=1e-3) and events["residual"] < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("model", ["naive", "bgnbd", "paretonbd"])
def test_baselines_are_explained_too(small_workspace: Workspace, tmp_path: Path, model: str) -> None:
    config = TrainConfig(horizon_days=90, model=model, cutoffs=4)
    bundle = pipeline.train(small_workspace, "shop", config, progress=NoProgress())
    explained = pipeline.explain(small_workspace, "shop", bundle.id, tmp_path / "why", sample=20, progress=NoProgress())
    found = explained.value
    scored = scores(small_workspace, bundle.id).loc[list(found.customer_ids)].to_numpy()
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), scored, rtol=1e-4, atol=1e-9)
    unread = [found.parts.index(part) for part in ("actions", "ratings", "categories", "returns")]
    assert np.abs(found.values[:, unread]).max() < 1e-9 * np.abs(found.values).max(), "they know purchases only"


@pytest.mark.parametrize(
    ("words", "expected", "error"),
    [
        (("--customer", "nobody"), 4, "customer_unknown"),
        (("--sample", "0"), 2, "setting_bounds"),
        (("--cutoff", "1990-01-01"), 4, "log_empty_before"),
    ],
)
def test_what_cannot_be_explained_is_said_and_leaves_nothing(
    small_workspace: Workspace,
    small_bundle: Bundle,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    expected: int,
    error: str,
) -> None:
    out = tmp_path / "why"
    code, said = run(capsys, small_workspace, "explain", "shop", "--model", small_bundle.id, "--out", str(out), *words)
    assert (code, said["error"]["code"]) == (expected, error)
    assert not out.exists()


def test_what_was_written_elsewhere_is_also_kept_for_cards_and_reports_unless_it_is_of_fewer_customers(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    dataset = open_dataset(small_workspace, "shop")
    folder = explanation_folder(small_workspace, small_bundle, dataset)
    shutil.rmtree(folder, ignore_errors=True)

    def explained(sample: int, cutoff: date | None = None) -> None:
        how = {"sample": sample, "permutations": 1, "cutoff": cutoff}
        pipeline.explain(small_workspace, "shop", small_bundle.id, tmp_path / "why", progress=NoProgress(), **how)  # type: ignore[arg-type]

    explained(4, dataset.log_end - timedelta(days=30))
    assert load_explanation(folder) is None
    for sample, kept in ((6, 6), (3, 6)):
        explained(sample)
        found = load_explanation(folder)
        assert found is not None and len(found[0].customer_ids) == kept
    customer = found[0].customer_ids[0]
    assert kept_explanation(small_workspace, small_bundle, dataset, customer, dataset.log_end) is not None
