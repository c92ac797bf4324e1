"""The model that ships with the sample: whole, of this sample, and saying what it says when it is asked anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.dataset_scoring import score
from clv_core.deployment.demo import NAME, SETTINGS, SHIPPED, add_demo
from clv_core.deployment.registry.database import transaction
from clv_core.deployment.registry.registry_rows import versions
from clv_core.deployment.saved_scores import scores_path
from clv_core.deployment.score_explanations import explanation_folder
from clv_core.errors import NotFound, Refused
from clv_core.evaluation.explain.store import load_explanation
from clv_core.jobs import NoProgress
from clv_core.training.cost import DEFAULT
from clv_core.workspace import Workspace, read_json, write_json

Demo = tuple[Workspace, Dataset, Bundle]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    return (workspace, *add_demo(workspace, progress=NoProgress()))


def test_the_shipped_model_is_of_the_shipped_sample_and_of_the_default_kind(demo: Demo) -> None:
    _, dataset, bundle = demo
    assert bundle.record["dataset"] == {"name": NAME, "version": dataset.version}
    assert bundle.record["cutoff"] == dataset.log_end.isoformat()
    assert bundle.record["model"] == SETTINGS.model == DEFAULT
    assert bundle.record["config"] == SETTINGS.to_json()
    assert bundle.record["holdout"]["buyers"] >= 100


def test_it_speaks_for_the_sample_without_anybody_opening_the_app(demo: Demo) -> None:
    """A service that was started before looks for a champion in the registry's rows, and opens no folder."""
    workspace, _, bundle = demo
    with transaction(workspace) as rows:
        (version,) = versions(rows, NAME)
    assert (version.bundle, version.role, version.source) == (bundle.id, "champion", "imported")


def test_it_passes_its_checksums_and_its_scores_are_what_it_says_when_asked_anew(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    kept = pd.read_parquet(scores_path(bundle, dataset)).set_index("customer_id").sort_index()
    anew = score(bundle, dataset, progress=NoProgress()).set_index("customer_id").sort_index()
    assert kept.index.tolist() == anew.index.tolist() and len(kept) == dataset.manifest.customers
    for column in ("p_purchase", "predicted_clv", "clv_p10", "clv_p90"):
        np.testing.assert_allclose(kept[column], anew[column], rtol=1e-3, atol=1e-4)


def test_its_reasons_add_up_to_its_scores(demo: Demo) -> None:
    workspace, dataset, bundle = demo
    found = load_explanation(explanation_folder(bundle, dataset))
    assert found is not None
    explanation, about = found
    assert explanation.residual < 1e-4 and about["model"] == bundle.id
    kept = pipeline.scores(workspace, NAME, bundle.id, progress=NoProgress()).set_index("customer_id")["predicted_clv"]
    np.testing.assert_allclose(kept[list(explanation.customer_ids)], explanation.predicted, rtol=1e-3, atol=1e-4)


def test_it_is_small_and_says_how_it_was_made() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".parquet"}
    record = read_json(SHIPPED / "record.json")
    assert record["made_by"].startswith("python -m clv_core demo --make") and record["settings"] == SETTINGS.to_json()


def test_another_sample_or_none_is_refused_in_words(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    write_json(other / "record.json", {**read_json(SHIPPED / "record.json"), "version": "0" * 12})
    workspace = Workspace(tmp_path / "workspace")
    with pytest.raises(Refused) as caught:
        add_demo(workspace, folder=other, progress=NoProgress())
    assert caught.value.code == "demo_other_sample" and caught.value.message("zh")
    assert list(workspace.models.iterdir()) == []
    with pytest.raises(NotFound):
        add_demo(workspace, folder=tmp_path / "nowhere", progress=NoProgress())
