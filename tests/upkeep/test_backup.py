"""A backup taken while others write opens as a workspace; a recovery that is killed leaves nothing behind."""

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import list_datasets, versions
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import Scored, score
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.upkeep.backup import back_up, recover
from clv_core.workspace import Workspace
from tests.commands.conftest import done, run

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from itertools import count
from pathlib import Path
import pandas as pd
from clv_core.collection.ingest import ingest
from clv_core.collection.merge.append import append
from clv_core.collection.store.version_store import open_dataset
from clv_core.upkeep.lifecycle import prune
from clv_core.deployment.registry import Registry
from clv_core.deployment.saved_scores import score
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
from tests.deployment.registry.tiny import save
workspace, work, folder = Workspace(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3])
quiet, registry = NoProgress(), Registry(workspace)

def orders(turn):
    rows = {"customer_id": ["a", "b"], "event_time": [f"2024-01-01 {turn // 60 % 24}:{turn % 60:02}", "2024-02-01"]}
    path = folder / f"orders-{turn}.csv"
    pd.DataFrame(rows | {"amount": [1 + turn, 2]}).to_csv(path, index=False)
    return path

for turn in count():
    if work == "train":
        from clv_core import pipeline
        from clv_core.config import TrainConfig
        config = TrainConfig(horizon_days=90, model="naive", seed=turn)
        version = registry.find(pipeline.train(workspace, "shop", config, progress=quiet).id)
        registry.promote("shop", version.number)
    elif work == "score":
        from clv_core.deployment.saved_scores import score
        score(workspace, "shop", registry.champion("shop").bundle, progress=quiet)
    elif work == "append":
        if turn % 10:
            append(workspace, "orders", orders(turn))
        else:
            ingest(workspace, orders(turn), "orders", progress=quiet)
        prune(workspace, "orders", keep=2)
    else:
        registry.register(save(workspace, turn, "orders"))
        registry.prune("orders", keep=3)
        if turn % 4 == 0:
            registry.promote("orders", registry.versions("orders")[0].number)
"""


@pytest.fixture
def trained(small_workspace: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of a workspace with a dataset, models and scores."""
    shutil.copytree(small_workspace.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def files_of(root: Path) -> dict[str, bytes]:
    return {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}


def test_recovered_workspace_has_every_dataset_model_and_score(trained: Workspace, tmp_path: Path) -> None:
    new = Workspace(tmp_path / "new")
    assert done(trained, "backup", tmp_path / "backup.zip")["models"] == 1
    assert done(new, "recover", tmp_path / "backup.zip")["files"] > 10
    for kept in ("datasets", "models"):
        stored = {name: text for name, text in files_of(trained.root / kept).items() if "/." not in f"/{name}"}
        assert files_of(new.root / kept) == stored
    new_versions, old_versions = Registry(new).versions(), Registry(trained).versions()
    assert [one.to_json() for one in new_versions] == [one.to_json() for one in old_versions]
    for bundle in list_bundles(new):
        bundle.check()


@pytest.mark.timeout(5400)  # on a busy machine
@pytest.mark.parametrize(
    ("backups", "works"),
    [(2, ["append", "register"]), pytest.param(30, ["train", "score", "append", "register"], marks=pytest.mark.slow)],
)
def test_backups_open_that_were_taken_while_others_train_score_append_and_register(
    backups: int, works: list[str], trained: Workspace, tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    with log.open("w") as errors:
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, trained.root, work, tmp_path], cwd=ROOT, stderr=errors)
            for work in works
        ]
    seen = set()
    try:
        while not (trained.place("datasets", "orders") / "current.json").exists() or not Registry(trained).names()[1:]:
            time.sleep(0.1)
        for _ in range(backups):
            back_up(trained, tmp_path / "backup.zip", NoProgress())
            recover(tmp_path / "backup.zip", tmp_path / "new", NoProgress())
            seen |= opened(Workspace(tmp_path / "new"))
            shutil.rmtree(tmp_path / "new")
            assert all(writer.poll() is None for writer in writers), log.read_text()
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert len(seen) > backups  # all of them were at work


def opened(workspace: Workspace) -> set[tuple[str, str]]:
    """Open everything in a workspace; return its versions and models."""
    seen = set()
    for dataset in list_datasets(workspace):
        dataset.check_value()
        for version in versions(workspace, dataset.name):
            events = pd.read_parquet(version.folder / "events.parquet")
            bought = events.loc[events["event_type"].isin(["purchase", "return"]), "amount"]
            assert bought.sum() == pytest.approx(version.manifest.net_revenue)
            assert set(pd.read_parquet(version.folder / "set_aside.parquet")) >= {"reason"}
            seen.add((dataset.name, version.version))
    registry = Registry(workspace)
    assert {dataset.name for dataset in list_datasets(workspace)} == {"shop", "orders"} == set(registry.names())
    before = {one.bundle for one in registry.versions()}
    assert before == {bundle.id for bundle in list_bundles(workspace)}
    for version in registry.versions():
        registry.open(version)
        seen.add((version.name, version.bundle))
    champion = registry.champion("shop")
    assert len(score(Scored.open(workspace, "shop", champion.bundle), progress=NoProgress())) == 900
    for file in workspace.datasets.glob("*/made/**/*.parquet"):
        pd.read_parquet(file)
    return seen


