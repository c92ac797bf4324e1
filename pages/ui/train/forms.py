"""Forms drawn from the settings themselves: choices, bounds and groups come from each field's metadata."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, get_args, get_origin, get_type_hints

import streamlit as st

from clv_core.config import Settings
from pages.ui.i18n import name_of, t


def settings_form(
    settings: type[Settings],
    groups: Iterable[str],
    of: str,
    *,
    skip: Iterable[str] = (),
    defaults: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw one widget a setting, under a heading a group, and return the chosen values by name.

    Args:
        settings: a settings class; labels and helps are its fields' catalogue keys.
        groups: groups to draw, in order.
        of: what is set: what was chosen for one is not taken for another.
        skip: settings that the page asks for in its own way.
        defaults: what a setting stands at where it is not the settings' own default.
    """
    others = defaults or {}
    hints = get_type_hints(settings)
    values: dict[str, Any] = {}
    for group in groups:
        st.markdown(f"**{t(f'form.group.{group}')}**")
        with st.grid(3, min_column_width=220):
            for item in fields(settings):
                if item.metadata["group"] == group and item.name not in skip:
                    values[item.name] = _widget(item, hints[item.name], others.get(item.name, item.default), of)
    return values


def changed(settings: type[Settings], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that differ from their defaults."""
    defaults = {item.name: item.default for item in fields(settings)}
    return {name: value for name, value in values.items() if value != defaults[name]}


def key_of(name: str, of: str) -> str:
    """Return the key of the widget of one setting; ``of`` as in :func:`settings_form`."""
    return f"setting_{name}_{of}"


def _widget(item: Field[Any], hint: Any, start: Any, of: str) -> Any:
    label, info, key = t(f"config.{item.name}"), t(f"config.{item.name}.help"), key_of(item.name, of)
    optional = get_origin(hint) is types.UnionType
    kind = next(part for part in get_args(hint) if part is not type(None)) if optional else hint
    default = None if start is MISSING else start
    if item.metadata["choices"]:
        choices = list(item.metadata["choices"])
        return st.selectbox(
            label,
            choices,
            index=choices.index(default),
            format_func=lambda choice: name_of(f"choice.{item.name}", choice),
            help=info,
            key=key,
            persist_state="session",
        )
    if kind is bool:
        return st.toggle(label, value=bool(default), help=info, key=key, persist_state="session")
    low, high = item.metadata["low"], item.metadata["high"]
    value = st.number_input(
        label,
        min_value=None if low is None else kind(low),
        max_value=None if high is None else kind(high),
        value=default,
        step=1 if kind is int else None,
        format=None if kind is int else "%g",
        placeholder=t("form.automatic"),
        help=info,
        key=key,
        persist_state="session",
    )
    return value if value is None else kind(value)
