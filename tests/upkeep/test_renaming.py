"""Another name for a dataset: models, scores and views follow, and a crash leaves the one name or the other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store import dataset_labels
from clv_core.collection.store.version_store import list_datasets, open_dataset, versions
from clv_core.deployment.bundle import Bundle, list_bundles, open_bundle, write_record
from clv_core.deployment.model_record import DatasetVersion
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotFound, Refused
from clv_core.jobs import NoProgress
from clv_core.upkeep import lifecycle
from clv_core.upkeep.lifecycle import rename
from clv_core.workspace import Workspace, read_json, write_json
from tests.conftest import own_copy
from tests.records import model_record

RUN = "0123456789abcdef"
LOG = "customer_id,event_time,amount\na,2024-01-01,1\nb,2024-01-02,2\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return two datasets of the same rows, with a model, scores and views each."""
    workspace = Workspace(tmp_path / "workspace")
    (tmp_path / "log.csv").write_text(LOG)
    for name in ("shop", "shop-2"):
        version = ingest(workspace, tmp_path / "log.csv", name).version
        model = f"{name}-hybrid"
        write_record(workspace.folder("models", model), model_record(dataset={"name": name, "version": version}))
        made = workspace.folder("datasets", name, "made", version)
        for folder in (made / model, made / "explored"):
            folder.mkdir()
            (folder / "scores-20240103.parquet").write_bytes(b"scores")
        write_json(made / "tuning-0.json", {})
        write_json(workspace.folder("runs", f"{name}-{RUN}", "refit") / "plan.json", {})
    return workspace


def state(workspace: Workspace) -> dict[str, list[str]]:
    return {
        item.name: [bundle.id for bundle in list_bundles(workspace, item.name)] for item in list_datasets(workspace)
    }


OLD = {"shop": ["shop-hybrid"], "shop-2": ["shop-2-hybrid"]}
NEW = {"store": ["shop-hybrid"], "shop-2": ["shop-2-hybrid"]}


def test_all_that_is_of_the_dataset_follows_and_nothing_of_another(workspace: Workspace) -> None:
    version = open_dataset(workspace, "shop").version
    assert rename(workspace, "shop", "store") == {"models": 1, "predictions": 1}
    assert state(workspace) == NEW
    assert open_bundle(workspace, "shop-hybrid").record.dataset == DatasetVersion("store", version)
    assert open_dataset(workspace, "store").manifest.name == "store"
    names = sorted(str(path.relative_to(workspace.root)) for path in workspace.root.rglob("*.*"))
    for name, model in (("store", "shop-hybrid"), ("shop-2", "shop-2-hybrid")):
        for path in ("tuning-0.json", f"{model}/scores-20240103.parquet", "explored/scores-20240103.parquet"):
            assert f"datasets/{name}/made/{version}/{path}" in names
    assert [name for name in names if name.startswith("runs/")] == [
        f"runs/shop-2-{RUN}/refit/plan.json",
        f"runs/store-{RUN}/refit/plan.json",
    ]
    assert [path for path in (workspace.datasets / "store").iterdir() if "renaming" in path.name] == []
    assert '"shop"' not in (open_dataset(workspace, "store").folder / "manifest.json").read_text()


def test_names_that_are_taken_or_no_names_change_nothing(workspace: Workspace) -> None:
    for new in ("shop-2", "shop", "../x", ""):
        with pytest.raises(Refused):
            rename(workspace, "shop", new)
    with pytest.raises(NotFound):
        rename(workspace, "nothing", "store")
    assert state(workspace) == OLD


class Crash(Exception):
    pass


def fail(*arguments: object) -> None:
    raise Crash


STEPS = [
    (dataset_labels, "write_json"),
    (dataset_labels.os, "rename"),
    (lifecycle, "write_json"),
    (lifecycle, "move_states"),
    (lifecycle, "_rename_in_jobs"),
    (lifecycle, "renamed"),
]


def test_a_crash_at_any_step_leaves_one_of_both_names_and_the_next_call_finishes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = []
    for number, (module, name) in enumerate(STEPS):
        copy = Workspace(tmp_path / f"copy-{number}")
        shutil.copytree(workspace.root, copy.root)
        with monkeypatch.context() as patch, pytest.raises(Crash):
            patch.setattr(module, name, fail)
            rename(copy, "shop", "store")
        found.append(state(copy))
        assert found[-1] in (OLD, NEW)
        assert rename(copy, "shop", "store")["models"] == 1
        assert state(copy) == NEW
        record = read_json(copy.models / "shop-hybrid" / "bundle.json")
        assert record["dataset"]["name"] == "store"
        assert list((copy.datasets / "store").glob("renaming.json")) == []
    assert OLD in found and NEW in found


def test_a_model_scores_as_before_under_the_new_name(
    small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path
) -> None:
    workspace = own_copy(small_workspace, tmp_path / "workspace")
    shutil.copytree(small_workspace.models, workspace.root / "models")
    before = Scored.open(workspace, "shop", small_bundle.id).scores(NoProgress())
    rename(workspace, "shop", "商店")
    after = Scored.open(workspace, "商店", small_bundle.id).scores(NoProgress())
    assert after.equals(before)
    assert open_bundle(workspace, small_bundle.id).model is not None
    assert len(versions(workspace, "商店")) == len(versions(small_workspace, "shop"))


def test_a_dataset_in_use_keeps_its_name(workspace: Workspace) -> None:
    folder = workspace.jobs / "20240101-train-abc"
    status = {"id": folder.name, "command": "train", "args": ["train", "shop"], "state": "running", "pid": 1}
    write_json(folder / "status.json", {**status, "pid": None, "started": 9e9, "updated": 0})
    with pytest.raises(Refused) as busy:
        rename(workspace, "shop", "store")
    assert busy.value.code == "dataset_busy" and state(workspace) == OLD
    rename(workspace, "shop-2", "other")
    write_json(folder / "status.json", {**status, "state": "done", "label": "shop"})
    rename(workspace, "shop", "store")
    told = json.loads((folder / "status.json").read_text())
    assert (told["args"], told["label"]) == (["train", "store"], "store")
