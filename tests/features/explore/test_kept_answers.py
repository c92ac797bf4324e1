"""Answers about a whole log: kept with its cube, the same as asked anew, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from clv_core.features.explore.cube import RECORD, Cube, drop_cubes
from clv_core.features.explore.key_figures import concentration, figures
from clv_core.features.explore.selection import ANSWERS, CubePart, Selection
from clv_core.features.explore.views import VIEWS, keep_answers
from clv_core.workspace import Workspace
from tests.features.explore.conftest import Explored, explore


def kept(cube: Cube) -> list[Path]:
    return sorted((cube.folder / ANSWERS).glob("*"))


def forget(cube: Cube) -> None:
    for path in kept(cube):
        path.unlink()


@pytest.mark.parametrize("name", VIEWS)
def test_a_kept_view_is_the_view(shop_explored: Explored, name: str) -> None:
    forget(shop_explored.cube)
    asked = VIEWS[name](shop_explored.select()[0])
    assert kept(shop_explored.cube)
    pd.testing.assert_frame_equal(VIEWS[name](shop_explored.select()[0]), asked, check_exact=True)


def test_what_the_page_asks_of_a_whole_log_is_ready(shop_explored: Explored, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(shop_explored.cube)
    selection = shop_explored.select()[0]
    asked, held = figures(selection), concentration(selection)
    keep_answers(selection)
    ids = [identity.encode() for identity in shop_explored.rows["customer_id"].unique()]
    assert not [path.name for path in kept(shop_explored.cube) if any(one in path.read_bytes() for one in ids)]
    monkeypatch.setattr(CubePart, "frame", None)
    again = shop_explored.select()[0]
    keep_answers(again)
    assert figures(again) == asked
    pd.testing.assert_frame_equal(concentration(again).curve, held.curve, check_exact=True)


def test_answers_of_a_part_or_a_period_are_not_kept(shop_explored: Explored) -> None:
    forget(shop_explored.cube)
    cube = shop_explored.cube
    app = Selection.of(CubePart(cube, cube.channels[:1]))
    period = Selection.of(CubePart(cube), cube.start, cube.end.replace(day=1))
    for selection in (app, period):
        assert not selection.is_full
        figures(selection)
        keep_answers(selection)
    assert not kept(cube)


def test_answers_go_with_their_cube(tmp_path: Path) -> None:
    rows = {"customer_id": ["a", "b"], "event_time": "2024-01-05", "event_type": "purchase", "amount": [5, 7]}
    cube = explore(tmp_path / "log", pd.DataFrame(rows)).cube
    selection = Selection.of(CubePart(cube))
    before = figures(selection)
    assert kept(cube)
    forget(cube)
    (cube.folder / RECORD).rename(cube.folder / "other.json")
    assert figures(selection) == before
    assert not kept(cube)
    assert drop_cubes(Workspace(cube.folder.parents[4]), "log") == 1
    assert not cube.folder.exists()
