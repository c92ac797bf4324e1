"""A disk without room for the registry is called a full disk, and no busy registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clv_core.deployment.registry import Registry
from clv_core.deployment.registry.database import path_of, transaction
from clv_core.errors import ClvError
from clv_core.workspace import Workspace

pytestmark = pytest.mark.slow

ALONE = ("unshare", "--map-root-user", "--mount", "sh", "-c")
MOUNT = "mount -t tmpfs -o size=1m tmpfs"
FILL = f"{MOUNT} {{disk}} && cp -r {{root}} {{disk}}/work; cat /dev/zero > {{disk}}/filler 2>/dev/null; {{command}}"


def code_of(workspace: Workspace, statement: str = "SELECT 1") -> str:
    with pytest.raises(ClvError) as error, transaction(workspace, write=True) as rows:
        for line in statement.split(";"):
            rows.execute(line)
    return error.value.code


def test_what_sqlite_calls_full_is_a_full_disk(workspace: Workspace, registry: Registry) -> None:
    many = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT hex(randomblob(500)), i"
    )
    assert code_of(workspace, f"PRAGMA max_page_count = 1; INSERT INTO counters {many} FROM n") == "disk_full"
    assert len(registry.versions("shop")) == 3


def test_a_registry_that_cannot_be_used_with_room_on_the_disk_is_no_full_disk(workspace: Workspace) -> None:
    path_of(workspace).unlink(missing_ok=True)
    path_of(workspace).mkdir(parents=True)
    assert code_of(workspace) == "registry_busy"


def test_an_erasure_on_a_disk_without_room_names_the_full_disk(
    workspace: Workspace, registry: Registry, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    tried = shutil.which("unshare") and subprocess.run([*ALONE, f"{MOUNT} {disk}"], capture_output=True, check=False)
    if not tried or tried.returncode:
        pytest.skip("no small disk can be made here: unshare --map-root-user --mount is not allowed")
    command = f"{sys.executable} -m clv_core erase somebody-1 --workspace {disk}/work"
    words = FILL.format(disk=disk, root=workspace.root, command=command)
    done = subprocess.run([*ALONE, words], capture_output=True, text=True, timeout=120, check=False)
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert (done.returncode, error["code"], error["params"]["path"]) == (5, "disk_full", f"{disk}/work")
