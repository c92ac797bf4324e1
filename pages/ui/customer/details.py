"""One customer on the customer page: figures, reasons, actions, history, similar customers, files, manual segments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.deployment import Scored
from clv_core.errors import ClvError
from clv_core.plot import cut
from clv_core.strategy.campaigns import campaigns_of
from clv_core.strategy.customer import CUMULATIVE, DAY, MODEL, NET_VALUE, Card
from clv_core.strategy.segments import (
    DEFAULT_SCHEME,
    RULES,
    Rules,
    load_rules,
    put_by_hand,
    saved_rules,
    take_out_by_hand,
    tier_labels,
)
from pages.ui import access, cells, i18n, navigation, page_files, session, tiers, verdict, widgets
from pages.ui.charts import following
from pages.ui.exports import export_log
from pages.ui.i18n import money, percent, t
from pages.ui.navigation import SEARCH
from pages.ui.page_files import file_name


def headline(card: Card) -> str:
    """Return the customer's total value in one sentence."""
    amounts = {name: money(getattr(card, name), card.currency) for name in ("total", "historic", "predicted")}
    about = {"customer": widgets.escape(cut(card.customer_id)), "days": f"{card.horizon_days:,}", **amounts}
    if card.high <= 0:
        return t("card.headline.nothing", **about)
    low, high = money(card.total_low, card.currency), money(card.total_high, card.currency)
    return t("card.headline.above" if _above(card) else "card.headline", **about, low=low, high=high)


def figures(card: Card) -> None:
    """Show value so far, expected and in all, the chance, the next order, and the tier; then how sure the day is."""
    currency, days, coming = card.currency, card.horizon_days, card.next_order
    expected = t("card.next.not") if coming.expected is None else i18n.day(coming.expected)
    half = t("card.next.low", days=days) if coming.expected is None else t("card.next.half")
    bought = len(card.history.purchase_days)
    rank = t("card.rank", rank=card.rank, customers=card.customers)
    widgets.figures(
        (
            widgets.Figure(
                t("card.historic"),
                money(card.historic, currency),
                t("card.historic.help"),
                t("card.purchases", days=bought),
            ),
            widgets.Figure(
                t("card.predicted", days=days),
                money(card.predicted, currency),
                t("card.predicted.help"),
                t("card.sure.nothing") if card.high <= 0 else _sure(card, card.low, card.high),
            ),
            widgets.Figure(
                t("card.total"),
                money(card.total, currency),
                t("card.total.help"),
                t("card.sure.no_more") if card.high <= 0 else _sure(card, card.total_low, card.total_high),
            ),
            widgets.Figure(
                t("card.chance"),
                percent(card.p_purchase),
                t("card.chance.help", days=days),
                t("card.chance.note", days=days),
            ),
            widgets.Figure(t("card.next"), expected, t("card.next.help"), half),
            widgets.Figure(t("card.tier"), card.tier_name, t("card.tier.help"), rank),
        ),
        columns=3,
        width=230,
    )
    st.markdown(i18n.join_sentences(_when(card)))


def _sure(card: Card, low: float, high: float) -> str:
    key = "card.sure.above" if _above(card) else "card.sure"
    return t(key, low=money(low, card.currency), high=money(high, card.currency))


def _above(card: Card) -> bool:
    """Return whether the mean lies above the interval, as where few customers like this one buy, and these much."""
    return card.predicted > card.high


def _when(card: Card) -> list[str]:
    """Return when the next order is expected and how sure that is, and the customer's own pause."""
    message = card.next_order.message()
    sentences = [i18n.message_text(message)]
    gap, since = card.next_order.usual_gap_days, card.days_since_last
    if gap is None or since is None:
        return sentences
    if card.next_order.regular:  # the message names the pause already
        return [*sentences, t("card.since", since=f"{since:,.0f}")]
    return [*sentences, t("card.gap", gap=f"{gap:,.0f}", since=f"{since:,.0f}")]