@pytest.mark.parametrize("kills", [2, pytest.param(300, marks=pytest.mark.slow)])
def test_killed_recovery_leaves_no_part_of_a_workspace_and_the_old_one_as_it_was(
    kills: int, trained: Workspace, tmp_path: Path
) -> None:
    back_up(trained, tmp_path / "backup.zip", NoProgress())
    before = files_of(trained.root)
    with pytest.raises(Refused, match="not empty"):
        recover(tmp_path / "backup.zip", trained.root, NoProgress())
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["clv_core.upkeep.backup"])
    work = {"target": recover, "args": (tmp_path / "backup.zip", tmp_path / "new", NoProgress())}
    for _ in range(2):  # the first one starts the server
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        begun, process = time.monotonic(), server.Process(**work)
        process.start()
        process.join()
        seconds = time.monotonic() - begun
    whole, outcomes = files_of(tmp_path / "new"), set()
    for kill in range(kills):
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        process = server.Process(**work)
        process.start()
        time.sleep(seconds * 1.2 * kill / kills)
        process.kill()
        process.join()
        assert not (tmp_path / "new").exists() or files_of(tmp_path / "new") == whole
        outcomes.add((process.exitcode, (tmp_path / "new").exists()))
    assert (-signal.SIGKILL, False) in outcomes
    assert files_of(trained.root) == before


@pytest.mark.parametrize("fault", ["changed", "cut", "outside"])
def test_damaged_backup_is_refused_and_writes_nothing(fault: str, trained: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "backup.zip"
    back_up(trained, out, NoProgress())
    with zipfile.ZipFile(out) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(files["backup.json"])
    if fault == "changed":
        name = next(name for name in files if name.endswith("bundle.json"))
        files[name] = files[name].replace(b"horizon", b"horizom")
    if fault == "outside":
        listed["files"]["../outside.json"] = listed["files"].pop(next(iter(listed["files"])))
        files["../outside.json"] = b"{}"
        files["backup.json"] = json.dumps(listed).encode()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    if fault == "cut":
        out.write_bytes(out.read_bytes()[:-2000])
    with pytest.raises(Refused, match="no complete backup"):
        recover(out, tmp_path / "new", NoProgress())
    assert not (tmp_path / "new").exists() and not (tmp_path / "outside.json").exists()


LISTS = {
    "a list": ([1, 2], "[1, 2]"),
    "a text": ("backup", '"backup"'),
    "null": (None, "null"),
    "a list of files": ({"files": ["a", "b"]}, 'files: ["a", "b"]'),
    "no files": ({"files": None}, "files: null"),
    "a later format": ({"format": 2}, "format: 2"),
    "a format as text": ({"format": "1"}, 'format: "1"'),
    "a checksum that is none": ({"files": {"a": 5}}, "files.a: 5"),
    "a day that is none": ({"created": 5}, "created: 5"),
}


@pytest.mark.parametrize(("listed", "found"), LISTS.values(), ids=LISTS)
def test_list_of_a_backup_that_is_none_is_refused_with_its_name_and_what_was_found(
    listed: object, found: str, tmp_path: Path
) -> None:
    sound = {"format": 1, "code_version": "1", "created": "2026-01-01T00:00:00+00:00", "files": {}}
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.writestr("backup.json", json.dumps(sound | listed if isinstance(listed, dict) else listed))
    code, answer = run(Workspace(tmp_path / "new"), "recover", tmp_path / "backup.zip", "--lang", "zh")
    assert (code, answer["error"]["code"]) == (4, "backup_list")
    assert all(word in answer["error"]["message"] for word in ("backup.json", "backup.zip", f"：{found}。"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("text", [b"[" * 100_000, b"\xff\xfe", b"{"])
def test_list_of_a_backup_that_is_no_json_is_refused(text: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.writestr("backup.json", text)
    with pytest.raises(Refused, match="backup.json"):
        recover(tmp_path / "backup.zip", tmp_path / "new", NoProgress())
    assert not (tmp_path / "new").exists()


def test_backup_whose_file_is_the_folder_of_another_or_is_not_there_is_refused(tmp_path: Path) -> None:
    content, digest = b"x", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    listed = {"format": 1, "code_version": "1", "created": "", "files": {"a": digest, "a/b": digest}}
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        archive.writestr("backup.json", json.dumps(listed))
        for name in listed["files"]:
            archive.writestr(name, content)
    with pytest.raises(Refused, match="no complete backup"):
        recover(tmp_path / "backup.zip", tmp_path / "new", NoProgress())
    with pytest.raises(Refused, match=r"none\.zip"):
        recover(tmp_path / "none.zip", tmp_path / "new", NoProgress())
    with pytest.raises(Refused, match="not empty"):
        recover(tmp_path / "backup.zip", tmp_path / "backup.zip", NoProgress())
    assert not (tmp_path / "new").exists()
