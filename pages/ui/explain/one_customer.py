"""One customer: two sentences, the way from the average to her, and which of her events moved her value."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment.bundle import Bundle
from clv_core.evaluation.explain.answers import VALUE
from clv_core.evaluation.explain.explanation import Explanation
from clv_core.evaluation.explain.sentences import WORTH_NAMING, level, move, of_customer, reading
from clv_core.features.labels import label
from pages.ui import cells, i18n, navigation, session, widgets
from pages.ui.charts import explanations
from pages.ui.explain.answers import reason_name, unit_of
from pages.ui.explain.asked import Found
from pages.ui.i18n import money, name_of, t

STEPS: Final = 8
WORTH_DRAWING: Final = 0.01
"""A thing that events tell has a row of its own where it moves this share of the strongest effect."""
SMALLEST: Final = 1e-4
"""A residual is never said to be smaller than this."""


def choose_customer(explanation: Explanation, currency: str) -> str:
    """Let the person choose one of the explained customers, the most valuable first, or name any other.

    Raises:
        NotFound: she is on the suppression list.
    """
    people = pd.DataFrame({"customer_id": explanation.customer_ids, "value": explanation.predicted})
    stop = session.suppression_list()
    order = stop.without(people).set_index("customer_id")["value"].sort_values(ascending=False)
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
    customer = other.strip() or str(chosen)
    stop.check(customer)
    return customer


def why_one(explanation: Explanation, customer: str, bundle: Bundle) -> None:
    """Say in two sentences why, and show the way from the average to the prediction as a waterfall and as a table."""
    currency, horizon = bundle.record["currency"], bundle.record["horizon_days"]
    said = of_customer(explanation, customer, horizon, currency=currency, language=session.language())
    with st.container(border=True):
        st.markdown(i18n.join_sentences(map(widgets.escape, said)))
    rows = explanation.waterfall(customer)
    rows = rows.assign(label=rows["part"].map(reason_name))
    unit, factor = unit_of(explanation.answer, currency)
    named = rows[rows["value"].abs() > WORTH_NAMING * float(rows["value"].abs().max())].head(STEPS)
    steps = named[["label", "value"]].rename(columns={"value": "effect"})
    rest = float(rows["value"].iloc[len(named) :].sum())
    if abs(rest) > WORTH_NAMING * float(named["value"].abs().max()):
        last: list[Any] = [t("explain.rest"), rest]
        steps.loc[len(steps)] = last
    figure = explanations.waterfall(
        steps.assign(effect=steps["effect"] * factor),
        t(
            "why.waterfall",
            base=level(explanation.base, explanation.answer, currency, session.language()),
            predicted=level(explanation.predicted_of(customer), explanation.answer, currency, session.language()),
        ),
        start=(t("explain.base"), explanation.base * factor),
        end=t(f"answer.{explanation.answer}"),
        unit=unit,
    )
    widgets.chart(figure, "waterfall")
    _table(rows, factor, currency if factor == 1 else unit, currency)
    opening = t("card.open", customer=widgets.escape(customer))
    if st.button(opening, key="explain_card", icon=navigation.BY_NAME["customer"].icon):
        navigation.open_customer(customer)


def _table(rows: pd.DataFrame, factor: float, unit: str, currency: str) -> None:
    table = pd.DataFrame(
        {
            t("column.reason"): rows["label"],
            t("column.effect"): rows["value"] * factor,
            t("column.seen"): rows["representative"].map(lambda name: label(name, session.language())),
            t("column.reading"): [
                reading(value, session.language(), of, currency)
                for value, of in zip(rows["reading"], rows["representative"], strict=True)
            ],
        }
    )
    with st.expander(t("explain.table"), icon=":material/table_chart:"):
        effect = {t("column.effect"): cells.money(t("column.effect"), unit)}
        cells.table(table, t("explain.table"), effect)


def events(found: Found, customer: str, bundle: Bundle) -> None:
    """Show which of her events moved her value; of a model that does not read events in their order, say so."""
    currency = bundle.record["currency"]
    st.markdown(f"**{t('why.events')}**")
    if not found.reads_events():
        st.caption(t("why.events.none", model=name_of("model", bundle.record["model"])))
        return
    effects = found.events(customer)
    by_event = effects.by_event()
    labels = [_event(row, currency) for row in by_event.to_dict("records")]
    table = pd.DataFrame(effects.effects.T, index=[reason_name(kind) for kind in effects.kinds])
    table = table[table.abs().max(axis=1) > WORTH_DRAWING * float(table.abs().to_numpy().max())]
    table.loc[t("why.events.all")] = by_event["effect"].to_numpy()
    place = int(by_event["effect"].abs().to_numpy().argmax())
    strongest = move(float(by_event["effect"].iloc[place]), VALUE, currency, session.language(), sign=True)
    message = t("why.events.message", event=labels[place], effect=strongest)
    widgets.chart(explanations.event_heat(table, labels, message, unit=i18n.unit(currency)), "events")
    said = {
        "start": money(effects.start, currency),
        "value": money(effects.value, currency),
        "sum": move(float(effects.effects.sum()), VALUE, currency, session.language(), sign=True),
        "residual": f"{max(effects.residual, SMALLEST):.2%}",
    }
    one = len(by_event) == 1
    st.caption(t("why.events.note.one", **said) if one else t("why.events.note", events=len(by_event), **said))


def _event(row: dict[Hashable, Any], currency: str) -> str:
    day = pd.Timestamp(row["day"])
    kind = name_of("event", str(row["event_type"]))
    amount = float(row["amount"])
    said = t("why.event", kind=kind, day=i18n.day(day.date()))
    return (
        said if amount != amount or amount == 0 else t("why.event.amount", event=said, amount=money(amount, currency))
    )