def reasons(card: Card) -> None:
    """Show the reasons in two sentences with their source, and link to the model's own."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{t('card.why')}**")
        st.markdown(i18n.join_sentences([widgets.escape(sentence) for sentence in card.why.sentences]))
        from_model = card.why.source == MODEL
        source = "card.why.model.in" if card.currency else "card.why.model"
        st.caption(t(source, currency=card.currency) if from_model else t("card.why.facts"))
        st.space("stretch")
        label = t("card.why.all") if from_model else t("card.why.ask")
        if st.button(label, key="card_why", icon=navigation.BY_NAME["explain"].icon):
            st.session_state["explain_part"] = "customer"
            st.session_state["explain_other"] = card.customer_id
            navigation.go("explain")


def action(card: Card) -> None:
    """Say what is suggested for customers of this tier, and lead to them."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{t('card.do')}**")
        st.markdown(card.action)
        st.caption(t("card.do.note") if len(card.history.purchase_days) else t("card.do.never"))
        st.space("stretch")
        if st.button(t("card.to_tier"), key="card_tier", icon=navigation.BY_NAME["segments"].icon):
            st.session_state["scheme_kind"] = DEFAULT_SCHEME.kind
            st.session_state["segments_view"] = "overview"
            st.session_state[f"filter_tiers_{DEFAULT_SCHEME.tiers}"] = [card.tier]
            navigation.go("segments")


def history(card: Card) -> None:
    """Draw what was spent and what is expected, with the days below it."""
    end = i18n.last_day(card.as_of + timedelta(days=card.horizon_days))
    bought = card.history.purchase_days
    about = {"customer": cut(card.customer_id), "predicted": money(card.predicted, card.currency), "end": end}
    message = t("card.chart.never", **about)
    if len(bought):
        historic = money(card.historic, card.currency)
        first = i18n.day(bought.iloc[0].date())
        message = t("card.chart", **about, purchases=len(bought), first=first, historic=historic)
    widgets.chart(following.history_line(card, message, unit=i18n.unit(card.currency)), "card_history")
    table = card.history.table()
    number, config = st.column_config.NumberColumn, st.column_config
    columns: dict[str, object] = {
        DAY: config.DateColumn(t("card.column.day"), format="YYYY-MM-DD"),
        NET_VALUE: cells.money(t("card.column.net_value"), card.currency),
        CUMULATIVE: cells.money(t("card.column.cumulative"), card.currency),
        "purchased": None,
    }
    columns |= {
        name: number(i18n.name_of("event", name.removeprefix("events_")))
        for name in table.columns
        if name.startswith("events_")
    }
    with st.expander(t("card.days"), icon=":material/table_chart:"):
        cells.table(table.iloc[::-1], t("card.days"), columns)


def similar(card: Card, dataset: Dataset) -> None:
    """List the customers who look like this one; each opens at a click."""
    st.header(t("card.similar"), anchor=False)
    if card.similar.empty:
        st.caption(t("card.similar.nobody"))
        return
    st.caption(t("card.similar.note"))
    names = dict(enumerate(tier_labels(dataset, DEFAULT_SCHEME.tiers, session.language()), 1))
    shown = card.similar.assign(tier_name=card.similar["tier"].map(names), p_purchase=card.similar["p_purchase"] * 100)
    order = ["customer_id", "tier_name", "predicted_clv", "p_purchase", "historic_value", "purchase_days"]
    columns = tiers.columns(card.currency) | {
        "days_since_last": st.column_config.NumberColumn(t("card.column.days_since_last"), format="%d")
    }
    cells.table(shown[[*order, "days_since_last"]], t("card.similar"), columns)
    st.pills(
        t("card.similar.open"),
        card.similar["customer_id"].tolist(),
        format_func=widgets.escape,
        key="card_similar",
        on_change=_open_similar,
    )


def _open_similar() -> None:
    similar_id = st.session_state.pop("card_similar", None)
    if similar_id:
        st.session_state[SEARCH] = similar_id


