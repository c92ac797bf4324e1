"""The model compared with others on rolling origins: the run that does it, who is better, how steady its list is.

Below, the tables: all models with their intervals, parts of the customers, seasons, and those who were never seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.config import MODEL_IDS, set_words
from clv_core.deployment import Bundle, Scored, backtest_folder
from clv_core.evaluation import METRICS, REFERENCE, season_label, slice_label, with_role
from clv_core.plot import BASELINE, PREDICTED, Chart, drawn
from clv_core.strategy.audiences import inert_csv, with_currency
from clv_core.training import HELD_OUT_TAKES, rolling_origins
from clv_core.workspace import read_json
from pages.ui import access, cells, evaluation_charts, i18n, page_files, progress, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import name_of, percent, t
from pages.ui.page_files import file_name
from pages.ui.train import training

SEEDS: Final = 2
"""Seeds of each model that learns, for each cutoff: the fewest that show a spread, as each one costs a training."""
CUTOFFS: Final = (1, 3)
"""Numbers of past cutoffs to choose from, besides all that the log allows; 1 is the latest alone."""
FOLDS: Final = 5
"""Folds of customers in the second view of the same data; each costs a training. The common 5 of cross-validation."""
PARTS: Final = {"blend": ("hybrid", "instant_tuned"), "hybrid": ("mlp", "rnn"), "instant_tuned": ("instant",)}
"""What a model is made of: the first it has to be better than."""
UNTAUGHT: Final = ("instant", "naive", "bgnbd", "paretonbd")
"""The baselines among ``MODELS``, by name: the table itself brings torch, which this page does without."""
RIVALS: Final = ("paretonbd", "lightgbm", "naive")
"""Models that the page proposes besides BG/NBD (the reference of slices, seasons and verdict) and the parts."""
SPOKEN: Final = ("bgnbd", "lightgbm")
"""Models whose verdicts are shown at once; the others are a click away."""

ICONS: Final = {"beats": "green[:material/trending_up:", "loses": "orange[:material/trending_down:"}
TIE: Final = "gray[:material/drag_handle:"
SIGNS: Final = {"leans": ICONS["loses"], "holds": ICONS["beats"], "unsure": TIE}


def members(weights: Mapping[str, float]) -> str:
    """Return the members of a blend in words, the one that counts most first."""
    order = sorted(weights, key=lambda name: -weights[name])
    return i18n.join_names(f"{name_of('model', name)} {percent(weights[name])}" for name in order)


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
    scored = session.scored(dataset, bundle)
    if (path / RECORD).is_file():
        show(bundle, load_board(path / RECORD))
        with st.expander(t("board.again"), icon=":material/restart_alt:"):
            offer_run(scored, path)
        return
    progress.show_failure(job)
    offer_run(scored, path)


def show(bundle: Bundle, board: Board) -> None:
    """Say in words who beats whom, then the figures by model, by origin, and for parts of the customers."""
    model = bundle.record.model
    st.caption(t("board.origins", origins=i18n.join_names(i18n.day(day) for day in board.record["origins"])))
    spoken = (*PARTS.get(model, ()), *SPOKEN)
    verdicts([item for item in _ours(model, board) if item["other"] in spoken])
    remaining = [item for item in _ours(model, board) if item["other"] not in spoken]
    if remaining:
        with st.expander(t("board.more"), icon=":material/list:"):
            verdicts(remaining)
    widgets.chart(by_origin(model, board), "board_origins")
    cells.table(table(bundle, board), t("board.table"))
    with st.expander(t("board.ranges"), icon=":material/table_chart:"):
        cells.table(ranges(bundle, board), t("board.ranges"))
    st.markdown(f"**{t('board.slices')}**")
    cells.table(slices(bundle, board), t("board.slices"))
    st.markdown(f"**{t('board.seasons')}**")
    cells.table(seasons(bundle, board), t("board.seasons"))
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
    tables = {what: with_currency(frame, bundle.record.currency) for what, frame in tables.items()}
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
    """Return the parameters of a verdict's text, with the models' displayed names."""
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


def second_view(bundle: Bundle, fold_result: dict[str, Any], folds: pd.DataFrame) -> None:
    """Return whether the model leans on having seen the same customers, and show the figures of both views."""
    st.markdown(f"**{t('board.folds')}**")
    st.caption(t("board.folds.why", folds=fold_result["folds"]))
    if "code" in fold_result:
        st.markdown(
            f":{SIGNS[fold_result['outcome']]}] {t('folds.' + fold_result['outcome'], **fold_result['params'])}"
        )
    cells.table(views(bundle, folds), t("board.folds"))


def stability(model: str, board: Board) -> list[str]:
    """Return how much of the top decile stays when the model is trained again, and from one cutoff to the next."""
    return [
        t(f"board.stable.{item['between']}", overlap=percent(item["overlap"]))
        for item in board.record["stability"]
        if item["model"] == model
    ]


def offer_run(scored: Scored, path: Path) -> None:
    """Let the person choose the other models, and start the comparison."""
    bundle, dataset = scored.model, scored.dataset
    model = bundle.record.model
    allowed = len(rolling_origins(dataset.log_start, dataset.log_end, bundle.record.horizon_days))
    with st.container(border=True, horizontal_alignment="left"):
        why = st.empty()
        selected_rivals = st.multiselect(
            t("board.rivals"),
            [name for name in MODEL_IDS if name not in (model, REFERENCE)],
            rivals(model, training.default_model(dataset)),
            format_func=lambda name: name_of("model", name),
            key=f"board_rivals_{bundle.id}",
            placeholder=t("streamlit.choose_several"),
        )
        counts = [count for count in CUTOFFS if count < allowed] + [allowed]
        selected_count = st.segmented_control(
            t("board.cutoffs"),
            counts,
            format_func=lambda count: t("board.cutoffs.one") if count == 1 else str(count),
            default=counts[0],
            required=True,
            key=f"board_cutoffs_{bundle.id}",
            help=t("board.cutoffs.help"),
        )
        origins = int(selected_count or counts[0])
        models = list(dict.fromkeys((model, REFERENCE, *selected_rivals)))
        why.write(t("board.why", origins=origins, days=bundle.record.horizon_days, others=len(models) - 1))
        may = access.if_may("train", disabled=len(models) < 2)
        if st.button(t("board.start"), type="primary", icon=":material/leaderboard:", key="start_board", **may):
            progress.start_job(command(bundle, models, path, origins), path.name)
            st.rerun()
        st.caption(t("board.cost", time=i18n.span(seconds(scored, models, origins))))


def rivals(model: str, default: str) -> list[str]:
    """Return the models that the page proposes to compare with, in addition to BG/NBD.

    ``default`` is the model that would be trained if nobody named one.
    """
    candidates = dict.fromkeys((*PARTS.get(model, (default,)), *RIVALS))
    return [name for name in candidates if name not in (model, REFERENCE)]


def seconds(scored: Scored, models: Sequence[str], origins: int) -> float:
    """Return about how long the comparison takes on this machine."""
    config = scored.model.record.train_config
    cost = {name: training.expected_cost(scored.dataset, replace(config, model=name)).seconds for name in models}
    fit = {name: HELD_OUT_TAKES * seconds for name, seconds in cost.items()}
    seeds, model = SEEDS if origins > 1 else 1, config.model
    expected = sum(fit[name] * origins * (seeds if learns(name) else 1) for name in models)
    return expected + (FOLDS * fit[model] if learns(model) and origins > 1 else 0.0)


def learns(model: str) -> bool:
    """Return whether a model learns from single customers; others are trained once and have no unseen customers."""
    return model not in UNTAUGHT


def command(bundle: Bundle, models: Sequence[str], path: Path, origins: int) -> list[str]:
    """Return the words of the backtest that makes the comparison.

    Args:
        bundle: whose settings all are trained with.
        models: ids, its own first.
        path: folder of the results.
        origins: past cutoffs at most; the second view on customers never seen is left out of the short comparison.
    """
    record = bundle.record
    config = record.train_config
    words = ["backtest", record.dataset.name, "--horizon-days", str(record.horizon_days)]
    words += ["--seeds", str(SEEDS if origins > 1 else 1), "--seed", str(config.seed)]
    words += ["--origins", str(origins)]
    words += ["--folds", str(FOLDS)] if learns(record.model) and origins > 1 else []
    words += ["--models", ",".join(models), "--out", str(path)]
    return words + set_words(config)


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
    return pd.DataFrame({**columns, **_against_bgnbd(pivoted, bundle)})


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
    return pd.DataFrame({**columns, **_against_bgnbd(pivoted, bundle)})


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


def _against_bgnbd(pivoted: pd.DataFrame, bundle: Bundle) -> dict[str, list[str]]:
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
