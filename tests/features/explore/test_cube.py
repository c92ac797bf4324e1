"""The cube: what it keeps, when it is made, and days as the log's own time zone has them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.errors import Cancelled, ClvError, NotFound, Refused
from clv_core.features.explore import cube
from clv_core.features.explore.buyers import cohorts, rfm
from clv_core.features.explore.cube import RECORD, Cube, build_cube, cube_folder, drop_cubes, find_cube
from clv_core.features.explore.key_figures import figures, trend
from clv_core.features.explore.selection import CubePart, Selection
from clv_core.jobs import NoProgress
from clv_core.workspace import Workspace, read_json, write_json
from tests.features.explore.conftest import Explored, explore

pytestmark = pytest.mark.first(8)


def workspace_of(explored: Explored) -> Workspace:
    return Workspace(explored.cube.folder.parents[4])


def bought(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "event_time", "amount"])


def test_cdnow_has_the_published_totals(cdnow_explored: Explored) -> None:
    selection, _ = cdnow_explored.select()
    found = figures(selection)
    assert (found.customers, found.buyers) == (23_570, 23_570)
    assert found.net == pytest.approx(2_500_315.63, abs=0.001)
    assert (selection.start, selection.end) == (date(1997, 1, 1), date(1998, 7, 1))


def test_many_runs_make_the_same_cube(shop_explored: Explored, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_of(shop_explored)
    before = {name: CubePart(shop_explored.cube).frame(f"FROM {name} ORDER BY ALL") for name in ("cells", "rated")}
    assert drop_cubes(workspace, "log") == 1
    monkeypatch.setattr(cube, "RUN_ROWS", 1500)
    again = build_cube(workspace, "log", NoProgress())
    assert again == shop_explored.cube and len(list((again.folder / "cells").iterdir())) == 8
    for name, frame in before.items():
        pd.testing.assert_frame_equal(CubePart(again).frame(f"FROM {name} ORDER BY ALL"), frame)


def test_cube_holds_no_customer_id(shop_explored: Explored) -> None:
    ids = [identity.encode() for identity in shop_explored.rows["customer_id"].unique()]
    for path in shop_explored.cube.folder.rglob("*.*"):
        held = path.read_bytes()
        assert not [identity for identity in ids if identity in held], path.name


def test_cube_is_made_once(shop_explored: Explored) -> None:
    workspace = workspace_of(shop_explored)
    written = (shop_explored.cube.folder / RECORD).stat().st_mtime_ns
    assert build_cube(workspace, "log", NoProgress()) == shop_explored.cube
    assert (shop_explored.cube.folder / RECORD).stat().st_mtime_ns == written
    with pytest.raises(NotFound):
        build_cube(workspace, "planet", NoProgress())


def test_cube_of_another_format_is_made_anew(tmp_path: Path) -> None:
    cube = explore(tmp_path / "log", bought(("a", "2024-01-01", 5), ("b", "2024-01-03", 7))).cube
    write_json(cube.folder / RECORD, {**read_json(cube.folder / RECORD), "format": 0})
    workspace = Workspace(cube.folder.parents[4])
    assert find_cube(open_dataset(workspace, "log")) is None
    assert build_cube(workspace, "log", NoProgress()) == cube == Cube.read(cube.folder)


def test_cancel_leaves_nothing(tmp_path: Path) -> None:
    cube = explore(tmp_path / "log", bought(("a", "2024-01-01", 5), ("b", "2024-01-01", 5))).cube
    workspace = Workspace(cube.folder.parents[4])
    drop_cubes(workspace, "log")

    class Stop:
        def report(self, stage: str, done: float, total: float, **figures: float) -> None:
            if stage == "explore_sums":
                raise Cancelled

    with pytest.raises(Cancelled):
        build_cube(workspace, "log", Stop())
    assert os.listdir(cube.folder.parent) == []


def test_only_the_current_version_keeps_its_cube(tmp_path: Path) -> None:
    old = explore(tmp_path / "log", bought(("a", "2024-01-01", 5), ("b", "2024-01-01", 5))).cube
    new = explore(tmp_path / "log", bought(("a", "2024-01-01", 5), ("b", "2024-01-03", 7))).cube
    assert new.version != old.version
    workspace = Workspace(new.folder.parents[4])
    assert not old.folder.exists()
    assert cube_folder(open_dataset(workspace, "log")) == new.folder


def test_days_are_those_of_the_logs_time_zone(tmp_path: Path) -> None:
    rows = bought(("a", "2024-01-31T20:00:00Z", 5), ("a", "2024-02-01T03:00:00Z", 7), ("b", "2024-02-01T17:00:00Z", 1))
    cube = explore(tmp_path / "log", rows, timezone="Asia/Shanghai").cube
    days = trend(Selection.of(CubePart(cube)))
    assert days["bucket"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01", "2024-02-02"]
    assert days["net"].tolist() == [12.0, 1.0]


def test_log_of_one_day_has_figures_and_no_cohort(tmp_path: Path) -> None:
    selection = Selection.of(
        CubePart(explore(tmp_path / "log", bought(("a", "2024-01-05", 5), ("b", "2024-01-05", 7))).cube)
    )
    found = figures(selection)
    assert (found.buyers, found.repeat_rate, found.net, selection.days) == (2, 0.0, 12.0, 1)
    assert cohorts(selection).empty and len(trend(selection)) == 1
    assert rfm(selection)[["recency", "frequency", "buyers"]].to_numpy().tolist() == [[1, 1, 2]]


def test_last_month_that_is_not_over_has_no_cell(tmp_path: Path) -> None:
    rows = bought(("a", "2024-01-01", 5), ("b", "2024-01-31", 7), ("a", "2024-03-10", 2))
    cells = cohorts(Selection.of(CubePart(explore(tmp_path / "log", rows).cube)))
    assert cells[["age", "buyers"]].to_numpy().tolist() == [[0, 2], [1, 0]]


def test_an_order_over_two_channels_is_one_order(tmp_path: Path) -> None:
    rows = bought(*(("a", "2024-01-01", amount) for amount in (5, 7, 9, 1)), ("b", "2024-01-02", 4))
    rows = rows.assign(order_id=["o1", "o1", "o2", "o2", "o3"], channel=["web", "app", "app", "app", "store"])
    cube = explore(tmp_path / "log", rows).cube
    assert figures(Selection.of(CubePart(cube))).orders == 3
    app, web = (figures(Selection.of(CubePart(cube, [channel]))) for channel in ("app", "web"))
    assert app.orders + web.orders == 2 and (app.paid, web.paid) == (17.0, 5.0) and web.buyers == 1


def test_an_order_over_two_days_is_one_order_of_its_first_day(tmp_path: Path) -> None:
    days = [("a", "2024-01-31", 5), ("a", "2024-02-01", 7), ("b", "2024-02-01", 4), ("b", "2024-02-01", 1)]
    rows = bought(*days).assign(order_id=["o1", "o1", None, None])
    cube = explore(tmp_path / "log", rows).cube
    months = trend(Selection.of(CubePart(cube)), "month")
    assert months["orders"].tolist() == [1, 1] and months["net"].tolist() == [5.0, 12.0]
    dataset = open_dataset(Workspace(tmp_path / "log" / "workspace"), "log")
    assert (dataset.manifest.orders, dataset.manifest.lines) == (2, 4)


def test_what_is_not_in_the_log_is_refused_in_words(shop_explored: Explored) -> None:
    with pytest.raises(ClvError, match="fax"):
        CubePart(shop_explored.cube, ["fax"])
    with pytest.raises(ClvError, match="2031"):
        Selection.of(CubePart(shop_explored.cube), date(2031, 1, 1), date(2031, 2, 1))


def test_absurd_sum_of_a_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="amount"):
        explore(tmp_path / "log", bought(("a", "2024-01-01", 7e11), ("a", "2024-01-01", 6e11), ("b", "2024-01-02", 5)))


def test_absurd_sum_of_a_day_over_channels_is_refused(tmp_path: Path) -> None:
    rows = bought(("a", "2024-01-01", 7e11), ("a", "2024-01-01", 6e11), ("b", "2024-01-02", 5))
    with pytest.raises(Refused, match="1,300,000,000,000|1300000000000"):
        explore(tmp_path / "log", rows.assign(channel=["web", "app", "web"]))


def test_span_before_is_whole_or_not_at_all(shop_explored: Explored) -> None:
    cube = shop_explored.cube
    late = Selection.of(CubePart(cube), date(2023, 7, 1), date(2023, 8, 1)).before()
    assert late is not None and (late.start, late.end) == (date(2023, 5, 31), date(2023, 7, 1))
    assert Selection.of(CubePart(cube), date(2023, 1, 10), date(2023, 2, 10)).before() is None
    assert Selection.of(CubePart(cube)).before() is None