def downloads(card: Card, scored: Scored) -> None:
    """Offer the card as JSON and its days as CSV; a model that is not trusted has to be acknowledged first."""
    dataset, bundle = scored.dataset, scored.model
    allowed, days = verdict.is_acknowledged(bundle), card.history.table().assign(customer_id=card.customer_id)
    language = session.language()
    what = "customer-" + re.sub(r"[^\w.-]+", "-", card.customer_id)[:80]
    about = {"dataset": dataset.name, "dataset_version": dataset.version}
    side = tiers.side(scored)
    side = replace(side, cutoff=card.as_of.isoformat(), segment=f"customer_id={card.customer_id}")
    with st.container(horizontal=True):
        page_files.download(
            t("card.download.json"),
            export_log.taken(
                lambda: json.dumps({**about, **card.to_json()}, ensure_ascii=False, indent=1, allow_nan=False),
                "card",
                side,
                rows=1,
                customers=1,
            ),
            file_name(bundle, what, card.as_of, "json"),
            key="download_card",
            disabled=not allowed,
        )
        page_files.download(
            t("card.download.csv"),
            export_log.taken(
                lambda: page_files.spreadsheet(days, card.currency, language=language),
                "card_days",
                side,
                rows=len(days),
                customers=1,
            ),
            file_name(bundle, f"{what}-days", card.as_of, "csv"),
            key="download_days",
            disabled=not allowed,
        )


def segments_by_hand(card: Card, dataset: Dataset) -> None:
    """Offer the segments that rules make, or a new one, and name those that she was put into."""
    try:
        saved = [load_rules(dataset, name) for name in saved_rules(dataset)]
    except ClvError as error:
        widgets.show_error(error)
        return
    all_rules = [(rules, rule) for rules in saved for rule in rules.rules]
    labels = {_label(rules, rule.name, saved): (rules.name, rule.name) for rules, rule in all_rules}
    inside = [(rules, rule) for rules, rule in all_rules if card.customer_id in (rule.by_hand or ())]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            selected_label = st.selectbox(
                t("card.segment"),
                list(labels),
                index=None,
                accept_new_options=True,
                key=f"card_segment_{card.customer_id}",
                placeholder=t("rules.segment.hint"),
                help=t("card.segment.help"),
                width=360,
            )
            name, segment = labels.get(str(selected_label), (_set_for_new(saved), (selected_label or "").strip()))
            there = any(rules.name == name and rule.name == segment for rules, rule in inside)
            if st.button(
                t("card.segment.add"),
                type="primary",
                icon=":material/group_add:",
                key="card_segment_add",
                **access.if_may("change", disabled=not segment or there),
            ):
                _change(put_by_hand, dataset, name, segment, card.customer_id)
        for place, (rules, rule) in enumerate(inside):
            _membership(card, dataset, rules, _label(rules, rule.name, saved), rule.name, place)


def campaigns(card: Card, dataset: Dataset) -> None:
    """Name the campaigns that she is in, and those in whose control group she is."""
    members = campaigns_of(dataset, card.customer_id)
    if not members:
        return
    lines = [
        t(f"card.campaign.{member.group}", name=widgets.escape(member.campaign.name), day=i18n.day(member.joined))
        for member in members
    ]
    with st.container(border=True, gap="small"):
        st.markdown(f"**{t('card.campaigns')}**")
        st.markdown("\n".join(f"- {line}" for line in lines))


def _change(change: Callable[[Dataset, str, str, str], None], dataset: Dataset, *names: str) -> None:
    access.require("change")
    try:
        change(dataset, *names)
    except ClvError as error:
        widgets.show_error(error)
        return
    st.rerun()


def _membership(card: Card, dataset: Dataset, rules: Rules, label: str, segment: str, place: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/group: {t('card.segment.in', segment=widgets.escape(label))}", width="content")
        if st.button(t("card.segment.show"), key=f"card_segment_show_{place}", type="tertiary"):
            st.session_state["scheme_kind"], st.session_state["rules_name"] = RULES, rules.name
            st.session_state["segments_view"] = "overview"
            navigation.go("segments")
        if st.button(
            t("card.segment.out"), key=f"card_segment_out_{place}", type="tertiary", **access.if_may("change")
        ):
            _change(take_out_by_hand, dataset, rules.name, segment, card.customer_id)


def _set_for_new(saved: list[Rules]) -> str:
    """Return the name of the rules that a new segment goes to: the usual one, or the first where it is not there."""
    usual, names = t("rules.set.usual"), [rules.name for rules in saved]
    return usual if usual in names or not names else names[0]


def _label(rules: Rules, segment: str, saved: list[Rules]) -> str:
    return segment if len(saved) == 1 else f"{rules.name} · {segment}"
