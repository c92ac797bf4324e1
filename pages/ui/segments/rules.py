"""Segments that people make or name: the rule builder, each change saved at once, and labels of a scheme's segments."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from clv_core.collection.store import Dataset
from clv_core.errors import ClvError, UsageError
from clv_core.features import attributes_of
from clv_core.strategy.segments import (
    OPERATORS,
    Condition,
    Rule,
    Rules,
    SegmentLabel,
    condition_columns,
    from_percent,
    labels_key,
    load_labels,
    load_rules,
    remove_rules,
    save_labels,
    save_rules,
    saved_rules,
    values_of,
    with_attributes,
)
from clv_core.workspace import check_name
from pages.ui import access, confirmation, schemes, widgets
from pages.ui.confirmation import Confirmation
from pages.ui.i18n import t
from pages.ui.segmenting import SegmentedCustomers
from pages.ui.session import language

HIDDEN: Final = {"customer_id", "as_of", "horizon_days", "model"}
"""Columns that no condition is made of."""


def edit_rules(dataset: Dataset, customers: pd.DataFrame) -> None:
    """Show the rules in use, and let the person add, remove, reorder and describe."""
    if not access.may("change"):
        st.info(access.ask_for("change"), icon=":material/lock:")
        return
    selected_name = st.session_state.get("rules_name")
    rules = load_rules(dataset, selected_name) if selected_name and selected_name in saved_rules(dataset) else None
    if rules is not None:
        _order(dataset, rules)
        for place, rule in enumerate(rules.rules):
            _segment(dataset, rules, place, rule)
    else:
        st.caption(t("rules.empty"))
    _add(dataset, rules, customers)


def _order(dataset: Dataset, rules: Rules) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        overlapping = st.toggle(
            t("rules.overlapping"), rules.overlapping, key=f"overlap_{rules.name}", help=t("rules.overlapping.help")
        )
        label = t("rules.delete", name=widgets.escape(rules.name))
        consequence = t("rules.delete.sure", count=len(rules.rules))
        question = Confirmation(label, consequence, t("rules.delete.yes"), partial(_delete, dataset, rules.name))
        confirmation.button(question, label, "rules_delete", icon=":material/delete:")
    if overlapping != rules.overlapping:
        _save(dataset, replace(rules, overlapping=overlapping))


def _delete(dataset: Dataset, name: str) -> None:
    """Delete rules with all their segments."""
    access.require("change")
    remove_rules(dataset, name)


def _segment(dataset: Dataset, rules: Rules, place: int, rule: Rule) -> None:
    """Show one segment: its conditions, its description, its place among the others."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{place + 1}. {widgets.escape(rule.name)}**", width="stretch")
            if place and st.button(t("rules.up"), key=f"up_{place}", icon=":material/arrow_upward:"):
                order = [*rules.rules]
                order[place - 1], order[place] = order[place], order[place - 1]
                _save(dataset, replace(rules, rules=tuple(order)))
            if st.button(t("rules.remove"), key=f"remove_{place}", icon=":material/close:"):
                _without(dataset, rules, place)
        for number, condition in enumerate(rule.conditions):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"- {widgets.escape(schemes.sentence(condition, _own(dataset)))}", width="stretch")
                if (len(rule.conditions) > 1 or rule.by_hand is not None) and st.button(
                    t("rules.drop"), key=f"drop_{place}_{number}", icon=":material/close:", type="tertiary"
                ):
                    left = tuple(
                        other_condition for other, other_condition in enumerate(rule.conditions) if other != number
                    )
                    _replace(dataset, rules, place, replace(rule, conditions=left))
        if rule.by_hand is not None:
            _by_hand(dataset, rules, place, rule)
        about = st.text_input(
            t("segments.column.description"),
            rule.description,
            key=f"rule_about_{rules.name}_{rule.name}",
            max_chars=300,
            label_visibility="collapsed",
            placeholder=t("rules.description"),
        )
        if (about or "") != rule.description:
            _replace(dataset, rules, place, replace(rule, description=about or ""))


def _by_hand(dataset: Dataset, rules: Rules, place: int, rule: Rule) -> None:
    """List the customers put in by hand on the customer page; each can be taken out."""
    everyone = list(rule.by_hand or ())
    label = t("rules.by_hand", count=f"{len(everyone):,}")
    key = f"by_hand_{rules.name}_{rule.name}_{len(everyone)}"
    left = st.multiselect(label, everyone, everyone, key=key, placeholder=t("rules.by_hand.hint"))
    if len(left) < len(everyone):
        _replace(dataset, rules, place, replace(rule, by_hand=tuple(left)))


