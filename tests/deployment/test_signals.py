"""Models that learned from customer attributes and review texts: bundles, scores, explanations, and what gets lost."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv_core import pipeline
from clv_core.collection.store.manifest import Attribute
from clv_core.collection.store.version_store import Dataset, derive, open_dataset
from clv_core.deployment.bundle import Bundle, open_bundle
from clv_core.deployment.bundle_record import write_record
from clv_core.deployment.model_record import ModelRecord
from clv_core.deployment.saved_scores import Scored, score
from clv_core.features.labels import group_label, label, meaning
from clv_core.i18n import LANGUAGES
from clv_core.jobs import NoProgress
from clv_core.strategy.explanation_files import explain
from clv_core.workspace import Workspace, read_json
from tests.commands.conftest import done
from tests.conftest import SMALL, own_copy
from tests.manifests import customers_table

pytestmark = pytest.mark.slow

ATTRIBUTES = [Attribute("luck", "number"), Attribute("club", "text")]


def with_table(dataset: Dataset, frame: pd.DataFrame, attributes: list[Attribute], path: Path) -> Dataset:
    """Make a version of the dataset with this customers table the current one."""
    frame.to_parquet(path, index=False)
    version = hashlib.sha256(json.dumps([*map(str, attributes), frame.to_csv()]).encode()).hexdigest()[:12]
    manifest = dataclasses.replace(dataset.manifest, customers_table=customers_table(*attributes), version=version)
    return derive(dataset, manifest, customers=path)


@pytest.fixture(scope="module")
def workspace(small_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The shop with a customers table: ``luck`` says how much a customer spends in all, ``club`` is chance."""
    folder = tmp_path_factory.mktemp("signals")
    workspace = own_copy(small_workspace, folder / "workspace")
    dataset = open_dataset(workspace, "shop")
    events = pd.read_parquet(dataset.events_path)
    spent = events.groupby("customer_id")["amount"].sum()
    random = np.random.default_rng(3)
    club = pd.Series(random.choice(["red", "蓝"], len(spent)), index=spent.index, dtype=object)
    frame = pd.DataFrame({"luck": np.log1p(spent.clip(lower=0)), "club": club}).sample(frac=0.9, random_state=1)
    with_table(dataset, frame.reset_index(), ATTRIBUTES, folder / "customers.parquet")
    return workspace


STEPS = {"hybrid": 200, "lightgbm": None, "ziln_mlp": 300}


@pytest.fixture(scope="module", params=list(STEPS))
def bundle(request: pytest.FixtureRequest, workspace: Workspace) -> Bundle:
    config = dataclasses.replace(SMALL, model=request.param, ensemble=1, cutoffs=1, steps=STEPS[request.param])
    return pipeline.train(workspace, "shop", config, progress=NoProgress())


def test_models_learn_from_a_telling_attribute(bundle: Bundle, workspace: Workspace) -> None:
    config = bundle.record.train_config
    without = dataclasses.replace(config, attributes=False)
    blind = pipeline.train(workspace, "shop", without, progress=NoProgress())
    assert bundle.record.metrics["gini"] > blind.record.metrics["gini"] + 0.005
    assert [one.name for one in bundle.record.signals.attributes] == ["luck", "club"]
    assert blind.record.signals.attributes == ()
    assert len(bundle.record.signals.review_themes) == 8


def test_customers_without_a_chosen_feature_are_scored_and_counted(workspace: Workspace) -> None:
    wanted = {"model": "lightgbm", "cutoffs": 2, "impute": "delete", "delete_features": "attribute:luck"}
    config = dataclasses.replace(SMALL, **wanted)
    bundle = pipeline.train(workspace, "shop", config, progress=NoProgress())
    [deleted] = [one.params for one in bundle.record.warnings if one.code == "warning.windows_deleted"]
    assert 0 < deleted["deleted"] < deleted["windows"] and deleted["names"] == "attribute:luck"
    found = score(Scored.open(workspace, "shop", bundle.id), progress=NoProgress())
    dataset = open_dataset(workspace, "shop")
    known = pd.read_parquet(dataset.customers_path).dropna(subset="luck")["customer_id"]
    without = len(found) - found["customer_id"].isin(known).sum()
    assert len(found) == dataset.manifest.customers and without > 0
    [warning] = Scored.open(workspace, "shop", bundle.id).warnings()
    assert warning.code == "warning.gaps_filled" and warning.params["customers"] == without


