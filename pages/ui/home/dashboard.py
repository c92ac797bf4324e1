"""What the home page shows: what the model predicts, the state of the loop, the next step, datasets and models."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset, versions
from clv_core.deployment import Bundle, Scored, saved_score_files
from clv_core.monitoring import FILE, UNWELL, Report, check_schedules, report_folder, watch_path
from clv_core.plot import explanations
from clv_core.strategy.audiences import export_log
from clv_core.strategy.segments import DEFAULT_SCHEME, P_PURCHASE, TIER, VALUE, assign_tiers
from pages.ui import cells, i18n, navigation, session, tiers, verdict, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.i18n import percent, t

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

NEXT: Final = (
    ("evaluation", "evaluate"),
    ("strategy", "segments"),
    ("monitoring", "monitor"),
)
"""Steps of the loop that follow training, and the page of each; the first that is not done comes next."""


def headline(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return the state of the dataset and model in one sentence."""
    if dataset is None:
        return t("home.headline.empty")
    facts = dataset.manifest
    counts = {"customers": i18n.count(facts.customers), "bought": i18n.orders(facts)}
    counts["name"] = widgets.escape(dataset.name)
    days = (dataset.log_end - dataset.log_start).days
    if model is None:
        return t("home.headline.dataset", days=days, **counts)
    learned = model.record.cutoff
    kind = "untrained" if model.untrained else "grown" if learned < dataset.log_end else "model"
    span = {"horizon": model.record.horizon_days, "days": days, "until": i18n.last_day(learned)}
    return t(f"home.headline.{kind}", **span, **counts)


