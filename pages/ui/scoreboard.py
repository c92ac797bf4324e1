"""The model beside all others on rolling origins: who beats whom, for which customers, and how steady its list is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.past import comparison_folder
from clv_core.evaluation.evidence import REFERENCE
from clv_core.evaluation.metrics import METRICS
from clv_core.evaluation.origins import rolling_origins
from clv_core.evaluation.seasons import season_label
from clv_core.evaluation.slices import slice_label
from clv_core.training.cost import FITS
from clv_core.workspace import read_json
from pages.ui import by_role, charts, forms, judged, progress, state, training, widgets
from pages.ui.state import name_of, percent, t

SEEDS: Final = 2
FOLDS: Final = 5
PARTS: Final = {"blend": ("hybrid", "instant_tuned"), "hybrid": ("mlp", "rnn"), "instant_tuned": ("instant",)}
"""What a model is made of: the first it has to be better than."""
RIVALS: Final = ("paretonbd", "lightgbm", "naive")
"""Whom the page proposes beside BG/NBD, which slices, seasons and the verdict are held against, and the parts."""
SHOWN: Final = (
    "gini",
    "spearman",
    "bias",
    "mae",
    "rmse",
    "decile_mape",
    "auc",
    "coverage80",
    "coverage80_top",
    "width80",
)
SLICED: Final = ("gini", "mae", "bias")
BOTH_VIEWS: Final = ("gini", "spearman", "bias", "mae", "auc")
SPOKEN: Final = ("bgnbd", "lightgbm")
"""Whom the page holds the model against at once; the other verdicts are a click away."""

ICONS: Final = {"beats": "green[:material/trending_up:", "loses": "orange[:material/trending_down:"}
RECORD: Final = "backtest.json"


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


def section(bundle: Bundle) -> None:
    """Show the scoreboard where it is there; else offer to make it, or follow the run that does."""
    st.subheader(t("board.title"), anchor=False)
    path = comparison_folder(state.workspace(), bundle)
    job = progress.latest("backtest", path.name)
    if job and progress.running(job):
        progress.watch(job)
        return
    if (path / RECORD).is_file():
        show(bundle, _load(str(path), (path / RECORD).stat().st_mtime))
        return
    if job and progress.ended(job):
        progress.technical_log(job)
    dataset = state.dataset()
    assert dataset is not None, bundle.id
    _offer(bundle, dataset, path)


def _offer(bundle: Bundle, dataset: Dataset, path: Path) -> None:
    """Let the person choose the other models, and start the comparison."""
    model, origins = bundle.record["model"], _origins(bundle, dataset)
    with st.container(border=True, horizontal_alignment="left"):
        why = st.empty()
        others = st.multiselect(
            t("board.rivals"),
            [name for name in MODEL_IDS if name not in (model, REFERENCE)],
            rivals(model, training.default_model(dataset)),
            format_func=lambda name: name_of("model", name),
            key=f"board_rivals_{bundle.id}",
        )
        models = list(dict.fromkeys((model, REFERENCE, *others)))
        why.write(t("board.why", origins=origins, days=bundle.record["horizon_days"], others=len(models) - 1))
        may = by_role.if_may("train", disabled=len(models) < 2)
        if st.button(t("board.start"), type="primary", icon=":material/leaderboard:", key="start_board", **may):
            state.start_job(command(bundle, models, path), path.name)
            st.rerun()
        st.caption(t("board.cost", time=state.span(seconds(bundle, dataset, models, origins))))


def rivals(model: str, default: str) -> list[str]:
    """Return whom the page proposes to hold a model against, beside BG/NBD.

    Args:
        model: its id.
        default: id of the model that would be trained if nobody named one.
    """
    found = dict.fromkeys((*PARTS.get(model, (default,)), *RIVALS))
    return [name for name in found if name not in (model, REFERENCE)]


def seconds(bundle: Bundle, dataset: Dataset, models: Sequence[str], origins: int) -> float:
    """Return about how long the comparison takes, by how long the model's own training took against its estimate."""
    record = bundle.record
    config = TrainConfig.from_json(record["config"])
    fit = {one: training.expected_cost(dataset, replace(config, model=one)).seconds / FITS for one in models}
    expected = sum(fit[one] * origins * (SEEDS if learns(one) else 1) for one in models)
    ours = fit[record["model"]]
    expected += FOLDS * ours if learns(record["model"]) else 0.0
    return float(record["actual"]["seconds"] / FITS / ours * expected)


