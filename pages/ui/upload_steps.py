"""The four steps of the upload page, in view at once: file, columns, check, save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from clv_core.collection.check import Check
from clv_core.collection.mapping import Proposal
from clv_core.columns import COLUMNS
from clv_core.errors import ClvError
from clv_core.workspace import check_name
from pages.ui import state, uploading, widgets
from pages.ui.state import percent, t
from pages.ui.uploading import Chosen

STEPS: Final = ("file", "columns", "check", "save")
WAYS: Final = ("upload", "path", "sample")
TEMPLATE: Final = (
    "customer_id,event_time,event_type,amount,product_id,category,rating\r\n"
    "C001,2024-01-05 10:12:00,view,,P10,Tea,\r\n"
    "C001,2024-01-05 10:20:00,purchase,24.90,P10,Tea,\r\n"
    "C001,2024-01-19 08:02:00,rating,,P10,Tea,5\r\n"
    "C002,2024-02-11 19:45:00,purchase,13.50,P07,Mugs,\r\n"
    "C002,2024-02-20 09:30:00,return,-13.50,P07,Mugs,\r\n"
)
QUESTIONS: Final = {
    "dates_ambiguous": ("date_order", ("dmy", "mdy")),
    "dates_contradict": ("date_order", ("dmy", "mdy")),
    "no_header": ("header", (False,)),
}
SETTINGS: Final = {
    "date_order": (None, "dmy", "mdy", "ymd"),
    "decimal": (None, "point", "comma"),
    "duplicates": (None, "keep", "drop"),
}


def steps(at: int) -> None:
    """Show the four steps, and how far the person is."""
    with st.container(horizontal=True, gap="medium"):
        for place, step in enumerate(STEPS):
            colour = "blue" if place <= at else "gray"
            icon = ":material/check_circle:" if place < at else f":material/counter_{place + 1}:"
            words = t(f"upload.step.{step}")
            st.markdown(f":{colour}[{icon} {f'**{words}**' if place == at else words}]", width="content")


def choose_file() -> None:
    """Step 1: an upload, a path on the server, or the sample."""
    with st.container(border=True):
        way = st.segmented_control(
            t("upload.way"),
            WAYS,
            format_func=lambda way: t(f"upload.way.{way}"),
            default=WAYS[0],
            required=True,
            key="upload_way",
        )
        if way == "upload":
            key = f"uploader_{st.session_state.get('upload_round', 0)}"
            file = st.file_uploader(t("upload.drop"), key=key, help=t("upload.drop.help"))
            if file is not None:
                uploading.take_upload(file.name, file)
                st.rerun()
        elif way == "path":
            with st.form("path", border=False):
                text = st.text_input(t("upload.path"), key="upload_path", help=t("upload.path.help"))
                if st.form_submit_button(t("upload.path.open"), type="primary"):
                    uploading.take_path(text)
                    st.rerun()
        elif st.button(t("upload.sample.open"), type="primary", icon=":material/science:", key="open_sample"):
            uploading.take_path(str(uploading.SAMPLE))
            st.rerun()
        if way == "sample":
            st.caption(t("upload.sample.card"))
    st.caption(t("upload.needs"))
    widgets.download(t("upload.template"), TEMPLATE, "clv-studio-template.csv", key="template", type="tertiary")


def file_line(file: Chosen) -> None:
    """Say which file is in hand, and let the person take another."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        size = f"{file.size / 1e6:,.1f} MB"
        st.markdown(f":material/description: **{widgets.plain(file.path.name)}** · {size}", width="content")
        st.button(t("upload.another"), icon=":material/close:", key="another_file", on_click=uploading.drop)


def choose_columns(file: Chosen) -> None:
    """Step 2: which column is what; what the person changes outranks the proposal."""
    said = uploading.answers()
    proposals = uploading.inspection(file.stamp, said.header, file).columns
    words = {column.name: state.name_of("canonical", column.name) for column in COLUMNS}
    extra = t("upload.extra")
    known = {source: canonical for canonical, source in said.mapping.items()}
    table = pd.DataFrame(
        {
            "column": [item.column for item in proposals],
            "meaning": [words.get(known.get(item.column, item.canonical or ""), extra) for item in proposals],
            "samples": [" · ".join(item.samples[:3]) for item in proposals],
            "sure": [round(100 * item.confidence) if item.canonical in words else None for item in proposals],
        }
    )
    config = st.column_config
    edited = st.data_editor(
        table,
        key=f"columns_{file.stamp}_{said.header}_{state.language()}",
        hide_index=True,
        disabled=["column", "samples", "sure"],
        column_config={
            "column": config.TextColumn(t("upload.column.yours")),
            "meaning": config.SelectboxColumn(
                t("upload.column.ours"), options=[*words.values(), extra], required=True, help=t("upload.column.help")
            ),
            "samples": config.TextColumn(t("upload.column.samples"), width="large"),
            "sure": config.ProgressColumn(t("upload.column.sure"), min_value=0, max_value=100, format="%d%%"),
        },
        alt=t("upload.step.columns"),
    )
    _keep_mapping(proposals, edited["meaning"].tolist(), {word: name for name, word in words.items()})
    with st.expander(t("upload.settings"), icon=":material/tune:"):
        settings()


def _keep_mapping(proposals: Sequence[Proposal], meanings: list[str], names: dict[str, str]) -> None:
    """Keep the columns whose meaning differs from the proposal."""
    mapping = {
        names[meaning]: item.column
        for item, meaning in zip(proposals, meanings, strict=True)
        if meaning in names and names[meaning] != item.canonical
    }
    if mapping:
        uploading.answer(mapping={**uploading.answers().mapping, **mapping})


