"""The customer of the page put into a segment of one's own by hand, and taken out again."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from clv_core.collection.store.version_store import Dataset
from clv_core.errors import ClvError
from clv_core.strategy.customer.customer_card import Card
from clv_core.strategy.segments.saved_segments import load_rules, put_by_hand, saved_rules, take_out_by_hand
from clv_core.strategy.segments.segment_rules import RULES, Rules
from pages.ui import access, by_role, navigation, widgets
from pages.ui.saying import t


def section(card: Card, dataset: Dataset) -> None:
    """Offer the segments that rules make, or a new one, and name those that she was put into."""
    try:
        kept = [load_rules(dataset, name) for name in saved_rules(dataset)]
    except ClvError as error:
        widgets.error_box(error)
        return
    own = [(rules, rule) for rules in kept for rule in rules.rules]
    said = {_said(rules, rule.name, kept): (rules.name, rule.name) for rules, rule in own}
    inside = [(rules, rule) for rules, rule in own if card.customer_id in (rule.by_hand or ())]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                t("card.segment"),
                list(said),
                index=None,
                accept_new_options=True,
                key=f"card_segment_{card.customer_id}",
                placeholder=t("rules.segment.hint"),
                help=t("card.segment.help"),
                width=360,
            )
            name, segment = said.get(str(chosen), (_set_for_new(kept), (chosen or "").strip()))
            there = any(rules.name == name and rule.name == segment for rules, rule in inside)
            if st.button(
                t("card.segment.add"),
                type="primary",
                icon=":material/group_add:",
                key="card_segment_add",
                **by_role.if_may("change", disabled=not segment or there),
            ):
                _change(put_by_hand, dataset, name, segment, card.customer_id)
        for place, (rules, rule) in enumerate(inside):
            _membership(card, dataset, rules, _said(rules, rule.name, kept), rule.name, place)


def _change(change: Callable[[Dataset, str, str, str], None], dataset: Dataset, *names: str) -> None:
    access.require("change")
    try:
        change(dataset, *names)
    except ClvError as error:
        widgets.error_box(error)
        return
    st.rerun()


def _membership(card: Card, dataset: Dataset, rules: Rules, said: str, segment: str, place: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/group: {t('card.segment.in', segment=widgets.plain(said))}", width="content")
        if st.button(t("card.segment.show"), key=f"card_segment_show_{place}", type="tertiary"):
            st.session_state["scheme_kind"], st.session_state["rules_name"] = RULES, rules.name
            st.session_state["segments_view"] = "overview"
            navigation.go("segments")
        if st.button(
            t("card.segment.out"), key=f"card_segment_out_{place}", type="tertiary", **by_role.if_may("change")
        ):
            _change(take_out_by_hand, dataset, rules.name, segment, card.customer_id)


def _set_for_new(kept: list[Rules]) -> str:
    """Return the name of the rules that a new segment goes to: the usual one, or the first where it is not there."""
    usual, names = t("rules.set.usual"), [rules.name for rules in kept]
    return usual if usual in names or not names else names[0]


def _said(rules: Rules, segment: str, kept: list[Rules]) -> str:
    return segment if len(kept) == 1 else f"{rules.name} · {segment}"