def _add(dataset: Dataset, rules: Rules | None, customers: pd.DataFrame) -> None:
    """Let the person add a condition, to a segment that is there or to a new one."""
    names = [rule.name for rule in rules.rules] if rules else []
    with st.form("add_rule", clear_on_submit=False):
        st.markdown(f"**{t('rules.add')}**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            title = "" if rules else st.text_input(t("rules.set"), t("rules.set.usual"), key="rules_new", width=200)
            segment = _choose_segment(names)
            columns = [name for name in condition_columns(customers, dataset) if name not in HIDDEN]
            called = {option: schemes.called(option) for option in columns}
            help = t("rules.column.help", count=len(columns))
            column = widgets.select(t("rules.column"), called, "rule_column", help=help, width=220)
            words = {option: schemes.compared(option) for option in OPERATORS}
            operator = widgets.select(t("rules.operator"), words, "rule_operator", index=2, width=150)
            value = st.text_input(t("rules.value"), key="rule_value", help=t("rules.value.help"), width=160)
        pressed = st.form_submit_button(t("rules.add.button"), type="primary", icon=":material/add:")
    if pressed:
        try:
            if not (segment or "").strip() or not (value or "").strip():
                raise UsageError("rule_unfinished")
            condition = _condition(dataset, column, operator, value, customers)
            _save_condition(dataset, rules, title or "", (segment or "").strip(), condition)
        except ClvError as error:
            widgets.show_error(error)


def _choose_segment(names: list[str]) -> str | None:
    """Let the person write the first segment's name, or choose one of those that are there, or write another."""
    if not names:  # a list to choose from would forget what was written in it and not confirmed by Enter
        return st.text_input(t("rules.segment"), key="rule_segment_first", width=240)
    return st.selectbox(
        t("rules.segment"),
        names,
        index=None,
        key="rule_segment",
        accept_new_options=True,
        placeholder=t("rules.segment.hint"),
        width=240,
    )


def _condition(dataset: Dataset, column: str, operator: str, value: str, customers: pd.DataFrame) -> Condition:
    """Return the condition as it was written, once it can be read on these customers."""
    values = values_of(value if '"' in value else value.replace("，", ","), operator)
    condition = Condition(column, operator, from_percent(column, operator, values, _own(dataset)))
    condition.holds(with_attributes(customers.head(1000), dataset, dataset.log_end, (column,)))
    return condition


def _save_condition(dataset: Dataset, rules: Rules | None, title: str, segment: str, condition: Condition) -> None:
    """Save the rules with one condition more, or new ones called ``title``."""
    if rules is None:
        made = Rules(check_name(title), (Rule(segment, (condition,)),))
        if made.name in saved_rules(dataset):
            raise UsageError("rules_taken", name=made.name)
    else:
        made = rules.with_condition(segment, condition)
    save_rules(dataset, made)
    st.session_state["rules_chosen"] = made.name
    st.rerun()


def _without(dataset: Dataset, rules: Rules, place: int) -> None:
    left = tuple(rule for other, rule in enumerate(rules.rules) if other != place)
    if left:
        _save(dataset, replace(rules, rules=left))
    remove_rules(dataset, rules.name)
    st.rerun()


def _replace(dataset: Dataset, rules: Rules, place: int, rule: Rule) -> None:
    _save(dataset, replace(rules, rules=(*rules.rules[:place], rule, *rules.rules[place + 1 :])))


def _save(dataset: Dataset, rules: Rules) -> None:
    save_rules(dataset, rules)
    st.rerun()


def take_up_new_rules() -> None:
    """Take up the rules that were just made, before their widget is drawn."""
    made = st.session_state.pop("rules_chosen", None)
    if made is not None:
        st.session_state["rules_name"] = made


def _own(dataset: Dataset) -> list[str]:
    """Return the names of the customers table's columns, whose numbers have no known unit."""
    return [attribute.name for attribute in attributes_of(dataset)]


def name_segments(segmented: SegmentedCustomers) -> None:
    """Let the person name and describe the segments; empty fields leave the scheme's own."""
    if isinstance(segmented.scheme, Rules):
        st.info(t("segments.names.rules"), icon=":material/info:")
        return
    if not access.may("change"):
        st.info(access.ask_for("change"), icon=":material/lock:")
        return
    key = labels_key(segmented.scheme, segmented.bundle)
    labels = load_labels(segmented.dataset, key)
    st.caption(t("segments.names.note"))
    with st.form(f"names_{key}"):
        typed = {}
        for segment in segmented.fitted.segments:
            label = labels.get(segment.key, SegmentLabel())
            usual, about = segment.name(language()), segment.description(language())
            with st.container(horizontal=True, vertical_alignment="top"):
                name = st.text_input(
                    usual, label.name, key=f"name_{key}_{segment.key}", placeholder=usual, max_chars=60, width=260
                )
                description = st.text_input(
                    t("segments.column.description"),
                    label.description,
                    key=f"about_{key}_{segment.key}",
                    placeholder=about,
                    max_chars=300,
                )
            typed[segment.key] = SegmentLabel(name or "", description or "")
        pressed = st.form_submit_button(t("segments.names.save"), type="primary", icon=":material/save:")
    if pressed:
        save_labels(segmented.dataset, key, typed)
        st.session_state["names_saved"] = True
        st.rerun()
    if st.session_state.pop("names_saved", False):
        st.toast(t("segments.names.saved"), icon=":material/check:")
