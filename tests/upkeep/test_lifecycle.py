"""Deleted for good: no id of a customer is left in the workspace, but where the answer says so."""

from __future__ import annotations

import json
import os
import shutil
from contextvars import Context
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append, combine
from clv_core.collection.store.version_store import list_datasets, open_dataset
from clv_core.deployment.bundle import Bundle, list_bundles, write_record
from clv_core.deployment.saved_scores import Scored
from clv_core.errors import NotFound, Refused
from clv_core.jobs import NoProgress
from clv_core.training.states import state_folder
from clv_core.upkeep import lifecycle
from clv_core.upkeep.lifecycle import delete, rename
from clv_core.workspace import Workspace, write_json
from tests.conftest import own_copy
from tests.manifests import export_record
from tests.records import model_record

pytestmark = pytest.mark.first(4)

IDS = [f"customer-{i:03}" for i in range(30)]


def log(path: Path, ids: list[str], month: int = 1) -> Path:
    lines = [f"{who},2024-{month:02}-{1 + i % 28:02},{i + 1}" for i, who in enumerate(ids)]
    path.write_text("customer_id,event_time,amount\n" + "\n".join(lines) + "\n")
    return path


def ids_in(root: Path, ids: list[str]) -> list[str]:
    """Return the files below ``root`` that hold an id, in bytes or in Parquet."""
    found = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        text = path.read_bytes().decode("utf-8", errors="replace")
        text += pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else ""
        if any(who in text for who in ids):
            found.append(str(path.relative_to(root)))
    return found


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a dataset of two versions and all that a workspace may hold of it, beside another dataset."""
    workspace = Workspace(tmp_path / "workspace")
    ingest(workspace, log(tmp_path / "a.csv", IDS), "shop")
    append(workspace, "shop", log(tmp_path / "b.csv", IDS[:9], 2))
    ingest(workspace, log(tmp_path / "c.csv", ["other-1", "other-2"]), "other")
    for name in ("shop", "other"):
        dataset = open_dataset(workspace, name)
        people = pd.DataFrame({"customer_id": IDS if name == "shop" else ["other-1"]})
        model = f"{name}-hybrid"
        folder = workspace.folder("models", model)
        people.to_parquet(folder / "holdout.parquet")
        write_record(folder, model_record(dataset={"name": name, "version": dataset.version}))
        own = ("datasets", name, "made", dataset.version)
        one = f"explanation-{IDS[0].encode().hex()}"
        kinds = ("explanation", one, "backtest", "recommendations", "pricing", "monitoring")
        places = [workspace.folder(*own, model) / "scores-20240301.parquet"]
        places += [workspace.folder(*own, model, kind) / "x.parquet" for kind in kinds]
        places += [workspace.folder(*own, "explored") / "x.parquet"]
        places += [workspace.folder("runs", f"{name}-0123456789abcdef", "refit") / "train.parquet"]
        for path in places:
            people.to_parquet(path)
        write_json(workspace.folder(*own) / "tuning-0.json", {})
        args = ["explain", name, "--model", model, "--customer", people["customer_id"][0]]
        status = {"command": "explain", "args": args, "state": "done", "pid": 1, "started": 0, "label": name}
        write_json(workspace.jobs / f"2024-explain-{name}" / "status.json", status)
    return workspace


def test_no_id_is_left_but_in_the_models_that_stay(workspace: Workspace) -> None:
    assert len(ids_in(workspace.root, IDS)) > 8
    others = ids_in(workspace.root, ["other-1"])
    made = delete(workspace, "shop", progress=NoProgress())
    once = dict.fromkeys(("predictions", "backtests", "recommendations", "pricing", "explored", "states", "jobs"), 1)
    assert once.items() | {("versions", 2), ("explanations", 2), ("models", 0)} <= made.items()
    assert made["remains"] == [{"kind": "model", "name": "shop-hybrid"}]
    assert ids_in(workspace.root, IDS) == ["models/shop-hybrid/holdout.parquet"]
    assert ids_in(workspace.root, ["other-1"]) == others
    assert [path.parents[2].name for path in workspace.root.rglob("tuning-*")] == ["other"]
    with pytest.raises(NotFound):
        delete(workspace, "shop", progress=NoProgress())


@pytest.fixture
def real(small_workspace: Workspace, small_bundle: Bundle, tmp_path: Path) -> Workspace:
    """Return a workspace with a dataset and a model that was really trained, and no other."""
    workspace = own_copy(small_workspace, tmp_path / "real")
    shutil.copytree(small_bundle.folder, workspace.models / small_bundle.id)
    return workspace


def test_a_model_that_was_never_measured_holds_nobody(real: Workspace, small_bundle: Bundle) -> None:
    (real.models / small_bundle.id / "holdout.parquet").unlink()
    assert delete(real, "shop", progress=NoProgress())["remains"] == []


def test_with_its_models_nothing_is_left(workspace: Workspace) -> None:
    version = open_dataset(workspace, "other").version
    scored = workspace.folder("datasets", "other", "made", version, "shop-hybrid") / "scores-20240301.parquet"
    pd.DataFrame({"customer_id": ["other-1"]}).to_parquet(scored)
    made = delete(workspace, "shop", models=True, progress=NoProgress())
    assert (made["models"], made["remains"]) == (1, []) and not scored.exists()
    assert ids_in(workspace.root, IDS) == []
    assert [bundle.id for bundle in list_bundles(workspace)] == ["other-hybrid"]


def test_what_went_elsewhere_is_named_and_the_export_log_keeps_its_lines(workspace: Workspace, tmp_path: Path) -> None:
    combine(workspace, ["shop", "other"], "all")
    rename(workspace, "shop", "store")
    version = open_dataset(workspace, "store").version
    files = ["list.csv", "gone.csv"]
    entry = export_record(dataset="shop", dataset_version=version, folder=str(tmp_path), files=files)
    line = json.dumps(entry.to_json()) + "\n"
    (workspace.exports / "log.jsonl").write_text(line)
    (tmp_path / "list.csv").write_text(IDS[0])
    made = delete(workspace, "store", models=True, progress=NoProgress())
    assert made["remains"] == [
        {"kind": "dataset", "name": "all"},
        {"kind": "export", "name": str(tmp_path / "list.csv")},
    ]
    assert (workspace.exports / "log.jsonl").read_text() == line
    assert {path.split("/")[1] for path in ids_in(workspace.root, IDS)} == {"all"}


@pytest.mark.parametrize("at", [1, 2, 4, 6, 8, 10])
def test_a_deletion_that_was_cut_off_ends(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    calls = 0
    remove = shutil.rmtree

    def failing(*arguments: object, **options: object) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise KeyboardInterrupt
        remove(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", failing)
        with pytest.raises(KeyboardInterrupt):
            delete(workspace, "shop", models=True, progress=NoProgress())
    assert "other" in [dataset.name for dataset in list_datasets(workspace)]
    delete(workspace, "shop", models=True, progress=NoProgress())
    assert ids_in(workspace.root, IDS) == []
    assert list(workspace.root.glob(f"*/{lifecycle.REMOVING}*")) == []


def test_a_dataset_that_a_run_works_on_stays(workspace: Workspace) -> None:
    status = {"command": "train", "args": ["train", "shop"], "state": "running", "started": 9e9, "label": ""}
    job = workspace.jobs / "2024-train" / "status.json"
    write_json(job, {**status, "pid": None})
    with pytest.raises(Refused):
        delete(workspace, "shop", progress=NoProgress())
    write_json(job, {**status, "pid": os.getpid(), "args": ["delete", "shop"]})
    with state_folder(workspace, "shop", 1), pytest.raises(Refused) as busy:  # by cron
        Context().run(delete, workspace, "shop", progress=NoProgress())
    assert busy.value.code == "run_going_on" and open_dataset(workspace, "shop").events_path.exists()
    assert delete(workspace, "shop", progress=NoProgress())["versions"] == 2


def test_a_real_model_s_dataset_can_go(real: Workspace, small_bundle: Bundle) -> None:
    Scored.open(real, "shop", small_bundle.id).scores(NoProgress())
    made = delete(real, "shop", progress=NoProgress())
    assert made["predictions"] == 1 and made["remains"] == [{"kind": "model", "name": small_bundle.id}]
    assert list_datasets(real) == []
