"""The export log as a table: who exported what, when, and how many customers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import list_bundles
from clv_core.errors import UsageError
from clv_core.i18n import say_clauses
from clv_core.records import JsonObject
from clv_core.strategy.audiences import ExportRecord, Side, customer_exports, log_download
from clv_core.strategy.segments import PATTERN, Condition, ValueTiers, tier_labels, tier_names
from pages.ui import cells, i18n, page_files, schemes, session, widgets
from pages.ui.i18n import name_of, t
from pages.ui.page_files import dated

Made = TypeVar("Made")
TIERS: Final = re.compile(r"tier=(\d+(?:,\d+)*)")
WORDS: Final = re.compile(r'(?:"(?:[^"]|"")*"|[^\s"])+')
"""Words between blanks; blanks within double quotes do not split."""


def show() -> None:
    """Show the log, the newest first, and offer it as a file."""
    entries = customer_exports(session.workspace())
    if not entries:
        st.caption(t("exporting.log.none"))
        return
    st.markdown(headline(entries))
    models = widgets.model_labels(list_bundles(session.workspace()))
    datasets = {item.name: item for item in session.newest_datasets()}
    table = pd.DataFrame([_row(entry, models, datasets) for entry in entries])
    counts = ("column.export_customers", "column.export_rows")
    columns: dict[str, Any] = {t(name): cells.integer() for name in counts}
    columns[t("column.export_files")] = st.column_config.TextColumn(width="medium")
    cells.table(table, t("exporting.log"), columns, height="auto")
    name = dated("exports", "csv")
    page_files.download(t("exporting.log.download"), page_files.spreadsheet(table), name, "download_log")


def headline(entries: list[ExportRecord]) -> str:
    """Return how many lists there are, and how many customers or else rows the last one has."""
    last = entries[0]
    params = {"lists": len(entries), "rows": last.rows, "when": i18n.moment(last.made)}
    if last.customers is None:
        return t("exporting.log.count.rows", **params)
    several = ".several" if last.customers != last.rows else ""
    return t(f"exporting.log.count{several}", customers=last.customers, **params)


def taken(make: Callable[[], Made], format: str, side: Side, *, rows: int, customers: int) -> Callable[[], Made]:
    """Return what makes a file later, of which none stays here, and notes it in the log.

    Args:
        make: makes it.
        format: what it is; its name for people is the catalogue key ``export.<format>``.
        side: what the numbers mean.
        rows: of the file.
        customers: different customers in it.
    """
    work = session.workspace()

    def later() -> Made:
        data = make()
        log_download(work, format, side, rows, customers)
        return data

    return later


def segment_words(entry: ExportRecord, datasets: Mapping[str, Dataset]) -> str:
    """Return the segment of an export: tiers by their names, other conditions as sentences.

    Args:
        entry: line of the export log.
        datasets: by name; tiers of a deleted one, or of another scheme, have their default names.
    """
    text = entry.segment
    if not text:
        return _planned(entry.settings, entry.currency)
    try:
        conditions = conditions_of(text)
    except UsageError:
        return text
    sentences = (_tier_sentence(entry, condition, datasets) or schemes.sentence(condition) for condition in conditions)
    return say_clauses(sentences, session.language())


def _planned(settings: JsonObject, currency: str) -> str:
    """Return the text for an export without conditions: all customers, or those of a plan or an experiment."""
    if "control_share" in settings and "offer" in settings:
        return t("exporting.segment.experiment", offer=settings["offer"])
    if "budget" in settings:
        return t("exporting.segment.plan", budget=i18n.money(float(settings["budget"]), currency))
    return t("exporting.segment.all")


def conditions_of(text: str) -> list[Condition]:
    """Return the conditions of a line of the log, which blanks separate; a value may contain blanks.

    Raises:
        UsageError: they are none.
    """
    texts: list[str] = []
    for word in WORDS.findall(text):
        if texts and PATTERN.fullmatch(word) is None:
            texts[-1] += f" {word}"
        else:
            texts.append(word)
    return [Condition.parse(condition) for condition in texts]


def _tier_sentence(entry: ExportRecord, condition: Condition, datasets: Mapping[str, Dataset]) -> str:
    """Return the tiers of a condition by their names; "" of any other condition, and of segments that are no tiers."""
    tiers = TIERS.fullmatch(str(condition))
    if tiers is None or not entry.scheme:
        return ""
    try:
        scheme = ValueTiers.parse(entry.scheme)
    except UsageError:
        return ""
    dataset, language = datasets.get(entry.dataset), session.language()
    names = tier_labels(dataset, scheme.tiers, language) if dataset else tier_names(scheme.tiers, language)
    numbers = [int(number) for number in tiers.group(1).split(",")]
    return i18n.join_names(names[number - 1] if 1 <= number <= len(names) else str(number) for number in numbers)


def _row(entry: ExportRecord, models: dict[str, str], datasets: Mapping[str, Dataset]) -> dict[str, str | int | None]:
    return {
        t("column.export_when"): i18n.moment(entry.made),
        t("column.export_who"): entry.who,
        t("column.dataset"): entry.dataset,
        t("column.export_what"): name_of("export", entry.format),
        t("column.export_customers"): entry.customers,
        t("column.export_rows"): entry.rows,
        t("column.export_segment"): segment_words(entry, datasets),
        t("column.model"): models.get(entry.model, entry.model),
        t("column.export_files"): i18n.join_names(entry.files) or str(entry.settings.get("destination", "")),
    }
