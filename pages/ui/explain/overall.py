"""Why the model predicts what it does: the saved explanation of many customers, its strongest reasons and checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Bundle, Scored, explanation_folder
from clv_core.errors import ClvError
from clv_core.evaluation.explain import (
    ANSWERS,
    CHANCE,
    RECORD,
    Explanation,
    Faithfulness,
    Stability,
    listed,
    load_explanation,
    load_record,
    move,
    of_faithfulness,
    of_stability,
    part_name,
)
from clv_core.features import FEATURES, REVIEW_TEXT, label
from clv_core.plot import live, reason_name, reasons
from clv_core.strategy.audiences import side_of
from pages.ui import cells, i18n, page_files, progress, session, verdict, widgets
from pages.ui.cache import cached
from pages.ui.exports import export_log
from pages.ui.i18n import percent, t
from pages.ui.page_files import file_name

MAX_LISTED_REASONS: Final = 5
"""Reasons that the list describes in a sentence each."""
ICONS: Final = {
    True: ":green[:material/check_circle:]",
    False: ":orange[:material/warning:]",
    None: ":material/info:",
}


@dataclass(frozen=True)
class SavedExplanation:
    """An explanation on disk, of many customers or of one.

    Args:
        bundle: the model.
        record: path of its record, which is written last.
    """

    bundle: Bundle
    record: Path

    def of(self, answer: str) -> Explanation:
        """Return the explanation of an answer."""
        return _load(self.record, answer)


def need_explanation(scored: Scored, customer: str = "") -> SavedExplanation:
    """Return the explanation of many customers, or of one; while it is not there, show the run that makes it."""
    folder = explanation_folder(scored, customer)
    command = ["explain", scored.dataset.name, "--model", scored.model.id, "--out", str(folder)]
    command += [f"--customer={customer}"] if customer else []
    note = t("explained.wait.one", customer=customer) if customer else t("explained.wait")
    progress.need_result(record_of(folder / RECORD) is not None, command, folder.name, note)
    return SavedExplanation(scored.model, folder / RECORD)


@cached()
def record_of(path: Path) -> dict[str, Any] | None:
    """Return the record of an explanation, None where there is none of this version."""
    return load_record(path.parent) if path.is_file() else None


@cached()
def _load(record: Path, answer: str) -> Explanation:
    loaded = load_explanation(record.parent, answer)
    if loaded is None:
        raise ClvError("explanation_missing", folder=str(record.parent))
    return loaded[0]


def choose_answer() -> str:
    """Let the person choose what is explained."""
    names = {answer: t(f"answer.{answer}") for answer in ANSWERS}
    return widgets.choose(t("answer.choose"), names, "explain_answer", help=t("answer.help"))


def axis_of(feature: str, currency: str) -> str:
    """Return what a feature reads, with the unit of its axis where it is money or days."""
    name, kind = label(feature, session.language()), FEATURES[feature].unit if feature in FEATURES else ""
    unit = {"money": i18n.unit(currency), "days": t("chart.reading.days")}.get(kind)
    return t("chart.reading", name=name, unit=unit) if unit else name


def within(part: str) -> str:
    """Return what a reason is called within a sentence."""
    return part_name(part, session.language(), within=True)


def headline(explanation: Explanation) -> str:
    """Return what decides most, in one sentence."""
    rows = live(explanation).head(3)
    reasons = listed([within(part) for part in rows["part"]], session.language())
    share = percent(rows["share"].sum())
    return t(f"why.headline.{explanation.answer}", reasons=reasons, share=share)


def show(saved: SavedExplanation, answer: str) -> None:
    """Show the strongest reasons in words, bars and dots, and how far they can be relied on."""
    explanation, bundle = saved.of(answer), saved.bundle
    currency = bundle.record.currency
    with st.grid(2, min_column_width=360):
        with st.container(border=True, height="stretch"):
            st.markdown(f"**{t('explain.words')}**")
            in_words(explanation, currency)
        widgets.chart(reasons.bars(explanation, currency), "bars")
    widgets.chart(reasons.swarm(explanation, currency), "swarm")
    show_checks(record_of(saved.record) or {}, answer, currency)
    review_themes(bundle)


def in_words(explanation: Explanation, currency: str) -> None:
    """List the strongest reasons in words."""
    for place, row in enumerate(live(explanation).head(MAX_LISTED_REASONS).to_dict("records"), 1):
        sentence = t(
            "explain.reason",
            place=place,
            name=reason_name(row["part"]),
            effect=move(row["mean_abs"], explanation.answer, currency, session.language()),
            share=percent(row["share"]),
        )
        read = label(row["representative"], session.language())
        st.markdown(sentence, help=t("explain.reason.help", feature=widgets.escape(read)))


def show_checks(record: dict[str, Any], answer: str, currency: str) -> None:
    """Show the results of the checks of an explanation of many customers."""
    faithful = Faithfulness.from_json(record["faithfulness"][answer])
    stable = Stability.from_json(record["stability"][answer])
    first = of_faithfulness(faithful, answer, currency, session.language())
    second = of_stability(stable, session.language())
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{t('why.checks')}**")
        st.markdown(f"{ICONS[faithful.passed]} {widgets.escape(first)}", help=t("why.faithful.help"))
        st.markdown(f"{ICONS[stable.steady]} {widgets.escape(second)}", help=t("why.stable.help"))


def review_themes(bundle: Bundle) -> None:
    """Say what the themes are that the model reads review texts by; nothing where it reads none."""
    themes = bundle.record.signals.review_themes
    if not themes:
        return
    with st.expander(t("explain.themes"), icon=":material/reviews:"):
        st.caption(t("explain.themes.note"))
        names = [label(f"{REVIEW_TEXT}:{number}", session.language()) for number in range(1, len(themes) + 1)]
        table = pd.DataFrame({t("column.theme"): names, t("column.fragments"): [" · ".join(theme) for theme in themes]})
        cells.table(table, t("explain.themes"))


def download(explanation: Explanation, scored: Scored) -> None:
    """Offer the reasons of all customers; a model that is not trusted has to be acknowledged first."""
    bundle, as_of = scored.model, scored.dataset.log_end
    allowed = verdict.is_acknowledged(bundle)
    side, count = side_of(scored), len(explanation.customer_ids)
    currency = bundle.record.currency if explanation.answer != CHANCE else ""

    def write() -> bytes:
        return as_csv(explanation, currency, bundle, as_of)

    make = export_log.taken(write, "reasons", side, rows=count, customers=count)
    name = file_name(bundle, f"reasons-{explanation.answer}", as_of, "csv")
    page_files.download(t("explain.download"), make, name, key="download_reasons", disabled=not allowed)


def as_csv(explanation: Explanation, currency: str, bundle: Bundle, as_of: date) -> bytes:
    """Return all effects, one row a customer, as a CSV that a spreadsheet opens without running anything."""
    frame = pd.DataFrame(explanation.values, columns=list(explanation.parts))
    frame.insert(0, "customer_id", list(explanation.customer_ids))
    frame.insert(1, explanation.answer, explanation.predicted)
    frame.insert(2, "base", explanation.base)
    stamped = page_files.stamped(frame.assign(currency=currency) if currency else frame, bundle, as_of)
    return page_files.spreadsheet(stamped, mixed=True)