def test_a_reopened_bundle_scores_to_the_bit(bundle: Bundle, workspace: Workspace) -> None:
    first, again = (
        score(Scored.open(workspace, "shop", one.id), progress=NoProgress())
        for one in (bundle, open_bundle(workspace, bundle.id))
    )
    assert first.equals(again)


def test_explanations_add_up_and_show_the_attribute(bundle: Bundle, workspace: Workspace, tmp_path: Path) -> None:
    words = {"sample": 25, "permutations": 1, "progress": NoProgress()}
    found = explain(Scored.open(workspace, "shop", bundle.id), tmp_path, **words).value
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), found.predicted, rtol=1e-4, atol=1e-3)
    strength = found.importance().set_index("part")["mean_abs"]
    assert strength["attributes"] > 0 and strength["ratings"] > 0
    assert dict(zip(found.parts, found.representatives, strict=True))["attributes"] == "attribute:luck"


@pytest.mark.parametrize("change", ["gone", "no table", "another kind"])
def test_attributes_that_are_lost_count_as_unknown_with_a_warning(
    change: str, bundle: Bundle, workspace: Workspace, tmp_path: Path
) -> None:
    other = Workspace(tmp_path / "workspace")
    for name in ("datasets", "models"):
        shutil.copytree(workspace.root / name, other.root / name)
    dataset = open_dataset(other, "shop")
    frame = pd.read_parquet(dataset.customers_path)
    if change == "no table":
        manifest = dataclasses.replace(dataset.manifest, customers_table=None, version="0" * 12)
        derive(dataset, manifest)
    elif change == "gone":
        with_table(dataset, frame[["customer_id", "club"]], ATTRIBUTES[1:], tmp_path / "c.parquet")
    else:
        swapped = frame.assign(luck="high", club=1.0)
        kinds = [dict(one, kind=kind) for one, kind in zip(ATTRIBUTES, ("text", "number"), strict=True)]
        with_table(dataset, swapped, kinds, tmp_path / "c.parquet")
    scores = score(Scored.open(other, "shop", bundle.id), progress=NoProgress())
    before = Scored.open(workspace, "shop", bundle.id).scores(NoProgress())
    assert len(scores) == len(before) and not scores["predicted_clv"].equals(before["predicted_clv"])
    (warning,) = Scored.open(other, "shop", bundle.id).warnings()
    assert "luck" in warning.text("en") and "luck" in warning.text("zh")
    assert ("club" in warning.text("en")) == (change != "gone")
    assert Scored.open(workspace, "shop", bundle.id).warnings() == []


def test_a_bundle_from_before_there_were_signals_still_scores(workspace: Workspace, tmp_path: Path) -> None:
    """Its settings do not name them and its encoder does not read them, whatever the dataset has by now."""
    plain = dataclasses.replace(SMALL, model="ziln_mlp", steps=20, attributes=False, review_text=False)
    made = pipeline.train(workspace, "shop", plain, progress=NoProgress())
    expected = score(Scored.open(workspace, "shop", made.id), progress=NoProgress())
    record = read_json(made.folder / "bundle.json")
    del record["signals"], record["config"]["attributes"], record["config"]["review_text"]
    write_record(made.folder, ModelRecord.from_json(record))
    old = open_bundle(workspace, made.id)
    assert old.record.train_config.attributes
    assert score(Scored.open(workspace, "shop", old.id), progress=NoProgress()).equals(expected)
    answer = done(workspace, "score", "shop", "--model", old.id, "--out", tmp_path / "scores.csv")
    assert answer["warnings"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_signals_have_names_and_meanings(language: str) -> None:
    assert label("attribute:年龄", language) == "年龄" and "年龄" in meaning("attribute:年龄", language)
    assert "3" in label("review_text:3", language) and "3" in meaning("review_text:3", language)
    assert len({label("review_text", language), group_label("attributes", language)}) == 2
    with pytest.raises(KeyError):
        label("nothing", language)
