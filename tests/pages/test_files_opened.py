"""A click on a page opens few files, however many models there are, and the registry once."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from clv_core.deployment.bundle import RECORD, list_bundles, read_record, write_record
from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN

MODELS = 42


def test_a_click_on_segments_opens_few_files_of_many_models(
    open_page: OPEN, root: Path, opened_files: list[str]
) -> None:
    [bundle] = list_bundles(Workspace(root))
    for number in range(1, MODELS):
        folder = bundle.folder.with_name(f"{bundle.id}-{number}")
        shutil.copytree(bundle.folder, folder)
        write_record(folder, replace(read_record(folder), created=f"2024-01-01T00:00:{number:02}+00:00"))
    for path in root.glob(f"models/*/{RECORD}"):
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert len(Registry(Workspace(root)).versions()) == MODELS
    app = open_page(root, "segments", dataset="shop", model=bundle.id)
    opened_files.clear()
    app.segmented_control(key="segments_view").set_value("figures").run()
    files = [one for one in opened_files if one.startswith("open ") and str(root) in one]
    assert len(files) < 25, files
    runs = sum(one.endswith("current.json") for one in files)  # each reads the one dataset once
    assert sum(one.startswith("sqlite3.connect") for one in opened_files) == 2 * runs  # to reconcile, and to read