def _origins(bundle: Bundle, dataset: Dataset) -> int:
    """Return how many past cutoffs the log allows."""
    first = datetime.fromisoformat(dataset.manifest.first_event).date()
    return len(rolling_origins(first, dataset.log_end, bundle.record["horizon_days"]))


def learns(model: str) -> bool:
    """Say whether a model learns from single customers; else it is trained once, and nobody is new to it."""
    from clv_core.training.fit import MODELS

    return not MODELS[model].baseline


def command(bundle: Bundle, models: Sequence[str], path: Path) -> list[str]:
    """Return the words of the backtest that makes the comparison.

    Args:
        bundle: whose settings all are trained with.
        models: ids, its own first.
        path: folder of what is found.
    """
    record = bundle.record
    config = TrainConfig.from_json(record["config"])
    words = ["backtest", record["dataset"]["name"], "--horizon-days", str(record["horizon_days"])]
    words += ["--seeds", str(SEEDS), "--seed", str(config.seed)]
    words += ["--folds", str(FOLDS)] if learns(record["model"]) else []
    words += ["--models", ",".join(models), "--out", str(path)]
    values = {name: value for name, value in config.to_json().items() if name not in ("model", "seed", "horizon_days")}
    for name, value in forms.changed(TrainConfig, values).items():
        words += ["--set", f"{name}={value}"]
    return words


@st.cache_data(max_entries=4, show_spinner=False)
def _load(path: str, written: float) -> Board:
    files = Path(path)
    record = read_json(files / RECORD)
    tables = (pd.read_csv(files / f"{name}.csv") for name in ("scoreboard", "slices", "seasons", "stability"))
    return Board(record, *tables, pd.read_csv(files / "folds.csv") if "folds" in record else None)


def show(bundle: Bundle, board: Board) -> None:
    """Say in words who beats whom, then the figures by model, by origin, and for parts of the customers."""
    model = bundle.record["model"]
    st.caption(t("board.origins", origins=", ".join(state.day(day) for day in board.record["origins"])))
    spoken = (*PARTS.get(model, ()), *SPOKEN)
    verdicts([item for item in _ours(model, board) if item["other"] in spoken])
    others = [item for item in _ours(model, board) if item["other"] not in spoken]
    if others:
        with st.expander(t("board.more"), icon=":material/list:"):
            verdicts(others)
    widgets.chart(by_origin(model, board), "board_origins")
    st.dataframe(table(bundle, board), hide_index=True, alt=t("board.table"))
    with st.expander(t("board.ranges"), icon=":material/table_chart:"):
        st.dataframe(ranges(bundle, board), hide_index=True, alt=t("board.ranges"))
    st.markdown(f"**{t('board.slices')}**")
    st.dataframe(slices(bundle, board), hide_index=True, alt=t("board.slices"))
    st.markdown(f"**{t('board.seasons')}**")
    st.dataframe(seasons(bundle, board), hide_index=True, alt=t("board.seasons"))
    st.caption(t("board.seasons.once"))
    for line in stability(model, board):
        st.markdown(f":material/sync: {line}")
    if board.folds is not None:
        second_view(bundle, board.record["folds"], board.folds)
    downloads(bundle, board)


def downloads(bundle: Bundle, board: Board) -> None:
    """Offer every table as it was written."""
    tables = {"scoreboard": board.scores, "slices": board.slices, "seasons": board.seasons}
    tables |= {"stability": board.stability} | ({} if board.folds is None else {"folds": board.folds})
    with st.container(horizontal=True):
        for what, frame in tables.items():
            name = widgets.file_name(bundle, what, board.record["origins"][-1], "csv")
            widgets.download(t(f"board.download.{what}"), frame.to_csv(index=False), name, key=f"download_{what}")


