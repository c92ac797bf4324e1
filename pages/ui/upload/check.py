"""The look before anything is saved: accounting, figures, problems, horizons, words of the file, first rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.collection.check import Check
from clv_core.i18n import without_options
from pages.ui import cells, i18n, session, widgets
from pages.ui.i18n import percent, t
from pages.ui.upload import set_aside, words

LONG_GAP_DAYS: Final = 14
LONG_GAP_SHARE: Final = 0.04
"""A silence of so many days, and of this share of the log, is pointed at."""

HEEDED: Final = frozenset(
    f"warning.{code}"
    for code in (
        *("mixed_currency", "currency_contradicted", "constant_amount", "zero_purchases", "running_totals"),
        *("returns_only", "unreadable_numbers", "decimal_mixed", "maybe_cents", "maybe_percent", "minor_unknown"),
        *("large_units_mixed", "totals_row", "totals_rows", "many_in_one", "rounded_ids", "float_ids", "swapped_dates"),
        *("epoch_mixed", "unknown_states", "purchases_end", "bad_bytes", "mixed_encoding", "amount_sides"),
        *("hidden_sheets", "sheets_left_out", "filled_down", "joined_cells"),
    )
)
"""What, as it was read, may make every figure of the dataset wrong: money, customers or days that are not as meant."""

MARKS: Final = {
    "measured": "green[:material/check_circle:",
    "unmeasured": "orange[:material/warning:",
    "too_short": "gray[:material/block:",
}


def show(found: Check, aside: Path, like: str = "") -> None:
    """Show what a file would become.

    Args:
        found: what it would become.
        aside: Parquet file of the rows set aside.
        like: dataset that it goes on with, "" where there is none.
    """
    facts = found.manifest
    st.markdown(widgets.accounting(facts))
    widgets.figures(_figures(found))
    gap(found)
    horizons(found, like)
    notes(found)
    problems(found, aside)
    words.event_types(found)
    words.order_states(found)
    with st.expander(t("upload.first_rows"), icon=":material/table_rows:"):
        _first_rows(found.first_rows)


def _first_rows(rows: pd.DataFrame) -> None:
    """Show rows under the names that the table of columns gives them, with kinds of events in words."""
    kinds = {kind: i18n.name_of("event", kind) for kind in rows["event_type"].dropna().unique()}
    heads = {name: st.column_config.Column(i18n.name_of("canonical", name)) for name in rows.columns}
    cells.table(rows.assign(event_type=rows["event_type"].map(kinds)), t("upload.first_rows"), heads)


def notes(found: Check) -> None:
    """Say what was noticed while reading, first of all what would make the figures wrong if nobody heeds it."""
    grouped = {f"warning.{item.reason}" for item in found.problems}
    noticed = [message for message in found.warnings if message.code not in grouped]
    for message in sorted(noticed, key=lambda one: one.code not in HEEDED):
        mark = ":orange[:material/warning:]" if message.code in HEEDED else ":gray[:material/info:]"
        st.markdown(
            f"{mark} {said_plainly(i18n.message_text(replace(message, params=i18n.named_params(message.params))))}"
        )


def said_plainly(message: str) -> str:
    """Return a message of the reader for a page: no option names, nothing read as formatting."""
    return widgets.escape(without_options(message))


def _figures(found: Check) -> list[widgets.Figure]:
    facts = found.manifest
    first, end = date.fromisoformat(facts.log_start), date.fromisoformat(facts.log_end)
    last = end - timedelta(days=1)
    return [
        widgets.Figure(t("column.customers"), f"{facts.customers:,}", t("upload.customers.help")),
        widgets.Figure(t("column.purchases"), f"{facts.purchases:,}", t("upload.purchases.help")),
        widgets.Figure(
            t("column.net_revenue"), i18n.money(facts.net_revenue, facts.currency), t("upload.revenue.help")
        ),
        widgets.Figure(
            t("upload.span"),
            t("unit.days", n=f"{(end - first).days:,}"),
            t("look.span.help"),
            i18n.days(first, last),
        ),
    ]


def gap(found: Check) -> None:
    """Say how long the log falls silent; a long silence is often a missing file."""
    if not found.gap_start:
        st.caption(t("look.gap.none"))
        return
    days, start = found.longest_gap_days, date.fromisoformat(found.gap_start)
    last = start + timedelta(days=days - 1)
    key = "look.gap" if days > 1 else "look.gap.one"
    said = t(key, days=f"{days:,}", first=i18n.day(start), last=i18n.day(last))
    span = date.fromisoformat(found.manifest.log_end) - date.fromisoformat(found.manifest.log_start)
    if days >= max(LONG_GAP_DAYS, LONG_GAP_SHARE * span.days):
        st.markdown(f":orange[:material/warning:] {i18n.join_sentences([said, t('look.gap.long')])}")
    else:
        st.caption(said)


def problems(found: Check, aside: Path) -> None:
    """Show the rows set aside by reason, with examples and what to do, and offer them all."""
    if not found.problems:
        return
    cells.table(_problem_table(found), t("upload.problems"))
    name = f"{found.manifest.source.split('.')[0]}_set-aside"
    set_aside.download(aside, found.manifest.rows_set_aside, name, key="set_aside_preview")


def _problem_table(found: Check) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            t("upload.problems"): t(f"reason.{item.reason}"),
            t("upload.problems.rows"): item.rows,
            t("upload.problems.share"): percent(item.rows / max(1, found.manifest.rows_read), 1),
            t("upload.problems.column"): item.source_column,
            t("upload.problems.first"): "; ".join(
                f"{line}: {text[:40]}" if text else str(line) for line, text in item.examples
            ),
            t("upload.problems.fix"): t(f"fix.{item.reason}"),
        }
        for item in found.problems
    ]
    return pd.DataFrame(rows)


def horizons(found: Check, like: str = "") -> None:
    """Say how far ahead the log lets one predict, and why not further.

    Args:
        found: what it would become.
        like: dataset that it goes on with, for which a file may be as short as it likes.
    """
    if found.manifest.brings_nothing:
        st.error(t("error.no_value"), icon=":material/block:")
        return
    measured = [item.horizon_days for item in found.horizons if item.verdict == "measured"]
    usable = [item.horizon_days for item in found.horizons if item.verdict != "too_short"]
    kind = "measured" if measured else "unmeasured" if usable else "too_short"
    if like and kind == "too_short":
        st.info(t("look.horizons.adds", name=widgets.escape(like)), icon=":material/playlist_add:")
        return
    longest = max(measured or usable, default=0)
    banner = {"measured": st.success, "unmeasured": st.warning, "too_short": st.error}[kind]
    icon = MARKS[kind].partition("[")[2]
    banner(t(f"look.horizons.{kind}", days=longest), icon=icon)
    said = [item for item in found.horizons if item.verdict != kind or kind == "too_short"]
    reasons: dict[str, str] = {}
    for item in said:
        mark = MARKS[item.verdict]
        reasons.setdefault(item.reason.code, f":{mark}] {widgets.escape(item.reason.text(session.language()))}")
    st.caption("  \n".join(reasons.values()))
