"""Better settings for one log: start the search, follow it, see what it was worth, take the settings over."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.commands.training import words_of
from clv_core.config import TrainConfig
from clv_core.deployment.saved_evaluation import find_tuning
from clv_core.evaluation.tune import SEARCHED_AS, TUNABLE
from clv_core.evaluation.tuned import STARTS
from clv_core.training.cost import Cost
from pages.ui import by_role, cells, judged, progress, saying, state
from pages.ui.saying import name_of, t
from pages.ui.train import forms, training

ORIGINS: Final = 3
TRIALS: Final = (10, 20, 40, 80)
SPOKEN: Final = ("gini", "mae", "bias")


def section(dataset: Dataset, config: TrainConfig, cost: Cost) -> None:
    """Offer the search from the form's settings; show the run, or what an earlier one from or to them found.

    Args:
        dataset: the one in use.
        config: horizon and settings of the form; those that are not searched hold for every trial.
        cost: of one training with it.
    """
    job = progress.latest("tune", dataset.name)
    if job and progress.running(job):
        progress.watch(job)
        return
    progress.unsettled(job)
    if config.model not in TUNABLE:
        st.caption(t("tune.not_this_model", models=saying.listed(name_of("model", name) for name in TUNABLE)))
        return
    found = find_tuning(dataset, config)
    if found:
        currency = dataset.manifest.currency
        show(found, training.of(dataset), currency, taken_over=found["config"] != config.to_json())
    st.write(t("tune.why", origins=ORIGINS))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        trials = st.selectbox(t("tune.trials"), TRIALS, index=1, key="tune_trials", width=160)
        if st.button(t("tune.start"), icon=":material/tune:", key="start_tuning", **by_role.if_may("train")):
            start(dataset, config, trials)
            st.rerun()
        st.caption(t("tune.cost", time=saying.span(cost.seconds / 2 * (ORIGINS * trials + 2 * STARTS))))


def start(dataset: Dataset, config: TrainConfig, trials: int) -> None:
    """Start the search as a job, with the model and the settings that differ from their defaults."""
    command = ["tune", dataset.name, *words_of(config)]
    state.start_job([*command, "--trials", str(trials), "--origins", str(ORIGINS)], dataset.name)


def show(found: dict[str, Any], of: str, currency: str, *, taken_over: bool) -> None:
    """Say what the search found and what it was worth where it had not looked, and offer the settings.

    Args:
        found: of :func:`~clv_core.deployment.saved_evaluation.find_tuning`.
        of: what the form's settings are kept under.
        currency: of the log; may be empty.
        taken_over: whether the form holds the settings already.
    """
    gain = 1 - found["loss"] / found["default_loss"]
    tried = len(found["trials"])
    chosen_on = t("tune.chosen_on", origins=saying.listed(saying.day(origin) for origin in found["origins"]))
    if not found["advantage"]:
        st.markdown(f":material/check: {t('tune.default_is_best', trials=tried)}")
        st.caption(chosen_on)
        return
    st.markdown(f"**{t('tune.found', trials=tried, gain=saying.percent(gain, 1))}**")
    part = SEARCHED_AS.get(found["config"]["model"])
    if part:
        st.caption(t("tune.part", part=name_of("model", part)))
    known = [name for name in SPOKEN if name in found["advantage"]]
    rows = {
        t("column.metric"): [t(f"metric.{name}") for name in known],
        t("tune.better_by"): [_said(name, found["advantage"][name], currency) for name in known],
    }
    st.caption(chosen_on)
    starts = found.get("starts", 1)
    said = t("tune.judged" if starts > 1 else "tune.judged.once", origin=saying.day(found["origin"]), starts=starts)
    st.caption(said)
    cells.table(pd.DataFrame(rows), t("tune.better_by"))
    settings = [
        f"{t(f'config.{name}')}: {value:.4g}" if isinstance(value, float) else f"{t(f'config.{name}')}: {value}"
        for name, value in found["settings"].items()
    ]
    st.caption(" · ".join(settings))
    st.button(
        t("tune.use"),
        icon=":material/done_all:",
        key="use_tuned",
        on_click=_use,
        args=(found["settings"], of),
        disabled=taken_over,
    )


def _said(metric: str, advantage: dict[str, float], currency: str) -> str:
    value, low, high = (judged.said(metric, advantage[key], currency) for key in ("value", "low", "high"))
    return t("tune.range", value=value, low=low, high=high)


def _use(settings: dict[str, Any], of: str) -> None:
    for name, value in settings.items():
        st.session_state[forms.key_of(name, of)] = value
