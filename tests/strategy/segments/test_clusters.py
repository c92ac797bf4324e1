"""Clusters find groups that are there, are called by what stands out, and stay the same once they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from clv_core.collection.store.version_store import Dataset, open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles
from clv_core.deployment.dataset_scoring import snapshot_of
from clv_core.deployment.embedding import embed, embedding_path, read_embedding
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import ClvError, NotEnoughData, UsageError
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.strategy.purchase_history import purchase_history, with_history
from clv_core.strategy.segments import clusters
from clv_core.strategy.segments.clusters import (
    EMBEDDING,
    SCORES,
    Clusters,
    FittedClusters,
    fit_scheme,
    load_points,
    name_clusters,
)
from clv_core.strategy.segments.saved_segments import centres_path
from clv_core.workspace import Workspace

pytestmark = pytest.mark.first(7)


def planted() -> tuple[pd.DataFrame, np.ndarray]:
    """Three kinds of customers: rare big buyers of late, frequent small buyers of late, and those long gone."""
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 3, 1500)
    orders = np.array([2, 20, 3])[kind] + rng.integers(0, 2, 1500)
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(1500)],
            "predicted_clv": np.array([200.0, 60.0, 1.0])[kind] * rng.lognormal(0, 0.1, 1500),
            "p_purchase": np.clip(np.array([0.5, 0.9, 0.05])[kind] + rng.normal(0, 0.01, 1500), 0, 1),
            "purchase_days": orders,
            "historic_value": orders * np.array([300.0, 10.0, 30.0])[kind] * rng.lognormal(0, 0.1, 1500),
            "days_since_last": np.array([20.0, 10.0, 700.0])[kind] + rng.integers(0, 5, 1500),
        }
    )
    return frame, kind


def test_planted_groups_are_found_and_named_the_most_valuable_first() -> None:
    frame, kind = planted()
    fitted = Clusters(3).fit(frame)
    placed = fitted.place(frame)
    assert adjusted_rand_score(kind, placed.where) > 0.99
    means = [frame["predicted_clv"][placed.where == place].mean() for place in range(3)]
    assert means == sorted(means, reverse=True)
    big, frequent, gone = fitted.segments
    assert big.name() == "Very high value · Very large orders"
    assert "Buy very often" in frequent.name() and frequent.name().startswith("Medium value")
    assert gone.name() == "Very low value · Inactive longest"
    assert gone.name("zh") == "极低价值 · 最久未购买"


def test_a_group_with_a_few_buyers_is_said_to_have_mostly_never_bought() -> None:
    frame, kind = planted()
    few = (kind == 2) & (np.random.default_rng(1).random(len(kind)) < 0.85)
    frame.loc[few, ["purchase_days", "historic_value", "days_since_last"]] = [0, 0.0, np.nan]
    titles = [" · ".join(part.text("en") for part in title) for title in name_clusters(frame, kind, 3)]
    assert "Mostly never bought" in titles[2] and "never" not in titles[0] + titles[1]


def words_of_value(value: np.ndarray, chance: np.ndarray | float, where: np.ndarray) -> list[str]:
    """Return what is said of the value of three groups that differ by it alone."""
    frame = pd.DataFrame({"predicted_clv": value, "p_purchase": chance, "purchase_days": 3})
    frame = frame.assign(historic_value=30.0, days_since_last=10.0)
    return [title[0].text("en") for title in name_clusters(frame, where, 3)]


def test_no_group_is_called_more_valuable_than_one_whose_customers_are_worth_more() -> None:
    # Of the first group a third holds nearly all of its value; all of the second are worth about the same.
    few_hold_all, where = np.where(np.arange(600) % 3 == 0, 60.0, 0.5), np.repeat([0, 1, 2], [600, 300, 1500])
    value = np.concatenate([few_hold_all, np.full(300, 12.0), np.full(1500, 0.2)])
    assert few_hold_all.mean() > 12 and np.log1p(few_hold_all).mean() < np.log1p(12)
    titles = words_of_value(value, np.array([0.2, 0.5, 0.01])[where], where)
    ladder = ["Very low value", "Low value", "Medium value", "High value", "Very high value"]
    assert ladder.index(titles[0]) >= ladder.index(titles[1]) > ladder.index(titles[2])


def test_no_group_that_holds_less_of_the_value_than_of_the_customers_is_called_of_high_value() -> None:
    # Most customers are worth little, so that the second group stands out of them, and yet lies below the mean.
    where = np.repeat([0, 1, 2], [170, 260, 570])
    value = np.array([80.0, 16.0, 2.0])[where]
    assert value[where == 1].sum() / value.sum() < 0.26
    assert words_of_value(value, 0.2, where) == ["Very high value", "Medium value", "Very low value"]


@pytest.mark.parametrize("count", [2, 5, 12])
def test_no_two_clusters_are_called_the_same(customers: pd.DataFrame, count: int) -> None:
    segments = Clusters(count).fit(customers).segments
    for language in LANGUAGES:
        assert len({one.name(language) for one in segments}) == count


def test_points_that_are_given_decide_and_not_the_scores(customers: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 2, len(customers))
    points = np.stack([10.0 * kind, 0 * kind], axis=1) + rng.normal(0, 0.1, (len(customers), 2))
    fitted = Clusters(2).fit(customers, points)
    assert fitted.source == EMBEDDING
    assert adjusted_rand_score(kind, fitted.place(customers, points).where) == 1
    with pytest.raises(UsageError):
        fitted.place(customers)


def test_kept_centres_place_customers_as_before(customers: pd.DataFrame) -> None:
    fitted = Clusters(4).fit(customers)
    again = FittedClusters.from_json(fitted.to_json(), customers, None)
    assert again.source == SCORES and again.segments == fitted.segments
    assert (again.place(customers).where == fitted.place(customers).where).all()


def test_too_few_different_customers_are_refused(customers: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughData):
        Clusters(3).fit(pd.concat([customers.head(2)] * 50, ignore_index=True))
    for text in ("1", "13", "some"):
        with pytest.raises(UsageError):
            Clusters.parse(text)


def test_a_log_that_begins_with_equal_customers_has_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "SAMPLE", 400)
    frame, kind = planted()
    alike = pd.concat([frame[kind == 2].head(1)] * 500)
    fitted = Clusters(3).fit(pd.concat([alike, frame], ignore_index=True))
    assert adjusted_rand_score(kind, fitted.place(frame).where) > 0.99


def scored(workspace: Workspace, bundle: Bundle) -> tuple[Dataset, pd.DataFrame]:
    dataset = open_dataset(workspace, "shop")
    frame = Scored.open(workspace, "shop", bundle.id).scores(NoProgress())
    return dataset, with_history(frame, purchase_history(dataset, dataset.log_end), dataset.log_end)


def test_predictions_come_from_the_hidden_layer(small_workspace: Workspace, small_bundle: Bundle) -> None:
    import torch

    dataset, model = open_dataset(small_workspace, "shop"), small_bundle.model
    snapshot = snapshot_of(small_bundle, dataset, None, NoProgress())
    layers, said = model.hidden(snapshot), model.read(snapshot).said[0].params
    batch = model.inputs(snapshot).batch(torch.arange(len(snapshot)))
    with torch.no_grad():
        for number, (network, layer) in enumerate(zip(model.networks, layers, strict=True)):
            params = network.head.domain_map(network.out(torch.from_numpy(layer)), batch.base)
            for name, values in said.items():
                torch.testing.assert_close(params[name], values[number], rtol=1e-5, atol=1e-6)


def test_the_embedding_keeps_who_is_near_whom(small_workspace: Workspace, small_bundle: Bundle) -> None:
    dataset, frame = scored(small_workspace, small_bundle)
    path, count = embed(Scored.open(small_workspace, "shop", small_bundle.id), progress=NoProgress())
    assert path == embedding_path(Scored.of(small_workspace, dataset, small_bundle)) and count == len(frame)
    ids = frame["customer_id"].sample(frac=1, random_state=1)
    points = read_embedding(Scored.of(small_workspace, dataset, small_bundle), ids)
    assert points is not None and points.shape[0] == len(frame) and np.isfinite(points).all()
    layers = small_bundle.model.hidden(snapshot_of(small_bundle, dataset, None, NoProgress()))
    raw = np.concatenate([layer / np.sqrt(layer.var(axis=0).sum()) for layer in layers], axis=1)[ids.index]
    pairs = np.random.default_rng(1).integers(0, len(ids), (2, 2000))
    near, exact = (np.linalg.norm(one[pairs[0]] - one[pairs[1]], axis=1) for one in (points, raw))
    assert np.corrcoef(near, exact)[0, 1] > 0.98


def test_centres_are_kept_but_not_those_of_an_earlier_day(small_workspace: Workspace, small_bundle: Bundle) -> None:
    dataset, frame = scored(small_workspace, small_bundle)
    now = Scored.of(small_workspace, dataset, small_bundle)
    points = load_points(Clusters(3), now, frame, NoProgress())
    half, part = frame.iloc[::2].reset_index(drop=True), points[::2] if points is not None else None
    path = centres_path(dataset, small_bundle.id, 3)
    path.unlink(missing_ok=True)  # the workspace is shared
    fit_scheme(Clusters(3), replace(now, cutoff=dataset.log_end - timedelta(days=30)), half, part)
    assert not path.exists()
    fitted = fit_scheme(Clusters(3), replace(now, cutoff=dataset.log_end), frame, points)
    assert path.is_file()
    again = fit_scheme(Clusters(3), now, half, part)
    path.unlink()
    assert isinstance(fitted, FittedClusters) and isinstance(again, FittedClusters)
    assert (again.centres == fitted.centres).all()


def test_a_model_without_networks_has_no_embedding(with_bgnbd: Path) -> None:
    work = Workspace(with_bgnbd)
    with pytest.raises(ClvError) as error:
        embed(Scored.open(work, "shop", list_bundles(work)[0].id), progress=NoProgress())
    assert error.value.code == "no_embedding"
