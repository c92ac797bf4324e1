"""The tables of a scoreboard: all models, with their intervals, and for parts of the customers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv_core.deployment import Bundle
from clv_core.evaluation import METRICS, REFERENCE, season_label, slice_label, with_role
from clv_core.workspace import read_json
from pages.ui import evaluation_charts, i18n, session
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import name_of, t

RECORD: Final = "backtest.json"
"""Name of the file that a backtest writes last."""
SHOWN: Final = with_role("board")
SLICED: Final = with_role("sliced")
BOTH_VIEWS: Final = with_role("views")


@dataclass(frozen=True)
class Board:
    """What a backtest left behind.

    Args:
        record: its JSON: origins, models, verdicts, stability.
        scores: origin, model, metric, value, low, high.
        slices: origin, slice, model, customers, buyers, metric, value.
        seasons: season, origins, model, customers, buyers, metric, value.
        stability: model, between, first, second, customers, overlap.
        folds: view, fold, metric, value of the model's second view; None where it has none.
    """

    record: dict[str, Any]
    scores: pd.DataFrame
    slices: pd.DataFrame
    seasons: pd.DataFrame
    stability: pd.DataFrame
    folds: pd.DataFrame | None = None


@cached(CUSTOMERS)
def load_board(record: Path) -> Board:
    """Return what the backtest with this record left behind."""
    values = read_json(record)
    names = ("scoreboard", "slices", "seasons", "stability")
    scores, slices, seasons, stability = (pd.read_csv(record.with_name(f"{name}.csv")) for name in names)
    folds = pd.read_csv(record.with_name("folds.csv")) if "folds" in values else None
    return Board(values, scores, slices, seasons, stability, folds)


def table(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return the figures of all models, averaged over origins and runs, ours first; of errors of totals their size."""
    scores = board.scores.assign(model=board.scores["model"].str.partition("#")[0])
    missing = scores["metric"].map(lambda name: METRICS[name].better == "zero")
    scores["value"] = scores["value"].abs().where(missing, scores["value"])
    means = scores.groupby(["model", "metric"])["value"].mean().unstack()
    order = [name for name in board.record["models"] if name in means.index]
    currency = bundle.record.currency
    rows = {t("column.model"): [name_of("model", name) for name in order]}
    for metric in (name for name in SHOWN if name in means):
        values = [means.loc[name, metric] for name in order]
        if METRICS[metric].better == "zero":  # misses to both sides do not cancel: a size has no sign
            rows[t("board.size", metric=t(f"metric.{metric}"))] = [i18n.percent(value, 1) for value in values]
        else:
            rows[t(f"metric.{metric}")] = [evaluation_charts.metric_text(metric, value, currency) for value in values]
    return pd.DataFrame(rows)


def ranges(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return every figure of all models at the latest origin with its 95% interval, one row a metric, ours first."""
    latest = board.scores[board.scores["origin"].astype(str) == board.record["origins"][-1]]
    rows_by_key = {(row.model, row.metric): (row.value, row.low, row.high) for row in latest.itertuples()}
    metrics = [metric for metric in METRICS if metric in set(latest["metric"])]
    currency = bundle.record.currency

    def text(model: str, metric: str) -> str:
        if (model, metric) not in rows_by_key:
            return "–"
        value, low, high = (
            evaluation_charts.metric_text(metric, number, currency) for number in rows_by_key[model, metric]
        )
        return t("board.range", value=value, low=low, high=high)

    columns = {t("column.metric"): [t(f"metric.{metric}") for metric in metrics]}
    for model in board.record["models"]:
        columns[name_of("model", model)] = [text(model, metric) for metric in metrics]
    return pd.DataFrame(columns)


def slices(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return for each part of the customers the figures of our model and of BG/NBD at the latest origin."""
    model, latest = bundle.record.model, board.record["origins"][-1]
    rows = board.slices[(board.slices["origin"].astype(str) == latest) & board.slices["model"].isin([model, REFERENCE])]
    keys = ["slice", "customers", "buyers"]
    pivoted = rows.pivot(index=keys, columns=["metric", "model"], values="value").reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(board.slices["slice"]))}
    pivoted = pivoted.sort_values("slice", key=lambda names: names.map(order))
    columns = {
        t("board.slice"): [slice_label(name, session.language()) for name in pivoted["slice"]],
        t("column.customers"): [f"{count:,}" for count in pivoted["customers"]],
        t("board.buyers"): [f"{count:,}" for count in pivoted["buyers"]],
    }
    return pd.DataFrame({**columns, **_beside_bgnbd(pivoted, bundle)})


def seasons(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return for each season of the predicted span the figures of our model and of BG/NBD."""
    model = bundle.record.model
    rows = board.seasons[board.seasons["model"].isin([model, REFERENCE])]
    pivoted = rows.pivot(index=["season", "origins"], columns=["metric", "model"], values="value").reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(board.seasons["season"]))}
    pivoted = pivoted.sort_values("season", key=lambda names: names.map(order))
    columns = {
        t("board.season"): [season_label(name, session.language()) for name in pivoted["season"]],
        t("board.season.origins"): [f"{count:,}" for count in pivoted["origins"]],
    }
    return pd.DataFrame({**columns, **_beside_bgnbd(pivoted, bundle)})


def views(bundle: Bundle, folds: pd.DataFrame) -> pd.DataFrame:
    """Return the figures over all customers that were seen and that were not, and the range over the parts."""
    currency = bundle.record.currency
    together = folds[folds["fold"] == 0].pivot(index="view", columns="metric", values="value")
    parts = folds[(folds["fold"] > 0) & (folds["view"] == "unseen")].groupby("metric")["value"].agg(["min", "max"])
    columns = {t("board.folds.view"): [t("board.folds.plain"), t("board.folds.unseen"), t("board.folds.range")]}
    for metric in (name for name in BOTH_VIEWS if name in together and name in parts.index):
        ends = " – ".join(evaluation_charts.metric_text(metric, parts[end][metric], currency) for end in ("min", "max"))
        values = [
            evaluation_charts.metric_text(metric, together[metric][view], currency) for view in ("plain", "unseen")
        ]
        columns[t(f"metric.{metric}")] = [*values, ends]
    return pd.DataFrame(columns)


def _beside_bgnbd(pivoted: pd.DataFrame, bundle: Bundle) -> dict[str, list[str]]:
    """Return the columns of the figures :data:`SLICED`, our model's and BG/NBD's, as shown."""
    model, currency = bundle.record.model, bundle.record.currency
    columns: dict[str, list[str]] = {}
    for metric in SLICED:
        for name in dict.fromkeys((model, REFERENCE)):
            if (metric, name) in pivoted:
                columns[f"{t(f'metric.{metric}')} · {name_of('model', name)}"] = [
                    evaluation_charts.metric_text(metric, value, currency) if pd.notna(value) else "–"
                    for value in pivoted[metric, name]
                ]
    return columns
