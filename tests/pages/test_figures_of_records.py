"""Every figure of a table is the one of the model, part and metric that its column and row name.

All figures of the records are different, so that a column that shows another one's cannot pass.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.slices import season_label, slice_label
from clv_core.i18n import translate
from pages.ui import evaluation_charts
from pages.ui.evaluate import scoreboard
from pages.ui.evaluate.scoreboard import SHOWN, SLICED, Board
from tests.records import model_record

MODELS, ORIGINS, EUR = ("bgnbd", "naive", "blend"), ("2024-01-01", "2024-04-01"), "EUR"
PARTS, SEASONS = ("one_time_buyers", "value_decile_10", "acquired_q2"), ("q1", "q2_q3")
NUMBER = count(1)


def figure() -> float:
    """Return a number between 0 and 1 that no other is like, to the last digit that is shown."""
    return next(NUMBER) * 0.0173 % 0.9 + 0.01


@pytest.fixture(scope="module")
def ours() -> Bundle:
    ours, *others = ({name: figure() for name in SHOWN} for _ in MODELS)
    baselines = dict(zip(MODELS[1:], others, strict=True))
    return Bundle(Path(), model_record(model="bgnbd", currency=EUR, metrics=ours, baselines=baselines))


@pytest.fixture(scope="module")
def board() -> Board:
    scores = [
        {"origin": origin, "model": f"{model}#{run}" if model == "blend" else model, "metric": metric}
        | {name: figure() for name in ("value", "low", "high")}
        for origin in ORIGINS
        for model in MODELS
        for run in range(2 if model == "blend" else 1)
        for metric in SHOWN
    ]
    parts, seasons = (
        pd.DataFrame(
            [
                {key: name, "model": model, "metric": metric, "value": figure(), **about}
                for about in every
                for at, name in enumerate(names)
                for about in [{**about, "customers": 100 + at, "buyers": 50 + at}]
                for model in MODELS
                for metric in SLICED
            ]
        )
        for key, names, every in (
            ("slice", PARTS, [{"origin": origin} for origin in ORIGINS]),
            ("season", SEASONS, [{"origins": 2}]),
        )
    )
    record = {"models": list(MODELS), "origins": list(ORIGINS)}
    return Board(record, pd.DataFrame(scores), parts, seasons, pd.DataFrame())


def rows_of(frame: pd.DataFrame, key: str) -> dict[str, Any]:
    return {row[key]: row for row in frame.to_dict("records")}


def test_the_scoreboard_holds_each_models_mean_over_its_origins_and_runs(ours: Bundle, board: Board) -> None:
    shown = rows_of(scoreboard.table(ours, board), translate("column.model"))
    assert list(shown) == [translate(f"model.{model}") for model in MODELS]
    for model in MODELS:
        for metric in SHOWN:
            mine = board.scores[board.scores["model"].str.startswith(model) & (board.scores["metric"] == metric)]
            mean, zero = mine["value"].mean(), METRICS[metric].better == "zero"
            label = translate(f"metric.{metric}")
            label = translate("board.size", metric=label) if zero else label
            expected = f"{mean:.1%}" if zero else evaluation_charts.metric_text(metric, mean, EUR)
            assert shown[translate(f"model.{model}")][label] == expected, (model, metric)


def test_a_metrics_range_stands_below_the_model_whose_it_is(ours: Bundle, board: Board) -> None:
    single = board.scores.assign(model=board.scores["model"].str.replace("#0", ""))
    frame = scoreboard.ranges(ours, Board(board.record, single, board.slices, board.seasons, board.stability))
    shown = rows_of(frame, translate("column.metric"))
    for row in single[(single["origin"] == ORIGINS[-1]) & single["model"].isin(MODELS)].itertuples():
        texts = {
            name: evaluation_charts.metric_text(row.metric, getattr(row, name), EUR)
            for name in ("value", "low", "high")
        }
        found = shown[translate(f"metric.{row.metric}")][translate(f"model.{row.model}")]
        assert found == translate("board.range", **texts), (row.model, row.metric)


@pytest.mark.parametrize("model", MODELS[:1] + MODELS[2:])
def test_parts_and_seasons_hold_the_models_own_figures_beside_bgnbds(board: Board, model: str) -> None:
    bundle = Bundle(Path(), model_record(model=model, currency=EUR))
    for frame, source, key, name_of in (
        (
            scoreboard.slices(bundle, board),
            board.slices[board.slices["origin"] == ORIGINS[-1]],
            "slice",
            slice_label,
        ),
        (scoreboard.seasons(bundle, board), board.seasons, "season", season_label),
    ):
        shown = rows_of(frame, translate(f"board.{key}"))
        mine = source[source["model"].isin([model, "bgnbd"])]
        assert len(shown) == mine[key].nunique()
        for row in mine.to_dict("records"):
            column = f"{translate('metric.' + row['metric'])} · {translate('model.' + row['model'])}"
            text = evaluation_charts.metric_text(row["metric"], row["value"], EUR)
            assert shown[name_of(row[key])][column] == text, row
            if key == "slice":
                assert shown[name_of(row[key])][translate("board.buyers")] == f"{row['buyers']:,}"


def test_the_views_of_folds_are_the_whole_and_the_ends_of_its_parts(ours: Bundle) -> None:
    folds = pd.DataFrame(
        [
            {"view": view, "fold": fold, "metric": metric, "value": figure()}
            for view in ("plain", "unseen")
            for fold in range(4)
            for metric in ("gini", "mae")
        ]
    )
    shown = scoreboard.views(ours, folds)
    for metric in ("gini", "mae"):
        of_metric = folds[folds["metric"] == metric]
        whole = of_metric[of_metric["fold"] == 0].set_index("view")["value"]
        parts = of_metric[(of_metric["fold"] > 0) & (of_metric["view"] == "unseen")]["value"]
        plain, unseen, low, high = (
            evaluation_charts.metric_text(metric, value, EUR)
            for value in (whole["plain"], whole["unseen"], parts.min(), parts.max())
        )
        assert shown[translate(f"metric.{metric}")].tolist() == [plain, unseen, f"{low} – {high}"]


def test_the_table_of_metrics_holds_each_baselines_own(ours: Bundle) -> None:
    shown = rows_of(evaluation_charts.metric_table(ours), translate("column.metric"))
    for model, metrics in ({"bgnbd": ours.record.metrics} | ours.record.baselines).items():
        for metric, value in metrics.items():
            text = evaluation_charts.metric_text(metric, value, EUR)
            assert shown[translate(f"metric.{metric}")][translate(f"model.{model}")] == text


def test_all_made_up_figures_differ_where_they_are_shown(board: Board) -> None:
    """Otherwise the tests above could not fail."""
    for metric in SHOWN:
        mine = board.scores[board.scores["metric"] == metric]
        texts = {
            evaluation_charts.metric_text(metric, value, EUR)
            for value in mine[["value", "low", "high"]].to_numpy().ravel()
        }
        assert len(texts) > 0.8 * np.size(mine[["value", "low", "high"]]), metric
