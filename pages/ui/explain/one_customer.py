"""One customer: two sentences, the way from the average to her, her events, and what if she were different."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from clv_core.deployment import Bundle, Scored
from clv_core.evaluation.explain import (
    ANSWERS,
    VALUE,
    Explanation,
    Reading,
    direction,
    level,
    move,
    of_customer,
    reading,
)
from clv_core.features import label
from clv_core.plot import explanations, reason_name, reasons, unit_of
from pages.ui import cells, i18n, navigation, session, widgets
from pages.ui.cache import CUSTOMERS, cached
from pages.ui.explain.overall import SavedExplanation, need_explanation
from pages.ui.i18n import money, name_of, t

if TYPE_CHECKING:
    from clv_core.deployment import ExplanationSession
    from clv_core.evaluation.explain import EventEffects

DEFAULT_SLIDERS: Final = 4
"""Reasons whose readings can be changed at once, to begin with; the person can add more."""
MIN_EFFECT_SHARE: Final = 0.01
"""An effect of events has its own row if it reaches this share of the strongest effect."""
SMALLEST: Final = 1e-4
"""The smallest residual that is shown."""


@cached(CUSTOMERS)
def _session(bundle: Bundle, record: Path) -> ExplanationSession:
    """Return the model, ready for questions about the customers of a saved explanation."""
    from clv_core.deployment import open_session

    return open_session(bundle, record.parent)


@cached()
def _events(bundle: Bundle, record: Path, customer: str) -> EventEffects:
    """Return what each event of a customer adds to her value."""
    return _session(bundle, record).events(customer)


@cached()
def _curve(bundle: Bundle, record: Path, customer: str, part: str) -> pd.DataFrame:
    """Return the value of a customer over the range of one part, all else her own."""
    explainer = _session(bundle, record)
    return explainer.what_if.curve(explainer.row(customer), part, {})


@widgets.safe_fragment
def show(many: SavedExplanation, scored: Scored, answer: str) -> None:
    """Let the person choose a customer, and explain the prediction of her value."""
    bundle, value = many.bundle, many.of(VALUE)
    customer = choose_customer(value, bundle.record.currency)
    scored.check_customer(customer)
    is_explained = customer in value.customer_ids
    saved = many if is_explained else need_explanation(scored, customer)
    why_one(saved.of(answer), customer, bundle)
    events(saved, customer)
    what_if(saved, saved.of(answer), customer)


def choose_customer(explanation: Explanation, currency: str) -> str:
    """Let the person choose one of the explained customers, the most valuable first, or name any other.

    Raises:
        NotFound: she is on the suppression list.
    """
    people = pd.DataFrame({"customer_id": explanation.customer_ids, "value": explanation.predicted})
    stop = session.suppression_list()
    order = stop.without(people).set_index("customer_id")["value"].sort_values(ascending=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selected_id = st.selectbox(
            t("explain.customer"),
            order.index,
            format_func=lambda customer: f"{customer} · {money(order[customer], currency)}",
            key="explain_customer",
            width=320,
        )
        other = st.text_input(
            t("explain.other"), key="explain_other", type="search", placeholder=t("segments.search"), width=260
        )
    customer = other.strip() or str(selected_id)
    stop.check(customer)
    return customer


def why_one(explanation: Explanation, customer: str, bundle: Bundle) -> None:
    """Say in two sentences why, and show the way from the average to the prediction as a waterfall and as a table."""
    currency, horizon = bundle.record.currency, bundle.record.horizon_days
    sentences = of_customer(explanation, customer, horizon, currency=currency, language=session.language())
    with st.container(border=True):
        st.markdown(i18n.join_sentences(map(widgets.escape, sentences)))
    widgets.chart(reasons.waterfall(explanation, customer, currency), "waterfall")
    rows = explanation.waterfall(customer)
    rows = rows.assign(label=rows["part"].map(reason_name))
    unit, factor = unit_of(explanation.answer, currency)
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


def events(saved: SavedExplanation, customer: str) -> None:
    """Show which of her events moved her value; of a model that does not read events in their order, say so."""
    bundle, currency = saved.bundle, saved.bundle.record.currency
    st.markdown(f"**{t('why.events')}**")
    if not _session(bundle, saved.record).reads_events:
        st.caption(t("why.events.none", model=name_of("model", bundle.record.model)))
        return
    effects = _events(bundle, saved.record, customer)
    by_event = effects.by_event()
    labels = [_event(row, currency) for row in by_event.to_dict("records")]
    table = pd.DataFrame(effects.effects.T, index=[reason_name(kind) for kind in effects.kinds])
    table = table[table.abs().max(axis=1) > MIN_EFFECT_SHARE * float(table.abs().to_numpy().max())]
    table.loc[t("why.events.all")] = by_event["effect"].to_numpy()
    place = int(by_event["effect"].abs().to_numpy().argmax())
    strongest = move(float(by_event["effect"].iloc[place]), VALUE, currency, session.language(), sign=True)
    message = t("why.events.message", event=labels[place], effect=strongest)
    widgets.chart(explanations.event_heat(table, labels, message, unit=i18n.unit(currency)), "events")
    amounts = {
        "start": money(effects.start, currency),
        "value": money(effects.value, currency),
        "sum": move(float(effects.effects.sum()), VALUE, currency, session.language(), sign=True),
        "residual": f"{max(effects.residual, SMALLEST):.2%}",
    }
    is_single = len(by_event) == 1
    st.caption(
        t("why.events.note.one", **amounts) if is_single else t("why.events.note", events=len(by_event), **amounts)
    )


def _event(row: dict[Hashable, Any], currency: str) -> str:
    day = pd.Timestamp(row["day"])
    kind = name_of("event", str(row["event_type"]))
    amount = float(row["amount"])
    event = t("why.event", kind=kind, day=i18n.day(day.date()))
    return (
        event if amount != amount or amount == 0 else t("why.event.amount", event=event, amount=money(amount, currency))
    )


@widgets.safe_fragment
def what_if(saved: SavedExplanation, explanation: Explanation, customer: str) -> None:
    """Let the person change what a customer's strongest reasons read, and show the answers next to the current ones."""
    explainer, currency = _session(saved.bundle, saved.record), saved.bundle.record.currency
    row = explainer.row(customer)
    changeable = set(explainer.what_if.changeable(row))
    strength = explanation.waterfall(customer)
    able = [part for part in strength["part"][strength["value"] != 0] if part in changeable]
    st.markdown(f"**{t('why.what_if')}**")
    st.caption(t("why.what_if.note"))
    if not able:
        st.caption(t("why.what_if.none"))
        return
    names = {part: reason_name(part) for part in able}
    parts = st.multiselect(
        t("why.what_if.choose"),
        able,
        default=able[:DEFAULT_SLIDERS],
        format_func=names.__getitem__,
        key=f"what_if_{customer}",
        placeholder=t("streamlit.choose_several"),
    )
    with st.grid(2, min_column_width=320):
        readings = {part: _slider(saved, customer, row, part, explanation) for part in parts}
    changes = {part: reading_value for part, reading_value in readings.items() if reading_value is not None}
    now = explainer.what_if.own[row]
    then = explainer.what_if.answer(row, changes) if changes else now
    widgets.figures(
        (
            widgets.Figure(
                t(f"answer.{answer}"),
                level(float(then[place]), answer, currency, session.language()),
                t("why.what_if.help"),
                _change(float(now[place]), float(then[place]), answer, currency) if changes else t("why.what_if.as_is"),
                None if not changes or now[place] == then[place] else bool(then[place] > now[place]),
            )
            for place, answer in enumerate(ANSWERS)
        ),
        columns=3,
    )


