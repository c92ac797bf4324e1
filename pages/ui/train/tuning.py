"""Better settings for one log: start the search, follow it, see what it was worth, take the settings over."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.config import TrainConfig, config_words
from clv_core.deployment import find_tuning
from clv_core.evaluation import SEARCHED_AS, STARTS, TUNABLE, with_role
from clv_core.records import JsonObject
from clv_core.training import Cost
from pages.ui import access, cells, evaluation_charts, i18n, progress
from pages.ui.i18n import name_of, t
from pages.ui.train import training

ORIGINS: Final = 3
"""Cutoffs that a search scores on: one alone overfits, and each adds a training to a trial. A guess."""
TRIALS: Final = (10, 20, 40, 80)
"""Numbers of trials to choose from; cost doubles at each step."""
SPOKEN: Final = with_role("tuned")


def section(dataset: Dataset, config: TrainConfig, cost: Cost) -> None:
    """Offer the search from the form's settings; show the run, or the result of an earlier one from or to them."""
    job = progress.latest_run("tune", dataset.name)
    if job and progress.is_running(job):
        progress.watch(job)
        return
    progress.show_failure(job)
    if config.model not in TUNABLE:
        st.caption(t("tune.not_this_model", models=i18n.join_names(name_of("model", name) for name in TUNABLE)))
        return
    result = find_tuning(dataset, config)
    if result:
        currency = dataset.manifest.currency
        show(result, training.form_id(dataset), currency, taken_over=TrainConfig.from_json(result["config"]) != config)
    st.write(t("tune.why", origins=ORIGINS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        trials = st.selectbox(t("tune.trials"), TRIALS, index=1, key="tune_trials", width=160)
        if st.button(t("tune.start"), icon=":material/tune:", key="start_tuning", **access.if_may("train")):
            start(dataset, config, trials)
            st.rerun()
        st.caption(t("tune.cost", time=i18n.span(cost.seconds / 2 * (ORIGINS * trials + 2 * STARTS))))


def start(dataset: Dataset, config: TrainConfig, trials: int) -> None:
    """Start the search as a job, with the model and the settings that differ from their defaults."""
    command = ["tune", dataset.name, *config_words(config)]
    progress.start_job([*command, "--trials", str(trials), "--origins", str(ORIGINS)], dataset.name)


def show(result: JsonObject, form: str, currency: str, *, taken_over: bool) -> None:
    """Show the search's result with its gain on held-out cutoffs, and offer the settings.

    Args:
        result: of :func:`~clv_core.deployment.saved_evaluation.find_tuning`.
        form: of :func:`~pages.ui.train.training.form_id`.
        currency: of the log; may be empty.
        taken_over: whether the form holds the settings already.
    """
    gain = 1 - result["loss"] / result["default_loss"]
    tried = len(result["trials"])
    chosen_on = t("tune.chosen_on", origins=i18n.join_names(i18n.day(origin) for origin in result["origins"]))
    if not result["advantage"]:
        st.markdown(f":material/check: {t('tune.default_is_best', trials=tried)}")
        st.caption(chosen_on)
        return
    st.markdown(f"**{t('tune.found', trials=tried, gain=i18n.percent(gain, 1))}**")
    part = SEARCHED_AS.get(result["config"]["model"])
    if part:
        st.caption(t("tune.part", part=name_of("model", part)))
    metrics = [name for name in SPOKEN if name in result["advantage"]]
    rows = {
        t("column.metric"): [t(f"metric.{name}") for name in metrics],
        t("tune.better_by"): [_range(name, result["advantage"][name], currency) for name in metrics],
    }
    st.caption(chosen_on)
    starts = result.get("starts", 1)
    note = t("tune.judged" if starts > 1 else "tune.judged.once", origin=i18n.day(result["origin"]), starts=starts)
    st.caption(note)
    cells.table(pd.DataFrame(rows), t("tune.better_by"))
    settings = [
        f"{t(f'config.{name}')}: {value:.4g}" if isinstance(value, float) else f"{t(f'config.{name}')}: {value}"
        for name, value in result["settings"].items()
    ]
    st.caption(" · ".join(settings))
    st.button(
        t("tune.use"),
        icon=":material/done_all:",
        key="use_tuned",
        on_click=_use,
        args=(result["settings"], form),
        disabled=taken_over,
    )


def _range(metric: str, advantage: dict[str, float], currency: str) -> str:
    value, low, high = (
        evaluation_charts.metric_text(metric, advantage[key], currency) for key in ("value", "low", "high")
    )
    return t("tune.range", value=value, low=low, high=high)


def _use(settings: JsonObject, form: str) -> None:
    for name, value in settings.items():
        st.session_state[training.key_of(name, form)] = value
