"""Texts of charts, numbers and amounts in the reader's language: of the page in the app, English elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clv_core.i18n import DEFAULT_LANGUAGE, has, say_money, say_number, say_share, translate
from clv_core.model.sequence_encoders import sequence_encoder


def _default() -> str:
    return DEFAULT_LANGUAGE


_source: Callable[[], str] = _default


def follow_language(source: Callable[[], str]) -> None:
    """Take the language from ``source`` from now on; the app's sessions each have their own."""
    global _source
    _source = source


def language() -> str:
    """Return the reader's language."""
    return _source()


def t(key: str, **params: Any) -> str:
    """Return the sentence ``key`` in the reader's language."""
    return translate(key, language(), **params)


def name_of(prefix: str, value: str) -> str:
    """Return the catalogue's word for ``value`` (``feature.frequency``); what comes from data stays as it is."""
    if prefix == "choice.rnn":
        labels: dict[str, str] = sequence_encoder(value).LABELS
        return labels.get(language(), labels[DEFAULT_LANGUAGE])
    return t(f"{prefix}.{value}") if has(f"{prefix}.{value}", language()) else value


def say(value: float, digits: int = 3) -> str:
    """Return a number as a person would say it."""
    return say_number(value, language(), digits)


def money(value: float, currency: str = "", digits: int = 3) -> str:
    """Return an amount as a person would say it, with the log's currency where it is known."""
    return say_money(value, currency, language(), digits)


def unit(currency: str) -> str:
    """Return the unit of money for axes: the log's currency, or that it is the log's where it has no name."""
    return currency or t("unit.currency")


def percent(share: float, digits: int = 0) -> str:
    """Return a share as a percentage; what is not 0 % or 100 % is not said to be."""
    return say_share(share, digits)