def _ours(model: str, board: Board) -> list[dict[str, Any]]:
    return [item for item in board.record["verdicts"] if item["model"] == model and "[" not in item["other"]]


def verdicts(ours: list[dict[str, Any]]) -> None:
    """List what the paired intervals allow to say: wins and losses as sentences, ties by name only."""
    decided = sorted((item for item in ours if item["outcome"] in ICONS), key=lambda item: str(item["outcome"]))
    lines = [f":{ICONS[item['outcome']]}] {t('verdict.' + item['code'], **item['params'])}" for item in decided]
    ties: dict[str, list[str]] = {}
    for item in ours:
        if item["outcome"] == "ties":
            ties.setdefault(item["metric"], []).append(name_of("model", item["other"]))
    for metric, names in ties.items():
        models = ("、" if state.language() == "zh" else ", ").join(names)
        lines.append(f":gray[:material/drag_handle:] {t('board.ties', metric=t(f'metric.{metric}'), models=models)}")
    st.markdown("  \n".join(lines))


def table(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return the figures of all models, averaged over origins and runs, ours first."""
    scores = board.scores.assign(model=board.scores["model"].str.partition("#")[0])
    means = scores.groupby(["model", "metric"])["value"].mean().unstack()
    order = [name for name in board.record["models"] if name in means.index]
    currency = bundle.record["currency"]
    rows = {t("column.model"): [name_of("model", name) for name in order]}
    for metric in (name for name in SHOWN if name in means):
        rows[t(f"metric.{metric}")] = [judged.said(metric, means.loc[name, metric], currency) for name in order]
    return pd.DataFrame(rows)


def ranges(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return every figure of all models at the latest origin with its 95% interval, one row a metric, ours first."""
    latest = board.scores[board.scores["origin"].astype(str) == board.record["origins"][-1]]
    found = {(row.model, row.metric): (row.value, row.low, row.high) for row in latest.itertuples()}
    metrics = [metric for metric in METRICS if metric in set(latest["metric"])]
    currency = bundle.record["currency"]

    def said(model: str, metric: str) -> str:
        if (model, metric) not in found:
            return "–"
        value, low, high = (judged.said(metric, number, currency) for number in found[model, metric])
        return t("board.range", value=value, low=low, high=high)

    shown = {t("column.metric"): [t(f"metric.{metric}") for metric in metrics]}
    for model in board.record["models"]:
        shown[name_of("model", model)] = [said(model, metric) for metric in metrics]
    return pd.DataFrame(shown)


def by_origin(model: str, board: Board) -> go.Figure:
    """Draw the order of spenders (Gini) at each origin with its interval, our model against the others."""
    scores = board.scores[(board.scores["metric"] == "gini") & ~board.scores["model"].str.contains("#")]
    best = scores.loc[scores.groupby("origin")["value"].idxmax()]
    figure = go.Figure()
    for name in board.record["models"]:
        rows = scores[scores["model"] == name].sort_values("origin")
        ours = name == model
        figure.add_scatter(
            x=[state.day(day) for day in rows["origin"]],
            y=rows["value"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["value"],
                "arrayminus": rows["value"] - rows["low"],
                "thickness": 1,
                "visible": ours,
            },
            name=name_of("model", name),
            mode="lines+markers",
            line={"color": charts.PREDICTED, "width": 3} if ours else {"color": charts.BASELINE, "dash": "dash"},
            marker={"size": 9 if ours else 6},
        )
    figure.update_xaxes(title=t("board.origin"), type="category")
    figure.update_yaxes(title=t("metric.gini"))
    first, origins = int((best["model"] == model).sum()), len(best)
    return charts.finish(figure, t("board.first", first=first, origins=origins))


def slices(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return for each part of the customers the figures of our model and of BG/NBD at the latest origin."""
    model, latest = bundle.record["model"], board.record["origins"][-1]
    rows = board.slices[(board.slices["origin"].astype(str) == latest) & board.slices["model"].isin([model, "bgnbd"])]
    keys = ["slice", "customers", "buyers"]
    found = rows.pivot(index=keys, columns=["metric", "model"], values="value").reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(board.slices["slice"]))}
    found = found.sort_values("slice", key=lambda names: names.map(order))
    shown = {
        t("board.slice"): [slice_label(name, state.language()) for name in found["slice"]],
        t("column.customers"): [f"{count:,}" for count in found["customers"]],
        t("board.buyers"): [f"{count:,}" for count in found["buyers"]],
    }
    return pd.DataFrame({**shown, **_beside_bgnbd(found, bundle)})


def seasons(bundle: Bundle, board: Board) -> pd.DataFrame:
    """Return for each season of the predicted span the figures of our model and of BG/NBD."""
    model = bundle.record["model"]
    rows = board.seasons[board.seasons["model"].isin([model, "bgnbd"])]
    found = rows.pivot(index=["season", "origins"], columns=["metric", "model"], values="value").reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(board.seasons["season"]))}
    found = found.sort_values("season", key=lambda names: names.map(order))
    shown = {
        t("board.season"): [season_label(name, state.language()) for name in found["season"]],
        t("board.season.origins"): [f"{count:,}" for count in found["origins"]],
    }
    return pd.DataFrame({**shown, **_beside_bgnbd(found, bundle)})


def second_view(bundle: Bundle, said: dict[str, Any], folds: pd.DataFrame) -> None:
    """Say whether the model leans on having seen the same customers, and show the figures of both views."""
    st.markdown(f"**{t('board.folds')}**")
    st.caption(t("board.folds.why", folds=said["folds"]))
    if "code" in said:
        sign = ICONS["loses" if said["outcome"] == "leans" else "beats"]
        st.markdown(f":{sign}] {t('folds.' + said['outcome'], **said['params'])}")
    st.dataframe(views(bundle, folds), hide_index=True, alt=t("board.folds"))


def views(bundle: Bundle, folds: pd.DataFrame) -> pd.DataFrame:
    """Return the figures over all customers that were seen and that were not, and the range over the parts."""
    currency = bundle.record["currency"]
    together = folds[folds["fold"] == 0].pivot(index="view", columns="metric", values="value")
    parts = folds[(folds["fold"] > 0) & (folds["view"] == "unseen")].groupby("metric")["value"].agg(["min", "max"])
    shown = {t("board.folds.view"): [t("board.folds.plain"), t("board.folds.unseen"), t("board.folds.range")]}
    for metric in (name for name in BOTH_VIEWS if name in together and name in parts.index):
        ends = " – ".join(judged.said(metric, value, currency) for value in parts.loc[metric])
        values = [judged.said(metric, together.loc[view, metric], currency) for view in ("plain", "unseen")]
        shown[t(f"metric.{metric}")] = [*values, ends]
    return pd.DataFrame(shown)


def _beside_bgnbd(found: pd.DataFrame, bundle: Bundle) -> dict[str, list[str]]:
    """Return the columns of the figures :data:`SLICED`, our model's and BG/NBD's, as shown."""
    model, currency = bundle.record["model"], bundle.record["currency"]
    shown: dict[str, list[str]] = {}
    for metric in SLICED:
        for name in dict.fromkeys((model, "bgnbd")):
            if (metric, name) in found:
                shown[f"{t(f'metric.{metric}')} · {name_of('model', name)}"] = [
                    judged.said(metric, value, currency) if pd.notna(value) else "–" for value in found[metric, name]
                ]
    return shown


def stability(model: str, board: Board) -> list[str]:
    """Return how much of the top decile stays when the model is trained again, and from one cutoff to the next."""
    return [
        t(f"board.stable.{item['between']}", overlap=percent(item["overlap"]))
        for item in board.record["stability"]
        if item["model"] == model
    ]
