"""Why the model says what it says: reasons over all customers and for one, in the log's currency."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment.bundle import Bundle
from clv_core.deployment.kept_explanations import explanation_folder
from clv_core.errors import ClvError
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.parts import reading_label
from clv_core.evaluation.explain.store import RECORD, load_explanation
from clv_core.features.labels import label
from clv_core.features.signals import REVIEW_TEXT
from pages.ui import charts_why, progress, state, widgets
from pages.ui.state import money, name_of, percent, t

STRONGEST: Final = 5
BARS: Final = 10
SWARM: Final = 8
DOTS: Final = 250
STEPS: Final = 8


def need_explanation(dataset: Dataset, bundle: Bundle, customer: str = "") -> Explanation:
    """Return the explanation of many customers, or of one; while it is not there, show the run that makes it."""
    folder = explanation_folder(state.workspace(), bundle, dataset, customer)
    command = ["explain", dataset.name, "--model", bundle.id, "--out", str(folder)]
    command += ["--customer", customer] if customer else []
    note = t("explained.wait.one", customer=customer) if customer else t("explained.wait")
    record = folder / RECORD
    progress.need(record.is_file(), command, folder.name, note)
    return _load(str(folder), record.stat().st_mtime)


@st.cache_resource(max_entries=8, show_spinner=False)
def _load(folder: str, written: float) -> Explanation:
    found = load_explanation(Path(folder))
    if found is None:
        raise ClvError("explanation_missing", folder=folder)
    return found[0]


def reason_name(part: str) -> str:
    """Return what a reason is called."""
    return name_of("feature_group", part)


def headline(explanation: Explanation) -> str:
    """Return what decides most, in one sentence."""
    rows = explanation.importance().head(3)
    first, second, third = (_lower(reason_name(part)) for part in rows["part"])
    return t("explain.headline", first=first, second=second, third=third, share=percent(rows["share"].sum()))


def _lower(name: str) -> str:
    """Return a name as it stands within a sentence."""
    return name[:1].lower() + name[1:] if state.language() == "en" and not name[:2].isupper() else name


def in_words(explanation: Explanation, currency: str) -> None:
    """List the strongest reasons in words."""
    for place, row in enumerate(explanation.importance().head(STRONGEST).itertuples(), 1):
        sentence = t(
            "explain.reason",
            place=place,
            name=reason_name(row.part),
            effect=money(row.mean_abs, currency),
            share=percent(row.share),
        )
        read = reading_label(row.representative, state.language())
        st.markdown(sentence, help=t("explain.reason.help", feature=read))


def bars(explanation: Explanation, currency: str) -> go.Figure:
    """Draw the reasons by strength."""
    rows = explanation.importance().head(BARS)
    table = pd.DataFrame({"label": rows["part"].map(reason_name), "strength": rows["mean_abs"]})
    message = t("explain.bars", name=reason_name(rows["part"].iloc[0]), share=percent(rows["share"].iloc[0]))
    return charts_why.reason_bars(table, message, unit=state.unit(currency))


def swarm(explanation: Explanation, currency: str) -> go.Figure:
    """Draw which way each reason moves customers, by how high its level is."""
    order = explanation.importance()["part"].head(SWARM).tolist()
    table = explanation.beeswarm()
    shown = set(pd.Series(explanation.customer_ids).sample(min(DOTS, len(explanation.customer_ids)), random_state=1))
    table = table[table["part"].isin(order) & table["customer_id"].isin(shown)]
    table = table.sort_values("part", key=lambda part: part.map(order.index), kind="stable", ignore_index=True)
    table = table.assign(label=table["part"].map(reason_name), effect=table["value"])
    return charts_why.beeswarm(table, _swarm_message(table, order), unit=state.unit(currency))


def _swarm_message(table: pd.DataFrame, order: list[str]) -> str:
    """Say which of the strongest reasons adds value when it is high, and which takes value."""
    known = table.dropna(subset="level")
    with_level = {
        part: float(rows["level"].corr(rows["effect"], method="spearman"))
        for part, rows in known.groupby("part")
        if len(rows) > 2 and rows["level"].nunique() > 1 and rows["effect"].nunique() > 1
    }
    up = next((part for part in order if with_level.get(part, 0.0) > 0.3), None)
    down = next((part for part in order if with_level.get(part, 0.0) < -0.3), None)
    if up and down:
        return t("explain.swarm.both", up=reason_name(up), down=_lower(reason_name(down)))
    return t("explain.swarm.up", up=reason_name(up)) if up else t("explain.swarm")


def review_themes(bundle: Bundle) -> None:
    """Say what the themes are that the model reads review texts by; nothing where it reads none."""
    themes = bundle.record.get("signals", {}).get("review_themes", [])
    if not themes:
        return
    with st.expander(t("explain.themes"), icon=":material/reviews:"):
        st.caption(t("explain.themes.note"))
        names = [label(f"{REVIEW_TEXT}:{number}", state.language()) for number in range(1, len(themes) + 1)]
        table = pd.DataFrame({t("column.theme"): names, t("column.fragments"): [" · ".join(theme) for theme in themes]})
        st.dataframe(table, hide_index=True, alt=t("explain.themes"))


def choose_customer(explanation: Explanation, currency: str) -> str:
    """Let the person choose one of the explained customers, the most valuable first, or name any other."""
    order = pd.Series(explanation.predicted, index=list(explanation.customer_ids)).sort_values(ascending=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("explain.customer"),
            order.index,
            format_func=lambda customer: f"{customer} · {money(order[customer], currency)}",
            key="explain_customer",
            width=320,
        )
        other = st.text_input(
            t("explain.other"), key="explain_other", type="search", placeholder=t("segments.search"), width=260
        )
    return other.strip() or str(chosen)


def why_one(explanation: Explanation, customer: str, bundle: Bundle) -> None:
    """Show one customer's way from the average to the prediction: in words, as a waterfall, and as a table."""
    currency = bundle.record["currency"]
    rows = explanation.waterfall(customer)
    rows = rows.assign(label=rows["part"].map(reason_name))
    predicted = float(explanation.predicted[explanation.customer_ids.index(customer)])
    steps = rows.head(STEPS)[["label", "value"]].rename(columns={"value": "effect"})
    rest = rows["value"].iloc[STEPS:].sum()
    steps.loc[len(steps)] = [t("explain.rest"), rest]
    figure = charts_why.waterfall(
        steps,
        _one_message(rows, customer, predicted, explanation.base, bundle),
        start=(t("explain.base"), explanation.base),
        end=t("column.predicted_clv"),
        unit=state.unit(currency),
    )
    widgets.chart(figure, "waterfall")
    table = pd.DataFrame(
        {
            t("column.reason"): rows["label"],
            t("column.effect"): rows["value"],
            t("column.seen"): rows["representative"].map(lambda name: reading_label(name, state.language())),
            t("column.reading"): [_reading(value) for value in rows["reading"]],
        }
    )
    with st.expander(t("explain.table"), icon=":material/table_chart:"):
        effect = {t("column.effect"): st.column_config.NumberColumn(format="accounting")}
        st.dataframe(table, hide_index=True, column_config=effect, alt=t("explain.table"))


def _one_message(rows: pd.DataFrame, customer: str, predicted: float, base: float, bundle: Bundle) -> str:
    currency = bundle.record["currency"]
    first, second = (
        f"{_lower(row.label)} ({'+' if row.value >= 0 else '−'}{money(abs(row.value), currency)})"
        for row in rows.head(2).itertuples()
    )
    key = "explain.one.more" if predicted >= base else "explain.one.less"
    return t(
        key,
        customer=customer,
        horizon=bundle.record["horizon_days"],
        predicted=money(predicted, currency),
        difference=money(abs(predicted - base), currency),
        base=money(base, currency),
        first=first,
        second=second,
    )


def _reading(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return "–"
    return value if isinstance(value, str) else state.say(float(value))  # type: ignore[arg-type]


def as_csv(explanation: Explanation) -> str:
    """Return all effects, one row a customer, as CSV."""
    frame = pd.DataFrame(explanation.values, columns=list(explanation.parts))
    frame.insert(0, "customer_id", list(explanation.customer_ids))
    frame.insert(1, "predicted_clv", explanation.predicted)
    frame.insert(2, "base", explanation.base)
    return frame.to_csv(index=False)
