"""Realised against predicted on the monitor page: the curve beside the expected part, and the value tiers since."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from clv_core.collection.stored.store import Dataset
from clv_core.monitoring.report import Report
from clv_core.monitoring.truth.parts import WHOLE
from clv_core.monitoring.truth.realised import Realised
from clv_core.monitoring.truth.tiers import Tier
from clv_core.strategy.schemes.saved import names_of_tiers
from pages.ui import cells, state, widgets
from pages.ui.charts import monitoring
from pages.ui.state import money, percent, t
from pages.ui.upload import save


def section(report: Report, dataset: Dataset) -> None:
    """Show what came true, as far as the horizon has passed, tiers as a person calls them."""
    st.subheader(t("monitor.realised"), anchor=False)
    if not report.realised:
        st.caption(t("monitor.realised.early"))
        save.offer_adding("monitor_add")
        return
    currency, last = report.about["currency"], report.realised[-1]
    frame = pd.DataFrame([one.to_json() for one in report.realised])
    off = abs(last.realised / last.expected - 1) if last.expected else 0.0
    side = "above" if last.realised >= last.expected else "below"
    amounts = {"realised": money(last.realised, currency), "expected": money(last.expected, currency)}
    message = t(f"monitor.realised.{side}", days=last.days, off=percent(off), **amounts)
    widgets.chart(monitoring.realised_curve(frame, message, unit=state.unit(currency)), "monitor_realised")
    st.caption(state.together(_notes(last, currency)))
    names = ("until", "expected", "low", "high", "realised", "newcomers", "buyers_expected", "buyers", "coverage")
    rows = frame[list(names)].dropna(axis=1, how="all").round(2)
    shown = {name: cells.money(t(f"monitor.column.{name}"), currency) for name in names[1:6]} | {
        "until": st.column_config.DateColumn(t("monitor.column.until")),
        "buyers": cells.whole(t("monitor.column.buyers")),
        "buyers_expected": st.column_config.NumberColumn(t("monitor.column.buyers_expected"), format="%.0f"),
        "coverage": st.column_config.NumberColumn(t("monitor.column.coverage"), format="percent"),
    }
    rows["until"] = pd.to_datetime(rows["until"])
    cells.table(rows, message, shown)
    if report.tiers:
        _tiers(report.tiers, names_of_tiers(dataset, len(report.tiers), state.language()), currency)


def _notes(last: Realised, currency: str) -> list[str]:
    """Return who counts, what a part of a horizon was held against, and how many customers met their own interval."""
    notes = [t("monitor.realised.note", newcomers=money(last.newcomers, currency))]
    if last.held_against != WHOLE:
        notes.append(t(f"monitor.realised.{last.held_against}"))
    if last.coverage is not None:
        notes.append(t("monitor.realised.inside", inside=percent(last.coverage)))
    return notes


def _tiers(tiers: list[Tier], names: list[str], currency: str) -> None:
    top = tiers[0]
    stayed = top.now[0] / max(1, top.customers)
    amounts = {"realised": money(top.realised, currency), "expected": money(top.expected, currency)}
    message = t("monitor.tiers", stayed=percent(stayed), **amounts)
    st.markdown(f"**{message}**")
    rows = [
        {
            t("column.tier"): name,
            t("column.customers"): tier.customers,
            "expected": tier.expected,
            "low": tier.low,
            "high": tier.high,
            "realised": tier.realised,
            **{t("monitor.column.now", tier=other): count for other, count in zip(names, tier.now, strict=True)},
            t("monitor.column.newcomers"): tier.newcomers,
        }
        for name, tier in zip(names, tiers, strict=True)
    ]
    table = pd.DataFrame(rows).dropna(axis=1, how="all")
    amounts_of = ("expected", "low", "high", "realised")
    numbers = {
        name: cells.money(t(f"monitor.column.{name}"), currency) if name in amounts_of else cells.whole()
        for name in table.columns[1:]
    }
    cells.table(table, message, numbers)