def _change(now: float, then: float, answer: str, currency: str) -> str:
    change = move(then - now, answer, currency, session.language(), sign=True)
    return t("why.what_if.beside", change=change, now=level(now, answer, currency, session.language()))


def _options(saved: SavedExplanation, row: int, part: str, of: str) -> list[Reading]:
    """Return what a slider offers: what was seen, and her own reading, which changes nothing."""
    what_if = _session(saved.bundle, saved.record).what_if
    current, choices = what_if.readings[part].iloc[row], what_if.choices(part)
    if isinstance(current, str):
        return [current, *(choice for choice in choices if choice != current)]
    currency = saved.bundle.record.currency
    by_text = {reading(float(choice), session.language(), of, currency): float(choice) for choice in choices}
    by_text[reading(float(current), session.language(), of, currency)] = float(current)
    return sorted(by_text.values())


def _slider(saved: SavedExplanation, customer: str, row: int, part: str, explanation: Explanation) -> Reading | None:
    """Offer one reading; None where it stays her own."""
    of, current = (
        explanation.representative_of(part),
        _session(saved.bundle, saved.record).what_if.readings[part].iloc[row],
    )
    options, current = _options(saved, row, part, of), current if isinstance(current, str) else float(current)
    read, currency = label(of, session.language()), saved.bundle.record.currency
    question = t("why.what_if.slider", name=reason_name(part), feature=read)
    key = f"what_if_{customer}_{part}"
    with st.container(gap="xsmall"):
        if isinstance(current, str):
            selected = st.selectbox(question, options, key=key)
        else:
            texts = {option: reading(option, session.language(), of, currency) for option in options}
            selected = st.select_slider(question, options, value=current, format_func=texts.get, key=key)
        st.caption(_direction(saved, customer, row, part))
    return None if selected == current else selected


def _direction(saved: SavedExplanation, customer: str, row: int, part: str) -> str:
    """Say which way her value goes with one reading alone, her own among those offered."""
    curve, now = (
        _curve(saved.bundle, saved.record, customer, part),
        float(_session(saved.bundle, saved.record).what_if.own[row][0]),
    )
    ends = min(now, float(curve["answer"].min())), max(now, float(curve["answer"].max()))
    low, high = (level(end, ANSWERS[0], saved.bundle.record.currency, session.language()) for end in ends)
    return t(f"why.what_if.{direction(curve)}", low=low, high=high)
