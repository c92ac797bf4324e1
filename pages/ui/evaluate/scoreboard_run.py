"""How a model comes to stand beside others on rolling origins: whom it is held against, and the run that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.config import MODEL_IDS, TrainConfig
from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.evidence import REFERENCE
from clv_core.evaluation.origins import rolling_origins
from clv_core.training.cost import FITS
from pages.ui import by_role, saying, state
from pages.ui.saying import name_of, t
from pages.ui.train import forms, training

SEEDS: Final = 2
CUTOFFS: Final = (1, 3)
"""Numbers of past cutoffs to choose from, beside all that the log allows; one is the latest alone."""
FOLDS: Final = 5
PARTS: Final = {"blend": ("hybrid", "instant_tuned"), "hybrid": ("mlp", "rnn"), "instant_tuned": ("instant",)}
"""What a model is made of: the first it has to be better than."""
UNTAUGHT: Final = ("instant", "naive", "bgnbd", "paretonbd")
"""The baselines among ``MODELS``, by name: the table itself brings torch, which this page does without."""
RIVALS: Final = ("paretonbd", "lightgbm", "naive")
"""Whom the page proposes beside BG/NBD, which slices, seasons and the verdict are held against, and the parts."""


def offer(bundle: Bundle, dataset: Dataset, path: Path) -> None:
    """Let the person choose the other models, and start the comparison."""
    model, allowed = bundle.record["model"], _origins(bundle, dataset)
    with st.container(border=True, horizontal_alignment="left"):
        why = st.empty()
        others = st.multiselect(
            t("board.rivals"),
            [name for name in MODEL_IDS if name not in (model, REFERENCE)],
            rivals(model, training.default_model(dataset)),
            format_func=lambda name: name_of("model", name),
            key=f"board_rivals_{bundle.id}",
            placeholder=t("streamlit.choose_several"),
        )
        counts = [count for count in CUTOFFS if count < allowed] + [allowed]
        chosen = st.segmented_control(
            t("board.cutoffs"),
            counts,
            format_func=lambda count: t("board.cutoffs.one") if count == 1 else str(count),
            default=counts[0],
            required=True,
            key=f"board_cutoffs_{bundle.id}",
            help=t("board.cutoffs.help"),
        )
        origins = int(chosen or counts[0])
        models = list(dict.fromkeys((model, REFERENCE, *others)))
        why.write(t("board.why", origins=origins, days=bundle.record["horizon_days"], others=len(models) - 1))
        may = by_role.if_may("train", disabled=len(models) < 2)
        if st.button(t("board.start"), type="primary", icon=":material/leaderboard:", key="start_board", **may):
            state.start_job(command(bundle, models, path, origins), path.name)
            st.rerun()
        st.caption(t("board.cost", time=saying.span(seconds(bundle, dataset, models, origins))))


def rivals(model: str, default: str) -> list[str]:
    """Return whom the page proposes to hold a model against, beside BG/NBD.

    Args:
        model: its id.
        default: id of the model that would be trained if nobody named one.
    """
    found = dict.fromkeys((*PARTS.get(model, (default,)), *RIVALS))
    return [name for name in found if name not in (model, REFERENCE)]


def seconds(bundle: Bundle, dataset: Dataset, models: Sequence[str], origins: int) -> float:
    """Return about how long the comparison takes on this machine."""
    config = TrainConfig.from_json(bundle.record["config"])
    fit = {one: training.expected_cost(dataset, replace(config, model=one)).seconds / FITS for one in models}
    seeds, model = SEEDS if origins > 1 else 1, bundle.record["model"]
    expected = sum(fit[one] * origins * (seeds if learns(one) else 1) for one in models)
    return expected + (FOLDS * fit[model] if learns(model) and origins > 1 else 0.0)


def _origins(bundle: Bundle, dataset: Dataset) -> int:
    """Return how many past cutoffs the log allows."""
    return len(rolling_origins(dataset.log_start, dataset.log_end, bundle.record["horizon_days"]))


def learns(model: str) -> bool:
    """Say whether a model learns from single customers; else it is trained once, and nobody is new to it."""
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
    config = TrainConfig.from_json(record["config"])
    words = ["backtest", record["dataset"]["name"], "--horizon-days", str(record["horizon_days"])]
    words += ["--seeds", str(SEEDS if origins > 1 else 1), "--seed", str(config.seed)]
    words += ["--origins", str(origins)]
    words += ["--folds", str(FOLDS)] if learns(record["model"]) and origins > 1 else []
    words += ["--models", ",".join(models), "--out", str(path)]
    values = {name: value for name, value in config.to_json().items() if name not in ("model", "seed", "horizon_days")}
    for name, value in forms.changed(TrainConfig, values).items():
        words += ["--set", f"{name}={value}"]
    return words
