"""Tiers that a person has renamed are called so on every page that speaks of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from clv_core.collection.store.version_store import open_dataset
from clv_core.strategy.segments.saved_segments import SegmentLabel, save_labels
from clv_core.workspace import Workspace
from tests.pages.conftest import OPEN, do, enter_effects, texts
from tests.pages.test_prices import advised, part

pytestmark = pytest.mark.first(2)

CALLED = [f"{place} *st*" for place in ("Gold", "Silver", "Bronze", "Tin")]
PLAIN = [name.replace("*", "\\*") for name in CALLED]
__all__ = ["advised"]


def renamed(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root, tmp_path / "own")
    names = {str(place): SegmentLabel(name) for place, name in enumerate(CALLED, 1)}
    save_labels(open_dataset(Workspace(tmp_path / "own"), "shop"), "tiers:4", names)
    return tmp_path / "own"


def test_exports_page_and_its_files(open_page: OPEN, with_model: Path, tmp_path: Path) -> None:
    root = renamed(with_model, tmp_path)
    earlier = set((root / "exports").glob("*"))
    app = open_page(root, "exports", lang="en")
    assert app.pills(key="export_tiers").options == PLAIN
    app.button(key="export_make").click().run()
    [file] = set((root / "exports").glob("shop_*.csv")) - earlier
    assert CALLED[0] in set(pd.read_csv(file, encoding="utf-8-sig")["tier_name"]) <= {*CALLED}


def test_strategy_and_explain_pages(open_page: OPEN, with_model: Path, tmp_path: Path) -> None:
    root = renamed(with_model, tmp_path)
    enter_effects(root)
    app = open_page(root, "strategy", lang="en")
    assert any(name in app.header[0].value for name in PLAIN)
    [who] = [item.value for item in app.dataframe if "expected_gain" in item.value]
    assert set(who["tier"]) <= {*CALLED}
    app = do(open_page(root, "explain", lang="en"), ("explain_part", "groups"))
    [these] = [box for box in app.selectbox if (box.key or "").startswith("why_these")]
    assert set(these.options) <= {*CALLED}


@pytest.mark.parametrize("name", ("recommend", "price"))
def test_recommendations_and_prices(open_page: OPEN, advised: Path, tmp_path: Path, name: str) -> None:  # noqa: F811
    app = part(open_page, renamed(advised, tmp_path), name)
    assert not app.error
    labels = [label for item in app.get("button_group") for label in item.options]
    assert PLAIN[0] in labels
    assert name == "price" or any(one in texts(app) for one in PLAIN)
