"""What the home page tells: the state of the loop, the next step, and what there is."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

import pandas as pd
import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.demo import CURRENCY, NAME, SAMPLE
from clv_core.deployment.saved_scores import saved_score_files
from clv_core.monitoring.monitoring_report import FILE, report_folder
from clv_core.strategy.audiences.export_records import export_log
from pages.ui import cells, saying, state, widgets
from pages.ui.saying import t

LOOP: Final = (
    ("collection", ":material/upload_file:"),
    ("preprocessing", ":material/cleaning_services:"),
    ("features", ":material/table_chart:"),
    ("model", ":material/hub:"),
    ("training", ":material/model_training:"),
    ("evaluation", ":material/fact_check:"),
    ("deployment", ":material/rocket_launch:"),
    ("strategy", ":material/group_work:"),
    ("monitoring", ":material/monitor_heart:"),
)


def headline(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return where the person stands, in one sentence."""
    if dataset is None:
        return t("home.headline.empty")
    facts = dataset.manifest
    known = {"customers": saying.count(facts.customers), "purchases": saying.count(facts.purchases)}
    known["name"] = widgets.plain(dataset.name)
    days = (dataset.log_end - dataset.log_start).days
    if model is None:
        return t("home.headline.dataset", days=days, **known)
    learned = date.fromisoformat(model.record["cutoff"])
    kind = "untrained" if model.untrained else "grown" if learned < dataset.log_end else "model"
    said = {"horizon": model.record["horizon_days"], "days": days, "until": saying.last_day(learned)}
    return t(f"home.headline.{kind}", **said, **known)


def next_page(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return the page that comes next."""
    return "upload" if dataset is None else "train" if model is None or model.untrained else "evaluate"


def next_step(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return why the next page comes next."""
    return t("home.on." + next_page(dataset, model))


def first(dataset: Dataset | None) -> Literal["primary", "secondary"]:
    """Return the weight of the sample's button: it leads only while there is nothing else."""
    return "secondary" if dataset else "primary"


def load_sample() -> None:
    """Read the sample that comes with CLV Studio into a dataset."""
    state.start_job(["ingest", str(SAMPLE), "--name", NAME, "--currency", CURRENCY], NAME)


def loop(dataset: Dataset | None, model: Bundle | None) -> None:
    """Draw the nine steps of the loop with what is done."""
    done = steps_done(dataset, model)
    with st.grid(9, min_column_width=84, gap="xsmall"):
        for step, icon in LOOP:
            colour, mark = ("blue", ":material/check_circle:") if step in done else ("gray", icon)
            with st.container(border=True, horizontal_alignment="center", gap=None, height="stretch"):
                st.markdown(f":{colour}[{mark}]", width="content")
                st.markdown(f":{colour}[:small[{t(f'loop.{step}')}]]", text_alignment="center", width="content")
    st.caption(t("home.loop.done", done=len(done), all=len(LOOP)))


def steps_done(dataset: Dataset | None, model: Bundle | None) -> set[str]:
    """Return the steps of the loop that the dataset and the model in use have passed."""
    done: set[str] = set()
    if dataset:
        done |= {"collection", "preprocessing"}
    if dataset and model:
        done |= {"features"} if model.untrained else {"features", "model", "training"}
        done |= {"evaluation"} if model.record["holdout"] else set()
        work = state.workspace()
        done |= {"deployment"} if saved_score_files(work, model.id, dataset.name) else set()
        acted = (entry for entry in export_log(work) if entry["format"] != "reasons")
        done |= {"strategy"} if any(entry["model"] == model.id for entry in acted) else set()
        watched = report_folder(dataset, model) / FILE
        done |= {"monitoring"} if watched.is_file() else set()
    return done


def dataset_table() -> None:
    """Show all datasets, the newest first."""
    rows = [item.manifest for item in state.newest_datasets()]
    table = pd.DataFrame(
        {
            t("column.dataset"): [item.name for item in rows],
            t("column.customers"): [item.customers for item in rows],
            t("column.purchases"): [item.purchases for item in rows],
            t("column.net_revenue"): [item.net_revenue for item in rows],
            t("manage.currency"): [item.currency or None for item in rows],
            t("column.from"): [saying.day(item.log_start) for item in rows],
            t("column.until"): [saying.last_day(item.log_end) for item in rows],
            t("column.created"): [saying.moment(item.created) for item in rows],
        }
    )
    formats = {t(f"column.{name}"): cells.whole() for name in ("customers", "purchases")}
    formats[t("column.net_revenue")] = st.column_config.NumberColumn(format=cells.EXACT)
    cells.table(table, t("home.datasets"), formats)


def model_table(dataset: str) -> None:
    """Show the models of the dataset in use, the newest first."""
    models, versions = state.models(), state.registered()
    rows = [item.record for item in models]
    table = pd.DataFrame(
        {
            t("models.column.version"): [versions[item.id].number if item.id in versions else None for item in models],
            t("column.model"): [saying.name_of("model", item["model"]) for item in rows],
            t("column.horizon"): [item["horizon_days"] for item in rows],
            t("column.verdict"): [t("trust." + state.trust(item).verdict) for item in models],
            t("metric.gini"): [item["metrics"].get("gini") for item in rows],
            t("column.created"): [saying.moment(item["created"]) for item in rows],
        }
    )
    formats = {t("metric.gini"): st.column_config.NumberColumn(format="%.3f", help=t("metric.gini.meaning"))}
    cells.table(table, t("home.models", name=dataset), formats)
