"""The model beside all others on rolling origins: who beats whom, for which customers, and how steady its list is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from clv_core.config import TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.past import comparison_folder
from clv_core.evaluation.origins import MOST_ORIGINS, rolling_origins
from clv_core.evaluation.seasons import season_label
from clv_core.evaluation.slices import slice_label
from clv_core.training.cost import FITS
from clv_core.workspace import read_json
from pages.ui import by_role, charts, forms, judged, progress, state, widgets
from pages.ui.state import name_of, percent, t

SEEDS: Final = 2
FOLDS: Final = 5
RIVALS: Final = ("bgnbd", "paretonbd", "lightgbm", "mlp", "rnn", "naive")
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
STEADY: Final = ("naive", "bgnbd", "paretonbd")
"""Models that do not learn from single customers: seen or not, they are predicted alike."""


@dataclass(frozen=True)
class Board:
    """What a backtest left behind.

    Args:
        record: its JSON: origins, models, verdicts, stability.
        scores: origin, model, metric, value, low, high.
        slices: origin, slice, model, customers, buyers, metric, value.
        seasons: season, origins, model, customers, buyers, metric, value.
        folds: view, fold, metric, value of the model's second view; None where it has none.
    """

    record: dict[str, Any]
    scores: pd.DataFrame
    slices: pd.DataFrame
    seasons: pd.DataFrame
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
    origins = _origins(bundle)
    with st.container(border=True, horizontal_alignment="left"):
        st.write(t("board.why", origins=origins, days=bundle.record["horizon_days"], others=len(_rivals(bundle))))
        may = by_role.if_may("train")
        if st.button(t("board.start"), type="primary", icon=":material/leaderboard:", key="start_board", **may):
            state.start_job(_command(bundle, path), path.name)
            st.rerun()
        took = bundle.record["actual"]["seconds"]
        trainings = origins * SEEDS + (FOLDS / FITS if _learns(bundle) else 0)
        st.caption(t("board.cost", time=state.span(took * trainings)))


def _origins(bundle: Bundle) -> int:
    """Return how many past cutoffs the log allows."""
    dataset = state.dataset()
    if dataset is None:
        return MOST_ORIGINS
    first = datetime.fromisoformat(dataset.manifest.first_event).date()
    return len(rolling_origins(first, dataset.log_end, bundle.record["horizon_days"]))


def _learns(bundle: Bundle) -> bool:
    return bundle.record["model"] not in STEADY


def _rivals(bundle: Bundle) -> list[str]:
    return [name for name in RIVALS if name != bundle.record["model"]]


def _command(bundle: Bundle, path: Path) -> list[str]:
    record = bundle.record
    model, config = record["model"], TrainConfig.from_json(record["config"])
    models = [model, *_rivals(bundle)]
    command = ["backtest", record["dataset"]["name"], "--horizon-days", str(record["horizon_days"])]
    command += ["--seeds", str(SEEDS), "--seed", str(config.seed)]
    command += ["--folds", str(FOLDS)] if _learns(bundle) else []
    command += ["--models", ",".join(models), "--out", str(path)]
    values = {name: value for name, value in config.to_json().items() if name not in ("model", "seed", "horizon_days")}
    for name, value in forms.changed(TrainConfig, values).items():
        command += ["--set", f"{name}={value}"]
    return command


@st.cache_data(max_entries=4, show_spinner=False)
def _load(path: str, written: float) -> Board:
    files = Path(path)
    record = read_json(files / RECORD)
    tables = (pd.read_csv(files / f"{name}.csv") for name in ("scoreboard", "slices", "seasons"))
    return Board(record, *tables, pd.read_csv(files / "folds.csv") if "folds" in record else None)


def show(bundle: Bundle, board: Board) -> None:
    """Say in words who beats whom, then the figures by model, by origin, and for parts of the customers."""
    model = bundle.record["model"]
    st.caption(t("board.origins", origins=", ".join(state.day(day) for day in board.record["origins"])))
    verdicts([item for item in _ours(model, board) if item["other"] in SPOKEN])
    with st.expander(t("board.more"), icon=":material/list:"):
        verdicts([item for item in _ours(model, board) if item["other"] not in SPOKEN])
    widgets.chart(by_origin(model, board), "board_origins")
    st.dataframe(table(bundle, board), hide_index=True, alt=t("board.table"))
    st.markdown(f"**{t('board.slices')}**")
    st.dataframe(slices(bundle, board), hide_index=True, alt=t("board.slices"))
    st.markdown(f"**{t('board.seasons')}**")
    st.dataframe(seasons(bundle, board), hide_index=True, alt=t("board.seasons"))
    st.caption(t("board.seasons.once"))
    for line in stability(model, board):
        st.markdown(f":material/sync: {line}")
    if board.folds is not None:
        second_view(bundle, board.record["folds"], board.folds)
    with st.container(horizontal=True):
        for what, frame in (("scoreboard", board.scores), ("slices", board.slices)):
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
    return pd.DataFrame({**shown, **_beside_bgnbd(found, model)})


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
    return pd.DataFrame({**shown, **_beside_bgnbd(found, model)})


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


def _beside_bgnbd(found: pd.DataFrame, model: str) -> dict[str, list[str]]:
    """Return the columns of the figures :data:`SLICED`, our model's and BG/NBD's, as shown."""
    shown = {}
    for metric in SLICED:
        for name in dict.fromkeys((model, "bgnbd")):
            if (metric, name) in found:
                values = [judged.said(metric, value) if pd.notna(value) else "–" for value in found[metric, name]]
                shown[f"{t(f'metric.{metric}')} · {name_of('model', name)}"] = values
    return shown


def stability(model: str, board: Board) -> list[str]:
    """Return how much of the top decile stays when the model is trained again, and from one cutoff to the next."""
    return [
        t(f"board.stable.{item['between']}", overlap=percent(item["overlap"]))
        for item in board.record["stability"]
        if item["model"] == model
    ]