def next_page(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return the page that comes next."""
    return "upload" if dataset is None else "train" if model is None or model.untrained else "evaluate"


def next_step(dataset: Dataset | None, model: Bundle | None) -> str:
    """Return why the next page comes next."""
    return t("home.on." + next_page(dataset, model))


def show_schedules() -> None:
    """Say which schedules failed, did not run or cannot be read; nothing where all work."""
    found = check_schedules(session.workspace(), datetime.now(UTC))
    unwell = [widgets.escape(one.name) for one in found if one.state in UNWELL]
    if unwell:
        text = t("schedules.headline.failed", n=len(unwell), all=len(found), names=unwell)
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":orange[:material/warning:] {text}", width="stretch")
            navigation.button("schedules", t("schedules.open"), "home_schedules")


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
        done |= {"evaluation"} if model.record.holdout else set()
        work = session.workspace()
        done |= {"deployment"} if saved_score_files(work, model.id, dataset.name) else set()
        acted = (entry for entry in export_log(work) if entry.format != "reasons")
        done |= {"strategy"} if any(entry.model == model.id for entry in acted) else set()
        done |= {"monitoring"} if _compared(monitoring_report(session.scored(dataset, model))) else set()
    return done


def monitoring_report(scored: Scored) -> Path:
    """Return where the monitoring report of a model is, or would be."""
    return report_folder(scored) / FILE


@cached()
def _compared(report: Path) -> bool:
    """Return whether monitoring compared anything: new periods of data, or actual with predicted revenue."""
    loaded = Report.load(report.parent)
    return loaded is not None and bool(loaded.chunks or loaded.realised)


def dataset_table() -> None:
    """Show all datasets, the newest first."""
    rows = [item.manifest for item in session.newest_datasets()]
    table = pd.DataFrame(
        {
            t("column.dataset"): [item.name for item in rows],
            t("column.customers"): [item.customers for item in rows],
            t("column.orders"): pd.array([item.orders for item in rows], "Int64"),
            t("column.lines"): [item.lines for item in rows],
            t("column.net_revenue"): [item.net_revenue for item in rows],
            t("manage.currency"): [item.currency or None for item in rows],
            t("column.from"): [i18n.day(item.log_start) for item in rows],
            t("column.until"): [i18n.last_day(item.log_end) for item in rows],
            t("column.created"): [i18n.moment(item.created) for item in rows],
        }
    )
    formats = {t(f"column.{name}"): cells.integer() for name in ("customers", "orders", "lines")}
    formats[t("column.net_revenue")] = st.column_config.NumberColumn(format=cells.EXACT)
    cells.table(table, t("home.datasets"), formats)


def model_table(dataset: str) -> None:
    """Show the models of the dataset in use, the newest first."""
    models, registered = session.models(), session.versions_by_model()
    rows = [item.record for item in models]
    table = pd.DataFrame(
        {
            t("models.column.version"): [
                registered[item.id].number if item.id in registered else None for item in models
            ],
            t("column.model"): [i18n.name_of("model", item.model) for item in rows],
            t("column.horizon"): [item.horizon_days for item in rows],
            t("column.verdict"): [t("trust." + session.trust(item).verdict) for item in models],
            t("metric.gini"): [item.metrics.get("gini") for item in rows],
            t("column.created"): [i18n.moment(item.created) for item in rows],
        }
    )
    formats = {t("metric.gini"): st.column_config.NumberColumn(format="%.3f", help=t("metric.gini.meaning"))}
    cells.table(table, t("home.models", name=dataset), formats)


def show_predictions(scored: Scored) -> bool:
    """Show the predictions that are saved for the dataset; return whether there are any."""
    dataset, model, path = scored.dataset, scored.model, scored.scores_path
    if not path.exists():
        return False
    customers = _values(path)
    context = (widgets.context_line(model, dataset.log_end), _growth(dataset.with_all))
    finding = headline(dataset.with_all, model) if model.untrained else tiers.headline(scored, customers)
    widgets.headline(finding, *filter(None, context))
    if not model.untrained:
        tiers.offer_forecast(scored.trained)
    rows = _tiers(path, tiers.names(dataset))
    first = rows.iloc[0]
    shares = {"share": percent(first["share_of_customers"]), "value": percent(first["share_of_value"])}
    message = t("segments.chart", name=first["tier_label"], **shares)
    verdict.show_objected(dataset)
    left, right = st.columns([3, 2])
    with left:
        widgets.chart(explanations.tier_bars(rows, message), "home_tiers")
    with right.container(border=True, height="stretch"):
        st.header(t("home.buyers", buyers=i18n.count(round(customers[P_PURCHASE].sum()))), anchor=False)
        verdict.show(session.trust(model))
        verdict.grades(model)
        st.space("stretch")
        target = _next(scored)
        navigation.button(target, t(f"home.next.{target}"), "home_next", type="primary")
    return True


@cached(CUSTOMERS)
def _values(path: Path) -> pd.DataFrame:
    """Return predicted values and probabilities of all customers."""
    return pd.read_parquet(path, columns=[P_PURCHASE, VALUE])


@cached()
def _tiers(path: Path, names: list[str]) -> pd.DataFrame:
    """Return each tier's share of customers and of value, the highest first."""
    tiered = assign_tiers(_values(path), DEFAULT_SCHEME)
    sums = tiered.groupby(TIER)[VALUE].agg(["size", "sum"]).reindex(range(1, len(names) + 1), fill_value=0)
    worth = sums["sum"] / sums["sum"].sum() if sums["sum"].sum() else sums["sum"]
    return pd.DataFrame(
        {"tier_label": names, "share_of_customers": (sums["size"] / len(tiered)).array, "share_of_value": worth.array}
    )


def _growth(dataset: Dataset) -> str:
    """Return what the log gained since its version before; "" for the first."""
    facts = dataset.manifest
    before = next(
        (
            version.manifest
            for version in versions(session.workspace(), dataset.name)
            if version.version == facts.parent
        ),
        None,
    )
    if before is None or (before.customers, before.lines) == (facts.customers, facts.lines):
        return ""
    more = {"customers": f"{facts.customers - before.customers:+,}"}
    if facts.orders is None or before.orders is None:
        more["bought"] = t("count.lines", lines=f"{facts.lines - before.lines:+,}")
    else:
        more["bought"] = t("count.orders", orders=f"{facts.orders - before.orders:+,}")
    revenue = facts.net_revenue - before.net_revenue
    sign = "+" if revenue >= 0 else ""
    return t("home.growth", revenue=sign + i18n.money(revenue, facts.currency), **more)


def _next(scored: Scored) -> str:
    """Return the page that comes next."""
    if scored.model.untrained:
        return "train"
    done = steps_done(scored.dataset, scored.model)
    if monitoring_report(scored).is_file() or watch_path(scored.dataset).is_file():
        done |= {"monitoring"}  # looked at already; a tick only comes once there was something to compare
    return next((page for step, page in NEXT if step not in done), "strategy")
