"""Earlier versions go when they are asked to, and only those that nobody needs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clv_core import audit
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import known_versions, open_dataset, restore, version_names, versions
from clv_core.deployment.artifacts import artifacts
from clv_core.errors import Refused, UsageError
from clv_core.jobs import NoProgress
from clv_core.preprocessing.clean import clean
from clv_core.upkeep.lifecycle import delete, prune
from clv_core.workspace import Workspace, write_json
from tests.commands.conftest import done

pytestmark = pytest.mark.first(6)


def night(folder: Path, number: int) -> Path:
    path = folder / f"night{number}.csv"
    rows = [f"C{row % 7},2024-01-{number:02} 1{row % 10}:00,{row + 1}.5" for row in range(40)]
    path.write_text("\n".join(["customer_id,event_time,amount", *rows]))
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the dataset ``shop``, of five nights and as many versions."""
    made = Workspace(tmp_path / "workspace")
    ingest(made, night(tmp_path, 1), "shop")
    for number in range(2, 6):
        append(made, "shop", night(tmp_path, number))
    return made


def on_disk(workspace: Workspace) -> int:
    files = {path.stat().st_ino: path.stat().st_size for path in (workspace.datasets / "shop").rglob("*.parquet")}
    manifests = [path.stat().st_size for path in (workspace.datasets / "shop").rglob("manifest.json")]
    return sum(files.values()) + sum(manifests)


def test_the_newest_stay_and_what_is_freed_is_told_to_the_byte(workspace: Workspace) -> None:
    before, names = on_disk(workspace), [one.version for one in versions(workspace, "shop")]
    current = open_dataset(workspace, "shop")
    pruned = prune(workspace, "shop", keep=2)
    assert [one.version for one in pruned.kept] == names[:2] == [one.version for one in versions(workspace, "shop")]
    assert [one.version for one in pruned.removed] == names[2:]
    assert pruned.size == before - on_disk(workspace) > 0
    assert open_dataset(workspace, "shop") == current
    assert audit.lines(workspace)[0]["action"] == "prune"


def test_the_version_in_use_stays_however_old(workspace: Workspace) -> None:
    oldest = versions(workspace, "shop")[-1].version
    restore(workspace, "shop", oldest)
    prune(workspace, "shop", keep=1)
    assert version_names(workspace, "shop") == [oldest] == [open_dataset(workspace, "shop").version]


def test_what_cleaning_rules_are_applied_to_stays_with_its_outcome(workspace: Workspace, tmp_path: Path) -> None:
    raw = open_dataset(workspace, "shop").version
    cleaned = clean(workspace, "shop", {"zero_price": None}).version
    prune(workspace, "shop", keep=1)
    assert set(version_names(workspace, "shop")) == {raw, cleaned}
    assert clean(workspace, "shop", {}).version == raw  # and back
    append(workspace, "shop", night(tmp_path, 6))


def test_results_of_removed_versions_go_but_for_one_set_of_scores_a_month(workspace: Workspace) -> None:
    oldest, newest = (versions(workspace, "shop")[place].version for place in (-1, 0))
    names = ("scores-20240102", "scores-20240103", "scores-20240103-30d", "scores-20240203", "history-20240203")
    for version in (oldest, newest):
        folder = workspace.folder("datasets", "shop", "made", version, "m")
        for name in names:
            (folder / f"{name}.parquet").write_bytes(b"1234")
        for name in ("explanation", "backtest"):
            (folder / name).mkdir()
            (folder / name / "x.json").write_bytes(b"12")
    prune(workspace, "shop", keep=1)
    made = workspace.datasets / "shop" / "made"
    assert len(list((made / newest / "m").iterdir())) == 7
    stay = {"scores-20240103.parquet", "scores-20240203.parquet", "backtest"}
    assert {path.name for path in (made / oldest / "m").iterdir()} == stay
    delete(workspace, "shop", progress=NoProgress())
    assert not made.exists()


def test_results_of_a_dataset_called_like_a_kind_of_result_are_those_of_its_model(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    for name in ("tuning", "explored"):
        ingest(workspace, night(tmp_path, 1), name)
        folder = open_dataset(workspace, name).made_folder
        (folder / f"{name}-hybrid").mkdir(parents=True)
        (folder / f"{name}-hybrid" / "scores-20240102.parquet").write_bytes(b"")
        (folder / "tuning-0.json").write_text("{}")
        made = {(one.kind, one.model) for one in artifacts(workspace, name)}
        assert made == {("scores", f"{name}-hybrid"), ("tuning", "")}


def test_records_of_runs_go_after_ninety_days(workspace: Workspace) -> None:
    for name, days in (("old", 91), ("new", 89)):
        status = {"id": name, "command": "score", "args": ["score", "shop"], "state": "done", "pid": None}
        times = {"started": time.time() - days * 86_400, "updated": time.time() - days * 86_400}
        write_json(workspace.folder("jobs", name) / "status.json", {**status, **times})
    prune(workspace, "shop", keep=5)
    assert [path.name for path in workspace.jobs.iterdir()] == ["new"]


def test_nothing_goes_twice_and_one_version_has_to_stay(workspace: Workspace) -> None:
    prune(workspace, "shop", keep=3)
    again = prune(workspace, "shop", keep=3)
    assert (again.removed, again.size) == ((), 0)
    with pytest.raises(UsageError) as none:
        prune(workspace, "shop", keep=0)
    assert none.value.code == "keep_versions"
    assert len(version_names(workspace, "shop")) == 3


def test_a_version_that_comes_again_is_one_again(workspace: Workspace, tmp_path: Path) -> None:
    oldest = versions(workspace, "shop")[-1].version
    prune(workspace, "shop", keep=1)
    assert ingest(workspace, night(tmp_path, 1), "shop").version == oldest
    assert oldest in version_names(workspace, "shop") and known_versions(workspace, "shop").count(oldest) == 1


def test_a_run_that_works_on_the_dataset_is_not_robbed(workspace: Workspace) -> None:
    folder = workspace.folder("jobs", "20240101-train-abc")
    status = {"id": folder.name, "command": "train", "args": ["train", "shop"], "state": "running", "pid": None}
    write_json(folder / "status.json", {**status, "started": 9e9, "updated": 0})
    with pytest.raises(Refused) as busy:
        prune(workspace, "shop", keep=1)
    assert busy.value.code == "dataset_busy"
    assert len(version_names(workspace, "shop")) == 5


def test_the_command_says_what_stays_and_what_is_gone(workspace: Workspace) -> None:
    names, answer = [one.version for one in versions(workspace, "shop")], done(workspace, "prune", "shop", "--keep", 4)
    assert (answer["dataset"], answer["kept"], answer["removed"]) == ("shop", names[:4], names[4:])
    assert answer["bytes"] > 0
