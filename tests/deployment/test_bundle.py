"""Bundles: what is saved comes back, and what was changed is refused."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from clv_core.collection.store.version_store import open_dataset
from clv_core.deployment import dataset_scoring
from clv_core.deployment.bundle import WEIGHTS, open_bundle, write_record
from clv_core.deployment.model_archive.import_export import export_bundle, import_bundle
from clv_core.deployment.registry import Registry
from clv_core.deployment.terms import Terms
from clv_core.errors import NotFound, Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

SCORE_COLUMNS = [
    "customer_id", "as_of", "horizon_days", "p_purchase", "predicted_clv", "clv_p10", "clv_p50", "clv_p90", "model",
]  # fmt: skip


def scored(workspace, bundle, horizon_days=90, **rates):
    terms = Terms(horizon_days, **rates)
    return dataset_scoring.score_customers(bundle, open_dataset(workspace, "shop"), terms=terms, progress=NoProgress())


def test_a_reopened_bundle_gives_the_same_scores_to_the_bit(small_workspace, small_bundle):
    again = open_bundle(small_workspace, small_bundle.id)
    one, other = scored(small_workspace, small_bundle), scored(small_workspace, again)
    assert list(one.columns) == SCORE_COLUMNS
    assert one.equals(other)


def test_scores_are_finite_ordered_and_bounded_by_three_times_the_largest_value_seen(small_workspace, small_bundle):
    frame = scored(small_workspace, small_bundle)
    money = frame[["predicted_clv", "clv_p10", "clv_p50", "clv_p90"]].to_numpy()
    assert np.isfinite(money).all() and (money >= 0).all()
    assert (np.diff(money[:, 1:], axis=1) >= 0).all()
    assert frame["p_purchase"].between(0, 1).all()
    assert money.max() <= 3 * small_bundle.model.largest
    assert frame["customer_id"].is_monotonic_increasing and frame["customer_id"].is_unique


def test_value_grows_with_the_horizon_for_every_customer(small_workspace, small_bundle):
    values = [
        scored(small_workspace, small_bundle, horizon_days=h)["predicted_clv"].to_numpy() for h in (1, 30, 90, 365)
    ]
    for shorter, longer in zip(values, values[1:], strict=False):
        assert (longer >= shorter - 1e-9).all()


def test_discount_and_margin_scale_the_value(small_workspace, small_bundle):
    plain = scored(small_workspace, small_bundle)["predicted_clv"]
    margin = scored(small_workspace, small_bundle, margin_rate=0.25)["predicted_clv"]
    discounted = scored(small_workspace, small_bundle, discount_rate=0.2)["predicted_clv"]
    np.testing.assert_allclose(margin, plain * 0.25)
    ratio = (discounted / plain)[plain > 0]
    assert ratio.between(1.2 ** (-90 / 365.25), 1).all()
    with pytest.raises(UsageError):
        scored(small_workspace, small_bundle, margin_rate=0)


@pytest.mark.parametrize("file", ["weights.safetensors", "state.json"])
def test_a_changed_byte_is_found_before_use(tmp_path, small_workspace, small_bundle, file):
    workspace = Workspace(tmp_path)
    shutil.copytree(small_bundle.folder, workspace.models / small_bundle.id)
    path = workspace.models / small_bundle.id / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Refused) as error:
        _ = open_bundle(workspace, small_bundle.id).model
    assert error.value.code == "bundle_damaged"


def test_sound_weights_of_a_network_that_was_built_otherwise_are_refused_with_what_to_do(
    tmp_path, small_workspace, small_bundle
):
    workspace = Workspace(tmp_path)
    folder = workspace.models / small_bundle.id
    shutil.copytree(small_bundle.folder, folder)
    tensors = load((folder / WEIGHTS).read_bytes())
    widest = max(tensors, key=lambda name: tensors[name].ndim)
    content = save({**tensors, widest: tensors[widest][:-1].copy()})
    (folder / WEIGHTS).write_bytes(content)
    sums = {**small_bundle.record.checksums, WEIGHTS: hashlib.sha256(content).hexdigest()}
    write_record(folder, replace(small_bundle.record, checksums=sums))
    with pytest.raises(Refused) as error:
        _ = open_bundle(workspace, small_bundle.id).model
    assert error.value.code == "bundle_of_other_version" and "Retrain" in error.value.message("en")


def test_the_record_is_plain_json_and_names_what_the_model_was_made_from(small_workspace, small_bundle):
    record = json.loads((small_bundle.folder / "bundle.json").read_text())
    manifest = open_dataset(small_workspace, "shop").manifest
    assert record["dataset"] == {"name": "shop", "version": manifest.version}
    assert record["cutoff"] == manifest.log_end
    assert {path.suffix for path in small_bundle.folder.iterdir()} <= {".json", ".safetensors", ".parquet"}


def test_an_unknown_model_is_named_with_the_known_ones(small_workspace, small_bundle):
    with pytest.raises(NotFound) as error:
        open_bundle(small_workspace, "nothing")
    assert small_bundle.id in error.value.message("en")
    with pytest.raises(NotFound):
        open_bundle(small_workspace, "../datasets")


def test_a_trained_network_travels_to_another_workspace(tmp_path, small_workspace, small_bundle):
    version = Registry(small_workspace).register(small_bundle)
    export_bundle(small_workspace, version, tmp_path / "hybrid.zip", holdout=True)
    other = Workspace(tmp_path / "other")
    assert import_bundle(other, tmp_path / "hybrid.zip").digest == version.digest
    ours, theirs = small_bundle.model.state(), Registry(other).serving("shop").bundle.model.state()
    assert ours[1] == theirs[1] and all(np.array_equal(value, theirs[0][name]) for name, value in ours[0].items())
    assert Registry(other).serving("shop").bundle.holdout().equals(small_bundle.holdout())
