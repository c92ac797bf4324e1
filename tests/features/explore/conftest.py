"""Two logs as cubes, each beside its rows as pandas reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.ingest import ingest
from clv_core.collection.store.version_store import open_dataset
from clv_core.features.explore.cube import Cube, build_cube
from clv_core.features.explore.selection import CubePart, Selection
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace

EMPTY = "1970-01-01"


@dataclass(frozen=True, eq=False)
class Explored:
    """A cube, and the rows that it was made from."""

    cube: Cube
    rows: pd.DataFrame

    def select(
        self,
        start: date | None = None,
        end: date | None = None,
        channels: tuple[str, ...] = (),
        countries: tuple[str, ...] = (),
    ) -> tuple[Selection, pd.DataFrame]:
        """Return a selection, and the rows of its channels and countries over all time."""
        rows = self.rows
        rows = rows[rows["channel"].isin(channels)] if channels else rows
        rows = rows[rows["country"].isin(countries)] if countries else rows
        return Selection.of(CubePart(self.cube, channels, countries), start, end), rows


def explore(root: Path, rows: pd.DataFrame, **options: str) -> Explored:
    """Ingest rows, build the cube, and read the stored rows with pandas."""
    root.mkdir(exist_ok=True)
    rows.to_csv(root / "log.csv", index=False)
    workspace = Workspace(root / "workspace")
    ingest(workspace, root / "log.csv", "log", progress=NoProgress(), **options)
    cube = build_cube(workspace, "log", NoProgress())
    stored = pd.read_parquet(open_dataset(workspace, "log").events_path)
    stored["day"] = stored["event_time"].dt.normalize()
    for column in ("order_id", "category", "channel", "country", "rating"):
        stored[column] = stored[column] if column in stored else None
    return Explored(cube, stored)


@pytest.fixture(scope="session")
def shop_explored(shop: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """The shop of 400 customers, every kind of event, order ids that cross channels."""
    return explore(tmp_path_factory.mktemp("explore") / "shop", shop)


@pytest.fixture(scope="session")
def cdnow_explored(cdnow: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Explored:
    """The real CDNOW log: purchases only, by day."""
    return explore(tmp_path_factory.mktemp("explore") / "cdnow", cdnow)
