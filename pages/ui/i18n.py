"""Texts, numbers, amounts and times in the language of the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import streamlit as st
from babel.dates import format_datetime, get_timezone

from clv_core.collection.store import Manifest
from clv_core.errors import Message
from clv_core.i18n import (
    BABEL_LOCALES,
    say_count,
    say_day,
    say_elapsed,
    say_last_day,
    say_list,
    say_orders,
    say_span,
    say_together,
)
from clv_core.plot import follow_language
from clv_core.plot import money as money
from clv_core.plot import name_of as name_of
from clv_core.plot import percent as percent
from clv_core.plot import say as say
from clv_core.plot import t as t
from clv_core.plot import unit as unit
from pages.ui import session

follow_language(lambda: session.language())


def count(many: int) -> str:
    """Return how many there are: exactly where a person may compare it with a table, else rounded."""
    return say_count(many, session.language())


def orders(facts: Manifest) -> str:
    """Return how many orders a log holds, and of how many lines."""
    return say_orders(facts.orders, facts.lines, session.language())


def join_sentences(sentences: Iterable[str]) -> str:
    """Return sentences in a row, as the language sets them."""
    return say_together(sentences, session.language())


def join_names(names: Iterable[str]) -> str:
    """Return names in a row, with the mark that the language puts between them."""
    return say_list(names, session.language())


def with_label(label: str, text: str) -> str:
    """Return a text behind what it is, with the colon of the language."""
    return f"{label}{'：' if session.language() == 'zh' else ': '}{text}"


def day(value: date | str) -> str:
    """Return a date in the language's own order."""
    return say_day(value, session.language())


def last_day(end: date | str) -> str:
    """Return the last day of a span that ends at the midnight with which the day ``end`` begins."""
    return say_last_day(end, session.language())


def days(first: date, last: date) -> str:
    """Return the first and the last day of a span, for where there is little room."""
    return say_span(first, last, session.language())


def message_text(message: Message) -> str:
    """Return a message in the language of the page, with its days in that language's own order."""
    return message.display(session.language())


def named_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message's parameters with columns that a log has to have and cleaning rules as pages call them."""
    named, column, rules = dict(params), params.get("canonical"), params.get("rules")
    if isinstance(column, str):
        named["canonical"] = name_of("canonical", column)
    if isinstance(rules, list):
        named["rules"] = join_names(t(f"clean.{rule}.title") for rule in rules)
    return named


def moment(value: str) -> str:
    """Return an ISO time in UTC as date and time of the browser's time zone."""
    zone = get_timezone(st.context.timezone or "UTC")
    when = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return format_datetime(
        when,
        "d MMM y HH:mm" if session.language() == "en" else "y年M月d日 HH:mm",
        zone,
        BABEL_LOCALES[session.language()],
    )


def span(seconds: float) -> str:
    """Return a duration in readable units."""
    return say_elapsed(seconds, session.language())


def size(many: int) -> str:
    """Return a number of bytes in readable units."""
    return f"{many / 1e6:,.1f} MB" if many >= 1e5 else f"{max(1, round(many / 1e3))} KB"
