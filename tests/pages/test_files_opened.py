"""A click on a page opens few files, however many models there are, and the registry once."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clv_core.deployment.bundle import list_bundles
from clv_core.deployment.bundle_record import RECORD, read_record, write_record
from clv_core.deployment.registry import Registry
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN

MODELS = 42
_opened: list[str] | None = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event in ("open", "sqlite3.connect") and isinstance(arguments[0], str | bytes | Path):
        _opened.append(f"{event} {os.fsdecode(arguments[0])}")


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Return the list that every opening of a file adds to while the test runs."""
    global _opened
    sys.addaudithook(_audit)
    _opened = []
    yield _opened
    _opened = None


def test_a_click_on_segments_opens_few_files_of_many_models(open_page: OPEN, root: Path, opened: list[str]) -> None:
    [bundle] = list_bundles(Workspace(root))
    for number in range(1, MODELS):
        folder = bundle.folder.with_name(f"{bundle.id}-{number}")
        shutil.copytree(bundle.folder, folder)
        write_record(folder, {**read_record(folder), "created": f"2024-01-01T00:00:{number:02}+00:00"})
    for path in root.glob(f"models/*/{RECORD}"):
        os.utime(path, (time.time() - 60, time.time() - 60))
    assert len(Registry(Workspace(root)).versions()) == MODELS
    app = open_page(root, "segments", dataset="shop", model=bundle.id)
    opened.clear()
    app.segmented_control(key="segments_view").set_value("figures").run()
    files = [one for one in opened if one.startswith("open ") and str(root) in one]
    assert len(files) < 25, files
    assert sum(one.startswith("sqlite3.connect") for one in opened) <= 2