def settings() -> None:
    """Ask how dates, amounts and repeated rows are to be read, and where and in what money the log was kept."""
    said = uploading.answers()
    with st.grid(3, min_column_width=200):
        for name, choices in SETTINGS.items():
            value = st.selectbox(
                t(f"upload.{name}"),
                choices,
                index=choices.index(getattr(said, name)),
                format_func=lambda choice, name=name: t(f"upload.{name}.{choice or 'auto'}"),
                help=t(f"upload.{name}.help"),
                key=f"setting_upload_{name}_{getattr(said, name)}",
            )
            if value != getattr(said, name):
                uploading.answer(**{name: value})
        zones = list(dict.fromkeys(["UTC", st.context.timezone or "UTC", *sorted(available_timezones())]))
        zone = st.selectbox(
            t("upload.timezone"), zones, index=zones.index(said.timezone), help=t("upload.timezone.help"), key="zone"
        )
        currency = st.text_input(
            t("upload.currency"), said.currency, max_chars=12, help=t("upload.currency.help"), key="currency"
        )
    uploading.answer(timezone=zone, currency=currency.strip())


def question(error: ClvError) -> None:
    """Put what can be read in two ways as a question with its answers."""
    with st.container(border=True):
        st.markdown(f":orange[:material/help:] {said_plainly(error.message(state.language()))}")
        if error.code in QUESTIONS:
            name, choices = QUESTIONS[error.code]
            with st.container(horizontal=True):
                for choice in choices:
                    word = t(f"upload.{name}.{str(choice).lower()}")
                    if st.button(word, key=f"answer_{name}_{choice}", type="primary"):
                        uploading.answer(**{name: choice})
                        st.rerun()
        elif error.code == "price_of_what":
            with st.container(horizontal=True):
                for canonical in ("amount", "unit_price"):
                    if st.button(t(f"upload.price.{canonical}"), key=f"answer_{canonical}", type="primary"):
                        uploading.answer(mapping={**uploading.answers().mapping, canonical: error.params["column"]})
                        st.rerun()
        else:
            st.caption(t("upload.question.columns"))


def said_plainly(message: str) -> str:
    """Return a message of the reader for a page: no option names, nothing read as formatting."""
    return widgets.plain(widgets.without_options(message))


def show_check(found: Check) -> None:
    """Step 3: the accounting line, what the rows amount to, what is wrong with the others, and the first rows."""
    facts = found.manifest
    st.markdown(widgets.accounting(facts))
    first, end = date.fromisoformat(facts.log_start), date.fromisoformat(facts.log_end)
    widgets.figures(
        [
            widgets.Figure(t("column.customers"), f"{facts.customers:,}", t("upload.customers.help")),
            widgets.Figure(t("column.purchases"), f"{facts.purchases:,}", t("upload.purchases.help")),
            widgets.Figure(
                t("column.net_revenue"), state.money(facts.net_revenue, facts.currency), t("upload.revenue.help")
            ),
            widgets.Figure(
                t("upload.span"), t("unit.days", n=f"{(end - first).days:,}"), f"{state.day(first)} – {state.day(end)}"
            ),
        ]
    )
    for message in found.warnings:
        st.markdown(f":orange[:material/info:] {said_plainly(message.text(state.language()))}")
    if found.problems:
        st.dataframe(_problem_table(found), hide_index=True, alt=t("upload.problems"))
        name = f"{found.manifest.source.split('.')[0]}_set-aside.csv"
        widgets.download(t("upload.set_aside"), widgets.spreadsheet(found.set_aside), name, key="set_aside_preview")
    with st.expander(t("upload.first_rows"), icon=":material/table_rows:"):
        st.dataframe(found.first_rows, hide_index=True, alt=t("upload.first_rows"))


def horizons(found: Check) -> None:
    """Say which horizons the log can support, and why not where it cannot."""
    marks = {"measured": "green[:material/check_circle:", "unmeasured": "orange[:material/warning:"}
    usable = [item for item in found.horizons if item.verdict in marks]
    words = [f":{marks[item.verdict]} {t('unit.days', n=item.horizon_days)}]" for item in usable]
    st.markdown(f"{t('upload.horizons')}: {' · '.join(words) or t('upload.horizons.none')}")
    doubtful = [item.reason.text(state.language()) for item in usable if item.verdict == "unmeasured"]
    if doubtful:
        st.caption("  \n".join(widgets.plain(reason) for reason in doubtful))


def _problem_table(found: Check) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            t("upload.problems"): t(f"reason.{item.reason}"),
            t("upload.problems.rows"): item.rows,
            t("upload.problems.share"): percent(item.rows / max(1, found.manifest.rows_read), 1),
            t("upload.problems.column"): item.source_column,
            t("upload.problems.first"): "; ".join(f"{line}: {text[:40]}" for line, text in item.examples[:2]),
            t("upload.problems.fix"): t(f"fix.{item.reason}"),
        }
        for item in found.problems
    ]
    return pd.DataFrame(rows)


def save_form(file: Chosen) -> None:
    """Step 4: a name, and the run that makes the dataset."""
    with st.form("save", border=True):
        name = st.text_input(t("upload.name"), file.name, max_chars=64, key="dataset_name", help=t("upload.name.help"))
        taken = {item.name for item in state.newest_datasets()}
        if st.form_submit_button(t("upload.save"), type="primary", icon=":material/save:"):
            uploading.save(file, check_name(name))
            st.rerun()
        if file.name in taken:
            st.caption(t("upload.name.taken", name=file.name))
