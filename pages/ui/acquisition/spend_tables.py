"""Spend tables of a dataset: those that are saved, and adding one with the questions that it raises."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core import reader_process
from clv_core.collection.store import Dataset
from clv_core.columns import CHANNEL
from clv_core.errors import ClvError, NeedsAnswer
from clv_core.records import JsonObject
from clv_core.strategy.acquisition import (
    DAY,
    PERIODS,
    SPEND,
    NewCustomers,
    Spend,
    SpendSettings,
    load_spends,
    remove_spend,
    save_spend,
)
from clv_core.strategy.acquisition.read_spend import read_spend
from pages.ui import access, cells, flash, i18n, page_files, received, session, widgets
from pages.ui.cache import cached
from pages.ui.i18n import t
from pages.ui.upload import questions

FILE: Final = "spend_file"
ROUND: Final = "spend_round"
FILES: Final = ("csv", "txt", "tsv", "xlsx", "xls", "jsonl", "parquet")
MAX_NAMES: Final = 12
"""Channels of a table that are listed."""
TEMPLATE: Final = "date,channel,campaign,spend,currency\n2025-01-01,search,brand,120.50,EUR\n"


@dataclass(frozen=True)
class SpendFile:
    """A spend table that a person is adding.

    Args:
        path: our copy, in a folder of its own.
        settings: the answers about it.
    """

    path: Path
    settings: SpendSettings = SpendSettings()


def show(dataset: Dataset, customers: NewCustomers) -> None:
    """Show the spend tables that the dataset has, and let the person add one or remove one."""
    tables = load_spends(dataset)
    for spend in tables:
        _saved(dataset, spend)
    file: SpendFile | None = st.session_state.get(FILE)
    if file is not None and file.path.exists():
        _add(dataset, file, customers)
        return
    with st.container(border=True):
        st.markdown(f"**{t('spend.another' if tables else 'spend.add')}**")
        st.caption(t("spend.what"))
        key = f"spend_uploader_{st.session_state.get(ROUND, 0)}"
        upload = st.file_uploader(t("spend.drop"), FILES, key=key, **access.if_may("change"))
        page_files.download(t("spend.template"), TEMPLATE, "spend.csv", "template", type="tertiary")
    if upload is not None:
        (path,) = received.copy([upload], received.new_folder())
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
        st.session_state[FILE] = SpendFile(path)
        st.rerun()


def _saved(dataset: Dataset, spend: Spend) -> None:
    """Show one saved table with its accounting."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/payments: **{widgets.escape(spend.file)}**", width="content")
            st.button(
                t("spend.remove"),
                key=f"spend_remove_{spend.file}",
                icon=":material/delete:",
                on_click=_remove,
                args=(dataset, spend.file),
                **access.if_may("change"),
            )
        _describe(spend)


def _describe(spend: Spend) -> None:
    """Say what was read: sums, days, channels, and each row that was not."""
    first, last = spend.rows["start"].min(), (spend.rows["start"] + pd.to_timedelta(spend.rows["days"] - 1, "D")).max()
    st.markdown(
        t(
            "spend.read",
            total=_total(spend),
            days=i18n.days(first.date(), last.date()),
            rows=f"{spend.rows_read:,}",
            kept=f"{len(spend.rows):,}",
            rejected=f"{spend.rows_rejected:,}",
        )
    )
    names = [widgets.escape(name or t("acquisition.group.unknown")) for name in spend.by_channel()]
    listed = [*names[:MAX_NAMES], *(["…"] if len(names) > MAX_NAMES else [])]
    st.caption(t("spend.channels", count=len(names), channels=i18n.join_names(listed)))
    if spend.recipe:
        st.caption(t("spend.recipe", title=spend.recipe))
    for message in spend.warnings:
        params = dict(message.params)
        if "period" in params:
            params["period"] = t(f"acquisition.period.{params['period']}")
        st.caption(widgets.escape(t(message.code, **params)))


def _total(spend: Spend) -> str:
    """Return the sum of a table with its currency."""
    return f"{spend.total:,.2f} {spend.currency}".strip()


def _remove(dataset: Dataset, file: str) -> None:
    access.require("change")
    remove_spend(dataset, file)
    flash.say(t("spend.removed", file=widgets.escape(file)))


def _drop() -> None:
    """Forget the file that is being added, and remove our copy."""
    file: SpendFile | None = st.session_state.pop(FILE, None)
    if file is not None:
        shutil.rmtree(file.path.parent, ignore_errors=True)


@cached(8)
def _read(path: Path, settings: SpendSettings) -> Spend:
    return reader_process.run(session.workspace(), path, read_spend, path, settings)


