"""The key of a chart whose colours run from the lowest reading to the highest."""

from __future__ import annotations

from typing import Any

from pages.ui.i18n import t


def level_bar(title: str) -> dict[str, Any]:
    """Return the key of colours; it lies above the chart, as a narrow window has no room for it beside.

    Args:
        title: what the colours tell.
    """
    words = {"title": {"text": title, "side": "top"}, "tickvals": [0, 1], "ticktext": [t("chart.low"), t("chart.high")]}
    return words | {"orientation": "h", "y": 1, "yanchor": "bottom", "ypad": 0, "len": 0.6, "thickness": 10}
