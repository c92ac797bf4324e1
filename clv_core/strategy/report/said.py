"""Amounts, shares and days in the words of a report's language."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from clv_core.i18n import has, say_count, say_day, say_money, say_number, say_share, translate


class Said:
    """How a report says values.

    Args:
        language: of the report.
        currency: of the log; "" where it has no name.
    """

    def __init__(self, language: str, currency: str) -> None:
        self.language, self.currency = language, currency

    def t(self, key: str, **params: Any) -> str:
        """Return a sentence."""
        return translate(key, self.language, **params)

    def number(self, value: float) -> str:
        """Return a number rounded as a person says it."""
        return say_number(float(value), self.language)

    def count(self, many: int) -> str:
        """Return how many there are, exactly where a table beside it would be."""
        return say_count(many, self.language)

    def money(self, value: float) -> str:
        """Return an amount with the log's currency, where it has a name."""
        return say_money(value, self.currency, self.language)

    def span(self, low: float, high: float) -> str:
        """Return the two ends of an interval of amounts; "" where there is none."""
        if not (np.isfinite(low) and np.isfinite(high)):
            return ""
        return self.t("report.span", low=self.number(low), high=self.money(high))

    def percent(self, share: float) -> str:
        """Return a share; what is not 0 is not said to be."""
        return say_share(share)

    def day(self, when: date | str) -> str:
        """Return a day in the language's own order."""
        return say_day(when, self.language)

    def unit(self) -> str:
        """Return the unit of money for axes."""
        return self.currency or translate("unit.currency", self.language)

    def name(self, family: str, value: str) -> str:
        """Return the catalogue's word for ``value``; what comes from data stays as it is."""
        key = f"{family}.{value}"
        return translate(key, self.language) if has(key, self.language) else value
