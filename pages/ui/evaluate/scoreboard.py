"""The model beside all others on rolling origins: who beats whom, for which customers, and how steady its list is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.deployment.saved_evaluation import backtest_folder
from clv_core.strategy.audiences.readable_columns import with_currency
from clv_core.strategy.audiences.spreadsheet_safety import inert_csv
from clv_core.workspace import read_json
from pages.ui import cells, i18n, page_files, progress, session, widgets
from pages.ui.charts.drawing import BASELINE, PREDICTED, Chart, drawn
from pages.ui.evaluate import scoreboard_run, scoreboard_tables
from pages.ui.evaluate.scoreboard_tables import Board
from pages.ui.i18n import name_of, percent, t
from pages.ui.page_files import file_name

SPOKEN: Final = ("bgnbd", "lightgbm")
"""Whom the page holds the model against at once; the other verdicts are a click away."""

ICONS: Final = {"beats": "green[:material/trending_up:", "loses": "orange[:material/trending_down:"}
TIE: Final = "gray[:material/drag_handle:"
SIGNS: Final = {"leans": ICONS["loses"], "holds": ICONS["beats"], "unsure": TIE}
RECORD: Final = "backtest.json"


def section(bundle: Bundle) -> None:
    """Show the scoreboard where it is there; else offer to make it, or follow the run that does."""
    st.header(t("board.title"), anchor=False)
    path = backtest_folder(session.workspace(), bundle)
    job = progress.latest_run("backtest", path.name)
    if job and progress.is_running(job):
        progress.watch(job)
        return
    dataset = session.dataset()
    assert dataset is not None, bundle.id
    if (path / RECORD).is_file():
        show(bundle, _load(str(path), (path / RECORD).stat().st_mtime))
        with st.expander(t("board.again"), icon=":material/restart_alt:"):
            scoreboard_run.offer(bundle, dataset, path)
        return
    progress.show_failure(job)
    scoreboard_run.offer(bundle, dataset, path)


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(path: str, written: float) -> Board:
    files = Path(path)
    record = read_json(files / RECORD)
    names = ("scoreboard", "slices", "seasons", "stability")
    scores, slices, seasons, steady = (pd.read_csv(files / f"{name}.csv") for name in names)
    folds = pd.read_csv(files / "folds.csv") if "folds" in record else None
    return Board(record, scores, slices, seasons, steady, folds)


def show(bundle: Bundle, board: Board) -> None:
    """Say in words who beats whom, then the figures by model, by origin, and for parts of the customers."""
    model = bundle.record["model"]
    st.caption(t("board.origins", origins=i18n.join_names(i18n.day(day) for day in board.record["origins"])))
    spoken = (*scoreboard_run.PARTS.get(model, ()), *SPOKEN)
    verdicts([item for item in _ours(model, board) if item["other"] in spoken])
    others = [item for item in _ours(model, board) if item["other"] not in spoken]
    if others:
        with st.expander(t("board.more"), icon=":material/list:"):
            verdicts(others)
    widgets.chart(by_origin(model, board), "board_origins")
    cells.table(scoreboard_tables.table(bundle, board), t("board.table"))
    with st.expander(t("board.ranges"), icon=":material/table_chart:"):
        cells.table(scoreboard_tables.ranges(bundle, board), t("board.ranges"))
    st.markdown(f"**{t('board.slices')}**")
    cells.table(scoreboard_tables.slices(bundle, board), t("board.slices"))
    st.markdown(f"**{t('board.seasons')}**")
    cells.table(scoreboard_tables.seasons(bundle, board), t("board.seasons"))
    st.caption(t("board.seasons.once"))
    for line in stability(model, board):
        st.markdown(f":material/sync: {line}")
    if board.folds is not None:
        second_view(bundle, board.record["folds"], board.folds)
    downloads(bundle, board)


def downloads(bundle: Bundle, board: Board) -> None:
    """Offer every table as it was written."""
    tables = {"scoreboard": board.scores, "slices": board.slices, "seasons": board.seasons}
    tables |= {} if board.folds is None else {"folds": board.folds}
    tables = {what: with_currency(frame, bundle.record["currency"]) for what, frame in tables.items()}
    tables["stability"] = board.stability
    with st.container(horizontal=True):
        for what, frame in tables.items():
            name = file_name(bundle, what, board.record["origins"][-1], "csv")
            page_files.download(t(f"board.download.{what}"), inert_csv(frame), name, key=f"download_{what}")


def _ours(model: str, board: Board) -> list[dict[str, Any]]:
    return [item for item in board.record["verdicts"] if item["model"] == model and "[" not in item["other"]]


def verdicts(ours: list[dict[str, Any]]) -> None:
    """List what the paired intervals allow to say: wins and losses as sentences, ties by name only."""
    decided = sorted((item for item in ours if item["outcome"] in ICONS), key=lambda item: str(item["outcome"]))
    lines = [f":{ICONS[item['outcome']]}] {t('verdict.' + item['code'], **_named(item))}" for item in decided]
    ties: dict[tuple[str, str], list[str]] = {}
    for item in ours:
        if item["outcome"] == "ties":
            key = "board.once" if item["code"].endswith(".once") else "board.ties"
            ties.setdefault((key, item["metric"]), []).append(name_of("model", item["other"]))
    for (key, metric), names in ties.items():
        models = i18n.join_names(names)
        lines.append(f":{TIE}] {t(key, metric=t(f'metric.{metric}'), models=models)}")
    st.markdown("  \n".join(lines))


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """Return what a verdict says, its models called as everywhere on the page."""
    return {**item["params"], **{who: name_of("model", item[who]) for who in ("model", "other")}}


def by_origin(model: str, board: Board) -> Chart:
    """Draw the order of spenders (Gini) at each origin with its interval, our model against the others."""
    scores = board.scores[(board.scores["metric"] == "gini") & ~board.scores["model"].str.contains("#")]
    traces = []
    for name in board.record["models"]:
        rows = scores[scores["model"] == name].sort_values("origin")
        ours = name == model
        error = {
            "type": "data",
            "symmetric": False,
            "array": rows["high"] - rows["value"],
            "arrayminus": rows["value"] - rows["low"],
            "thickness": 1,
            "visible": ours,
        }
        traces.append(
            dict(
                type="scatter",
                x=[i18n.day(day) for day in rows["origin"]],
                y=rows["value"],
                error_y=error,
                name=name_of("model", name),
                mode="lines+markers",
                line={"color": PREDICTED, "width": 3} if ours else {"color": BASELINE, "dash": "dash"},
                marker={"size": 9 if ours else 6},
            )
        )
    x, y = {"title": t("board.origin"), "type": "category"}, {"title": t("metric.gini")}
    return drawn(traces, _ranking(model, board), x=x, y=y)


def _ranking(model: str, board: Board) -> str:
    """Say how many of the others the model ranks surely better or worse than, over all cutoffs."""
    outcomes = [item["outcome"] for item in _ours(model, board) if item["metric"] == "gini"]
    count = {outcome: outcomes.count(outcome) for outcome in ("beats", "ties", "loses")}
    return t("board.ranking", **count)


def second_view(bundle: Bundle, said: dict[str, Any], folds: pd.DataFrame) -> None:
    """Say whether the model leans on having seen the same customers, and show the figures of both views."""
    st.markdown(f"**{t('board.folds')}**")
    st.caption(t("board.folds.why", folds=said["folds"]))
    if "code" in said:
        st.markdown(f":{SIGNS[said['outcome']]}] {t('folds.' + said['outcome'], **said['params'])}")
    cells.table(scoreboard_tables.views(bundle, folds), t("board.folds"))


def stability(model: str, board: Board) -> list[str]:
    """Return how much of the top decile stays when the model is trained again, and from one cutoff to the next."""
    return [
        t(f"board.stable.{item['between']}", overlap=percent(item["overlap"]))
        for item in board.record["stability"]
        if item["model"] == model
    ]
