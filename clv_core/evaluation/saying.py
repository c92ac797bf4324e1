"""Format a metric's value in its unit, with the same digits on every page, in report and card."""

from __future__ import annotations

from clv_core.evaluation.metrics import METRICS
from clv_core.i18n import DEFAULT_LANGUAGE, SPOKEN, say_change, say_money, say_share


def format_metric(metric: str, value: float, currency: str = "", language: str = DEFAULT_LANGUAGE) -> str:
    """Return a metric's value in its unit: ``0.665``, ``−15.3%``, ``44.1%``, ``9.04 USD``.

    Args:
        metric: id of :data:`~clv_core.evaluation.metrics.METRICS`; its name is the catalogue key ``metric.<id>``.
        value: of the metric.
        currency: of the log; "" where it has no name.
        language: decides the large units.
    """
    kind = METRICS[metric]
    if kind.unit == "share":
        return say_change(value, 1) if kind.better == "zero" else say_share(value, 1)
    if kind.unit == "score":
        return SPOKEN.format("{:.3f}", value)
    return say_money(value, f"{currency}²" if currency and kind.unit == "money_squared" else currency, language)