def _add(dataset: Dataset, file: SpendFile, customers: NewCustomers) -> None:
    """Show what the file holds, with its questions, and offer to save it."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/description: **{widgets.escape(file.path.name)}**", width="content")
            st.button(t("upload.another"), icon=":material/close:", key="spend_drop", on_click=_drop)
        try:
            spend = _read(file.path, file.settings)
        except NeedsAnswer as error:
            if error.code == "spend_columns":
                _ask_columns(file, error.params, customers)
            elif error.code in questions.CHOICES:
                questions.ask(error.code, error.params, file.path, partial(_say, file))
            else:
                widgets.show_error(error)
            return
        except ClvError as error:
            widgets.show_error(error)
            return
        _describe(spend)
        _ask_more(file, spend, customers)
        by_channel = spend.rows.groupby(CHANNEL)["amount"].agg(["size", "sum"]).reset_index()
        by_channel[CHANNEL] = by_channel[CHANNEL].replace("", t("acquisition.group.unknown"))
        log_channels = _folded(customers)
        by_channel["known"] = [name.casefold() in log_channels for name in by_channel[CHANNEL]]
        heads = {
            CHANNEL: st.column_config.TextColumn(t("acquisition.by.channel")),
            "size": cells.integer(t("spend.column.rows")),
            "sum": cells.money(t("acquisition.column.spend"), spend.currency),
            "known": st.column_config.CheckboxColumn(t("spend.column.known"), help=t("spend.column.known.help")),
        }
        cells.table(by_channel, t("spend.add"), heads)
        if (same := next((saved for saved in load_spends(dataset) if saved.file == spend.file), None)) is not None:
            replacement_warning = t("spend.replaces", file=same.file, total=_total(same))
            st.warning(widgets.escape(replacement_warning), icon=":material/swap_horiz:")
        if st.button(t("spend.save"), type="primary", key="spend_save", **access.if_may("change")):
            _save(dataset, spend)


def _folded(customers: NewCustomers) -> set[str]:
    """Return the log's channels, in lower case."""
    column = customers.origin.get(CHANNEL)
    return set() if column is None else {str(channel).casefold() for channel in column.categories}


def _save(dataset: Dataset, spend: Spend) -> None:
    access.require("change")
    try:
        save_spend(dataset, spend)
    except ClvError as error:
        widgets.show_error(error)
        return
    _drop()
    flash.say(t("spend.saved", file=widgets.escape(spend.file)))
    st.rerun()


def _say(file: SpendFile, **given: Any) -> None:
    """Store answers about the file."""
    st.session_state[FILE] = replace(file, settings=replace(file.settings, **given))


def _channel_box(customers: NewCustomers, key: str, current: str = "") -> str | None:
    """Let the person choose one of the log's channels for all rows, or write another."""
    column = customers.origin.get(CHANNEL)
    options = [] if column is None else [str(channel_name) for channel_name in column.categories]
    options += [current] if current and current not in options else []
    return st.selectbox(
        t("spend.channel"),
        options,
        index=options.index(current) if current in options else None,
        key=key,
        accept_new_options=True,
        placeholder=t("spend.channel.hint"),
        help=t("spend.channel.help"),
        width=240,
    )


def _ask_columns(file: SpendFile, params: JsonObject, customers: NewCustomers) -> None:
    """Ask for the columns that their names do not identify; one channel may apply to all rows."""
    columns, missing = list(params["found"]), list(params["missing"])
    st.markdown(f":orange[:material/help:] {t('spend.question', file=widgets.escape(file.path.name))}")
    with st.form("spend_columns", border=False):
        selected: dict[str, str | None] = {}
        for meaning in missing:
            selected[meaning] = st.selectbox(
                t(f"spend.column.{meaning}"),
                columns,
                index=None,
                key=f"spend_column_{meaning}",
                placeholder=t("streamlit.choose_one"),
                width=320,
            )
        channel = _channel_box(customers, "spend_channel_asked") if CHANNEL in missing else None
        if st.form_submit_button(t("spend.go_on"), type="primary"):
            answered = {meaning: column for meaning, column in selected.items() if column}
            lacking = [meaning for meaning in (DAY, SPEND) if meaning in missing and meaning not in answered]
            if lacking or (CHANNEL in missing and not (channel or CHANNEL in answered)):
                st.warning(t("spend.question.open"), icon=":material/help:")
                return
            _say(file, columns={**dict(file.settings.columns), **answered}, channel=channel or file.settings.channel)
            st.rerun()


def _ask_more(file: SpendFile, spend: Spend, customers: NewCustomers) -> None:
    """Let the person correct what was taken for granted: the channel of one platform's export, period, currency."""
    settings, codes = file.settings, {message.code for message in spend.warnings}
    channels = spend.rows[CHANNEL].unique()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if spend.recipe and len(channels) == 1:
            channel = _channel_box(customers, "spend_channel", str(channels[0]))
            if channel and channel != channels[0]:
                _say(file, channel=channel)
                st.rerun()
        if "warning.spend_period" in codes or settings.period:
            detected_period = next(
                (warning.params["period"] for warning in spend.warnings if warning.code == "warning.spend_period"), ""
            )
            period = settings.period or detected_period
            names, at = {key: t(f"acquisition.period.{key}") for key in PERIODS}, PERIODS.index(period)
            selected_period = widgets.select(t("spend.period"), names, "spend_period", index=at, width=160)
            if selected_period != period:
                _say(file, period=selected_period)
                st.rerun()
        if not spend.currency and customers.currency:
            currency = customers.currency
            if st.button(t("spend.currency", currency=currency), key="spend_currency"):
                _say(file, currency=currency)
                st.rerun()
        if {code for code in codes if code.startswith(("warning.decimal_unsure", "warning.decimal_mixed"))}:
            marks = {mark: t(f"upload.decimal.{mark}") for mark in ("point", "comma")}
            if mark := st.segmented_control(
                t("spend.decimal"), list(marks), format_func=marks.__getitem__, key="spend_decimal"
            ):
                _say(file, decimal=mark)
                st.rerun()
