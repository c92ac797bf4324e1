"""A backup taken while others write opens as a workspace; a recovery that is killed leaves nothing behind."""

import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import list_datasets
from clv_core.deployment.backup import back_up, recover
from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.registry import Registry
from clv_core.errors import Refused
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

WRITER = """
import sys
from pathlib import Path
import pandas as pd
from clv_core.collection.ingest import ingest
from clv_core.deployment.lifecycle import prune
from clv_core.deployment.registry import Registry
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace
workspace, name, source = Workspace(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3])
for turn in range(1000):
    rows = {"customer_id": ["a", "b"], "event_time": ["2024-01-01", "2024-02-01"], "amount": [1 + turn, 2]}
    pd.DataFrame(rows).to_csv(source, index=False)
    ingest(workspace, source, name, progress=NoProgress())
    prune(workspace, name, keep=1)
"""


@pytest.fixture
def trained(small_workspace: Workspace, tmp_path: Path) -> Workspace:
    """Return a copy of a workspace with a dataset, models and scores."""
    shutil.copytree(small_workspace.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def files_of(root: Path) -> dict[str, bytes]:
    return {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file()}


def test_recovered_workspace_has_every_dataset_model_and_score(trained: Workspace, tmp_path: Path) -> None:
    back_up(trained, tmp_path / "backup.zip", NoProgress())
    recover(tmp_path / "backup.zip", tmp_path / "new", NoProgress())
    new = Workspace(tmp_path / "new")
    for kept in ("datasets", "models"):
        stored = {name: text for name, text in files_of(trained.root / kept).items() if "/." not in f"/{name}"}
        assert files_of(new.root / kept) == stored
    new_versions, old_versions = Registry(new).versions(), Registry(trained).versions()
    assert [one.to_json() for one in new_versions] == [one.to_json() for one in old_versions]
    for bundle in list_bundles(new):
        bundle.check()


def test_backups_of_a_busy_workspace_open(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    command = [sys.executable, "-c", WRITER, str(workspace.root)]
    writers = [subprocess.Popen([*command, name, str(tmp_path / f"{name}.csv")]) for name in ("one", "two")]
    try:
        while len(list(workspace.place("datasets").glob("*/current.json"))) < 2:
            time.sleep(0.05)
            assert all(writer.poll() is None for writer in writers)
        seen = set()
        for number in range(8):
            back_up(workspace, tmp_path / f"{number}.zip", NoProgress())
            recover(tmp_path / f"{number}.zip", tmp_path / f"new-{number}", NoProgress())
            for dataset in list_datasets(Workspace(tmp_path / f"new-{number}")):
                dataset.check_value()
                events = pd.read_parquet(dataset.folder / "events.parquet")
                assert events["amount"].sum() == pytest.approx(dataset.manifest.net_revenue)
                seen.add((dataset.name, dataset.version))
        assert len(seen) > 4
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()


def test_killed_recovery_leaves_no_workspace_and_the_old_one_as_it_was(trained: Workspace, tmp_path: Path) -> None:
    back_up(trained, tmp_path / "backup.zip", NoProgress())
    before = files_of(trained.root)
    with pytest.raises(Refused, match="not empty"):
        recover(tmp_path / "backup.zip", trained.root, NoProgress())
    code = f"""
import os, signal
from pathlib import Path
from clv_core.deployment.backup import recover
class Kill:
    def report(self, stage, done, total, **figures):
        if done >= 3:
            os.kill(os.getpid(), signal.SIGKILL)
recover(Path({str(tmp_path / "backup.zip")!r}), Path({str(tmp_path / "new")!r}), Kill())
"""
    run = subprocess.run([sys.executable, "-c", code])
    assert run.returncode == -signal.SIGKILL
    assert not (tmp_path / "new").exists() and files_of(trained.root) == before


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
