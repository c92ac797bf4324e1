"""The comparison on the evaluate page: offered, made, and true to the files of the backtest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from clv_core import jobs
from clv_core.cli import main
from clv_core.deployment.bundle import list_bundles
from clv_core.i18n import translate
from clv_core.workspace import Workspace

OPEN = Callable[..., AppTest]


@pytest.fixture(scope="module")
def compared(with_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose model has been compared with the naive one at two cutoffs."""
    root = tmp_path_factory.mktemp("compared")
    shutil.copytree(with_model, root, dirs_exist_ok=True)
    bundle = list_bundles(Workspace(root))[0]
    out = root / "backtests" / f"{bundle.id}-{bundle.record['dataset']['version']}"
    words = ["backtest", "shop", "--horizon-days", "60", "--origins", "2", "--models", "bgnbd,naive", "--out", str(out)]
    assert main([*words, "--workspace", str(root)]) == 0
    return root


def test_the_comparison_is_offered_and_started_with_the_models_own_settings(open_page: OPEN, with_model: Path) -> None:
    app = open_page(with_model, "evaluate", lang="en")
    app.button(key="start_board").click().run()
    words = jobs.jobs(Workspace(with_model), "backtest")[0].status()["args"]
    assert words[:4] == ["backtest", "shop", "--horizon-days", "90"]
    assert "cutoffs=3" in words and "bgnbd" in words[words.index("--models") + 1].split(",")
    assert not app.exception


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_verdicts_figures_and_parts_are_those_of_the_files(open_page: OPEN, compared: Path, lang: str) -> None:
    app = open_page(compared, "evaluate", lang=lang)
    assert not app.exception
    folder = next((compared / "backtests").iterdir())
    scores, parts = pd.read_csv(folder / "scoreboard.csv"), pd.read_csv(folder / "slices.csv")
    tables = [item.value for item in app.dataframe]
    board = next(frame for frame in tables if translate("metric.decile_mape", lang) in frame)
    mean = scores[(scores["model"] == "bgnbd") & (scores["metric"] == "gini")]["value"].mean()
    assert board[translate("metric.gini", lang)].iloc[0] == f"{mean:.3f}"
    sliced = next(frame for frame in tables if translate("board.slice", lang) in frame)
    latest = parts[parts["origin"] == parts["origin"].max()]
    assert len(sliced) == latest["slice"].nunique()
    one = latest[(latest["slice"] == "one_time_buyers") & (latest["model"] == "bgnbd")].iloc[0]
    row = sliced[sliced[translate("board.slice", lang)] == translate("slice.one_time_buyers", lang)].iloc[0]
    assert row[translate("column.customers", lang)] == f"{one['customers']:,}"
    seasonal = next(frame for frame in tables if translate("board.season", lang) in frame)
    assert len(seasonal) == pd.read_csv(folder / "seasons.csv")["season"].nunique()
    assert any(
        translate("board.stable.origins", lang, overlap="").split("，")[0][:8] in item.value for item in app.markdown
    )
